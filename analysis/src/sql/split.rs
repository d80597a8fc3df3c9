//! Splits a script into statements, as the database's own client does.

use super::Dialect;
use super::lex::{Lexer, Token, TokenKind};
use super::text::{LineIndex, Span};

/// One statement of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'t> {
    /// The statement from its first to its last token, without the delimiter.
    pub text: &'t str,
    /// Its position in the script.
    pub span: Span,
    /// The line of its first token, counted from 1.
    pub line: u32,
    /// Whether psql executes each value that it returns as a statement: `SELECT .. \gexec`.
    pub is_generator: bool,
}

/// The statements of a script.
///
/// Semicolons in strings, comments, dollar quotes and the bodies of triggers and routines do not split.
/// Commands to the client rather than the database are dropped: psql's backslash commands, of which some end a statement,
/// and the data of `COPY … FROM stdin`, the dot commands of sqlite3, MySQL's `DELIMITER`.
pub fn statements(text: &str, dialect: Dialect) -> Vec<Piece<'_>> {
    let lines = LineIndex::new(text);
    let lexer = Lexer::new(text, dialect);
    let mut script = Script { text, dialect, lexer, delimiter: None, generates: false, generated: false };
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    loop {
        let span = script.statement();
        if let Some(last) = pieces.last_mut() {
            last.is_generator |= std::mem::take(&mut script.generated);
        }
        let Some(span) = span else { return pieces };
        let is_generator = std::mem::take(&mut script.generates);
        if let Some(text) = text.get(span.range()).filter(|text| !text.is_empty()) {
            let line = u32::try_from(lines.line(span.start)).unwrap_or(u32::MAX);
            pieces.push(Piece { text, span, line, is_generator });
        }
    }
}

struct Script<'t> {
    text: &'t str,
    dialect: Dialect,
    lexer: Lexer<'t>,
    /// The delimiter set by `DELIMITER` instead of the semicolon.
    delimiter: Option<&'t str>,
    /// Whether `\gexec` ended the statement that was just read.
    generates: bool,
    /// Whether it followed the statement before: it runs that again.
    generated: bool,
}

/// psql's commands that send what was read so far.
const SENDS: [&str; 7] = ["crosstabview", "g", "gdesc", "gexec", "gset", "gx", "watch"];

impl<'t> Script<'t> {
    /// The next statement; an empty span for a lone delimiter.
    fn statement(&mut self) -> Option<Span> {
        while self.skip_client_command() {}
        let mut first = None;
        let mut end = self.lexer.position();
        let mut body = RoutineBody::new(self.dialect);
        loop {
            if self.lexer.skip_blank().is_none()
                && let Some(delimiter) = self.delimiter
                && self.rest().starts_with(delimiter)
            {
                self.lexer.seek(self.lexer.position() + delimiter.len());
                break;
            }
            let blank_from = end;
            let Some(token) = self.lexer.next() else {
                first?;
                end += self.closes_version(blank_from, self.text.len());
                break;
            };
            let text = self.text.get(token.span.range()).unwrap_or("");
            if text == ";" && self.delimiter.is_none() && !body.holds_semicolon() {
                end += self.closes_version(blank_from, token.span.start);
                break;
            }
            if text == "\\" && self.dialect == Dialect::Postgres {
                if self.client_command(token.span.start) {
                    break;
                }
                continue;
            }
            first.get_or_insert(token.span.start);
            // `END$$`: a name may contain dollar signs, but the client looks for its delimiter first.
            let delimiter = self.delimiter.filter(|_| token.kind == TokenKind::Word);
            if let Some(delimiter) = delimiter
                && let Some(at) = text.find(delimiter)
            {
                end = token.span.start + at;
                self.lexer.seek(end + delimiter.len());
                break;
            }
            end = token.span.end;
            body.read(token, text);
        }
        let span = first.map_or(Span::new(end, end), |start| Span::new(start, end));
        if body.copies_from_stdin {
            self.skip_copy_data();
        }
        Some(span)
    }

