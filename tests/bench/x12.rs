//! How fast X12 is read, checked and written: MB/s on one core, beside the ceiling (a memchr scan that counts segments and
//! elements), and beside other readers as whole processes on the same kind of file. `cargo bench --bench x12`.
//! pyx12 runs when `CLAIMGATE_PYX12` names its x12valid, LinuxForHealth when `CLAIMGATE_LINUXFORHEALTH` names a Python that
//! has the package `linuxforhealth-x12`; `tests/run.sh --bench` installs both. `CLAIMGATE_BENCH_BYTES` is the size of the file
//! that our own commands read (default 100 MB), whose peak memory is told: with 1000000000, and `-- none` to leave out the
//! benches in memory, it is the proof of 1 GB.
#![allow(clippy::disallowed_methods, reason = "it watches a process, and nothing else runs meanwhile")]
#![allow(clippy::unwrap_used, reason = "a bench that can't go on fails where it stands")]
#![allow(clippy::disallowed_types, reason = "figures for people")]

use claimgate::assets::Folder;
use claimgate::x12::audit::audit;
use claimgate::x12::check::check_interchange;
use claimgate::x12::guide::Guides;
use claimgate::x12::stream::{Follower, Segments};
use claimgate::x12::text::Text;
use claimgate::x12::tokens::Tokens;
use claimgate::x12::{format, json, reader, writer};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

#[path = "../support/x12.rs"]
mod made;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KINDS: &[&str] = &["835", "837p"];
/// Bytes of a file that is read in memory, and of one for slow readers.
const MEDIUM: usize = 10 << 20;
const SMALL: usize = 200 << 10;

fn main() {
    divan::main();
    peers();
}

fn bytes_of(kind: &str, bytes: usize) -> Vec<u8> {
    let made = if kind == "835" { made::remittance(bytes) } else { made::claims(bytes) };
    made.collect::<String>().into_bytes()
}

fn medium(kind: &str) -> &'static [u8] {
    static MADE: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [bytes_of("835", MEDIUM), bytes_of("837p", MEDIUM)]);
    &MADE[usize::from(kind != "835")]
}

fn guides() -> &'static Guides {
    static GUIDES: LazyLock<Guides> = LazyLock::new(|| Guides::load(&Folder::ShippedConformance).unwrap());
    &GUIDES
}

/// Runs over a file again and again.
fn over<T>(bencher: Bencher, kind: &str, run: impl Fn(&[u8]) -> T) {
    let bytes = medium(kind);
    bencher.counter(BytesCount::of_slice(bytes)).bench_local(|| run(black_box(bytes)));
}

/// What no reader can beat.
#[divan::bench(args = KINDS)]
fn a_memchr_ceiling(bencher: Bencher, kind: &str) {
    over(bencher, kind, |bytes| {
        memchr::memchr2_iter(b'~', b'*', bytes).fold((0u64, 0u64), |(segments, elements), at| match bytes[at] {
            b'~' => (segments + 1, elements),
            _ => (segments, elements + 1),
        })
    });
}

/// The same counts by our tokeniser: aim 0.7 of the ceiling.
#[divan::bench(args = KINDS)]
fn b_tokens(bencher: Bencher, kind: &str) {
    over(bencher, kind, |bytes| {
        Tokens::new(bytes).fold((0u64, 0usize), |(segments, elements), token| {
            (segments + 1, elements + memchr::memchr_iter(token.delimiters.element, token.raw).count())
        })
    });
}

/// Through a buffer, with the walk of the envelope.
#[divan::bench(args = KINDS)]
fn c_streamed_segments(bencher: Bencher, kind: &str) {
    over(bencher, kind, |bytes| {
        let mut segments = Segments::new(bytes);
        let mut count = 0u64;
        while segments.next_segment().unwrap().is_some() {
            count += 1;
        }
        count
    });
}

/// And each segment placed in its loop.
#[divan::bench(args = KINDS)]
fn d_streamed_loops(bencher: Bencher, kind: &str) {
    over(bencher, kind, |bytes| {
        let mut segments = Segments::new(bytes);
        let mut follower = Follower::new(guides());
        let mut depth = 0;
        while let Some(step) = segments.next_segment().unwrap() {
            follower.take(&step);
            depth += follower.depth();
        }
        depth
    });
}

/// The full check of a file in memory: aim 0.25 of the ceiling.
#[divan::bench(args = KINDS)]
fn e_read_and_checked(bencher: Bencher, kind: &str) {
    over(bencher, kind, |bytes| {
        let text = Text::decode(bytes);
        let (interchanges, _) = reader::read_text(&text);
        let issues: usize = interchanges.iter().map(|found| check_interchange(guides(), found).len()).sum();
        assert_eq!(issues, 0);
    });
}

/// The full check portion by portion, in constant memory.
#[divan::bench(args = KINDS)]
fn f_streamed_and_checked(bencher: Bencher, kind: &str) {
    over(bencher, kind, |bytes| {
        audit(guides(), bytes, |issue| -> ControlFlow<()> { panic!("{issue}") }).unwrap();
    });
}

