//! Index hints, samples and ONLY.

use sqlparser::ast;

use super::Resolver;
use crate::sql::Dialect;
use crate::sql::expr::Expr;
use crate::sql::lex::{Lexer, Token, text_at, unquote};
use crate::sql::query::{Asked, Relation, RelationId};

impl Resolver<'_> {
    /// Marks tables that are read with ONLY, which the parser does not report.
    pub(super) fn mark_only(&mut self, sql: &str) {
        for (at, relation) in (0..).zip(&self.relations) {
            let before = relation.span.and_then(|span| sql.get(..span.start));
            let before = before.unwrap_or_default().trim_end().trim_end_matches('(').trim_end();
            let word = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next();
            if word.is_some_and(|word| word.eq_ignore_ascii_case("only")) {
                self.asked.push((RelationId(at), Asked::Only));
            }
        }
    }

    /// SQLite: marks relations with `NOT INDEXED` or `INDEXED BY i`, which are hidden from the parser.
    pub(super) fn mark_indexed(&mut self, sql: &str) {
        let is_word = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
        let mut named = Vec::new();
        for (at, relation) in (0..).zip(&self.relations) {
            let behind = relation.span.and_then(|span| sql.get(span.end..)).unwrap_or_default();
            let words: Vec<&str> = Lexer::new(behind, Dialect::Sqlite)
                .take(5)
                .filter_map(|token| behind.get(token.span.range()))
                .collect();
            // An alias may come in between.
            let hint = match words.as_slice() {
                [first, _, rest @ ..] if is_word(first, "as") => rest,
                [first, ..] if is_word(first, "not") || is_word(first, "indexed") => &words,
                [_, rest @ ..] => rest,
                [] => continue,
            };
            match hint {
                [not, indexed, ..] if is_word(not, "not") && is_word(indexed, "indexed") => {
                    self.asked.push((RelationId(at), Asked::Use(Vec::new())));
                }
                [indexed, by, index, ..] if is_word(indexed, "indexed") && is_word(by, "by") => {
                    let index = unquote(index, Dialect::Sqlite);
                    named.push((index.clone(), RelationId(at), relation.span));
                    self.asked.push((RelationId(at), Asked::Use(vec![index])));
                }
                _ => {}
            }
        }
        for (index, relation, span) in named {
            self.check_index(&index, relation, span);
        }
    }

    /// MySQL: marks relations with the optimizer hints on indexes behind the word that a query begins with, which are a comment
    /// to the parser: `SELECT /*+ NO_INDEX(t i) */`.
    pub(super) fn mark_optimizer_hints(&mut self, sql: &str) {
        let tokens: Vec<Token> = Lexer::new(sql, Dialect::MySql).collect();
        let behind = |at: usize| {
            let word = text_at(sql, &tokens, at).to_ascii_lowercase();
            let end = tokens.get(at + 1).map_or(sql.len(), |next| next.span.start);
            let between = sql.get(tokens.get(at)?.span.end..end)?.trim_start();
            matches!(word.as_str(), "select" | "insert" | "replace" | "update" | "delete")
                .then(|| between.strip_prefix("/*+")?.split_once("*/"))
                .flatten()
                .map(|(hints, _)| (hints, end))
        };
        for (hints, end) in (0..tokens.len()).filter_map(behind) {
            let words: Vec<&str> =
                Lexer::new(hints, Dialect::MySql).filter_map(|token| hints.get(token.span.range())).collect();
            for hint in words.split(|word| *word == ")") {
                let [name, "(", of @ ..] = hint else { continue };
                // The name of a query block may stand in front of the table, or behind it.
                let names = of.iter().filter_map(|name| name.split('@').next());
                let mut names =
                    names.filter(|name| !matches!(*name, "" | ",")).map(|name| unquote(name, Dialect::MySql));
                let Some(table) = names.next() else { continue };
                let indexes: Vec<String> = names.collect();
                let asked = match name.to_ascii_lowercase().as_str() {
                    "no_index" | "no_join_index" if indexes.is_empty() => Asked::Use(Vec::new()),
                    "no_index" | "no_join_index" => Asked::Ignore(indexes),
                    "index" | "join_index" if !indexes.is_empty() => Asked::Use(indexes),
                    _ => continue,
                };
                let is_meant = |relation: &Relation| {
                    relation.alias.eq_ignore_ascii_case(&table)
                        && relation.span.is_some_and(|span| span.start >= end)
                };
                let relation = (0..).zip(&self.relations).find(|(_, relation)| is_meant(relation));
                self.asked.extend(relation.map(|(at, _)| (RelationId(at), asked)));
            }
        }
    }

    /// A `TABLESAMPLE`. The built-in methods take a percentage, those of extensions a number.
    pub(super) fn sample(&mut self, sample: &ast::TableSampleKind) -> Option<Asked> {
        let (ast::TableSampleKind::BeforeTableAlias(sample) | ast::TableSampleKind::AfterTableAlias(sample)) =
            sample;
        let size = self.expr(&sample.quantity.as_ref()?.value);
        Some(match size {
            Expr::Call(call) if sample.name.is_none() => {
                let ty = match call.name.as_str() {
                    "system_rows" => "int8",
                    "system_time" => "float8",
                    _ => return None,
                };
                Asked::Sample { size: call.args.into_iter().next()?, ty }
            }
            size => Asked::Sample { size, ty: "float4" },
        })
    }
}

/// The restriction that an index hint puts on a search; hints for ORDER BY or GROUP BY put none.
pub(super) fn asked(hint: &ast::TableIndexHints) -> Option<Asked> {
    use ast::TableIndexHintForClause as For;
    if !matches!(hint.for_clause, None | Some(For::Join)) {
        return None;
    }
    let names = hint.index_names.iter().map(|name| name.value.clone()).collect();
    Some(match hint.hint_type {
        ast::TableIndexHintType::Ignore => Asked::Ignore(names),
        ast::TableIndexHintType::Use | ast::TableIndexHintType::Force => Asked::Use(names),
    })
}
