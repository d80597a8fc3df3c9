//! Rewrites of tokens before parsing, for SQL that the databases take and the parser does not. Every token that stays
//! keeps its place, so that positions in messages are those of the user's text; one that is put in takes the place of
//! the token it stands before.
//!
//! One pass from left to right: at each word the constructs that begin with it are tried. A construct looks ahead at
//! what is to come and back at what was written, and either writes its own tokens or leaves everything as it is. What it
//! drops says nothing about which rows are read.

mod clauses;
mod json;
mod mysql;
mod operand;
mod postgres;
mod shared;
mod sqlite;
#[cfg(test)]
mod tests;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

use super::dialect::Dialect;

/// Rewrites the tokens of a query.
pub(super) fn query(tokens: Vec<TokenWithSpan>, dialect: Dialect) -> Vec<TokenWithSpan> {
    let out = Vec::with_capacity(tokens.len() + 8);
    let mut rewriter = Rewriter {
        dialect,
        input: tokens,
        at: 0,
        out,
        open: Vec::new(),
        lists: Lists::default(),
        renamed: Vec::new(),
        searches: 32,
    };
    let end = rewriter.input.len();
    rewriter.run(end);
    rewriter.out
}

/// A rewrite at work.
struct Rewriter {
    dialect: Dialect,
    /// What there is; everything before `at` is used up.
    input: Vec<TokenWithSpan>,
    at: usize,
    /// What was written so far.
    out: Vec<TokenWithSpan>,
    /// The brackets that are open: whether a comma directly inside of each joins tables.
    open: Vec<bool>,
    lists: Lists,
    /// Names that stand for other rows than tables.
    renamed: Vec<Renamed>,
    /// How often the whole query may still be searched, so that a hostile one takes no longer than its length.
    searches: usize,
}

/// A name of Postgres that the parser takes no declaration of.
struct Renamed {
    alias: Token,
    /// The row it stands for: `old` or `new`; `None` for the merged columns of a join.
    row: Option<&'static str>,
}

/// Lists that are being read, each with the number of brackets that were open when it began.
#[derive(Default)]
struct Lists {
    /// The tables of a MySQL UPDATE, which commas join.
    update: Option<usize>,
    /// The keys of a MySQL GROUP BY, which may have a direction.
    group: Option<usize>,
    /// The assignments of a Postgres UPDATE.
    set: Option<usize>,
    /// Whether SQLite's ON CONFLICT was there.
    conflict: bool,
}

impl Rewriter {
    /// Rewrites everything before `end`.
    fn run(&mut self, end: usize) {
        while self.at < end {
            if !self.renamed.is_empty() && postgres::renamed(self) {
                continue;
            }
            let done = match &self.input[self.at].token {
                Token::Word(word) if word.quote_style.is_none() => self.word(word.keyword),
                Token::Word(_) => self.dialect == Dialect::Postgres && operand::typed_literal(self),
                Token::Mul => self.dialect == Dialect::Postgres && postgres::star(self),
                Token::DoubleColon => self.dialect == Dialect::Postgres && operand::frame_bound(self),
                Token::Lt => self.dialect == Dialect::Postgres && operand::taxicab_distance(self),
                Token::Comma => self.comma(),
                Token::Assignment => self.dialect == Dialect::Postgres && operand::named_argument(self),
                Token::LBrace => self.dialect == Dialect::MySql && clauses::escape_sequence(self),
                // The parser takes it for an operator of ranges, which binds closer than a comparison.
                Token::Overlap if self.dialect == Dialect::MySql => {
                    self.put_word("AND", Keyword::AND);
                    self.skip(1);
                    true
                }
                Token::ExclamationMark if self.dialect == Dialect::MySql => {
                    self.put_word("NOT", Keyword::NOT);
                    self.skip(1);
                    true
                }
                Token::LParen => {
                    if shared::compound_subquery(self) || json::array_of_query(self) {
                        continue;
                    }
                    let joins = mysql::opens_tables(self);
                    self.keep(1);
                    if let Some(open) = self.open.last_mut() {
                        *open = joins;
                    }
                    true
                }
                _ => false,
            };
            if !done {
                self.keep(1);
            }
        }
    }

