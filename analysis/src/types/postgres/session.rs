//! The state while the types of one query are derived.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;

use super::arena::{Arena, Ty};
use crate::schema::{Name, Schema, Table};
use crate::sql::Query;
use crate::sql::Span;
use crate::sql::query::{BlockId, FEW_COLUMNS, RelationId};
use crate::types::TypeError;

use super::coerce::is_polymorphic;

/// The maximum nesting of expressions and query expressions; anything deeper is unknown. It fits the stack of
/// a thread in an unoptimised build.
pub(super) const MAX_EXPR_DEPTH: usize = 64;

/// The value of an expression.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// Its type; `UNKNOWN` for a string or parameter whose type depends on context, `OPAQUE` if it is not
    /// known.
    pub(super) ty: Ty,
    /// What context can still determine about it.
    pub(super) form: Form,
    /// Whether it is proven never to be NULL.
    pub(super) not_null: bool,
    /// The column of a table or view behind it.
    pub(super) origin: Option<Rc<Origin>>,
    /// Why the type is unknown, or why the value can be NULL.
    pub(super) why: Option<Why>,
    /// The position in the SQL of a column mentioned there.
    pub(super) span: Option<Span>,
}

/// A reason. Most are never shown, so that a column's is worded only then.
#[derive(Debug, Clone)]
pub(super) enum Why {
    Text(&'static str),
    Made(Rc<str>),
    /// Whether the column is declared NOT NULL.
    Declared(Rc<Origin>),
}

impl Why {
    /// The reason in words.
    pub(super) fn words(&self) -> Cow<'_, str> {
        match self {
            Why::Text(text) => Cow::Borrowed(text),
            Why::Made(text) => Cow::Borrowed(text),
            Why::Declared(origin) => {
                let Origin { table, column, not_null, .. } = &**origin;
                let is = if *not_null { "NOT NULL" } else { "nullable" };
                Cow::Owned(format!("column `{table}.{column}` is {is}"))
            }
        }
    }
}

impl From<&'static str> for Why {
    fn from(text: &'static str) -> Why {
        Why::Text(text)
    }
}

impl From<String> for Why {
    fn from(text: String) -> Why {
        Why::Made(text.into())
    }
}

/// The column of a stored relation, as the server reports it to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) table: String,
    pub(super) column: String,
    /// `attnotnull`; false for a view's columns.
    pub(super) not_null: bool,
    /// The relation of the query that it was read from.
    pub(super) relation: RelationId,
}

/// The form of a value, as far as conversions depend on it.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// NULL without a type.
    Null,
    /// A string without a type.
    Text(String),
    Parameter(usize),
    Row(Vec<Value>),
    /// Anything else.
    Plain,
}

impl Value {
    pub(super) fn of(ty: Ty, not_null: bool) -> Value {
        Value { ty, form: Form::Plain, not_null, origin: None, why: None, span: None }
    }

    pub(super) fn opaque(why: impl Into<Why>) -> Value {
        Value::of(Ty::OPAQUE, false).because(why)
    }

    /// Whether its type depends on context.
    pub(super) fn is_unknown(&self) -> bool {
        self.ty == Ty::UNKNOWN
    }

    pub(super) fn because(mut self, why: impl Into<Why>) -> Value {
        self.why = Some(why.into());
        self
    }
}

/// A named column.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Value,
}

/// What is known about a parameter.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) ty: Option<Ty>,
    pub(super) why: Option<Rc<str>>,
    /// Whether it occurs where its type could not be determined.
    pub(super) doubtful: bool,
    /// Whether it occurs at all.
    pub(super) seen: bool,
    /// Where it occurs, before anything determines its type, and takes none.
    pub(super) untyped: Option<&'static str>,
    /// The type that it was given afterwards.
    pub(super) later: Option<Ty>,
}

/// The derivation of one query.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) query: &'a Query,
    pub(super) schema: &'a Schema,
    pub(super) types: Arena<'a>,
    pub(super) slots: Vec<Slot>,
    /// The columns of blocks, once derived.
    pub(super) blocks: HashMap<BlockId, Option<Rc<[Field]>>>,
    /// The blocks of each block's WITH, in order.
    pub(super) ctes: HashMap<BlockId, Vec<BlockId>>,
    /// The columns of relations, once derived.
    pub(super) relations: HashMap<RelationId, Option<Rc<[Field]>>>,
    /// The positions of columns of wide tables, once one of them is looked up.
    pub(super) places: HashMap<RelationId, HashMap<&'a str, usize>>,
    /// The composite types that functions in FROM return, as far as their rows have no other columns.
    pub(super) row_types: HashMap<RelationId, Ty>,
    /// The derived column types of materialised views.
    pub(super) stored_types: HashMap<Name, Rc<[(String, String)]>>,
    /// Relations that an outer join may pad with NULL.
    pub(super) outer: HashSet<RelationId>,
    /// Columns that a condition proves not to be NULL.
    pub(super) refuted: HashSet<(RelationId, String)>,
    /// The nesting depth of the current expression.
    pub(super) depth: usize,
    /// The blocks being derived, innermost last.
    pub(super) path: Vec<BlockId>,
    /// Blocks whose derivation has started and not finished.
    pub(super) open: HashSet<BlockId>,
    /// Whether each row of the current block is a group with rows.
    pub(super) grouped: bool,
    pub(super) errors: Vec<TypeError>,
    /// The nesting depth of views, inside which no errors are reported, since their text is not the user's.
    pub(super) in_view: usize,
}

