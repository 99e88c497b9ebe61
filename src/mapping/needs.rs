//! What a rule needs of its source to give anything at all, found when the rule is compiled.
//!
//! A mapping names everything that any claim may hold, and one claim holds little of it. At the start of a run the words of
//! the source (names of properties, texts, numbers) are looked up once; a rule that needs a word which is nowhere in the
//! source is passed over. So a run costs by what the claim holds, not by what the mapping could make. Nothing else changes:
//! a need is only ever too generous.

use super::fhirpath::ast::Operator;
use super::fhirpath::expr::{Expr, How, Step};
use super::fhirpath::functions::{Function, Returns, X12_EXTENSION};
use super::fhirpath::time::looks_like_date;
use super::record::GIVEN;
use super::verdicts::Asked;
use crate::billing::shape::{ObjectView, View};
use crate::digits::Digits;
use crate::lexicon::Lexicon;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::OnceLock;

/// A condition on the source; where it does not hold, the rule gives nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Need {
    Always,
    Never,
    /// A word of [`Words`].
    Word(u32),
    /// A variable that is not empty.
    Slot(usize),
    All(Box<[Need]>),
    Any(Box<[Need]>),
}

impl Need {
    pub fn all(needs: impl IntoIterator<Item = Need>) -> Need {
        let mut kept = Vec::new();
        for need in needs {
            match need {
                Need::Always => {}
                Need::Never => return Need::Never,
                Need::All(inner) => kept.extend(inner),
                other if kept.contains(&other) => {}
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Need::Always,
            1 => kept.swap_remove(0),
            _ => Need::All(kept.into()),
        }
    }

    pub fn any(needs: impl IntoIterator<Item = Need>) -> Need {
        let mut kept = Vec::new();
        for need in needs {
            match need {
                Need::Never => {}
                Need::Always => return Need::Always,
                Need::Any(inner) => kept.extend(inner),
                other if kept.contains(&other) => {}
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Need::Never,
            1 => kept.swap_remove(0),
            _ => Need::Any(kept.into()),
        }
    }

    /// The need as it can be asked from outside of a frame, where the variables of the mapping have no values yet.
    pub fn outside(self) -> Need {
        match self {
            Need::Slot(slot) if slot >= GIVEN.len() => Need::Always,
            Need::All(needs) => Need::all(needs.into_iter().map(Need::outside)),
            Need::Any(needs) => Need::any(needs.into_iter().map(Need::outside)),
            other => other,
        }
    }
}

/// The words that the rules of one mapping ask for.
#[derive(Debug, Default)]
pub struct Words {
    words: Lexicon,
    spelled: Spelled,
    /// What runs ask for, and the numbers of it.
    asked: Vec<Need>,
    numbers: HashMap<Need, u32>,
    /// How many objects the mapping has.
    objects: usize,
    /// Whether a rule looks beyond the resource that is mapped.
    reaches: bool,
    names: Names,
}

/// What numbers and dates stand among the words, so that few of a source's need to be spelled to be looked up.
#[derive(Debug, Default)]
struct Spelled {
    /// Whole numbers below [`Spelled::SMALL`], one bit each.
    small: [u64; Spelled::SMALL / 64],
    /// Any other number.
    numbers: bool,
    dates: bool,
}

impl Spelled {
    const SMALL: usize = 1024;

    fn enter(&mut self, word: &str) {
        self.dates |= looks_like_date(word);
        match word.parse::<usize>() {
            Ok(number) if number < Spelled::SMALL => self.small[number / 64] |= 1 << (number % 64),
            _ => self.numbers |= word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-')),
        }
    }

    fn may_have(&self, number: Decimal) -> bool {
        let whole = (number.scale() == 0).then(|| usize::try_from(number.mantissa()).ok()).flatten();
        match whole.filter(|whole| *whole < Spelled::SMALL) {
            Some(whole) => self.small[whole / 64] & (1 << (whole % 64)) != 0,
            None => self.numbers,
        }
    }
}

/// The words that the names of plain objects are, by kind and place; looked up when the first object of a kind comes.
#[derive(Debug)]
struct Names(Box<[OnceLock<Numbers>]>);

/// The words that the names of one kind are, by place.
type Numbers = Box<[Option<u32>]>;

/// So many kinds are remembered: more than there are.
const KINDS: usize = 256;

impl Default for Names {
    fn default() -> Names {
        Names((0..KINDS).map(|_| OnceLock::new()).collect())
    }
}

impl Names {
    /// None for a kind past all that are remembered.
    fn of(&self, object: &dyn ObjectView, words: &Lexicon) -> Option<&[Option<u32>]> {
        let known = self.0.get(object.kind())?;
        Some(known.get_or_init(|| object.names().iter().map(|name| words.number(name)).collect()))
    }
}

impl Words {
    pub(super) fn need(&mut self, word: &str) -> Need {
        self.spelled.enter(word);
        Need::Word(self.words.enter(word))
    }

    /// A need that runs ask for.
    pub fn ask(&mut self, need: Need) -> Asked {
        let next = self.asked.len() as u32;
        let number = *self.numbers.entry(need.clone()).or_insert(next);
        if number == next {
            self.asked.push(need.clone());
        }
        Asked::new(need, number)
    }

    /// A number for one more object.
    pub fn number_object(&mut self) -> usize {
        self.objects += 1;
        self.objects - 1
    }

    /// How many objects have a number.
    pub fn objects(&self) -> usize {
        self.objects
    }

    /// Everything that runs ask for, by number.
    pub fn asked(&self) -> &[Need] {
        &self.asked
    }

    /// Notes that a rule calls a function.
    pub fn calls(&mut self, function: &Function) {
        self.reaches |= function.returns == Returns::Resource || function.name == "resources";
    }

    /// Whether a rule looks beyond the resource that is mapped: into what its references lead to.
    pub fn reaches(&self) -> bool {
        self.reaches
    }

    /// Every word.
    #[cfg(test)]
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.words.words()
    }

    /// Looks up every word of a source.
    pub fn find_in<'v>(&self, sources: impl IntoIterator<Item = &'v Value>) -> Found {
        let mut found = Found(vec![0; self.words.len().div_ceil(64)].into());
        sources.into_iter().for_each(|source| self.find(source, &mut found));
        found
    }

