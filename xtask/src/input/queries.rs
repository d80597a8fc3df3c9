//! Queries outside of Rust source: a `.sql` file, a `.jsonl` file, a `.sqlx` folder.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use query_budget_analysis::Place;
use query_budget_analysis::allow::above_sql;
use query_budget_analysis::project::{read, read_bytes, saved_entry, saved_query, shown};
use query_budget_analysis::rust::Allow;
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::Lexer;
use query_budget_analysis::sql::split::{Piece, statements};
use query_budget_analysis::sql::text::LineIndex;

use super::BareQuery;
use crate::failure::Failure;

/// Reads the queries of a file, depending on its kind; paths are shown relative to `base`. Unreadable parts
/// are added to `unread`, with their places.
pub(super) fn read_queries(
    path: &Path,
    dialect: Dialect,
    base: &Path,
    unread: &mut Vec<String>,
) -> Result<Vec<BareQuery>, Failure> {
    if is_stdin(path) {
        return read_stdin(dialect, unread);
    }
    let file = shown(path, base);
    // Whether there is such a file at all is reported before its kind.
    let bytes = read_bytes(path)?;
    match path.extension().and_then(|end| end.to_str()) {
        Some("jsonl") => Ok(parse_jsonl(&bytes, &file, dialect, unread)),
        Some("sql") => Ok(parse_sql(&read(path)?, &file, dialect)),
        _ => Err(Failure::new(format!("read queries from `{file}`"))
            .help("name a `.sql` file, a `.jsonl` file with a `query` on each line, or a `.sqlx` folder")),
    }
}

/// Reads the queries of a `.sqlx` folder, which has to hold some.
pub(super) fn read_folder(
    dir: &Path,
    base: &Path,
    unread: &mut Vec<String>,
) -> Result<Vec<BareQuery>, Failure> {
    let queries = read_sqlx_folder(dir, base, unread)?;
    if queries.is_empty() && unread.is_empty() {
        return Err(Failure::new(format!("read `{}`", shown(dir, base)))
            .because("it holds no `query-*.json`")
            .help("`cargo sqlx prepare` writes the queries of a crate into its `.sqlx` folder"));
    }
    Ok(queries)
}

/// The mark at the begin of a file that some editors write.
const MARK: &str = "\u{feff}";

/// Whether queries come from standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Reads SQL, or one JSON object per line, from standard input.
fn read_stdin(dialect: Dialect, unread: &mut Vec<String>) -> Result<Vec<BareQuery>, Failure> {
    let failed = || Failure::new("read queries from standard input");
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|error| failed().because(error))?;
    let bytes = bytes.strip_prefix(MARK.as_bytes()).unwrap_or(&bytes);
    let mut lines =
        bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).peekable();
    let is_json = lines.peek().is_some() && lines.all(|line| line.starts_with(b"{"));
    if is_json {
        return Ok(parse_jsonl(bytes, "stdin.jsonl", dialect, unread));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        failed().because(format!("line {line} is not valid UTF-8"))
    })?;
    Ok(parse_sql(text, "stdin.sql", dialect))
}

fn parse_sql(text: &str, file: &str, dialect: Dialect) -> Vec<BareQuery> {
    let lines = LineIndex::new(text);
    let mut before = 0;
    let query = |piece: Piece<'_>| {
        let (line, column) = lines.line_column(piece.span.start);
        let place = Place { file: file.into(), line: number(line), column: number(column) };
        let allows = allows_above(text.get(before..piece.span.start).unwrap_or_default(), &place, before > 0);
        before = piece.span.end;
        BareQuery { allows, ..bare(piece.text, place) }
    };
    statements(text, dialect).into_iter().map(query).collect()
}

/// The allows in the comments between two statements that apply to the second. The rest of the first
/// statement's last line belongs to the first.
fn allows_above(between: &str, place: &Place, follows: bool) -> Vec<Allow> {
    let between = if follows { between.split_once('\n').map_or("", |(_, below)| below) } else { between };
    let lines = number(between.matches('\n').count());
    above_sql(between, |at| Place {
        line: (place.line + number(at)).saturating_sub(lines),
        column: 0,
        file: place.file.clone(),
    })
}

/// The allows in the comments before a query's first word.
fn allows_inside(sql: &str, place: &Place, dialect: Dialect) -> Vec<Allow> {
    let mut lexer = Lexer::new(sql, dialect);
    lexer.skip_blank();
    above_sql(sql.get(..lexer.position()).unwrap_or_default(), |_| place.clone())
}

/// The queries of a file with one JSON object per line. A line that is not such an object does not affect the others.
fn parse_jsonl(bytes: &[u8], file: &str, dialect: Dialect, unread: &mut Vec<String>) -> Vec<BareQuery> {
    let mut queries = Vec::new();
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    for (at, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let place = Place { file: file.into(), line: number(at + 1), column: 0 };
        let Ok(line) = std::str::from_utf8(line) else {
            unread.push(format!("read `{place}`: it is not valid UTF-8"));
            continue;
        };
        match saved_query(line) {
            Ok(query) => {
                let allows = allows_inside(&query, &place, dialect);
                queries.push(BareQuery { allows, ..bare(&query, place) });
            }
            Err(reason) => {
                unread.push(format!("read `{place}`: {reason}; a line is `{{\"query\": \"SELECT 1\"}}`"));
            }
        }
    }
    queries
}

/// Reads the queries that `cargo sqlx prepare` saved in a folder. An unreadable entry is added to `unread`:
/// only that query goes unchecked.
pub(super) fn read_sqlx_folder(
    dir: &Path,
    base: &Path,
    unread: &mut Vec<String>,
) -> Result<Vec<BareQuery>, Failure> {
    let folder = shown(dir, base);
    let failed = || Failure::new(format!("read `{folder}`"));
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| failed().because(error))? {
        let path = entry.map_err(|error| failed().because(error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("query-") && name.ends_with(".json") {
            files.push(path);
        }
    }
    files.sort();
    let mut queries = Vec::new();
    for path in &files {
        let file = shown(path, base);
        let saved = read(path).map_err(|error| error.to_string());
        let saved = saved.and_then(|text| saved_entry(&text).map_err(|why| format!("read `{file}`: {why}")));
        match saved {
            Ok((query, dialect)) => {
                let place = Place { file: file.into(), line: 0, column: 0 };
                queries.push(BareQuery { dialect, ..bare(&query, place) });
            }
            Err(why) => unread.push(why),
        }
    }
    Ok(queries)
}

/// A query of which only the text is known.
fn bare(sql: &str, place: Place) -> BareQuery {
    BareQuery {
        sql: sql.into(),
        place,
        allows: Vec::new(),
        is_entry: false,
        maker: None,
        is_stale: false,
        dialect: None,
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
