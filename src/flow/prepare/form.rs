//! What a route makes of a billing record: the loops of a transaction set, a document of the payer's own shape, or a Da
//! Vinci PAS Bundle. Each gives the text that is kept with the submission; `flow::document` and `x12::assemble` make files of such texts.

use super::{PreparedPart, Station, pas};
use crate::billing::record::BillingRecord;
use crate::fault::{Fault, Issue, Place, any_error, codes};
use crate::gateway::Translator;
use crate::mapping::{DocumentMapping, Lineage, TransactionMapping};
use crate::payers::{CharacterSet, Format, PayerProfile, Route};
use crate::x12::{build, writer};
use serde_json::Value;

/// The mapping that a route asks for.
pub enum Form<'a> {
    X12(&'a TransactionMapping),
    Document(&'a DocumentMapping),
    Bundle,
}

impl<'a> Form<'a> {
    /// Finds it; that it is there was checked when profiles and mappings were loaded.
    pub fn of(translator: &'a Translator, profile: &PayerProfile, route: &Route) -> Result<Form<'a>, Fault> {
        let mappings = &translator.mappings;
        let found = match route.format {
            Format::X12 => mappings.transaction(&profile.id, &route.mapping).map(Form::X12),
            Format::Json | Format::Csv => mappings.document(&profile.id, &route.mapping).map(Form::Document),
            Format::Fhir => Some(Form::Bundle),
        };
        found.ok_or_else(|| Fault::ours(codes::INTERNAL, format!("no mapping {} is loaded", route.mapping)))
    }

    /// The mapping of a transaction set; nothing for the payer's own formats.
    pub fn transaction(&self) -> Option<&'a TransactionMapping> {
        match self {
            Form::X12(mapping) => Some(mapping),
            Form::Document(_) | Form::Bundle => None,
        }
    }

    /// How many lines a claim may have: 50 in 837P and 837D, 999 in 837I; the payer's own formats take any number.
    pub fn lines_of_a_claim(&self) -> usize {
        let Form::X12(mapping) = self else { return usize::MAX };
        let guide = &mapping.guide;
        let most = guide.loop_ix("2400").and_then(|ix| guide.loop_at(ix).max);
        most.map_or(usize::MAX, |most| most as usize)
    }
}

impl Station<'_> {
    /// Billing record → what is sent, checked, as text.
    pub fn body(
        &self,
        (record, value): (Box<BillingRecord>, Value),
        warnings: &mut Vec<Issue>,
    ) -> Result<PreparedPart, Fault> {
        let body = match self.form {
            Form::X12(mapping) => self.transaction(mapping, &value, warnings)?,
            Form::Document(mapping) => self.document(mapping, &value, warnings)?,
            Form::Bundle => pas::bundle(self.resources, &record, self.known).to_string(),
        };
        Ok(PreparedPart { record, value, body })
    }

    /// The transaction set's loops, checked against the guide.
    fn transaction(
        &self,
        mapping: &TransactionMapping,
        value: &Value,
        warnings: &mut Vec<Issue>,
    ) -> Result<String, Fault> {
        let guide = &mapping.guide;
        let (mut node, mut issues) = mapping.make_with(value, &self.scope(), &self.profile.delimiters);
        build::arrange(guide, &mut node);
        if self.profile.character_set == CharacterSet::Basic {
            issues.extend(build::basic(guide, &mut node));
        }
        issues.extend(build::check(guide, &node));
        self.clean(value, &issues)?;
        warnings.append(&mut issues);
        let mut body = Vec::with_capacity(4096);
        writer::write_loop(guide, &node, &self.profile.delimiters, &mut body);
        String::from_utf8(body).map_err(|_| Fault::ours(codes::INTERNAL, "the transaction set is not text"))
    }

    fn document(&self, mapping: &DocumentMapping, value: &Value, warnings: &mut Vec<Issue>) -> Result<String, Fault> {
        let (made, mut issues) = mapping.make(value, &self.scope());
        self.clean(value, &issues)?;
        warnings.append(&mut issues);
        Ok(made.to_string())
    }

    /// Complaints about what was made, in the caller's words.
    fn clean(&self, value: &Value, issues: &[Issue]) -> Result<(), Fault> {
        if !any_error(issues) {
            return Ok(());
        }
        let lineage = self.form_lineage(value);
        let issues = issues.iter().cloned().map(|issue| super::translate(issue, &lineage, Place::Record)).collect();
        Err(Fault::caller(self.in_callers_words(issues)))
    }

    /// The lineage of what the record becomes.
    pub fn form_lineage(&self, value: &Value) -> Lineage {
        match self.form {
            Form::X12(mapping) => mapping.lineage(value, &self.scope()),
            Form::Document(mapping) => mapping.lineage(value, &self.scope()),
            Form::Bundle => self.record_mapping.lineage(self.resources.focal(), &self.scope()),
        }
    }
}
