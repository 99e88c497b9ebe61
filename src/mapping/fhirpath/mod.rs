//! FHIRPath 2.0 (N1) over JSON, as far as mappings need it: compiled once against the types of its source, run many
//! times without a copy. `mappings/README.md` says what is supported and what is left out.

pub mod arithmetic;
pub mod ast;
pub mod compile;
pub mod eval;
pub mod expr;
pub mod functions;
pub mod gather;
pub mod item;
pub mod lexer;
pub mod logic;
pub mod parser;
pub mod time;
pub mod types;
pub mod walk;

#[cfg(test)]
mod tests;
