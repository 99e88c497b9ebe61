//! Why a fact of the original claim may be missing in ours, or one of ours in the original. A pattern is the beginning of a
//! place (`2400[1]` stands for every line); the first that fits explains it.

/// Facts of the original that its bundle does not hold: FHIR and the conventions have no place for them.
pub const MISSING: &[(&str, &str)] = &[
    ("2010AA PER*02", "the contact's name and extension have no place in Organization.telecom"),
    ("2010AA PER*EX", "the bundle's telephone numbers have no extension"),
    ("2010AA REF*0B", "licence numbers are only sent without an NPI"),
    ("2010AA REF*1G", "UPIN is gone"),
    ("2010AC", "pay-to plans are for subrogation"),
    ("2000B SBR*04", "the bundle has no class with the group's name"),
    ("2000B SBR*03", "the bundle has no class of type group"),
    ("2000B PAT*", "weight and pregnancy are not in the bundle"),
    ("2000C PAT*06", "the date of death is not in the bundle"),
    ("2000C PAT*08", "the weight is not in the bundle"),
    ("2000C PAT*09", "pregnancy is not in the bundle"),
    ("2010BA REF*", "the subscriber's other numbers are not in the bundle"),
    ("2010BB REF*", "the payer's other numbers are not in the bundle"),
    ("2010BB N4", "an address without a street is not in the bundle"),
    ("2010CA REF*", "the number of the accident claim is not in the bundle"),
    ("2300 CLM*12", "special programs are not in the bundle"),
    ("2300 CLM*20", "the reason for a delay is not in the bundle"),
    ("2300 DTP*454", "initial treatment is not in the bundle"),
    ("2300 DTP*304", "last seen is not in the bundle"),
    ("2300 DTP*453", "acute manifestation is not in the bundle"),
    ("2300 DTP*439", "an accident without a cause is not in the bundle"),
    ("2300 DTP*484", "last menstrual period is not in the bundle"),
    ("2300 DTP*455", "last X-ray is not in the bundle"),
    ("2300 DTP*471", "prescription date is not in the bundle"),
    ("2300 DTP*090", "assumed care is not in the bundle"),
    ("2300 DTP*091", "relinquished care is not in the bundle"),
    ("2300 DTP*050", "repricer dates are not in the bundle"),
    ("2300 AMT*F5", "what the patient paid is not in the bundle"),
    ("2300 REF*4N", "not in the bundle"),
    ("2300 REF*F5", "not in the bundle"),
    ("2300 REF*EW", "not in the bundle"),
    ("2300 REF*9A", "repricers' numbers are not in the bundle"),
    ("2300 REF*9C", "repricers' numbers are not in the bundle"),
    ("2300 REF*LX", "not in the bundle"),
    ("2300 REF*D9", "our own trace number stands there"),
    ("2300 REF*P4", "not in the bundle"),
    ("2300 REF*1J", "not in the bundle"),
    ("2300 REF*F8", "the bundle has no related claim"),
    ("2300 CLM*09", "release of information is not in the bundle: the payer's default"),
    ("2300 CLM*10", "the source of the signature is not in the bundle"),
    ("2300 CR2", "not in the bundle"),
    ("2300 HI*BP", "the line is not anesthesia"),
    ("2310A[1] REF*", "old ids are only sent without an NPI"),
    ("2310B[1] REF*", "old ids are only sent without an NPI"),
    ("2310C[1] REF*", "old ids are only sent without an NPI"),
    ("2310D[1] REF*", "old ids are only sent without an NPI"),
    ("2320[1] SBR*03", "the other coverage has no class in the bundle"),
    ("2320[1] SBR*04", "the other coverage has no class in the bundle"),
    ("2320[1] AMT*A8", "the other payer has decided, so that nothing is left uncovered by law"),
    ("2320[1] OI*04", "not in the bundle"),
    ("2320[1]/2330A[1] NM1*IL*04", "the bundle has the patient as subscriber"),
    ("2320[1]/2330A[1] N3", "the bundle has the patient as subscriber"),
    ("2320[1]/2330A[1] N4", "the bundle has the patient as subscriber"),
    ("2320[1]/2330B[1] REF*EI", "not in the bundle"),
    ("2320[1]/2330B[1] REF*FY", "not in the bundle"),
    ("2320[1]/2330B[1] REF*9F", "not in the bundle"),
    ("2320[1]/2330C", "not in the bundle"),
    ("2320[1]/2330D", "not in the bundle"),
    ("2320[1]/2330E", "not in the bundle"),
    ("2320[1]/2330F", "not in the bundle"),
    ("2320[1]/2330G", "not in the bundle"),
    ("2320[1] SBR*01", "two payers had the same place in line"),
    ("2310C[1] NM1*77*02", "a place is an organization"),
    ("2400[1] SV1*09", "emergency is not in the bundle"),
    ("2400[1] SV1*11", "EPSDT is not in the bundle"),
    ("2400[1] SV1*12", "family planning is not in the bundle"),
    ("2400[1] SV1*15", "copay status is not in the bundle"),
    ("2400[1] SV5", "rental and purchase are not in the bundle"),
    ("2400[1] PWK", "attachments of lines are not in the bundle"),
    ("2400[1] CR3", "not in the bundle"),
    ("2400[1] CRC", "not in the bundle"),
    ("2400[1] DTP*471", "not in the bundle"),
    ("2400[1] DTP*607", "not in the bundle"),
    ("2400[1] DTP*463", "not in the bundle"),
    ("2400[1] DTP*461", "not in the bundle"),
    ("2400[1] DTP*304", "not in the bundle"),
    ("2400[1] DTP*738", "not in the bundle"),
    ("2400[1] DTP*011", "not in the bundle"),
    ("2400[1] DTP*455", "not in the bundle"),
    ("2400[1] DTP*454", "not in the bundle"),
    ("2400[1] QTY", "not in the bundle"),
    ("2400[1] MEA", "not in the bundle"),
    ("2400[1] REF*", "numbers of lines are not in the bundle"),
    ("2400[1] AMT*", "not in the bundle"),
    ("2400[1] NTE*TPO", "notes of third parties are not in the bundle"),
    ("2400[1] PS1", "not in the bundle"),
    ("2400[1]/2410[1] REF*", "the prescription is not in the bundle"),
    ("2400[1]/2420A[1] REF*", "old ids are only sent without an NPI"),
    ("2400[1]/2420B", "the bundle has no such member of the care team"),
    ("2400[1]/2420D", "the line's supervisor is the claim's"),
    ("2400[1]/2420E[1] N3", "the address of who ordered is not in the bundle"),
    ("2400[1]/2420E[1] N4", "the address of who ordered is not in the bundle"),
    ("2400[1]/2420E[1] PER", "the telephone of who ordered is not in the bundle"),
    ("2400[1]/2420E[1] REF*", "old ids are only sent without an NPI"),
    ("2400[1]/2440", "forms are not in the bundle"),
];

