//! Statements that sea-query writes: their kind, and what they depend on.

use syn::{Expr, Pat};

use super::sql_text::segments;
use super::{Walker, built, variables};
use crate::rust::site::Built;

/// What is known of a statement that an expression makes: `Query::delete().from_table(Loans::Table)`.
pub(super) fn of(expression: &Expr) -> Option<Built> {
    let (mut names, mut takes_many) = (Vec::new(), false);
    let mut at = expression;
    while let Expr::MethodCall(call) = at {
        match call.method.to_string().as_str() {
            "from" | "from_table" | "into_table" | "table" => {
                names.extend(call.args.iter().flat_map(variables::mentions));
            }
            "and_where" | "cond_where" => takes_many |= call.args.iter().any(lists_keys),
            _ => {}
        }
        at = &call.receiver;
    }
    let Expr::Call(root) = at else { return None };
    let Expr::Path(function) = root.func.as_ref() else { return None };
    let parts = segments(&function.path);
    let [.., of, verb] = parts.as_slice() else { return None };
    let begin = match verb.as_str() {
        "select" => "SELECT …",
        "insert" => "INSERT INTO …",
        "update" => "UPDATE …",
        "delete" => "DELETE FROM …",
        _ => return None,
    };
    let built = Built { takes_many, names, ..Built::new(begin) };
    (of == "Query" && root.args.is_empty()).then_some(built)
}

/// Whether a condition compares with a list of keys: `Expr::col(..).is_in(ids)`.
fn lists_keys(condition: &Expr) -> bool {
    match condition {
        Expr::MethodCall(call) => {
            matches!(call.method.to_string().as_str(), "is_in" | "in_tuples" | "eq_any")
                || lists_keys(&call.receiver)
                || call.args.iter().any(lists_keys)
        }
        _ => false,
    }
}

impl Walker<'_> {
    /// Notes the text of a statement: `let (sql, values) = query.build_sqlx(PostgresQueryBuilder)`.
    pub(super) fn take_statement(&mut self, pattern: &Pat, value: &Expr) {
        let (Pat::Tuple(parts), Expr::MethodCall(call)) = (pattern, value) else { return };
        let is_one = matches!(
            call.method.to_string().as_str(),
            "build" | "build_sqlx" | "build_any" | "build_any_sqlx"
        );
        let Some(Pat::Ident(name)) = parts.elems.first().filter(|_| is_one) else { return };
        let built = built::of(&call.receiver, self);
        if let Some(local) = self.here.locals.get_mut(&name.ident.to_string()) {
            local.built = built;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rust::scan;

    #[track_caller]
    fn check(code: &str, begin: &str, takes_many: bool, names: &[&str]) {
        let source = format!("async fn f(db: &sqlx::PgPool, id: i64, ids: &[i64], t: Alias) {{ {code} }}");
        let scan = scan("src/lib.rs", &source).expect("it can be read");
        let built = scan.sites.first().and_then(|site| site.built.clone()).expect("a text that is built");
        assert_eq!((built.begin.as_str(), built.takes_many), (begin, takes_many), "{code}");
        assert_eq!(built.names, names, "{code}");
    }

    #[test]
    fn a_statement_is_known_by_its_kind() {
        let run = "sqlx::query_with(&sql, values).execute(db).await;";
        for (code, begin, takes_many, names) in [
            (
                "let (sql, values) = Query::delete().from_table(Loans::Table).and_where(Expr::col(Loans::Id).eq(id)).build_sqlx(PostgresQueryBuilder);",
                "DELETE FROM …",
                false,
                &[][..],
            ),
            (
                "let (sql, values) = Query::delete().from_table(t).and_where(Expr::col(Loans::Id).is_in(ids)).build_sqlx(PostgresQueryBuilder);",
                "DELETE FROM …",
                true,
                &["t"],
            ),
            (
                "let query = Query::select().column(Asterisk).from(Loans::Table).to_owned(); let (sql, values) = query.build_sqlx(PostgresQueryBuilder);",
                "SELECT …",
                false,
                &[],
            ),
            (
                "let mut query = Query::insert(); for id in ids { query.values_panic([(*id).into()]); } let (sql, values) = query.build_sqlx(PostgresQueryBuilder);",
                "INSERT INTO …",
                true,
                &[],
            ),
        ] {
            check(&format!("{code} {run}"), begin, takes_many, names);
        }
        check(
            "let sql = Query::update().table(Loans::Table).to_string(PostgresQueryBuilder); sqlx::query(&sql);",
            "UPDATE …",
            false,
            &[],
        );
    }
}
