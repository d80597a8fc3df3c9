//! Uses that the server refuses because the parameter has no type there: it takes the type of its first use.

use std::sync::Arc;

use super::arena::Ty;
use super::candidates::Candidate;
use super::catalog::Catalog;
use super::functions::Called;
use super::names::TypeName;
use super::session::Session;
use crate::sql::Span;
use crate::types::TypeError;
use crate::types::slip::is_slip;

/// The names of types that slips are compared with.
const TYPES: [&str; 21] = [
    "bigint",
    "boolean",
    "bytea",
    "character",
    "date",
    "decimal",
    "inet",
    "integer",
    "interval",
    "json",
    "jsonb",
    "numeric",
    "real",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "uuid",
    "varchar",
];

impl Session<'_> {
    /// Records that a parameter is used where it takes no type: the server refuses that, and any type afterwards.
    pub(super) fn leave_untyped(&mut self, number: usize, place: &'static str) {
        let is_own = self.in_view == 0;
        if let Some(slot) = number.checked_sub(1).and_then(|at| self.slots.get_mut(at))
            && slot.ty.is_none()
        {
            slot.untyped = slot.untyped.or(Some(place).filter(|_| is_own && !slot.doubtful));
        }
    }

    /// Reports the parameters that are used without a type.
    pub(super) fn check_untyped(&mut self) {
        for at in 0..self.slots.len() {
            let slot = self.slots.get(at).map(|slot| (slot.untyped, slot.later));
            let Some((Some(place), later)) = slot else { continue };
            let number = at + 1;
            let ty =
                later.filter(|ty| *ty != Ty::OPAQUE && *ty != Ty::UNKNOWN).map(|ty| self.types.display(ty));
            self.refusal(TypeError {
                message: format!("parameter ${number} has no type where it is {place}"),
                span: None,
                label: "",
                help: format!("cast it there: `${number}::{}`", ty.as_deref().unwrap_or("text")),
            });
        }
    }

    /// Reports an operator or a function that several types without a name would fit.
    pub(super) fn ambiguous(&mut self, shape: &str, types: &[Ty], span: Option<Span>) {
        if types.contains(&Ty::UNKNOWN) && !self.has_unknown_casts() && !self.types.catalog.unknown_extension
        {
            self.refusal(TypeError {
                message: format!("`{shape}` exists for several types"),
                span,
                label: "of which type",
                help: "cast the value that has no type, as in `$1::int`".to_owned(),
            });
        }
    }

    /// Reports a call that fits several functions of the server.
    pub(super) fn ambiguous_call(&mut self, call: &Called<'_>, candidates: &[Arc<Candidate>], types: &[Ty]) {
        if self.is_of_server(call, candidates) {
            let names: Vec<String> = types.iter().map(|ty| self.types.display(*ty)).collect();
            self.ambiguous(&format!("{}({})", call.name, names.join(", ")), types, call.span);
        }
    }

    /// Reports a call of a function for any type whose arguments have none.
    pub(super) fn without_type(&mut self, call: &Called<'_>, candidate: &Arc<Candidate>, types: &[Ty]) {
        let takes_any = |ty: &Ty| {
            matches!(*ty, Ty::ANYELEMENT | Ty::ANYNONARRAY | Ty::ANYARRAY | Ty::ANYENUM | Ty::ANYRANGE)
        };
        let mut any = candidate.args.iter().zip(types).filter(|(declared, _)| takes_any(declared)).peekable();
        let is_bare = any.peek().is_some() && any.all(|(_, ty)| *ty == Ty::UNKNOWN);
        if is_bare && self.is_of_server(call, std::slice::from_ref(candidate)) {
            let names: Vec<String> = types.iter().map(|ty| self.types.display(*ty)).collect();
            self.ambiguous(&format!("{}({})", call.name, names.join(", ")), types, call.span);
        }
    }

    /// Whether a call means a function of the server, and none that the project may have replaced it by.
    fn is_of_server(&self, call: &Called<'_>, candidates: &[Arc<Candidate>]) -> bool {
        let is_plain = call.names.is_empty() && call.modifiers.is_empty() && !self.query.spreads;
        is_plain
            && call.bare
            && candidates.iter().all(|candidate| !candidate.of_schema)
            && self.schema.functions_named(call.name).next().is_none()
            && !self.types.catalog.is_replaced(call.name)
    }

    /// Reports the name of a type that must be misspelt, or is that of another database.
    pub(super) fn unknown_type(&mut self, written: &str) {
        let name = TypeName::parse(written);
        let known = self.schema;
        let is_known = known.types.keys().chain(known.tables.keys()).any(|ty| ty.name == name.name)
            || known.views.keys().chain(known.opaque.keys()).any(|ty| ty.name == name.name);
        if is_known
            || name.quoted
            || name.schema.is_some()
            || !self.schema.gaps.is_empty()
            || self.types.catalog.unknown_extension
            || Catalog::is_of_any_extension(&name.name)
        {
            return;
        }
        let own = known.types.keys().map(|ty| ty.name.as_str());
        let similar = || TYPES.into_iter().chain(own).find(|ty| is_slip(&name.name, ty));
        let Some(instead) = instead_of(written).or_else(|| instead_of(&name.name)).or_else(similar) else {
            return;
        };
        self.refusal(TypeError {
            message: format!("no type `{written}` exists"),
            span: None,
            label: "",
            help: format!("write `{instead}` in PostgreSQL"),
        });
    }
}

