//! Finds the origin of a query that does not appear literally in the source: a macro of the project that
//! assembles it, or a derive that names its table.

use std::collections::HashMap;

use super::literal::text_of;
use super::tokens::{Token, TokenKind, tokens};
use crate::finding::Place;
use crate::rust::query_names::makes_query;

/// The minimum length of a text that distinguishes one query from others.
const TELLING: usize = 12;

/// The macros and derives of some files that may make queries.
#[derive(Debug, Default)]
pub struct Makers {
    rules: HashMap<String, Texts>,
    uses: Vec<(String, Texts)>,
    derives: Vec<Texts>,
}

/// The string literals in some tokens, and where they start.
#[derive(Debug)]
struct Texts {
    place: Place,
    texts: Vec<String>,
}

impl Makers {
    /// The makers in files, each given by its displayed path and text.
    pub fn of<'t>(files: impl Iterator<Item = (&'t str, &'t str)> + Clone) -> Makers {
        let mut makers = Makers::default();
        // The tokens of all files at once would be most of the memory of a check.
        let file = |(name, text): (&'t str, &'t str)| File { name, text, tokens: tokens(text) };
        let with_rules = files.clone().filter(|(_, text)| text.contains("macro_rules"));
        with_rules.for_each(|it| makers.read_rules(&file(it)));
        let with_uses = files.filter(|(_, text)| text.contains("macro_rules") || text.contains("derive"));
        with_uses.for_each(|it| makers.read_uses(&file(it)));
        makers
    }

    /// The origin of a query: the use of a macro whose texts all occur in it; else the rules that contain a
    /// part of it; else the type whose attributes name its table.
    pub fn maker(&self, sql: &str) -> Option<&Place> {
        let sql = plain(sql);
        let fits = |texts: &Texts| texts.texts.iter().all(|text| sql.contains(text.as_str()));
        let held = |texts: &Texts| {
            let held = texts.texts.iter().filter(|text| text.len() >= TELLING && sql.contains(text.as_str()));
            held.map(String::len).sum::<usize>()
        };
        let of_use = |(name, texts): &&(String, Texts)| {
            let own: usize = texts.texts.iter().map(String::len).sum();
            (self.rules.get(name).map_or(0, held), own)
        };
        let uses = self
            .uses
            .iter()
            .filter(|(name, texts)| fits(texts) && self.rules.get(name).is_some_and(|rules| held(rules) > 0));
        let rules = || {
            self.rules
                .values()
                .filter(|rules| held(rules) > 0)
                .max_by_key(|rules| (held(rules), &rules.place))
        };
        let derive = || {
            let tables = tables(&sql);
            self.derives.iter().find(|derive| derive.texts.iter().any(|text| tables.contains(&text.as_str())))
        };
        let used = uses.max_by_key(of_use).map(|(_, texts)| &texts.place);
        used.or_else(|| rules().map(|rules| &rules.place)).or_else(|| derive().map(|derive| &derive.place))
    }

    fn read_rules(&mut self, file: &File<'_>) {
        for at in 0..file.tokens.len() {
            if !file.tokens.get(at).is_some_and(|token| token.is("macro_rules")) {
                continue;
            }
            let Some(name) = file.tokens.get(at + 2).filter(|name| name.kind == TokenKind::Word) else {
                continue;
            };
            let body = file.group(at + 3);
            if body.iter().any(|token| token.kind == TokenKind::Word && makes_query(token.text)) {
                let rules = Texts { place: file.place_of(name.start), texts: texts(body) };
                self.rules.insert(name.text.to_owned(), rules);
            }
        }
    }

    fn read_uses(&mut self, file: &File<'_>) {
        let mut derive: Option<(usize, Vec<String>)> = None;
        let mut at = 0;
        while let Some(token) = file.tokens.get(at) {
            let next = |ahead: usize| file.tokens.get(at + ahead).map(|token| token.kind);
            match token.kind {
                TokenKind::Word if token.text == "macro_rules" => at += 3 + file.group(at + 3).len(),
                TokenKind::Word
                    if next(1) == Some(TokenKind::Sign(b'!')) && self.rules.contains_key(token.text) =>
                {
                    let texts = Texts { place: file.place_of(token.start), texts: texts(file.group(at + 2)) };
                    self.uses.push((token.text.to_owned(), texts));
                    at += 1;
                }
                TokenKind::Sign(b'#') if next(1) == Some(TokenKind::Sign(b'[')) => {
                    let attribute = file.group(at + 1);
                    let is_derive = attribute.get(1).is_some_and(|name| name.is("derive"));
                    match &mut derive {
                        Some((_, known)) => known.extend(texts(attribute)),
                        None if is_derive => derive = Some((token.start, Vec::new())),
                        None => {}
                    }
                    at += 1 + attribute.len();
                }
                TokenKind::Word if matches!(token.text, "struct" | "enum" | "fn" | "impl") => {
                    if let Some((start, texts)) = derive.take().filter(|(_, texts)| !texts.is_empty()) {
                        self.derives.push(Texts { place: file.place_of(start), texts });
                    }
                    at += 1;
                }
                _ => at += 1,
            }
        }
    }
}

