//! The one integration test binary; each part is a module.

mod responses_corpus;
mod x12_corpus;
