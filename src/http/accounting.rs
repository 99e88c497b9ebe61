//! The books: the journal, and what of one claim is still owed.

use crate::fault::{Fault, Place, codes};
use crate::flow::account;
use crate::flow::journal::{self, Format, Pages};
use crate::http::call::Call;
use crate::http::reply::{Reply, STREAMED_AHEAD};
use crate::telemetry::Codes;
use std::io;
use tokio::sync::mpsc;

/// `GET /accounting/journal?from=&to=&payer=&format=csv|ndjson`: every line, streamed.
pub async fn journal(call: Call) -> Result<Reply, Fault> {
    let format = match call.asked("format") {
        None => Format::default(),
        Some(name) => Format::of(name).ok_or_else(|| {
            let hint = "formats: csv, ndjson";
            Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, "there is no format of this name", hint)
        })?,
    };
    let filter = journal::filter(call.tenant(), call.asked("from"), call.asked("to"), call.asked("payer"))?;
    let mut pages = Pages::new(filter, format);
    let (sender, receiver) = mpsc::channel(STREAMED_AHEAD);
    tokio::spawn(async move {
        loop {
            let sent = match pages.next(call.gateway.store.as_ref()).await {
                Ok(Some(bytes)) => sender.send(Ok(bytes)).await,
                Ok(None) => return,
                Err(fault) => {
                    tracing::error!(codes = %Codes(&fault.issues), "the journal could not be read to its end");
                    // The reply breaks off: nobody takes half a journal for a whole one.
                    let _ = sender.send(Err(io::Error::other("the journal could not be read to its end"))).await;
                    return;
                }
            };
            // Nobody reads any more.
            if sent.is_err() {
                return;
            }
        }
    });
    Ok(Reply::stream(200, format.media_type(), receiver))
}

/// `GET /accounting/claims/{id}`: charge, paid, written off, the patient's balance, outstanding.
pub async fn claim(call: Call) -> Result<Reply, Fault> {
    let of = call.params.join("/");
    Ok(Reply::json(200, &account::of(call.gateway.store.as_ref(), call.tenant(), &of).await?))
}
