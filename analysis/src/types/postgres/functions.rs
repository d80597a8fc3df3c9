//! Function calls: which function is called, the types of its arguments, and what it returns.

use std::sync::Arc;

use super::arena::Ty;
use super::candidates::{Candidate, Choice};
use super::coerce::Context;
use super::never_null;
use super::session::{Form, Session, Value};
use crate::schema::UserType;
use crate::sql::Span;

/// A call with its arguments derived.
#[derive(Debug, Clone, Default)]
pub(super) struct Called<'c> {
    pub(super) name: &'c str,
    /// The names of named arguments; empty if there are none.
    pub(super) names: &'c [Option<String>],
    pub(super) span: Option<Span>,
    /// Whether it is called without a schema.
    pub(super) bare: bool,
    /// The schema, if it is called with one.
    pub(super) schema: Option<&'c str>,
    /// Whether its last argument is an array that stands for several: `f(VARIADIC list)`.
    pub(super) whole: bool,
    /// Whether it is over a window.
    pub(super) window: bool,
    /// Whether it is CALL, of a procedure.
    pub(super) procedure: bool,
    /// Expressions after the arguments, including ORDER BY of an ordered-set aggregate.
    pub(super) modifiers: Vec<Value>,
    /// Whether each of its groups has rows: there is GROUP BY and no FILTER.
    pub(super) of_groups: bool,
}

/// The result of a call: its value, and the candidate with its actual types if one was found.
pub(super) type Resolved = (Value, Option<(Arc<Candidate>, Vec<Ty>)>);

/// The position of each argument of a call among the declared ones; `None` if a name is not among them.
pub(super) fn places<'n>(
    given: &[Option<String>],
    declared: impl Iterator<Item = &'n str> + Clone,
) -> Option<Vec<usize>> {
    let place = |(at, name): (usize, &Option<String>)| match name {
        None => Some(at),
        Some(name) => declared.clone().position(|declared| declared == name),
    };
    given.iter().enumerate().map(place).collect()
}

