//! The payer that answers: reads an 837 as a payer would, decides by a [`Scenario`], and writes TA1, 999, 277CA, 277 and
//! 835 that fit together: control numbers, echoes of our numbers, and money that balances. For demonstrations and tests.
//!
//! The same file is answered with the same bytes, apart from dates: control numbers of the answers are made of those of
//! the file. Absent on purpose: a memory. A payer that replaces a claim reckons the replaced payment anew.

use crate::clock::Clock;
use crate::x12::guide::Guides;
use crate::x12::reader;
use crate::x12::text::Text;
use std::time::Duration;

mod acknowledgment;
pub mod claim;
pub mod directory;
mod envelope;
mod payment;
pub mod scenario;
pub mod settlement;
mod status;

#[cfg(test)]
mod tests;

use claim::Claim;
use envelope::Paper;
use scenario::{Delays, Outcome, Scenario};

/// An answer of the simulated payer, and how long after receipt it comes.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub after: Duration,
    /// Name for a file.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A claim and what the scenario decides about it.
struct Decided<'s> {
    claim: Claim,
    outcome: &'s Outcome,
}

/// All answers to a file, in the order of their coming. A file that holds no interchange gets none.
pub fn answer(scenario: &Scenario, guides: &Guides, interchange: &[u8], clock: &Clock) -> Vec<Answer> {
    let text = Text::decode(interchange);
    let (interchanges, _) = reader::read_text(&text);
    let mut answers = Vec::new();
    for interchange in &interchanges {
        let paper = Paper::new(interchange, clock.now());
        let decided: Vec<Decided> = claim::read(interchange).into_iter().map(|claim| decide(scenario, claim)).collect();
        answers.extend(answer_one(scenario, guides, interchange, &paper, &decided));
    }
    answers.sort_by_key(|answer| answer.after);
    answers
}

fn decide(scenario: &Scenario, claim: Claim) -> Decided<'_> {
    Decided { outcome: scenario.outcome(&claim), claim }
}

fn answer_one(
    scenario: &Scenario,
    guides: &Guides,
    interchange: &reader::Interchange,
    paper: &Paper,
    decided: &[Decided],
) -> Vec<Answer> {
    let delays = &scenario.delays;
    let acknowledgment = acknowledgment::write(&paper.numbered(0), guides, interchange, decided);
    let name = if acknowledgment.refused { "TA1" } else { "999" };
    let mut answers = Vec::new();
    if !acknowledgment.bytes.is_empty() {
        answers.push(paper.answer(name, "", delays.acknowledgment, acknowledgment.bytes));
    }
    if acknowledgment.refused {
        return answers;
    }
    let taken: Vec<&Decided> =
        decided.iter().filter(|each| !acknowledgment.refused_sets.contains(&each.claim.set)).collect();
    for (n, row) in (1..).zip(FURTHER) {
        let claims: Vec<&Decided> = taken.iter().copied().filter(|each| (row.about)(each.outcome)).collect();
        if !claims.is_empty() {
            let text = (row.write)(&paper.numbered(n), scenario, &claims);
            answers.push(paper.answer(row.name, row.mark, (row.after)(delays), text.into_bytes()));
        }
    }
    answers
}

/// One kind of answer about claims.
struct Further {
    name: &'static str,
    /// Tells two answers of one name apart.
    mark: &'static str,
    after: fn(&Delays) -> Duration,
    /// The claims that it speaks of.
    about: fn(&Outcome) -> bool,
    write: fn(&Paper, &Scenario, &[&Decided]) -> String,
}

const FURTHER: &[Further] = &[
    Further { name: "277CA", mark: "", after: |d| d.status, about: Outcome::is_heard, write: status::acknowledge },
    Further { name: "277", mark: "", after: |d| d.pending, about: Outcome::pends, write: status::pend },
    Further { name: "835", mark: "", after: |d| d.payment, about: Outcome::pays, write: payment::pay },
    Further { name: "835", mark: "-2", after: |d| d.correction, about: Outcome::corrects, write: payment::correct },
];
