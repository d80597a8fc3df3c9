//! Reserved words as names that a query gives.

use std::collections::HashSet;
use std::sync::LazyLock;

use sqlparser::ast;

use super::Resolver;
use crate::sql::Span;
use crate::sql::dialect::Dialect;

impl Resolver<'_> {
    /// Records a reserved word after AS that the database refuses there. Without AS, the parser may have taken a clause
    /// for a name.
    pub(super) fn check_alias(&mut self, alias: &ast::Ident, is_table: bool) {
        let words = match self.dialect {
            Dialect::MySql => &IN_MYSQL,
            // Behind AS, PostgreSQL takes any word for the name of a column.
            Dialect::Postgres if is_table => &IN_POSTGRES,
            Dialect::Postgres | Dialect::Sqlite => return,
        };
        if alias.quote_style.is_some() || self.views > 0 || !has(words, &alias.value) {
            return;
        }
        if let Some(span) = self.bytes(alias.span).filter(|span| self.lines.is_behind(span.start, "as")) {
            self.reserved(&alias.value, Some(span));
        }
    }

    /// PostgreSQL: records a reserved word as a table to read, and returns whether it is one: `SELECT FROM WHERE`. A few
    /// are functions there.
    pub(super) fn is_no_table(&mut self, name: &ast::ObjectName) -> bool {
        let [ast::ObjectNamePart::Identifier(only)] = name.0.as_slice() else { return false };
        let is_function =
            || FUNCTIONS_OF_POSTGRES.split(' ').any(|word| word.eq_ignore_ascii_case(&only.value));
        if self.dialect != Dialect::Postgres
            || only.quote_style.is_some()
            || !has(&IN_POSTGRES, &only.value)
            || is_function()
        {
            return false;
        }
        let span = self.bytes(only.span);
        self.reserved(&only.value, span);
        true
    }

    fn reserved(&mut self, word: &str, span: Option<Span>) {
        let quote = self.dialect.identifier_quote();
        let help = format!("write it in quotes, {quote}{word}{quote}, or choose another name");
        self.foreign(&format!("the reserved word `{word}` as a name"), &help, span);
    }
}

/// Words to look names up in: most queries ask for several.
type Words = LazyLock<HashSet<&'static str>>;

static IN_MYSQL: Words = LazyLock::new(|| OF_MYSQL.split(' ').collect());
static IN_POSTGRES: Words = LazyLock::new(|| OF_POSTGRES.split(' ').collect());

/// Whether a word is among others, in any case.
fn has(words: &Words, word: &str) -> bool {
    match word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => words.contains(word.to_ascii_lowercase().as_str()),
        false => words.contains(word),
    }
}

/// The words that MySQL, since 5.7, and MariaDB reserve alike.
const OF_MYSQL: &str = "\
    accessible add all alter analyze and as asc asensitive before between bigint binary blob both by call \
    cascade case change char character check collate column condition constraint continue convert create cross \
    current_date current_time current_timestamp current_user cursor databases day_hour day_microsecond \
    day_minute day_second dec decimal declare default delayed delete desc describe deterministic distinct \
    distinctrow div double drop dual each else enclosed escaped exists exit explain false fetch float float4 \
    float8 for force foreign from fulltext grant group having high_priority hour_minute hour_second if ignore in \
    index infile inner inout insert int int1 int2 int3 int4 int8 integer interval into is iterate join key keys \
    kill leading leave left like limit linear lines load localtime localtimestamp lock long longblob longtext \
    loop low_priority match maxvalue mediumblob mediumint mediumtext middleint minute_second mod modifies \
    natural no_write_to_binlog not null numeric on optimize optionally or order out outer outfile partition \
    precision primary procedure purge range read read_write reads real references regexp release rename repeat \
    replace require resignal restrict return revoke right rlike schemas second_microsecond select sensitive \
    separator set show signal smallint spatial specific sql sql_big_result sql_calc_found_rows sql_small_result \
    sqlexception sqlstate sqlwarning ssl starting straight_join table terminated then tinyblob tinyint tinytext \
    to trailing trigger true undo union unique unlock unsigned update usage use using utc_date utc_time \
    utc_timestamp values varbinary varchar varcharacter varying when where while with write xor year_month \
    zerofill";

/// The words that PostgreSQL takes for no name of a table.
const OF_POSTGRES: &str = "\
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate \
    collation column concurrently constraint create cross current_catalog current_date current_role \
    current_schema current_time current_timestamp current_user default deferrable desc distinct do else end \
    except false fetch for foreign freeze from full grant group having ilike in initially inner intersect into \
    is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on \
    only or order outer overlaps placing primary references returning right select session_user similar some \
    symmetric table tablesample then to trailing true union unique user using variadic verbose when where window \
    with";

/// Those that PostgreSQL reads from as it does from a function.
const FUNCTIONS_OF_POSTGRES: &str = "\
    current_catalog current_date current_role current_schema current_time current_timestamp current_user localtime \
    localtimestamp session_user user";

#[cfg(test)]
mod tests {
    use crate::sql::{Dialect, resolve};

    #[test]
    fn reserved_words_are_no_names() {
        let count = |sql: &str, dialect| resolve(sql, dialect, None).expect(sql).problems.len();
        assert_eq!(count("SELECT a AS key FROM t", Dialect::MySql), 1);
        assert_eq!(count("SELECT a AS `key`, b AS 'key' FROM t", Dialect::MySql), 0);
        assert_eq!(count("SELECT a AS name, b AS user FROM t", Dialect::MySql), 0);
        assert_eq!(count("SELECT a AS key, b AS user FROM t", Dialect::Postgres), 0);
        assert_eq!(count("SELECT 1 FROM t AS user", Dialect::Postgres), 1);
        assert_eq!(count("SELECT 1 FROM t AS \"user\"", Dialect::Postgres), 0);
        assert_eq!(count("SELECT 1 FROM t AS user", Dialect::MySql), 0);
    }

    /// As PostgreSQL answers.
    #[test]
    fn reserved_words_are_no_tables() {
        let count = |sql: &str| resolve(sql, Dialect::Postgres, None).expect(sql).problems.len();
        for refused in [
            "SELECT FROM WHERE",
            "SELECT FROM WHERE true",
            "SELECT 1 FROM user_ids JOIN order ON true",
            "INSERT INTO order (id) VALUES (1)",
            "SELECT id FROM user_ids, end",
        ] {
            assert_eq!(count(refused), 1, "{refused}");
        }
        for taken in [
            "SELECT FROM t",
            "SELECT 1 FROM \"where\"",
            "SELECT 1 FROM left('a', 1)",
            "SELECT * FROM current_date",
            "SELECT * FROM current_user u",
            "SELECT 1 FROM ONLY t",
            "SELECT 1 FROM public.order",
            "WITH v AS (SELECT 1) SELECT 1 FROM v, LATERAL (SELECT 1) w",
        ] {
            assert_eq!(count(taken), 0, "{taken}");
        }
    }
}
