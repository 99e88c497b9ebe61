//! Publishing: confirmed and routed, or failed.

use super::link::{Link, answer};
use super::topology::{DEAD, OUT, Step, short};
use crate::fault::Fault;
use crate::queue::{Message, unavailable};
use lapin::options::BasicPublishOptions;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Confirmation};
use std::time::Duration;

/// Most messages that are published and not confirmed.
pub const IN_FLIGHT: usize = 256;

/// `delivery_mode` of a message that outlives the broker.
const PERSISTENT: u8 = 2;

/// Where a message goes.
pub struct Envelope {
    exchange: String,
    /// Our code of the reason, for dead letters.
    reason: Option<String>,
}

impl Envelope {
    pub fn now() -> Envelope {
        Envelope { exchange: OUT.into(), reason: None }
    }

    pub fn after(delay: Duration) -> Envelope {
        Envelope { exchange: Step::of(delay).map_or_else(|| OUT.into(), Step::wait), reason: None }
    }

    /// Of the reason only our code goes along: its text may name what a payer wrote.
    pub fn dead(reason: &str) -> Envelope {
        let code = reason.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').find(|word| word.starts_with("CG-"));
        Envelope { exchange: DEAD.into(), reason: Some(code.unwrap_or("none").to_owned()) }
    }
}

/// Publishes one message and waits until the broker has it for good, in a queue.
pub async fn publish(link: &Link, message: &Message, envelope: &Envelope) -> Result<(), Fault> {
    // What is delayed is routed when its time has come: the queue must be there by then.
    if envelope.exchange != DEAD {
        link.declare(&message.payer).await?;
    }
    let outcome = hand_over(link, message, envelope).await;
    match outcome {
        Ok(Confirmation::Ack(None)) => Ok(()),
        Ok(Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned))) => {
            tracing::warn!(code = returned.reply_code, payer = %message.payer, "a message came back unrouted");
            link.forget(&message.payer);
            Err(unavailable("the message came back unrouted"))
        }
        Ok(Confirmation::Nack(None) | Confirmation::NotRequested) => Err(unavailable("the broker did not confirm")),
        Err(fault) => {
            // Without an answer nothing is known of this channel any more.
            link.fail();
            Err(fault)
        }
    }
}

async fn hand_over(link: &Link, message: &Message, envelope: &Envelope) -> Result<Confirmation, Fault> {
    let body = serde_json::to_vec(message).map_err(|_| unavailable("the message can't be written"))?;
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let published = link.publisher.basic_publish(
        short(&envelope.exchange),
        short(message.payer.as_str()),
        options,
        &body,
        properties(envelope),
    );
    let confirm = answer("publish", published).await?;
    answer("confirm", confirm).await
}

fn properties(envelope: &Envelope) -> BasicProperties {
    let properties =
        BasicProperties::default().with_content_type("application/json".into()).with_delivery_mode(PERSISTENT);
    let Some(reason) = &envelope.reason else { return properties };
    let mut headers = FieldTable::default();
    headers.insert("x-reason".into(), AMQPValue::LongString(reason.as_str().into()));
    properties.with_headers(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_code_goes_along_with_a_dead_letter() {
        let cases = [
            ("CG-3002: refused by the payer", "CG-3002"),
            ("error CG-3001 at Claim: no route", "CG-3001"),
            ("Jane Roe has no coverage", "none"),
        ];
        for (reason, code) in cases {
            assert_eq!(Envelope::dead(reason).reason.as_deref(), Some(code), "{reason}");
        }
    }
}
