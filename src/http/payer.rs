//! `POST /payers/{payer}/interchanges`: what a payer answers, handed in over HTTP instead of a directory; answered with TA1
//! and 999, and a 276 with a 277 behind them.

use crate::billing::id::PayerId;
use crate::fault::{Fault, Place, any_error, codes};
use crate::flow::receive;
use crate::http::call::Call;
use crate::http::reply::Reply;

pub async fn receive(call: Call) -> Result<Reply, Fault> {
    let payer = call.param(0);
    if call.gateway.translator.payers.get(payer).is_none() {
        let known: Vec<&str> = call.gateway.translator.payers.ids().collect();
        let hint = format!("known payers: {}", known.join(", "));
        return Err(Fault::refuse(codes::NOT_FOUND, Place::Whole, "there is no payer of this name", hint));
    }
    let payer = PayerId(payer.to_owned());
    let name = format!("http-{}.x12", uuid::Uuid::now_v7());
    let received = receive::receive(&call.gateway, &payer, &name, call.body).await?;
    let reply = [received.acknowledgment, received.answer].concat();
    if !reply.is_empty() {
        return Ok(Reply::x12(200, reply));
    }
    // Nothing in it could be read or acknowledged: the sender must hear of it, though the file is kept.
    if received.matched + received.unmatched == 0 && any_error(&received.issues) {
        return Err(Fault::caller(received.issues));
    }
    Ok(Reply::nothing(204))
}
