//! Files in the formats that payers have of their own: JSON documents, rows, and Da Vinci PAS Bundles. The texts were made
//! when the claims were accepted; here they become one file.

use crate::fault::{Fault, codes};
use crate::payers::{CsvRules, Format, PayerProfile};
use serde_json::Value;

/// The file of a batch. A payer that takes one claim at a time gets the document itself, one that takes several a list.
pub fn assemble(format: Format, profile: &PayerProfile, bodies: &[&str]) -> Result<Vec<u8>, Fault> {
    let unreadable = || Fault::ours(codes::INTERNAL, "a document that was made can't be read back");
    let documents: Result<Vec<Value>, Fault> =
        bodies.iter().map(|body| serde_json::from_str(body).map_err(|_| unreadable())).collect();
    let documents = documents?;
    match (format, documents.as_slice()) {
        (Format::Csv, _) => Ok(rows(&profile.csv, &documents).into_bytes()),
        (_, [one]) if profile.batch.claims == 1 || format == Format::Fhir => pretty(one),
        _ => pretty(&Value::Array(documents)),
    }
}

fn pretty(value: &Value) -> Result<Vec<u8>, Fault> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|_| Fault::ours(codes::INTERNAL, "a document can't be written"))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The name of a file: its ending says what it holds, also to the transport.
pub fn name(format: Format, number: u32) -> String {
    let stem = if format == Format::Fhir { "pas" } else { "claims" };
    format!("{stem}-{number:09}.{}", ending(format))
}

/// What a file of a format ends in.
pub fn ending(format: Format) -> &'static str {
    match format {
        Format::X12 => "x12",
        Format::Json => "json",
        Format::Csv => "csv",
        Format::Fhir => "fhir.json",
    }
}

/// All rows below one header. Each document is a list of rows, of which the first names the columns; a batch may hold claims
/// that were made by an older version of the mapping, so columns are found by their names.
fn rows(rules: &CsvRules, documents: &[Value]) -> String {
    let texts = |row: &Value| -> Vec<String> {
        let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
        cells.iter().map(|cell| cell.as_str().unwrap_or_default().to_owned()).collect()
    };
    let mut columns: Vec<String> = Vec::new();
    let mut all = Vec::new();
    for document in documents {
        let mut rows = document.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(texts);
        let names = rows.next().unwrap_or_default();
        let fresh: Vec<String> = names.iter().filter(|name| !columns.contains(name)).cloned().collect();
        columns.extend(fresh);
        all.extend(rows.map(|row| (names.clone(), row)));
    }
    let mut out = String::new();
    if rules.header {
        row(rules, columns.iter().map(String::as_str), &mut out);
    }
    for (names, cells) in &all {
        let cell = |column: &String| names.iter().position(|name| name == column).and_then(|n| cells.get(n));
        row(rules, columns.iter().map(|column| cell(column).map_or("", String::as_str)), &mut out);
    }
    out
}

fn row<'c>(rules: &CsvRules, cells: impl Iterator<Item = &'c str>, out: &mut String) {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            out.push(rules.delimiter);
        }
        let needed = cell.contains([rules.delimiter, '"', '\r', '\n']) || cell.trim() != cell;
        match rules.quote_always || needed {
            true => {
                out.push('"');
                out.push_str(&cell.replace('"', "\"\""));
                out.push('"');
            }
            false => out.push_str(cell),
        }
    }
    out.push_str(if rules.carriage_return { "\r\n" } else { "\n" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_stand_below_one_header_whatever_their_version() {
        let rules = CsvRules { carriage_return: false, ..CsvRules::default() };
        let older = json!([["claim", "amount"], ["A", "12.50"]]);
        let newer = json!([["claim", "name", "amount"], ["B", "Doe, \"Jo\"", "1"]]);
        let expected = "claim,amount,name\nA,12.50,\nB,1,\"Doe, \"\"Jo\"\"\"\n";
        assert_eq!(rows(&rules, &[older.clone(), newer]), expected);
        let rules = CsvRules { delimiter: '|', header: false, quote_always: true, carriage_return: true };
        assert_eq!(rows(&rules, &[older]), "\"A\"|\"12.50\"\r\n");
    }
}
