//! MySQL's and MariaDB's types as sqlx writes them.

use std::path::Path;

use query_budget_analysis::schema::{Name, Schema};
use query_budget_analysis::sql::lex::Lexer;
use query_budget_analysis::sql::query::Kind;
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::mysql::{Place, Server, Wire, server_of, wires};
use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, refused};
use super::form::{Column, Description, Origin, Parameters, TypeInfo};
use super::version::Version;
use super::wanted::{Folder, scripts};

/// The collation number of values that are not text.
const BINARY: u16 = 63;
/// The collation number of text under `utf8mb4_unicode_ci`, which sqlx 0.8 and 0.7 request.
const UNICODE: u16 = 224;
/// The collation number of text on MariaDB when sqlx 0.9 leaves the choice to the server.
const GENERAL: u16 = 45;

/// A type: the server's description of a column.
#[derive(Debug, Serialize)]
pub(super) struct Type {
    /// The name of the protocol's type.
    #[serde(rename = "type")]
    ty: &'static str,
    /// The column's flags, joined by ` | `.
    flags: String,
    /// The collation's number in sqlx 0.7.
    #[serde(skip_serializing_if = "Option::is_none")]
    char_set: Option<u16>,
    /// The collation's number in sqlx 0.9.
    #[serde(skip_serializing_if = "Option::is_none")]
    collation: Option<u16>,
    /// The maximum length of a value, in bytes.
    max_size: u32,
}

/// What is known about the database behind queries.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    server: Option<Server>,
    /// The name of the database, as entries beside those of the queries write it.
    database: Option<String>,
}

/// What is known about the database behind the queries of a folder that ask one schema.
pub(super) fn asked(folder: &Folder, source: Option<&Path>, base: &Path) -> Asked {
    let (_, others) = folder.of(source);
    let entries = std::fs::read_dir(&folder.dir).into_iter().flatten().flatten();
    let entries: Vec<Value> = entries
        .filter(|entry| !others.contains(&*entry.file_name().to_string_lossy()))
        .filter_map(|entry| query_budget_analysis::project::read(&entry.path()).ok())
        .filter_map(|text| serde_json::from_str(&text).ok())
        .collect();
    Asked { server: server(folder, source, base, &entries), database: database(&entries) }
}

/// The database that the origins of columns name, if all name one: `shop.users`.
fn database(entries: &[Value]) -> Option<String> {
    let columns = entries.iter().filter_map(|entry| entry["describe"]["columns"].as_array()).flatten();
    let tables = columns.filter_map(|column| column["origin"]["Table"]["table"].as_str());
    let mut named = tables.filter_map(|table| Some(table.split_once('.')?.0));
    let first = named.next()?;
    named.all(|other| other == first).then(|| first.to_owned())
}

/// The server behind the queries of a folder that ask one schema: the one that wrote their entries, else the one that
/// takes its migrations and queries.
fn server(folder: &Folder, source: Option<&Path>, base: &Path, entries: &[Value]) -> Option<Server> {
    let (own, _) = folder.of(source);
    let first = own.first()?;
    if own.iter().any(|wanted| wanted.project.is_mariadb()) {
        return Some(Server::MariaDb);
    }
    let told: Vec<Server> = entries.iter().flat_map(wrote).collect();
    if let Some(first) = told.first() {
        return told.iter().all(|server| server == first).then_some(*first);
    }
    let scripts = scripts(source, base, Dialect::MySql).unwrap_or_default();
    let queries = own.iter().map(|wanted| &*wanted.sql);
    server_of(first.project.schema.as_ref()?, scripts.iter().map(String::as_str).chain(queries))
}

