//! Expressions over one small claim: every example of the function table, and what the examples leave open.

use super::compile::{Compiler, Variable, VariableExpr};
use super::eval::{Focus, Resolver, Run};
use super::functions;
use super::item::{Item, Items};
use crate::mapping::mistakes::Mistakes;
use crate::mapping::needs::Words;
use crate::mapping::source::Type;
use crate::mapping::tables::{Table, Tables};
use crate::mapping::yaml::{self, Node};
use serde_json::{Value, json};

fn claim() -> Value {
    let text = r#"{
      "resourceType": "Claim", "use": "claim", "status": "active", "created": "2025-03-09T10:00:00-05:00",
      "identifier": [{"system": "https://clinic.example/claims", "value": "ACC26463774"}],
      "extension": [{"url": "urn:x", "valueCode": "Y"},
        {"url": "https://claimgate.dev/fhir/StructureDefinition/x12-clm10", "valueCode": "P"}],
      "contained": [{"resourceType": "Practitioner", "id": "k",
        "name": [{"use": "old", "family": "Ward"}, {"use": "official", "family": "Kildare", "given": ["Ben", "J"]}],
        "birthDate": "1970-01-02", "_birthDate": {"extension": [{"url": "urn:t", "valueDateTime": "1970-01-02T03:04:00Z"}]},
        "address": [{"use": "billing", "city": "Tampa"}, {"use": "home", "city": "Miami"}, {"use": "work", "city": "Miami"}]}],
      "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
      "billablePeriod": {"start": "2025-03-03", "end": "2025-03-05"},
      "provider": {"reference": "Organization/bks"},
      "careTeam": [{"sequence": 1, "provider": {"reference": "Practitioner/gone"}}],
      "supportingInfo": [{"sequence": 1, "timingPeriod": {"start": "2025-03-01"}}, {"sequence": 2, "timingDate": "2025-02-01"}],
      "item": [
        {"sequence": 1, "servicedDate": "2025-03-03", "net": {"value": 100.00},
         "productOrService": {"coding": [{"system": "urn:local", "code": "V1"}, {"system": "http://www.ama-assn.org/go/cpt", "code": "99213"}]}},
        {"sequence": 2, "net": {"value": 40.0}, "detail": [{"sequence": 1}]}],
      "total": {"value": 140.00, "currency": "USD"}
    }"#;
    serde_json::from_str(text).unwrap()
}

struct OneOrganization(Value);

impl Resolver for OneOrganization {
    fn resolve<'a>(&'a self, _: &Value, reference: &Value) -> Option<&'a Value> {
        (reference["reference"] == "Organization/bks").then_some(&self.0)
    }

    fn all(&self) -> Vec<&Value> {
        vec![&self.0]
    }

    fn path_of(&self, _: &Value) -> Option<String> {
        None
    }
}

fn tables() -> Tables {
    let mut tables = Tables::default();
    tables.add(Table::parse("relationship", "codes/relationship.tsv", "self\t18\nspouse\t01\n", &mut Vec::new()));
    tables
}

/// The results of an expression as JSON-like texts, or its mistake or problem.
fn run(expression: &str) -> Result<Vec<String>, String> {
    let tables = tables();
    let mut mistakes = Mistakes::default();
    let escaped = format!("\"{}\"", expression.replace('\\', "\\\\").replace('"', "\\\""));
    let Node::Scalar(scalar) = yaml::parse("e", &escaped).map_err(|m| m[0].text.clone())? else {
        return Err("no scalar".into());
    };
    let now = Variable { name: "now".into(), kind: Type::Time, expr: VariableExpr::Now };
    let mut compiler = Compiler {
        types: None,
        tables: &tables,
        variables: vec![now],
        slots: 0,
        words: Words::default(),
        mistakes: &mut mistakes,
    };
    let (expr, _) = compiler.compile(&scalar, &Type::Any);
    if let Some(issue) = mistakes.issues.first() {
        return Err(format!("{}: {}", issue.code, issue.text));
    }
    let (claim, organization) =
        (claim(), OneOrganization(json!({"resourceType": "Organization", "name": "Ben Kildare Service"})));
    let context = Item::node(&claim);
    let mut run = Run::new(context.clone(), &tables, 0);
    run.now = "2025-03-10T08:00:00Z";
    run.resolver = Some(&organization);
    let items =
        run.eval(&expr, Focus::on(&context)).map_err(|problem| format!("{}: {}", problem.code, problem.text))?;
    Ok(shown(&items))
}

fn shown(items: &Items<'_>) -> Vec<String> {
    items.iter().map(|item| item.as_text().map_or_else(|| "{…}".to_owned(), |text| text.into_owned())).collect()
}

