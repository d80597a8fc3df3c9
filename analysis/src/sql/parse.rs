//! Parses SQL text into the parser's tree and tokens, guarded against stack exhaustion.

use std::fmt;

use sqlparser::ast::Statement;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use super::dialect::Dialect;
use super::text::{LineIndex, Span};
use super::tokenize::tokenize;
use super::{grammar, parameters, rewrite, select_texts};

/// The maximum number of consecutive tokens without a comma or parenthesis that is parsed. Each operator in
/// such a run adds a level to the tree, which is dropped recursively.
const LONGEST_RUN: usize = 3_000;

/// The maximum number of casts, IS, COLLATE and NOT between two ANDs. Each adds a level to the tree that,
/// unlike those of infix operators, is parsed recursively.
const LONGEST_POSTFIX: usize = 100;

/// The maximum nesting of parentheses; the parser itself gives up at about 50 nested expressions.
const DEEPEST_NESTING: usize = 200;

/// The options of an EXPLAIN end within this many tokens.
const EXPLAIN_OPTIONS: usize = 48;

/// Why a text is not one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong, as a lowercase fragment.
    pub message: String,
    /// The position, in bytes of the SQL.
    pub span: Span,
    /// Whether the text exceeds our limits, rather than being wrong: too deep, too long.
    pub limit: bool,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// A parsed statement, with what is needed to locate its parts.
pub(super) struct Parsed<'s> {
    pub(super) statement: Statement,
    /// The EXPLAIN in front of it, if there is one.
    pub(super) explained: Option<Explained>,
    /// The number of parameters.
    pub(super) parameters: usize,
    /// The text of each SELECT list element; empty in PostgreSQL, which does not use it to name columns.
    pub(super) select_texts: Vec<(Span, String)>,
    pub(super) lines: LineIndex<'s>,
}

/// The EXPLAIN in front of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Explained {
    /// Whether the statement is executed as well, with ANALYZE.
    pub(super) is_run: bool,
}

/// Parses `sql`, which has to be a single statement.
pub(super) fn statement(sql: &str, dialect: Dialect) -> Result<Parsed<'_>, SyntaxError> {
    let lines = LineIndex::new(sql);
    let mut tokens = tokenize(sql, dialect, &lines)?;
    let span_of = |token: &TokenWithSpan| span(&lines, token.span);
    guard(&tokens, &span_of)?;
    if !tokens.iter().any(|token| is_code(&token.token)) {
        return Err(SyntaxError {
            message: "the query is empty".to_owned(),
            span: Span::new(0, sql.len()),
            limit: false,
        });
    }
    let parameters = parameters::number(&mut tokens, dialect);
    let select_texts = match dialect {
        Dialect::Postgres => Vec::new(),
        Dialect::MySql | Dialect::Sqlite => select_texts::of(sql, &tokens, &lines),
    };
    let second = second_statement(&tokens).map(span_of);
    let explained = explained(&mut tokens, dialect);
    if dialect == Dialect::MySql {
        drop_settings(&mut tokens);
    }
    let rewritten = rewrite::query(tokens, dialect);
    let mut statements = Parser::new(grammar::of(dialect))
        .with_tokens_with_locations(rewritten.tokens)
        .parse_statements()
        .map_err(|error| refused(&error, rewritten.is_cut, sql, &lines))?;
    match statements.len() {
        1 => Ok(Parsed { statement: statements.remove(0), explained, parameters, select_texts, lines }),
        0 => Err(SyntaxError {
            message: "the query is empty".to_owned(),
            span: Span::new(0, sql.len()),
            limit: false,
        }),
        count => {
            let second = second.unwrap_or(Span::new(0, sql.len()));
            let message = format!("{count} statements in one query; a prepared query is one statement");
            Err(SyntaxError { message, span: second, limit: false })
        }
    }
}

/// Parses one expression: an index key or a predicate.
pub(super) fn expression(
    sql: &str,
    dialect: Dialect,
) -> Result<(sqlparser::ast::Expr, LineIndex<'_>), SyntaxError> {
    let lines = LineIndex::new(sql);
    let tokens = tokenize(sql, dialect, &lines)?;
    guard(&tokens, &|token| span(&lines, token.span))?;
    let rewritten = rewrite::query(tokens, dialect);
    let mut parser = Parser::new(grammar::of(dialect)).with_tokens_with_locations(rewritten.tokens);
    let parsed = parser.parse_expr().map_err(|error| refused(&error, rewritten.is_cut, sql, &lines))?;
    if parser.peek_token().token != Token::EOF {
        let span = span(&lines, parser.peek_token().span);
        return Err(SyntaxError { message: "the expression goes on".to_owned(), span, limit: false });
    }
    Ok((parsed, lines))
}

