//! Scrubbing: the rules that a claim must pass before it leaves (SNIP 3, 4, 5 and 7 as far as the billing record tells).
//! Each rule is a row of [`EDITS`]; adding one is adding a row, and a case. Rules never change the claim, and all of them
//! speak: the one who mends it must see everything at once.

mod amounts;
mod code_sets;
mod coding;
mod conflicts;
mod coverage;
mod dates;
mod dental;
mod institutional;
mod limits;
mod parties;
pub mod repairs;
mod situations;
pub mod tables;
#[cfg(test)]
mod tests;

use crate::billing::record::BillingRecord;
use crate::fault::{Issue, Place, Severity, codes};
use jiff::civil::Date;
use std::fmt::Display;
use tables::Tables;

/// One rule.
pub struct Edit {
    /// Its name in documents and tests.
    pub id: &'static str,
    /// The family that it belongs to: a payer profile switches families off by this code.
    pub code: &'static str,
    pub severity: Severity,
    /// What it is for: claims (P professional, I institutional, D dental), A authorizations, E eligibility, S status inquiries.
    pub claims: &'static str,
    /// What is checked.
    pub what: &'static str,
    /// Why: what the payer does otherwise, or the rule of 005010X222A1.
    pub why: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    check: fn(&BillingRecord, &mut Report<'_>),
}

/// What a record is checked with.
#[derive(Clone, Copy)]
pub struct Scrub<'a> {
    /// The day on which the claim is checked.
    pub today: Date,
    /// How severe a rule is to the payer: by its family's code, its name, and its usual severity; `None` when the payer does
    /// not ask for it.
    pub severity: &'a dyn Fn(&str, &str, Severity) -> Option<Severity>,
    /// Codes, or ranges of them, for which the payer wants a prior authorization.
    pub authorization: &'a [String],
    pub tables: &'a Tables,
}

/// What a rule finds.
pub struct Report<'a> {
    pub today: Date,
    pub authorization: &'a [String],
    pub tables: &'a Tables,
    found: Vec<(String, String)>,
}

impl Report<'_> {
    /// The value at a path of the record is not as it should be.
    pub fn add(&mut self, path: impl Display, text: impl Display) {
        self.found.push((path.to_string(), text.to_string()));
    }

    /// As `add`, when the rule does not hold. Given with `format_args!`, path and text cost nothing while it holds.
    pub fn require(&mut self, holds: bool, path: impl Display, text: impl Display) {
        if !holds {
            self.add(path, text);
        }
    }
}

/// Checks a record by every rule that the payer asks for.
pub fn check(record: &BillingRecord, scrub: &Scrub<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let kind = letter(record);
    for edit in EDITS.iter().filter(|edit| edit.claims.contains(kind)) {
        let Some(severity) = (scrub.severity)(edit.code, edit.id, edit.severity) else { continue };
        let found = edit.found(record, scrub).into_iter();
        issues.extend(found.map(|(path, text)| Issue { severity, ..edit.issue(path, text) }));
    }
    issues
}

/// The letter of what is sent: 837P, 837I, 837D, 278, 270, 276.
pub fn letter(record: &BillingRecord) -> char {
    match (record.intent.as_str(), record.claim_type.as_str()) {
        ("preauthorization", _) => 'A',
        ("eligibility", _) => 'E',
        ("statusInquiry", _) => 'S',
        (_, "institutional") => 'I',
        (_, "oral") => 'D',
        _ => 'P',
    }
}

impl Edit {
    /// What the rule says of a record: paths and texts.
    fn found(&self, record: &BillingRecord, scrub: &Scrub<'_>) -> Vec<(String, String)> {
        let Scrub { today, authorization, tables, .. } = *scrub;
        let mut report = Report { today, authorization, tables, found: Vec::new() };
        (self.check)(record, &mut report);
        report.found
    }

    fn issue(&self, path: String, text: String) -> Issue {
        let at = if path.is_empty() { Place::Whole } else { Place::Record(path) };
        Issue { severity: self.severity, code: self.code, at, text, hint: Some(self.mend.to_owned()) }
    }
}

