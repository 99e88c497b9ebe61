//! How bytes reach a payer and come back. A transport moves bytes: it knows no claim and reads no X12.

use futures_util::future::BoxFuture;
use std::time::Duration;

pub mod directory;
pub mod https;
pub mod notifier;

/// An interchange to be sent. The same name and bytes at every attempt.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// File name, unique for the trading partner (`837P-000000001.x12`).
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Something that came from a payer.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// File name, or what the transport calls it.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What a send did.
#[derive(Debug)]
pub enum Sent {
    /// The payer has it; what it answered at once, if anything (X12 in the reply of an HTTPS post).
    Delivered(Vec<Incoming>),
}

/// Why a send failed. The reason holds no PHI.
#[derive(Debug, Clone, PartialEq)]
pub enum SendError {
    /// Try again by the payer's retry policy.
    Retry(String),
    /// The payer says when.
    RetryAfter(Duration, String),
    /// Whether it arrived is unknown (time-out, connection lost): ask before sending again.
    Unknown(String),
    /// It will never be taken so.
    Never(String),
}

impl SendError {
    /// Why, in words for the log and the journey.
    pub fn reason(&self) -> &str {
        match self {
            SendError::Retry(reason)
            | SendError::RetryAfter(_, reason)
            | SendError::Unknown(reason)
            | SendError::Never(reason) => reason,
        }
    }
}

/// One payer's way.
pub trait Transport: Send + Sync {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Sent, SendError>>;

    /// Whether an interchange of this name has arrived; `None` when the payer can't be asked.
    fn arrived<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Option<bool>>;

    /// What is waiting for us, oldest first, at most `limit`.
    fn collect(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Incoming>, SendError>>;

    /// It has been taken in durably: move it aside, never delete it.
    fn taken<'a>(&'a self, incoming: &'a Incoming) -> BoxFuture<'a, Result<(), SendError>>;
}