/// Byte for byte from read to write.
#[divan::bench(args = KINDS)]
fn g_rewritten(bencher: Bencher, kind: &str) {
    over(bencher, kind, |bytes| {
        let mut out = Vec::with_capacity(bytes.len());
        format::as_read(bytes, &mut out).unwrap().unwrap();
        out
    });
}

/// One segment a line as JSON.
#[divan::bench(args = KINDS)]
fn h_ndjson(bencher: Bencher, kind: &str) {
    over(bencher, kind, |bytes| {
        let mut segments = Segments::new(bytes);
        let mut out = Vec::with_capacity(6 * bytes.len());
        while let Some(step) = segments.next_segment().unwrap() {
            json::write_segment(&step.segment, "2400", &mut out).unwrap();
        }
        out
    });
}

/// Segments to bytes.
#[divan::bench(args = KINDS)]
fn i_writer(bencher: Bencher, kind: &str) {
    let bytes = medium(kind);
    let text = Text::decode(bytes);
    let (interchanges, _) = reader::read_text(&text);
    let segments: Vec<_> = interchanges.iter().flat_map(|found| found.sets()).flat_map(|set| &set.segments).collect();
    let mut out = Vec::with_capacity(bytes.len());
    bencher.counter(BytesCount::of_slice(bytes)).bench_local(|| {
        out.clear();
        segments.iter().for_each(|segment| writer::write_segment(segment, &mut out));
        out.len()
    });
}

/// Python that goes through the segments of a file.
const PYX12: &str = "import sys\nfrom pyx12.x12file import X12Reader\nfor segment in X12Reader(sys.argv[1]): pass";
const LINUX_FOR_HEALTH: &str = "import sys\nfrom linuxforhealth.x12.io import X12SegmentReader\n\
    with X12SegmentReader(sys.argv[1]) as r:\n    for segment in r.segments(): pass";

/// A reader as a process: its name, bytes of the file that suits it, and how it is called.
type Peer = (&'static str, usize, fn(&Path) -> Option<Command>);

const PEERS: [Peer; 7] = [
    ("claimgate x12 format", 0, |file| Some(ours(&["x12", "format"], file))),
    ("claimgate x12 parse --ndjson", 0, |file| Some(ours(&["x12", "parse", "--ndjson"], file))),
    ("claimgate validate", 0, |file| Some(ours(&["validate"], file))),
    ("claimgate x12 ack", 0, |file| Some(ours(&["x12", "ack"], file))),
    ("pyx12, reading", 2 << 20, |file| {
        let mut command = Command::new(named("CLAIMGATE_PYX12")?.with_file_name("python"));
        command.args(["-c", PYX12]).arg(file);
        Some(command)
    }),
    ("pyx12, validation", SMALL, |file| {
        let mut command = Command::new(named("CLAIMGATE_PYX12")?);
        command.arg(file);
        Some(command)
    }),
    ("LinuxForHealth, reading", 2 << 20, |file| {
        let mut command = Command::new(named("CLAIMGATE_LINUXFORHEALTH")?);
        command.args(["-c", LINUX_FOR_HEALTH]).arg(file);
        Some(command)
    }),
];

/// The program that a variable names.
fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file())
}

fn ours(arguments: &[&str], file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claimgate"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).arg(file);
    // What the bench itself is told is no setting.
    command.env_remove("CLAIMGATE_BENCH_BYTES").env_remove("CLAIMGATE_LINUXFORHEALTH");
    command
}

/// Whole processes on the same kind of file, start and all.
fn peers() {
    let long = std::env::var("CLAIMGATE_BENCH_BYTES").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000_000);
    println!("\nwhole processes: file, time, speed, most memory held");
    for (name, bytes, call) in PEERS {
        for kind in KINDS {
            let bytes = if bytes == 0 { long } else { bytes };
            let file = written(kind, bytes);
            let length = file.as_file().metadata().unwrap().len();
            match call(file.path()).map(run) {
                Some(Some((time, peak, code))) => {
                    let speed = speed(length, time);
                    println!("{name} {kind}: {length} bytes, {time:.2?}, {speed:.2} MB/s, {peak} MiB, exit {code}");
                }
                Some(None) => println!("{name} {kind}: failed"),
                None => println!("{name} {kind}: not here"),
            }
        }
    }
}

fn written(kind: &str, bytes: usize) -> tempfile::NamedTempFile {
    let made = if kind == "835" { made::remittance(bytes) } else { made::claims(bytes) };
    let mut file = tempfile::Builder::new().suffix(".x12").tempfile().unwrap();
    let mut out = std::io::BufWriter::new(&mut file);
    made.for_each(|piece| out.write_all(piece.as_bytes()).unwrap());
    out.flush().unwrap();
    drop(out);
    file
}

/// How long a command takes, the most memory it held in MiB (0 where the system does not tell), and its exit code: pyx12 has
/// complaints of its own. `None` when it can't be run.
fn run(mut command: Command) -> Option<(Duration, u64, i32)> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().ok()? {
            break status;
        }
        peak = held(child.id()).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(2));
    };
    Some((start.elapsed(), peak, status.code()?))
}

/// VmHWM of a process, in MiB.
fn held(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok().map(|held: u64| held >> 10)
}

fn speed(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}
