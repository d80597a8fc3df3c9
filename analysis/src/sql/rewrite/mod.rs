//! Token rewrites before parsing, for SQL that the databases accept and the parser does not. Tokens that
//! remain keep their positions, so that positions in messages refer to the user's text; an inserted token
//! takes the position of the token after it.
//!
//! One pass from left to right: at each word, the constructs that start with it are tried. A construct may
//! look ahead in the input and back in the output. It either writes its own tokens or changes nothing. What
//! it writes names the same tables, columns and conditions, and allows no fewer rows than the user's text.

mod aliases;
pub(super) mod clauses;
mod commas;
mod delete;
mod groups;
mod json;
mod literal;
mod merge;
mod mysql;
mod names;
mod operand;
mod operators;
mod postgres;
mod shared;
mod sqlite;
#[cfg(test)]
mod tests;
mod xml;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

use super::dialect::Dialect;

pub(super) use shared::EXPRESSION;

/// The tokens of a query for the parser.
pub(super) struct Rewritten {
    pub(super) tokens: Vec<TokenWithSpan>,
    /// Whether there was more to search than `MOST_SEARCHES`, so that a construct may remain.
    pub(super) is_cut: bool,
}

/// How often an entire query is searched, so that hostile input takes linear time.
const MOST_SEARCHES: usize = 32;

/// Rewrites the tokens of a query.
pub(super) fn query(tokens: Vec<TokenWithSpan>, dialect: Dialect) -> Rewritten {
    let out = Vec::with_capacity(tokens.len() + 8);
    let mut rewriter = Rewriter {
        dialect,
        input: tokens,
        at: 0,
        out,
        open: Vec::new(),
        lists: Lists::default(),
        renamed: Vec::new(),
        searches: MOST_SEARCHES,
        is_cut: false,
    };
    let end = rewriter.input.len();
    rewriter.run(end);
    Rewritten { tokens: rewriter.out, is_cut: rewriter.is_cut }
}

/// The state of a rewrite.
struct Rewriter {
    dialect: Dialect,
    /// The input; everything before `at` is consumed.
    input: Vec<TokenWithSpan>,
    at: usize,
    /// The output so far.
    out: Vec<TokenWithSpan>,
    /// The open parentheses: for each, whether a comma directly inside joins tables.
    open: Vec<bool>,
    lists: Lists,
    /// Aliases for rows that are not tables.
    renamed: Vec<Renamed>,
    /// How often the entire query may still be searched.
    searches: usize,
    /// Whether a search was refused.
    is_cut: bool,
}

/// A PostgreSQL alias whose declaration the parser does not accept.
struct Renamed {
    alias: Token,
    row: Row,
}

