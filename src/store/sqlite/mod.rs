//! The store in one SQLite file: one thread writes in groups (see [`writer`]), a few connections read, every reply comes
//! after the commit. This file only hands over; what is done stands in the module of the same name.

use super::*;
use crate::clock::Clock;
use readers::Readers;
use rusqlite::Connection;
use std::path::Path;
use writer::Writer;

mod accept;
mod awaited;
mod connect;
mod denials;
mod held;
mod inbound;
mod interchanges;
mod journal;
mod life;
mod lookup;
mod notices;
mod readers;
mod resources;
mod rows;
mod worklists;
mod writer;

pub struct SqliteStore {
    readers: Readers,
    writer: Writer,
    clock: Clock,
}

impl SqliteStore {
    /// Opens the file, or makes it, and brings its schema up to date. The clock gives `updated` of resources that come
    /// with no time of their own.
    pub fn open(path: &Path, clock: Clock) -> Result<SqliteStore, Fault> {
        let connection = connect::for_writing(path)?;
        let readers = Readers::open(path)?;
        Ok(SqliteStore { readers, writer: Writer::start(connection)?, clock })
    }

    fn writing<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(self.writer.write(work))
    }

    fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(self.readers.read(work))
    }

    /// For a few rows that are found by their key.
    fn looking_up<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Reply<'_, T> {
        Box::pin(self.readers.look_up(work))
    }
}

