//! CALL: the row of what a procedure gives back.

use std::rc::Rc;

use super::arena::Ty;
use super::functions::Called;
use super::session::{Field, Session, Value};
use crate::sql::expr::Call;

impl Session<'_> {
    /// The columns of the row that CALL returns, none if the procedure has only IN parameters; why they are not known, as
    /// a fragment.
    pub(super) fn procedure(&mut self, call: &Call) -> Result<Rc<[Field]>, String> {
        let args: Vec<Value> = call.args.iter().map(|arg| self.expr(arg)).collect();
        let called = Called {
            name: &call.name,
            names: &call.names,
            span: call.span,
            bare: call.schema.is_none(),
            schema: call.schema.as_deref(),
            procedure: true,
            ..Called::default()
        };
        let (_, candidate) = self.function(&called, args);
        let Some((candidate, types)) = candidate else {
            return Err(format!("no procedure `{}` that takes these arguments is in the schema", call.name));
        };
        let outs = self.settled_outs(&candidate, &types);
        let field = |(name, ty): (String, Ty)| Field {
            name,
            value: Value::of(ty, false).because("what a procedure gives back can be NULL"),
        };
        Ok(outs.into_iter().map(field).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::{Known, SqlType, describe};

    /// The names and types of what a CALL returns, and the types of its parameters; or its error, or why its row is not known.
    fn said(sql: &str) -> String {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN code AS varchar(8);
             CREATE SCHEMA app;
             CREATE PROCEDURE plain(id bigint, note text DEFAULT 'a') LANGUAGE sql AS 'SELECT 1';
             CREATE OR REPLACE PROCEDURE answer(INOUT answer INT = NULL) LANGUAGE plpgsql AS 'BEGIN answer := 42; END';
             CREATE PROCEDURE behind(a INOUT int, b IN OUT text, IN OUT \"C d\" mood, e IN date, OUT code)
                 LANGUAGE plpgsql AS 'BEGIN b := 1; END';
             CREATE PROCEDURE app.any(INOUT list anyarray, INOUT one anyelement) LANGUAGE sql AS 'SELECT 1';
             CREATE PROCEDURE twice(INOUT n int) LANGUAGE sql AS 'SELECT 1';
             CREATE PROCEDURE twice(INOUT t text) LANGUAGE sql AS 'SELECT 1';
             CREATE PROCEDURE said(a int, -- OUT
                 b int) LANGUAGE sql AS 'SELECT 1';
             CREATE FUNCTION made(OUT a int) LANGUAGE sql AS 'SELECT 1';",
            "",
        );
        let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        let described = describe(&query, &replay.schema, Dialect::Postgres);
        if let Some(error) = described.errors.first() {
            return error.message.clone();
        }
        let name = |ty: &Known<SqlType>| ty.known().map_or("?".to_owned(), |ty| ty.name.clone());
        let columns = described.columns.iter().map(|column| {
            assert_eq!(column.nullable, None, "{sql}");
            format!("{} {}", column.name, name(&column.ty))
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        let parameters: Vec<String> =
            described.parameters.iter().map(|parameter| name(&parameter.ty)).collect();
        format!("{} <- {}", described.unknown.unwrap_or(columns), parameters.join(" "))
    }

    /// As PostgreSQL answers to a prepared CALL.
    #[test]
    fn a_procedure_gives_back_its_inout_and_out_parameters() {
        for (sql, expect) in [
            ("CALL plain($1)", " <- int8"),
            ("CALL plain(id => $2, note => $1)", " <- text int8"),
            ("CALL answer(NULL)", "answer int4 <- "),
            ("CALL public.answer($1)", "answer int4 <- int4"),
            ("CALL answer()", "answer int4 <- "),
            (
                "CALL behind($1, $2, 'sad', $3, NULL)",
                "a int4, b text, C d mood, column4 varchar <- int4 text date",
            ),
            ("CALL app.any(ARRAY[1], $1)", "list _int4, one int4 <- int4"),
            ("CALL twice(1)", "n int4 <- "),
            ("CALL twice('a'::text)", "t text <- "),
            ("CALL answer(now())", "no procedure `answer(timestamp with time zone)` exists"),
        ] {
            assert_eq!(said(sql), expect, "{sql}");
        }
    }

    #[test]
    fn a_procedure_that_cannot_be_read_says_nothing() {
        for (sql, parameters) in [
            ("CALL refresh_continuous_aggregate($1, NULL, NULL)", "?"),
            ("CALL said(1, $1)", "?"),
            ("CALL made($1)", "?"),
        ] {
            let said = said(sql);
            let name = sql.trim_start_matches("CALL ").split('(').next().unwrap_or_default();
            let why =
                format!("no procedure `{name}` that takes these arguments is in the schema <- {parameters}");
            assert_eq!(said, why, "{sql}");
        }
    }
}
