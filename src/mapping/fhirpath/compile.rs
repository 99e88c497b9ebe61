//! Tree → compiled expression: every name, function, variable and table is looked up here, once, and what is not there is
//! a mistake with its place.

use super::ast::{Ast, Kind, Operator};
use super::expr::{Expr, How, Step};
use super::functions::{self, Arguments, Function, Returns};
use super::item::decimal;
use super::parser;
use super::types::{choice_key, interned, plain_name};
use crate::fault::codes;
use crate::mapping::mistakes::{Mistakes, did_you_mean};
use crate::mapping::needs::Words;
use crate::mapping::source::{FhirTypes, Member, Type, member};
use crate::mapping::tables::Tables;
use crate::mapping::yaml::Scalar;
use std::sync::Arc;

/// A name that stands after `%`.
#[derive(Debug, Clone)]
pub struct Variable {
    pub name: String,
    pub kind: Type,
    pub expr: VariableExpr,
}

/// How a variable is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableExpr {
    Slot(usize),
    /// A `let` of fixed texts: they stand wherever it is named.
    Texts(Arc<[String]>),
    EachIndex,
    Now,
    Context,
    Resource,
}

/// Compiles the expressions of one mapping; knows what stands around them.
pub struct Compiler<'c> {
    pub types: Option<&'c dyn FhirTypes>,
    pub tables: &'c Tables,
    /// In scope, the innermost last.
    pub variables: Vec<Variable>,
    pub slots: usize,
    /// What its expressions look for in a source.
    pub words: Words,
    pub mistakes: &'c mut Mistakes,
}

/// One expression while it is compiled.
struct Work<'w, 'c> {
    compiler: &'w mut Compiler<'c>,
    scalar: &'w Scalar,
}

type Typed = (Expr, Type);

impl Compiler<'_> {
    /// Compiles the text of a scalar against the type of `$this`. What can't be compiled is a mistake and gives `{}`.
    pub fn compile(&mut self, scalar: &Scalar, this: &Type) -> (Expr, Type) {
        match parser::parse(&scalar.text) {
            Ok(tree) => Work { compiler: self, scalar }.expression(&tree, this),
            Err(error) => {
                let at = scalar.spot(error.at);
                self.mistakes.add(codes::MAPPING_SYNTAX, &at, format!("`{}`: {}", scalar.text, error.text), error.hint);
                (Expr::Empty, Type::Any)
            }
        }
    }

    /// A new place for the value of a variable.
    pub fn new_slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }
}

impl Work<'_, '_> {
    fn mistake(&mut self, code: &'static str, at: usize, text: impl Into<String>, hint: impl Into<String>) -> Typed {
        let text = format!("`{}`: {}", self.scalar.text, text.into());
        self.compiler.mistakes.add(code, &self.scalar.spot(at), text, hint);
        (Expr::Empty, Type::Any)
    }

    fn expression(&mut self, tree: &Ast, this: &Type) -> Typed {
        match &tree.kind {
            Kind::Empty => (Expr::Empty, Type::Any),
            Kind::Boolean(yes) => (Expr::Boolean(*yes), Type::Boolean),
            Kind::Text(text) => (Expr::Text(text.clone()), Type::Text),
            Kind::Time(text) => (Expr::Time(text.clone()), Type::Time),
            Kind::Number(text) => self.number(text, tree.at),
            Kind::Quantity(text, unit) => match decimal(text) {
                Some(number) => (Expr::Quantity(number, unit.clone()), Type::Any),
                None => self.number(text, tree.at),
            },
            Kind::This => (Expr::This, this.clone()),
            Kind::Index => (Expr::Index, Type::Integer),
            Kind::Total => (Expr::Total, Type::Any),
            Kind::Variable(name) => self.variable(name, tree.at),
            Kind::Member(base, name) => self.member(base.as_deref(), name, tree.at, this),
            Kind::Call(base, name, arguments) => self.call(base.as_deref(), name, arguments, tree.at, this),
            Kind::At(base, index) => {
                let (base, kind) = self.expression(base, this);
                let (index, _) = self.expression(index, this);
                (Expr::At(Box::new(base), Box::new(index)), kind)
            }
            Kind::Minus(operand) => {
                let (operand, kind) = self.expression(operand, this);
                (Expr::Minus(Box::new(operand)), kind)
            }
            Kind::Binary(operator, left, right) => self.binary(*operator, left, right, this),
            Kind::Type(cast, base, name) => self.type_test(*cast, base, name, tree.at, this),
        }
    }

