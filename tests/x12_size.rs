//! Files of any length go through the real executable in constant memory.

use crate::support::x12::{Made, claims, remittance};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Most memory that a process may ever hold, in KiB.
const MEMORY_MAX: u64 = 64 << 10;
/// What it may hold more at the end of a file than at a quarter of it, in KiB: less than what came between. The numbers of
/// the claims of a set are remembered, to find those that come twice.
const GROWTH_MAX: u64 = 3 << 10;
const LONG: usize = 100 << 20;
/// For what is slow in an executable that is not optimised.
const SHORT: usize = 6 << 20;

/// The most that a process held so far (VmHWM), in KiB.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Feeds a file to a command; gives back its exit code and how much it held at a quarter and before the end.
fn run(arguments: &[&str], made: &Made, bytes: usize, read: fn(ChildStdout, Made)) -> (Option<i32>, u64, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claimgate"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let expected = made.clone();
    let reader = std::thread::spawn(move || read(stdout, expected));
    let mut pieces = made.clone();
    let early = feed(&mut stdin, &mut pieces, bytes / 4, &child);
    let late = feed(&mut stdin, &mut pieces, bytes * 3 / 4 - 1000, &child);
    pieces.for_each(|piece| stdin.write_all(piece.as_bytes()).unwrap());
    drop(stdin);
    reader.join().unwrap();
    (child.wait().unwrap().code(), early, late)
}

fn feed(stdin: &mut ChildStdin, pieces: &mut Made, bytes: usize, child: &Child) -> u64 {
    let mut buffer = String::new();
    let mut fed = 0;
    while fed < bytes {
        buffer.clear();
        while buffer.len() < 1 << 16 {
            buffer.push_str(&pieces.next().unwrap());
        }
        stdin.write_all(buffer.as_bytes()).unwrap();
        fed += buffer.len();
    }
    peak(child)
}

/// The output is what was fed.
fn same(mut stdout: ChildStdout, expected: Made) {
    let mut found = Vec::new();
    for piece in expected {
        found.resize(piece.len(), 0);
        stdout.read_exact(&mut found).unwrap();
        assert_eq!(found, piece.as_bytes());
    }
    assert_eq!(stdout.read(&mut [0]).unwrap(), 0);
}

fn clean(mut stdout: ChildStdout, _: Made) {
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    assert_eq!(text, "-: clean\n");
}

/// The file is accepted whole.
fn accepted(mut stdout: ChildStdout, _: Made) {
    let mut text = String::new();
    stdout.read_to_string(&mut text).unwrap();
    assert!(text.contains("AK9*A*1*1*1~"), "{text}");
    assert!(!text.contains("IK3*"), "{text}");
}

fn holds_little((code, early, late): (Option<i32>, u64, u64)) {
    assert_eq!(code, Some(0));
    assert!(late < MEMORY_MAX, "{late} KiB");
    assert!(late < early + GROWTH_MAX, "{early} KiB, then {late} KiB");
}

#[test]
fn long_files_are_rewritten_in_constant_memory() {
    for made in [remittance(LONG), claims(LONG)] {
        holds_little(run(&["x12", "format", "-"], &made, LONG, same));
    }
}

#[test]
fn long_sets_are_validated_in_constant_memory() {
    for made in [remittance(SHORT), claims(SHORT)] {
        holds_little(run(&["validate", "-"], &made, SHORT, clean));
    }
}

#[test]
fn long_sets_are_acknowledged_in_constant_memory() {
    for made in [remittance(SHORT), claims(SHORT)] {
        holds_little(run(&["x12", "ack", "-"], &made, SHORT, accepted));
    }
}