impl Session<'_> {
    /// A call by name.
    pub(super) fn function(&mut self, call: &Called<'_>, args: Vec<Value>) -> Resolved {
        let name = call.name;
        let mut args = args;
        let count = args.len();
        let spreads = self.query.spreads;
        let last = args.last().map(|value| value.ty);
        let spread = (spreads && last.is_some_and(|ty| self.is_array(ty)))
            .then(|| Called { whole: true, ..call.clone() });
        let call = spread.as_ref().unwrap_or(call);
        let candidates = self.functions(call, count);
        // `f(VARIADIC $1)` and `f(VARIADIC '{1, 2}')` get an array, and `f($1)` an element.
        if spreads && candidates.iter().any(|candidate| candidate.spread) && last == Some(Ty::UNKNOWN) {
            return self.of_unknown(candidates, args);
        }
        // The sort keys of an ordered-set aggregate count as arguments.
        if let Some(extra) = candidates.iter().map(|c| c.args.len()).find(|n| *n > count)
            && candidates.iter().all(|candidate| candidate.args.len() > count)
        {
            args.extend(call.modifiers.iter().take(extra - count).cloned());
        }
        let types: Vec<Ty> = args.iter().map(|value| value.ty).collect();
        if candidates.is_empty() {
            return (self.cast_call(call, args), None);
        }
        if types.contains(&Ty::OPAQUE) {
            return self.of_unknown(candidates, args);
        }
        // `app.date('x')` is a call, if the schema `app` has such a function.
        let is_own = call.schema.is_some() && candidates.iter().any(|candidate| candidate.of_schema);
        let choice = match self.exact(&candidates, &types) {
            Some(candidate) => Choice::One(candidate),
            None if !is_own && self.is_cast(call, &args) => return (self.cast_call(call, args), None),
            None => {
                let matching = self.matching(candidates.iter(), &types);
                match self.choose(matching, &types) {
                    Choice::None => return (self.cast_call(call, args), None),
                    choice => choice,
                }
            }
        };
        let Choice::One(candidate) = choice else {
            self.ambiguous_call(call, &candidates, &types);
            return (Value::opaque(format!("several functions `{name}` take these arguments")), None);
        };
        let Some((declared, result)) = self.settled(&candidate, &types) else {
            self.without_type(call, &candidate, &types);
            return (
                Value::opaque(format!("the type of `{name}` depends on a type that is not known")),
                None,
            );
        };
        let all_not_null = args.iter().all(|value| value.not_null);
        let not_null = never_null::function(&candidate, call, all_not_null);
        let mut why = None;
        for (value, ty) in args.into_iter().zip(declared) {
            if let (false, Some(reason)) = (value.not_null, &value.why)
                && candidate.strict
            {
                why = Some(reason.clone());
            }
            self.coerce(value, ty, format_args!("an argument of `{name}`"));
        }
        let result = if candidate.kind == b'p' { Ty::VOID } else { result };
        let why = why.unwrap_or_else(|| format!("`{name}` can return NULL").into());
        (Value::of(result, not_null).because(why), Some((candidate, types)))
    }

    /// A call with an argument of unknown type; the result is known if all candidates agree.
    fn of_unknown(&mut self, candidates: Vec<Arc<Candidate>>, args: Vec<Value>) -> Resolved {
        let reason = args.iter().find(|value| value.ty == Ty::OPAQUE).and_then(|value| value.why.clone());
        let types: Vec<Ty> = args.iter().map(|value| value.ty).collect();
        for value in args.into_iter().filter(Value::is_unknown) {
            self.coerce(value, Ty::OPAQUE, "used with an argument whose type is not known");
        }
        let mut results = candidates.iter().map(|candidate| candidate.result);
        let first = results.next().filter(|ty| !super::coerce::is_polymorphic(*ty));
        match first.filter(|first| results.all(|ty| ty == *first)) {
            Some(ty) if ty != Ty::OPAQUE => {
                let candidate = candidates.into_iter().next().map(|candidate| (candidate, types));
                (Value::of(ty, false), candidate)
            }
            _ => (Value { why: reason, ..Value::of(Ty::OPAQUE, false) }, None),
        }
    }

    fn exact(&mut self, candidates: &[Arc<Candidate>], types: &[Ty]) -> Option<Arc<Candidate>> {
        let same = |session: &mut Self, candidate: &&Arc<Candidate>| {
            let mut pairs = candidate.args.iter().zip(types);
            candidate.args.len() == types.len() && pairs.all(|(a, b)| session.types.same(*a, *b))
        };
        // Of two equal candidates, the one that is not variadic wins.
        let mut exact: Vec<&Arc<Candidate>> = candidates.iter().filter(|c| same(self, c)).collect();
        exact.sort_by_key(|candidate| candidate.spread);
        exact.first().map(|candidate| Arc::clone(candidate))
    }

    /// Whether `name(value)` is a cast, to the type with that name, that needs no function.
    fn is_cast(&mut self, call: &Called<'_>, args: &[Value]) -> bool {
        let ([only], false, []) = (args, call.window || call.procedure, call.names) else { return false };
        let Some(to) = self.types.builtin(call.name) else { return false };
        if self.types.info(to).class == b'p' {
            return false;
        }
        match (&only.form, only.ty) {
            (Form::Text(_) | Form::Null, Ty::UNKNOWN) => true,
            (_, Ty::UNKNOWN) => false,
            (_, from) => {
                self.converts(from, to, Context::Explicit) == Some(true) && !self.has_cast_function(from, to)
            }
        }
    }

    /// `type(value)`, which is a cast; otherwise there is no such function.
    fn cast_call(&mut self, call: &Called<'_>, args: Vec<Value>) -> Value {
        let types: Vec<Ty> = args.iter().map(|value| value.ty).collect();
        if self.is_cast(call, &args)
            && let (Some(to), Some(value)) = (self.types.builtin(call.name), args.first().cloned())
        {
            return self.coerce(value, to, format_args!("cast to `{}`", call.name));
        }
        for value in args.into_iter().filter(Value::is_unknown) {
            self.coerce(
                value,
                Ty::OPAQUE,
                format_args!("an argument of `{}`, which is not known", call.name),
            );
        }
        self.no_function(call, &types);
        Value::opaque(format!("no function `{}` is known for these arguments", call.name))
    }

    /// Reports a function that does not exist, if that is certain.
    fn no_function(&mut self, call: &Called<'_>, types: &[Ty]) {
        let known = types.iter().all(|ty| *ty != Ty::OPAQUE);
        // `field(row)` is a field of the row.
        if let [only] = types
            && (self.types.is_record(*only) || !self.types.info(*only).fields.is_empty())
        {
            return;
        }
        let in_schema = self.schema.functions_named(call.name).next().is_some();
        let builtin = self.types.catalog.first('f', call.name).is_some();
        if call.procedure && !in_schema {
            return;
        }
        // A user-defined function accepts what it declares, unless its types are unknown.
        if !builtin && !in_schema {
            return self.misspelt(call, types);
        }
        if self.types.catalog.is_replaced(call.name) {
            return;
        }
        let own = self.own_functions(&Called { names: &[], ..call.clone() }, types.len());
        let is_unread = own.is_empty() && !self.has_readable_functions(call.name);
        let doubtful = in_schema && (is_unread || own.iter().any(|own| own.args.contains(&Ty::OPAQUE)));
        // Extensions may be created by hand, outside the migrations: an entirely unknown name is not
        // certainly wrong.
        let certain = known && !doubtful && (builtin || in_schema) && call.names.is_empty();
        let is_sorted = !call.modifiers.is_empty() && !call.window;
        // `JSON_OBJECT('a': 1)` has a syntax of its own.
        let has_syntax = call.name == "json_object";
        if !certain
            || is_sorted
            || has_syntax
            || self.types.catalog.unknown_extension
            || self.has_unknown_casts()
        {
            return;
        }
        let names: Vec<String> = types.iter().map(|ty| self.types.display(*ty)).collect();
        let what = if call.procedure { "procedure" } else { "function" };
        self.error(format!("no {what} `{}({})` exists", call.name, names.join(", ")), call.span);
    }

    /// The functions with a name that accept this many arguments.
    fn functions(&mut self, call: &Called<'_>, count: usize) -> Vec<Arc<Candidate>> {
        let mut candidates = Vec::new();
        for line in self.types.catalog.lines('f', call.name) {
            candidates.extend(match call.names {
                [] => self.listed(line, count, call),
                names => self.by_names(line, count, names),
            });
        }
        let mut own = self.own_functions(call, count);
        own.extend(self.constructor(call, count));
        // `app.date(x)` is not `date(x)`.
        if call.schema.is_some() && !own.is_empty() {
            candidates.clear();
        }
        candidates.extend(own);
        // The server has no procedure of its own.
        candidates.retain(|candidate| !call.procedure || candidate.kind == b'p');
        candidates.into_iter().map(Arc::new).collect()
    }

    /// The function with which a range type of the schema makes its values: `f(low, high, '[]')`.
    fn constructor(&mut self, call: &Called<'_>, count: usize) -> Option<Candidate> {
        let known = self.schema.user_type(call.schema, call.name);
        if !matches!(known, Some(UserType::Range(_))) || !(2..=3).contains(&count) || !call.names.is_empty() {
            return None;
        }
        let name = match call.schema {
            Some(schema) => format!("\"{schema}\".\"{}\"", call.name),
            None => format!("\"{}\"", call.name),
        };
        let result = self.types.named(&name)?;
        let bound = self.types.info(result).base?;
        let args = [bound, bound, Ty::TEXT].into_iter().take(count).collect();
        Some(Candidate { kind: b'f', of_schema: true, ..Candidate::operator(args, result) })
    }

    /// A line of the catalog as a candidate for a call with named arguments.
    fn by_names(&mut self, line: &str, count: usize, given: &[Option<String>]) -> Option<Candidate> {
        let fields: Vec<&str> = line.split(' ').collect();
        let (args, names) = (*fields.get(5)?, *fields.get(7)?);
        let (args, names): (Vec<&str>, Vec<&str>) = (args.split(',').collect(), names.split(',').collect());
        let all = self.listed(line, args.len(), &Called::default())?;
        let places = places(given, names.iter().copied())?;
        let defaults: usize = fields.get(3)?.parse().ok()?;
        if count + defaults < args.len() {
            return None;
        }
        let args = places.into_iter().map(|at| all.args.get(at).copied()).collect::<Option<Vec<_>>>()?;
        Some(Candidate { args, ..all })
    }

    /// A line of the catalog as a candidate, if it accepts this many arguments.
    fn listed(&mut self, line: &str, count: usize, call: &Called<'_>) -> Option<Candidate> {
        let mut fields = line.split(' ');
        let (kind, result, flags) = (fields.next()?, fields.next()?, fields.next()?);
        let (defaults, ordered, args, outs) =
            (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let names: Vec<&str> = if args == "-" { Vec::new() } else { args.split(',').collect() };
        let defaults: usize = defaults.parse().ok()?;
        let variadic = flags.ends_with('v');
        let wanted = match ordered.as_bytes() {
            // Direct arguments are in the parentheses, the others after WITHIN GROUP.
            [b'o', ..] if !call.modifiers.is_empty() => names.len(),
            [b'o' | b'h', ..] => return None,
            _ => count,
        };
        let fixed = names.len().saturating_sub(usize::from(variadic));
        let fits = match variadic {
            true => wanted >= fixed,
            false => wanted <= names.len() && wanted + defaults >= names.len(),
        };
        if !fits {
            return None;
        }
        let mut types = Vec::with_capacity(wanted);
        for name in names.iter().take(wanted.min(if variadic { fixed } else { names.len() })) {
            types.push(self.types.builtin(name)?);
        }
        let mut spread = false;
        if let (true, Some(last)) = (variadic, names.last()) {
            let last = self.types.builtin(last)?;
            let each = match last {
                array if call.whole && wanted == names.len() => array,
                Ty::ANY => Ty::ANY,
                Ty::ANYARRAY => Ty::ANYELEMENT,
                Ty::ANYCOMPATIBLEARRAY => Ty::ANYCOMPATIBLE,
                array => self.types.element(array)?,
            };
            types.resize(wanted, each);
            spread = !(call.whole && wanted == names.len());
        }
        let outs = if outs == "-" { Vec::new() } else { outs.split(',').collect() };
        let mut columns = Vec::new();
        for out in outs {
            let (name, ty) = out.rsplit_once(':')?;
            columns.push((name.to_owned(), self.types.builtin(ty)?));
        }
        let flags = flags.as_bytes();
        Some(Candidate {
            args: types,
            result: self.types.builtin(result)?,
            strict: flags.first() == Some(&b's'),
            set: flags.get(1) == Some(&b'r'),
            kind: kind.as_bytes().first().copied().unwrap_or(b'f'),
            outs: columns,
            of_schema: false,
            spread,
        })
    }

    /// COALESCE, GREATEST and LEAST.
    pub(super) fn coalesce(&mut self, name: &str, args: Vec<Value>) -> Value {
        if args.is_empty() {
            self.refuse(&format!("`{name}` has no argument"), "write at least one");
        }
        let ty = match self.common(&args) {
            Ok(ty) => ty,
            Err((a, b)) => {
                self.no_common(&format!("the arguments of `{name}`"), a, b);
                Ty::OPAQUE
            }
        };
        self.check_common(&args, ty, &format!("the arguments of `{name}`"));
        if name != "coalesce" {
            let span = args.iter().find_map(|value| value.span);
            self.check_equality(&Value { span, ..Value::of(ty, false) }, &format!("what `{name}` compares"));
        }
        let not_null = args.iter().any(|value| value.not_null);
        let why = args.iter().find_map(|value| value.why.clone());
        for value in args {
            self.coerce(value, ty, format_args!("an argument of `{name}`"));
        }
        let why = why.or_else(|| (ty == Ty::OPAQUE).then(|| "the arguments have no type in common".into()));
        Value { why, ..Value::of(ty, not_null) }
    }

    /// Reports values of two types that have no common one.
    pub(super) fn no_common(&mut self, what: &str, a: Ty, b: Ty) {
        if a != Ty::OPAQUE && b != Ty::OPAQUE && !self.has_unknown_casts() {
            let (a, b) = (self.types.display(a), self.types.display(b));
            self.error(format!("{what} are of types that do not match: `{a}` and `{b}`"), None);
        }
    }

    /// NULLIF.
    pub(super) fn null_if(&mut self, args: Vec<Value>) -> Value {
        let [first, second] = args.as_slice() else {
            self.refuse("`nullif` takes two arguments", "write the value, and the one that stands for NULL");
            return Value::opaque("NULLIF takes two arguments");
        };
        let types = [first.ty, second.ty];
        if types.contains(&Ty::OPAQUE) {
            self.operator("=", Some(first.clone()), second.clone());
            return Value { origin: None, form: Form::Plain, not_null: false, ..first.clone() };
        }
        let ty = match self.find_operator("=", &types) {
            Choice::One(candidate) => {
                self.settled(&candidate, &types).and_then(|(args, _)| args.first().copied())
            }
            _ => None,
        };
        self.operator("=", Some(first.clone()), second.clone());
        let ty = ty.unwrap_or(Ty::OPAQUE);
        // The result is the first argument, as converted for the comparison.
        Value::of(ty, false).because("NULLIF can return NULL")
    }
}