    fn number(&mut self, text: &str, at: usize) -> Typed {
        if let (false, Ok(number)) = (text.contains('.'), text.parse()) {
            return (Expr::Integer(number), Type::Integer);
        }
        match decimal(text) {
            Some(number) => (Expr::Decimal(number), Type::Decimal),
            None => self.mistake(codes::MAPPING_SYNTAX, at, "a number of more than 28 digits", "write it as a text"),
        }
    }

    fn variable(&mut self, name: &str, at: usize) -> Typed {
        let found = self.compiler.variables.iter().rev().find(|variable| variable.name == name).cloned();
        match found {
            Some(variable) => {
                let expr = match variable.expr {
                    VariableExpr::Slot(slot) => Expr::Slot(slot),
                    VariableExpr::Texts(texts) => Expr::of_texts(texts),
                    VariableExpr::EachIndex => Expr::EachIndex,
                    VariableExpr::Now => Expr::Now,
                    VariableExpr::Context => Expr::Context,
                    VariableExpr::Resource => Expr::Resource,
                };
                (expr, variable.kind)
            }
            None => {
                let hint = did_you_mean(name, self.compiler.variables.iter().map(|variable| &variable.name));
                self.mistake(codes::MAPPING_SOURCE, at, format!("there is no variable %{name} here"), hint)
            }
        }
    }

    fn member(&mut self, base: Option<&Ast>, name: &str, at: usize, this: &Type) -> Typed {
        if base.is_none() && name.starts_with(|c: char| c.is_ascii_uppercase()) {
            let step = Step::new(name, How::TypeName, "");
            return self.type_name(step, at, this);
        }
        let (base, of) = match base {
            Some(base) => {
                let (base, of) = self.expression(base, this);
                (Some(base), of)
            }
            None => (None, this.clone()),
        };
        match member(self.compiler.types, &of, name) {
            Member::Found { kind, choice } => {
                let how = if choice { How::Choice } else { How::Plain };
                let place = if let Type::Record(shape) = &of { shape.place(name) } else { None };
                let step = Step { place, ..Step::new(name, how, if choice { "" } else { kind.kind() }) };
                (extend(base, step), kind)
            }
            Member::Missing(known) => {
                let hint = if self.scalar.quoted && self.scalar.text == name {
                    format!("{}; a fixed text stands in two kinds of quotes: \"'{name}'\"", did_you_mean(name, known))
                } else {
                    did_you_mean(name, known)
                };
                self.mistake(codes::MAPPING_SOURCE, at, format!("{} has no `{name}`", of.describe()), hint)
            }
        }
    }

    /// A resource's type name at the start of a path.
    fn type_name(&mut self, step: Step, at: usize, this: &Type) -> Typed {
        match this {
            Type::Fhir(known) if **known != *step.name => {
                let text = format!("{known} is read here, not {}", step.name);
                self.mistake(codes::MAPPING_SOURCE, at, text, "begin the path with the name of an element")
            }
            Type::Record(_) => {
                let text = format!("{} is read here, not {}", this.describe(), step.name);
                self.mistake(codes::MAPPING_SOURCE, at, text, "begin the path with the name of a property")
            }
            _ => {
                let kind = Type::fhir(&step.name);
                (extend(None, step), kind)
            }
        }
    }

    fn binary(&mut self, operator: Operator, left: &Ast, right: &Ast, this: &Type) -> Typed {
        use Operator::*;
        let (left, left_kind) = self.expression(left, this);
        let (right, right_kind) = self.expression(right, this);
        let kind = match operator {
            Union => Type::one_of([left_kind, right_kind]),
            Concatenate => Type::Text,
            Times | Over | Div | Mod | Plus | Less => arithmetic_type(&left_kind, &right_kind),
            _ => Type::Boolean,
        };
        (combined(operator, left, right), kind)
    }

