//! What is known while the types of one query are derived.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::arena::{Arena, Ty};
use crate::schema::Schema;
use crate::sql::Query;
use crate::sql::Span;
use crate::sql::query::{BlockId, RelationId};
use crate::types::TypeError;

/// How deep expressions and query expressions are followed into one another: what is deeper is not known. The stack of
/// a thread has room for so many in a build that is not optimised.
pub(super) const DEEPEST: usize = 64;

/// The value of an expression.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// Its type; `UNKNOWN` for a string or parameter that context decides, `OPAQUE` where it is not known.
    pub(super) ty: Ty,
    /// What context can still decide about it.
    pub(super) form: Form,
    /// Whether it is proven that it is never NULL.
    pub(super) not_null: bool,
    /// The column of a table or view that it is.
    pub(super) origin: Option<Rc<Origin>>,
    /// Why the type is not known, or why the value can be NULL.
    pub(super) why: Option<Rc<str>>,
    /// Where it stands in the SQL, for a column that is named there.
    pub(super) span: Option<Span>,
}

/// The column of a stored relation, as the server tells clients of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) table: String,
    pub(super) column: String,
    /// `attnotnull`; of a view's columns it is false.
    pub(super) not_null: bool,
    /// The relation of the query that it was read from.
    pub(super) relation: RelationId,
}

/// What a value is, as far as coercion asks.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// NULL without a type.
    Null,
    /// A string without a type.
    Text(String),
    /// A parameter.
    Parameter(usize),
    /// `ROW(..)`.
    Row(Vec<Value>),
    /// Anything else.
    Plain,
}

impl Value {
    pub(super) fn of(ty: Ty, not_null: bool) -> Value {
        Value { ty, form: Form::Plain, not_null, origin: None, why: None, span: None }
    }

    pub(super) fn opaque(why: &str) -> Value {
        Value { why: Some(Rc::from(why)), ..Value::of(Ty::OPAQUE, false) }
    }

    /// Whether context decides its type.
    pub(super) fn is_unknown(&self) -> bool {
        self.ty == Ty::UNKNOWN
    }

    pub(super) fn because(mut self, why: &str) -> Value {
        self.why = Some(Rc::from(why));
        self
    }
}

/// A column by name.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Value,
}

/// What is known of a parameter.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) ty: Option<Ty>,
    pub(super) why: Option<Rc<str>>,
    /// Whether it stands where its type could not be told.
    pub(super) doubtful: bool,
    /// Whether it was met at all.
    pub(super) seen: bool,
}

/// The derivation of one query.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) query: &'a Query,
    pub(super) schema: &'a Schema,
    pub(super) types: Arena<'a>,
    pub(super) slots: Vec<Slot>,
    /// The outputs of blocks, once derived.
    pub(super) blocks: HashMap<BlockId, Option<Rc<[Field]>>>,
    /// The blocks of each block's WITH, in order.
    pub(super) ctes: HashMap<BlockId, Vec<BlockId>>,
    /// The columns of relations, once derived.
    pub(super) relations: HashMap<RelationId, Option<Rc<[Field]>>>,
    /// Relations whose rows an outer join fills with NULL.
    pub(super) outer: HashSet<RelationId>,
    /// Columns that a condition keeps from being NULL.
    pub(super) refuted: HashSet<(RelationId, String)>,
    /// How deep the expression at hand is.
    pub(super) depth: usize,
    /// The blocks that are being derived, innermost last.
    pub(super) path: Vec<BlockId>,
    /// Blocks in the middle of being derived.
    pub(super) open: HashSet<BlockId>,
    /// Whether each row of the block at hand stands for a group that has rows.
    pub(super) grouped: bool,
    pub(super) errors: Vec<TypeError>,
    /// Whether errors can be told: not inside views, whose text is not the user's.
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
            slots: vec![Slot { ty: None, why: None, doubtful: false, seen: false }; query.parameters],
            blocks: HashMap::new(),
            ctes,
            relations: HashMap::new(),
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

    /// Notes that the database would refuse the types of something.
    pub(super) fn error(&mut self, message: String, span: Option<Span>) {
        let help = "cast one side, or give a value of the type that is asked for";
        self.refusal(TypeError { message, span, label: "of this type", help: help.to_owned() });
    }

    /// Notes what the database would refuse, whatever the reason.
    pub(super) fn refusal(&mut self, error: TypeError) {
        let known =
            self.errors.iter().any(|other| other.message == error.message && other.span == error.span);
        if self.in_view == 0 && !known && self.errors.len() < 20 {
            self.errors.push(error);
        }
    }

    /// A parameter as it is known so far.
    pub(super) fn parameter(&mut self, number: usize) -> Value {
        let slot = number.checked_sub(1).and_then(|at| self.slots.get_mut(at));
        let ty = slot.and_then(|slot| {
            slot.seen = true;
            slot.ty
        });
        let ty = ty.unwrap_or(Ty::UNKNOWN);
        Value { form: Form::Parameter(number), ..Value::of(ty, false) }.because("a parameter can be NULL")
    }

    /// Gives a parameter its type, unless it has one.
    pub(super) fn decide(&mut self, number: usize, ty: Ty, why: &str) {
        let Some(slot) = number.checked_sub(1).and_then(|at| self.slots.get_mut(at)) else { return };
        if ty == Ty::OPAQUE {
            slot.doubtful = true;
            slot.why.get_or_insert_with(|| Rc::from(why));
        } else if slot.ty.is_none() && !slot.doubtful && ty != Ty::UNKNOWN {
            slot.ty = Some(ty);
            slot.why = Some(Rc::from(why));
        }
    }
}
