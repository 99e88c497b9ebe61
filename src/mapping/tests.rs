//! Whole mappings: the shipped ones load, mistakes are all found with their places, overlays lie over their bases, what is
//! made is what the target wants, and lineage leads back.

use super::*;
use crate::assets::Folder;
use crate::fault::{Issue, Place};
use crate::fhir::bundle::Resources;
use crate::fhir::definitions::Definitions;
use crate::x12::build::arrange;
use crate::x12::delimiters::Delimiters;
use crate::x12::guide::Guides;
use crate::x12::writer::write_loop;
use serde_json::json;
use std::sync::LazyLock;

static GUIDES: LazyLock<Guides> = LazyLock::new(|| Guides::load(&Folder::ShippedConformance).unwrap());
static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| Definitions::load(&Folder::ShippedConformance).unwrap());

/// Loads a folder that holds these files.
pub fn load(files: &[(&str, &str)]) -> Result<Mappings, Vec<Issue>> {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    Mappings::load(&Folder::Disk(folder.path().to_owned()), &GUIDES, &DEFINITIONS).map_err(|fault| fault.issues)
}

/// The mistakes of one mapping file: `line:column code text; hint`.
fn mistakes(path: &str, text: &str) -> Vec<String> {
    let show = |issue: &Issue| match &issue.at {
        Place::File { line, column, .. } => {
            format!("{line}:{column} {} {}; {}", issue.code, issue.text, issue.hint.as_deref().unwrap_or_default())
        }
        other => format!("{other}"),
    };
    load(&[(path, text)]).err().unwrap_or_default().iter().map(show).collect()
}

/// A record mapping with everything that a record requires, and more lines in its body, from line 14 on.
pub fn record(body: &str) -> String {
    let party = "{ organization: false, lastName: \"'X'\" }";
    format!(
        "from: Claim\nmakes: BillingRecord\nbody:\n  intent: use\n  claimType: \"'professional'\"\n  \
         patientControlNumber: identifier.value.first()\n  totalCharge: total.value\n  frequencyCode: \"'1'\"\n  \
         billingProvider: {party}\n  patientIsSubscriber: true\n  subscriber: {party}\n  patient: {party}\n  \
         coverage: {{ payerSequence: \"'P'\", payerName: \"'N'\", payerId: \"'1'\" }}\n{body}"
    )
}