    fn type_test(&mut self, cast: bool, base: &Ast, name: &str, at: usize, this: &Type) -> Typed {
        let (base, _) = self.expression(base, this);
        if !cast {
            return (Expr::Is(Box::new(base), name.to_owned()), Type::Boolean);
        }
        self.check_type_name(name, at);
        self.narrowed(base, name)
    }

    /// `value.ofType(Quantity)` reads `valueQuantity` at once where it can.
    fn narrowed(&mut self, base: Expr, name: &str) -> Typed {
        let fhir = plain_name(name);
        let kind = Type::fhir(fhir);
        if let Expr::Path(inner, steps) = &base
            && let Some(last) = steps.last().filter(|step| step.how == How::Choice)
            && let Some(key) = choice_key(&last.name, fhir)
        {
            let mut steps = steps.to_vec();
            if let Some(last) = steps.last_mut() {
                *last = Step::new(&key, How::Plain, interned(fhir));
            }
            if inner.is_none() {
                return (Expr::Path(None, steps.into()), kind);
            }
            if let Expr::Path(inner, _) = base {
                return (Expr::Path(inner, steps.into()), kind);
            }
        }
        (Expr::As(Box::new(base), name.to_owned()), kind)
    }

    fn check_type_name(&mut self, name: &str, at: usize) {
        let plain = plain_name(name);
        let system = name.starts_with("System.")
            || matches!(name, "Boolean" | "String" | "Integer" | "Decimal" | "Date" | "DateTime" | "Time");
        let known = |types: &dyn FhirTypes| types.knows(plain) || !interned(plain).is_empty();
        if !system && self.compiler.types.is_some_and(|types| !known(types)) {
            let hint = "types are spelt as FHIR spells them: Quantity, dateTime, PractitionerRole";
            self.mistake(codes::MAPPING_SOURCE, at, format!("there is no type `{name}`"), hint);
        }
    }

    fn call(&mut self, base: Option<&Ast>, name: &str, arguments: &[Ast], at: usize, this: &Type) -> Typed {
        let Some(function) = functions::find(name) else {
            let hint = did_you_mean(name, functions::all().map(|function| function.name));
            return self.mistake(codes::MAPPING_FUNCTION, at, format!("there is no function {name}()"), hint);
        };
        self.compiler.words.calls(function);
        if !(function.least..=function.most).contains(&arguments.len()) {
            let text = format!("{name}() was given {} arguments", arguments.len());
            return self.mistake(codes::MAPPING_FUNCTION, at, text, format!("it is called as {}", function.signature));
        }
        let (base, of) = match base {
            Some(base) => {
                let (base, of) = self.expression(base, this);
                (Some(base), of)
            }
            None => (None, this.clone()),
        };
        if function.arguments == Arguments::TypeName {
            return self.type_call(function, base, &arguments[0]);
        }
        let around = if function.arguments == Arguments::Each { &of } else { this };
        let compiled: Vec<Typed> = arguments.iter().map(|argument| self.expression(argument, around)).collect();
        let kinds: Vec<Type> = compiled.iter().map(|(_, kind)| kind.clone()).collect();
        let mut compiled: Vec<Expr> = compiled.into_iter().map(|(expr, _)| expr).collect();
        if function.arguments == Arguments::Texts {
            merge_texts(&mut compiled);
        }
        if let Some(first) = compiled.first_mut() {
            self.prepare(function, first, &arguments[0]);
        }
        let base = if name == "extension" { base.map(shadowed) } else { base };
        let kind = self.returned(function, &of, &kinds, arguments);
        if name == "first" && base.as_ref().is_some_and(is_choice) {
            let mut operands = Vec::new();
            base.into_iter().for_each(|choice| take_apart(choice, &mut operands));
            return (Expr::FirstOf(operands.into()), kind);
        }
        if name == "iif" && base.is_none() {
            let mut choice = compiled.into_iter();
            let mut next = || choice.next().unwrap_or(Expr::Empty);
            return (Expr::If(Box::new([next(), next(), next()])), kind);
        }
        (Expr::Call(function, base.map(Box::new), compiled.into()), kind)
    }