/// What an alias refers to.
enum Row {
    /// The row `old` or `new`.
    Named(&'static str),
    /// The merged columns of a join.
    Merged(Vec<Token>),
}

/// The lists being read, each with the number of parentheses open at its start.
#[derive(Default)]
struct Lists {
    /// The tables of a MySQL UPDATE, joined by commas.
    update: Option<usize>,
    /// The keys of a MySQL GROUP BY, which may have a direction.
    group: Option<usize>,
    /// The assignments of a PostgreSQL UPDATE.
    set: Option<usize>,
    /// Whether SQLite's ON CONFLICT has occurred.
    conflict: bool,
}

impl Rewriter {
    /// Rewrites everything before `end`.
    fn run(&mut self, end: usize) {
        while self.at < end {
            if !self.renamed.is_empty() && aliases::renamed(self) {
                continue;
            }
            let done = match &self.input[self.at].token {
                Token::Word(word) if word.quote_style.is_none() => self.word(word.keyword),
                Token::Word(_) => self.dialect == Dialect::Postgres && literal::typed_literal(self),
                Token::Mul => self.dialect == Dialect::Postgres && postgres::star(self),
                Token::DoubleColon => self.dialect == Dialect::Postgres && operand::frame_bound(self),
                Token::CustomBinaryOperator(_) | Token::ExclamationMark
                    if self.dialect == Dialect::Postgres =>
                {
                    operators::own_prefix(self)
                }
                Token::Comma => self.comma(),
                Token::Assignment if self.dialect == Dialect::MySql => clauses::assigned(self),
                Token::Assignment => self.dialect == Dialect::Postgres && literal::named_argument(self),
                Token::LBrace => self.dialect == Dialect::MySql && clauses::escape_sequence(self),
                // The parser reads it as a range operator, which binds tighter than a comparison.
                Token::Overlap if self.dialect == Dialect::MySql => {
                    self.put_word("AND", Keyword::AND);
                    self.skip(1);
                    true
                }
                // `\N` is NULL.
                Token::Backslash if self.dialect == Dialect::MySql && self.is(1, "n") => {
                    self.put_word("NULL", Keyword::NULL);
                    self.skip(2);
                    true
                }
                // The parser takes it for `=`.
                Token::DoubleEq if self.dialect != Dialect::Sqlite => {
                    self.put(Token::CustomBinaryOperator("==".to_owned()));
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
                    let joins = shared::opens_tables(self);
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
            Dialect::MySql | Dialect::Sqlite => commas::joining_comma(self),
        }
    }

    /// Tries the constructs that start with an unquoted word.
    fn word(&mut self, keyword: Keyword) -> bool {
        let done = match self.dialect {
            Dialect::Postgres => postgres::word(self, keyword),
            Dialect::Sqlite => sqlite::word(self, keyword),
            Dialect::MySql => mysql::word(self, keyword),
        };
        if !done && (shared::is_of_other_databases(keyword) || names::is_column(self, keyword)) {
            self.take_as_name();
        }
        done
    }

    /// Lets the parser read the current word as a name.
    fn take_as_name(&mut self) {
        if let Some(TokenWithSpan { token: Token::Word(word), .. }) = self.input.get_mut(self.at) {
            word.keyword = Keyword::NoKeyword;
        }
    }

    /// The token `ahead` positions after the current one.
    fn token(&self, ahead: usize) -> &Token {
        self.input.get(self.at + ahead).map_or(&Token::EOF, |token| &token.token)
    }

    /// The keyword `ahead` positions after the current token; a quoted name is not a keyword.
    fn keyword(&self, ahead: usize) -> Keyword {
        keyword(self.token(ahead))
    }

    /// Whether the token `ahead` positions after the current one is this word, known to the parser or not.
    fn is(&self, ahead: usize, word: &str) -> bool {
        is_word(self.token(ahead), word)
    }

    /// Whether the token `ahead` positions after the current one is a name.
    fn is_name(&self, ahead: usize) -> bool {
        matches!(self.token(ahead), Token::Word(_))
    }

    /// The output token `back` positions from the end; 1 is the last.
    fn written(&self, back: usize) -> &Token {
        let at = self.out.len().checked_sub(back);
        at.and_then(|at| self.out.get(at)).map_or(&Token::EOF, |token| &token.token)
    }

    /// Whether the last output token ends an operand, so that an operator may follow.
    fn after_operand(&self) -> bool {
        match self.written(1) {
            Token::Word(word) => {
                word.quote_style.is_some()
                    || word.keyword == Keyword::NoKeyword
                    || !shared::is_reserved(word.keyword)
            }
            Token::RParen | Token::RBracket | Token::Placeholder(_) | Token::Number(..) => true,
            Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => true,
            Token::EscapedStringLiteral(_) | Token::UnicodeStringLiteral(_) => true,
            Token::NationalStringLiteral(_) | Token::DollarQuotedString(_) => true,
            Token::HexStringLiteral(_) | Token::SingleQuotedByteStringLiteral(_) => true,
            _ => false,
        }
    }

    /// Whether the entire query may be searched once more.
    fn may_search(&mut self) -> bool {
        let may = self.searches > 0;
        self.searches = self.searches.saturating_sub(1);
        self.is_cut |= !may;
        may
    }

    /// How far from the end of the output the parenthesis or bracket is that the one at `back` closes.
    fn opened(&self, back: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for back in back..=self.out.len() {
            match self.written(back) {
                Token::RParen | Token::RBracket => depth += 1,
                Token::LParen | Token::LBracket => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(back);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The offset of the parenthesis that closes the one `ahead` positions after the current token.
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

    /// Copies the next tokens.
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

    /// Drops the next tokens.
    fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.input.len());
    }

    /// Writes a new token at the current position.
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