/// What is wrong with an original as a whole, so that these places can't be compared.
pub const BROKEN: &[(&str, &[&str], &str)] = &[
    ("s-hdi-837i-minimal__1", &["2300 CLM*06"], "the guide of institutional claims has no signature"),
    (
        "s-inteligenz-837i-5010-spec_3.1.2_twoclaimsforthesameprovider__1",
        &["2300 CLM*06", "2300 CL1*01"],
        "the guide has no signature, and requires a type of admission: 9, not known",
    ),
    (
        "s-linuxforhealth-837_005010x223a3-two-claims-single-provider__2",
        &["2300 CLM*06", "2010AA N4*03", "2010AA NM1*85*09"],
        "the guide has no signature; NPI and ZIP code were completed",
    ),
    ("s-stupidedi-x224a2-predetermination-of-benefits__1", &["2400[1] SV3*05"], "the prosthesis is not in the bundle"),
    (
        "s-edicli-sample-837__2",
        &["2000B SBR*", "2300 CLM*", "2300 HI*", "2400[1] SV1*0", "2010AA N4*03", "2010AA NM1*85*09"],
        "elements of the original are shifted and diagnoses have dots",
    ),
    (
        "s-imsweb-x12_",
        &["2000B SBR*02", "2300 CLM*02", "2400[1] SV1*07"],
        "the original announces a patient and has none; its total and diagnoses were put right",
    ),
    (
        "s-inteligenz-hipaa-professionalclaim1__1",
        &["2300 CLM*02", "2400[1] SV1*07"],
        "total and pointers were put right",
    ),
    (
        "s-hdi-gen-837p-all-fields__1",
        &["2010AA N4*03", "2400[1]/2420A", "2400[1]/2430"],
        "a ZIP code was completed; the line's provider has the claim's NPI; the line was decided on by a payer that the claim does not name",
    ),
];

/// Facts of ours that the original does not say.
pub const EXTRA: &[(&str, &str)] = &[
    ("2010AA PER*02", "a contact has a name; the provider's own stands in"),
    ("2300 REF*D9", "our own trace number"),
    ("2400[1] REF*6R", "our own number of the line"),
    ("2320[1]/2330A[1]", "the bundle has the patient as subscriber"),
    ("2320[1] SBR*01", "two payers had the same place in line"),
    ("2310C[1] NM1*77*02", "a place is an organization"),
    ("2300 CLM*09", "release of information is not in the bundle: the payer's default"),
];

/// The explanation of a fact, when there is one.
pub fn explain(table: &'static [(&str, &str)], bundle: &str, at: &str) -> Option<&'static str> {
    let place = first_of_its_kind(at);
    let usual = table.iter().find(|(start, _)| place.starts_with(start)).map(|(_, why)| *why);
    let of_bundle = BROKEN.iter().filter(|(name, ..)| bundle.starts_with(name));
    usual.or_else(|| {
        of_bundle
            .into_iter()
            .find(|(_, starts, _)| starts.iter().any(|start| place.starts_with(start)))
            .map(|row| row.2)
    })
}

/// `2400[7]` → `2400[1]`: patterns are written for the first.
fn first_of_its_kind(at: &str) -> String {
    let mut out = String::with_capacity(at.len());
    let mut rest = at;
    while let Some(open) = rest.find('[') {
        out.push_str(&rest[..open]);
        out.push_str("[1]");
        rest = rest[open..].find(']').map_or("", |close| &rest[open + close + 1..]);
    }
    out + rest
}
