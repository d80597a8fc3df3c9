//! Operators: which one is used, the types of its operands, and what it returns.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::arena::Ty;
use super::base;
use super::candidates::{Candidate, Choice};
use super::catalog::Catalog;
use super::session::{Form, Session, Value, Why};
use crate::sql::Span;
use crate::types::TypeError;

impl Session<'_> {
    /// `left op right`, or `op right`.
    pub(super) fn operator(&mut self, op: &str, left: Option<Value>, right: Value) -> Value {
        let is_comparison = matches!(op, "=" | "<>" | "!=" | "<" | ">" | "<=" | ">=");
        if let (true, Some(Value { form: Form::Row(a), .. }), Form::Row(b)) =
            (is_comparison, &left, &right.form)
        {
            return self.compare_rows(op, a.clone(), b.clone());
        }
        let types: Vec<Ty> = left.iter().chain([&right]).map(|value| value.ty).collect();
        if types.contains(&Ty::OPAQUE) {
            return self.beside_unknown(op, left, right);
        }
        let span = left.as_ref().and_then(|left| left.span).or(right.span);
        let found = self.find_operator(op, &types);
        let Choice::One(candidate) = found else {
            self.no_operator(op, &types, matches!(found, Choice::Several), span);
            return Value::opaque(format!("no operator `{op}` for these types is known"));
        };
        let Some((args, result)) = self.settled(&candidate, &types) else {
            return Value::opaque(format!(
                "the type of the operator `{op}` depends on a type that is not known"
            ));
        };
        let not_null = left.iter().chain([&right]).all(|value| value.not_null)
            && candidate.strict
            && gives_a_value(op, &candidate, &mut |ty| self.types.info(ty).name.clone());
        let mut values = left.into_iter().chain([right]).zip(args);
        let mut why = None;
        for (value, ty) in &mut values {
            why = why.or_else(|| value.why.clone().filter(|_| !value.not_null));
            self.coerce(value, ty, format_args!("an operand of `{op}`"));
        }
        Value { why, ..Value::of(result, not_null) }
    }

    /// Rows are compared field by field.
    fn compare_rows(&mut self, op: &str, left: Vec<Value>, right: Vec<Value>) -> Value {
        if left.len() != right.len() {
            self.refusal(TypeError {
                message: "the rows that are compared have different numbers of fields".to_owned(),
                span: None,
                label: "",
                help: "write as many values on each side".to_owned(),
            });
        }
        let not_null = left.iter().chain(&right).all(|value| value.not_null);
        for (a, b) in left.into_iter().zip(right) {
            self.operator(op, Some(a), b);
        }
        Value::of(Ty::BOOL, not_null)
    }

    /// An operator with an operand of unknown type: a comparison is still boolean, but nothing is known about
    /// the other operand.
    fn beside_unknown(&mut self, op: &str, left: Option<Value>, right: Value) -> Value {
        let why = left.iter().chain([&right]).find(|v| v.ty == Ty::OPAQUE).and_then(|v| v.why.clone());
        for value in left.into_iter().chain([right]).filter(Value::is_unknown) {
            let why = why.as_ref().map_or("used with a type that is not known".into(), Why::words);
            self.coerce(value, Ty::OPAQUE, &*why);
        }
        match op {
            "=" | "<>" | "!=" | "<" | ">" | "<=" | ">=" | "~~" | "!~~" | "~~*" | "!~~*" | "~" | "@>"
            | "<@" | "&&" => Value::of(Ty::BOOL, false),
            _ => Value { why, ..Value::of(Ty::OPAQUE, false) },
        }
    }

    /// The operator with a name for operands of these types.
    pub(super) fn find_operator(&mut self, op: &str, types: &[Ty]) -> Choice {
        let op = if op == "!=" { "<>" } else { op };
        // A string or parameter is first assumed to have the type of the other operand.
        let assumed: Vec<Ty> = match types {
            [Ty::UNKNOWN, other] | [other, Ty::UNKNOWN] => vec![*other; 2],
            other => other.to_vec(),
        };
        let bases: Vec<Ty> = assumed.iter().map(|ty| self.types.base(*ty)).collect();
        let tries = if types.contains(&Ty::UNKNOWN) && types.len() == 2 {
            vec![&assumed, &bases]
        } else {
            vec![&assumed]
        };
        let extensions = self.operators_of_extensions(op, types.len());
        let listed = operators_of_base(op, types.len());
        let own = self.own_operators(op, types.len());
        let is_unread = own.is_none();
        let own = own.unwrap_or_default();
        let candidates = || listed.iter().chain(&extensions).chain(&own);
        for wanted in &tries {
            if let Some(candidate) = candidates().find(|candidate| candidate.args == **wanted) {
                return Choice::One(Arc::clone(candidate));
            }
        }
        for wanted in tries {
            let mut all = candidates();
            let is_same = |candidate: &&Arc<Candidate>| {
                candidate.args.iter().zip(wanted).all(|(a, b)| self.types.same(*a, *b))
            };
            if let Some(candidate) = all.find(is_same) {
                return Choice::One(Arc::clone(candidate));
            }
        }
        // Of an operator of the schema the types may not be known.
        if is_unread {
            return Choice::Several;
        }
        let matching = self.matching(candidates(), types);
        self.choose(matching, types)
    }

    fn operators_of_extensions(&mut self, op: &str, operands: usize) -> Vec<Arc<Candidate>> {
        if self.types.catalog.is_base() {
            return Vec::new();
        }
        let lines = self.types.catalog.lines_of_extensions('o', op);
        let lines = lines.into_iter();
        lines.filter_map(|line| listed(line, operands, &mut |name| self.types.builtin(name))).collect()
    }

    /// Reports an operator that does not exist, if that is certain.
    fn no_operator(&mut self, op: &str, types: &[Ty], several: bool, span: Option<Span>) {
        let known = types.iter().all(|ty| *ty != Ty::OPAQUE);
        // `(a, b) OVERLAPS (c, d)` is a function of four values.
        if op.eq_ignore_ascii_case("overlaps")
            || !known
            || self.may_be_of_extension(types)
            || self.may_define_operator(op)
        {
            return;
        }
        let names: Vec<String> = types.iter().map(|ty| self.types.display(*ty)).collect();
        let shape = match names.as_slice() {
            [left, right] => format!("{left} {op} {right}"),
            [only] => format!("{op} {only}"),
            _ => return,
        };
        if several {
            return self.ambiguous(&shape, types, span);
        }
        self.error(format!("no operator `{shape}` exists"), span);
    }

    /// Whether an extension may have an operator for some types. Those of later versions of known extensions take types
    /// of their own.
    fn may_be_of_extension(&mut self, types: &[Ty]) -> bool {
        let has_own = types.iter().any(|ty| {
            let element = self.types.element(*ty).unwrap_or(*ty);
            *ty == Ty::UNKNOWN || self.types.info(element).of_extension
        });
        let catalog = &self.types.catalog;
        catalog.unlisted_extension || catalog.unknown_extension && has_own
    }

    /// `left op ANY (array)`.
    pub(super) fn any(&mut self, op: &str, left: Value, right: Value) -> Value {
        if right.ty == Ty::OPAQUE || left.ty == Ty::OPAQUE {
            for value in [left, right].into_iter().filter(Value::is_unknown) {
                self.coerce(value, Ty::OPAQUE, "used with a type that is not known");
            }
            return Value::of(Ty::BOOL, false);
        }
        let element = match right.ty {
            Ty::UNKNOWN => Ty::UNKNOWN,
            ty => match self.types.element(ty) {
                Some(element) => element,
                None => {
                    let name = self.types.display(ty);
                    self.error(
                        format!("`{op} ANY` takes an array on its right side, and this is `{name}`"),
                        None,
                    );
                    return Value::of(Ty::BOOL, false);
                }
            },
        };
        let types = [left.ty, element];
        let span = left.span.or(right.span);
        let found = self.find_operator(op, &types);
        let Choice::One(candidate) = found else {
            self.no_operator(op, &types, matches!(found, Choice::Several), span);
            return Value::of(Ty::BOOL, false);
        };
        if let Some((args, _)) = self.settled(&candidate, &types)
            && let [a, b] = args.as_slice()
        {
            self.coerce(left, *a, format_args!("an operand of `{op} ANY`"));
            if right.is_unknown() {
                let array = self.types.array_of(*b).unwrap_or(Ty::OPAQUE);
                self.coerce(right, array, format_args!("the array of `{op} ANY`"));
            }
        }
        Value::of(Ty::BOOL, false)
    }
}

