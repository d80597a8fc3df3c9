//! Conversions between types: which exist, and their effect on literals and parameters.

use std::fmt;

use super::arena::Ty;
use super::base;
use super::input;
use super::session::{Form, Session, Value};
use crate::schema::Name;
use crate::sql::Span;
use crate::types::TypeError;

/// The context of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Context {
    /// In an expression.
    Implicit,
    /// When a value is stored in a column.
    Assignment,
    /// In a written cast.
    Explicit,
}

impl Session<'_> {
    /// Whether a value of one type can be converted to the other; `None` if one of them is unknown.
    pub(super) fn converts(&mut self, from: Ty, to: Ty, context: Context) -> Option<bool> {
        if from == Ty::OPAQUE || to == Ty::OPAQUE {
            return None;
        }
        Some(self.can_convert(from, to, context))
    }

    fn can_convert(&mut self, from: Ty, to: Ty, context: Context) -> bool {
        if self.types.same(from, to) || to == Ty::ANY || from == Ty::UNKNOWN || is_polymorphic(to) {
            return true;
        }
        if self.pathway(from, to, context, 0) {
            return true;
        }
        let (from_base, to_base) = (self.types.base(from), self.types.base(to));
        let is_row = |class: u8| class == b'c';
        let from_row = is_row(self.types.info(from_base).class);
        let to_row = is_row(self.types.info(to_base).class);
        let (from_record, to_record) = (self.types.is_record(from), self.types.is_record(to));
        if from_record && to_row || from_row && to_record {
            return true;
        }
        if to == Ty::RECORDARRAY
            && let Some(element) = self.types.element(from)
        {
            return self.types.info(element).class == b'c';
        }
        from_row && to_row && self.inherits(from_base, to_base)
    }

    /// Whether the row type of one table is a subtype of the other's, by inheritance.
    fn inherits(&mut self, from: Ty, to: Ty) -> bool {
        let (from, to) = (self.types.info(from).name.clone(), self.types.info(to).name.clone());
        let plain = self.schema.tables.get(&Name::new(&*from));
        let mut next = plain.or_else(|| self.schema.tables.values().find(|table| table.name.name == from));
        for _ in 0..8 {
            let Some(parent) = next.and_then(|table| table.parent.as_ref()) else { return false };
            if parent.name == to {
                return true;
            }
            next = self.schema.tables.get(parent);
        }
        false
    }

    /// Whether there is a cast from one type to the other.
    fn pathway(&mut self, from: Ty, to: Ty, context: Context, depth: usize) -> bool {
        let (from, to) = (self.types.base(from), self.types.base(to));
        if self.types.same(from, to) {
            return true;
        }
        if let Some(flags) = self.cast_between(from, to) {
            let needs = match flags.as_bytes().first() {
                Some(b'i') => Context::Implicit,
                Some(b'a') => Context::Assignment,
                _ => Context::Explicit,
            };
            return context >= needs;
        }
        if let Some((needs, _)) = self.own_cast(from, to) {
            return context >= needs;
        }
        if let (Some(from), Some(to)) = (self.types.true_element(from), self.types.true_element(to))
            && depth < 2
            && self.pathway(from, to, context, depth + 1)
        {
            return true;
        }
        context >= Context::Assignment && self.types.info(to).category == b'S'
            || context == Context::Explicit && self.types.info(from).category == b'S'
    }

    /// Reports values that cannot be converted to their common type.
    pub(super) fn check_common(&mut self, values: &[Value], common: Ty, what: &str) {
        for value in values {
            if !value.is_unknown() && self.converts(value.ty, common, Context::Implicit) == Some(false) {
                self.no_common(what, value.ty, common);
            }
        }
    }

    /// Whether the cast from one type to the other calls a function.
    pub(super) fn has_cast_function(&mut self, from: Ty, to: Ty) -> bool {
        let (from, to) = (self.types.base(from), self.types.base(to));
        match self.cast_between(from, to) {
            Some(flags) => flags.ends_with('f'),
            None => self.own_cast(from, to).is_some_and(|(_, calls_function)| calls_function),
        }
    }

    /// The flags of the catalog's cast from one type to the other; none of the schema's own types has one.
    fn cast_between(&mut self, from: Ty, to: Ty) -> Option<&'static str> {
        let of_base = base::cast(from, to);
        if of_base.is_some() || self.types.catalog.is_base() {
            return of_base;
        }
        let mut key = String::new();
        for ty in [from, to] {
            let info = self.types.info(ty);
            if info.printed.is_some() || info.name.is_empty() {
                return None;
            }
            if !key.is_empty() {
                key.push(' ');
            }
            key.push_str(&info.name);
        }
        Some(self.types.catalog.first('c', &key)?.rest)
    }

    /// Converts a value to a type, as its context requires.
    pub(super) fn coerce(&mut self, value: Value, to: Ty, why: impl fmt::Display + Copy) -> Value {
        if is_polymorphic(to) || to == Ty::ANY {
            if let (Form::Parameter(number), Ty::UNKNOWN, Ty::ANY) = (&value.form, value.ty, to) {
                self.leave_untyped(*number, "an argument of any type");
            }
            return value;
        }
        match (&value.form, value.ty) {
            (Form::Parameter(number), Ty::UNKNOWN) => {
                self.decide(*number, to, why);
                Value { ty: to, ..value }
            }
            (Form::Text(text), Ty::UNKNOWN) => {
                self.check_label(text, to, value.span);
                self.check_input(text, to, value.span);
                self.check_relation(text, to, value.span);
                Value { ty: to, form: Form::Plain, ..value }
            }
            (Form::Row(parts), _) => {
                let fields = self.types.base(to);
                let fields = self.types.info(fields).fields.clone();
                if !fields.is_empty() && fields.len() == parts.len() && !self.types.is_record(to) {
                    for (part, (_, ty)) in parts.clone().into_iter().zip(fields) {
                        self.coerce(part, ty, why);
                    }
                }
                Value { ty: to, form: Form::Plain, ..value }
            }
            _ => {
                let same = self.types.same(value.ty, to);
                let ty = if value.ty == Ty::OPAQUE && to == Ty::OPAQUE { Ty::OPAQUE } else { to };
                let origin = value.origin.clone().filter(|_| same);
                Value { ty, origin, form: Form::Plain, ..value }
            }
        }
    }

    /// Reports a label that an enum does not have.
    fn check_label(&mut self, text: &str, to: Ty, span: Option<Span>) {
        let base = self.types.base(to);
        let labels = self.types.labels(base);
        if self.types.info(base).printed.is_some()
            && self.types.true_element(base).is_some()
            && !input::may_be_array(text)
        {
            let name = self.types.display(base);
            return self.refusal(TypeError {
                message: format!("`{text}` is not a value of type `{name}`"),
                span,
                label: "no value of it",
                help: "write an array, such as `{a,b}`, or cast the text to the type of the elements"
                    .to_owned(),
            });
        }
        if let (true, Some(element)) = (labels.is_empty(), self.types.true_element(base))
            && !self.types.labels(element).is_empty()
        {
            // What is quoted, and arrays in arrays, are left alone.
            let inside = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let inside = inside.filter(|inside| !inside.contains(['{', '}', '"', '\\'])).unwrap_or_default();
            let labels = inside.split(',').map(str::trim);
            for label in labels.filter(|label| !label.is_empty() && !label.eq_ignore_ascii_case("null")) {
                self.check_label(label, element, span);
            }
            return;
        }
        let labels = self.types.labels(base);
        if !labels.is_empty() && !labels.iter().any(|label| label == text) {
            let name = self.types.display(base);
            let values: Vec<String> = labels.iter().take(12).map(|label| format!("`{label}`")).collect();
            let others = if labels.len() > values.len() { ", .." } else { "" };
            let error = TypeError {
                message: format!("`{text}` is not a value of the enum `{name}`"),
                span,
                label: "no value of it",
                help: format!("its values are {}{others}", values.join(", ")),
            };
            self.refusal(error);
        }
    }

    /// Reports a text that is not a value of a built-in type, which the server reads when it prepares the query.
    fn check_input(&mut self, text: &str, to: Ty, span: Option<Span>) {
        let base = self.types.base(to);
        let info = self.types.info(base);
        let expected = if info.printed.is_none() { input::expected(&info.name, text) } else { None };
        if let Some(expected) = expected {
            let error = TypeError {
                message: format!("`{text}` is not a value of type `{}`", self.types.display(base)),
                span,
                label: "no value of it",
                help: format!("write {expected}"),
            };
            self.refusal(error);
        }
    }

    /// The common type of values in UNION, CASE, ARRAY, COALESCE and similar constructs; `Err` if there is
    /// none.
    pub(super) fn common(&mut self, values: &[Value]) -> Result<Ty, (Ty, Ty)> {
        let Some(first) = values.first() else { return Ok(Ty::TEXT) };
        if values.iter().any(|value| value.ty == Ty::OPAQUE) {
            return Ok(Ty::OPAQUE);
        }
        let mut all = values.iter().skip(1);
        if first.ty != Ty::UNKNOWN && all.all(|value| self.types.same(value.ty, first.ty)) {
            return Ok(first.ty);
        }
        let mut chosen = self.types.base(first.ty);
        for value in values.iter().skip(1) {
            let next = self.types.base(value.ty);
            if next == Ty::UNKNOWN || self.types.same(next, chosen) {
                continue;
            }
            if chosen == Ty::UNKNOWN {
                chosen = next;
                continue;
            }
            let (a, b) = (self.types.info(chosen).clone(), self.types.info(next).category);
            if a.category != b {
                return Err((chosen, next));
            }
            if !a.preferred
                && self.can_convert(chosen, next, Context::Implicit)
                && !self.can_convert(next, chosen, Context::Implicit)
            {
                chosen = next;
            }
        }
        Ok(if chosen == Ty::UNKNOWN { Ty::TEXT } else { chosen })
    }
}

/// Whether a type is polymorphic.
pub(super) fn is_polymorphic(ty: Ty) -> bool {
    matches!(
        ty,
        Ty::ANYELEMENT
            | Ty::ANYARRAY
            | Ty::ANYNONARRAY
            | Ty::ANYENUM
            | Ty::ANYRANGE
            | Ty::ANYMULTIRANGE
            | Ty::ANYCOMPATIBLE
            | Ty::ANYCOMPATIBLEARRAY
            | Ty::ANYCOMPATIBLENONARRAY
            | Ty::ANYCOMPATIBLERANGE
            | Ty::ANYCOMPATIBLEMULTIRANGE
    )
}
