use super::*;

/// An ISA with these delimiters, for tests.
pub fn isa(element: char, repetition: char, component: char, terminator: &str) -> String {
    let e = element;
    format!(
        "ISA{e}00{e}          {e}00{e}          {e}ZZ{e}SENDER         {e}ZZ{e}RECEIVER       \
         {e}250303{e}1200{e}{repetition}{e}00501{e}000000001{e}0{e}T{e}{component}{terminator}"
    )
}

fn raws(text: &str) -> Vec<String> {
    Tokens::new(text).map(|token| String::from_utf8_lossy(token.raw).into_owned()).collect()
}

fn ids(text: &str) -> Vec<String> {
    raws(text).iter().map(|raw| raw.split(['*', '|']).next().unwrap().to_owned()).collect()
}

#[test]
fn each_isa_sets_its_own_delimiters() {
    let text = format!("{}GS*HC~IEA*1~\r\n{}GS|HC\nIEA|1\n", isa('*', '^', ':', "~"), isa('|', '!', '>', "\n"));
    let tokens: Vec<_> = Tokens::new(&text).collect();
    assert_eq!(ids(&text), ["ISA", "GS", "IEA", "ISA", "GS", "IEA"]);
    assert_eq!(tokens[4].delimiters.repetition, Some(b'!'));
    assert!(tokens.iter().all(|token| token.terminated));
}

#[test]
fn any_terminator_and_line_end_is_taken() {
    for (terminator, newline) in
        [("~", false), ("~\n", true), ("~\r\n", true), ("\n", false), ("\r\n", true), ("\r", false), ("'", false)]
    {
        let text = format!("\u{feff} \n{}GS*HC{terminator}IEA*1{terminator}", isa('*', '^', ':', terminator));
        assert_eq!(ids(&text), ["ISA", "GS", "IEA"], "{terminator:?}");
        assert_eq!(Tokens::new(&text).next().unwrap().delimiters.newline, newline, "{terminator:?}");
    }
}

#[test]
fn garbage_and_a_missing_terminator_do_not_stop_the_reading() {
    let text = format!("hello{}IEA*1*1\n{}IEA*1*1", isa('*', '^', ':', "~"), isa('*', '^', ':', "~"));
    let tokens: Vec<_> = Tokens::new(&text).collect();
    assert_eq!(ids(&text), ["hello", "ISA", "IEA", "ISA", "IEA"]);
    assert_eq!(tokens[0].kind, Kind::Garbage);
    assert!(!tokens[2].terminated && !tokens[4].terminated);
}

#[test]
fn what_stands_between_interchanges_swallows_none() {
    let head = isa('*', '^', ':', "~");
    let text = format!("{head}GS*HC~IEA*1*1~\n-- end of file 1 --\n{head}SE*1GE*1*1\n{head}IEA*1*1~\r\n\u{1a}");
    assert_eq!(ids(&text), ["ISA", "GS", "IEA", "-- end of file 1 --\n", "ISA", "SE", "ISA", "IEA"]);
    let mut tokens = Tokens::new(&text);
    tokens.by_ref().for_each(drop);
    assert_eq!(tokens.rest(), b"\r\n\x1a");
}

#[test]
fn a_binary_element_may_hold_terminators() {
    let head = isa('*', '^', ':', "~");
    for (body, expected) in [
        ("BIN*5*a~b*c~SE*1~", "BIN*5*a~b*c"),
        ("BDS*B64*3*~~~~SE*1~", "BDS*B64*3*~~~"),
        // A length that is wrong is not believed.
        ("BIN*9*a~SE*1~", "BIN*9*a"),
    ] {
        assert_eq!(raws(&format!("{head}{body}"))[1], expected);
    }
}

#[test]
fn a_segment_that_is_too_long_is_passed_over() {
    let text = format!("{}K3*{}~SE*1~", isa('*', '^', ':', "~"), "A".repeat(2 * MAX_SEGMENT));
    let kinds: Vec<_> = Tokens::new(&text).skip(1).map(|token| (token.kind, token.terminated)).collect();
    let (overlong, segment) = (Kind::Overlong, Kind::Segment);
    assert_eq!(kinds, [(overlong, false), (overlong, false), (overlong, true), (segment, true)]);
}

#[test]
fn lines_and_offsets_are_those_of_the_input() {
    let text = format!("{}GS*HC~\nST*837~\n", isa('*', '^', ':', "~\n"));
    let places: Vec<_> = Tokens::new(&text).map(|token| (token.offset, token.line)).collect();
    assert_eq!(places, [(0, 1), (107, 2), (114, 3)]);
}
