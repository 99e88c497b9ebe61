//! The one reader of bodies: it counts what comes in and stops at the limit, whatever the headers promise.

use crate::fault::{Fault, Place, codes};
use futures_util::{Stream, StreamExt};
use std::pin::pin;
use warp::Buf;

/// Reads a body of at most `limit` bytes; `declared` is its Content-Length, if any.
pub async fn read<S, B>(stream: S, limit: u64, declared: Option<u64>) -> Result<Vec<u8>, Fault>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    // A promise of length is no reason to give away memory before anything has come.
    let mut body = Vec::with_capacity(declared.unwrap_or_default().min(FIRST_BYTES) as usize);
    let mut stream = pin!(stream);
    while let Some(chunk) = stream.next().await {
        let mut chunk = chunk.map_err(|_| broken_off())?;
        if (body.len() + chunk.remaining()) as u64 > limit {
            return Err(too_large(limit));
        }
        while chunk.has_remaining() {
            let part = chunk.chunk();
            body.extend_from_slice(part);
            let read = part.len();
            chunk.advance(read);
        }
    }
    Ok(body)
}

/// Memory set aside for a body of which nothing has come yet.
const FIRST_BYTES: u64 = 64 << 10;

fn too_large(limit: u64) -> Fault {
    let text = format!("the body is larger than the limit of {limit} bytes");
    Fault::refuse(codes::BODY_TOO_LARGE, Place::Whole, text, "send smaller Bundles, or have limits.body_bytes raised")
}

fn broken_off() -> Fault {
    let text = "the body broke off before its end";
    Fault::refuse(
        codes::JSON_SYNTAX,
        Place::Whole,
        text,
        "send it again; with an Idempotency-Key nothing happens twice",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    async fn of(chunks: &[&'static str], limit: u64, declared: Option<u64>) -> Result<String, &'static str> {
        let chunks: Vec<Result<&[u8], warp::Error>> = chunks.iter().map(|chunk| Ok(chunk.as_bytes())).collect();
        let body = read(stream::iter(chunks), limit, declared).await;
        body.map(|body| String::from_utf8(body).unwrap()).map_err(|fault| fault.issues[0].code)
    }

    #[tokio::test]
    async fn reads_up_to_the_limit_and_not_a_byte_more() {
        assert_eq!(of(&["ab", "cd"], 4, None).await, Ok("abcd".into()));
        assert_eq!(of(&["ab", "cde"], 4, None).await, Err(codes::BODY_TOO_LARGE));
        assert_eq!(of(&[], 4, Some(5)).await, Err(codes::BODY_TOO_LARGE));
        assert_eq!(of(&["ab", "cde"], 4, Some(1)).await, Err(codes::BODY_TOO_LARGE));
        assert_eq!(of(&[], 0, Some(0)).await, Ok(String::new()));
    }
}