/// Converts a span of the parser to bytes.
pub(super) fn span(lines: &LineIndex<'_>, span: sqlparser::tokenizer::Span) -> Span {
    let offset = |at: Location| lines.offset(at.line, at.column);
    Span::new(offset(span.start), offset(span.end))
}

/// Whether a token is anything but a semicolon.
fn is_code(token: &Token) -> bool {
    !matches!(token, Token::SemiColon | Token::EOF)
}

/// The first word of a statement.
pub(super) fn leading_keyword(tokens: &[TokenWithSpan]) -> Option<&str> {
    tokens.iter().find(|token| is_code(&token.token)).and_then(|token| match &token.token {
        Token::Word(word) => Some(word.value.as_str()),
        _ => None,
    })
}

/// Removes EXPLAIN and its options. Databases have options that the parser does not know, and none of them
/// changes what the statement reads.
fn explained(tokens: &mut Vec<TokenWithSpan>, dialect: Dialect) -> Option<Explained> {
    let word = leading_keyword(tokens)?.to_ascii_lowercase();
    let analyzes = word == "analyze" && dialect == Dialect::MySql;
    if !analyzes && !matches!(word.as_str(), "explain" | "desc" | "describe") {
        return None;
    }
    let keyword_at = |at: usize| match tokens.get(at).map(|token| &token.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    };
    let begins = |keyword: Keyword| {
        use Keyword as K;
        // `ANALYZE TABLE t` is about statistics.
        let reads = matches!(keyword, K::SELECT | K::WITH | K::VALUES) || keyword == K::TABLE && !analyzes;
        reads || matches!(keyword, K::INSERT | K::UPDATE | K::DELETE | K::MERGE | K::REPLACE)
    };
    let is_bracket = |at: usize| matches!(tokens.get(at).map(|token| &token.token), Some(Token::LParen));
    // There are few options: a query further along is not explained.
    let start = (1..EXPLAIN_OPTIONS).find(|&at| {
        let in_brackets = is_bracket(at) && begins(keyword_at(at + 1));
        in_brackets || (begins(keyword_at(at)) && !is_bracket(at - 1))
    })?;
    let is_run = analyzes
        || (1..start).any(|at| {
            let off = tokens.get(at + 1).is_some_and(|next| match &next.token {
                Token::Word(word) => ["off", "false"].iter().any(|no| word.value.eq_ignore_ascii_case(no)),
                Token::Number(number, _) => number == "0",
                _ => false,
            });
            keyword_at(at) == Keyword::ANALYZE && !off
        });
    tokens.drain(..start);
    Some(Explained { is_run })
}

/// MariaDB: removes `SET STATEMENT max_statement_time = 1 FOR` from the statement it applies to.
fn drop_settings(tokens: &mut Vec<TokenWithSpan>) {
    let word = |at: usize, expect: &str| {
        tokens.get(at).is_some_and(
            |token| matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case(expect)),
        )
    };
    if word(0, "set")
        && word(1, "statement")
        && let Some(end) = (2..EXPLAIN_OPTIONS).find(|at| word(*at, "for"))
    {
        tokens.drain(..=end);
    }
}

