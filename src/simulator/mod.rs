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
use scenario::{Outcome, Scenario};

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
    if let Some(note) = refused_interchange(decided) {
        return vec![paper.answer(
            "TA1",
            0,
            delays.acknowledgment,
            acknowledgment::interchange(paper, interchange, 'R', note),
        )];
    }
    let mut answers = Vec::new();
    if interchange.isa.element(14) == "1" {
        let taken = acknowledgment::interchange(paper, interchange, 'A', "000");
        answers.push(paper.answer("TA1", 0, delays.acknowledgment, taken));
    }
    let refused = acknowledgment::refused_sets(decided);
    answers.push(paper.answer(
        "999",
        1,
        delays.acknowledgment,
        acknowledgment::groups(paper, interchange, decided, &refused),
    ));
    let _ = guides;
    let taken: Vec<&Decided> = decided.iter().filter(|each| !refused.contains(&each.claim.set)).collect();
    let judged =
        |filter: fn(&Outcome) -> bool| taken.iter().copied().filter(|each| filter(each.outcome)).collect::<Vec<_>>();
    let further: [(&str, u32, Duration, Vec<&Decided>, Writer); 4] = [
        ("277CA", 2, delays.status, judged(Outcome::is_heard), status::acknowledge),
        ("277", 3, delays.pending, judged(Outcome::pends), status::pend),
        ("835", 4, delays.payment, judged(Outcome::pays), |paper, scenario, claims| {
            payment::pay(paper, scenario, claims, false)
        }),
        ("835", 5, delays.correction, judged(Outcome::corrects), |paper, scenario, claims| {
            payment::pay(paper, scenario, claims, true)
        }),
    ];
    for (name, kind, after, claims, write) in further {
        if !claims.is_empty() {
            answers.push(paper.answer(name, kind, after, write(&paper.numbered(kind), scenario, &claims)));
        }
    }
    answers
}

/// What writes one kind of answer about some claims.
type Writer = fn(&Paper, &Scenario, &[&Decided]) -> String;

/// The note of the first claim whose rule refuses the whole interchange.
fn refused_interchange<'s>(decided: &[Decided<'s>]) -> Option<&'s str> {
    decided.iter().find_map(|each| match each.outcome {
        Outcome::RefuseInterchange { note } => Some(note.as_str()),
        _ => None,
    })
}
