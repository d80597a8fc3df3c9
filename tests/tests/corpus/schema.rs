//! The replayed schema of every folder, compared with the real database's catalog.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use query_budget_analysis::schema::ddl::expression;
use query_budget_analysis::schema::{Index, KeyPart, Table, UserType, replay};
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::{Lexer, TokenKind, unquote};
use serde_json::Value;

use super::folder::{Folder, show};

/// The parts of a table that are compared, and the minimum percentages of equal ones over the whole corpus.
const THRESHOLDS: &[(&str, f64)] = &[
    ("tables", 100.0),
    ("columns", 100.0),
    ("primary keys", 100.0),
    ("unique", 100.0),
    ("foreign keys", 100.0),
    ("indexes", 100.0),
    ("enums", 100.0),
    ("defaults", 99.0),
];

/// How many things were compared, and how many were equal, by part.
#[derive(Default)]
struct Score {
    parts: BTreeMap<&'static str, (usize, usize)>,
    differences: Vec<String>,
}

impl Score {
    fn compare(&mut self, part: &'static str, what: &str, replayed: &str, real: &str) {
        let (equal, all) = self.parts.entry(part).or_default();
        *all += 1;
        if replayed == real {
            *equal += 1;
        } else {
            self.differences.push(format!("{part} of {what}:\n    replayed {replayed}\n    real     {real}"));
        }
    }

    fn line(&self, name: &str) -> String {
        let mut line = format!("{name:<20}");
        for (part, _) in THRESHOLDS {
            let (equal, all) = self.parts.get(part).copied().unwrap_or_default();
            let _ = write!(line, "{:>16}", format!("{equal}/{all}"));
        }
        line
    }
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
fn schema() {
    let mut total = Score::default();
    let head: String = THRESHOLDS.iter().map(|(part, _)| format!("{part:>16}")).collect();
    show(&format!("\n{:<20}{head}", "schema"));
    for folder in Folder::all() {
        let score = score(&folder);
        show(&score.line(&folder.name));
        for (part, (equal, all)) in &score.parts {
            let sum = total.parts.entry(part).or_default();
            *sum = (sum.0 + equal, sum.1 + all);
        }
        total.differences.extend(score.differences.iter().map(|it| format!("{}: {it}", folder.name)));
    }
    show(&total.line("all"));
    for difference in &total.differences {
        show(difference);
    }
    for (part, threshold) in THRESHOLDS {
        let (equal, all) = total.parts.get(part).copied().unwrap_or_default();
        let percent = 100.0 * equal as f64 / all.max(1) as f64;
        assert!(percent >= *threshold, "{part}: {percent:.1} % are equal, {threshold} % are needed");
    }
}

fn score(folder: &Folder) -> Score {
    let replay = replay(&folder.migrations(), folder.dialect);
    let mut score = Score::default();
    for problem in &replay.problems {
        score.differences.push(format!("problem: {problem}"));
    }
    for gap in &replay.schema.gaps {
        score.differences.push(format!("gap: {gap}"));
    }
    let real: Value = serde_json::from_str(&folder.read("schema.json")).expect("schema.json");
    let tables = real["tables"].as_object().expect("tables");
    for name in replay.schema.tables.keys() {
        if !tables.keys().any(|real| key(real, folder.dialect) == name.to_string()) {
            score.compare("tables", &name.to_string(), "exists", "does not exist");
        }
    }
    for (name, real) in tables {
        let name = key(name, folder.dialect);
        let table = replay.schema.tables.values().find(|table| table.name.to_string() == name);
        score.compare("tables", &name, if table.is_some() { "exists" } else { "does not exist" }, "exists");
        if let Some(table) = table {
            compare(&mut score, table, real, folder.dialect);
        }
    }
    for (name, labels) in real["enums"].as_object().expect("enums") {
        let replayed = replay.schema.types.iter().find(|(it, _)| it.to_string() == *name).map(|(_, ty)| ty);
        let Some(UserType::Enum(replayed)) = replayed else {
            score.compare("enums", name, "missing", "");
            continue;
        };
        score.compare("enums", name, &replayed.join(","), &strings(labels).join(","));
    }
    score
}

/// Names as stored by the replay: SQLite compares them case-insensitively.
fn key(name: &str, dialect: Dialect) -> String {
    if dialect == Dialect::Sqlite { name.to_lowercase() } else { name.to_owned() }
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| unquote(item.as_str().unwrap_or("?"), Dialect::Postgres)).collect()
}

