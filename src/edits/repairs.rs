//! Repairs: what is written in another way than payers read it, and can mean one thing only, is written their way before the
//! rules look at it. Nothing clinical is touched. Each repair is told, by its name and place, never by its value.

use super::parties::{At, BILLING, FACILITY, LINES};
use crate::billing::record::{Address, BillingRecord, Party};
use crate::fault::{Issue, Place, Severity, codes};
use std::fmt::{self, Display, Formatter};

/// One kind of repair.
pub struct Repair {
    /// Its name in documents, tests and journeys.
    pub id: &'static str,
    /// What is done.
    pub what: &'static str,
    run: fn(&mut BillingRecord, &mut Vec<String>),
}

/// All repairs, in the order in which they are done.
pub const REPAIRS: &[Repair] = &[
    Repair {
        id: "blanks",
        what: "blanks at the ends and double ones are taken out of names, addresses and ids",
        run: blanks,
    },
    Repair { id: "capitals", what: "codes, modifiers, states and taxonomies are written in capitals", run: capitals },
    Repair { id: "digits", what: "NPIs, tax ids and telephone numbers keep their digits alone", run: digits },
    Repair { id: "dots", what: "diagnosis and procedure codes lose their dots", run: dots },
    Repair { id: "width", what: "revenue codes get four digits, places of service two, by zeros in front", run: width },
    Repair {
        id: "zip-zero",
        what: "a ZIP code of four or eight digits has lost its zero in front, in the states where ZIP codes begin with one",
        run: zip_zero,
    },
    Repair {
        id: "zip-plus-four",
        what: "the ZIP codes of billing provider and place of service get nine digits: 9998 where the last four are not known",
        run: zip_plus_four,
    },
];

/// Repairs a record; what was done is told as notes at places of the record.
pub fn repair(record: &mut BillingRecord) -> Vec<Issue> {
    let mut notes = Vec::new();
    for repair in REPAIRS {
        let mut paths = Vec::new();
        (repair.run)(record, &mut paths);
        notes.extend(paths.into_iter().map(|path| Issue {
            severity: Severity::Information,
            code: codes::REPAIRED,
            at: Place::Record(path),
            text: format!("{}: {}", repair.id, repair.what),
            hint: None,
        }));
    }
    notes
}

/// Writes a text anew; `how` gives nothing where it is right as it stands.
fn rewrite(
    text: &mut String,
    path: impl FnOnce() -> String,
    done: &mut Vec<String>,
    how: impl Fn(&str) -> Option<String>,
) {
    if let Some(new) = how(text).filter(|new| new != text && !new.is_empty()) {
        *text = new;
        done.push(path());
    }
}

fn rewrite_some(
    text: &mut Option<String>,
    path: impl FnOnce() -> String,
    done: &mut Vec<String>,
    how: impl Fn(&str) -> Option<String>,
) {
    if let Some(text) = text {
        rewrite(text, path, done, how);
    }
}

/// Every party of the record, with its path.
fn parties(record: &mut BillingRecord) -> Vec<(At, &mut Party)> {
    let mut found = vec![
        (At::whole(BILLING), &mut record.billing_provider),
        (At::whole("subscriber"), &mut record.subscriber),
        (At::whole("patient"), &mut record.patient),
    ];
    let referring = record.referring_providers.iter_mut().enumerate();
    found.extend(referring.map(|(n, party)| (At { index: Some(n), ..At::whole("referringProviders") }, party)));
    let single = [
        ("renderingProvider", &mut record.rendering_provider),
        (FACILITY, &mut record.service_facility),
        ("supervisingProvider", &mut record.supervising_provider),
        ("attendingProvider", &mut record.attending_provider),
        ("operatingPhysician", &mut record.operating_physician),
        ("otherOperatingPhysician", &mut record.other_operating_physician),
        ("assistantSurgeon", &mut record.assistant_surgeon),
    ];
    found.extend(single.into_iter().filter_map(|(name, party)| Some((At::whole(name), party.as_mut()?))));
    for (n, line) in record.service_lines.iter_mut().enumerate() {
        let single = [
            ("renderingProvider", &mut line.rendering_provider),
            (FACILITY, &mut line.service_facility),
            ("supervisingProvider", &mut line.supervising_provider),
            ("orderingProvider", &mut line.ordering_provider),
        ];
        let at = |name| At { within: Some((LINES, n)), ..At::whole(name) };
        found.extend(single.into_iter().filter_map(|(name, party)| Some((at(name), party.as_mut()?))));
    }
    for (n, payer) in record.other_payers.iter_mut().enumerate() {
        let at = At { within: Some(("otherPayers", n)), ..At::whole("subscriber") };
        found.push((at, &mut payer.subscriber));
    }
    found
}

/// Where an address stands: with someone, or by itself.
#[derive(Clone, Copy)]
enum Home {
    Of(At),
    Alone(At),
}

impl Display for Home {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Home::Of(at) => write!(f, "{at}.address"),
            Home::Alone(at) => at.fmt(f),
        }
    }
}