pub fn claim() -> Value {
    json!({
        "resourceType": "Claim", "status": "active", "use": "claim", "created": "2025-03-09",
        "identifier": [{"value": "C1"}], "total": {"value": 15.5},
        "accident": {"date": "2025-02"},
        "item": [
            {"sequence": 1, "servicedDate": "2025-03-03", "net": {"value": 10.0},
             "productOrService": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99213"}]}},
            {"sequence": 2, "servicedPeriod": {"start": "2025-03-04"}, "net": {"value": 5.5},
             "productOrService": {"coding": [{"system": "urn:x", "code": "Q"}]}}
        ]
    })
}

fn made(body: &str) -> (Value, Vec<Issue>, Lineage) {
    let mappings = load(&[("record/claim.yaml", &record(body))]).unwrap_or_else(|issues| panic!("{issues:#?}"));
    let resources = Resources::collect(claim(), 10).unwrap();
    let payer = json!({"name": "N"});
    let now = "2026-01-01T00:00:00Z";
    let scope = Scope { payer: &payer, now, vars: &[], resources: Some(&resources) };
    let mapping = mappings.record("any", "record/claim").unwrap();
    let (value, issues) = mapping.make(resources.focal(), &scope);
    let lineage = mapping.lineage(resources.focal(), &scope);
    (value, issues, lineage)
}

#[test]
fn the_shipped_mappings_are_clean() {
    if let Err(fault) = Mappings::load(&Folder::ShippedMappings, &GUIDES, &DEFINITIONS) {
        panic!("{} mistakes\n{fault}", fault.issues.len());
    }
}

#[test]
fn mistakes_in_record_mappings_have_places_and_hints() {
    for (line, wanted) in [
        ("  onset: itm.servicedDate\n", "14:10 CG-2002 `itm.servicedDate`: Claim has no `itm`; did you mean `item`?"),
        ("  onset: item.serviced.first().startt\n", "14:32 CG-2002"),
        ("  onset: \"item.first()\"\n", "14:10 CG-2004 `item.first()`"),
        ("  onsett: created\n", "14:3 CG-2003 BillingRecord has no `onsett`; did you mean `onset`?"),
        ("  onset: \"'2025'\"\n", "14:10 CG-2004 `'2025'`: a full date is needed here"),
        ("  notes: created\n", "14:10 CG-2004"),
        ("  onset: crated()\n", "14:10 CG-2006"),
        ("  onset: created.first(1)\n", "14:18 CG-2006"),
        ("  onset: \"%x\"\n", "14:11 CG-2002 `%x`: there is no variable %x here"),
        ("  onset: created.translate('none')\n", "14:28 CG-2006 `created.translate('none')`: there is no code table"),
        ("  onset: created.(\n", "14:18 CG-2001"),
        ("  onset: 'created'\n  claimType: 'professional'\n", "15:3 CG-2001 `claimType` stands twice"),
        ("  delayReason: 'professional'\n", "14:17 CG-2002 `professional`: Claim has no `professional`"),
        ("  notes: { code: \"'ADD'\" }\n", "14:10 CG-2005 Note requires `text`, which has no rule"),
        ("  notes: { when: false, code: \"'ADD'\", text: use }\n", "14:18 CG-2007"),
        ("  notes: { use: nothing }\n", "14:17 CG-2006 there is no template `nothing`"),
        (
            "  notes: { each: item, code: \"'ADD'\", text: sequnce }\n",
            "14:45 CG-2002 `sequnce`: Claim.item has no `sequnce`",
        ),
        ("  contract: [use, use]\n", "14:13 CG-2004 a list, where Contract takes one"),
        ("  onset:\n", "CG-2001 nothing stands after the colon"),
        ("  referralNumber: remove\n", "14:3 CG-2003 there is no rule `referralNumber` to remove"),
    ] {
        let found = mistakes("record/claim.yaml", &record(line));
        assert!(found.iter().any(|found| found.contains(wanted)), "{line}\nwanted {wanted}\nfound  {found:#?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let found =
        mistakes("record/claim.yaml", "from: Claim\nmakes: BillingRecord\nbody:\n  intent: ues\n  x: use\nextra: 1\n");
    assert!(found.iter().any(|text| text.contains("did you mean `use`")), "{found:#?}");
    assert!(found.iter().any(|text| text.starts_with("5:3 CG-2003")), "{found:#?}");
    assert!(found.iter().any(|text| text.starts_with("6:1 CG-2003")), "{found:#?}");
    assert!(found.iter().filter(|text| text.contains("CG-2005")).count() >= 8, "{found:#?}");
}

#[test]
fn records_are_made_by_the_types_of_their_fields() {
    let (value, issues, lineage) = made(
        "  onset: created\n  serviceLines:\n    each: item\n    let: { code: productOrService.coding }\n    sequence: sequence\n    \
         code: { qualifier: \"'HC'\", value: \"%code.code\" }\n    charge: net.value\n    unit: \"'UN'\"\n    quantity: 1\n    \
         serviceDate: { start: (serviced.ofType(date) | serviced.ofType(Period).start) }\n    \
         controlNumber: \"patientControl(%index)\"\n"
            .replace("patientControl(%index)", "'L' & %index.toString()")
            .as_str(),
    );
    assert_eq!(issues, []);
    assert_eq!(value["totalCharge"], "15.5");
    assert_eq!(value["serviceLines"][1]["charge"], "5.5");
    assert_eq!(value["serviceLines"][1]["serviceDate"]["start"], "2025-03-04");
    assert_eq!(value["serviceLines"][1]["controlNumber"], "L1");
    assert_eq!(value["serviceLines"][0]["quantity"], "1");
    assert_eq!(lineage.source_of("serviceLines[1].charge"), ["Claim.item[1].net.value"]);
    assert_eq!(lineage.source_of("serviceLines[0].code.value"), ["Claim.item[0].productOrService.coding[0].code"]);
    serde_json::from_value::<crate::billing::record::BillingRecord>(value).unwrap();
}

#[test]
fn what_cannot_be_carried_names_the_callers_own_path() {
    let (value, issues, _) = made(
        "  accidentDate: accident.date\n  onset: item.servicedDate\n  lastSeen: item.serviced.start\n  \
         relatedCauses: item.productOrService.requireCoding('http://www.ama-assn.org/go/cpt').code\n  \
         notes: { code: \"'ADD'\", text: supportingInfo.code.text }\n  contract: { contractType: item.udi.display, amount: total.value }\n",
    );
    let told: Vec<String> = issues.iter().map(|issue| format!("{} {} {}", issue.code, issue.at, issue.text)).collect();
    assert_eq!(
        told,
        [
            "CG-2101 Claim.accident.date accidentDate: a full date is needed here",
            "CG-2103 Claim.item[1].productOrService relatedCauses[0]: no coding of a system that is accepted here",
            "CG-2102 Claim.item.udi.display contract.contractType: this value is required, but missing",
        ]
    );
    assert_eq!((&value["onset"], &value["lastSeen"]), (&json!("2025-03-03"), &json!("2025-03-04")));
    assert!(value.get("notes").is_none(), "fixed values alone make nothing");
}

/// The shipped mapping of professional claims, with what it extends.
pub const SHIPPED: [(&str, &str); 2] = [
    ("x12/837.yaml", include_str!("../../mappings/x12/837.yaml")),
    ("x12/837p.yaml", include_str!("../../mappings/x12/837p.yaml")),
];

fn x12(overlay: &str, record: &Value) -> (String, Vec<Issue>, Lineage) {
    let files = [SHIPPED[0], SHIPPED[1], ("payers/p/837p.yaml", overlay)];
    let mappings =
        load(if overlay.is_empty() { &files[..2] } else { &files }).unwrap_or_else(|issues| panic!("{issues:#?}"));
    let payer = json!({});
    let scope = Scope { payer: &payer, now: "2026-01-01T00:00:00Z", vars: &[], resources: None };
    let mapping = mappings.transaction("p", "x12/837p").unwrap();
    let (mut node, issues) = mapping.make(record, &scope);
    arrange(&mapping.guide, &mut node);
    let mut bytes = Vec::new();
    write_loop(&mapping.guide, &node, &Delimiters { newline: true, ..Delimiters::default() }, &mut bytes);
    (String::from_utf8(bytes).unwrap(), issues, mapping.lineage(record, &scope))
}

fn billing_record(diagnoses: usize) -> Value {
    let party = json!({"organization": false, "lastName": "Smith", "firstName": "Ted", "memberId": "M1"});
    json!({
        "intent": "claim", "claimType": "professional", "patientControlNumber": "C1", "totalCharge": "15.50",
        "frequencyCode": "1", "placeOfService": "11", "billingProvider": {"organization": true, "lastName": "Clinic",
            "npi": "1234567893", "address": {"line1": "1 Main St", "city": "Miami", "state": "FL", "postalCode": "331110000"}},
        "patientIsSubscriber": false, "relationship": "19", "subscriber": party, "patient": party,
        "coverage": {"payerSequence": "P", "payerName": "Payer", "payerId": "P1", "groupNumber": "G", "groupName": "Group"},
        "medicalRecordNumber": "MRN", "conditionCodes": (0..14).map(|n| format!("A{n}")).collect::<Vec<_>>(),
        "diagnoses": (0..diagnoses).map(|n| json!({"code": format!("J{n:02}"), "codeSet": "icd10"})).collect::<Vec<_>>(),
        "serviceLines": [
            {"sequence": 1, "code": {"qualifier": "HC", "value": "99213", "modifiers": ["25"]}, "charge": "10.00", "unit": "UN",
             "quantity": "1", "diagnosisPointers": [1, 2], "serviceDate": {"start": "2025-03-03"}, "controlNumber": "C1-1"},
            {"sequence": 2, "code": {"qualifier": "HC", "value": "87880"}, "charge": "5.50", "unit": "UN", "quantity": "1",
             "diagnosisPointers": [1], "serviceDate": {"start": "2025-03-03", "end": "2025-03-04"}, "controlNumber": "C1-2"}
        ]
    })
}

#[test]
fn loops_hang_where_the_guide_allows_and_lineage_counts_segments() {
    let (text, issues, lineage) = x12("", &billing_record(3));
    assert_eq!(issues, []);
    let segments: Vec<&str> = text.lines().collect();
    let place = |wanted: &str| segments.iter().position(|segment| segment.starts_with(wanted)).unwrap();
    assert!(place("HL*3*2*23*0") < place("CLM*C1*15.5***11:B:1"), "{text}");
    assert!(text.contains("HI*ABK:J00*ABF:J01*ABF:J02~"), "{text}");
    assert!(
        text.contains("SV1*HC:99213:25*10*UN*1***1:2~") && text.contains("DTP*472*RD8*20250303-20250304~"),
        "{text}"
    );
    // What does not fit into one HI goes on into the next.
    assert!(text.contains("HI*BG:A0*BG:A1*") && text.contains("HI*BG:A12*BG:A13~"), "{text}");
    let row = lineage.rows.iter().find(|row| row.target == "2300/2400[2]/SV1/02").unwrap();
    assert_eq!(row.sources, ["serviceLines[1].charge"]);
    let ordinal = segments.iter().rposition(|segment| segment.starts_with("SV1")).unwrap() + 1;
    assert_eq!(row.ordinal, u32::try_from(ordinal).ok());
    let at = Place::X12(crate::fault::X12Place {
        segment: Some("SV1".into()),
        ordinal: row.ordinal,
        element: Some(2),
        ..Default::default()
    });
    assert_eq!(lineage.source_of_place(&at).as_deref(), Some("serviceLines[1].charge"));
}

#[test]
fn values_that_an_element_cannot_hold_name_the_record() {
    let mut record = billing_record(15);
    record["patientControlNumber"] = json!("C".repeat(39));
    record["serviceLines"][1]["unit"] = json!("XX");
    let (_, issues, _) = x12("", &record);
    let places: Vec<String> = issues.iter().map(|issue| format!("{} {}", issue.code, issue.at)).collect();
    assert_eq!(places, ["CG-2101 patientControlNumber", "CG-2101 serviceLines[1].unit"], "{issues:#?}");
}

#[test]
fn overlays_replace_add_and_remove() {
    let overlay = "extends: x12/837p\n2000B:\n  SBR: { 04: remove, 05: \"'12'\" }\n2300:\n  REF*EA: remove\n  CLM: { 20: \"'1'\" }\n";
    let (text, issues, lineage) = x12(overlay, &billing_record(1));
    assert_eq!(issues, []);
    assert!(text.contains("SBR*P**G**12~") && !text.contains("REF*EA"), "{text}");
    assert!(text.contains("CLM*C1*15.5***11:B:1***************1~"), "{text}");
    let row = lineage.rows.iter().find(|row| row.target == "2300/CLM/20").unwrap();
    assert!(row.rule.ends_with("payers/p/837p.yaml:6"), "{}", row.rule);
}

#[test]
fn mistakes_in_x12_mappings_have_places_and_hints() {
    for (overlay, wanted) in [
        ("2300:\n  CLMM: { 01: use }\n", "3:3 CG-2003 loop 2300 of 005010X222A1 has no CLMM; did you mean `CLM`?"),
        ("2301:\n  CLM: { 01: use }\n", "2:1 CG-2003 005010X222A1 has no loop 2301; did you mean `2300`?"),
        ("2300:\n  REF*G7: { 02: referralNumber }\n", "3:3 CG-2003 loop 2300 of 005010X222A1 has no REF*G7"),
        ("2300:\n  CLM: { 21: referralNumber }\n", "3:10 CG-2003"),
        ("2300:\n  CLM: { 03: referralNumber }\n", "3:10 CG-2003 CLM 03 is not used by 005010X222A1"),
        (
            "2300:\n  CLM: { 05: placeOfService }\n",
            "3:10 CG-2003 CLM05 (Health Care Service Location Information) is a composite",
        ),
        ("2300:\n  CLM: { x: placeOfService }\n", "3:10 CG-2003 `x` is no element of CLM"),
        ("2300:\n  CLM: { 20: \"'77'\" }\n", "3:14 CG-2004 `'77'`"),
        ("2300:\n  CLM: { 01: \"'C'\" , 02: onset }\n", "3:26 CG-2004 `onset`"),
        ("2300:\n  CLM: { 01: diagnoses }\n", "3:14 CG-2004 `diagnoses`: Patient Control Number can't hold Diagnosis"),
        ("2300:\n  CLM: { 01: patientControlNumbr }\n", "3:14 CG-2002 `patientControlNumbr`: BillingRecord has no"),
        ("2300:\n  CLM: { 01: remove }\n", "CG-2005 CLM requires CLM01"),
        ("2300:\n  DTP*431: { 03: onset }\n", "3:18 CG-2004 `onset`"),
        ("2300:\n  REF*EB: remove\n", "3:3 CG-2003 there is no rule `REF*EB` to remove; did you mean `REF*EA`?"),
        ("2300:\n  2400: remove\n", "CG-2005 loop 2300 requires loop 2400"),
        ("2000A: remove\n", "CG-2005 loop 2000B hangs in the air"),
    ] {
        let overlay = format!("extends: x12/837p\n{overlay}");
        let files = [SHIPPED[0], SHIPPED[1], ("payers/p/837p.yaml", overlay.as_str())];
        let issues = load(&files).err().unwrap_or_default();
        let found: Vec<String> = issues
            .iter()
            .map(|issue| match &issue.at {
                Place::File { line, column, .. } => {
                    format!(
                        "{line}:{column} {} {}; {}",
                        issue.code,
                        issue.text,
                        issue.hint.as_deref().unwrap_or_default()
                    )
                }
                other => other.to_string(),
            })
            .collect();
        assert!(found.iter().any(|found| found.contains(wanted)), "{overlay}\nwanted {wanted}\nfound  {found:#?}");
    }
}

#[test]
fn overlays_that_go_round_or_nowhere_are_named() {
    let one = "extends: x12/b\nguide: 005010X222A1\nfrom: BillingRecord\n";
    let issues = load(&[("x12/a.yaml", one), ("x12/b.yaml", "extends: x12/a\n")]).unwrap_err();
    assert!(issues.iter().all(|issue| issue.text.contains("goes round")), "{issues:#?}");
    let issues = load(&[("x12/a.yaml", "extends: x12/837pp\n"), SHIPPED[0], SHIPPED[1]]).unwrap_err();
    assert_eq!(issues[0].hint.as_deref(), Some("did you mean `x12/837p`?"));
}

#[test]
fn what_mappings_have_in_common_makes_nothing_alone() {
    let mappings = load(&SHIPPED).unwrap_or_else(|issues| panic!("{issues:#?}"));
    assert!(mappings.transaction("p", "x12/837p").is_some() && mappings.transaction("p", "x12/837").is_none());
    // Without a mapping that extends it, its guide is missed.
    let issues = load(&SHIPPED[..1]).unwrap_err();
    assert_eq!(issues[0].text, "it is not said what this mapping makes");
}

#[test]
fn responses_are_made_as_fhir() {
    let mapping = "from: PayerResponse\nmakes: ClaimResponse\nbody:\n  status: \"'active'\"\n  type: \"%claim.type\"\n  \
                   use: \"%claim.use\"\n  patient: \"%claim.patient\"\n  created: \"%now\"\n  insurer: { display: payerName }\n  \
                   outcome: iif(decision = 'pended', 'partial', 'complete')\n  item:\n    each: adjudication.lines\n    \
                   itemSequence: itemSequence\n    adjudication:\n      - category: { coding: [{ code: \"'submitted'\" }] }\n        \
                   amount: { value: charge, currency: \"'USD'\" }\n";
    let mappings = load(&[("response/claim-response.yaml", mapping)]).unwrap_or_else(|issues| panic!("{issues:#?}"));
    let claim =
        json!({"resourceType": "Claim", "use": "claim", "type": {"text": "x"}, "patient": {"reference": "Patient/1"}});
    let answer = json!({"decision": "adjudicated", "payerName": "P", "adjudication": {"lines": [{"itemSequence": 2, "charge": "10.50"}]}});
    let (payer, vars) = (json!({}), [("claim", (&claim).into())]);
    let scope = Scope { payer: &payer, now: "2026-01-01T00:00:00Z", vars: &vars, resources: None };
    let (value, issues) = mappings.response("response/claim-response").unwrap().make(&answer, &scope);
    assert_eq!(issues, []);
    let wanted = r#"{"resourceType":"ClaimResponse","status":"active","type":{"text":"x"},"use":"claim","patient":{"reference":"Patient/1"},"created":"2026-01-01T00:00:00Z","insurer":{"display":"P"},"outcome":"complete","item":[{"itemSequence":2,"adjudication":[{"category":{"coding":[{"code":"submitted"}]},"amount":{"value":10.50,"currency":"USD"}}]}]}"#;
    assert_eq!(value.to_string(), wanted);
    let bundled = json!({"response": answer, "claim": claim});
    let scope = Scope { vars: &[], ..scope };
    assert_eq!(mappings.response("response/claim-response").unwrap().make(&bundled, &scope).0.to_string(), wanted);
}

#[test]
fn mappings_may_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Mappings>();
}

#[test]
fn conditions_of_an_object_come_before_the_names_of_its_template() {
    let body = "  notes: { when: supportingInfo.exists(), use: note }\ntemplates:\n  note:\n    let: { x: item.sequence + 1 }\n    \
                code: \"'ADD'\"\n    text: \"%x\"\n";
    let (value, issues, _) = made(body);
    assert!(issues.is_empty() && value.get("notes").is_none(), "{issues:#?}");
}

#[test]
fn the_version_names_the_content() {
    let version = |text: &str| load(&[("record/claim.yaml", text)]).unwrap().version().to_owned();
    let (one, other) = (record("  onset: created\n"), record("  lastSeen: created\n"));
    assert_eq!(version(&one), version(&one));
    assert_ne!(version(&one), version(&other));
    assert_eq!(version(&one).len(), 12);
}

/// The resources of a claim beside a list of words, so that no rule is passed over for want of one.
struct WithWords<'r> {
    resources: &'r Resources,
    words: Value,
}

impl Resolver for WithWords<'_> {
    fn resolve<'a>(&'a self, container: &Value, reference: &Value) -> Option<&'a Value> {
        self.resources.resolve(container, reference)
    }

    fn all(&self) -> Vec<&Value> {
        Resolver::all(self.resources).into_iter().chain([&self.words]).collect()
    }

    fn path_of(&self, resource: &Value) -> Option<String> {
        self.resources.path_of(resource)
    }
}

