//! MySQL and MariaDB: the rows of `EXPLAIN`, with a text in place of each parameter.

use query_budget_analysis::index::Verdict;
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::{Lexer, TokenKind};

use super::{Live, PlannedRead, guard};

/// The plan of a query.
pub(super) async fn plan(live: &mut Live, sql: &str) -> Result<Vec<PlannedRead>, String> {
    let rows = guard::alone(live, &format!("EXPLAIN {}", with_values(sql))).await.map_err(|why| {
        let refused = why.contains("READ ONLY transaction");
        if refused { "in a read-only session this server explains no writes".to_owned() } else { why }
    })?;
    Ok(rows.iter().filter_map(|row| step(row)).collect())
}

/// The query with values for its parameters, since a search for NULL would be skipped. A text can be compared
/// with columns of every type using their index; after LIMIT and OFFSET only numbers are allowed.
fn with_values(sql: &str) -> String {
    let mut filled = String::new();
    let mut from = 0;
    let mut limits = false;
    for token in Lexer::new(sql, Dialect::MySql) {
        let text = sql.get(token.span.range()).unwrap_or_default();
        match token.kind {
            TokenKind::Parameter if text == "?" => {
                filled += sql.get(from..token.span.start).unwrap_or_default();
                filled += if limits { "1" } else { "'1'" };
                from = token.span.end;
            }
            TokenKind::Word => {
                limits = ["limit", "offset"].iter().any(|word| text.eq_ignore_ascii_case(word))
            }
            TokenKind::Symbol if text == "," => {}
            _ => limits = limits && token.kind == TokenKind::Number,
        }
    }
    filled + sql.get(from..).unwrap_or_default()
}

/// The table of a row: `id, select_type, table, [partitions,] type, possible_keys, key, …, Extra`.
fn step(row: &[Option<String>]) -> Option<PlannedRead> {
    const WAYS: [&str; 14] = [
        "system",
        "const",
        "eq_ref",
        "ref",
        "fulltext",
        "ref_or_null",
        "index_merge",
        "unique_subquery",
        "index_subquery",
        "range",
        "index",
        "ALL",
        "ref|filter",
        "eq_ref|filter",
    ];
    let text = |at: usize| row.get(at).and_then(Option::as_deref);
    let table = text(2).filter(|table| !table.starts_with('<'))?;
    // MySQL adds a column for partitions.
    let at =
        (3..=4).find(|at| text(*at).is_some_and(|way| WAYS.contains(&way) || way.ends_with("|filter")))?;
    let (way, possible, key) = (text(at)?, text(at + 1), text(at + 2));
    let extra = row.last().and_then(Option::as_deref).unwrap_or_default();
    let mut verdicts = match way {
        "index" | "ALL" if extra.contains("join buffer") => vec![Verdict::Unserved, Verdict::Full],
        "index" | "ALL" if extra.contains("Using where") => vec![Verdict::Unserved],
        "index" | "ALL" => vec![Verdict::Full],
        _ => vec![Verdict::Served],
    };
    // A small table is read in full even if an index could be searched, and no setting prevents that.
    if way == "ALL" && possible.is_some() {
        verdicts.push(Verdict::Served);
    }
    let key = key.map_or_else(String::new, |key| format!(" using {key}"));
    let possible =
        possible.filter(|_| way == "ALL").map_or_else(String::new, |keys| format!(", possible {keys}"));
    Some(PlannedRead::new(table, verdicts, format!("{way}{key}{possible}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_get_values() {
        for (sql, filled) in [
            ("SELECT id FROM t WHERE a = ? AND b = '?'", "SELECT id FROM t WHERE a = '1' AND b = '?'"),
            ("SELECT id FROM t WHERE a = ? LIMIT ?, ?", "SELECT id FROM t WHERE a = '1' LIMIT 1, 1"),
            ("SELECT id FROM t LIMIT ? OFFSET ?", "SELECT id FROM t LIMIT 1 OFFSET 1"),
            ("(SELECT id FROM t LIMIT ?) UNION SELECT ?", "(SELECT id FROM t LIMIT 1) UNION SELECT '1'"),
        ] {
            assert_eq!(with_values(sql), filled);
        }
    }

    #[test]
    fn rows_are_read() {
        let row = |way: &str, possible: Option<&str>, extra: &str| {
            let text = |text: &str| Some(text.to_owned());
            vec![
                None,
                text("SIMPLE"),
                text("l"),
                text(way),
                possible.map(str::to_owned),
                None,
                None,
                None,
                None,
                text(extra),
            ]
        };
        for (row, verdicts) in [
            (row("ref", Some("i"), "Using where"), vec![Verdict::Served]),
            (row("ALL", None, "Using where"), vec![Verdict::Unserved]),
            (row("ALL", Some("i"), "Using where"), vec![Verdict::Unserved, Verdict::Served]),
            (row("index", None, "Using index"), vec![Verdict::Full]),
        ] {
            assert_eq!(step(&row).map(|step| step.verdicts), Some(verdicts));
        }
    }
}
