//! The walls of the house, as a test. Between crates Cargo would refuse a circle; within one crate only this does. Each
//! complaint names the file and the line, and the table whose row is broken says what to do.

mod source;

use claimgate::fault::CATALOGUE;
use claimgate::telemetry::{FIELDS, METRICS};
use source::Source;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The floors, from the roof down. A module imports from lower floors only: neither upwards nor from its own floor.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["http", "worker", "simulator"],
    &["flow"],
    &["gateway"],
    &["mapping", "transport"],
    &["responses", "fhir", "edits", "payers", "store", "queue"],
    // Below those who are measured, so that they can measure.
    &["telemetry"],
    &["x12", "billing", "config"],
    &["assets", "fault", "code_forms", "json", "lexicon", "digits", "clock", "span", "retry"],
];

/// What is absent on purpose, although the floor would allow it.
const ABSENT: &[(&str, &[&str], &str)] = &[
    ("fhir", &["x12", "billing"], "only mapping sees FHIR and X12"),
    ("edits", &["x12"], "edits judge a billing record, whatever it is turned into"),
    ("queue", &["x12"], "the queue carries ids"),
    ("transport", &["x12", "billing", "fhir", "responses", "store", "queue"], "a transport moves bytes"),
    ("store", &["x12"], "the store keeps what it is given"),
    (
        "simulator",
        &["flow", "gateway", "mapping", "transport", "store", "queue", "fhir"],
        "the simulated payer knows X12 only, as a real one",
    ),
];

/// Outside libraries that are named in one place, so that another can take their place.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("backoff", &["src/retry.rs"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    ("deadpool_postgres", &["src/store/"]),
    ("fhirbolt", &["src/fhir/"]),
    ("figment", &["src/config.rs"]),
    ("hyper_util", &["src/http/", "src/simulator/"]),
    ("indicatif", &["src/cli/"]),
    ("lapin", &["src/queue/"]),
    ("metrics_exporter_prometheus", &["src/telemetry.rs"]),
    ("mimalloc", &["src/main.rs"]),
    ("reqwest", &["src/transport/"]),
    ("rusqlite", &["src/store/"]),
    ("rust_embed", &["src/assets.rs"]),
    ("tokio_postgres", &["src/store/"]),
    ("tracing_subscriber", &["src/telemetry.rs"]),
    ("warp", &["src/http/"]),
];

/// Words that stand in no source, with what to do instead.
const BANNED: &[(&[&str], &str)] = &[
    (&["todo", "!"], "what is not done is not in the tree"),
    (&["unimplemented", "!"], "what is not done is not in the tree"),
    (&["dbg", "!"], "log a field of `telemetry::FIELDS`"),
    (&["#", "[", "ignore"], "a test runs or is not there"),
];

/// Words that stand in tests only.
const TESTS_ONLY: &[(&[&str], &str)] = &[
    (&[".", "unwrap", "(", ")"], "give a Fault, or `expect` with the proof that it can't fail"),
    (&["panic", "!"], "give a Fault"),
];

/// Macros that write to the terminal, and where they may.
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln"];
const MAY_PRINT: &[&str] = &["src/cli/", "src/main.rs"];

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 500;
/// Files over the limit, each with its reason and its own limit.
const LONG_FILES: &[(&str, usize, &str)] = &[];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All sources below `src` or `tests`, sorted; read once.
fn sources(folder: &str) -> &'static [Source] {
    static SRC: OnceLock<Vec<Source>> = OnceLock::new();
    static TESTS: OnceLock<Vec<Source>> = OnceLock::new();
    let kept = if folder == "src" { &SRC } else { &TESTS };
    kept.get_or_init(|| read_all(folder))
}

