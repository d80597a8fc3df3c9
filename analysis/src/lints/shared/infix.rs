//! Patterns that no B-tree is searched for, because they begin with a wildcard, as the code that binds them says.

use crate::index::Access;
use crate::lints::QueryContext;
use crate::sql::expr::Expr;
use crate::sql::{Dialect, Query};

/// Whether all that a filter compares of a table is a column with such patterns. PostgreSQL has indexes on trigrams for them.
pub(in crate::lints) fn is_all(context: &QueryContext<'_>, query: &Query, access: &Access) -> bool {
    let Some(site) =
        context.site.filter(|site| context.dialect != Dialect::Postgres && site.arguments_complete)
    else {
        return false;
    };
    let is_infix = |pattern: &Expr| match pattern.without_casts() {
        Expr::Parameter(number) => {
            number.checked_sub(1).and_then(|at| site.arguments.get(at)).is_some_and(|bound| bound.is_infix)
        }
        _ => false,
    };
    let is_of = |expr: &Expr| expr.as_column().is_some_and(|column| column.relation == Some(access.relation));
    let mut compared = query
        .blocks
        .iter()
        .flat_map(|block| block.conditions())
        .filter(|condition| condition.any(&is_of))
        .peekable();
    compared.peek().is_some()
        && compared.all(|condition| {
            matches!(condition, Expr::Like { expr, pattern, negated: false, .. } if is_of(expr) && is_infix(pattern))
        })
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::config::Config;
    use crate::rust::scan;
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn no_index_of_mysql_serves_a_pattern_that_begins_with_a_wildcard() {
        let finds = |dialect, pattern: &str, more: &str| {
            let mut replay = Replay::new(dialect);
            replay.apply(
                "CREATE TABLE forms (id bigint PRIMARY KEY, title varchar(99) NOT NULL, kind int NOT NULL)",
                "",
            );
            let source = format!(
                "async fn search(db: &MySqlPool, text: String) {{ let like = {pattern};
                     sqlx::query(\"SELECT id FROM forms WHERE title LIKE ? {more} ORDER BY id LIMIT 20\").bind(&like).fetch_all(db).await; }}"
            );
            let config = Config::default();
            let checker = Checker::new(&config, Some(&replay.schema), dialect);
            let scan = scan("src/lib.rs", &source).expect("it parses");
            let found = checker.file(&scan, &[], &|_| None).findings;
            found.iter().any(|finding| finding.lint == "unindexed_filter")
        };
        assert!(!finds(Dialect::MySql, "format!(\"%{text}%\")", ""));
        assert!(finds(Dialect::MySql, "format!(\"{text}%\")", ""));
        assert!(finds(Dialect::MySql, "text", ""));
        assert!(finds(Dialect::MySql, "format!(\"%{text}%\")", "AND kind = 3"));
    }
}