    /// The length of the blank bytes that close an executable comment, `/*!80000 ..  */`: they belong to the
    /// statement.
    fn closes_version(&self, from: usize, to: usize) -> usize {
        let blank = self.text.get(from..to).unwrap_or("");
        let close = blank.find("*/").filter(|at| !blank[..*at].contains("/*"));
        close.map_or(0, |at| at + 2)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.lexer.position()..).unwrap_or("")
    }

    /// Skips one of psql's commands inside a statement; returns whether it ends that.
    fn client_command(&mut self, start: usize) -> bool {
        let rest = self.text.get(start + 1..).unwrap_or("");
        if rest.starts_with(';') {
            self.lexer.seek(start + 2);
            return true;
        }
        self.lexer.seek(start + 1 + rest.find('\n').unwrap_or(rest.len()));
        self.generates = command(rest) == "gexec";
        SENDS.contains(&command(rest))
    }

    /// Skips a client command at the start of a statement.
    fn skip_client_command(&mut self) -> bool {
        self.lexer.skip_blank();
        let rest = self.rest();
        // A line may hold any number of statements, so it is looked for only where a command starts.
        let sets_delimiter = self.dialect == Dialect::MySql && starts_with_delimiter(rest);
        let is_command = match self.dialect {
            Dialect::Postgres => rest.starts_with('\\'),
            Dialect::Sqlite => rest.starts_with('.'),
            // Before a statement, the client takes any line of dashes for a comment; the server asks for a blank after two.
            Dialect::MySql => sets_delimiter || rest.starts_with("--"),
        };
        if is_command {
            let line = rest.split('\n').next().unwrap_or("");
            self.generated |= line.strip_prefix('\\').is_some_and(|line| command(line) == "gexec");
            if sets_delimiter {
                self.delimiter = line.split_whitespace().nth(1).filter(|delimiter| *delimiter != ";");
            }
            self.lexer.seek(self.lexer.position() + line.len());
        }
        is_command
    }

    /// Skips the data lines after `COPY … FROM stdin;`, up to the line `\.` that ends them.
    fn skip_copy_data(&mut self) {
        let rest = self.rest();
        let mut length = 0;
        for line in rest.split_inclusive('\n') {
            length += line.len();
            if line.trim_end() == "\\." {
                break;
            }
        }
        self.lexer.seek(self.lexer.position() + length);
    }
}

/// The name of one of psql's commands, whose backslash is before `text`.
fn command(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("")
}