    /// `ofType(X)`, `as(X)` and `is(X)`: the argument is the name of a type.
    fn type_call(&mut self, function: &'static Function, base: Option<Expr>, argument: &Ast) -> Typed {
        let name = match &argument.kind {
            Kind::Member(None, name) | Kind::Text(name) => name.clone(),
            Kind::Member(Some(space), name) => match &space.kind {
                Kind::Member(None, space) => format!("{space}.{name}"),
                _ => return self.no_type_name(argument.at),
            },
            _ => return self.no_type_name(argument.at),
        };
        self.check_type_name(&name, argument.at);
        let base = base.unwrap_or(Expr::This);
        if function.returns == Returns::NamedType {
            self.narrowed(base, &name)
        } else {
            (Expr::Call(function, Some(Box::new(base)), [Expr::Text(name)].into()), Type::Boolean)
        }
    }

    fn no_type_name(&mut self, at: usize) -> Typed {
        self.mistake(codes::MAPPING_SYNTAX, at, "the name of a type is needed here", "write ofType(Quantity)")
    }

    /// Makes patterns and tables that are named by literals ready.
    fn prepare(&mut self, function: &Function, first: &mut Expr, argument: &Ast) {
        match (function.arguments, &*first) {
            (Arguments::Pattern, Expr::Text(text)) => match functions::regex(text) {
                Ok(regex) => *first = Expr::Pattern(Box::new(regex), text.clone()),
                Err(error) => {
                    let text = format!("this is no regular expression: {error}");
                    self.mistake(
                        codes::MAPPING_SYNTAX,
                        argument.at,
                        text,
                        "\\ stands twice in FHIRPath texts: '\\\\d'",
                    );
                }
            },
            (Arguments::Table, Expr::Text(name)) => match self.compiler.tables.get(name) {
                Some(table) => *first = Expr::Table(table.clone()),
                None => {
                    let text = format!("there is no code table codes/{name}.tsv");
                    let hint = did_you_mean(name, self.compiler.tables.names());
                    self.mistake(codes::MAPPING_FUNCTION, argument.at, text, hint);
                }
            },
            (Arguments::Table, _) => {
                let hint = "write translate('place-of-service')";
                self.mistake(codes::MAPPING_FUNCTION, argument.at, "a code table is named by a text in quotes", hint);
            }
            _ => {}
        }
    }

    fn returned(&self, function: &Function, of: &Type, arguments: &[Type], arguments_ast: &[Ast]) -> Type {
        match function.returns {
            Returns::Input => of.clone(),
            Returns::Boolean => Type::Boolean,
            Returns::Text => Type::Text,
            Returns::Integer => Type::Integer,
            Returns::Decimal => Type::Decimal,
            Returns::Time => Type::Time,
            Returns::Fhir(name) => Type::fhir(name),
            Returns::Projection => arguments.first().cloned().unwrap_or(Type::Any),
            Returns::Either => Type::one_of(arguments.iter().cloned()),
            Returns::Branches => Type::one_of(arguments.iter().skip(1).cloned()),
            Returns::InputOr => Type::one_of([of.clone()].into_iter().chain(arguments.iter().cloned())),
            Returns::Resource => resolved(of),
            Returns::NamedType => match call_name(arguments_ast) {
                Some(name) => Type::fhir(name),
                None => Type::Any,
            },
            Returns::Unknown => Type::Any,
        }
    }
}

/// The type that a first argument names by a text.
fn call_name(arguments: &[Ast]) -> Option<&str> {
    match &arguments.first()?.kind {
        Kind::Text(name) => Some(name),
        _ => None,
    }
}

