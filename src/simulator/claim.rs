//! The claims of an 837 (professional, institutional or dental), as far as a payer needs them to answer.

use crate::x12::reader::{Interchange, TransactionSet};
use crate::x12::segment::Segment;
use rust_decimal::Decimal;

/// Largest amount that is believed: beyond it sums could overflow.
pub const CHARGE_MAX: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

/// One CLM with what stands above and below it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claim {
    /// Position in the file, from 0.
    pub index: usize,
    /// Position of its transaction set in the file, from 0.
    pub set: usize,
    /// BHT03.
    pub batch: String,
    /// CLM01.
    pub number: String,
    /// CLM02.
    pub charge: Decimal,
    /// CLM05-1 and -3.
    pub facility: String,
    pub frequency: String,
    /// REF*D9.
    pub trace: String,
    /// REF*F8: our number of the claim that this one replaces.
    pub original: String,
    /// Ordinal of the CLM in its set.
    pub ordinal: u32,
    /// SBR01 of the destination payer.
    pub sequence: String,
    /// NM1*85: name and NPI.
    pub provider: String,
    pub npi: String,
    /// NM1*PR.
    pub payer: String,
    pub payer_id: String,
    /// NM103 and NM104 of the patient.
    pub patient: (String, String),
    /// NM109 of the subscriber.
    pub member_id: String,
    /// AMT*D of 2320: what other payers have paid, of lines that say nothing of it.
    pub prior_paid: Decimal,
    /// DTP*472 or DTP*434 of the claim: format and value, for lines without a date of their own.
    pub date: (String, String),
    pub lines: Vec<Line>,
}

/// One service line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// The procedure composite as it stands: qualifier, code, modifiers.
    pub code: Vec<String>,
    /// SV201.
    pub revenue: String,
    pub charge: Decimal,
    pub units: String,
    /// DTP*472: format and value.
    pub date: (String, String),
    /// REF*6R.
    pub number: String,
    /// SVD02 and the CO adjustments behind it: what other payers took off this line.
    pub prior: Decimal,
}

impl Line {
    /// The procedure code without qualifier and modifiers.
    pub fn procedure(&self) -> &str {
        self.code.get(1).map_or("", String::as_str)
    }

    /// The first day of service, CCYYMMDD.
    pub fn first_day(&self) -> &str {
        self.date.1.split('-').next().unwrap_or_default()
    }

    /// The last day, when it is another.
    pub fn last_day(&self) -> Option<&str> {
        self.date.1.split_once('-').map(|(_, last)| last).filter(|last| *last != self.first_day())
    }
}

impl Claim {
    /// What the other payers took off, over lines and claim.
    pub fn prior(&self) -> Decimal {
        let of_lines: Decimal = self.lines.iter().map(|line| line.prior).sum();
        if of_lines.is_zero() { self.prior_paid } else { of_lines }
    }

    /// First and last day of service, CCYYMMDD; empty when no line has a date.
    pub fn days(&self) -> (&str, &str) {
        let first = self.lines.iter().map(Line::first_day).filter(|day| !day.is_empty()).min();
        let last = self.lines.iter().map(|line| line.last_day().unwrap_or(line.first_day())).max();
        (first.unwrap_or_default(), last.unwrap_or_default())
    }
}

/// All claims of all 837 sets, in their order.
pub fn read(interchange: &Interchange) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (number, set) in interchange.sets().enumerate().filter(|(_, set)| set.id() == "837") {
        read_set(number, set, &mut claims);
    }
    claims
}

/// A walk over one set: `above` gathers what is said before the CLM.
struct Walk {
    above: Claim,
    claims: Vec<Claim>,
    /// Claims of earlier sets end here.
    first: usize,
    /// Inside loop 2320: what follows is about another payer.
    other: bool,
    /// Inside loop 2430.
    adjudication: bool,
}

