//! The rewrite of a query: it parses, resolves without problems, and loses nothing that was written.

use std::collections::BTreeMap;

use query_budget_analysis::Config;
use query_budget_analysis::check::Checker;
use query_budget_analysis::sql::lex::{Lexer, TokenKind};
use query_budget_analysis::sql::{Dialect, Query, batch, resolve};

use super::SCHEMAS;
use crate::features::Features;

pub(super) fn run(sql: &str) -> Features {
    let mut features = Features::default();
    let config = Config::default();
    for schema in SCHEMAS.iter() {
        let dialect = schema.dialect;
        let Ok(query) = resolve(sql, dialect, Some(schema)) else { continue };
        for finding in Checker::new(&config, Some(schema), dialect).query(sql, None).findings {
            if finding.edits.is_empty() {
                continue;
            }
            let edits = finding.edits.iter().map(|edit| (edit.span.clone(), edit.replacement.clone()));
            let text = edited(sql, edits.collect());
            features.said((dialect.as_str(), finding.lint, "edit"), &finding.message);
            let again = resolve(&text, dialect, Some(schema));
            // The columns of an unknown table are unknown; those of the suggested one are known.
            let names_table = finding.lint == "unknown_table";
            let is_no_worse = |again: &Query| names_table || again.problems.len() <= query.problems.len();
            let keeps = again.as_ref().is_ok_and(is_no_worse);
            assert!(keeps, "`{}` rewrites\n{sql}\nto\n{text}", finding.lint);
        }
        let parameters = query.parameters.min(16);
        for varying in 0..=parameters {
            let varies = |number: usize| varying == 0 || number == varying;
            let Some(rewrite) = batch::rewrite(sql, &query, dialect, Some(schema), &varies) else { continue };
            features.said((dialect.as_str(), "batch"), &rewrite.text);
            let edited = edited(sql, rewrite.edits.clone());
            for text in [&edited, &rewrite.text] {
                let again = resolve(text, dialect, Some(schema));
                let Ok(again) = again else { panic!("no SQL:\n{sql}\nto\n{text}") };
                assert!(again.problems.is_empty(), "{:?}:\n{sql}\nto\n{text}", again.problems);
                assert!(conditions(&again) >= conditions(&query), "a condition is lost:\n{sql}\nto\n{text}");
                if let Some(word) = lost(sql, text, dialect) {
                    panic!("`{word}` is lost:\n{sql}\nto\n{text}");
                }
            }
        }
    }
    features
}

/// A text with its edits applied, last one first.
fn edited(sql: &str, mut edits: Vec<(std::ops::Range<usize>, String)>) -> String {
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let mut text = sql.to_owned();
    for (span, replacement) in edits.iter().rev() {
        text.replace_range(span.clone(), replacement);
    }
    text
}

fn conditions(query: &Query) -> usize {
    query.written_blocks().map(|(_, block)| block.conditions().len()).sum()
}

/// A word, name, text or number that occurs less often in a rewrite than before; VALUES becomes a SELECT, and
/// its parameters become columns.
fn lost(before: &str, after: &str, dialect: Dialect) -> Option<String> {
    let count = |text: &str| {
        let mut words: BTreeMap<String, usize> = BTreeMap::new();
        for token in Lexer::new(text, dialect) {
            let written = text.get(token.span.range()).unwrap_or_default();
            if matches!(token.kind, TokenKind::Word | TokenKind::Name | TokenKind::Text | TokenKind::Number) {
                *words.entry(written.to_ascii_lowercase()).or_default() += 1;
            }
        }
        words
    };
    let mut left = count(after);
    left.insert("values".to_owned(), usize::MAX);
    let lost = |(word, many): &(String, usize)| left.get(word).is_none_or(|left| left < many);
    count(before).into_iter().find(lost).map(|(word, _)| word)
}