    /// Looks up every word of a plain value, too.
    pub fn find_view(&self, view: View<'_>, found: &mut Found) {
        match view {
            View::Object(object) => {
                let numbers = self.names.of(object, &self.words);
                object.visit(&mut |place, view| {
                    match numbers {
                        Some(numbers) => numbers.get(place).into_iter().flatten().for_each(|number| found.put(*number)),
                        None => {
                            object.names().get(place).into_iter().for_each(|name| self.look_up(name.as_bytes(), found))
                        }
                    }
                    match view {
                        View::Text(text) => self.look_up(text.as_bytes(), found),
                        view => self.find_view(view, found),
                    }
                });
            }
            View::List(list) => {
                (0..list.count()).filter_map(|n| list.item(n)).for_each(|view| self.find_view(view, found));
            }
            View::Text(text) => self.look_up(text.as_bytes(), found),
            View::Date(_) if !self.spelled.dates => {}
            View::Date(date) => self.look_up(Digits::of_date(date).as_bytes(), found),
            View::Decimal(number) if !self.spelled.may_have(number) => {}
            View::Decimal(number) => self.look_up(Digits::of_decimal(number).as_bytes(), found),
            View::Integer(number) => self.look_up(Digits::of_integer(number.into()).as_bytes(), found),
            View::Boolean(yes) => self.look_up(if yes { b"true" } else { b"false" }, found),
        }
    }