/// Hands over every address of the record, with its place.
fn each_address(record: &mut BillingRecord, mut act: impl FnMut(Home, &mut Address)) {
    for (at, party) in parties(record) {
        if let Some(address) = &mut party.address {
            act(Home::Of(at), address);
        }
    }
    let single =
        [("payToAddress", &mut record.pay_to_address), ("coverage.payerAddress", &mut record.coverage.payer_address)];
    for (name, address) in single.into_iter().filter_map(|(name, address)| Some((name, address.as_mut()?))) {
        act(Home::Alone(At::whole(name)), address);
    }
    for (n, payer) in record.other_payers.iter_mut().enumerate() {
        if let Some(address) = &mut payer.coverage.payer_address {
            let at = At { within: Some(("otherPayers", n)), ..At::whole("coverage.payerAddress") };
            act(Home::Alone(at), address);
        }
    }
}

fn trimmed(text: &str) -> Option<String> {
    let trimmed = text.trim();
    (trimmed.len() < text.len()).then(|| trimmed.to_owned())
}

fn single_blanks(text: &str) -> Option<String> {
    let single = text.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace));
    (!single).then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn capital(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let right = trimmed.len() == text.len() && !text.bytes().any(|byte| byte.is_ascii_lowercase());
    (!right).then(|| trimmed.to_ascii_uppercase())
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits alone, where they are a whole number of its kind.
fn only_digits(text: &str, length: usize) -> Option<String> {
    let digits = || text.bytes().filter(u8::is_ascii_digit);
    (!all_digits(text) && digits().count() == length).then(|| digits().map(char::from).collect())
}

/// Digits with zeros in front.
fn wide(text: &str, width: usize) -> Option<String> {
    (text.len() < width && all_digits(text)).then(|| format!("{text:0>width$}"))
}

fn blanks(record: &mut BillingRecord, done: &mut Vec<String>) {
    rewrite(&mut record.patient_control_number, || "patientControlNumber".into(), done, trimmed);
    rewrite_some(&mut record.prior_authorization, || "priorAuthorization".into(), done, trimmed);
    for (at, party) in parties(record) {
        let fields = [
            ("lastName", &mut party.last_name),
            ("firstName", &mut party.first_name),
            ("middleName", &mut party.middle_name),
            ("memberId", &mut party.member_id),
        ];
        for (field, text) in fields {
            rewrite_some(text, || format!("{at}.{field}"), done, single_blanks);
        }
    }
    each_address(record, |at, address| {
        for (field, text) in [("line1", &mut address.line1), ("line2", &mut address.line2), ("city", &mut address.city)]
        {
            rewrite_some(text, || format!("{at}.{field}"), done, single_blanks);
        }
    });
}

fn capitals(record: &mut BillingRecord, done: &mut Vec<String>) {
    for (n, line) in record.service_lines.iter_mut().enumerate() {
        let Some(code) = &mut line.code else { continue };
        rewrite(&mut code.value, || format!("serviceLines[{n}].code.value"), done, capital);
        for (m, modifier) in code.modifiers.iter_mut().enumerate() {
            rewrite(modifier, || format!("serviceLines[{n}].code.modifiers[{m}]"), done, capital);
        }
    }
    for (at, party) in parties(record) {
        rewrite_some(&mut party.taxonomy, || format!("{at}.taxonomy"), done, capital);
    }
    each_address(record, |at, address| {
        rewrite_some(&mut address.state, || format!("{at}.state"), done, capital);
    });
}

fn digits(record: &mut BillingRecord, done: &mut Vec<String>) {
    for (at, party) in parties(record) {
        let ids = [
            ("npi", &mut party.npi, 10),
            ("employerId", &mut party.employer_id, 9),
            ("socialSecurityNumber", &mut party.social_security_number, 9),
        ];
        for (field, id, length) in ids {
            rewrite_some(id, || format!("{at}.{field}"), done, |text| only_digits(text, length));
        }
        if let Some(contact) = &mut party.contact {
            let path = || format!("{at}.contact.telephone");
            rewrite_some(&mut contact.telephone, path, done, |text| only_digits(text, 10));
        }
    }
}

fn dots(record: &mut BillingRecord, done: &mut Vec<String>) {
    let bare = |text: &str| match text.contains('.') {
        true => Some(text.replace('.', "").trim().to_ascii_uppercase()),
        false => capital(text),
    };
    for (n, diagnosis) in record.diagnoses.iter_mut().enumerate() {
        rewrite(&mut diagnosis.code, || format!("diagnoses[{n}].code"), done, bare);
    }
    let procedures = record.institutional.iter_mut().flat_map(|stay| stay.procedures.iter_mut().enumerate());
    for (n, procedure) in procedures {
        rewrite(&mut procedure.code, || format!("institutional.procedures[{n}].code"), done, bare);
    }
}

fn width(record: &mut BillingRecord, done: &mut Vec<String>) {
    if record.institutional.is_none() {
        rewrite_some(&mut record.place_of_service, || "placeOfService".into(), done, |text| wide(text, 2));
    }
    for (n, line) in record.service_lines.iter_mut().enumerate() {
        rewrite_some(&mut line.revenue_code, || format!("serviceLines[{n}].revenueCode"), done, |text| wide(text, 4));
        let path = || format!("serviceLines[{n}].placeOfService");
        rewrite_some(&mut line.place_of_service, path, done, |text| wide(text, 2));
    }
}

/// States whose ZIP codes begin with 0 (USPS Publication 65; AE is the armed forces in Europe).
const ZERO_STATES: &[&str] = &["AE", "CT", "MA", "ME", "NH", "NJ", "PR", "RI", "VI", "VT"];

/// Elsewhere four digits are another mistake, which is left to the edit.
fn zip_zero(record: &mut BillingRecord, done: &mut Vec<String>) {
    let lost = |text: &str| (matches!(text.len(), 4 | 8) && all_digits(text)).then(|| format!("0{text}"));
    each_address(record, |at, address| {
        if address.state.as_deref().is_some_and(|state| ZERO_STATES.contains(&state)) {
            zip(at, address, done, lost);
        }
    });
}

/// ZIP+4 of a place that is not told more exactly.
const NOT_KNOWN: &str = "9998";

fn zip_plus_four(record: &mut BillingRecord, done: &mut Vec<String>) {
    let five = |text: &str| (text.len() == 5 && all_digits(text)).then(|| format!("{text}{NOT_KNOWN}"));
    each_address(record, |at, address| {
        if matches!(at, Home::Of(at) if matches!(at.name, BILLING | FACILITY)) {
            zip(at, address, done, five);
        }
    });
}

/// Rewrites the ZIP code of an address in the United States.
fn zip(at: Home, address: &mut Address, done: &mut Vec<String>, how: impl Fn(&str) -> Option<String>) {
    if address.country.is_none() {
        rewrite_some(&mut address.postal_code, || format!("{at}.postalCode"), done, how);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edits::tests::good;
    use std::collections::BTreeSet;

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    fn in_state(state: &str, zip: &str) -> Address {
        Address { state: text(state), postal_code: text(zip), ..Default::default() }
    }

    type Breaking = fn(&mut BillingRecord);
    /// Repair, what makes it necessary, where it is done.
    const CASES: &[(&str, Breaking, &str)] = &[
        ("blanks", |r| r.patient.last_name = text("  DE  LA CRUZ "), "patient.lastName"),
        (
            "capitals",
            |r| r.service_lines[0].code.as_mut().unwrap().value = "j3301".into(),
            "serviceLines[0].code.value",
        ),
        ("digits", |r| r.billing_provider.employer_id = text("58-7654321"), "billingProvider.employerId"),
        ("dots", |r| r.diagnoses[0].code = "j02.0".into(), "diagnoses[0].code"),
        ("width", |r| r.place_of_service = text("2"), "placeOfService"),
        (
            "zip-zero",
            |r| {
                let address = r.subscriber.address.as_mut().unwrap();
                (address.state, address.postal_code) = (text("MA"), text("2134"));
            },
            "subscriber.address.postalCode",
        ),
        ("zip-zero", |r| r.coverage.payer_address = Some(in_state("VT", "5401")), "coverage.payerAddress.postalCode"),
        (
            "zip-plus-four",
            |r| r.billing_provider.address.as_mut().unwrap().postal_code = text("33111"),
            "billingProvider.address.postalCode",
        ),
    ];

    #[test]
    fn a_short_zip_gets_a_zero_only_where_zips_begin_with_one() {
        for (state, zip, expected) in [
            ("CA", "9021", "9021"),
            ("NY", "1000", "1000"),
            ("NJ", "7030", "07030"),
            ("PR", "9011234", "9011234"),
            ("PR", "90112345", "090112345"),
        ] {
            let mut record = good();
            record.coverage.payer_address = Some(in_state(state, zip));
            repair(&mut record);
            assert_eq!(record.coverage.payer_address.unwrap().postal_code.as_deref(), Some(expected), "{state}");
        }
    }

    #[test]
    fn each_repair_mends_its_case_and_is_told_without_the_value() {
        let tested: BTreeSet<&str> = CASES.iter().map(|(id, ..)| *id).collect();
        assert_eq!(tested, REPAIRS.iter().map(|repair| repair.id).collect());
        for (id, breaking, path) in CASES {
            let mut record = good();
            breaking(&mut record);
            let notes = repair(&mut record);
            let told: Vec<(&str, String)> =
                notes.iter().map(|note| (note.text.split(':').next().unwrap(), note.at.to_string())).collect();
            assert_eq!(told, [(*id, (*path).to_owned())]);
            assert_eq!(repair(&mut record), [], "{id}: once is enough");
        }
    }

    #[test]
    fn what_is_right_or_means_two_things_is_left_alone() {
        let mut record = good();
        record.billing_provider.npi = text("12345");
        record.subscriber.address.as_mut().unwrap().postal_code = text("334");
        let before = record.clone();
        assert_eq!(repair(&mut record), []);
        assert_eq!(record, before);
    }
}