fn compare(score: &mut Score, table: &Table, real: &Value, dialect: Dialect) {
    let name = table.name.to_string();
    let columns = real["columns"].as_array().expect("columns");
    let order: Vec<&str> = columns.iter().map(|column| column["name"].as_str().expect("a name")).collect();
    let replayed: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    if order.len() != replayed.len() || !order.iter().zip(&replayed).all(|(a, b)| a.eq_ignore_ascii_case(b)) {
        score.compare("columns", &name, &replayed.join(","), &order.join(","));
    }
    for real in columns {
        let column_name = real["name"].as_str().expect("a name");
        let what = format!("{name}.{column_name}");
        let Some(column) = table.columns.iter().find(|it| it.name.eq_ignore_ascii_case(column_name)) else {
            score.compare("columns", &what, "missing", "");
            continue;
        };
        let not_null = real["not_null"].as_bool().expect("not_null");
        let identity = real["identity"].as_bool().unwrap_or(column.identity);
        let generated = real["generated"].as_bool().unwrap_or(column.generated.is_some());
        let ty = real["type"].as_str().expect("a type");
        score.compare(
            "columns",
            &what,
            &format!("{} {} {} {}", column.ty, column.not_null, column.identity, column.generated.is_some()),
            &format!("{ty} {not_null} {identity} {generated}"),
        );
        if column.generated.is_none() {
            let default = column.default.clone().unwrap_or_default();
            let default = expression::normalize(&default, dialect);
            let real = expression::normalize(real["default"].as_str().unwrap_or(""), dialect);
            score.compare("defaults", &what, &default, &real);
        }
    }
    let primary = table.primary_key.join(",");
    score.compare("primary keys", &name, &primary, &strings(&real["primary_key"]).join(",").to_lowercase());
    if let Some(real) = real["unique"].as_array() {
        let mut replayed: Vec<String> = table.unique.iter().map(|unique| unique.columns.join(",")).collect();
        let mut real: Vec<String> = real.iter().map(|unique| strings(unique).join(",")).collect();
        replayed.sort();
        real.sort();
        score.compare("unique", &name, &replayed.join("; "), &real.join("; "));
    }
    foreign_keys(score, table, real);
    indexes(score, table, real, dialect);
}

fn foreign_keys(score: &mut Score, table: &Table, real: &Value) {
    let mut replayed: Vec<String> = table
        .foreign_keys
        .iter()
        .map(|key| format!("({}) {} ({})", key.columns.join(","), key.table, key.references.join(",")))
        .collect();
    let mut real: Vec<String> = real["foreign_keys"]
        .as_array()
        .expect("foreign_keys")
        .iter()
        .map(|key| {
            let (columns, references) = (strings(&key["columns"]), strings(&key["references"]));
            let table = key["table"].as_str().expect("a table").to_lowercase();
            format!("({}) {table} ({})", columns.join(","), references.join(",")).to_lowercase()
        })
        .collect();
    replayed.sort();
    real.sort();
    // One comparison per key, so that each of several counts separately.
    for key in replayed.iter().filter(|key| !real.contains(key)) {
        score.compare("foreign keys", &table.name.to_string(), key, "missing");
    }
    for key in &real {
        let found = replayed.contains(key);
        score.compare("foreign keys", &table.name.to_string(), if found { key } else { "missing" }, key);
    }
}

fn indexes(score: &mut Score, table: &Table, real: &Value, dialect: Dialect) {
    let real = real["indexes"].as_array().expect("indexes");
    let named = |name: &str| {
        real.iter().any(|index| index["name"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(name)))
    };
    for index in table.indexes.iter().filter(|index| !named(&index.name)) {
        score.compare("indexes", &format!("{}.{}", table.name, index.name), "exists", "does not exist");
    }
    for real in real {
        let name = real["name"].as_str().expect("a name");
        let what = format!("{}.{name}", table.name);
        let Some(index) = table.indexes.iter().find(|index| index.name.eq_ignore_ascii_case(name)) else {
            score.compare("indexes", &what, "missing", "exists");
            continue;
        };
        match dialect {
            Dialect::Sqlite => {
                score.compare("indexes", &what, &sqlite_index(table, index), &real_sqlite_index(real))
            }
            _ => score.compare("indexes", &what, &postgres_index(index), &real_postgres_index(real)),
        }
    }
}

