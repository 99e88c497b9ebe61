//! What people work through, handed over to the modules of its tables.

use super::{SqliteStore, awaited, denials, journal};
use crate::billing::id::SubmissionId;
use crate::store::{
    DenialFilter, DenialRow, JournalFilter, JournalRow, Overdue, OverdueFilter, ReasonSum, Reply, Worklists,
};
use jiff::Timestamp;

impl Worklists for SqliteStore {
    fn late(&self, now: Timestamp, limit: usize) -> Reply<'_, Vec<Overdue>> {
        self.reading(move |c| awaited::late(c, now, limit))
    }

    fn notice(&self, late: Vec<Overdue>, at: Timestamp) -> Reply<'_, Vec<Overdue>> {
        self.writing(move |c| awaited::notice(c, &late, at))
    }

    fn overdue<'a>(&'a self, filter: &'a OverdueFilter) -> Reply<'a, Vec<Overdue>> {
        let filter = filter.clone();
        self.reading(move |c| awaited::list(c, &filter))
    }

    fn reasons<'a>(&'a self, filter: &'a DenialFilter) -> Reply<'a, Vec<ReasonSum>> {
        let filter = filter.clone();
        self.reading(move |c| denials::reasons(c, &filter))
    }

    fn denials<'a>(&'a self, filter: &'a DenialFilter) -> Reply<'a, Vec<DenialRow>> {
        let filter = filter.clone();
        self.reading(move |c| denials::list(c, &filter))
    }

    fn journal<'a>(&'a self, filter: &'a JournalFilter) -> Reply<'a, Vec<JournalRow>> {
        let filter = filter.clone();
        self.reading(move |c| journal::list(c, &filter))
    }

    fn journal_of<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Vec<JournalRow>> {
        let id = id.clone();
        self.reading(move |c| journal::of_submission(c, &id))
    }
}
