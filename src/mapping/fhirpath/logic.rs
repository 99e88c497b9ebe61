//! Conditions: what is true, false or not known (FHIRPath 2.0, sections 6.1, 6.2 and 6.5).

use super::ast::Operator;
use super::eval::{Focus, Outcome, Problem, Run, Truth};
use super::expr::Expr;
use super::functions::{Call, Function, Work};
use super::item::{Item, Items};
use super::time::looks_like_date;
use std::cmp::Ordering;

impl<'a> Run<'a> {
    /// Whether a condition holds: empty is no, a single item that is no boolean is yes.
    pub fn truth(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Truth {
        use Operator::{And, Equal, Implies, NotEqual, Or, Xor};
        match expr {
            Expr::Boolean(yes) => Ok(Some(*yes)),
            Expr::OneOf(base, texts) => self.one_of(base, texts, focus),
            Expr::Binary(operator @ (And | Or | Xor | Implies), left, right) => {
                self.logic(*operator, left, right, focus)
            }
            Expr::Binary(operator @ (Equal | NotEqual), left, right) => self.equality(*operator, left, right, focus),
            Expr::Call(Function { work: Work::Truth(holds), .. }, base, arguments) => {
                holds(&Call { run: self, focus, base: base.as_deref(), arguments })
            }
            _ => Ok(self.one(expr, focus)?.map(|item| item.as_boolean().unwrap_or(true))),
        }
    }

    pub(super) fn one_of(&self, base: &'a Expr, texts: &[String], focus: Focus<'_, 'a>) -> Truth {
        let item = self.one(base, focus)?;
        let is_one = |text: &str| texts.iter().any(|known| known == text);
        Ok(item.map(|item| match item.borrowed() {
            Some(text) => is_one(text),
            None => item.as_string().is_some_and(|text| is_one(&text)),
        }))
    }

    pub(super) fn equality(&self, operator: Operator, left: &'a Expr, right: &'a Expr, focus: Focus<'_, 'a>) -> Truth {
        let same = match (operator, right) {
            (Operator::Equal | Operator::NotEqual, Expr::Text(_) | Expr::Integer(_) | Expr::Boolean(_)) => {
                self.is_literal(left, right, focus)?
            }
            (Operator::Equal | Operator::NotEqual, _) => equal(&self.eval(left, focus)?, &self.eval(right, focus)?),
            _ => Some(equivalent(&self.eval(left, focus)?, &self.eval(right, focus)?)),
        };
        let negated = matches!(operator, Operator::NotEqual | Operator::NotEquivalent);
        Ok(same.map(|same| same != negated))
    }

    /// Whether an expression is one literal: unknown when it is empty, no when it gives several items.
    fn is_literal(&self, expr: &'a Expr, literal: &'a Expr, focus: Focus<'_, 'a>) -> Truth {
        if let Expr::Text(literal) = literal
            && !looks_like_date(literal)
        {
            return Ok(match self.first(expr, focus)? {
                (None, _) => None,
                (Some(item), 1) => match item.borrowed() {
                    Some(text) => Some(text == literal),
                    None => item.equals(&Item::Text(literal.as_str().into())),
                },
                _ => Some(false),
            });
        }
        match (self.first(expr, focus)?, self.one(literal, focus)?) {
            ((Some(item), 1), Some(literal)) => Ok(item.equals(&literal)),
            ((Some(_), _), _) => Ok(Some(false)),
            _ => Ok(None),
        }
    }

    /// Three-valued logic of FHIRPath; the right side is not run when the left decides.
    pub(super) fn logic(&self, operator: Operator, left: &'a Expr, right: &'a Expr, focus: Focus<'_, 'a>) -> Truth {
        use Operator::{And, Implies, Or};
        let left = self.truth(left, focus)?;
        let decided = match (operator, left) {
            (And, Some(false)) => Some(false),
            (Or, Some(true)) | (Implies, Some(false)) => Some(true),
            _ => None,
        };
        if decided.is_some() {
            return Ok(decided);
        }
        let right = self.truth(right, focus)?;
        Ok(match (operator, left, right) {
            (And, _, Some(false)) => Some(false),
            (And, left, right) => left.and(right),
            (Or | Implies, _, Some(true)) => Some(true),
            (Or, Some(false), Some(false)) => Some(false),
            (Implies, Some(true), right) => right,
            (Or | Implies, ..) => None,
            (_, left, right) => left.zip(right).map(|(left, right)| left != right),
        })
    }

    pub(super) fn member(&self, many: &'a Expr, one: &'a Expr, focus: Focus<'_, 'a>) -> Outcome<'a> {
        let Some(one) = self.one(one, focus)? else { return Ok(Items::None) };
        let many = self.eval(many, focus)?;
        Ok(Items::boolean(many.iter().any(|item| item.equals(&one) == Some(true))))
    }

    pub(super) fn order(
        &self,
        operator: Operator,
        left: &'a Expr,
        right: &'a Expr,
        focus: Focus<'_, 'a>,
    ) -> Outcome<'a> {
        let (left, right) = (self.one(left, focus)?, self.one(right, focus)?);
        let (Some(left), Some(right)) = (left, right) else { return Ok(Items::None) };
        let Some(order) = left.compare(&right) else {
            return Err(Problem::value("values of different types can't be compared", "convert one of them"));
        };
        let holds = |order: Ordering| match operator {
            Operator::LessThan => order.is_lt(),
            Operator::AtMost => order.is_le(),
            Operator::GreaterThan => order.is_gt(),
            _ => order.is_ge(),
        };
        Ok(order.map(|order| Item::Boolean(holds(order))).into_iter().collect())
    }
}

/// What is known of a condition, as a collection.
pub(super) fn known<'a>(truth: Option<bool>) -> Items<'a> {
    truth.map_or(Items::None, Items::boolean)
}

fn equal(left: &Items<'_>, right: &Items<'_>) -> Option<bool> {
    match (left.as_slice(), right.as_slice()) {
        ([], _) | (_, []) => None,
        ([left], [right]) => left.equals(right),
        (left, right) if left.len() != right.len() => Some(false),
        (left, right) => {
            left.iter().zip(right).try_fold(true, |all, (left, right)| left.equals(right).map(|same| all && same))
        }
    }
}

fn equivalent(left: &Items<'_>, right: &Items<'_>) -> bool {
    let (left, right) = (left.as_slice(), right.as_slice());
    left.len() == right.len() && left.iter().all(|item| right.iter().any(|other| item.equivalent(other)))
}