struct File<'t> {
    name: &'t str,
    text: &'t str,
    tokens: Vec<Token<'t>>,
}

impl<'t> File<'t> {
    /// The tokens from an opening bracket to its closing one.
    fn group(&self, from: usize) -> &[Token<'t>] {
        let rest = self.tokens.get(from..).unwrap_or_default();
        let mut depth = 0usize;
        let end = rest.iter().position(|token| {
            match token.kind {
                TokenKind::Sign(b'(' | b'[' | b'{') => depth += 1,
                TokenKind::Sign(b')' | b']' | b'}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        rest.get(..=end.unwrap_or(rest.len().saturating_sub(1))).unwrap_or_default()
    }

    fn place_of(&self, byte: usize) -> Place {
        let before = self.text.get(..byte).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Place { file: self.name.into(), line: number(line), column: number(column) }
    }
}

/// The texts among some tokens, except very short ones.
fn texts(tokens: &[Token<'_>]) -> Vec<String> {
    let literals = tokens.iter().filter(|token| matches!(token.kind, TokenKind::Text | TokenKind::Literal));
    let texts = literals.filter_map(|token| Some(plain(&text_of(&token.text.parse().ok()?)?)));
    texts.filter(|text| text.len() > 3).collect()
}

/// A text with runs of white space collapsed.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The tables that a statement names.
fn tables(sql: &str) -> Vec<&str> {
    let words: Vec<&str> =
        sql.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';')).collect();
    let names = words.windows(2).filter_map(|pair| match pair {
        [before, name]
            if ["from", "into", "update", "join"].iter().any(|it| before.eq_ignore_ascii_case(it)) =>
        {
            Some(name.rsplit('.').next().unwrap_or(name).trim_matches(['"', '`']))
        }
        _ => None,
    });
    names.filter(|name| name.len() > 3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r##"
macro_rules! select_charges {
    ($where:literal, $id:expr) => {
        sqlx::query_as!(Charge, r#"SELECT id, user_id
            FROM charges "# + $where, $id)
    };
}
fn of_user() { select_charges!("WHERE user_id = $1", id); }
fn of_parent() { select_charges!("WHERE parent = \
    $1", id); }
#[derive(Debug, EsRepo)]
#[es_repo(tbl = "accounts", columns(name = "String"))]
pub struct Accounts {}
"##;

    #[track_caller]
    fn check(sql: &str, line: Option<u32>) {
        let makers = Makers::of([("src/lib.rs", SOURCE)].into_iter());
        assert_eq!(makers.maker(sql).map(|place| place.line), line, "{sql}");
    }

    #[test]
    fn a_query_is_made_where_its_texts_stand() {
        check("SELECT id, user_id FROM charges WHERE user_id = $1", Some(8));
        check("SELECT id, user_id\n FROM charges\n WHERE parent = $1", Some(9));
        check("SELECT id, user_id FROM charges WHERE status = $1", Some(2));
        check("INSERT INTO accounts (id, name) VALUES ($1, $2)", Some(11));
        check("SELECT name FROM people", None);
    }

    #[test]
    fn what_is_not_closed_is_read_to_the_end() {
        for source in
            ["macro_rules! a { ( query!(\"SELECT", "#[derive(", "macro_rules", "a!", "#[derive(A)] #[b(\"c"]
        {
            let makers = Makers::of([("a.rs", source)].into_iter());
            assert_eq!(makers.maker("SELECT 1"), None);
        }
    }
}
