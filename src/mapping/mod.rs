//! The bridge between FHIR, the billing record and X12, and the only module that sees all three.
//!
//! A mapping is a YAML template shaped like what it makes; the holes are FHIRPath over what it reads. All mappings are
//! compiled once, when they are loaded, against the definitions of what they read and make: every mistake is found there,
//! with file, line, column and a hint. A run parses nothing and copies nothing of its source, be it FHIR or a plain value ([`record::Input`]). `mappings/README.md` is the
//! language for those who write it.
//!
//! In the order of the data: [`yaml`] reads [`files`], which are laid over each other; [`load`] compiles them, [`fhirpath`] compiles and runs
//! expressions, [`needs`] knows which of them a source can answer ([`verdicts`]), [`template`] is the frame common to all uses, [`object`] makes JSON ([`draft`]), [`transaction`] makes X12 loops,
//! [`maker`] is one run with its issues and its [`lineage`].

pub mod coverage;
pub mod definitions;
pub mod draft;
pub mod fhirpath;
pub mod files;
pub mod functions;
pub mod guided;
pub mod lineage;
pub mod load;
pub mod maker;
pub mod mistakes;
pub mod needs;
pub mod object;
pub mod origins;
pub mod record;
pub mod schema;
pub mod source;
pub mod tables;
pub mod target;
pub mod template;
pub mod transaction;
pub mod verdicts;
pub mod yaml;

pub use fhirpath::eval::Resolver;
pub use lineage::{Lineage, LineageRow};
pub use record::{DocumentMapping, DocumentShape, Input, RecordMapping, ResponseMapping};
pub use transaction::TransactionMapping;

use crate::fault::Issue;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// What a run sees beside its source.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// `%payer`: the facts of the payer's profile.
    pub payer: &'a Value,
    /// `%now`, as RFC 3339 writes it.
    pub now: &'a str,
    /// Values for `%claim`, `%record`, `%previous` and `%submission`.
    pub vars: &'a [(&'a str, Input<'a>)],
    /// What references are looked up in.
    pub resources: Option<&'a dyn Resolver>,
}

/// Every mapping of a folder, compiled; immutable, to be shared.
#[derive(Debug)]
pub struct Mappings {
    version: String,
    /// What is allowed, but hardly meant.
    warnings: Vec<Issue>,
    origins: origins::Origins,
    records: HashMap<String, Arc<RecordMapping>>,
    transactions: HashMap<String, Arc<TransactionMapping>>,
    responses: HashMap<String, Arc<ResponseMapping>>,
    documents: HashMap<String, Arc<DocumentMapping>>,
}

impl Mappings {
    /// Names the content of all mappings and tables: the same text has the same version everywhere.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What was found when they were loaded, and did not stand in the way.
    pub fn warnings(&self) -> &[Issue] {
        &self.warnings
    }

    /// A mapping to the billing record, by its path without `.yaml` (`record/claim`); a payer's overlay comes first.
    pub fn record(&self, payer: &str, name: &str) -> Option<&RecordMapping> {
        overlaid(&self.records, payer, name)
    }

    /// The same for what a source wrote that has overlays of its own; `source` is the `meta.source` of the claim.
    pub fn record_from(&self, source: Option<&str>, payer: &str, name: &str) -> Option<&RecordMapping> {
        let origin = source.and_then(|source| self.origins.named(source));
        let over = origin.and_then(|id| {
            let both = self.records.get(&format!("sources/{id}/payers/{payer}/{name}"));
            both.or_else(|| self.records.get(&format!("sources/{id}/{name}"))).map(Arc::as_ref)
        });
        over.or_else(|| self.record(payer, name))
    }

    /// A mapping to X12: `x12/837p`; a payer's overlay (`payers/<payer>/837p`) comes first.
    pub fn transaction(&self, payer: &str, name: &str) -> Option<&TransactionMapping> {
        overlaid(&self.transactions, payer, name)
    }

    /// A mapping to a document of a payer's own shape: `payers/<payer>/claim`, asked for as `claim`.
    pub fn document(&self, payer: &str, name: &str) -> Option<&DocumentMapping> {
        overlaid(&self.documents, payer, name)
    }

    /// The mappings to the X12 of a guide that a payer's routes can name.
    pub fn transactions_to(&self, guide: &str, payer: &str) -> Vec<&str> {
        let mut names = names_of(&self.transactions, payer);
        names.retain(|name| self.transaction(payer, name).is_some_and(|mapping| mapping.guide.id == guide));
        names
    }

    /// The mappings to documents that a payer's routes can name.
    pub fn documents_of(&self, payer: &str) -> Vec<&str> {
        names_of(&self.documents, payer)
    }

    /// A mapping to FHIR: `response/claim-response`.
    pub fn response(&self, name: &str) -> Option<&ResponseMapping> {
        self.responses.get(name).map(Arc::as_ref)
    }
}

/// `payers/<payer>/record/claim`, `payers/<payer>/claim`, or `record/claim`.
fn overlaid<'m, T>(all: &'m HashMap<String, Arc<T>>, payer: &str, name: &str) -> Option<&'m T> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let found = all.get(&format!("payers/{payer}/{name}")).or_else(|| all.get(&format!("payers/{payer}/{file}")));
    found.or_else(|| all.get(name)).map(Arc::as_ref)
}

/// As the routes of a payer name them: its own by their files, those of all by their paths.
fn names_of<'m, T>(all: &'m HashMap<String, Arc<T>>, payer: &str) -> Vec<&'m str> {
    let own = |name: &'m str| match name.strip_prefix("payers/") {
        Some(rest) => rest.strip_prefix(payer).and_then(|rest| rest.strip_prefix('/')),
        None => Some(name).filter(|name| !name.starts_with("sources/")),
    };
    all.keys().filter_map(|name| own(name)).collect()
}

#[cfg(test)]
mod planted;
#[cfg(test)]
mod tests;