fn read_all(folder: &str) -> Vec<Source> {
    let root = root();
    let mut paths = Vec::new();
    walk(&root.join(folder), &mut paths);
    paths.sort();
    let relative = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
    let mut sources: Vec<Source> = paths.iter().map(|path| Source::read(&root, &relative(path))).collect();
    let tests: Vec<String> = sources.iter().flat_map(Source::test_files).collect();
    sources.iter_mut().filter(|source| tests.contains(&source.path)).for_each(Source::is_all_tests);
    sources
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

/// Reads one source and complains, `file:line: …`.
type Check = fn(&Source) -> Vec<String>;

/// Runs a check over all sources of `src/` and fails with all complaints.
fn hold(check: Check) {
    hold_in(&["src"], check);
}

fn hold_in(folders: &[&str], check: Check) {
    let complaints: Vec<String> = folders.iter().flat_map(|folder| sources(folder)).flat_map(check).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

// --- Imports run down ---

#[test]
fn imports_run_down() {
    hold(imports);
}

fn imports(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for (n, word) in source.plain_words() {
        for to in imported(source, n) {
            // Declaring modules is the root's work.
            let Some(from) = source.modules_at(n).first().cloned() else { continue };
            complaints.extend(broken_wall(&from, &to).map(|why| source.complain(word.line, why)));
        }
    }
    complaints
}

/// Modules of ours that the path which begins at word `n` leads into; several for `crate::{a, b}`.
fn imported(source: &Source, n: usize) -> Vec<String> {
    let begins = n == 0 || source.word(n - 1) != "::";
    let first = match source.word(n) {
        "crate" | "claimgate" if begins && source.word(n + 1) == "::" => n + 2,
        "super" if begins => {
            let ups = (n..).step_by(2).take_while(|at| source.word(*at) == "super").count();
            if source.modules_at(n).len() != ups {
                return Vec::new();
            }
            n + 2 * ups
        }
        _ => return Vec::new(),
    };
    if source.word(first) != "{" {
        return vec![source.word(first).to_owned()];
    }
    let end = source.closing(first);
    let mut names = Vec::new();
    let mut at = first + 1;
    while at < end {
        names.push(source.word(at).to_owned());
        while at < end && source.word(at) != "," {
            at = if source.word(at) == "{" { source.closing(at) + 1 } else { at + 1 };
        }
        at += 1;
    }
    names
}

fn broken_wall(from: &str, to: &str) -> Option<String> {
    if from == to || to == "self" {
        return None;
    }
    let floor = |module: &str| FLOORS.iter().position(|floor| floor.contains(&module));
    let (Some(above), Some(below)) = (floor(from), floor(to)) else {
        return Some(format!("`{from}` imports `{to}`, and one of them has no floor: name it in FLOORS"));
    };
    let absent = ABSENT.iter().find(|(module, names, _)| *module == from && names.contains(&to));
    match (above < below, absent) {
        (true, None) => None,
        (true, Some((_, _, why))) => Some(format!("`{from}` must not know `{to}`: {why}")),
        (false, _) => {
            Some(format!("`{from}` imports `{to}`, which is on the same floor or above: imports run down only"))
        }
    }
}

#[test]
fn the_root_gives_no_names_away() {
    let root = Source::read(&root(), "src/lib.rs");
    let words: Vec<&str> = root.words.iter().map(|word| word.text.as_str()).collect();
    assert!(
        !words.windows(2).any(|pair| pair == ["pub", "use"]),
        "src/lib.rs: no `pub use`; import from where a thing lives"
    );
}

#[test]
fn each_module_has_a_floor() {
    let root = Source::read(&root(), "src/lib.rs");
    for (n, word) in root.words.iter().enumerate().filter(|(_, word)| word.text == "mod") {
        let name = root.word(n + 1);
        assert!(
            FLOORS.iter().any(|floor| floor.contains(&name)),
            "{}",
            root.complain(word.line, format!("`{name}` has no floor"))
        );
    }
}

// --- Outside libraries stay in their rooms ---

#[test]
fn libraries_stay_in_their_folders() {
    hold(libraries);
}

fn libraries(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for (n, word) in source.plain_words().filter(|(n, _)| source.word(n + 1) == "::") {
        let Some((name, rooms)) = LIBRARIES.iter().find(|(name, _)| *name == word.text) else { continue };
        // `crate::queue::lapin` would be a module of ours.
        let ours = n > 0 && source.word(n - 1) == "::";
        if !ours && !rooms.iter().any(|room| source.path.starts_with(room)) {
            complaints.push(source.complain(word.line, format!("`{name}` is named in {} only", rooms.join(", "))));
        }
    }
    complaints
}

#[test]
fn sql_stays_in_the_store() {
    hold(sql);
}

fn sql(source: &Source) -> Vec<String> {
    if source.path.starts_with("src/store/") {
        return Vec::new();
    }
    let statements = ["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "PRAGMA "];
    let lines = source.text.lines().zip(1..).filter(|(text, line)| {
        !text.trim_start().starts_with("//")
            && !source.is_test(*line)
            && statements.iter().any(|statement| text.contains(statement))
    });
    lines.map(|(_, line)| source.complain(line, "SQL stands in src/store only")).collect()
}

#[test]
fn codes_are_named_by_their_constants() {
    hold(codes);
    for (n, row) in CATALOGUE.iter().enumerate() {
        assert!(
            CATALOGUE[..n].iter().all(|other| other.code != row.code),
            "{} stands twice in the catalogue",
            row.code
        );
    }
}

fn codes(source: &Source) -> Vec<String> {
    if source.path == "src/fault.rs" {
        return Vec::new();
    }
    let written = |text: &str| {
        let mut after = text.split("\"CG-").skip(1);
        after.any(|rest| rest.len() > 4 && rest.as_bytes()[..4].iter().all(u8::is_ascii_digit))
    };
    let lines = source.text.lines().zip(1..).filter(|(text, line)| written(text) && !source.is_test(*line));
    lines.map(|(_, line)| source.complain(line, "an error code as text: use the constant of `fault::codes`")).collect()
}

// --- Words that do not stand here ---

#[test]
fn banned_words_are_absent() {
    hold_in(&["src", "tests"], banned);
    hold(tests_only);
    hold(printing);
}

fn banned(source: &Source) -> Vec<String> {
    let all = (0..source.words.len()).filter_map(|n| Some((n, said(source, n, BANNED)?)));
    all.map(|(n, why)| source.complain(source.words[n].line, why)).collect()
}

fn tests_only(source: &Source) -> Vec<String> {
    let all = source.plain_words().filter_map(|(n, word)| Some((word.line, said(source, n, TESTS_ONLY)?)));
    all.map(|(line, why)| source.complain(line, why)).collect()
}

fn said(source: &Source, n: usize, table: &[(&[&str], &str)]) -> Option<String> {
    let (words, why) =
        table.iter().find(|(words, _)| words.iter().enumerate().all(|(k, word)| source.word(n + k) == *word))?;
    Some(format!("`{}`: {why}", words.concat()))
}

fn printing(source: &Source) -> Vec<String> {
    if MAY_PRINT.iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    let all =
        source.plain_words().filter(|(n, word)| PRINTING.contains(&word.text.as_str()) && source.word(n + 1) == "!");
    all.map(|(_, word)| source.complain(word.line, "only the command line prints: use `tracing`")).collect()
}

#[test]
fn no_path_of_a_machine_is_written_down() {
    let homes = ["/work", "/root", "/home"].map(|home| format!("{home}/"));
    for source in sources("src").iter().chain(sources("tests")) {
        for (text, line) in source.text.lines().zip(1..) {
            assert!(
                !homes.iter().any(|home| text.contains(home)),
                "{}",
                source.complain(line, "a path of one machine")
            );
        }
    }
}

// --- Sizes ---

#[test]
fn functions_and_files_stay_short() {
    hold(long_functions);
    hold(long_files);
}

fn long_functions(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for (n, word) in source.plain_words().filter(|(_, word)| word.text == "fn") {
        let Some(body) = body_of(source, n) else { continue };
        let lines = source.words[source.closing(body)].line - word.line + 1;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("`{}` has {lines} lines; {FUNCTION_LINES_MAX} at most", source.word(n + 1));
            complaints.push(source.complain(word.line, what));
        }
    }
    complaints
}

/// The brace that opens the body of the function at `n`; none for a declaration or a function type.
fn body_of(source: &Source, n: usize) -> Option<usize> {
    let mut at = n + 1;
    loop {
        match source.word(at) {
            "{" => return Some(at),
            "" | ";" | "}" | ")" | "," => return None,
            "(" | "[" => at = source.closing(at),
            _ => {}
        }
        at += 1;
    }
}

fn long_files(source: &Source) -> Vec<String> {
    let lines = (1..=source.text.lines().count()).filter(|line| !source.is_test(*line)).count();
    let limit =
        LONG_FILES.iter().find(|(path, ..)| *path == source.path).map_or(FILE_LINES_MAX, |(_, limit, _)| *limit);
    let long = (lines > limit).then(|| source.complain(limit, format!("{lines} lines without tests; {limit} at most")));
    long.into_iter().collect()
}

// --- Logs and metrics hold no PHI ---

#[test]
fn log_lines_hold_known_fields_only() {
    hold(log_lines);
}

const LOGGING: &[&str] = &[
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "event",
    "span",
    "trace_span",
    "debug_span",
    "info_span",
    "warn_span",
    "error_span",
];

fn log_lines(source: &Source) -> Vec<String> {
    let mut complaints = Vec::new();
    for (n, word) in source.plain_words() {
        let complain = |what: String| source.complain(word.line, what);
        if word.text == "instrument" && (source.word(n + 1), source.word(n + 2)) != ("(", "skip_all") {
            complaints.push(complain("`instrument` writes every argument down: say `skip_all` first".into()));
        }
        if LOGGING.contains(&word.text.as_str()) && source.word(n + 1) == "!" {
            complaints
                .extend(arguments(source, n + 2).iter().filter_map(|argument| wrong_argument(argument)).map(complain));
        }
    }
    complaints
}

/// The arguments of a macro whose bracket stands at word `open`, as written.
fn arguments(source: &Source, open: usize) -> Vec<String> {
    let end = source.closing(open);
    let mut arguments = Vec::new();
    let (mut at, mut start) = (open + 1, source.words[open].at + 1);
    while at < end {
        match source.word(at) {
            "(" | "[" | "{" => at = source.closing(at),
            "," => {
                arguments.push(source.text[start..source.words[at].at].trim().to_owned());
                start = source.words[at].at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    arguments.push(source.text[start..source.words[end].at].trim().to_owned());
    arguments
}

fn wrong_argument(argument: &str) -> Option<String> {
    if argument.is_empty()
        || ["target:", "parent:", "name:", "Level::", "tracing::Level::"].iter().any(|word| argument.starts_with(word))
    {
        return None;
    }
    if let Some(message) = argument.strip_prefix('"') {
        return message.contains('{').then(|| "a log line's message is a fixed text: put values into fields".into());
    }
    let (name, value) =
        argument.split_once('=').map_or((argument, argument), |(name, value)| (name.trim(), value.trim()));
    if value.starts_with('?') {
        return Some(format!("`{argument}` writes a whole value down: name the part that is meant"));
    }
    let name = name.trim_start_matches(['%', '?']);
    let known = FIELDS.iter().any(|(field, _)| *field == name);
    (!known).then(|| format!("`{name}` is no field of `telemetry::FIELDS`"))
}

#[test]
fn metrics_are_those_of_the_table() {
    let table = Source::read(&root(), "src/telemetry.rs");
    let constant = |row: &claimgate::telemetry::MetricRow| {
        let line = table.text.lines().find(|line| line.contains(&format!("= \"{}\"", row.name))).unwrap();
        line.split_whitespace().next().unwrap().to_owned()
    };
    let rows: Vec<(String, &[&str])> = METRICS.iter().map(|row| (constant(row), row.labels)).collect();
    let found = sources("src").iter().filter(|source| source.path != "src/telemetry.rs");
    let complaints: Vec<String> = found.flat_map(|source| metric_calls(source, &rows)).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    // One that nobody counts would stand at nothing for ever, and be believed.
    let counted =
        |constant: &str| sources("src").iter().any(|source| metric_names(source).any(|name| name == constant));
    for (constant, _) in &rows {
        assert!(counted(constant), "src/telemetry.rs: `{constant}` is counted nowhere");
    }
}

/// The constants that stand as first arguments of the macros that count.
fn metric_names(source: &Source) -> impl Iterator<Item = String> {
    let calls = source.plain_words().filter(|(n, word)| {
        matches!(word.text.as_str(), "counter" | "gauge" | "histogram") && source.word(n + 1) == "!"
    });
    calls.map(|(n, _)| arguments(source, n + 2)[0].rsplit("::").next().unwrap_or_default().to_owned())
}

fn metric_calls(source: &Source, rows: &[(String, &[&str])]) -> Vec<String> {
    let mut complaints = Vec::new();
    let calls = source.plain_words().filter(|(n, word)| {
        matches!(word.text.as_str(), "counter" | "gauge" | "histogram") && source.word(n + 1) == "!"
    });
    for (n, word) in calls {
        let arguments = arguments(source, n + 2);
        let name = arguments[0].rsplit("::").next().unwrap_or_default();
        let Some((_, labels)) = rows.iter().find(|(constant, _)| constant == name) else {
            complaints
                .push(source.complain(word.line, format!("`{}` is no metric of `telemetry::name`", arguments[0])));
            continue;
        };
        for label in
            arguments[1..].iter().filter_map(|argument| Some(argument.split_once("=>")?.0.trim().trim_matches('"')))
        {
            if !labels.contains(&label) {
                complaints.push(source.complain(word.line, format!("`{label}` is no label of {name}")));
            }
        }
    }
    complaints
}

// --- The checks see what they are for ---

#[test]
fn each_check_finds_its_fault() {
    let long = format!("fn f() {{\n{}}}\n", "a();\n".repeat(FUNCTION_LINES_MAX));
    let rows: &[(Check, &str, &str, usize)] = &[
        (imports, "src/x12/reader.rs", "use crate::billing::date;", 1),
        (imports, "src/x12/reader.rs", "use crate::{fault::{Fault, Issue}, store, assets::Folder};", 1),
        (imports, "src/x12/reader.rs", "fn f() { crate::http::serve() }", 1),
        (imports, "src/x12/reader.rs", "use super::super::billing::date;", 1),
        (imports, "src/x12/mod.rs", "mod inner { use super::super::billing::date; use super::reader; }", 1),
        (imports, "src/x12/reader.rs", "use super::segment; use crate::x12::guide; use crate::fault::Fault;", 0),
        (imports, "src/x12/reader.rs", "#[cfg(test)] mod tests { use crate::http; }", 0),
        (imports, "src/fhir/mod.rs", "use crate::x12::guide;", 1),
        (imports, "src/store/mod.rs", "use crate::queue::Message;", 1),
        (imports, "src/main.rs", "use claimgate::flow; use claimgate::cli;", 0),
        (imports, "src/unknown.rs", "use crate::fault;", 1),
        (libraries, "src/flow/submit.rs", "use warp::Filter; fn f() { lapin::x() }", 2),
        (libraries, "src/http/mod.rs", "use warp::Filter; // lapin::x", 0),
        (sql, "src/flow/submit.rs", "fn f() { query(\"SELECT id FROM x\") }", 1),
        (codes, "src/flow/submit.rs", "fn f() { issue(\"CG-1001\") }", 1),
        (banned, "src/a.rs", "fn f() { todo!() } #[ignore] fn g() { dbg!(1) }", 3),
        (
            tests_only,
            "src/a.rs",
            "fn f() { g().unwrap(); h().unwrap_or(1); }\n#[cfg(test)] mod tests { fn i() { g().unwrap() } }",
            1,
        ),
        (printing, "src/flow/mod.rs", "fn f() { println!(\"x\") }", 1),
        (printing, "src/cli/map.rs", "fn f() { println!(\"x\") }", 0),
        (long_functions, "src/a.rs", &long, 1),
        (long_functions, "src/a.rs", &long.replacen("a();\n", "", 2), 0),
        (long_files, "src/a.rs", &"a\n".repeat(FILE_LINES_MAX + 1), 1),
        (long_files, "src/a.rs", &"a\n".repeat(FILE_LINES_MAX), 0),
        (log_lines, "src/a.rs", "fn f() { tracing::info!(patient = %name, \"seen\") }", 1),
        (
            log_lines,
            "src/a.rs",
            "fn f() { info!(\"seen {name}\"); warn!(?claim, \"x\"); error!(reason = ?claim, \"x\") }",
            3,
        ),
        (log_lines, "src/a.rs", "fn f() { info!(payer = %id, %error, bytes = a.len(), status, \"fixed, text\") }", 0),
        (log_lines, "src/a.rs", "#[tracing::instrument] fn f() {} #[instrument(skip_all)] fn g() {}", 1),
    ];
    for (check, path, text, complaints) in rows {
        let found = check(&Source::new(path, text));
        assert_eq!(found.len(), *complaints, "{path}: {text}\n{}", found.join("\n"));
    }
}

#[test]
fn the_metric_check_finds_its_faults() {
    let rows = [("SENDS".to_owned(), &["payer"] as &[&str])];
    let text = "fn f() { counter!(name::SENDS, \"payer\" => p).increment(1); counter!(\"x\"); gauge!(name::SENDS, \"claim\" => c); }";
    assert_eq!(metric_calls(&Source::new("src/a.rs", text), &rows).len(), 2);
}
