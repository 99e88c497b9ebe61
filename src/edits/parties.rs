//! Rules about people, organizations and their addresses.

use super::Report;
use super::code_sets::is_state;
use crate::billing::record::{Address, BillingRecord, Party};
use crate::code_forms::{is_digits, is_npi};
use std::fmt::{self, Arguments, Display, Formatter};

/// Where in the record someone stands: `serviceLines[2].referringProviders[0]`. Written out only when it is named.
#[derive(Clone, Copy)]
pub struct At {
    /// The list around, and the place in it.
    pub within: Option<(&'static str, usize)>,
    pub name: &'static str,
    pub index: Option<usize>,
}

impl At {
    /// Someone of the claim as a whole.
    pub fn whole(name: &'static str) -> At {
        At { within: None, name, index: None }
    }
}

impl Display for At {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some((list, n)) = self.within {
            write!(f, "{list}[{n}].")?;
        }
        f.write_str(self.name)?;
        self.index.map_or(Ok(()), |index| write!(f, "[{index}]"))
    }
}

/// Every provider of the record with its path.
pub fn providers(record: &BillingRecord) -> Vec<(At, &Party)> {
    let mut found = vec![(At::whole(BILLING), &record.billing_provider)];
    listed(&mut found, None, "referringProviders", &record.referring_providers);
    named(&mut found, None, "renderingProvider", &record.rendering_provider);
    named(&mut found, None, FACILITY, &record.service_facility);
    named(&mut found, None, "supervisingProvider", &record.supervising_provider);
    named(&mut found, None, "attendingProvider", &record.attending_provider);
    named(&mut found, None, "operatingPhysician", &record.operating_physician);
    named(&mut found, None, "otherOperatingPhysician", &record.other_operating_physician);
    named(&mut found, None, "assistantSurgeon", &record.assistant_surgeon);
    for (n, line) in record.service_lines.iter().enumerate() {
        let at = Some((LINES, n));
        named(&mut found, at, "renderingProvider", &line.rendering_provider);
        named(&mut found, at, "purchasedServiceProvider", &line.purchased_service_provider);
        named(&mut found, at, FACILITY, &line.service_facility);
        named(&mut found, at, "supervisingProvider", &line.supervising_provider);
        named(&mut found, at, "orderingProvider", &line.ordering_provider);
        listed(&mut found, at, "referringProviders", &line.referring_providers);
        named(&mut found, at, "operatingPhysician", &line.operating_physician);
        named(&mut found, at, "otherOperatingPhysician", &line.other_operating_physician);
        named(&mut found, at, "assistantSurgeon", &line.assistant_surgeon);
    }
    found
}

pub const BILLING: &str = "billingProvider";
pub const FACILITY: &str = "serviceFacility";
pub const LINES: &str = "serviceLines";

type Within = Option<(&'static str, usize)>;

fn named<'a>(found: &mut Vec<(At, &'a Party)>, within: Within, name: &'static str, party: &'a Option<Party>) {
    found.extend(party.iter().map(|party| (At { within, name, index: None }, party)));
}

fn listed<'a>(found: &mut Vec<(At, &'a Party)>, within: Within, name: &'static str, parties: &'a [Party]) {
    found.extend(parties.iter().enumerate().map(|(n, party)| (At { within, name, index: Some(n) }, party)));
}