/// Whether a text starts with the word `DELIMITER`.
fn starts_with_delimiter(text: &str) -> bool {
    const WORD: &str = "delimiter";
    let ends =
        text.get(WORD.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    ends && text.get(..WORD.len()).is_some_and(|word| word.eq_ignore_ascii_case(WORD))
}

/// What the first words of a statement imply about semicolons inside it.
struct RoutineBody {
    dialect: Dialect,
    tokens: usize,
    /// `CREATE` so far, followed only by words that may precede the kind of object.
    creates: bool,
    /// MySQL: `BEGIN` so far.
    begins: bool,
    /// A trigger, routine or event, whose body may be a block of statements.
    routine: bool,
    rule: bool,
    depth: usize,
    parentheses: usize,
    last: Last,
    /// SQLite: what the last token says of a `BEGIN` or `END` behind it.
    behind: Behind,
    copy: bool,
    copies_from_stdin: bool,
    from: bool,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Last {
    Other,
    Begin,
    End,
}

/// What the token before a word says of it.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Behind {
    Other,
    /// `,`, `.` or OF: it is the name of a column.
    Name,
    Semicolon,
}

impl RoutineBody {
    fn new(dialect: Dialect) -> RoutineBody {
        RoutineBody {
            dialect,
            tokens: 0,
            creates: false,
            begins: false,
            routine: false,
            rule: false,
            depth: 0,
            parentheses: 0,
            last: Last::Other,
            behind: Behind::Other,
            copy: false,
            copies_from_stdin: false,
            from: false,
        }
    }

    fn holds_semicolon(&mut self) -> bool {
        self.close_end(None);
        self.depth > 0 || (self.rule && self.parentheses > 0)
    }

    /// Handles `END`, which closes a block, unless it is the `END IF` or `END LOOP` of a construct that
    /// opened none here.
    fn close_end(&mut self, next: Option<&str>) {
        if self.last == Last::End {
            let of_other = ["if", "loop", "while", "repeat", "for"];
            if !next.is_some_and(|next| of_other.iter().any(|word| next.eq_ignore_ascii_case(word))) {
                self.depth = self.depth.saturating_sub(1);
            }
            self.last = Last::Other;
        }
    }

    fn read(&mut self, token: Token, text: &str) {
        self.tokens += 1;
        let word = token.kind == TokenKind::Word;
        let is = |expected: &str| word && text.eq_ignore_ascii_case(expected);
        let previous = self.last;
        self.close_end(Some(text));
        let behind = std::mem::replace(
            &mut self.behind,
            match text {
                "," | "." => Behind::Name,
                ";" => Behind::Semicolon,
                _ if is("of") => Behind::Name,
                _ => Behind::Other,
            },
        );
        if self.tokens == 1 {
            self.creates = is("create");
            self.copy = is("copy") && self.dialect == Dialect::Postgres;
            self.begins = is("begin") && self.dialect == Dialect::MySql;
            return;
        }
        if self.copy {
            self.copies_from_stdin |= self.from && is("stdin");
            self.from = is("from");
        }
        self.begins &= self.tokens > 2 || is("not");
        if self.begins && self.tokens == 3 && is("atomic") {
            (self.routine, self.depth) = (true, 1);
        } else if self.creates && !self.routine {
            self.routine = ["trigger", "procedure", "function", "event"].iter().any(|kind| is(kind));
            self.rule |= is("rule") && self.dialect == Dialect::Postgres;
            let table_like = ["table", "view", "index", "schema", "type", "domain", "sequence"];
            self.creates = !table_like.iter().any(|kind| is(kind));
        } else if self.routine && self.dialect == Dialect::Sqlite {
            // A block holds statements and no other block; both words may be names of columns.
            if is("begin") && self.depth == 0 && behind != Behind::Name {
                self.depth = 1;
            } else if is("end") && self.depth > 0 && behind == Behind::Semicolon {
                self.last = Last::End;
            }
        } else if self.routine {
            // In PostgreSQL only `BEGIN ATOMIC` opens a block of statements; other bodies are strings.
            if is("begin") && self.dialect != Dialect::Postgres {
                self.depth += 1;
            } else if is("begin") {
                self.last = Last::Begin;
            } else if is("atomic") && previous == Last::Begin {
                self.depth += 1;
                self.last = Last::Other;
            } else if is("case") && self.depth > 0 && previous != Last::End {
                self.depth += 1;
            } else if is("end") && self.depth > 0 {
                self.last = Last::End;
            }
        }
        match text {
            "(" => self.parentheses += 1,
            ")" => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, dialect: Dialect, expect: &[(u32, &str)]) {
        let pieces: Vec<(u32, &str)> =
            statements(text, dialect).into_iter().map(|piece| (piece.line, piece.text)).collect();
        assert_eq!(pieces, expect);
    }

    #[test]
    fn plain_scripts() {
        check("", Dialect::Postgres, &[]);
        check(" ; ;", Dialect::Postgres, &[]);
        check("a;\n-- x; y\nb ';' ;", Dialect::Postgres, &[(1, "a"), (3, "b ';'")]);
        check("a; b /* ; */ c", Dialect::Sqlite, &[(1, "a"), (1, "b /* ; */ c")]);
        check("a 'b; c", Dialect::Postgres, &[(1, "a 'b; c")]);
    }

    #[test]
    fn comments_end_as_their_database_ends_them() {
        check("a -- x\rb;", Dialect::Postgres, &[(1, "a -- x\rb")]);
        check("a -- x\r;\nb", Dialect::Sqlite, &[(1, "a -- x\r;\nb")]);
        check("a -- x\r; b", Dialect::Postgres, &[(1, "a"), (1, "b")]);
        check("--- x; y\na;\n---\nb ---c", Dialect::MySql, &[(2, "a"), (4, "b ---c")]);
        check("a /*!80000 b */; c", Dialect::MySql, &[(1, "a /*!80000 b */"), (1, "c")]);
        check("a /*!80000 b */ /* d */", Dialect::MySql, &[(1, "a /*!80000 b */")]);
    }

    #[test]
    fn dollar_quotes_hold_semicolons() {
        check("DO $$ BEGIN a; END $$; b", Dialect::Postgres, &[(1, "DO $$ BEGIN a; END $$"), (1, "b")]);
        check("DO $x$ $$;$$ $x$; b", Dialect::Postgres, &[(1, "DO $x$ $$;$$ $x$"), (1, "b")]);
    }

    #[test]
    fn standard_bodies_hold_semicolons() {
        let sql = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END";
        check(&format!("{sql}; x"), Dialect::Postgres, &[(1, sql), (1, "x")]);
    }

    #[test]
    fn rules_hold_semicolons_in_parentheses() {
        let sql = "CREATE RULE r AS ON INSERT TO t DO (NOTIFY a; NOTIFY b)";
        check(&format!("{sql}; x"), Dialect::Postgres, &[(1, sql), (1, "x")]);
    }

    #[test]
    fn trigger_bodies_of_sqlite() {
        let sql = "CREATE TEMP TRIGGER t AFTER UPDATE ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; DELETE FROM d; END";
        check(&format!("{sql};\nx;"), Dialect::Sqlite, &[(1, sql), (2, "x")]);
        let sql =
            "CREATE TRIGGER t AFTER UPDATE OF begin ON a BEGIN UPDATE b SET begin = 1 WHERE end = 2; END";
        check(&format!("{sql};\nx;"), Dialect::Sqlite, &[(1, sql), (2, "x")]);
        check("BEGIN; a; END; b", Dialect::Sqlite, &[(1, "BEGIN"), (1, "a"), (1, "END"), (1, "b")]);
    }

    #[test]
    fn routine_bodies_of_mysql() {
        let sql = "CREATE PROCEDURE p() BEGIN IF a THEN SELECT 1; END IF; CASE b WHEN 1 THEN SELECT 2; END CASE; END";
        check(&format!("{sql};\nx;"), Dialect::MySql, &[(1, sql), (2, "x")]);
        check(
            "BEGIN NOT ATOMIC a; IF b THEN c; END IF; END; BEGIN; d;",
            Dialect::MySql,
            &[(1, "BEGIN NOT ATOMIC a; IF b THEN c; END IF; END"), (1, "BEGIN"), (1, "d")],
        );
        check(
            "DELIMITER //\na; b //\nc//\nDELIMITER ;\nd; e",
            Dialect::MySql,
            &[(2, "a; b"), (3, "c"), (5, "d"), (5, "e")],
        );
        check(
            "DELIMITER $$\na; END$$\nb; END $$\nDELIMITER ;\nd$;",
            Dialect::MySql,
            &[(2, "a; END"), (3, "b; END"), (5, "d$")],
        );
    }

    #[test]
    fn client_commands_are_left_out() {
        check(
            "\\restrict x;y\nCOPY t (a) FROM stdin;\n1;\t2\n\\.\n\nb;",
            Dialect::Postgres,
            &[(2, "COPY t (a) FROM stdin"), (6, "b")],
        );
        check(".mode csv;\na;", Dialect::Sqlite, &[(2, "a")]);
        // They are read wherever they stand, and some of them end a statement.
        check("a\n\\echo b; c\nd;\ne", Dialect::Postgres, &[(1, "a\n\\echo b; c\nd"), (4, "e")]);
        check("a \\gset x_\nb\\; c \\gx\nd", Dialect::Postgres, &[(1, "a"), (2, "b"), (2, "c"), (3, "d")]);
    }

    #[test]
    fn what_a_statement_returns_may_be_executed() {
        let generators = |text: &str| {
            let pieces = statements(text, Dialect::Postgres).into_iter();
            pieces.map(|piece| (piece.text.to_owned(), piece.is_generator)).collect::<Vec<_>>()
        };
        let expect = [("a".to_owned(), true), ("b".to_owned(), false)];
        for text in ["a\\gexec\nb;", "a\n\\gexec\n\nb", "a;\n\\gexec\nb;", "a\\gexec -- x\nb"] {
            assert_eq!(generators(text), expect, "{text}");
        }
        assert_eq!(generators("b; a; \\gexec"), [("b".to_owned(), false), ("a".to_owned(), true)]);
        assert_eq!(generators("a '\\gexec'"), [("a '\\gexec'".to_owned(), false)]);
    }
}
