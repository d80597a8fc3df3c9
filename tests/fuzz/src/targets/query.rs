//! Everything that is done with one query, in every dialect and every output format.

use query_budget_analysis::check::Checker;
use query_budget_analysis::render::{self, Style};
use query_budget_analysis::sql::{fingerprint, lex, split};
use query_budget_analysis::{Config, Finding, index};

use super::SCHEMAS;
use crate::features::Features;

pub(super) fn run(sql: &str) -> Features {
    let mut features = Features::default();
    let config = Config::default();
    let _ = fingerprint(sql);
    for schema in SCHEMAS.iter() {
        let dialect = schema.dialect;
        tokens_cover(sql, dialect);
        let checker = Checker::new(&config, Some(schema), dialect);
        let checked = checker.query(sql, None);
        match &checked.query {
            Ok(query) => {
                features.said((dialect.as_str(), "kind"), &format!("{:?} {:?}", query.kind, query.unchecked));
                features.counted((dialect.as_str(), "blocks"), query.blocks.len());
            }
            Err(error) => features.said((dialect.as_str(), "error"), &error.message),
        }
        features.said((dialect.as_str(), "rows"), &checked.cardinality.reason);
        for access in &checked.accesses {
            features.said((dialect.as_str(), access.verdict.as_str()), &access.why);
        }
        for finding in &checked.findings {
            told(finding, sql);
            features.said((dialect.as_str(), finding.lint), &finding.message);
            for note in finding.notes.iter().chain(&finding.help) {
                features.said("note", note);
            }
        }
        let queried = checked.queried(true);
        let _ = index::advise(schema, queried.as_slice(), &|_| false);
    }
    features
}

/// Tokens are in order, inside the text, and at character boundaries.
fn tokens_cover(sql: &str, dialect: query_budget_analysis::sql::Dialect) {
    let mut end = 0;
    for token in lex::Lexer::new(sql, dialect) {
        assert!(token.span.start >= end, "tokens overlap");
        assert!(
            sql.get(token.span.range()).is_some_and(|text| !text.is_empty()),
            "a token outside of the text"
        );
        end = token.span.end;
    }
    let mut end = 0;
    for piece in split::statements(sql, dialect) {
        assert!(piece.span.start >= end, "statements overlap");
        end = piece.span.end;
    }
}

/// A finding points into its query, and its text output contains nothing that a terminal or a log would
/// interpret.
pub(super) fn told(finding: &Finding, sql: &str) {
    if let Some(excerpt) = &finding.excerpt {
        assert!(sql.get(excerpt.span.clone()).is_some(), "a place outside of the query");
    }
    for edit in &finding.edits {
        assert!(sql.get(edit.span.clone()).is_some(), "an edit outside of the query");
    }
    let text = render::text(&[finding], true, Style { color: false });
    let bad = |c: char| c.is_control() && c != '\n' && c != '\t' || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.contains(bad), "text that a terminal obeys: {text:?}");
    let github = render::github(finding);
    assert!(!github.contains(['\n', '\r']), "a second line in a log: {github:?}");
    let _ = render::rustc(finding);
    let _ = render::json::finding(finding);
    let _ = render::sarif::result(finding);
}