/// What the resources of a Reference are.
fn resolved(of: &Type) -> Type {
    match of {
        Type::Reference(targets) if targets.iter().all(|target| &**target != "Resource") => {
            Type::one_of(targets.iter().map(|target| Type::Fhir(target.clone())))
        }
        Type::OneOf(types) => {
            Type::one_of(types.iter().filter(|kind| matches!(kind, Type::Reference(_))).map(resolved))
        }
        _ => Type::Any,
    }
}

/// Makes one argument of several that are fixed texts.
fn merge_texts(arguments: &mut Vec<Expr>) {
    let all: Option<Vec<_>> = arguments.iter().map(Expr::texts).collect();
    if let Some(all) = all {
        *arguments = vec![Expr::Texts(distinct(all.iter().flat_map(|texts| texts.iter().cloned()).collect()))];
    }
}

/// An operator between its operands, in a quicker form where there is one.
fn combined(operator: Operator, left: Expr, right: Expr) -> Expr {
    match (operator, left, right) {
        (Operator::In, left, Expr::Texts(right)) => Expr::OneOf(Box::new(left), right),
        (Operator::Union, left, right) => match (left.texts(), right.texts()) {
            (Some(left), Some(right)) => Expr::of_texts(distinct([&*left, &*right].concat())),
            _ => Expr::Binary(operator, Box::new(left), Box::new(right)),
        },
        (Operator::Concatenate, Expr::Join(left), right) => {
            let mut operands = left.into_vec();
            operands.push(right);
            Expr::Join(operands.into())
        }
        (Operator::Concatenate, left, right) => Expr::Join([left, right].into()),
        (operator, left, right) => Expr::Binary(operator, Box::new(left), Box::new(right)),
    }
}

fn distinct(texts: Vec<String>) -> Arc<[String]> {
    let mut kept: Vec<String> = Vec::with_capacity(texts.len());
    for text in texts {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept.into()
}

/// Whether the first item of an expression is that of the first operand that has one.
fn is_choice(expr: &Expr) -> bool {
    match expr {
        Expr::Binary(operator, ..) => *operator == Operator::Union,
        Expr::Call(function, ..) => function.name == "coalesce",
        _ => false,
    }
}

/// The operands of nested unions and choices, in their order.
fn take_apart(expr: Expr, out: &mut Vec<Expr>) {
    match expr {
        Expr::Call(function, _, operands) if function.name == "coalesce" => {
            operands.into_iter().for_each(|operand| take_apart(operand, out));
        }
        Expr::Binary(Operator::Union, left, right) => {
            take_apart(*left, out);
            take_apart(*right, out);
        }
        Expr::Empty => {}
        other => out.push(other),
    }
}

fn arithmetic_type(left: &Type, right: &Type) -> Type {
    match (left, right) {
        (Type::Integer, Type::Integer) => Type::Integer,
        (Type::Text, _) | (_, Type::Text) => Type::Text,
        (Type::Time, _) => Type::Time,
        _ => Type::Any,
    }
}

/// A path one step longer.
fn extend(base: Option<Expr>, step: Step) -> Expr {
    match base {
        None | Some(Expr::This) => Expr::Path(None, [step].into()),
        Some(Expr::Path(inner, steps)) => {
            let mut steps = steps.into_vec();
            steps.push(step);
            Expr::Path(inner, steps.into())
        }
        Some(other) => Expr::Path(Some(Box::new(other)), [step].into()),
    }
}

/// A path whose last name is read as the object behind it, `_name` for primitives: what `extension()` looks into.
fn shadowed(base: Expr) -> Expr {
    match base {
        Expr::Path(inner, steps) => {
            let mut steps = steps.into_vec();
            match steps.pop() {
                Some(last) if last.how == How::Plain => {
                    let inner = if steps.is_empty() { inner } else { Some(Box::new(Expr::Path(inner, steps.into()))) };
                    Expr::Shadow(inner, Box::new(last))
                }
                Some(last) => {
                    steps.push(last);
                    Expr::Path(inner, steps.into())
                }
                None => Expr::Path(inner, steps.into()),
            }
        }
        other => other,
    }
}