/// Declares the rows: name, family, severity, claims, function; what, why, mend.
macro_rules! edits {
    ($($id:literal $code:ident $severity:ident $claims:literal $check:path, $what:literal, $why:literal, $mend:literal;)*) => {
        /// All rules, by family.
        pub const EDITS: &[Edit] = &[
            $(Edit {
                id: $id,
                code: codes::$code,
                severity: Severity::$severity,
                claims: $claims,
                what: $what,
                why: $why,
                mend: $mend,
                check: $check,
            },)*
        ];
    };
}

edits! {
    "npi-missing" EDIT_NPI Error "PIDAES" parties::billing_npi,
        "the billing provider has an NPI",
        "payers find the provider by it; only providers without health care of their own may send other ids",
        "give the billing provider's identifier with the system http://hl7.org/fhir/sid/us-npi";
    "npi-check-digit" EDIT_NPI Error "PID" parties::npi_check_digits,
        "each NPI has ten digits and the right check digit",
        "a mistyped NPI is rejected by every payer",
        "compare the NPI with the NPPES registry";
    "npi-doubt" EDIT_NPI Warning "AES" parties::npi_check_digits,
        "each NPI of a request has ten digits and the right check digit",
        "payers answer at once that they don't know the provider (AAA 51)",
        "compare the NPI with the NPPES registry";
    "member" EDIT_PARTY Error "A" parties::subscriber,
        "the member's name and id are known",
        "005010X217 2010C NM109",
        "give Coverage.subscriberId, and the subscriber as Patient or RelatedPerson with a name";
    "inquired-member" EDIT_PARTY Error "E" parties::searchable,
        "who is asked about has a member id, or a name and a birth date",
        "005010X279A1: payers look a member up by id, else by name and birth date",
        "give Coverage.subscriberId, or Patient.name and Patient.birthDate";
    "rendering-npi" EDIT_NPI Warning "PID" parties::other_npis,
        "providers beside the billing provider have an NPI",
        "most payers reject a rendering or referring provider without one",
        "give the practitioner's identifier with the system http://hl7.org/fhir/sid/us-npi";
    "total" EDIT_TOTAL Error "PID" amounts::total,
        "the total is the sum of the line charges",
        "005010X222A1 CLM02: the claim must balance (SNIP 3)",
        "correct Claim.total, or leave it out and the sum is taken";
    "amount-range" EDIT_AMOUNT Error "PID" amounts::ranges,
        "charges are not negative, below 100 000 000 and in whole cents",
        "X12 monetary amounts of a claim have at most eight digits before the point",
        "correct the amount; take something back with a replacement or void, not with a negative charge";
    "quantity" EDIT_AMOUNT Error "PID" amounts::quantities,
        "quantities are more than nothing and have at most three decimals",
        "005010X222A1 SV104",
        "correct Claim.item.quantity";
    "diagnosis-missing" EDIT_DIAGNOSIS Error "PID" coding::diagnoses_present,
        "there is a diagnosis, and not more than the claim holds",
        "HI: one to twelve diagnoses in professional claims, 25 in institutional ones, none to four in dental ones",
        "add Claim.diagnosis; put more than fit on a second claim";
    "diagnosis-code" EDIT_DIAGNOSIS Error "PID" coding::diagnosis_codes,
        "diagnosis codes have the form of their code set",
        "payers reject a code that is not in ICD-10-CM (ICD-9-CM before October 2015)",
        "correct the code; it must be complete, to the last character";
    "diagnosis-version" EDIT_DIAGNOSIS Error "PID" coding::diagnosis_version,
        "ICD-10-CM for services from 2015-10-01 on, ICD-9-CM before, never both",
        "HIPAA: the date of service decides on the code set",
        "code the diagnoses in the set of the date of service, or correct the date";
    "diagnosis-twice" EDIT_DIAGNOSIS Warning "PID" coding::diagnosis_twice,
        "each diagnosis stands once",
        "some payers reject repeated codes",
        "name the diagnosis once, and let the lines point to it";
    "pointer" EDIT_POINTER Error "PD" coding::pointers,
        "each line points to one to four diagnoses of the claim (dental lines: to none to four)",
        "005010X222A1 SV107, 005010X224A2 SV311",
        "correct Claim.item.diagnosisSequence; the most important four are enough";
    "procedure-code" EDIT_PROCEDURE Error "PIDA" coding::procedures,
        "procedure codes have the form of CPT, HCPCS, HIPPS or CDT",
        "a malformed code is rejected",
        "use a coding of CPT (five digits, or four and a letter), HCPCS (a letter and four digits) or CDT (D and four digits)";
    "modifier" EDIT_PROCEDURE Error "PIDA" coding::modifiers,
        "modifiers have two characters, and a line has at most four",
        "005010X222A1 SV101-3 to SV101-6",
        "correct Claim.item.modifier";
    "modifier-twice" EDIT_PROCEDURE Warning "PID" coding::modifier_twice,
        "a line has each modifier once",
        "repeated modifiers are denied by many payers",
        "remove the repeated modifier";
    "ndc" EDIT_DRUG Error "PIDA" coding::drugs,
        "drug codes have eleven digits and a quantity",
        "005010X222A1 2410 LIN03, CTP04",
        "write the NDC with hyphens, so that it can be padded to 5-4-2, or with all eleven digits";
    "taxonomy" EDIT_TAXONOMY Warning "PIDA" coding::taxonomies,
        "provider taxonomy codes have ten characters and end in X",
        "005010X222A1 PRV03: payers that use taxonomy look the code up in NUCC's list",
        "compare the code with NUCC's list";
    "place-of-service" EDIT_PLACE_OF_SERVICE Error "PD" coding::places,
        "the claim has a place of service, and all are on CMS' list",
        "005010X222A1 CLM05-1, SV105",
        "give Claim.item.locationCodeableConcept with a CMS place of service code";
    "state" EDIT_ADDRESS Error "PIDAE" parties::states,
        "states exist",
        "N402 and CLM11-4 are checked against the postal list",
        "use the two-letter code of a state or territory";
    "zip" EDIT_ADDRESS Error "PID" parties::zips,
        "ZIP codes have five or nine digits, that of the billing provider nine",
        "005010X222A1 2010AA N403",
        "complete the ZIP code (ZIP+4)";
    "facility-zip" EDIT_ADDRESS Warning "PID" parties::facility_zip,
        "the ZIP code of the place of service has nine digits",
        "005010X222A1 2310C N403",
        "complete the ZIP code (ZIP+4)";
    "address" EDIT_ADDRESS Error "PID" parties::addresses,
        "addresses of billing provider, patient and place of service are complete",
        "005010X222A1: street, city, state and ZIP code are required",
        "complete the address: line, city, state, postalCode";
    "billing-street" EDIT_ADDRESS Warning "PID" parties::billing_street,
        "the billing provider's address is a street address",
        "005010X222A1 2010AA N3: a post office box may stand in the pay-to address only",
        "give the street address with type physical, and the box with type postal";
    "date-order" EDIT_DATE Error "PID" dates::order,
        "dates are in an order that can be: birth, service, today",
        "a claim for the future, or for someone not born or dead, is rejected",
        "correct the date";
    "date-doubt" EDIT_DATE Warning "PID" dates::doubts,
        "onset and accident are not after the last service",
        "payers question such claims",
        "check the date";
    "service-date" EDIT_DATE Error "PD" dates::service_dates,
        "each line has a date of service (but for predeterminations)",
        "005010X222A1 and 005010X224A2 DTP*472",
        "give Claim.item.serviced[x], or Claim.billablePeriod";
    "patient" EDIT_PARTY Error "PID" parties::patient,
        "the patient's name, birth date and sex are known",
        "005010X222A1 2010BA and 2010CA: NM1 and DMG are required of the patient",
        "complete the Patient: name, birthDate, gender (unknown is allowed)";
    "subscriber" EDIT_PARTY Error "PIDS" parties::subscriber,
        "the subscriber's name and member id are known",
        "payers find the member by them",
        "give Coverage.subscriberId, and the subscriber as Patient or RelatedPerson with a name";
    "billing-name" EDIT_PARTY Error "PIDAES" parties::provider_names,
        "providers have names",
        "005010X222A1 NM103",
        "give the name of the Organization or Practitioner";
    "tax-id" EDIT_TAX_ID Error "PID" parties::tax_id,
        "the billing provider has a tax id of nine digits",
        "005010X222A1 2010AA REF*EI or REF*SY: payments are reported by it",
        "give the identifier with type TAX, or system urn:oid:2.16.840.1.113883.4.4";
    "payer-sequence" EDIT_COVERAGE Error "PID" coverage::sequences,
        "no two payers have the same place in line",
        "005010X222A1 SBR01",
        "correct Coverage.order, or Claim.insurance.sequence";
    "filing-indicator" EDIT_COVERAGE Error "PID" coverage::filing_indicators,
        "the kind of insurance is a code of X12's list",
        "005010X222A1 SBR09",
        "give Coverage.type with a coding of https://codesystem.x12.org/005010/1032";
    "filing-unknown" EDIT_COVERAGE Warning "PID" coverage::filing_unknown,
        "the kind of insurance is known",
        "some payers reject ZZ",
        "give Coverage.type";
    "medicare-secondary" EDIT_COVERAGE Warning "P" coverage::medicare_secondary,
        "a claim to Medicare behind another payer says why",
        "005010X222A1 SBR05",
        "give the extension x12-sbr05 on Coverage (12 working aged, 13 ESRD, 47 liability …)";
    "other-payer" EDIT_COVERAGE Error "PID" coverage::payer_ids,
        "other payers have ids, each its own",
        "005010X222A1 2330B NM109: line adjudications refer to it",
        "give the other payer's Organization an identifier of type payerid";
    "earlier-payer" EDIT_COVERAGE Warning "PID" coverage::earlier_payers,
        "a payer asked before this one has decided",
        "a secondary payer pays on the decision of the primary",
        "give Claim.insurance.claimResponse of the earlier payer";
    "cob-balance" EDIT_COB Error "PID" coverage::balance,
        "what another payer paid and adjusted makes up the charge",
        "005010X222A1 1.4.4: claim and lines must balance",
        "correct the other payer's ClaimResponse: payment.amount, adjudication";
    "frequency" EDIT_REPLACEMENT Error "PID" situations::frequency,
        "frequency is 1, 7 or 8 (or one of the type of bill), and a replacement or void names the claim it takes the place of",
        "CLM05-3 and REF*F8",
        "give the payer's number of the earlier claim in Claim.related.reference.value";
    "accident" EDIT_SITUATION Error "PD" situations::accident,
        "an accident has a date, and a car accident a state",
        "005010X222A1 CLM11-4 and DTP*439",
        "give Claim.accident.date, and the state in Claim.accident.locationAddress";
    "admission" EDIT_SITUATION Warning "P" situations::admission,
        "services to inpatients tell the day of admission",
        "005010X222A1 DTP*435: required with place of service 21, 51, 61",
        "give supportingInfo of category hospitalized with a timingPeriod";
    "unlisted" EDIT_SITUATION Warning "PI" situations::unlisted,
        "a code for what is not listed elsewhere is described",
        "005010X222A1 SV101-7: payers deny what they can't price",
        "give productOrService.text, or a note in supportingInfo named by item.informationSequence";
    "minutes" EDIT_SITUATION Warning "P" situations::minutes,
        "minutes are billed for anesthesia only",
        "005010X222A1 SV103: MJ counts minutes, everything else counts units",
        "give the number of units in item.quantity";
    "anesthesia" EDIT_SITUATION Warning "P" situations::anesthesia,
        "anesthesia is billed in minutes",
        "005010X222A1 SV103",
        "give item.quantity in UCUM minutes (code min)";
    "ambulance" EDIT_SITUATION Warning "P" situations::ambulance,
        "a transport tells why, how far, and from where to where",
        "005010X222A1 CR1, CRC*07, 2310E, 2310F",
        "give the extensions x12-cr104, x12-cr106, x12-crc, x12-nm1-pw, x12-nm1-45";
    "attachment" EDIT_SITUATION Error "PIDA" situations::attachments,
        "an attachment that is sent has a control number",
        "005010X222A1 PWK06: the payer finds the document by it",
        "give DocumentReference.identifier, or the PAS extension's controlNumber";
    "note-length" EDIT_SITUATION Warning "PID" situations::notes,
        "notes have at most 80 characters",
        "005010X222A1 NTE02: the rest is not sent",
        "shorten the note, or attach a document";
    "claim-number" EDIT_CLAIM Error "PID" situations::claim_number,
        "the claim's number has 1 to 38 printable characters",
        "005010X222A1 CLM01: it comes back in every answer",
        "give Claim.identifier a value of at most 38 characters";
    "claim-number-length" EDIT_CLAIM Warning "PID" situations::claim_number_length,
        "the claim's number has at most 20 characters",
        "payers need not return more",
        "give a shorter Claim.identifier";
    "lines" EDIT_CLAIM Error "PID" situations::lines,
        "there is at least one line",
        "005010X222A1 loop 2400",
        "add Claim.item";
    "line-twice" EDIT_CLAIM Warning "PID" situations::line_twice,
        "no two lines are the same",
        "payers deny the second as a duplicate",
        "raise the quantity, or tell the lines apart by a modifier";
    "claim-type" EDIT_CLAIM Warning "PD" situations::claim_type,
        "the lines are of the claim's type",
        "revenue codes belong to institutional claims (837I) and are not sent in others",
        "correct Claim.type, or leave Claim.item.revenue out";
    "type-of-bill" EDIT_INSTITUTIONAL Error "I" institutional::type_of_bill,
        "the type of bill is on NUBC's list",
        "005010X223A2 CLM05: facility, classification and frequency decide how the claim is paid",
        "give supportingInfo of category typeofbill with four digits, such as 0111 or 0131";
    "revenue-code" EDIT_INSTITUTIONAL Error "I" institutional::revenue_codes,
        "each line has a revenue code of four digits, and none is the total (0001)",
        "005010X223A2 SV201",
        "give Claim.item.revenue with a code of https://www.nubc.org/CodeSystem/RevenueCodes";
    "attending" EDIT_INSTITUTIONAL Error "I" institutional::attending,
        "the attending provider is known, and is a person",
        "005010X223A2 2310A: required but for transports",
        "give Claim.careTeam with the role attending, or the encounter's participant of type ATND";
    "billing-organization" EDIT_INSTITUTIONAL Error "I" institutional::billing_organization,
        "an organization bills, with an employer id",
        "005010X223A2 2010AA NM102 and REF*EI",
        "name the Organization in Claim.provider, with its identifier of type TAX";
    "admission-type" EDIT_INSTITUTIONAL Error "I" institutional::admission_type,
        "the type of admission and the patient's status are codes of NUBC",
        "005010X223A2 CL101 and CL103",
        "give supportingInfo of categories admtype and discharge-status";
    "inpatient" EDIT_INSTITUTIONAL Error "I" institutional::inpatient,
        "an inpatient claim tells the admission and its diagnosis",
        "005010X223A2 DTP*435 and HI*ABJ",
        "give supportingInfo of category admissionperiod, and a diagnosis of type admitting";
    "inpatient-doubt" EDIT_INSTITUTIONAL Warning "I" institutional::inpatient_doubts,
        "an inpatient claim tells the point of origin, the discharge hour, and what was present on admission",
        "005010X223A2 CL102, DTP*096, HI: payers that pay by DRG ask for them",
        "give supportingInfo pointoforigin, the end of admissionperiod with its time, and diagnosis.onAdmission";
    "drg" EDIT_INSTITUTIONAL Error "I" institutional::drg,
        "a DRG has three or four digits",
        "005010X223A2 HI*DR",
        "correct supportingInfo of category drg";
    "inpatient-procedure" EDIT_INSTITUTIONAL Error "I" institutional::procedures,
        "inpatient procedures have the form of their code set and a date, and are at most 25",
        "005010X223A2 HI*BBR and HI*BBQ",
        "give Claim.procedure with a code of ICD-10-PCS and a date";
    "statement-period" EDIT_INSTITUTIONAL Error "I" institutional::statement_period,
        "the statement period is known, in order and not in the future",
        "005010X223A2 DTP*434",
        "give Claim.billablePeriod";
    "outside-period" EDIT_INSTITUTIONAL Warning "I" institutional::outside_period,
        "services lie in the statement period",
        "payers reject lines outside of it",
        "correct Claim.billablePeriod or Claim.item.serviced[x]";
    "bill-codes" EDIT_INSTITUTIONAL Error "I" institutional::codes,
        "occurrence, span, value and condition codes have two characters and what belongs to them, at most 24 of each",
        "005010X223A2 HI*BH, HI*BI, HI*BE, HI*BG",
        "give supportingInfo.timing[x] with occurrences and spans, valueQuantity with values";
    "tooth" EDIT_DENTAL Error "D" dental::teeth,
        "teeth are those of the universal designation, their surfaces B, D, F, I, L, M, O",
        "005010X224A2 TOO and DN2",
        "use codes of ADAUniversalToothDesignationSystem in bodySite and of ADAToothSurfaceCodes in subSite";
    "tooth-missing" EDIT_DENTAL Warning "D" dental::tooth_missing,
        "a procedure on one tooth names it",
        "005010X224A2 TOO: fillings, crowns, root canals and extractions are denied without it",
        "give Claim.item.bodySite";
    "oral-cavity" EDIT_DENTAL Error "D" dental::oral_cavities,
        "areas of the mouth are on ADA's list, at most five",
        "005010X224A2 SV304",
        "use codes of ADAAreaOralCavitySystem: 00, 01, 02, 10, 20, 30, 40";
    "prosthesis" EDIT_DENTAL Error "D" dental::prostheses,
        "the replacement of a prosthesis tells when the one before was placed",
        "005010X224A2 SV305 and DTP*441",
        "give supportingInfo of category prosthesis with a date, named by item.informationSequence";
    "orthodontics" EDIT_DENTAL Warning "D" dental::orthodontics,
        "orthodontic treatment tells its months",
        "005010X224A2 DN1",
        "give the extensions x12-dn101 and x12-dn102";
    "sex-diagnosis" EDIT_CONFLICT Warning "PID" conflicts::sex_and_diagnoses,
        "diagnoses fit the patient's sex",
        "payers deny pregnancies of men; condition code 45 says that it was looked at",
        "correct Patient.gender or the diagnosis, or give condition code 45 in supportingInfo";
    "sex-procedure" EDIT_CONFLICT Warning "PI" conflicts::sex_and_procedures,
        "procedures fit the patient's sex",
        "payers deny operations on organs of the other sex; modifier KX or condition code 45 says that it was looked at",
        "correct Patient.gender or the procedure, or give modifier KX";
    "age-diagnosis" EDIT_CONFLICT Warning "PID" conflicts::age_and_diagnoses,
        "diagnoses fit the patient's age",
        "payers deny a newborn's diagnosis of a grown-up",
        "check Patient.birthDate and the diagnosis";
    "age-procedure" EDIT_CONFLICT Warning "PI" conflicts::age_and_procedures,
        "preventive visits and intensive care are those of the patient's age",
        "CPT has a code for each age, and payers deny the others",
        "check Patient.birthDate, or take the code of the age";
    "modifier-conflict" EDIT_PROCEDURE Warning "PID" conflicts::modifiers,
        "modifiers of a line don't exclude one another",
        "a line is left, right or both; the whole service has neither 26 nor TC",
        "split the line, or remove one of the modifiers";
    "units-whole" EDIT_UNITS Warning "PI" limits::whole_units,
        "services are counted in whole units",
        "payers round parts of a unit down, or reject the line",
        "round item.quantity as the code's text says";
    "units-once" EDIT_UNITS Warning "PI" limits::one_unit,
        "a visit takes place once a day, and a bilateral service is one unit",
        "payers deny the second unit",
        "correct item.quantity, or give the days in item.servicedPeriod";
    "unit-limit" EDIT_UNITS Error "PI" limits::unit_limits,
        "units are within CMS' limits (medically unlikely edits), when their table is in codes_dir",
        "payers that keep the limits deny the line",
        "correct item.quantity";
    "code-pair" EDIT_PROCEDURE Error "PI" limits::pairs,
        "no service is part of another of the same day (NCCI), when the table of pairs is in codes_dir",
        "payers that keep the pairs pay the first code only",
        "remove the line, or tell the services apart by a modifier (59, XE, XS …) where the table allows it";
    "code-validity" EDIT_PROCEDURE Error "PID" limits::validity,
        "codes are on their list on the day of service, when the list is in codes_dir",
        "payers reject codes that are not in force",
        "take the code of the year of service";
    "authorization" EDIT_AUTHORIZATION Error "PID" limits::authorization,
        "services that the payer's profile names have a prior authorization",
        "the payer denies them without one",
        "give Claim.insurance.preAuthRef, or the extension x12-ref-g1 on the item";
}