/// The segments that matter, and what to do with each.
type Row = (&'static str, fn(&mut Walk, &Segment));

const ROWS: &[Row] = &[
    ("BHT", |walk, s| walk.above.batch = s.element(3).to_owned()),
    ("HL", Walk::level),
    ("SBR", Walk::subscriber_or_other),
    ("NM1", Walk::name),
    ("CLM", Walk::claim),
    ("REF", Walk::reference),
    ("AMT", Walk::amount),
    ("LX", Walk::line),
    ("SV1", |walk, s| walk.service(s, [1, 2, 4])),
    ("SV2", |walk, s| walk.service(s, [2, 3, 5])),
    ("SV3", |walk, s| walk.service(s, [1, 2, 6])),
    ("DTP", Walk::date),
    ("SVD", Walk::other_payers_line),
    ("CAS", Walk::other_payers_adjustment),
];

fn read_set(number: usize, set: &TransactionSet, claims: &mut Vec<Claim>) {
    let (above, first) = (Claim { set: number, ..Claim::default() }, claims.len());
    let mut walk = Walk { above, claims: std::mem::take(claims), first, other: false, adjudication: false };
    for segment in &set.segments {
        if let Some((_, take)) = ROWS.iter().find(|(id, _)| *id == segment.id()) {
            take(&mut walk, segment);
        }
    }
    *claims = walk.claims;
}

/// An amount; one that can't be read, or is beyond what a claim can come to, is nothing.
fn number(text: &str) -> Decimal {
    let number: Decimal = text.trim().parse().unwrap_or_default();
    if number.abs() <= CHARGE_MAX { number } else { Decimal::ZERO }
}

impl Walk {
    /// The claim that is being read; what stands above until there is one.
    fn current(&mut self) -> Option<&mut Claim> {
        self.claims.get_mut(self.first..)?.last_mut()
    }

    fn current_line(&mut self) -> Option<&mut Line> {
        self.current()?.lines.last_mut()
    }

    fn level(&mut self, hl: &Segment) {
        (self.other, self.adjudication) = (false, false);
        if hl.element(3) == "22" {
            self.above.patient = Default::default();
        }
        // Names from here on are of the next claims.
        self.first = self.claims.len();
    }

    fn subscriber_or_other(&mut self, sbr: &Segment) {
        match self.current() {
            Some(_) => self.other = true,
            None => self.above.sequence = sbr.element(1).to_owned(),
        }
    }

    fn name(&mut self, nm1: &Segment) {
        if self.current().is_some() {
            return;
        }
        let text = |n: usize| nm1.element(n).trim().to_owned();
        let above = &mut self.above;
        match nm1.element(1) {
            "85" => (above.provider, above.npi) = (text(3), text(9)),
            "IL" => (above.patient, above.member_id) = ((text(3), text(4)), text(9)),
            "QC" => above.patient = (text(3), text(4)),
            "PR" => (above.payer, above.payer_id) = (text(3), text(9)),
            _ => {}
        }
    }

    fn claim(&mut self, clm: &Segment) {
        (self.other, self.adjudication) = (false, false);
        let claim = Claim {
            index: self.claims.len(),
            number: clm.element(1).trim().to_owned(),
            charge: number(clm.element(2)),
            facility: clm.component(5, 1).to_owned(),
            frequency: clm.component(5, 3).to_owned(),
            ordinal: clm.ordinal,
            ..self.above.clone()
        };
        self.claims.push(claim);
    }

    fn reference(&mut self, reference: &Segment) {
        let (qualifier, value) = (reference.element(1), reference.element(2).trim().to_owned());
        let other = self.other;
        let Some(claim) = self.current() else { return };
        match (qualifier, claim.lines.last_mut()) {
            ("6R", Some(line)) => line.number = value,
            ("D9", None) if !other => claim.trace = value,
            ("F8", None) if !other => claim.original = value,
            _ => {}
        }
    }

    fn amount(&mut self, amount: &Segment) {
        let (other, paid) = (self.other, amount.element(1) == "D");
        if let Some(claim) = self.current().filter(|claim| other && paid && claim.lines.is_empty()) {
            claim.prior_paid += number(amount.element(2));
        }
    }

    fn line(&mut self, _: &Segment) {
        (self.other, self.adjudication) = (false, false);
        if let Some(claim) = self.current() {
            let date = claim.date.clone();
            claim.lines.push(Line { date, ..Line::default() });
        }
    }

    /// Code, charge and units stand elsewhere in each kind of line.
    fn service(&mut self, service: &Segment, [code, charge, units]: [usize; 3]) {
        let Some(line) = self.current_line() else { return };
        line.code = service.components(code).map(str::to_owned).collect();
        line.charge = number(service.element(charge));
        line.units = service.element(units).to_owned();
        if code == 2 {
            line.revenue = service.element(1).to_owned();
        }
        // A line of a revenue code alone is known by it.
        if line.procedure().is_empty() {
            line.code = vec!["NU".to_owned(), std::mem::take(&mut line.revenue)];
        }
    }

    fn date(&mut self, date: &Segment) {
        if self.adjudication || !matches!(date.element(1), "472" | "434") {
            return;
        }
        let told = (date.element(2).to_owned(), date.element(3).to_owned());
        let Some(claim) = self.current() else { return };
        match claim.lines.last_mut() {
            Some(line) => line.date = told,
            None => claim.date = told,
        }
    }

    fn other_payers_line(&mut self, svd: &Segment) {
        self.adjudication = true;
        if let Some(line) = self.current_line() {
            line.prior += number(svd.element(2));
        }
    }

    fn other_payers_adjustment(&mut self, cas: &Segment) {
        let adjudication = self.adjudication;
        if let Some(line) = self.current_line().filter(|_| adjudication && cas.element(1) == "CO") {
            line.prior += [3, 6, 9, 12, 15, 18].into_iter().map(|n| number(cas.element(n))).sum::<Decimal>();
        }
    }
}
