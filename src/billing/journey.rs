//! The life of a submission: its states, the events that move it, and the one table that says how.

use serde::{Deserialize, Serialize};

/// Where a submission stands: the fold of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Incomplete or failing an edit: mended by a new version or released by hand.
    Held,
    Queued,
    Sent,
    /// 999 or TA1.
    Acknowledged,
    /// 277CA.
    Accepted,
    Pended,
    /// 835, 278 or 271.
    Adjudicated,
    /// TA1, 999, 277CA or AAA.
    Rejected,
    /// Dead letter: given up after the last attempt, or refused by the transport for good.
    Failed,
    /// A draft that nobody wants to send.
    Discarded,
}

/// One fact in a submission's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventKind {
    Received,
    Held,
    Released,
    Queued,
    /// Written into an interchange whose bytes are kept.
    Sealed,
    /// An attempt to send that failed and will be repeated.
    SendFailed,
    Sent,
    Acknowledged,
    Forwarded,
    Accepted,
    Pended,
    Adjudicated,
    Denied,
    Reversed,
    Rejected,
    /// Given up.
    Failed,
    /// The gateway has prepared what may come next: in both journeys, of the claim and of the draft.
    Drafted,
    /// The draft is not wanted.
    Discarded,
    /// Read and kept, but it moves nothing.
    Noted,
}

/// The words as they stand in JSON and in the store.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal,)* }) => {
        impl $type {
            pub const ALL: &'static [$type] = &[$($type::$variant),*];
            pub fn word(self) -> &'static str {
                match self { $($type::$variant => $word),* }
            }
            pub fn of(word: &str) -> Option<$type> {
                $type::ALL.iter().copied().find(|each| each.word() == word)
            }
        }
    };
}

words!(State {
    Held = "held", Queued = "queued", Sent = "sent", Acknowledged = "acknowledged", Accepted = "accepted",
    Pended = "pended", Adjudicated = "adjudicated", Rejected = "rejected", Failed = "failed",
    Discarded = "discarded",
});

words!(EventKind {
    Received = "received", Held = "held", Released = "released", Queued = "queued", Sealed = "sealed",
    SendFailed = "sendFailed", Sent = "sent", Acknowledged = "acknowledged", Forwarded = "forwarded",
    Accepted = "accepted", Pended = "pended", Adjudicated = "adjudicated", Denied = "denied", Reversed = "reversed",
    Rejected = "rejected", Failed = "failed", Drafted = "drafted", Discarded = "discarded", Noted = "noted",
});

/// An answer that a sent claim waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Awaited {
    Ta1,
    Implementation999,
    Acknowledgment277ca,
    Remittance835,
}

words!(Awaited { Ta1 = "ta1", Implementation999 = "999", Acknowledgment277ca = "277ca", Remittance835 = "835", });

impl Awaited {
    /// Answers that are not waited for any more when a payer has said this: each stands for all before it, and after a
    /// rejection none comes.
    pub fn settled_by(transaction: &str, rejected: bool) -> &'static [Awaited] {
        let last = match transaction {
            _ if rejected => 4,
            "TA1" => 1,
            "999" | "997" => 2,
            "277CA" | "277" => 3,
            // 835, and whatever decides: 271, 278, FHIR.
            _ => 4,
        };
        &Awaited::ALL[..last]
    }
}