/// What PostgreSQL has instead of a type of MySQL, SQLite or SQL Server.
pub(super) fn instead_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "datetime" | "datetime2" => "timestamptz",
        "double" => "double precision",
        "string" | "clob" | "tinytext" | "mediumtext" | "longtext" => "text",
        "tinyint" | "int16" => "smallint",
        "mediumint" | "int32" => "integer",
        "int64" | "uint" | "unsigned" => "bigint",
        "blob" | "longblob" | "binary" | "varbinary" => "bytea",
        "number" => "numeric",
        "uniqueidentifier" => "uuid",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

    /// As PostgreSQL answers to PREPARE.
    #[test]
    fn parameters_and_types_that_the_server_does_not_know() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply("CREATE TABLE t (id int, s text, d date); CREATE TYPE mood AS ENUM ('a');", "");
        for (sql, expect) in [
            (
                "SELECT id FROM t WHERE $1 IS NULL OR id = $1",
                "parameter $1 has no type where it is tested for NULL",
            ),
            ("SELECT id FROM t WHERE id = $1 OR $1 IS NULL", ""),
            ("SELECT id FROM t WHERE $1::int IS NULL OR id = $1", ""),
            ("SELECT concat(s, $1) FROM t", "parameter $1 has no type where it is an argument of any type"),
            ("SELECT concat(s, $1::text), json_build_object($2::text, 1) FROM t", ""),
            ("SELECT d + $1 FROM t", "`date + unknown` exists for several types"),
            ("SELECT d - $1, now() - $2 FROM t", ""),
            ("SELECT sum($1), -$2::int FROM t", "`sum(unknown)` exists for several types"),
            ("SELECT to_jsonb($1) FROM t", "`to_jsonb(unknown)` exists for several types"),
            ("SELECT array_append($1, 'x'), nullif($2, s) FROM t", ""),
            ("SELECT s::integr FROM t", "no type `integr` exists"),
            ("SELECT s::datetime FROM t", "no type `datetime` exists"),
            ("SELECT s::double FROM t", "no type `double` exists"),
            ("SELECT s::geography, s::mood, s::double precision, s::app.datetime FROM t", ""),
        ] {
            let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
            let errors = describe(&query, &replay.schema, Dialect::Postgres).errors;
            assert_eq!(errors.first().map_or("", |error| &error.message), expect, "{sql}");
        }
    }
}