    fn find(&self, value: &Value, found: &mut Found) {
        match value {
            Value::Object(map) => map.iter().for_each(|(name, value)| {
                self.look_up(name.as_bytes(), found);
                self.find(value, found);
            }),
            Value::Array(values) => values.iter().for_each(|value| self.find(value, found)),
            Value::String(text) => self.look_up(text.as_bytes(), found),
            Value::Number(number) => self.look_up(number.as_str().as_bytes(), found),
            Value::Bool(yes) => self.look_up(if *yes { b"true" } else { b"false" }, found),
            Value::Null => {}
        }
    }

    #[inline]
    fn look_up(&self, word: &[u8], found: &mut Found) {
        if let Some(number) = self.words.number_of(word) {
            found.put(number);
        }
    }
}

/// The words of [`Words`] that a source holds, one bit each.
#[derive(Debug, PartialEq, Eq)]
pub struct Found(Box<[u64]>);

impl Found {
    fn put(&mut self, number: u32) {
        if let Some(bits) = self.0.get_mut(number as usize / 64) {
            *bits |= 1 << (number % 64);
        }
    }

    #[inline]
    pub fn has(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|bits| bits & (1 << (number % 64)) != 0)
    }
}

/// Functions that may give something for nothing: each has a row in [`Words::of_call`], or is always run.
const NOT_STRICT: &[&str] = &[
    "empty",
    "exists",
    "all",
    "allTrue",
    "anyTrue",
    "allFalse",
    "anyFalse",
    "count",
    "isDistinct",
    "subsetOf",
    "supersetOf",
    "union",
    "combine",
    "iif",
    "coalesce",
    "default",
    "aggregate",
    "hasCode",
    "hasValue",
    "resources",
    "now",
    "today",
    "timeOfDay",
    "sum",
];

/// What an expression must find to be more than empty, and to be true.
impl Words {
    /// What an expression needs to give an item.
    pub fn of(&mut self, expr: &Expr) -> Need {
        use Operator::{And, Concatenate, Contains, Equivalent, Implies, In, NotEquivalent, Or, Union, Xor};
        match expr {
            Expr::Empty => Need::Never,
            Expr::Slot(slot) => Need::Slot(*slot),
            Expr::Path(base, steps) => Need::all([self.of_base(base.as_deref()), self.of_steps(steps)]),
            Expr::Shadow(base, step) => {
                let names = Need::any([self.name(&step.name), self.need(&format!("_{}", step.name))]);
                Need::all([self.of_base(base.as_deref()), names])
            }
            Expr::FirstOf(operands) => self.of_any(operands),
            Expr::If(choice) => self.of_choice(&choice[0], &choice[1..], Words::of),
            Expr::At(base, _)
            | Expr::Minus(base)
            | Expr::OneOf(base, _)
            | Expr::Is(base, _)
            | Expr::As(base, _)
            | Expr::Binary(In, base, _)
            | Expr::Binary(Contains, _, base) => self.of(base),
            Expr::Binary(Union, left, right) => Need::any([self.of(left), self.of(right)]),
            Expr::Binary(And | Or | Xor | Implies | Concatenate | Equivalent | NotEquivalent, ..) => Need::Always,
            Expr::Binary(_, left, right) => Need::all([self.of(left), self.of(right)]),
            Expr::Call(function, base, arguments) => self.of_call(function, base.as_deref(), arguments),
            _ => Need::Always,
        }
    }

