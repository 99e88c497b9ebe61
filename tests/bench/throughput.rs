//! How fast one core translates: a claim's Bundle to its 837P, beside what serde_json takes to read the same bytes alone,
//! and a remittance to ClaimResponses. `cargo bench --bench throughput`; every figure is of one thread.
#![allow(clippy::unwrap_used, reason = "a bench that can't go on fails where it stands")]

use claimgate::clock::Clock;
use claimgate::config::Config;
use claimgate::fault::Issue;
use claimgate::flow::convert::{self, Sink, Told};
use claimgate::flow::{prepare, translate};
use claimgate::gateway::Translator;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sample claims, by what is in them.
const CLAIMS: &[&str] = &["1-paid.json", "2-partly-paid.json"];
const PAYER: &str = "generic";
/// Claims of a remittance.
const REMITTED: &[usize] = &[1, 1_000];

fn main() {
    divan::main();
}

fn translator() -> &'static Translator {
    static LOADED: OnceLock<Translator> = OnceLock::new();
    LOADED.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (mappings_dir, conformance_dir) = (root.join("mappings"), root.join("conformance"));
        Translator::load(Config { mappings_dir, conformance_dir, ..Config::default() }).unwrap()
    })
}

fn claim(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/demo").join(name)).unwrap()
}

/// Reading the bytes into a tree, and no more: what any gateway pays.
#[divan::bench(args = CLAIMS)]
fn bundle_read_by_serde_json(bencher: Bencher, name: &str) {
    let bytes = claim(name);
    let read = || serde_json::from_slice::<serde_json::Value>(black_box(&bytes)).unwrap();
    bencher.counter(BytesCount::of_slice(&bytes)).counter(ItemsCount::new(1_u32)).bench_local(read);
}

/// The whole way: read, check against R4, resolve, map, edit, map, check against the guide, write, assemble.
#[divan::bench(args = CLAIMS)]
fn bundle_to_837p(bencher: Bencher, name: &str) {
    let bytes = claim(name);
    let map = || translate::map(translator(), PAYER, black_box(&bytes), 1).unwrap().bytes;
    map();
    bencher.counter(BytesCount::of_slice(&bytes)).counter(ItemsCount::new(1_u32)).bench_local(map);
}

/// Of that: reading, checking and resolving.
#[divan::bench(args = CLAIMS)]
fn bundle_read_and_checked(bencher: Bencher, name: &str) {
    let bytes = claim(name);
    let read = || translate::read(translator(), black_box(&bytes)).unwrap();
    read();
    bencher.counter(BytesCount::of_slice(&bytes)).counter(ItemsCount::new(1_u32)).bench_local(read);
}

/// Of that: mapping to a record, edits, mapping to X12, checking and writing.
#[divan::bench(args = CLAIMS)]
fn resources_to_transaction(bencher: Bencher, name: &str) {
    let bytes = claim(name);
    let resources = translate::read(translator(), &bytes).unwrap();
    let known = translate::known(&resources, Clock::System.now());
    let prepare = || prepare::prepare(translator(), black_box(&resources), Some(PAYER), &known).unwrap().parts.len();
    prepare();
    bencher.counter(BytesCount::of_slice(&bytes)).counter(ItemsCount::new(1_u32)).bench_local(prepare);
}

/// Writes every resource, to nowhere.
#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn resource(&mut self, _: &str, write: &mut dyn FnMut(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
        self.0 += 1;
        write(&mut io::sink())
    }

    fn issue(&mut self, issue: &Issue) {
        panic!("{issue}");
    }
}

/// A payer's remittance to one ClaimResponse a claim and one PaymentReconciliation.
#[divan::bench(args = REMITTED)]
fn remittance_to_claim_responses(bencher: Bencher, claims: usize) {
    let bytes = remittance(claims);
    let convert = || {
        let mut count = Count::default();
        convert::convert(translator(), PAYER, Told::ClaimResponse, black_box(bytes.as_slice()), &mut count).unwrap();
        count.0
    };
    assert_eq!(convert(), claims + 1);
    bencher.counter(BytesCount::of_slice(&bytes)).counter(ItemsCount::new(claims)).bench_local(convert);
}

/// A balanced 835 of so many claims of one line each: 100 charged, 80 paid, 15 written off, 5 the patient's.
fn remittance(claims: usize) -> Vec<u8> {
    let mut set = format!(
        "BPR*I*{}*C*ACH*CCP*01*111333555*DA*144444*1935665544**01*888999777*DA*24681012*20250325~\n\
         TRN*1*71700666555*1935665544~\nDTM*405*20250324~\nN1*PR*KEY INSURANCE COMPANY~\nN3*10 SOUTH AVENUE~\n\
         N4*RAPID CITY*SD*57701~\nPER*BL*EDI HELP*TE*8005551212~\nN1*PE*BEN KILDARE SERVICE*XX*1234567893~\nLX*1~\n",
        80 * claims
    );
    for n in 0..claims {
        write!(
            set,
            "CLP*ACC{n:07}*1*100*80*5*12*{n:014}*11*1~\nNM1*QC*1*SMITH*TED****MI*JS{n:09}~\nDTM*050*20250312~\n\
             SVC*HC:99213*100*80**1~\nDTM*472*20250303~\nCAS*CO*45*15~\nCAS*PR*1*5~\nAMT*B6*85~\n"
        )
        .unwrap();
    }
    let segments = set.lines().count() + 2;
    format!(
        "ISA*00*          *00*          *ZZ*PAYER99        *ZZ*GATEWAY01      *250325*0605*^*00501*000000900*0*T*:~\n\
         GS*HP*PAYER99*GATEWAY01*20250325*0605*900*X*005010X221A1~\nST*835*0007~\n{set}SE*{segments}*0007~\nGE*1*900~\nIEA*1*000000900~\n"
    )
    .into_bytes()
}
