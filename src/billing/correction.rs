//! What a claim is to the ones sent before it: an original, a replacement (CLM05-3 = 7) or a void (8), by the journey of the
//! earlier ones and nothing else.
//!
//! A payer knows a claim by the number it gave it (REF*F8); until it has given one, it can't be told of a correction. What
//! the payer never took is no claim to it: the mended one is an original again.

use super::journey::State;

/// What the caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intention {
    /// Nothing but the same claim number with other content.
    Again,
    /// A replacement: it names the claim, or is its next version.
    Replace,
    /// To take the claim back.
    Void,
}

/// One of the claims sent before, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub frequency: String,
    pub state: State,
    /// Another submission has taken its place.
    pub superseded: bool,
    /// The payer's own number, by its newest answer.
    pub number: Option<String>,
}

/// What the claim is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The payer has none of the earlier ones.
    Original,
    /// CLM05-3 = 7 or 8 with the payer's number of the newest of the claims that it took.
    Correction {
        frequency: &'static str,
        number: String,
    },
    /// As a correction, but the payer's number is not known yet: the place of the claim that it will come with.
    Early {
        frequency: &'static str,
        of: usize,
    },
    Refused(Refusal),
}

/// Why a correction can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// To be voided, but never taken by the payer.
    NeverTaken,
    /// It was voided.
    Voided,
    /// The same number with other content while the first is on its way.
    OnItsWay,
    /// The payer has decided without giving a number.
    NoNumber,
}

/// Decides by the claims sent before, oldest first; `given` is the payer's number as the caller knows it.
pub fn decide(intention: Intention, earlier: &[Earlier], given: Option<&str>) -> Standing {
    let never = |state| matches!(state, State::Held | State::Rejected | State::Failed | State::Discarded);
    let taken = |claim: &&Earlier| !claim.superseded && !never(claim.state);
    let Some(of) = earlier.iter().rposition(|claim| taken(&claim)) else {
        return match intention {
            Intention::Void => Standing::Refused(Refusal::NeverTaken),
            _ => Standing::Original,
        };
    };
    let newest = &earlier[of];
    if newest.frequency == "8" {
        return Standing::Refused(Refusal::Voided);
    }
    let frequency = if intention == Intention::Void { "8" } else { "7" };
    let answered = newest.state >= State::Accepted;
    let number = newest.number.as_deref().or(given.filter(|_| answered));
    match (number, intention) {
        (Some(number), _) => Standing::Correction { frequency, number: number.to_owned() },
        (None, _) if newest.state == State::Adjudicated => Standing::Refused(Refusal::NoNumber),
        (None, Intention::Again) => Standing::Refused(Refusal::OnItsWay),
        (None, _) => Standing::Early { frequency, of },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(frequency: &str, state: State, number: Option<&str>) -> Earlier {
        Earlier { frequency: frequency.into(), state, superseded: false, number: number.map(str::to_owned) }
    }

    fn correction(frequency: &'static str, number: &str) -> Standing {
        Standing::Correction { frequency, number: number.into() }
    }

    #[test]
    fn one_earlier_claim_by_its_state() {
        use Intention::{Again, Replace, Void};
        use Standing::{Early, Original, Refused};
        let early = |frequency| Early { frequency, of: 0 };
        let rows: &[(State, Option<&str>, Standing, Standing, Standing)] = &[
            (State::Held, None, Original, Original, Refused(Refusal::NeverTaken)),
            (State::Queued, None, Refused(Refusal::OnItsWay), early("7"), early("8")),
            (State::Sent, None, Refused(Refusal::OnItsWay), early("7"), early("8")),
            (State::Acknowledged, None, Refused(Refusal::OnItsWay), early("7"), early("8")),
            (State::Accepted, None, Refused(Refusal::OnItsWay), early("7"), early("8")),
            (State::Accepted, Some("N"), correction("7", "N"), correction("7", "N"), correction("8", "N")),
            (State::Pended, Some("N"), correction("7", "N"), correction("7", "N"), correction("8", "N")),
            (State::Adjudicated, Some("N"), correction("7", "N"), correction("7", "N"), correction("8", "N")),
            (
                State::Adjudicated,
                None,
                Refused(Refusal::NoNumber),
                Refused(Refusal::NoNumber),
                Refused(Refusal::NoNumber),
            ),
            (State::Rejected, Some("N"), Original, Original, Refused(Refusal::NeverTaken)),
            (State::Failed, None, Original, Original, Refused(Refusal::NeverTaken)),
            (State::Discarded, None, Original, Original, Refused(Refusal::NeverTaken)),
        ];
        for (state, number, again, replace, void) in rows {
            let earlier = [claim("1", *state, *number)];
            for (intention, wanted) in [(Again, again), (Replace, replace), (Void, void)] {
                assert_eq!(&decide(intention, &earlier, None), wanted, "{intention:?} of {state:?} {number:?}");
            }
        }
    }

    #[test]
    fn the_newest_claim_that_the_payer_took_decides() {
        let paid = claim("1", State::Adjudicated, Some("A"));
        let replaced = claim("7", State::Adjudicated, Some("B"));
        let rejected = claim("7", State::Rejected, None);
        let voided = claim("8", State::Accepted, Some("B"));
        let replace = |earlier: &[Earlier]| decide(Intention::Replace, earlier, None);
        assert_eq!(replace(&[paid.clone(), replaced.clone()]), correction("7", "B"));
        assert_eq!(replace(&[paid.clone(), rejected]), correction("7", "A"), "a rejected replacement replaced nothing");
        assert_eq!(replace(&[paid.clone(), voided]), Standing::Refused(Refusal::Voided));
        let under_way = claim("7", State::Sent, None);
        assert_eq!(replace(&[paid.clone(), under_way.clone()]), Standing::Early { frequency: "7", of: 1 });
        let superseded = Earlier { superseded: true, ..under_way };
        assert_eq!(replace(&[paid, superseded]), correction("7", "A"));
    }

    #[test]
    fn the_callers_number_counts_when_the_payer_has_answered_without_one() {
        let given = |state| decide(Intention::Void, &[claim("1", state, None)], Some("G"));
        assert_eq!(given(State::Adjudicated), correction("8", "G"));
        assert_eq!(given(State::Accepted), correction("8", "G"));
        assert_eq!(given(State::Sent), Standing::Early { frequency: "8", of: 0 });
        let known = decide(Intention::Void, &[claim("1", State::Adjudicated, Some("N"))], Some("G"));
        assert_eq!(known, correction("8", "N"), "the payer's newest answer wins");
    }
}