/// Visits every address that is sent, with its path.
fn sent_addresses(record: &BillingRecord, visit: &mut dyn FnMut(Arguments<'_>, &Address)) {
    for (at, party) in providers(record) {
        party.address.iter().for_each(|address| visit(format_args!("{at}.address"), address));
    }
    let patient = record.patient.address.as_ref().filter(|_| !record.patient_is_subscriber);
    let single = [
        ("subscriber.address", record.subscriber.address.as_ref()),
        ("patient.address", patient),
        ("payToAddress", record.pay_to_address.as_ref()),
        ("coverage.payerAddress", record.coverage.payer_address.as_ref()),
    ];
    for (path, address) in single {
        address.into_iter().for_each(|address| visit(format_args!("{path}"), address));
    }
    for (n, payer) in record.other_payers.iter().enumerate() {
        let subscriber = payer.subscriber.address.iter();
        subscriber.for_each(|address| visit(format_args!("otherPayers[{n}].subscriber.address"), address));
        let own = payer.coverage.payer_address.iter();
        own.for_each(|address| visit(format_args!("otherPayers[{n}].coverage.payerAddress"), address));
    }
}

pub fn billing_npi(record: &BillingRecord, report: &mut Report<'_>) {
    let party = &record.billing_provider;
    let known = party.npi.is_some() || !party.secondary_ids.is_empty();
    report.require(known, "billingProvider.npi", "the billing provider has no NPI");
}

pub fn npi_check_digits(record: &BillingRecord, report: &mut Report<'_>) {
    for (path, party) in providers(record) {
        if let Some(npi) = party.npi.as_deref().filter(|npi| !is_npi(npi)) {
            report.add(format!("{path}.npi"), format!("`{npi}` is no NPI: its check digit or length is wrong"));
        }
    }
}

pub fn other_npis(record: &BillingRecord, report: &mut Report<'_>) {
    for (path, party) in providers(record).into_iter().skip(1).filter(|(path, _)| path.name != FACILITY) {
        if party.npi.is_none() && party.secondary_ids.is_empty() {
            report.add(format_args!("{path}.npi"), format_args!("{} has no NPI", shown(party)));
        }
    }
}

fn shown(party: &Party) -> String {
    party.last_name.as_ref().map_or_else(|| "a provider".to_owned(), |name| format!("the provider {name}"))
}

pub fn provider_names(record: &BillingRecord, report: &mut Report<'_>) {
    for (path, party) in providers(record) {
        report.require(party.last_name.is_some(), format_args!("{path}.lastName"), "a provider has no name");
    }
}

pub fn states(record: &BillingRecord, report: &mut Report<'_>) {
    sent_addresses(record, &mut |path, address| {
        let american = address.country.as_deref().is_none_or(|country| country == "CA");
        if let Some(state) = address.state.as_deref().filter(|state| american && !is_state(state)) {
            report.add(format!("{path}.state"), format!("`{state}` is no state"));
        }
    });
    if let Some(state) = record.accident_state.as_deref().filter(|state| !is_state(state)) {
        report.add("accidentState", format!("`{state}` is no state"));
    }
}

pub fn zips(record: &BillingRecord, report: &mut Report<'_>) {
    let billing = record.billing_provider.address.as_ref();
    sent_addresses(record, &mut |path, address| {
        let Some(zip) = address.postal_code.as_deref().filter(|_| address.country.is_none()) else { return };
        if is_digits(zip, 5) && billing.is_some_and(|billing| std::ptr::eq(billing, address)) {
            report.add(
                format!("{path}.postalCode"),
                format!("the ZIP code {zip} of the billing provider has not nine digits"),
            );
        } else if !is_digits(zip, 5) && !is_digits(zip, 9) {
            report.add(format!("{path}.postalCode"), format!("`{zip}` is no ZIP code"));
        }
    });
}

pub fn facility_zip(record: &BillingRecord, report: &mut Report<'_>) {
    let facilities = providers(record).into_iter().filter(|(path, _)| path.name == FACILITY);
    for (path, address) in facilities.filter_map(|(path, party)| Some((path, party.address.as_ref()?))) {
        if let Some(zip) = address.postal_code.as_deref().filter(|zip| address.country.is_none() && is_digits(zip, 5)) {
            report.add(format!("{path}.address.postalCode"), format!("the ZIP code {zip} has not nine digits"));
        }
    }
}

pub fn addresses(record: &BillingRecord, report: &mut Report<'_>) {
    complete(report, "billingProvider.address", "the billing provider", record.billing_provider.address.as_ref());
    let (path, patient) = match record.patient_is_subscriber {
        true => ("subscriber.address", &record.subscriber),
        false => ("patient.address", &record.patient),
    };
    complete(report, path, "the patient", patient.address.as_ref());
    for (path, party) in providers(record).into_iter().filter(|(path, _)| path.name == FACILITY) {
        complete(report, &format!("{path}.address"), "the place of service", party.address.as_ref());
    }
}

fn complete(report: &mut Report<'_>, path: &str, whose: &str, address: Option<&Address>) {
    let Some(address) = address else { return report.add(path, format!("the address of {whose} is missing")) };
    let domestic = address.country.is_none();
    let parts = [
        ("line1", "street", address.line1.is_some()),
        ("city", "city", address.city.is_some()),
        ("state", "state", !domestic || address.state.is_some()),
        ("postalCode", "ZIP code", !domestic || address.postal_code.is_some()),
    ];
    for (field, name, _) in parts.into_iter().filter(|(.., known)| !known) {
        report.add(format!("{path}.{field}"), format!("the address of {whose} has no {name}"));
    }
}

pub fn billing_street(record: &BillingRecord, report: &mut Report<'_>) {
    let address = record.billing_provider.address.as_ref();
    let Some(line) = address.and_then(|address| address.line1.as_deref()) else { return };
    let letters: String = line.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_uppercase();
    let boxed = ["POBOX", "POSTOFFICEBOX", "LOCKBOX"].iter().any(|start| letters.starts_with(start));
    report.require(!boxed, "billingProvider.address.line1", "the billing provider's address is a post office box");
}

pub fn patient(record: &BillingRecord, report: &mut Report<'_>) {
    let patient = &record.patient;
    report.require(patient.last_name.is_some(), "patient.lastName", "the patient has no name");
    report.require(patient.birth_date.is_some(), "patient.birthDate", "the patient's birth date is missing");
    report.require(patient.sex.is_some(), "patient.sex", "the patient's sex is missing");
}

pub fn subscriber(record: &BillingRecord, report: &mut Report<'_>) {
    let subscriber = &record.subscriber;
    report.require(subscriber.last_name.is_some(), "subscriber.lastName", "the subscriber has no name");
    // An employer is the subscriber of a work accident, and nobody's member.
    let known = subscriber.member_id.is_some() || subscriber.organization;
    report.require(known, "subscriber.memberId", "the subscriber has no member id");
}

/// Someone may be looked for without an id.
pub fn searchable(record: &BillingRecord, report: &mut Report<'_>) {
    let known = record.subscriber.member_id.is_some();
    let named = |party: &Party| party.last_name.is_some() && party.birth_date.is_some();
    let found = known || named(&record.patient) || named(&record.subscriber);
    report.require(found, "subscriber.memberId", "neither a member id nor name and birth date are known");
}

pub fn tax_id(record: &BillingRecord, report: &mut Report<'_>) {
    let provider = &record.billing_provider;
    let ids = [("employerId", &provider.employer_id), ("socialSecurityNumber", &provider.social_security_number)];
    if ids.iter().all(|(_, id)| id.is_none()) {
        report.add("billingProvider.employerId", "the billing provider has no tax id");
    }
    for (field, id) in ids.into_iter().filter_map(|(field, id)| Some((field, id.as_deref()?))) {
        report.require(
            is_digits(id, 9),
            format_args!("billingProvider.{field}"),
            "the tax id of the billing provider has not nine digits",
        );
    }
}