/// The claims of the demo and of the cases.
fn shipped_claims() -> Vec<Resources> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let of = |folder: &str| std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files = of("demo").chain(of("cases").map(|case| case.join("request.json")));
    let read = |path: std::path::PathBuf| {
        let body = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        Resources::collect(body, 1_000).ok()
    };
    files.filter_map(read).collect()
}

#[test]
fn what_is_passed_over_would_have_made_nothing() {
    let mappings = Mappings::load(&Folder::ShippedMappings, &GUIDES, &DEFINITIONS).unwrap();
    let payer = json!({"id": "generic", "sender": {"id": "S"}, "receiver": {"id": "R"}});
    let claims = shipped_claims();
    assert!(claims.len() > 15, "{}", claims.len());
    for resources in &claims {
        let mapping = mappings.record("generic", "record/claim").unwrap();
        let transaction = mappings.transaction("generic", "x12/837p").unwrap();
        let words = |words: &needs::Words| Value::from(words.all().map(Value::from).collect::<Vec<_>>());
        let scope =
            |resources| Scope { payer: &payer, now: "1970-01-01T00:00:00Z", vars: &[], resources: Some(resources) };
        let all = WithWords { resources, words: words(&mapping.common.words) };
        let (some, every) = (scope(resources as &dyn Resolver), scope(&all));
        let made = mapping.make(resources.focal(), &some);
        assert_eq!(made, mapping.make(resources.focal(), &every));
        let all = WithWords { resources, words: words(&transaction.common.words) };
        let every = scope(&all);
        assert_eq!(
            format!("{:?}", transaction.make(&made.0, &some)),
            format!("{:?}", transaction.make(&made.0, &every))
        );
    }
}

