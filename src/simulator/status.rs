//! 277CA and 277 of the simulated payer.

use super::Decided;
use super::claim::{Claim, Line};
use super::envelope::{Paper, Segments, money};
use super::payment::payer_number;
use super::scenario::{LineStatus, Outcome, Scenario, matches};
use rust_decimal::Decimal;

const GUIDE_277CA: &str = "005010X214";
const GUIDE_277: &str = "005010X212";
/// Accepted for processing.
const ACCEPTED: &str = "A2:20";
/// Received by the payer.
const RECEIVED: &str = "A1:19:PR";

/// The 277CA for all claims that a set of the file holds: one set for each set of the file.
pub fn acknowledge(paper: &Paper, scenario: &Scenario, claims: &[&Decided]) -> String {
    write_sets(paper, claims, GUIDE_277CA, |out, claims| {
        batch(out, paper, scenario, claims);
        let mut level = Levels::below_the_receiver();
        for provider in by_provider(claims) {
            let hl = level.open(out, 2, "19", "1");
            let first = &provider[0].claim;
            out.write(&["NM1", "85", "2", &first.provider, "", "", "", "", "XX", &first.npi]);
            out.write(&["TRN", "1", "0"]);
            let all: Decimal = provider.iter().map(|each| each.claim.charge).sum();
            let received = composite(out, RECEIVED);
            out.write(&["STC", &received, "", "WQ", &money(all)]);
            counts(out, &provider, ["QA", "QC"]);
            for each in provider {
                level.open(out, hl, "PT", "");
                acknowledge_claim(out, paper, each);
            }
        }
    })
}

/// The 277 that says why claims wait, unasked for.
pub fn pend(paper: &Paper, scenario: &Scenario, claims: &[&Decided]) -> String {
    write_sets(paper, claims, GUIDE_277, |out, claims| {
        let batch = format!("P{}", paper.control_number());
        out.write(&["BHT", "0010", "08", &batch, &paper.date, &paper.time, "DG"]);
        let first = &claims[0].claim;
        out.write(&["HL", "1", "", "20", "1"]);
        payer(out, scenario, first);
        out.write(&["HL", "2", "1", "21", "1"]);
        out.write(&["NM1", "41", "2", &first.provider, "", "", "", "", "46", &first.npi]);
        let mut level = Levels::below_the_receiver();
        for provider in by_provider(claims) {
            let hl = level.open(out, 2, "19", "1");
            out.write(&["NM1", "1P", "2", &provider[0].claim.provider, "", "", "", "", "XX", &provider[0].claim.npi]);
            for each in provider {
                level.open(out, hl, "22", "0");
                pend_claim(out, paper, each);
            }
        }
    })
}

fn pend_claim(out: &mut Segments, paper: &Paper, each: &Decided) {
    let claim = &each.claim;
    out.write(&["NM1", "IL", "1", &claim.patient.0, &claim.patient.1, "", "", "", "MI", &claim.member_id]);
    out.write(&["TRN", "2", &claim.number]);
    let Outcome::Pend { statuses, .. } = each.outcome else { return };
    write_statuses(out, statuses, &[&paper.date, "", &money(claim.charge)], "");
    out.reference("1K", &payer_number(paper, claim));
    out.reference("EJ", &claim.number);
    service_date(out, claim);
}

/// A set for each set of the file that has claims among these.
fn write_sets(paper: &Paper, claims: &[&Decided], guide: &str, fill: impl Fn(&mut Segments, &[&Decided])) -> String {
    let mut by_set: Vec<Vec<&Decided>> = Vec::new();
    for each in claims {
        match by_set.last_mut().filter(|set| set[0].claim.set == each.claim.set) {
            Some(set) => set.push(each),
            None => by_set.push(vec![each]),
        }
    }
    let sets: Vec<String> =
        by_set.iter().enumerate().map(|(n, claims)| paper.set(n, &["277", guide], |out| fill(out, claims))).collect();
    paper.group("HN", guide, &sets)
}

/// Claims of one billing provider after the other, in their order.
fn by_provider<'c, 'd>(claims: &[&'c Decided<'d>]) -> Vec<Vec<&'c Decided<'d>>> {
    let mut providers: Vec<Vec<&Decided>> = Vec::new();
    for each in claims {
        match providers.iter_mut().find(|known| known[0].claim.npi == each.claim.npi) {
            Some(known) => known.push(each),
            None => providers.push(vec![each]),
        }
    }
    providers
}

