//! What breaks each rule, and where the rule must speak.

use super::*;

/// Rule, what breaks it, and the path that it must name.
pub const BREAKING: &[(&str, Breaking, &str)] = &[
    ("npi-missing", |r| r.billing_provider.npi = None, "billingProvider.npi"),
    ("npi-check-digit", |r| r.billing_provider.npi = text("1234567890"), "billingProvider.npi"),
    (
        "npi-check-digit",
        |r| r.service_lines[1].ordering_provider = Some(party("X", "1")),
        "serviceLines[1].orderingProvider.npi",
    ),
    ("rendering-npi", |r| r.rendering_provider = Some(Party { npi: None, ..party("X", "") }), "renderingProvider.npi"),
    ("total", |r| r.total_charge = 141.into(), "totalCharge"),
    ("amount-range", |r| r.patient_paid = Some((-1).into()), "patientPaid"),
    ("amount-range", |r| r.service_lines[0].charge = Decimal::new(100_005, 3), "serviceLines[0].charge"),
    ("quantity", |r| r.service_lines[0].quantity = Decimal::ZERO, "serviceLines[0].quantity"),
    ("quantity", |r| r.service_lines[0].quantity = Decimal::new(10_001, 4), "serviceLines[0].quantity"),
    ("diagnosis-missing", |r| r.diagnoses.clear(), "diagnoses"),
    ("diagnosis-code", |r| r.diagnoses[0].code = "7215".into(), "diagnoses[0].code"),
    (
        "diagnosis-version",
        |r| r.service_lines[1].service_date.as_mut().unwrap().start = Some(date(2015, 9, 30)),
        "diagnoses[0].code",
    ),
    (
        "diagnosis-version",
        |r| r.diagnoses[0] = Diagnosis { code: "7215".into(), code_set: "icd9".into(), ..Default::default() },
        "diagnoses[0].code",
    ),
    (
        "diagnosis-version",
        |r| r.diagnoses.push(Diagnosis { code: "7215".into(), code_set: "icd9".into(), ..Default::default() }),
        "diagnoses",
    ),
    ("diagnosis-twice", |r| r.diagnoses.push(r.diagnoses[0].clone()), "diagnoses[1].code"),
    ("pointer", |r| r.service_lines[0].diagnosis_pointers = vec![2], "serviceLines[0].diagnosisPointers"),
    ("pointer", |r| r.service_lines[0].diagnosis_pointers.clear(), "serviceLines[0].diagnosisPointers"),
    ("pointer", |r| r.service_lines[0].diagnosis_pointers = vec![1; 5], "serviceLines[0].diagnosisPointers"),
    (
        "procedure-code",
        |r| r.service_lines[0].code.as_mut().unwrap().value = "D0120A".into(),
        "serviceLines[0].code.value",
    ),
    (
        "modifier",
        |r| r.service_lines[0].code.as_mut().unwrap().modifiers = vec!["2".into()],
        "serviceLines[0].code.modifiers[0]",
    ),
    (
        "modifier",
        |r| {
            r.service_lines[0].code.as_mut().unwrap().modifiers =
                ["25", "26", "27", "28", "29"].map(String::from).into()
        },
        "serviceLines[0].code.modifiers",
    ),
    (
        "modifier-twice",
        |r| r.service_lines[0].code.as_mut().unwrap().modifiers = vec!["25".into(); 2],
        "serviceLines[0].code.modifiers[1]",
    ),
    (
        "ndc",
        |r| {
            r.service_lines[0].drug =
                Some(Drug { national_drug_code: "1".into(), quantity: Decimal::ONE, ..Default::default() })
        },
        "serviceLines[0].drug.nationalDrugCode",
    ),
    (
        "ndc",
        |r| r.service_lines[0].drug = Some(Drug { national_drug_code: "60793070010".into(), ..Default::default() }),
        "serviceLines[0].drug.quantity",
    ),
    ("taxonomy", |r| r.billing_provider.taxonomy = text("207Q"), "billingProvider.taxonomy"),
    ("taxonomy", |r| r.billing_provider.taxonomy = text("203BF0100Y"), "billingProvider.taxonomy"),
    ("place-of-service", |r| r.place_of_service = None, "placeOfService"),
    ("place-of-service", |r| r.place_of_service = text("00"), "placeOfService"),
    ("place-of-service", |r| r.service_lines[1].place_of_service = text("1"), "serviceLines[1].placeOfService"),
    ("state", |r| r.subscriber.address.as_mut().unwrap().state = text("ST"), "subscriber.address.state"),
    ("state", |r| r.accident_state = text("XX"), "accidentState"),
    ("zip", |r| r.billing_provider.address = address("33111"), "billingProvider.address.postalCode"),
    ("zip", |r| r.subscriber.address = address("3341"), "subscriber.address.postalCode"),
    (
        "facility-zip",
        |r| r.service_facility = Some(Party { address: address("33111"), ..party("F", "1234567893") }),
        "serviceFacility.address.postalCode",
    ),
    ("address", |r| r.subscriber.address = None, "subscriber.address"),
    ("address", |r| r.billing_provider.address.as_mut().unwrap().city = None, "billingProvider.address.city"),
    (
        "billing-street",
        |r| r.billing_provider.address.as_mut().unwrap().line1 = text("P.O. Box 1"),
        "billingProvider.address.line1",
    ),
    (
        "date-order",
        |r| r.service_lines[0].service_date.as_mut().unwrap().start = Some(date(2025, 4, 2)),
        "serviceLines[0].serviceDate",
    ),
    (
        "date-order",
        |r| r.service_lines[0].service_date.as_mut().unwrap().end = Some(date(2025, 3, 2)),
        "serviceLines[0].serviceDate",
    ),
    ("date-order", |r| r.patient.birth_date = Some(date(2025, 3, 4)), "patient.birthDate"),
    ("date-order", |r| r.patient_death_date = Some(date(2025, 3, 2)), "patientDeathDate"),
    ("date-doubt", |r| r.onset = Some(date(2025, 3, 4)), "onset"),
    ("service-date", |r| r.service_lines[0].service_date = None, "serviceLines[0].serviceDate"),
    ("patient", |r| r.patient.sex = None, "patient.sex"),
    ("subscriber", |r| r.subscriber.member_id = None, "subscriber.memberId"),
    ("billing-name", |r| r.billing_provider.last_name = None, "billingProvider.lastName"),
    ("tax-id", |r| r.billing_provider.employer_id = None, "billingProvider.employerId"),
    ("tax-id", |r| r.billing_provider.employer_id = text("58-765432"), "billingProvider.employerId"),
    (
        "payer-sequence",
        |r| r.other_payers[0].coverage.payer_sequence = "P".into(),
        "otherPayers[0].coverage.payerSequence",
    ),
    ("filing-indicator", |r| r.coverage.claim_filing_indicator = text("99"), "coverage.claimFilingIndicator"),
    ("filing-unknown", |r| r.coverage.claim_filing_indicator = text("ZZ"), "coverage.claimFilingIndicator"),
    (
        "medicare-secondary",
        |r| {
            r.coverage = cover("T", "M");
            r.coverage.claim_filing_indicator = text("MB");
            r.other_payers.clear()
        },
        "coverage.insuranceType",
    ),
    ("other-payer", |r| r.other_payers[0].coverage.payer_id = String::new(), "otherPayers[0].coverage.payerId"),
    (
        "other-payer",
        |r| r.other_payers.push(OtherPayer { coverage: cover("T", "OTHER"), ..Default::default() }),
        "otherPayers[1].coverage.payerId",
    ),
    ("earlier-payer", |r| r.coverage.payer_sequence = "T".into(), "otherPayers[0].paid"),
    ("cob-balance", |r| r.other_payers[0].paid = Some(100.into()), "otherPayers[0].paid"),
    (
        "cob-balance",
        |r| {
            decided(r, 60, 30);
            r.other_payers[0].adjustments = vec![adjustment(50)]
        },
        "serviceLines[0].adjudications[0].paid",
    ),
    ("frequency", |r| r.frequency_code = "7".into(), "payerClaimControlNumber"),
    ("frequency", |r| r.frequency_code = "2".into(), "frequencyCode"),
    ("accident", |r| r.related_causes = vec!["AA".into()], "accidentState"),
    ("accident", |r| r.related_causes = vec!["OA".into()], "accidentDate"),
    ("admission", |r| r.place_of_service = text("21"), "admission"),
    (
        "unlisted",
        |r| r.service_lines[0].code.as_mut().unwrap().value = "J3490".into(),
        "serviceLines[0].code.description",
    ),
    ("minutes", |r| r.service_lines[0].unit = "MJ".into(), "serviceLines[0].unit"),
    ("anesthesia", |r| r.service_lines[0].code.as_mut().unwrap().value = "00142".into(), "serviceLines[0].unit"),
    ("ambulance", |r| r.service_lines[0].code.as_mut().unwrap().value = "A0427".into(), "serviceLines[0].pickUp"),
    (
        "attachment",
        |r| {
            r.attachments =
                vec![Attachment { report_type: "OZ".into(), transmission: "EL".into(), ..Attachment::default() }]
        },
        "attachments[0].controlNumber",
    ),
    ("note-length", |r| r.notes = vec![Note { code: "ADD".into(), text: "x".repeat(81) }], "notes[0].text"),
    ("claim-number", |r| r.patient_control_number = "9".repeat(39), "patientControlNumber"),
    ("claim-number", |r| r.patient_control_number = String::new(), "patientControlNumber"),
    ("claim-number-length", |r| r.patient_control_number = "9".repeat(21), "patientControlNumber"),
    (
        "lines",
        |r| {
            r.service_lines.clear();
            r.total_charge = 0.into()
        },
        "serviceLines",
    ),
    (
        "line-twice",
        |r| {
            r.service_lines[1] = r.service_lines[0].clone();
            r.total_charge = 200.into()
        },
        "serviceLines[1]",
    ),
    ("claim-type", |r| r.service_lines[1].revenue_code = text("0450"), "serviceLines[1].revenueCode"),
    ("type-of-bill", |r| r.place_of_service = text("99"), "placeOfService"),
    ("type-of-bill", |r| r.frequency_code = "6".into(), "frequencyCode"),
    ("revenue-code", |r| r.service_lines[0].revenue_code = None, "serviceLines[0].revenueCode"),
    ("revenue-code", |r| r.service_lines[1].revenue_code = text("0001"), "serviceLines[1].revenueCode"),
    ("revenue-code", |r| r.service_lines[1].revenue_code = text("120"), "serviceLines[1].revenueCode"),
    ("attending", |r| r.attending_provider = None, "attendingProvider"),
    ("attending", |r| r.attending_provider.as_mut().unwrap().organization = true, "attendingProvider"),
    ("billing-organization", |r| r.billing_provider.organization = false, "billingProvider"),
    ("admission-type", |r| stay(r).admission_type = text("6"), "institutional.admissionType"),
    ("admission-type", |r| stay(r).patient_status = None, "institutional.patientStatus"),
    ("inpatient", |r| r.admission = None, "admission"),
    ("inpatient", |r| stay(r).admitting_diagnosis = None, "institutional.admittingDiagnosis"),
    ("inpatient-doubt", |r| stay(r).point_of_origin = None, "institutional.pointOfOrigin"),
    ("inpatient-doubt", |r| r.discharge = None, "discharge"),
    ("inpatient-doubt", |r| r.diagnoses[0].present_on_admission = None, "diagnoses"),
    ("inpatient-doubt", |r| stay(r).admission_type = text("4"), "institutional.values"),
    ("drg", |r| stay(r).diagnosis_related_group = text("24"), "institutional.diagnosisRelatedGroup"),
    ("inpatient-procedure", |r| stay(r).procedures[0].code = "02703IZ".into(), "institutional.procedures[0].code"),
    ("inpatient-procedure", |r| stay(r).procedures[0].date = None, "institutional.procedures[0].date"),
    ("statement-period", |r| r.statement_period = None, "statementPeriod"),
    ("statement-period", |r| r.statement_period.as_mut().unwrap().end = Some(date(2025, 2, 1)), "statementPeriod"),
    (
        "outside-period",
        |r| r.service_lines[0].service_date = Some(DateRange { start: Some(date(2025, 3, 5)), end: None }),
        "serviceLines[0].serviceDate",
    ),
    ("bill-codes", |r| stay(r).occurrences[0].date = None, "institutional.occurrences[0]"),
    ("bill-codes", |r| r.condition_codes = vec!["9".into()], "conditionCodes[0]"),
    ("bill-codes", |r| stay(r).values = vec![stay(r).values[0].clone(); 25], "institutional.values"),
    ("tooth", |r| r.service_lines[0].dental.as_mut().unwrap().teeth[0].number = "33".into(), TOOTH_NUMBER),
    (
        "tooth",
        |r| r.service_lines[0].dental.as_mut().unwrap().teeth[0].surfaces = vec!["X".into()],
        "serviceLines[0].dental.teeth[0].surfaces[0]",
    ),
    ("tooth-missing", |r| r.service_lines[0].dental = None, "serviceLines[0].code.value"),
    (
        "oral-cavity",
        |r| r.service_lines[0].dental.as_mut().unwrap().oral_cavities = vec!["C1".into()],
        "serviceLines[0].dental.oralCavities[0]",
    ),
    (
        "prosthesis",
        |r| r.service_lines[0].dental.as_mut().unwrap().prosthesis = text("R"),
        "serviceLines[0].dental.priorPlacement",
    ),
    ("sex-diagnosis", |r| r.diagnoses[0].code = "N401".into(), "diagnoses[0].code"),
    (
        "sex-procedure",
        |r| r.service_lines[0].code.as_mut().unwrap().value = "55700".into(),
        "serviceLines[0].code.value",
    ),
    ("age-diagnosis", |r| r.diagnoses[0].code = "Z00129".into(), "diagnoses[0].code"),
    (
        "age-procedure",
        |r| r.service_lines[0].code.as_mut().unwrap().value = "99391".into(),
        "serviceLines[0].code.value",
    ),
    (
        "modifier-conflict",
        |r| r.service_lines[0].code.as_mut().unwrap().modifiers = ["LT", "RT"].map(String::from).into(),
        "serviceLines[0].code.modifiers",
    ),
    ("units-whole", |r| r.service_lines[0].quantity = Decimal::new(15, 1), "serviceLines[0].quantity"),
    ("units-once", |r| r.service_lines[0].quantity = 2.into(), "serviceLines[0].quantity"),
    (
        "unit-limit",
        |r| r.service_lines.iter_mut().for_each(|line| line.code.as_mut().unwrap().value = "99214".into()),
        "serviceLines[0].quantity",
    ),
    ("code-pair", |r| r.service_lines[1].code.as_mut().unwrap().value = "87430".into(), "serviceLines[1].code.value"),
    (
        "code-validity",
        |r| r.service_lines[0].code.as_mut().unwrap().value = "J3301".into(),
        "serviceLines[0].code.value",
    ),
    (
        "authorization",
        |r| r.service_lines[0].code.as_mut().unwrap().value = "70460".into(),
        "serviceLines[0].priorAuthorizations",
    ),
    ("npi-doubt", |r| r.billing_provider.npi = text("1234567890"), "billingProvider.npi"),
    ("member", |r| r.subscriber.member_id = None, "subscriber.memberId"),
    (
        "inquired-member",
        |r| {
            r.subscriber.member_id = None;
            (r.subscriber.birth_date, r.patient.birth_date) = (None, None);
        },
        "subscriber.memberId",
    ),
    ("orthodontics", |r| r.service_lines[0].code.as_mut().unwrap().value = "D8080".into(), "dental.orthodontics"),
];
