//! The forms that `codes.rules` may name: those of codes, and those of dates and times.

use crate::code_forms::{
    is_adjustment_reason, is_dental_procedure, is_drg, is_full_zip, is_hipps, is_icd9, is_icd9_procedure, is_icd10,
    is_icd10_procedure, is_local_procedure, is_modifier, is_ndc, is_npi, is_nubc, is_procedure, is_remark, is_revenue,
    is_tax_id, is_taxonomy, is_telephone, is_zip,
};
use crate::x12::build::{is_date, is_time};

/// A name and its form.
type FormRow = (&'static str, fn(&str) -> bool);

/// A name that `codes.rules` may say, and the form.
pub(crate) const FORMS: [FormRow; 24] = [
    ("npi", is_npi),
    ("icd-10-cm", is_icd10),
    ("icd-10-pcs", is_icd10_procedure),
    ("icd-9-cm", is_icd9),
    ("icd-9-procedure", is_icd9_procedure),
    ("procedure", is_any_procedure),
    ("dental", is_dental_procedure),
    ("hipps", is_hipps),
    ("modifier", is_modifier),
    ("ndc", is_ndc),
    ("revenue", is_revenue),
    ("taxonomy", is_taxonomy),
    ("zip", is_zip),
    ("zip-4", is_full_zip),
    ("tax-id", is_tax_id),
    ("telephone", is_telephone),
    ("drg", is_drg),
    ("adjustment-reason", is_adjustment_reason),
    ("remark", is_remark),
    ("nubc", is_nubc),
    ("date", is_full_date),
    ("period", is_period),
    ("date-time", is_date_time),
    ("time", is_time),
];

/// CPT, HCPCS, and what states add to them.
fn is_any_procedure(code: &str) -> bool {
    is_procedure(code) || is_local_procedure(code)
}

/// D8: CCYYMMDD.
pub(crate) fn is_full_date(text: &str) -> bool {
    text.len() == 8 && is_date(text)
}

/// RD8: CCYYMMDD-CCYYMMDD; one day alone, as some write it, is read as it is meant.
pub(crate) fn is_period(text: &str) -> bool {
    text.split_once('-').map_or(is_full_date(text), |(from, to)| is_full_date(from) && is_full_date(to))
}

/// DT: CCYYMMDDHHMM, or with seconds.
pub(crate) fn is_date_time(text: &str) -> bool {
    text.is_char_boundary(8.min(text.len())) && text.len() >= 12 && is_full_date(&text[..8]) && is_time(&text[8..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times() {
        assert!(is_full_date("20240229") && !is_full_date("20250229") && !is_full_date("240229"));
        assert!(is_period("20250301-20250331") && is_period("20250301") && !is_period("20250301-20251301"));
        assert!(is_date_time("202503031430") && !is_date_time("20250303") && !is_date_time("2025é3031430"));
        assert!(FORMS.iter().all(|(name, form)| !name.is_empty() && !form("")));
    }
}
