//! What a planner could run besides planning: it evaluates functions, whatever they do. Where one could do more
//! than a read-only transaction prevents, no statement is sent that could call one.
//!
//! Names are looked for anywhere in the text, in strings as well: rather a plan too few than a file too many.

use std::collections::BTreeSet;

use query_budget_analysis::sql::Dialect;

use super::Live;
use crate::failure::Failure;

const POSTGRES: &str = include_str!("reach_postgres.sql");

/// Functions of MySQL and MariaDB, in whichever database: all that a statement can name.
const MYSQL_FUNCTIONS: &str = "SELECT routine_name FROM information_schema.routines
    WHERE routine_type <> 'PROCEDURE'
      AND routine_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";

/// Functions of libraries. Not everybody may list them.
const MYSQL_LIBRARIES: &str = "SELECT name FROM mysql.func";

/// Tables that stand for those of another server, which is read while a query is planned.
const MYSQL_FOREIGN: &str = "SELECT table_name FROM information_schema.tables
    WHERE engine IN ('FEDERATED', 'CONNECT', 'SPIDER')";

const MYSQL_VIEWS: &str = "SELECT table_name, view_definition FROM information_schema.views
    WHERE table_schema NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";

/// Functions of PostgreSQL that read a whole schema or an unnamed relation while a query is planned.
const READERS: [&str; 6] = [
    "database_to_xml",
    "database_to_xml_and_xmlschema",
    "schema_to_xml",
    "schema_to_xml_and_xmlschema",
    "table_to_xml",
    "table_to_xml_and_xmlschema",
];

/// What a statement could call.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Why a function could do more than the transaction prevents; `None` if none could.
    escapes: Option<String>,
    /// Functions, relations through which one is called, and those of other servers, in lower case.
    names: BTreeSet<String>,
    /// Whether every statement could call one, by an operator, a type or a cast.
    everywhere: bool,
}

impl Reach {
    /// Reads it from the catalog, with a search path that contains nothing but the catalog.
    pub(super) async fn read(live: &mut Live) -> Result<Reach, Failure> {
        match live.dialect() {
            Dialect::Postgres => Reach::of_postgres(live).await,
            Dialect::MySql => Reach::of_mysql(live).await,
            // Its functions are those of this program.
            Dialect::Sqlite => Ok(Reach::default()),
        }
    }

    async fn of_postgres(live: &mut Live) -> Result<Reach, Failure> {
        let mut reach = Reach::default();
        for row in live.texts(POSTGRES).await? {
            let mut texts = row.into_iter().flatten();
            let (kind, text) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
            match kind.as_str() {
                "escapes" if reach.escapes.is_none() => reach.escapes = Some(text),
                "name" => drop(reach.names.insert(text.to_lowercase())),
                "everywhere" => reach.everywhere = true,
                _ => {}
            }
        }
        if !reach.names.is_empty() {
            reach.names.extend(READERS.map(str::to_owned));
        }
        Ok(reach)
    }

    async fn of_mysql(live: &mut Live) -> Result<Reach, Failure> {
        let mut rows = live.texts(MYSQL_FUNCTIONS).await?;
        rows.extend(live.texts(MYSQL_LIBRARIES).await.unwrap_or_default());
        rows.extend(live.texts(MYSQL_FOREIGN).await?);
        let names = rows.into_iter().flatten().flatten().map(|name| name.to_lowercase()).collect();
        let escapes = Some("this server evaluates functions while it plans".to_owned());
        let mut reach = Reach { escapes, names, everywhere: false };
        let views = if reach.names.is_empty() { Vec::new() } else { live.texts(MYSQL_VIEWS).await? };
        // A definition that may not be read could call anything.
        let calls = |view: &super::Texts, reach: &Reach| {
            view.get(1)
                .and_then(Option::as_deref)
                .is_none_or(|text| text.is_empty() || reach.named(text).is_some())
        };
        let mut left = views;
        loop {
            let (calling, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|view| calls(view, &reach));
            if calling.is_empty() {
                return Ok(reach);
            }
            let names = calling.into_iter().filter_map(|view| view.into_iter().next().flatten());
            reach.names.extend(names.map(|name| name.to_lowercase()));
            left = others;
        }
    }

    /// Checks that a statement calls no function that could do harm; an error says which.
    pub(super) fn admit(&self, sql: &str) -> Result<(), String> {
        let Some(why) = &self.escapes else { return Ok(()) };
        if self.everywhere {
            return Err(format!("operators, types or casts of this database call functions, and {why}"));
        }
        match self.named(sql) {
            Some(name) => Err(format!("it could call a function by `{name}`, and {why}")),
            None => Ok(()),
        }
    }

    /// The first of the names that a text contains.
    fn named(&self, text: &str) -> Option<&str> {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        // Inside quotes, a quote is written twice.
        let text = text.to_lowercase().replace("\"\"", "\"").replace("``", "`");
        let words: BTreeSet<&str> = text.split(|c| !is_part(c)).collect();
        self.names.iter().map(String::as_str).find(|name| {
            // With escapes, a name can be written in many ways.
            text.contains("u&")
                || if name.contains(|c| !is_part(c)) { text.contains(name) } else { words.contains(name) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_could_call_a_function_is_not_sent() {
        let names = ["evil", "my view", "a\"b"].map(str::to_owned).into();
        let mut reach = Reach { escapes: Some("of that".to_owned()), names, everywhere: false };
        for sql in [
            "SELECT evil()",
            "SELECT public . EVIL ( 1 )",
            "SELECT \"Evil\"/**/()",
            "SELECT t.evil FROM t",
            "SELECT * FROM \"my view\"",
            "SELECT * FROM \"a\"\"b\"",
            "SELECT table_to_xml('evil', true, true, '')",
            "SELECT U&\"\\0065vil\"()",
            "SELECT /*!50000 evil() */",
        ] {
            assert!(reach.admit(sql).is_err(), "{sql}");
        }
        for sql in ["SELECT a FROM t WHERE id = $1", "SELECT evils FROM t", "SELECT devil()"] {
            assert_eq!(reach.admit(sql), Ok(()), "{sql}");
        }
        reach.everywhere = true;
        assert!(reach.admit("SELECT 1").is_err());
        reach.escapes = None;
        assert_eq!(reach.admit("SELECT evil()"), Ok(()));
    }
}