/// Whether a first word starts a statement that neither reads nor writes rows of tables.
pub(super) fn is_utility(word: &str) -> bool {
    let words = [
        "alter",
        "analyse",
        "analyze",
        "attach",
        "begin",
        "call",
        "check",
        "checkpoint",
        "checksum",
        "close",
        "change",
        "cluster",
        "comment",
        "commit",
        "copy",
        "create",
        "deallocate",
        "declare",
        "desc",
        "describe",
        "detach",
        "discard",
        "do",
        "drop",
        "end",
        "execute",
        "explain",
        "fetch",
        "flush",
        "get",
        "grant",
        "handler",
        "help",
        "import",
        "kill",
        "listen",
        "load",
        "lock",
        "move",
        "notify",
        "optimize",
        "pragma",
        "prepare",
        "purge",
        "reassign",
        "refresh",
        "reindex",
        "release",
        "rename",
        "repair",
        "reset",
        "resignal",
        "revoke",
        "rollback",
        "savepoint",
        "security",
        "set",
        "show",
        "signal",
        "start",
        "truncate",
        "unlisten",
        "unlock",
        "use",
        "vacuum",
        "xa",
    ];
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether code follows a semicolon.
pub(super) fn is_several(tokens: &[TokenWithSpan]) -> bool {
    second_statement(tokens).is_some()
}

fn second_statement(tokens: &[TokenWithSpan]) -> Option<&TokenWithSpan> {
    let end = tokens.iter().position(|token| matches!(token.token, Token::SemiColon))?;
    tokens.get(end..)?.iter().find(|token| is_code(&token.token))
}

/// Counts since the last comma inside one pair of parentheses.
#[derive(Clone, Copy, Default)]
struct Run {
    tokens: usize,
    /// Postfix operators since the last AND or OR.
    postfix: usize,
}

/// Rejects texts whose tree would be too deep.
fn guard(tokens: &[TokenWithSpan], span_of: &dyn Fn(&TokenWithSpan) -> Span) -> Result<(), SyntaxError> {
    let refuse = |token: &TokenWithSpan, message: String| {
        Err(SyntaxError { message, span: span_of(token), limit: true })
    };
    let mut runs = vec![Run::default()];
    for token in tokens {
        let mut postfix = 0;
        match &token.token {
            Token::LParen | Token::LBracket => {
                runs.push(Run::default());
                if runs.len() > DEEPEST_NESTING {
                    return refuse(
                        token,
                        format!("brackets nested more than {DEEPEST_NESTING} deep are not checked"),
                    );
                }
            }
            Token::RParen | Token::RBracket if runs.len() > 1 => {
                runs.pop();
            }
            Token::Comma | Token::SemiColon => {
                if let Some(run) = runs.last_mut() {
                    *run = Run::default();
                }
            }
            Token::DoubleColon => postfix = 1,
            Token::Word(word) if word.quote_style.is_none() => match word.keyword {
                Keyword::AND | Keyword::OR => {
                    if let Some(run) = runs.last_mut() {
                        run.postfix = 0;
                    }
                }
                Keyword::IS | Keyword::COLLATE | Keyword::AT | Keyword::NOTNULL | Keyword::NOT => postfix = 1,
                _ => {}
            },
            _ => {}
        }
        if let Some(run) = runs.last_mut() {
            run.tokens += 1;
            run.postfix += postfix;
            if run.tokens > LONGEST_RUN {
                return refuse(
                    token,
                    format!("more than {LONGEST_RUN} tokens without a comma are not checked"),
                );
            }
            if run.postfix > LONGEST_POSTFIX {
                return refuse(
                    token,
                    format!("more than {LONGEST_POSTFIX} casts of one value are not checked"),
                );
            }
        }
    }
    Ok(())
}

/// An error of the parser, unless it may be due to a construct that was left as it is.
fn refused(error: &ParserError, is_cut: bool, sql: &str, lines: &LineIndex<'_>) -> SyntaxError {
    if !is_cut {
        return parser_error(error, sql, lines);
    }
    let message = "so many constructs that the parser does not know are not checked".to_owned();
    SyntaxError { message, span: Span::new(0, sql.len()), limit: true }
}

/// Turns the parser's error into a fragment, and extracts its position, which is only in its text.
fn parser_error(error: &ParserError, sql: &str, lines: &LineIndex<'_>) -> SyntaxError {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => {
            let message = "expressions nested this deep are not checked".to_owned();
            return SyntaxError { message, span: Span::new(0, sql.len()), limit: true };
        }
    };
    let (message, place) = text.split_once(" at Line: ").unwrap_or((text, ""));
    let mut numbers = place.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse::<u64>().ok());
    let start = match (numbers.next(), numbers.next()) {
        (Some(line), Some(column)) => lines.offset(line, column),
        _ => sql.trim_end().len(),
    };
    let end = sql.get(start..).map_or(start, |rest| start + word_length(rest));
    let message = message.strip_prefix("sql parser error: ").unwrap_or(message);
    let message = message.replacen("Expected: ", "expected ", 1).replacen("Expected ", "expected ", 1);
    let message =
        message.replace(", found: EOF", ", found the end of the query").replace(", found: ", ", found `");
    let message = match message.split_once(", found `") {
        Some((expected, found)) => {
            // A rewrite may have put another token there, which the user has not written.
            let is_written =
                sql.get(start..start + found.len()).is_some_and(|it| it.eq_ignore_ascii_case(found));
            match sql.get(start..end).unwrap_or_default() {
                _ if is_written || found.contains(['\'', '"', '$']) => format!("{expected}, found `{found}`"),
                "" => format!("{expected}, found the end of the query"),
                written => format!("{expected}, found `{written}`"),
            }
        }
        None => message,
    };
    let mut characters = message.chars();
    let message =
        characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect());
    SyntaxError { message, span: Span::new(start, end), limit: false }
}

fn word_length(text: &str) -> usize {
    let word = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    word.max(text.chars().next().map_or(0, char::len_utf8))
}