/// An operator's line in the catalog, without its name, as a candidate for this many operands.
fn listed(
    line: &str,
    operands: usize,
    numbered: &mut dyn FnMut(&str) -> Option<Ty>,
) -> Option<Arc<Candidate>> {
    let mut fields = line.split(' ');
    let (left, right, result, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    if (left == "-") != (operands == 1) {
        return None;
    }
    let left = (left != "-").then_some(left);
    let args = left.into_iter().chain([right]).map(&mut *numbered).collect::<Option<Vec<_>>>()?;
    let candidate = Candidate::operator(args, numbered(result)?);
    Some(Arc::new(Candidate { strict: flags == "s", ..candidate }))
}

/// Operators with the same name and number of operands.
type Listed = Arc<[Arc<Candidate>]>;

/// The operators of every server with this name and number of operands, read once in a process.
fn operators_of_base(op: &str, operands: usize) -> Listed {
    static READ: Mutex<BTreeMap<(String, usize), Listed>> = Mutex::new(BTreeMap::new());
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (op.to_owned(), operands);
    if let Some(known) = read.get(&key) {
        return Arc::clone(known);
    }
    let lines = Catalog::lines_of_base('o', op);
    let operators: Listed = lines.filter_map(|line| listed(line, operands, &mut base::numbered)).collect();
    // Queries can name any number of operators that do not exist.
    if !operators.is_empty() {
        read.insert(key, Arc::clone(&operators));
    }
    operators
}

/// Whether an operator returns a value for non-NULL operands: those of JSON paths, geometry and so on may
/// return NULL.
fn gives_a_value(op: &str, candidate: &Candidate, name: &mut dyn FnMut(Ty) -> Cow<'static, str>) -> bool {
    let plain = matches!(
        op,
        "=" | "<>"
            | "<"
            | ">"
            | "<="
            | ">="
            | "+"
            | "-"
            | "*"
            | "/"
            | "%"
            | "||"
            | "~~"
            | "!~~"
            | "~~*"
            | "!~~*"
            | "~"
            | "!~"
            | "~*"
            | "!~*"
            | "@>"
            | "<@"
            | "&&"
            | "^"
            | "?"
            | "?|"
            | "?&"
            | "^@"
    );
    plain
        && candidate.args.iter().all(|ty| {
            !matches!(
                &*name(*ty),
                "point" | "lseg" | "box" | "path" | "polygon" | "circle" | "line" | "record" | "jsonpath"
            )
        })
}