/// Items that differ in what they have are each made as if they were alone, in whatever order they come.
#[test]
fn an_object_is_made_as_if_no_other_had_been_made_before() {
    let mapping = r#"
from: Claim
makes: Bundle
body:
  type: "'collection'"
  entry:
    each: item
    let: { price: net.value }
    fullUrl: "'urn:x:' & sequence"
    link:
      - { relation: "'self'", url: productOrService.text }
      - { relation: "'fixed'", url: "'urn:fixed'" }
      - { relation: category.text, url: programCode.text }
    request:
      when: "%price > 10"
      method: "'GET'"
      url: productOrService.text
    search:
      let: { half: "%price / 2" }
      mode: iif(category.text = 'm', 'match', {})
      score: "%half"
    response: { status: "'200'", location: revenue.text, etag: category.text }
"#;
    let text = |text: &str| json!({"text": text});
    let items = [
        json!({"sequence": 1, "productOrService": text("a"), "net": {"value": 7}, "category": text("m"), "programCode": [text("c")]}),
        json!({"sequence": 2, "productOrService": text("b"), "net": {"value": 34}, "category": text("n")}),
        json!({"sequence": 3, "revenue": text("r"), "programCode": [text("c")]}),
        json!({"sequence": 4, "productOrService": text(" "), "net": {"value": 11}, "category": text("m")}),
        json!({"sequence": 5, "net": {"value": 11}, "category": text("m"), "programCode": [text("c"), text("d")]}),
        json!({"category": text("m"), "productOrService": text("a")}),
    ];
    let made = |items: &[&Value]| {
        let mappings = load(&[("response/x.yaml", mapping)]).unwrap_or_else(|issues| panic!("{issues:#?}"));
        let payer = json!({});
        let scope = Scope { payer: &payer, now: "2026-01-01T00:00:00Z", vars: &[], resources: None };
        let claim = json!({"resourceType": "Claim", "item": items});
        let (value, issues) = mappings.response("response/x").unwrap().make(&claim, &scope);
        (value["entry"].as_array().cloned().unwrap_or_default(), issues.len())
    };
    for first in &items {
        for second in &items {
            for third in &items {
                let (entries, issues) = made(&[first, second, third]);
                let alone = [first, second, third].map(|item| made(&[item]));
                let entries_alone: Vec<Value> = alone.iter().flat_map(|(entries, _)| entries.clone()).collect();
                assert_eq!(entries, entries_alone, "{first} {second} {third}");
                assert!(issues <= alone.iter().map(|(_, issues)| issues).sum(), "{first} {second} {third}");
            }
        }
    }
}