fn postgres_index(index: &Index) -> String {
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| {
            let part = match &key.part {
                KeyPart::Column(name) => name.clone(),
                KeyPart::Expression(text) => canonical(text),
            };
            format!("{part} {} {} {:?}", key.desc, key.nulls_first, key.opclass)
        })
        .collect();
    format!(
        "{} {} {} {} ({}) include ({}) where {}",
        index.method,
        index.unique,
        index.primary,
        index.nulls_not_distinct,
        keys.join(", "),
        index.include.join(", "),
        index.predicate.as_deref().map(canonical).unwrap_or_default()
    )
}

fn real_postgres_index(real: &Value) -> String {
    let keys: Vec<String> = real["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| {
            let text = key["expr"].as_str().expect("a key");
            let column = key["column"].as_bool().expect("column");
            let part = if column { unquote(text, Dialect::Postgres) } else { canonical(text) };
            let opclass = key["opclass"].as_str().map(str::to_owned);
            format!("{part} {} {} {opclass:?}", key["desc"], key["nulls_first"])
        })
        .collect();
    format!(
        "{} {} {} {} ({}) include ({}) where {}",
        real["method"].as_str().expect("a method"),
        real["unique"],
        real["primary"],
        real["nulls_not_distinct"],
        keys.join(", "),
        strings(&real["include"]).join(", "),
        real["predicate"].as_str().map(canonical).unwrap_or_default()
    )
}

fn sqlite_index(table: &Table, index: &Index) -> String {
    let origin = match (index.primary, index.constraint) {
        (true, _) => "pk",
        (_, true) => "u",
        _ => "c",
    };
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| {
            let column = key.as_column().unwrap_or("");
            let of_column = table.column(column).and_then(|column| column.collation.as_deref());
            let collation = key.collation.as_deref().or(of_column).unwrap_or("binary").to_uppercase();
            format!("{column} {} {collation}", key.desc)
        })
        .collect();
    format!("{origin} {} {} ({})", index.unique, index.predicate.is_some(), keys.join(", "))
}

fn real_sqlite_index(real: &Value) -> String {
    let keys: Vec<String> = real["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| {
            let column = key["column"].as_str().unwrap_or("").to_lowercase();
            format!("{column} {} {}", key["desc"], key["collation"].as_str().unwrap_or(""))
        })
        .collect();
    format!(
        "{} {} {} ({})",
        real["origin"].as_str().unwrap_or(""),
        real["unique"],
        real["partial"],
        keys.join(", ")
    )
}

/// An expression without what PostgreSQL adds when it prints one: casts, parentheses, `= ANY (ARRAY[…])` for
/// `IN`.
///
/// Grouping is lost, which the test that loads the snapshot into a real database covers.
fn canonical(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut in_cast = false;
    for token in Lexer::new(text, Dialect::Postgres) {
        let source = text.get(token.span.range()).expect("a token");
        match (token.kind, source) {
            (TokenKind::Symbol, "::") => in_cast = true,
            (TokenKind::Symbol, "(" | ")" | "[" | "]") => {}
            (TokenKind::Symbol, ".") if in_cast => {}
            (TokenKind::Symbol, _) => {
                in_cast = false;
                words.push(if source == "!=" { "<>".to_owned() } else { source.to_owned() });
            }
            (TokenKind::Text, _) => words.push(format!("'{}'", unquote(source, Dialect::Postgres))),
            (TokenKind::Word, "AND" | "OR" | "and" | "or") => {
                in_cast = false;
                words.push(source.to_lowercase());
            }
            _ if in_cast => {}
            (TokenKind::Name, _) => words.push(unquote(source, Dialect::Postgres)),
            _ => words.push(source.to_lowercase()),
        }
    }
    words.join(" ").replace("= any array", "in")
}
