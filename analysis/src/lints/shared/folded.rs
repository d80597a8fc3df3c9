//! Comparisons without regard to case, where an index on `lower(column)` exists that serves another form of them.

use crate::index::Access;
use crate::lints::QueryContext;
use crate::schema::KeyPart;
use crate::sql::expr::{Expr, LikeKind};
use crate::sql::query::Query;

/// What to write in the place of `email ILIKE $1`, as an imperative; `None` if no unique index on `lower(email)` serves it.
pub(in crate::lints) fn instead(
    context: &QueryContext<'_>,
    query: &Query,
    access: &Access,
) -> Option<String> {
    let table = context.schema?.stored(&access.table)?;
    let conditions = query.blocks.iter().flat_map(|block| block.conditions());
    conditions.into_iter().find_map(|condition| {
        let Expr::Like { expr, pattern, kind: LikeKind::ILike, negated: false } = condition else { return None };
        let column = expr.as_column().filter(|column| column.relation == Some(access.relation))?;
        let Expr::Parameter(_) = pattern.without_casts() else { return None };
        let index = table.indexes.iter().find(|index| {
            let [key] = index.keys.as_slice() else { return false };
            let is_folded = matches!(&key.part, KeyPart::Expression(text) if is_lower_of(text, &column.name));
            index.unique && index.predicate.is_none() && is_folded
        })?;
        let name = &column.name;
        Some(format!(
            "compare `lower({name}) = lower({pattern})`, if the value is not a pattern: the index `{}` serves it",
            index.name
        ))
    })
}

/// Whether the expression of an index is `lower(column)`.
fn is_lower_of(expression: &str, column: &str) -> bool {
    let text: String =
        expression.chars().filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"')).collect();
    let text = text.to_ascii_lowercase();
    text.strip_prefix("lower").is_some_and(|rest| rest.trim_end_matches("::text") == column)
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::config::Config;
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn a_comparison_of_folded_text_is_advised_where_a_unique_index_serves_it() {
        let help = |ddl: &str| {
            let mut replay = Replay::new(Dialect::Postgres);
            replay.apply(
                &format!("CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL); {ddl}"),
                "",
            );
            let config = Config::default();
            let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
            let found = checker.query("SELECT id FROM users WHERE email ILIKE $1", None).findings;
            let found = found.into_iter().filter(|finding| finding.lint == "unindexed_filter");
            found.flat_map(|finding| finding.help).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(
            help("CREATE UNIQUE INDEX users_email ON users (lower(email));"),
            "compare `lower(email) = lower($1)`, if the value is not a pattern: the index `users_email` serves it"
        );
        assert!(!help("CREATE INDEX users_email ON users (lower(email));").contains("lower("));
    }
}