    /// What a condition needs to hold.
    pub fn of_truth(&mut self, expr: &Expr) -> Need {
        match expr {
            Expr::Boolean(false) => Need::Never,
            Expr::Binary(Operator::And, left, right) => Need::all([self.of_truth(left), self.of_truth(right)]),
            Expr::Binary(Operator::Or, left, right) => Need::any([self.of_truth(left), self.of_truth(right)]),
            Expr::Binary(Operator::Equal, left, right) => {
                let same = Need::all([self.of_text(left, right), self.of_text(right, left)]);
                Need::all([self.of(left), self.of(right), same])
            }
            Expr::OneOf(base, texts) => Need::all([self.of(base), self.of_texts(base, texts)]),
            Expr::If(choice) => self.of_choice(&choice[0], &choice[1..], Words::of_truth),
            Expr::Call(function, base, arguments) => match (function.name, arguments.first()) {
                ("exists", None) => self.of_base(base.as_deref()),
                ("exists", Some(criteria)) => Need::all([self.of_base(base.as_deref()), self.of_truth(criteria)]),
                ("hasCode", Some(Expr::Texts(texts))) => {
                    let codes = base.as_deref().map_or(Need::Always, |base| self.of_texts(base, texts));
                    Need::all([self.of_base(base.as_deref()), codes])
                }
                ("iif", Some(criterion)) => self.of_choice(criterion, &arguments[1..], Words::of_truth),
                _ => self.of(expr),
            },
            _ => self.of(expr),
        }
    }

    fn of_base(&mut self, base: Option<&Expr>) -> Need {
        base.map_or(Need::Always, |base| self.of(base))
    }

    fn of_any(&mut self, operands: &[Expr]) -> Need {
        let needs: Vec<Need> = operands.iter().map(|operand| self.of(operand)).collect();
        Need::any(needs)
    }

    fn of_steps(&mut self, steps: &[Step]) -> Need {
        let named = steps.iter().filter(|step| step.how != How::Choice);
        let names: Vec<Need> = named.map(|step| self.name(&step.name)).collect();
        Need::all(names)
    }

    /// A property: what functions make has names that stand in no source.
    fn name(&mut self, name: &str) -> Need {
        if super::fhirpath::functions::is_made_field(name) { Need::Always } else { self.need(name) }
    }

    fn of_call(&mut self, function: &Function, base: Option<&Expr>, arguments: &[Expr]) -> Need {
        let given = self.of_base(base);
        let first = arguments.first();
        match (function.name, first) {
            ("where", Some(criteria)) => Need::all([given, self.of_truth(criteria)]),
            ("select", Some(projection)) => Need::all([given, self.of(projection)]),
            ("extension", Some(Expr::Text(url))) => Need::all([given, self.need(url)]),
            ("x12", Some(Expr::Text(element))) => {
                let ways = Need::any([self.need(element), self.need(&format!("{X12_EXTENSION}{element}"))]);
                Need::all([given, ways])
            }
            ("identifier", Some(Expr::Texts(kinds))) => Need::all([given, self.codes(kinds)]),
            ("resources", Some(Expr::Text(kind))) => self.need(kind),
            ("coalesce", _) => self.of_any(arguments),
            ("default" | "union" | "combine", Some(other)) => Need::any([given, self.of(other)]),
            ("iif", Some(criterion)) => self.of_choice(criterion, &arguments[1..], Words::of),
            (name, _) if NOT_STRICT.contains(&name) => Need::Always,
            _ => given,
        }
    }

    fn of_choice(&mut self, criterion: &Expr, branches: &[Expr], of: fn(&mut Words, &Expr) -> Need) -> Need {
        let holds = self.of_truth(criterion);
        let mut branches = branches.iter().map(|branch| of(self, branch));
        let then = branches.next().unwrap_or(Need::Never);
        let otherwise = branches.next().unwrap_or(Need::Never);
        Need::any([Need::all([holds, then]), otherwise])
    }

    /// A comparison with a fixed text can hold only when the text stands in the source.
    fn of_text(&mut self, compared: &Expr, with: &Expr) -> Need {
        match with {
            Expr::Text(text) if is_verbatim(compared) && !looks_like_date(text) => self.need(text),
            _ => Need::Always,
        }
    }

    fn of_texts(&mut self, compared: &Expr, texts: &[String]) -> Need {
        if is_verbatim(compared) { self.codes(texts) } else { Need::Always }
    }

