//! PostgreSQL: types by the server's own rules over its own catalog.

mod arena;
mod base;
mod block;
mod candidates;
mod catalog;
mod coerce;
mod composed;
mod computed;
mod conversions;
mod equality;
mod expanded;
mod expr;
mod folds;
mod from;
mod functions;
mod groups;
mod input;
mod materialized;
mod misspelt;
mod names;
mod never_null;
mod operators;
mod own;
mod placed;
mod plan;
mod planner;
mod procedures;
mod qualified;
mod recursion;
mod refute;
mod regclass;
mod replaced;
mod rows;
mod session;
mod special;
mod undetermined;
mod write;

use super::{Column, Described, Known, Origin, Parameter, Planned, TypeError, generated};
use crate::schema::Schema;
use crate::sql::Query;
use crate::sql::answers::Answers;
use arena::Ty;
use session::{Field, Session, Why};

/// Whether the server, or an installed extension, has a function or a type with this name.
pub(super) fn has_function(name: &str, schema: &Schema) -> bool {
    let catalog = catalog::Catalog::new(schema);
    ['f', 't'].iter().any(|kind| catalog.first(*kind, name).is_some())
}

/// The types of a query for PostgreSQL.
pub(super) fn describe(query: &Query, schema: &Schema, planned: Planned) -> Described {
    described(Session::new(query, schema), planned)
}

/// The errors for a query whose parameters are sent with types, which are unknown here.
pub(super) fn errors_when_bound(query: &Query, schema: &Schema) -> Vec<TypeError> {
    let mut session = Session::new(query, schema);
    session.slots.iter_mut().for_each(|slot| slot.ty = Some(Ty::OPAQUE));
    described(session, Planned::Never).errors
}

fn described(mut session: Session<'_>, planned: Planned) -> Described {
    let query = session.query;
    let (fields, unknown) = match (query.root, &query.answers) {
        (Some(root), _) => {
            let fields = session.block(root, true);
            let unknown = fields.is_none().then(|| "its columns are not known".to_owned());
            (fields, unknown)
        }
        (None, Answers::Procedure(call)) => match session.procedure(call) {
            Ok(fields) => (Some(fields), None),
            Err(why) => (None, Some(why)),
        },
        (None, _) => (None, None),
    };
    // Blocks that no expression refers to may still contain parameters.
    let rest: Vec<_> =
        query.written_blocks().map(|(id, _)| id).filter(|id| !session.blocks.contains_key(id)).collect();
    for id in rest {
        session.block(id, true);
    }
    // A parameter that was not met is in a subscript of SET, which stores an element rather than the array.
    if session.slots.iter().any(|slot| !slot.seen) {
        for at in 0..session.slots.len() {
            let array = session
                .slots
                .get(at)
                .and_then(|slot| slot.ty)
                .is_some_and(|ty| session.types.element(ty).is_some());
            if let Some(slot) = session.slots.get_mut(at)
                && array
                && slot.why.as_ref().is_some_and(|why| why.starts_with("stored in"))
            {
                slot.doubtful = true;
            }
        }
    }
    session.check_untyped();
    for error in generated::errors(query, session.schema) {
        session.refusal(error);
    }
    let mut weighs = false;
    let plain = fields.as_deref().unwrap_or_default();
    let patched = match planned {
        Planned::Never => vec![plan::Patch { nullable: false, certain: false }; plain.len()],
        Planned::ForNulls | Planned::ForAny => plan::patches(&mut session, plain, planned, &mut weighs),
    };
    let columns = fields.iter().flat_map(|fields| fields.iter()).zip(patched);
    let columns = columns.map(|(field, patch)| column(&mut session, field, patch)).collect();
    let parameters = (1..=query.parameters).map(|number| parameter(&mut session, number)).collect();
    Described { columns, parameters, errors: session.errors, unknown, weighs }
}