impl Store for SqliteStore {
    fn accept(&self, submission: NewSubmission) -> Reply<'_, Accepted> {
        self.writing(move |c| accept::accept(c, &submission))
    }

    fn known<'a>(&'a self, tenant: &'a str, kind: KeyKind, key: &'a str) -> Reply<'a, Option<(SubmissionId, String)>> {
        let (tenant, key) = (tenant.to_owned(), key.to_owned());
        self.looking_up(move |c| accept::known(c, &tenant, kind, &key))
    }

    fn resume(&self, submission: NewSubmission) -> Reply<'_, Accepted> {
        self.writing(move |c| accept::resume(c, &submission))
    }

    fn held<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Option<Held>> {
        let id = id.clone();
        self.reading(move |c| held::read(c, &id))
    }

    fn hold<'a>(&'a self, id: &'a SubmissionId, seen: Held, held: Held, events: Vec<NewEvent>) -> Reply<'a, bool> {
        let id = id.clone();
        self.writing(move |c| held::hold(c, &id, &seen, &held, &events))
    }

    fn wakened(&self, now: Timestamp, limit: usize) -> Reply<'_, Vec<SubmissionId>> {
        self.reading(move |c| held::wakened(c, now, limit))
    }

    fn chain<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Vec<Link>> {
        let id = id.clone();
        self.reading(move |c| lookup::chain(c, &id))
    }

    fn put(&self, tenant: &str, resources: Vec<ResourceWrite>, at: Timestamp) -> Reply<'_, Vec<ResourceVersion>> {
        let tenant = tenant.to_owned();
        self.writing(move |c| {
            let written = resources::write(c, &tenant, &resources, at)?;
            held::came(c, &tenant, &resources, at)?;
            Ok(written)
        })
    }

    fn read<'a>(&'a self, tenant: &'a str, kind: &'a str, id: &'a str) -> Reply<'a, Option<ResourceVersion>> {
        let (tenant, kind, id) = (tenant.to_owned(), kind.to_owned(), id.to_owned());
        self.looking_up(move |c| resources::read(c, &tenant, &kind, &id))
    }

    fn history<'a>(&'a self, tenant: &'a str, kind: &'a str, id: &'a str) -> Reply<'a, Vec<ResourceVersion>> {
        let (tenant, kind, id) = (tenant.to_owned(), kind.to_owned(), id.to_owned());
        self.reading(move |c| resources::history(c, &tenant, &kind, &id))
    }

    fn search<'a>(&'a self, tenant: &'a str, query: &'a Query) -> Reply<'a, Vec<ResourceVersion>> {
        let (tenant, query) = (tenant.to_owned(), query.clone());
        self.reading(move |c| resources::search(c, &tenant, &query))
    }

    fn submission<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Option<Submission>> {
        let id = id.clone();
        self.looking_up(move |c| lookup::by_id(c, &id))
    }

    fn submissions_named(&self, ids: Vec<SubmissionId>) -> Reply<'_, Vec<Submission>> {
        self.reading(move |c| ids.iter().filter_map(|id| lookup::by_id(c, id).transpose()).collect())
    }

    fn submission_of<'a>(&'a self, tenant: &'a str, reference: &'a str) -> Reply<'a, Option<Submission>> {
        let (tenant, reference) = (tenant.to_owned(), reference.to_owned());
        self.looking_up(move |c| lookup::by_reference(c, &tenant, &reference))
    }

    fn submissions<'a>(&'a self, filter: &'a Filter) -> Reply<'a, Vec<Submission>> {
        let filter = filter.clone();
        self.reading(move |c| lookup::list(c, &filter))
    }

    fn events<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Vec<Event>> {
        let id = id.clone();
        self.reading(move |c| life::events(c, &id))
    }

    fn answers<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Vec<MatchedAnswer>> {
        let id = id.clone();
        self.reading(move |c| inbound::answers(c, &id))
    }

    fn append<'a>(
        &'a self,
        id: &'a SubmissionId,
        events: Vec<NewEvent>,
        resources: Vec<ResourceWrite>,
    ) -> Reply<'a, State> {
        let (id, now) = (id.clone(), self.clock.now());
        self.writing(move |c| life::write(c, &id, &events, &resources, now))
    }

    fn outbox(&self, stale: Timestamp, limit: usize) -> Reply<'_, Vec<OutboxLine>> {
        self.reading(move |c| interchanges::outbox(c, stale, limit))
    }

    fn due<'a>(&'a self, payer: &'a PayerId, limit: usize) -> Reply<'a, Vec<SubmissionId>> {
        let payer = payer.clone();
        self.reading(move |c| interchanges::due(c, &payer, limit))
    }

    fn published(&self, submissions: Vec<SubmissionId>, at: Timestamp) -> Reply<'_, ()> {
        self.writing(move |c| interchanges::published(c, &submissions, at))
    }

    fn set_control_numbers<'a>(&'a self, partner: &'a str, last: ControlNumbers) -> Reply<'a, ()> {
        let partner = partner.to_owned();
        self.writing(move |c| interchanges::set_numbers(c, &partner, last))
    }

    fn seal(&self, interchange: NewInterchange) -> Reply<'_, Sealed> {
        self.writing(move |c| interchanges::seal(c, &interchange))
    }

    fn interchange<'a>(&'a self, id: &'a InterchangeId) -> Reply<'a, Option<Interchange>> {
        let id = id.clone();
        self.reading(move |c| interchanges::read(c, &id))
    }

    fn unsent(&self, stale: Timestamp, limit: usize) -> Reply<'_, Vec<InterchangeId>> {
        self.reading(move |c| interchanges::unsent(c, stale, limit))
    }

    fn attempt<'a>(&'a self, id: &'a InterchangeId, at: Timestamp) -> Reply<'a, u32> {
        let id = id.clone();
        self.writing(move |c| interchanges::attempt(c, &id, at))
    }

    fn sent<'a>(&'a self, id: &'a InterchangeId, at: Timestamp) -> Reply<'a, ()> {
        let id = id.clone();
        self.writing(move |c| interchanges::sent(c, &id, at))
    }

    fn failed<'a>(&'a self, id: &'a InterchangeId, failure: Failure) -> Reply<'a, ()> {
        let id = id.clone();
        self.writing(move |c| interchanges::failed(c, &id, &failure))
    }

    fn receive(&self, file: Inbound) -> Reply<'_, bool> {
        self.writing(move |c| inbound::receive(c, &file))
    }

    fn inbound<'a>(&'a self, id: &'a InterchangeId) -> Reply<'a, Option<Inbound>> {
        let id = id.clone();
        self.reading(move |c| inbound::read(c, &id))
    }

    fn apply<'a>(&'a self, inbound: &'a InterchangeId, write: InboundWrite) -> Reply<'a, ()> {
        let (inbound, now) = (inbound.clone(), self.clock.now());
        self.writing(move |c| inbound::apply(c, &inbound, &write, now))
    }

    fn find<'a>(&'a self, payer: Option<&'a PayerId>, key: &'a Key) -> Reply<'a, Vec<Found>> {
        let (payer, key) = (payer.cloned(), key.clone());
        self.reading(move |c| lookup::find(c, payer.as_ref(), &key))
    }

    fn unmatched<'a>(&'a self, filter: &'a UnmatchedFilter) -> Reply<'a, Vec<UnmatchedAnswer>> {
        let filter = filter.clone();
        self.reading(move |c| inbound::unmatched(c, &filter))
    }

    fn unmatched_at<'a>(&'a self, inbound: &'a InterchangeId, position: u32) -> Reply<'a, Option<UnmatchedAnswer>> {
        let inbound = inbound.clone();
        self.reading(move |c| inbound::unmatched_at(c, &inbound, position))
    }

    fn assign<'a>(&'a self, inbound: &'a InterchangeId, position: u32, write: AnswerWrite) -> Reply<'a, bool> {
        let (inbound, now) = (inbound.clone(), self.clock.now());
        self.writing(move |c| inbound::assign(c, &inbound, position, &write, now))
    }

    fn figures(&self) -> Reply<'_, Figures> {
        self.reading(lookup::figures)
    }
}