/// 2000A and 2000B.
fn batch(out: &mut Segments, paper: &Paper, scenario: &Scenario, claims: &[&Decided]) {
    let (first, trace) = (&claims[0].claim, format!("P{}", paper.control_number()));
    out.write(&["BHT", "0085", "08", &trace, &paper.date, &paper.time, "TH"]);
    out.write(&["HL", "1", "", "20", "1"]);
    payer(out, scenario, first);
    out.write(&["TRN", "1", &trace]);
    out.write(&["DTP", "050", "D8", &paper.date]);
    out.write(&["DTP", "009", "D8", &paper.date]);
    out.write(&["HL", "2", "1", "21", "1"]);
    out.write(&["NM1", "41", "2", "SUBMITTER", "", "", "", "", "46", paper.receiver()]);
    out.write(&["TRN", "2", &first.batch]);
    let all: Decimal = claims.iter().map(|each| each.claim.charge).sum();
    let received = composite(out, RECEIVED);
    out.write(&["STC", &received, &paper.date, "WQ", &money(all)]);
    counts(out, claims, ["90", "AA"]);
}

fn payer(out: &mut Segments, scenario: &Scenario, claim: &Claim) {
    let name = scenario.payer.name.as_ref().unwrap_or(&claim.payer);
    let id = scenario.payer.id.as_ref().unwrap_or(&claim.payer_id);
    out.write(&["NM1", "PR", "2", name, "", "", "", "", "PI", id]);
}

/// QTY and AMT: how many claims were taken and refused, and their charges.
fn counts(out: &mut Segments, claims: &[&Decided], [taken, refused]: [&str; 2]) {
    let sums = |refusals: bool| {
        let these = claims.iter().filter(|each| is_refusal(each.outcome) == refusals);
        these.fold((0_usize, Decimal::ZERO), |(count, sum), each| (count + 1, sum + each.claim.charge))
    };
    let (good, bad) = (sums(false), sums(true));
    for (qualifier, (count, _)) in [(taken, good), (refused, bad)].into_iter().filter(|(_, (count, _))| *count > 0) {
        out.write(&["QTY", qualifier, &count.to_string()]);
    }
    for (qualifier, (_, sum)) in [("YU", good), ("YY", bad)].into_iter().filter(|(_, (count, _))| *count > 0) {
        out.write(&["AMT", qualifier, &money(sum)]);
    }
}

fn is_refusal(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::RefuseClaim { .. })
}

fn acknowledge_claim(out: &mut Segments, paper: &Paper, each: &Decided) {
    let claim = &each.claim;
    out.write(&["NM1", "QC", "1", &claim.patient.0, &claim.patient.1, "", "", "", "MI", &claim.member_id]);
    out.write(&["TRN", "2", &claim.number]);
    let accepted = [ACCEPTED.to_owned()];
    let (statuses, action, text, lines): (&[String], &str, &str, &[LineStatus]) = match each.outcome {
        Outcome::RefuseClaim { statuses, text, lines } => (statuses, "U", text.as_deref().unwrap_or_default(), lines),
        _ => (&accepted, "WQ", "", &[]),
    };
    write_statuses(out, statuses, &[&paper.date, action, &money(claim.charge)], text);
    if action == "WQ" {
        out.reference("1K", &payer_number(paper, claim));
    }
    out.reference("D9", &claim.trace);
    service_date(out, claim);
    for status in lines {
        for line in claim.lines.iter().filter(|line| matches(&status.code, line.procedure())) {
            refuse_line(out, paper, line, &status.statuses);
        }
    }
}

fn refuse_line(out: &mut Segments, paper: &Paper, line: &Line, statuses: &[String]) {
    let code = out.composite(&line.code);
    out.write(&["SVC", &code, &money(line.charge), "", &line.revenue, "", "", &line.units]);
    write_statuses(out, statuses, &[&paper.date, "U", ""], "");
    out.reference("FJ", &line.number);
    out.write(&["DTP", "472", &line.date.0, &line.date.1]);
}

/// One STC for each status: the composite, date, action and charge, and the text at the end.
fn write_statuses(out: &mut Segments, statuses: &[String], [date, action, charge]: &[&str; 3], text: &str) {
    for status in statuses {
        let status = composite(out, status);
        out.write(&["STC", &status, date, action, charge, "", "", "", "", "", "", "", text]);
    }
}

/// `A7:164:IL` in the delimiters of the paper.
fn composite(out: &Segments, status: &str) -> String {
    out.composite(&status.split(':').collect::<Vec<_>>())
}

fn service_date(out: &mut Segments, claim: &Claim) {
    match claim.days() {
        ("", _) => {}
        (first, last) if first == last => out.write(&["DTP", "472", "D8", first]),
        (first, last) => out.write(&["DTP", "472", "RD8", &format!("{first}-{last}")]),
    }
}

/// Counts HL01.
struct Levels {
    last: usize,
}

impl Levels {
    fn below_the_receiver() -> Levels {
        Levels { last: 2 }
    }

    fn open(&mut self, out: &mut Segments, parent: usize, code: &str, child: &str) -> usize {
        self.last += 1;
        out.write(&["HL", &self.last.to_string(), &parent.to_string(), code, child]);
        self.last
    }
}