    /// Some of these texts; of `system|code` the code.
    fn codes(&mut self, texts: &[String]) -> Need {
        let mut ways = Vec::with_capacity(texts.len());
        for text in texts {
            ways.push(self.need(text));
            ways.extend(text.rsplit_once('|').map(|(_, code)| self.need(code)));
        }
        Need::any(ways)
    }
}

/// Whether an expression gives parts of the source as they stand there.
fn is_verbatim(expr: &Expr) -> bool {
    match expr {
        Expr::Context | Expr::Resource => true,
        Expr::Path(base, steps) => {
            let first = steps.first().is_none_or(|step| !super::fhirpath::functions::is_made_field(&step.name));
            first && base.as_deref().is_none_or(is_verbatim)
        }
        Expr::Call(function, base, _) => {
            let chosen = matches!(function.returns, Returns::Input | Returns::Resource);
            let found = matches!(function.name, "extension" | "coding" | "requireCoding");
            (chosen || found) && base.as_deref().is_none_or(is_verbatim)
        }
        Expr::At(base, _) | Expr::As(base, _) => is_verbatim(base),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::fhirpath::eval::{Focus, Run};
    use crate::mapping::fhirpath::functions::{self, Call, Work};
    use crate::mapping::fhirpath::item::{Item, Items};
    use crate::mapping::tables::Tables;
    use serde_json::json;

    #[test]
    fn words_are_found_wherever_they_stand() {
        let mut words = Words::default();
        let needs: Vec<Need> = ["item", "sequence", "3", "absent", "MC"].map(|word| words.need(word)).into();
        let found = words.find_in([&json!({"item": [{"sequence": 3, "code": "MC"}]})]);
        let has: Vec<bool> = needs.iter().map(|need| matches!(need, Need::Word(n) if found.has(*n))).collect();
        assert_eq!(has, [true, true, true, false, true]);
    }

    #[test]
    fn needs_are_put_together() {
        let (a, b) = (Need::Word(1), Need::Slot(9));
        assert_eq!(Need::all([a.clone(), Need::Always, a.clone()]), a);
        assert_eq!(Need::all([a.clone(), Need::Never]), Need::Never);
        assert_eq!(Need::any([a.clone(), Need::Always]), Need::Always);
        assert_eq!(Need::any([Need::Never, Need::Never]), Need::Never);
        assert_eq!(Need::all([a.clone(), b.clone()]).outside(), a);
        assert_eq!(Need::any([a, b]).outside(), Need::Always);
    }

    /// What is passed over because nothing stands before its dot would have given nothing.
    #[test]
    fn strict_functions_give_nothing_for_nothing() {
        let text = || Expr::Text("x".to_owned());
        let texts = || Expr::Texts(["x".to_owned(), "y".to_owned()].into());
        let arguments = [texts(), Expr::Integer(1), text()].map(|first| [first, text(), text()]);
        let tables = Tables::default();
        let value = json!({});
        let context = Item::node(&value);
        let run = Run::new(context.clone(), &tables, 0);
        for function in functions::all().filter(|function| !NOT_STRICT.contains(&function.name)) {
            let gives = arguments.iter().map(|arguments| {
                let arguments = &arguments[..function.least.min(3)];
                let base = Some(&Expr::Empty);
                let call = Call { run: &run, focus: Focus::on(&context), base, arguments };
                match function.work {
                    Work::Items(work) => work(&call, Items::None),
                    Work::Truth(holds) => holds(&call).map(|truth| truth.map(Item::Boolean).into_iter().collect()),
                    Work::Given(work) => {
                        let mut items = Items::None;
                        work(&call, &mut items).map(|_| items)
                    }
                }
            });
            let given: Vec<usize> = gives.filter_map(Result::ok).map(|items| items.len()).collect();
            assert!(!given.is_empty() && given.iter().all(|given| *given == 0), "{}: {given:?}", function.name);
        }
    }
}