/// What the columns of an entry show about the server that described them.
fn wrote(entry: &Value) -> Vec<Server> {
    let columns = entry["describe"]["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
    let told = columns.iter().filter_map(|column| {
        let ty = &column["type_info"];
        let has =
            |flag: &str| ty["flags"].as_str().is_some_and(|flags| flags.split(" | ").any(|it| it == flag));
        match ty["type"].as_str()? {
            "Json" => Some(Server::MySql),
            "Timestamp" => Some(if has("UNSIGNED") { Server::MariaDb } else { Server::MySql }),
            // A condition.
            "Long" if ty["max_size"] == 1 && has("BINARY") => Some(Server::MariaDb),
            "LongLong" if ty["max_size"] == 1 && has("BINARY") => Some(Server::MySql),
            _ => None,
        }
    });
    told.collect()
}

/// What is known about a query.
pub(super) fn answer(sql: &str, schema: &Schema, asked: &Asked, version: Version) -> Answer {
    let query = match resolve(sql, Dialect::MySql, Some(schema)) {
        Ok(query) => query,
        Err(error) => return Answer::Unknown(error.to_string()),
    };
    if let Some(problem) = query.problems.first() {
        return Answer::Unknown(format!("the database would refuse it: {}", refused(&problem.kind)));
    }
    // The server describes the rows of a write only when it has run.
    if matches!(query.kind, Kind::Insert | Kind::Delete) {
        let parameters = Parameters::Count(query.parameters);
        return Answer::Known(Description { columns: Vec::new(), parameters }, Vec::new());
    }
    let Some(root) = query.root else {
        return Answer::Unknown("it is not a query".to_owned());
    };
    if is_kept_by_the_server(sql) {
        let parameters = Parameters::Count(query.parameters);
        return Answer::Known(Description { columns: Vec::new(), parameters }, Vec::new());
    }
    if query.block(root).outputs.is_none() {
        return Answer::Unknown("its columns are not known".to_owned());
    }
    let (mut columns, mut doubts) = (Vec::new(), Vec::new());
    for (name, wire, place) in wires(&query, schema, asked.server) {
        let origin = written_origin(place, schema, asked.database.as_deref());
        match wire {
            Ok(wire) => {
                if wire.is_unsure() {
                    doubts.push(columns.len());
                }
                let ty = TypeInfo::MySql(written(&wire, version));
                columns.push(Column { name, nullable: Some(!wire.is_not_null()), ty, origin });
            }
            Err(why) => return Answer::Unknown(format!("column `{name}`: {why}")),
        }
    }
    Answer::Known(Description { columns, parameters: Parameters::Count(query.parameters) }, doubts)
}

/// Whether a query writes its row to variables or its rows to a file: `SELECT .. INTO @a`.
fn is_kept_by_the_server(sql: &str) -> bool {
    let words: Vec<&str> = Lexer::new(sql, Dialect::MySql)
        .map(|token| sql.get(token.span.range()).unwrap_or_default())
        .collect();
    let is = |word: &str, expected: &str| word.eq_ignore_ascii_case(expected);
    words.windows(2).any(|pair| match pair {
        [into, to] if is(into, "into") => to.starts_with('@') || is(to, "outfile") || is(to, "dumpfile"),
        _ => false,
    })
}

impl Type {
    /// The same type, marked as never NULL or not.
    pub(super) fn set_nullable(&mut self, nullable: bool) {
        let flags: Vec<&str> =
            self.flags.split(" | ").filter(|flag| !flag.is_empty() && *flag != "NOT_NULL").collect();
        let marked = if nullable { None } else { Some("NOT_NULL") };
        self.flags = marked.into_iter().chain(flags).collect::<Vec<_>>().join(" | ");
    }
}

/// The origin of a column. The server also names the database, which only the entries beside this one tell.
fn written_origin(place: Place, schema: &Schema, database: Option<&str>) -> Origin {
    let of_database = |table: String| match database {
        Some(database) if !table.contains('.') => format!("{database}.{table}"),
        _ => table,
    };
    match place {
        Place::Table { table, column } => {
            let own = Name::new(table.as_str());
            let known = schema.tables.get(&own).and_then(|table| table.column(&column));
            let name = known.map_or(column.as_str(), |known| known.shown()).to_owned();
            Origin::Table { table: of_database(schema.shown(&own).to_owned()), name }
        }
        Place::Merged { alias, column } => Origin::Table { table: of_database(alias), name: column },
        Place::Held { of, column } => Origin::Table { table: of, name: column },
        Place::Expression => Origin::Expression,
        Place::Unknown => Origin::Unknown,
    }
}

fn written(wire: &Wire, version: Version) -> Type {
    let of = |text: u16| if wire.is_text { text } else { BINARY };
    Type {
        ty: wire.ty,
        flags: wire.flag_names(),
        char_set: (!version.prints_types()).then_some(of(UNICODE)),
        collation: version.has_origins().then_some(of(GENERAL)),
        max_size: wire.size,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::database;

    #[test]
    fn the_database_is_the_one_that_all_entries_name() {
        let entry = |tables: &[&str]| -> Value {
            let column = |table: &&str| json!({ "origin": { "Table": { "table": table, "name": "id" } } });
            let mut columns: Vec<Value> = tables.iter().map(column).collect();
            columns.push(json!({ "origin": "Expression" }));
            json!({ "describe": { "columns": columns } })
        };
        let of =
            |entries: &[&[&str]]| database(&entries.iter().map(|tables| entry(tables)).collect::<Vec<_>>());
        assert_eq!(of(&[&["shop.users", "orders"], &["shop.items"]]).as_deref(), Some("shop"));
        assert_eq!(of(&[&["users"], &[]]), None);
        assert_eq!(of(&[&["shop.users"], &["other.users"]]), None);
    }
}