/// The state after an event. Steps may be skipped forward, never back: an answer that comes late leaves the state as it is.
/// `None` is the state before the first event.
pub fn advance(state: Option<State>, event: EventKind) -> Option<State> {
    use EventKind as E;
    use State as S;
    let target = match event {
        E::Received | E::Sealed | E::SendFailed | E::Drafted | E::Noted => return state,
        // Only what never left can be discarded, and it stays so.
        E::Discarded if state.is_none_or(|state| state == S::Held) => S::Discarded,
        E::Discarded => return state,
        _ if state == Some(S::Discarded) => return state,
        E::Held => S::Held,
        E::Released | E::Queued => S::Queued,
        E::Sent => S::Sent,
        E::Acknowledged | E::Forwarded => S::Acknowledged,
        E::Accepted => S::Accepted,
        E::Pended => S::Pended,
        E::Adjudicated | E::Denied | E::Reversed => S::Adjudicated,
        E::Rejected => S::Rejected,
        E::Failed => S::Failed,
    };
    Some(match (state, target) {
        (None, _) => target,
        // Money has been decided: only more money says otherwise.
        (Some(S::Adjudicated), _) => S::Adjudicated,
        // A payer that pays or takes a claim after all overrules a rejection or our giving up.
        (Some(S::Rejected | S::Failed), S::Accepted | S::Pended | S::Adjudicated) => target,
        // Mended or released by hand.
        (Some(S::Held | S::Rejected | S::Failed), S::Queued) => target,
        (Some(S::Rejected), _) => S::Rejected,
        // A send that was given up and yet arrived.
        (Some(S::Failed), S::Sent | S::Acknowledged | S::Rejected) => target,
        (Some(S::Failed), _) => S::Failed,
        (Some(S::Held), S::Rejected | S::Failed) => S::Held,
        (Some(_), S::Rejected) => S::Rejected,
        // What has been sent can't be given up any more.
        (Some(before), S::Failed) => {
            if before <= S::Queued {
                S::Failed
            } else {
                before
            }
        }
        (Some(before), S::Held) => {
            if before <= S::Queued {
                S::Held
            } else {
                before
            }
        }
        (Some(before), after) => before.max(after),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table: for each state, the events that move it and where to. What is not listed stays.
    const MOVES: &[(State, &[(EventKind, State)])] = {
        use EventKind as E;
        use State as S;
        &[
            (
                S::Held,
                &[
                    (E::Released, S::Queued),
                    (E::Queued, S::Queued),
                    (E::Sent, S::Sent),
                    (E::Acknowledged, S::Acknowledged),
                    (E::Forwarded, S::Acknowledged),
                    (E::Accepted, S::Accepted),
                    (E::Pended, S::Pended),
                    (E::Adjudicated, S::Adjudicated),
                    (E::Denied, S::Adjudicated),
                    (E::Reversed, S::Adjudicated),
                    (E::Discarded, S::Discarded),
                ],
            ),
            (
                S::Queued,
                &[
                    (E::Held, S::Held),
                    (E::Sent, S::Sent),
                    (E::Acknowledged, S::Acknowledged),
                    (E::Forwarded, S::Acknowledged),
                    (E::Accepted, S::Accepted),
                    (E::Pended, S::Pended),
                    (E::Adjudicated, S::Adjudicated),
                    (E::Denied, S::Adjudicated),
                    (E::Reversed, S::Adjudicated),
                    (E::Rejected, S::Rejected),
                    (E::Failed, S::Failed),
                ],
            ),
            (
                S::Sent,
                &[
                    (E::Acknowledged, S::Acknowledged),
                    (E::Forwarded, S::Acknowledged),
                    (E::Accepted, S::Accepted),
                    (E::Pended, S::Pended),
                    (E::Adjudicated, S::Adjudicated),
                    (E::Denied, S::Adjudicated),
                    (E::Reversed, S::Adjudicated),
                    (E::Rejected, S::Rejected),
                ],
            ),
            (
                S::Acknowledged,
                &[
                    (E::Accepted, S::Accepted),
                    (E::Pended, S::Pended),
                    (E::Adjudicated, S::Adjudicated),
                    (E::Denied, S::Adjudicated),
                    (E::Reversed, S::Adjudicated),
                    (E::Rejected, S::Rejected),
                ],
            ),
            (
                S::Accepted,
                &[
                    (E::Pended, S::Pended),
                    (E::Adjudicated, S::Adjudicated),
                    (E::Denied, S::Adjudicated),
                    (E::Reversed, S::Adjudicated),
                    (E::Rejected, S::Rejected),
                ],
            ),
            (
                S::Pended,
                &[
                    (E::Adjudicated, S::Adjudicated),
                    (E::Denied, S::Adjudicated),
                    (E::Reversed, S::Adjudicated),
                    (E::Rejected, S::Rejected),
                ],
            ),
            (S::Adjudicated, &[]),
            (
                S::Rejected,
                &[
                    (E::Released, S::Queued),
                    (E::Queued, S::Queued),
                    (E::Accepted, S::Accepted),
                    (E::Pended, S::Pended),
                    (E::Adjudicated, S::Adjudicated),
                    (E::Denied, S::Adjudicated),
                    (E::Reversed, S::Adjudicated),
                ],
            ),
            (
                S::Failed,
                &[
                    (E::Released, S::Queued),
                    (E::Queued, S::Queued),
                    (E::Sent, S::Sent),
                    (E::Acknowledged, S::Acknowledged),
                    (E::Forwarded, S::Acknowledged),
                    (E::Accepted, S::Accepted),
                    (E::Pended, S::Pended),
                    (E::Adjudicated, S::Adjudicated),
                    (E::Denied, S::Adjudicated),
                    (E::Reversed, S::Adjudicated),
                    (E::Rejected, S::Rejected),
                ],
            ),
            (S::Discarded, &[]),
        ]
    };

    #[test]
    fn the_whole_table() {
        for (state, moves) in MOVES {
            for event in EventKind::ALL {
                let expected = moves.iter().find(|(kind, _)| kind == event).map_or(*state, |(_, to)| *to);
                assert_eq!(advance(Some(*state), *event), Some(expected), "{} + {}", state.word(), event.word());
            }
        }
        assert_eq!(MOVES.len(), State::ALL.len());
    }
}