fn column(session: &mut Session<'_>, field: &Field, patch: plan::Patch) -> Column {
    let value = &field.value;
    let worded =
        |otherwise: &'static str| value.why.as_ref().map_or(otherwise.into(), Why::words).into_owned();
    // The server reports the base type of a domain to clients.
    let base = session.types.base(value.ty);
    let ty = match session.types.shown(base, 0) {
        Some(ty) => Known::Is(ty),
        None => Known::Unknown(worded("its type is not known")),
    };
    let origin = match &value.origin {
        Some(origin) => Origin::Table { table: origin.table.clone(), column: origin.column.clone() },
        None if value.ty == Ty::OPAQUE => Origin::Unknown,
        None => Origin::Expression,
    };
    let own = value.origin.as_ref().map(|origin| !origin.not_null);
    Column {
        name: field.name.clone(),
        ty,
        nullable: if patch.nullable { Some(true) } else { own },
        nullable_certain: patch.certain || own == Some(true),
        proven_not_null: value.not_null,
        origin,
        why: worded("it is an expression"),
    }
}

fn parameter(session: &mut Session<'_>, number: usize) -> Parameter {
    let slot = number.checked_sub(1).and_then(|at| session.slots.get(at)).cloned();
    let ty = slot.as_ref().filter(|slot| !slot.doubtful).and_then(|slot| slot.ty);
    let shown = ty.and_then(|ty| session.types.shown(ty, 0));
    let why = slot.and_then(|slot| slot.why);
    let why = why.as_deref().unwrap_or("nothing determines its type").to_owned();
    Parameter { ty: shown.map_or_else(|| Known::Unknown(why.clone()), Known::Is), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};

    /// The names of the types of columns and parameters, followed by `!` if proven not to be NULL.
    fn types_of(sql: &str) -> String {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TYPE mood AS ENUM ('sad', 'happy');
             CREATE TABLE a (id bigint PRIMARY KEY, name text NOT NULL, note varchar(9), mood mood, tags text[]);
             CREATE AGGREGATE last_of(bigint) (SFUNC = int8larger, STYPE = bigint);
             CREATE AGGREGATE most(text) (SFUNC = f, STYPE = text, FINALFUNC = g);
             CREATE MATERIALIZED VIEW kept AS SELECT COALESCE(ARRAY(SELECT name FROM a), ARRAY[]::text[]) AS names,
                 (SELECT mood FROM a LIMIT 1) AS of",
            "",
        );
        let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        let described = describe(&query, &replay.schema, Planned::ForAny);
        assert_eq!(described.errors, [], "{sql}");
        let name =
            |ty: &Known<crate::types::SqlType>| ty.known().map_or("?".to_owned(), |ty| ty.name.clone());
        let columns = described
            .columns
            .iter()
            .map(|column| format!("{}{}", name(&column.ty), if column.proven_not_null { "!" } else { "" }));
        let columns: Vec<String> = columns.collect();
        let parameters: Vec<String> =
            described.parameters.iter().map(|parameter| name(&parameter.ty)).collect();
        format!("{} <- {}", columns.join(" "), parameters.join(" "))
    }

    #[test]
    fn columns_and_parameters_get_their_types() {
        for (sql, expect) in [
            ("SELECT id, name, note FROM a WHERE id = $1", "int8! text! varchar <- int8"),
            ("SELECT mood FROM a WHERE mood = $1 AND tags @> $2", "mood! <- mood _text"),
            ("SELECT count(*), sum(id), max(note) FROM a LIMIT $1", "int8! numeric text <- int8"),
            (
                "INSERT INTO a (id, name) SELECT $1, $2 RETURNING *",
                "int8! text! varchar mood _text <- int8 text",
            ),
            ("SELECT id + 1, id / 2.0, name || $1 FROM a", "int8! numeric! text <- text"),
            ("SELECT x FROM unnest($1::int[]) AS x", "int4 <- _int4"),
            (
                "SELECT COALESCE(note, $1), CASE WHEN $2 THEN 1 ELSE 2.5 END FROM a",
                "varchar numeric! <- varchar bool",
            ),
            ("SELECT made_up(id, $1) FROM a", "? <- ?"),
            ("SELECT id FROM a WHERE name LIKE ALL ($1) OR name ILIKE ANY ($2)", "int8! <- _text _text"),
            ("SELECT id, name, count(*) FROM a GROUP BY (id, (name))", "int8! text! int8! <- "),
            ("SELECT id FROM a TABLESAMPLE SYSTEM_ROWS($1)", "int8! <- int8"),
            (
                "SELECT k.id FROM a k TABLESAMPLE BERNOULLI ($1), a TABLESAMPLE SYSTEM_TIME ($2)",
                "int8! <- float4 float8",
            ),
            ("SELECT last_of(id), most(note) FROM a", "int8 ? <- "),
            // Of versions 16 to 18.
            (
                "SELECT any_value(id), array_sample(tags, 2), array_sort(tags), random(1, id) FROM a GROUP BY id",
                "int8 _text _text int8! <- ",
            ),
            (
                "SELECT uuidv7(), reverse('a'), to_bin($1::int), casefold(name), max(a) FROM a GROUP BY name",
                "uuid text! text text record! <- int4",
            ),
            ("SELECT JSON_OBJECT('a': id), JSON_EXISTS(name::jsonb, '$.a' ERROR ON ERROR) FROM a", "? ? <- "),
            ("SELECT names, of FROM kept WHERE names @> $1", "_text mood <- _text"),
        ] {
            assert_eq!(types_of(sql), expect, "{sql}");
        }
    }

    #[test]
    fn sides_in_parentheses_are_typed_by_position() {
        for (sql, types) in [
            ("SELECT 1, 'a' UNION ALL (SELECT 2, 'b' LIMIT 1)", "int4! text! <- "),
            ("SELECT id, name FROM a UNION ALL (SELECT 1, 'x' LIMIT 1)", "int8! text! <- "),
            ("SELECT id, mood FROM a UNION ALL (SELECT 1, 'sad' LIMIT 1)", "int8! mood <- "),
            ("SELECT 1, now() UNION ALL (SELECT 1, '2020-01-01' LIMIT 1)", "int4! timestamptz! <- "),
            ("SELECT 1, true, 'x' UNION ALL (SELECT 2, false, $1 LIMIT 1)", "int4! bool! text <- text"),
            (
                "SELECT 1, now(), 2 UNION ALL (SELECT 2, '2020-01-01', $1 LIMIT 1)",
                "int4! timestamptz! int4 <- int4",
            ),
        ] {
            assert_eq!(types_of(sql), types, "{sql}");
        }
    }

    #[test]
    fn the_path_of_a_recursive_query_is_of_records() {
        let tree =
            "WITH RECURSIVE t(id) AS (SELECT id FROM a UNION ALL SELECT a.id FROM a JOIN t ON t.id = a.id)";
        for order in ["CYCLE id SET again USING path", "SEARCH DEPTH FIRST BY id SET path"] {
            let sql = format!("{tree} {order} SELECT path, array_length(path, 1) FROM t");
            assert_eq!(types_of(&sql), "_record int4 <- ");
        }
    }

    #[test]
    fn a_parameter_that_is_bound_has_a_type_of_its_own() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply("CREATE TABLE d (id bigint PRIMARY KEY, body jsonb, at timestamptz)", "");
        let errors = |sql: &str, bound: bool| {
            let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
            match bound {
                true => errors_when_bound(&query, &replay.schema).len(),
                false => describe(&query, &replay.schema, Planned::ForAny).errors.len(),
            }
        };
        for sql in [
            "INSERT INTO d (id, body) VALUES (1, COALESCE($1, '{}'))",
            "UPDATE d SET at = CASE WHEN id = 1 THEN $1 ELSE 'now' END",
            "INSERT INTO d (id, at) VALUES (1, greatest($1, $2))",
        ] {
            assert_eq!((errors(sql, false), errors(sql, true)), (1, 0), "{sql}");
        }
        let wrong = "UPDATE d SET at = id WHERE body = $1";
        assert_eq!((errors(wrong, false), errors(wrong, true)), (1, 1));
    }

    #[test]
    fn calls_within_calls_are_followed() {
        let deep = format!("SELECT {}name{} FROM a", "lower(".repeat(40), ")".repeat(40));
        assert_eq!(types_of(&deep), "text! <- ");
    }
}