impl<'a> Session<'a> {
    pub(super) fn new(query: &'a Query, schema: &'a Schema) -> Session<'a> {
        let mut ctes: HashMap<BlockId, Vec<BlockId>> = HashMap::new();
        for (id, block) in query.block_ids() {
            if let (crate::sql::query::Role::Cte { .. }, Some(parent)) = (&block.role, block.parent) {
                ctes.entry(parent).or_default().push(id);
            }
        }
        Session {
            query,
            schema,
            types: Arena::new(schema),
            slots: vec![
                Slot { ty: None, why: None, doubtful: false, seen: false, untyped: None, later: None };
                query.parameters
            ],
            blocks: HashMap::new(),
            ctes,
            relations: HashMap::new(),
            places: HashMap::new(),
            row_types: HashMap::new(),
            stored_types: HashMap::new(),
            outer: HashSet::new(),
            refuted: HashSet::new(),
            depth: 0,
            path: Vec::new(),
            open: HashSet::new(),
            grouped: false,
            errors: Vec::new(),
            in_view: 0,
        }
    }

    /// Records a type error.
    pub(super) fn error(&mut self, message: String, span: Option<Span>) {
        let help = "cast one side, or pass a value of the expected type";
        self.refusal(TypeError { message, span, label: "of this type", help: help.to_owned() });
    }

    /// Records an error that the database would raise.
    pub(super) fn refusal(&mut self, error: TypeError) {
        let known =
            self.errors.iter().any(|other| other.message == error.message && other.span == error.span);
        if self.in_view == 0 && !known && self.errors.len() < 20 {
            self.errors.push(error);
        }
    }

    /// Records an error without a position.
    pub(super) fn refuse(&mut self, message: &str, help: &str) {
        let (message, help) = (message.to_owned(), help.to_owned());
        self.refusal(TypeError { message, span: None, label: "", help });
    }

    /// The position of a column of a table by its name in the query.
    pub(super) fn place(&mut self, id: RelationId, stored: &'a Table, name: &str) -> Option<usize> {
        // Renamed columns come first.
        let query = self.query;
        let names =
            query.relation(id).columns.as_deref().unwrap_or_default().iter().map(|column| &column.name);
        let own = stored.columns.iter().map(|column| &column.name).skip(names.len());
        let mut names = names.chain(own);
        if stored.columns.len() <= FEW_COLUMNS {
            return names.position(|known| known == name);
        }
        let places = self.places.entry(id).or_insert_with(|| {
            let mut places = HashMap::new();
            for (at, name) in names.enumerate() {
                places.entry(name.as_str()).or_insert(at);
            }
            places
        });
        places.get(name).copied()
    }

    /// The value of a parameter, as far as it is known.
    pub(super) fn parameter(&mut self, number: usize) -> Value {
        let slot = number.checked_sub(1).and_then(|at| self.slots.get_mut(at));
        let ty = slot.and_then(|slot| {
            slot.seen = true;
            slot.ty
        });
        let ty = ty.unwrap_or(Ty::UNKNOWN);
        Value { form: Form::Parameter(number), ..Value::of(ty, false) }.because("a parameter can be NULL")
    }

    /// Sets the type of a parameter, unless it has one.
    pub(super) fn decide(&mut self, number: usize, ty: Ty, why: impl fmt::Display) {
        let Some(slot) = number.checked_sub(1).and_then(|at| self.slots.get_mut(at)) else { return };
        if slot.untyped.is_some() && slot.ty.is_none() {
            slot.doubtful = true;
            slot.later = slot.later.or(Some(ty));
            slot.why = Some("it is compared with NULL before anything determines its type".into());
        } else if ty == Ty::OPAQUE {
            slot.doubtful = true;
            slot.why.get_or_insert_with(|| why.to_string().into());
        } else if slot.doubtful || ty == Ty::UNKNOWN {
        } else if let Some(known) = slot.ty {
            self.check_same(number, known, ty);
        } else {
            slot.ty = Some(ty);
            slot.why = Some(why.to_string().into());
        }
    }

    /// Reports a parameter that was read without a type, and meanwhile has another one.
    fn check_same(&mut self, number: usize, known: Ty, ty: Ty) {
        if self.types.same(known, ty) || is_polymorphic(ty) || ty == Ty::ANY {
            return;
        }
        let (one, other) = (self.types.display(known), self.types.display(ty));
        self.refusal(TypeError {
            message: format!("parameter ${number} is `{one}` in one place and `{other}` in another"),
            span: None,
            label: "",
            help: format!("cast it in both places: `${number}::{one}`, or pass it twice"),
        });
    }
}