#[test]
fn every_example_holds() {
    for function in functions::all() {
        assert_eq!(run(function.example), Ok(vec!["true".to_owned()]), "{}", function.example);
    }
}

#[test]
fn paths_choose_flatten_and_keep_text() {
    for (expression, wanted) in [
        ("item.net.value", vec!["100.00", "40.0"]),
        ("supportingInfo.timing.ofType(Period).start", vec!["2025-03-01"]),
        ("supportingInfo.timing.start", vec!["2025-03-01"]),
        ("(supportingInfo.timing as date)", vec!["2025-02-01"]),
        ("Claim.use", vec!["claim"]),
        ("Patient.use", vec![]),
        ("item[1].sequence", vec!["2"]),
        ("item[7].sequence", vec![]),
        ("contained.birthDate.extension('urn:t').value", vec!["1970-01-02T03:04:00Z"]),
        ("contained.name.given", vec!["Ben", "J"]),
        ("careTeam.provider.resolve().name", vec![]),
        ("item.where($index = 1).sequence", vec!["2"]),
        ("1 | 2 | 1", vec!["1", "2"]),
        ("item.select(iif(sequence = 1, 'a'))", vec!["a"]),
        ("'a' & {} & 'b'", vec!["ab"]),
        ("item.net.value.sum() * 2", vec!["280.00"]),
        ("7 div 2", vec!["3"]),
        ("7 / 2", vec!["3.5"]),
        ("1 / 0", vec![]),
        ("created > @2025-03-08", vec!["true"]),
        ("created.toDate()", vec!["2025-03-09"]),
        ("billablePeriod.end > billablePeriod.start", vec!["true"]),
        ("@2025-03-03 + 1 month", vec!["2025-04-03"]),
        ("{} and false", vec!["false"]),
        ("{} or false", vec![]),
        ("item.sequence = (1 | 2)", vec!["true"]),
        ("2 in item.sequence", vec!["true"]),
        ("'self'.translate('relationship', 'G8')", vec!["18"]),
        ("'x'.translate('relationship', 'G8')", vec!["G8"]),
    ] {
        let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
        assert_eq!(run(expression), Ok(wanted), "{expression}");
    }
}

#[test]
fn what_cannot_be_computed_says_why() {
    for (expression, part) in [
        ("item.sequence + 1", "one value is needed, but there are 2"),
        ("use + 1", "two numbers"),
        ("'2025-03'.ccyymmdd()", "a full date"),
        ("'x'.translate('relationship')", "does not know `x`"),
        ("item[0].productOrService.requireCoding('urn:other')", "no coding of a system"),
        ("'1234567890'.ndc11()", "eleven digits"),
        ("'12345'.phone()", "ten digits"),
        ("use.fist()", "no function fist()"),
        ("use.first(1)", "was given 1 arguments"),
        ("'a'.translate('nope')", "no code table"),
        ("'a'.matches('(')", "no regular expression"),
        ("%payr.id", "no variable %payr"),
    ] {
        let error = run(expression).expect_err(expression);
        assert!(error.contains(part), "{expression}: {error}");
    }
}

#[test]
fn limits_hold() {
    use super::functions::{MANY, MAX_PAD, MAX_REPEATED};
    let repeated = |last: usize| run(&format!("(1).repeat(iif($this < {last}, $this + 1)).count()"));
    assert_eq!(repeated(MAX_REPEATED + 1), Ok(vec![MAX_REPEATED.to_string()]));
    assert!(repeated(MAX_REPEATED + 2).unwrap_err().contains("more than"));
    let padded = |width: usize| run(&format!("'1'.pad({width}).length()"));
    assert_eq!(padded(MAX_PAD), Ok(vec![MAX_PAD.to_string()]));
    assert_eq!(padded(MAX_PAD + 1), Ok(vec![MAX_PAD.to_string()]));
    let many = |n: usize| run(&format!("coalesce({})", vec!["1"; n].join(", ")));
    assert_eq!(many(MANY), Ok(vec!["1".to_owned()]));
    assert!(many(MANY + 1).unwrap_err().contains("arguments"));
}

#[test]
fn quicker_forms_give_the_same() {
    for (quick, plain) in [
        ("(item.detail.sequence | use | 'x').first()", "(item.detail.sequence | use | 'x').take(1)"),
        ("use in ('claim' | 'other')", "use = 'claim'"),
        ("{} in ('a' | 'b')", "{}"),
        ("('a' | 'b' | 'a').count()", "2"),
        ("identifier('x' | 'https://clinic.example/claims')", "identifier('https://clinic.example/claims')"),
    ] {
        assert_eq!(run(quick), run(plain), "{quick}");
    }
}
