//! Items handed on one by one as they are found: what is only asked for, filtered or written needs no collection.

use super::eval::{Focus, Problem, Run, several};
use super::expr::{Expr, Step};
use super::functions::{Call, Work};
use super::item::{Item, Items};
use super::walk::walk_item;
use std::borrow::Cow;

/// Who takes items.
pub trait Taker<'a> {
    /// Takes one more; false when no more are wanted.
    fn take(&mut self, item: Item<'a>) -> bool;
}

/// Whether more items are wanted, or why there are none.
pub type Gathered = Result<bool, Box<Problem>>;

impl<'a> Taker<'a> for Items<'a> {
    fn take(&mut self, item: Item<'a>) -> bool {
        self.push(item);
        true
    }
}

/// The first item, and how many there are.
#[derive(Default)]
pub struct Single<'a> {
    first: Option<Item<'a>>,
    count: usize,
}

impl<'a> Taker<'a> for Single<'a> {
    fn take(&mut self, item: Item<'a>) -> bool {
        self.count += 1;
        if self.count == 1 {
            self.first = Some(item);
        }
        true
    }
}

/// Takes the first item, and no more.
#[derive(Default)]
pub struct First<'a>(pub Option<Item<'a>>);

impl<'a> Taker<'a> for First<'a> {
    fn take(&mut self, item: Item<'a>) -> bool {
        self.0 = Some(item);
        false
    }
}

/// Takes with a closure.
pub struct With<F>(pub F);

impl<'a, F: FnMut(Item<'a>) -> bool> Taker<'a> for With<F> {
    fn take(&mut self, item: Item<'a>) -> bool {
        (self.0)(item)
    }
}

/// Goes on along a path from each item.
struct Along<'t, 'a> {
    steps: &'a [Step],
    taker: &'t mut dyn Taker<'a>,
}

impl<'a> Taker<'a> for Along<'_, 'a> {
    fn take(&mut self, item: Item<'a>) -> bool {
        walk_item(&item, self.steps, self.taker)
    }
}

impl<'a> Run<'a> {
    /// Hands on what an expression gives.
    #[inline]
    pub fn gather(&self, expr: &'a Expr, focus: Focus<'_, 'a>, taker: &mut dyn Taker<'a>) -> Gathered {
        match expr {
            Expr::Path(None, steps) => Ok(walk_item(focus.this, steps, taker)),
            Expr::Slot(slot) => Ok(self.with_slot(*slot, |items| items.iter().all(|item| taker.take(item.clone())))),
            _ => self.run_for(expr, focus, taker),
        }
    }

    /// The same for what is more than a name.
    fn run_for(&self, expr: &'a Expr, focus: Focus<'_, 'a>, taker: &mut dyn Taker<'a>) -> Gathered {
        Ok(match expr {
            Expr::Empty => true,
            Expr::Text(text) => taker.take(Item::Text(Cow::Borrowed(text))),
            Expr::This => taker.take(focus.this.clone()),
            Expr::Slot(slot) => self.with_slot(*slot, |items| items.iter().all(|item| taker.take(item.clone()))),
            Expr::Path(None, steps) => walk_item(focus.this, steps, taker),
            Expr::Path(Some(base), steps) => match &**base {
                Expr::Slot(slot) => {
                    self.with_slot(*slot, |items| items.iter().all(|item| walk_item(item, steps, taker)))
                }
                base => self.gather(base, focus, &mut Along { steps, taker })?,
            },
            Expr::If(choice) => {
                let [criterion, then, otherwise] = &**choice;
                let holds = self.muted(|| self.truth(criterion, focus))?.unwrap_or(false);
                self.gather(if holds { then } else { otherwise }, focus, taker)?
            }
            Expr::Call(function, base, arguments) => match function.work {
                Work::Given(work) => {
                    let call = Call { run: self, focus, base: base.as_deref(), arguments };
                    work(&call, taker)?
                }
                Work::Truth(work) => {
                    let call = Call { run: self, focus, base: base.as_deref(), arguments };
                    work(&call)?.is_none_or(|yes| taker.take(Item::Boolean(yes)))
                }
                Work::Items(_) => self.eval(expr, focus)?.hand_to(taker),
            },
            _ => self.eval(expr, focus)?.hand_to(taker),
        })
    }

    /// The one item of an expression, or none; several are a problem.
    pub fn one(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Result<Option<Item<'a>>, Box<Problem>> {
        match self.first(expr, focus)? {
            (_, many) if many > 1 => Err(several(many)),
            (item, _) => Ok(item),
        }
    }

    /// The first item of an expression, and how many there are.
    pub fn first(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Result<(Option<Item<'a>>, usize), Box<Problem>> {
        let mut single = Single::default();
        self.gather(expr, focus, &mut single)?;
        Ok((single.first, single.count))
    }
}