    fn comma(&mut self) -> bool {
        match self.dialect {
            Dialect::Postgres => self.lists.set == Some(self.open.len()) && shared::parts_of_columns(self),
            Dialect::MySql => mysql::joining_comma(self),
            Dialect::Sqlite => false,
        }
    }

    /// Tries the constructs that begin with an unquoted word.
    fn word(&mut self, keyword: Keyword) -> bool {
        let done = match self.dialect {
            Dialect::Postgres => postgres::word(self, keyword),
            Dialect::Sqlite => sqlite::word(self, keyword),
            Dialect::MySql => mysql::word(self, keyword),
        };
        if !done
            && shared::is_of_other_databases(keyword)
            && let Some(TokenWithSpan { token: Token::Word(word), .. }) = self.input.get_mut(self.at)
        {
            word.keyword = Keyword::NoKeyword;
        }
        done
    }

    /// The token `ahead` positions after the current one.
    fn token(&self, ahead: usize) -> &Token {
        self.input.get(self.at + ahead).map_or(&Token::EOF, |token| &token.token)
    }

    /// The keyword so many tokens ahead; quoted names are none.
    fn keyword(&self, ahead: usize) -> Keyword {
        keyword(self.token(ahead))
    }

    /// Whether a word, which the parser need not know, stands so many tokens ahead.
    fn is(&self, ahead: usize, word: &str) -> bool {
        is_word(self.token(ahead), word)
    }

    /// Whether a name stands so many tokens ahead.
    fn is_name(&self, ahead: usize) -> bool {
        matches!(self.token(ahead), Token::Word(_))
    }

    /// What was written so many tokens before the end; 1 is the last.
    fn written(&self, back: usize) -> &Token {
        let at = self.out.len().checked_sub(back);
        at.and_then(|at| self.out.get(at)).map_or(&Token::EOF, |token| &token.token)
    }

    /// Whether what was written last ends an operand, so that an operator may follow.
    fn after_operand(&self) -> bool {
        match self.written(1) {
            Token::Word(word) => {
                word.quote_style.is_some()
                    || word.keyword == Keyword::NoKeyword
                    || !shared::is_reserved(word.keyword)
            }
            Token::RParen | Token::RBracket | Token::Placeholder(_) | Token::Number(..) => true,
            Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => true,
            _ => false,
        }
    }

    /// Whether the whole query may be searched once more.
    fn may_search(&mut self) -> bool {
        let may = self.searches > 0;
        self.searches = self.searches.saturating_sub(1);
        may
    }

    /// How far ahead the bracket stands that closes the one `ahead` positions after the current token.
    fn closing(&self, ahead: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, token) in self.input.iter().enumerate().skip(self.at + ahead) {
            match token.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at - self.at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Writes the next tokens as they are.
    fn keep(&mut self, count: usize) {
        for _ in 0..count {
            let Some(slot) = self.input.get_mut(self.at) else { return };
            let span = slot.span;
            let token = std::mem::replace(slot, TokenWithSpan { token: Token::EOF, span });
            match token.token {
                Token::LParen | Token::LBracket => self.open.push(false),
                Token::RParen | Token::RBracket => {
                    self.open.pop();
                }
                _ => {}
            }
            self.out.push(token);
            self.at += 1;
        }
    }

    /// Leaves the next tokens out.
    fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.input.len());
    }

    /// Writes a token of its own at the place of the one at hand.
    fn put(&mut self, token: Token) {
        let here = self.input.get(self.at).or(self.out.last());
        let span = here.map_or_else(Span::empty, |token| token.span);
        self.out.push(TokenWithSpan { token, span });
    }

    /// Writes a quoted name.
    fn put_name(&mut self, value: &str, quote: char) {
        self.put(Token::Word(Word {
            value: value.to_owned(),
            quote_style: Some(quote),
            keyword: Keyword::NoKeyword,
        }));
    }

    /// Writes a keyword.
    fn put_word(&mut self, value: &str, keyword: Keyword) {
        self.put(Token::Word(Word { value: value.to_owned(), quote_style: None, keyword }));
    }
}

fn keyword(token: &Token) -> Keyword {
    match token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}
