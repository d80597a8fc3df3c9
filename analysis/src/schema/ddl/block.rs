//! The body of a `DO` block or a plpgsql function as plain data: statements, guards, blocks and loops.

use super::Written;
use super::cursor::Cursor;
use crate::sql::Dialect;
use crate::sql::lex::Kind;

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A SQL statement.
    Statement(String),
    /// `EXECUTE`, with its SQL.
    Execute(Executed),
    /// `PERFORM f(…)`.
    Call(Written),
    /// `IF`.
    If {
        /// Each condition with what it guards.
        branches: Vec<(Condition, Vec<Node>)>,
        /// `ELSE`.
        otherwise: Vec<Node>,
    },
    /// `LOOP`, `WHILE`, `FOR`, `FOREACH`.
    Loop(Vec<Node>),
    /// `BEGIN … END`.
    Block {
        /// What it runs.
        nodes: Vec<Node>,
        /// Whether it catches errors.
        catches: bool,
    },
}

/// The SQL of `EXECUTE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Executed {
    /// It is a literal.
    Literal(String),
    /// It is a literal with names or values filled in, by `format`; here are names made up for them.
    Pattern(String),
    /// It is put together some other way.
    Unknown,
}

/// The condition of `IF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Whether the test must fail.
    pub negated: bool,
    /// What is tested.
    pub test: Test,
}

/// What a condition tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// A relation exists: `to_regclass('x') IS NOT NULL`.
    Relation(Written),
    /// A catalog has a row with these values.
    Catalog {
        /// The catalog's or information schema's table.
        catalog: String,
        /// Columns and the strings they equal.
        equals: Vec<(String, String)>,
    },
    /// Anything else.
    Unknown,
}

/// Reads a body.
pub fn parse(body: &str, dialect: Dialect) -> Vec<Node> {
    let mut cursor = Cursor::new(body, dialect);
    let mut nodes = Vec::new();
    while !cursor.done() {
        nodes.extend(statements(&mut cursor, 0).0);
        // A stray `END` or `ELSE` ends nothing here.
        if !cursor.done() {
            cursor.at += 1;
        }
    }
    nodes
}

/// Whether some statement changes the schema.
pub fn runs_ddl(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| match node {
        Node::Statement(sql) | Node::Execute(Executed::Literal(sql) | Executed::Pattern(sql)) => {
            looks_like_ddl(sql, Dialect::Postgres)
        }
        Node::Execute(Executed::Unknown) => true,
        Node::Call(_) => false,
        Node::If { branches, otherwise } => {
            branches.iter().any(|(_, nodes)| runs_ddl(nodes)) || runs_ddl(otherwise)
        }
        Node::Loop(nodes) | Node::Block { nodes, .. } => runs_ddl(nodes),
    })
}

/// Whether a statement begins like DDL.
pub fn looks_like_ddl(sql: &str, dialect: Dialect) -> bool {
    let cursor = Cursor::new(sql, dialect);
    ["create", "alter", "drop", "rename"].iter().any(|word| cursor.is(word))
}

/// How deep blocks may stand in one another before the rest is skipped.
const DEEPEST: usize = 64;

/// Reads statements up to a word that ends them; tells whether handlers of errors follow.
fn statements(cursor: &mut Cursor<'_>, depth: usize) -> (Vec<Node>, bool) {
    let mut nodes = Vec::new();
    let mut catches = false;
    while !cursor.done() && !["end", "else", "elsif", "elseif", "when"].iter().any(|word| cursor.is(word)) {
        if depth > DEEPEST {
            cursor.skip_all();
        } else if cursor.take_symbol(";") || cursor.take_symbol("<<") || cursor.take_symbol(">>") {
        } else if cursor.is("declare") && cursor.dialect == Dialect::MySql {
            // A variable, or a handler of errors, whose body may be a block.
            while !cursor.done() && !cursor.is_symbol(";") && !cursor.is("begin") {
                cursor.at += 1;
            }
            if cursor.take("begin") {
                let _ = statements(cursor, depth + 1);
                end(cursor);
            }
        } else if cursor.is("declare") {
            skip_to(cursor, "begin");
        } else if cursor.take("begin") {
            let (inner, catches) = statements(cursor, depth + 1);
            end(cursor);
            nodes.push(Node::Block { nodes: inner, catches });
        } else if cursor.take("exception") {
            catches = true;
            handlers(cursor, depth);
        } else if cursor.take("if") {
            nodes.push(branches(cursor, depth));
        } else if ["for", "foreach", "while", "loop"].iter().any(|word| cursor.is(word)) {
            let opens = if cursor.dialect == Dialect::MySql && cursor.is("while") { "do" } else { "loop" };
            skip_to(cursor, opens);
            let _ = cursor.take(opens);
            let (inner, _) = statements(cursor, depth + 1);
            end(cursor);
            nodes.push(Node::Loop(inner));
        } else if cursor.take("case") {
            // `CASE` as a statement: its arms' conditions are not looked into.
            let mut arms = Vec::new();
            skip_to(cursor, "when");
            while cursor.take("when") || cursor.take("else") {
                skip_to(cursor, "then");
                let _ = cursor.take("then");
                arms.extend(statements(cursor, depth + 1).0);
            }
            end(cursor);
            nodes.push(Node::Loop(arms));
        } else {
            nodes.extend(statement(cursor));
        }
    }
    (nodes, catches)
}

/// Skips what handlers of errors do.
fn handlers(cursor: &mut Cursor<'_>, depth: usize) {
    while cursor.take("when") {
        skip_to(cursor, "then");
        let _ = cursor.take("then");
        let _ = statements(cursor, depth + 1);
    }
}

/// Takes `END`, what it ends, and the semicolon.
fn end(cursor: &mut Cursor<'_>) {
    if cursor.take("end") {
        while !cursor.done() && !cursor.take_symbol(";") {
            cursor.at += 1;
        }
    }
}

fn skip_to(cursor: &mut Cursor<'_>, word: &str) {
    while !cursor.done() && !cursor.is(word) {
        cursor.skip();
    }
}

fn branches(cursor: &mut Cursor<'_>, depth: usize) -> Node {
    let mut branches = Vec::new();
    let mut otherwise = Vec::new();
    loop {
        let start = cursor.at;
        skip_to(cursor, "then");
        let condition = condition(cursor.source(start, cursor.at), cursor.dialect);
        let _ = cursor.take("then");
        branches.push((condition, statements(cursor, depth + 1).0));
        if !cursor.take("elsif") && !cursor.take("elseif") {
            break;
        }
    }
    if cursor.take("else") {
        otherwise = statements(cursor, depth + 1).0;
    }
    end(cursor);
    Node::If { branches, otherwise }
}

/// Reads one statement and its semicolon.
fn statement(cursor: &mut Cursor<'_>) -> Option<Node> {
    let start = cursor.at;
    while !cursor.done() && !cursor.is_symbol(";") {
        cursor.skip();
    }
    let sql = cursor.source(start, cursor.at).to_owned();
    cursor.take_symbol(";");
    let mut inner = Cursor::new(&sql, cursor.dialect);
    if inner.take("execute") {
        return Some(Node::Execute(executed(&mut inner)));
    }
    if inner.take("perform") || inner.take("call") {
        return inner.written().ok().map(Node::Call);
    }
    let of_plpgsql =
        ["return", "raise", "null", "get", "exit", "continue", "assert", "open", "close", "fetch"];
    if of_plpgsql.iter().any(|word| inner.is(word)) || inner.text_ahead(1) == ":=" {
        return None;
    }
    Some(Node::Statement(sql))
}

/// The SQL of `EXECUTE`: a literal, perhaps in `format`.
fn executed(cursor: &mut Cursor<'_>) -> Executed {
    let format = cursor.is("format") && cursor.text_ahead(1) == "(";
    let start = cursor.at + 1;
    if format {
        cursor.at += 2;
    }
    let Ok(sql) = cursor.string() else { return Executed::Unknown };
    if !format {
        let whole = cursor.done() || cursor.is("using") || cursor.is("into");
        return if whole { Executed::Literal(sql) } else { Executed::Unknown };
    }
    cursor.at = start;
    cursor.skip();
    if !(cursor.done() || cursor.is("using") || cursor.is("into")) {
        return Executed::Unknown;
    }
    if !sql.contains('%') {
        return Executed::Literal(sql);
    }
    // `%s` may stand for any SQL, but where a name makes the rest well formed it is one, perhaps with its schema.
    let filled =
        sql.replace("%%", "\u{0}").replace("%I", "\"\u{1}\"").replace("%s", "\"\u{1}\"").replace("%L", "''");
    if filled.contains('%') { Executed::Unknown } else { Executed::Pattern(filled.replace('\u{0}', "%")) }
}

/// Reads a condition on the catalog.
fn condition(text: &str, dialect: Dialect) -> Condition {
    let mut cursor = Cursor::new(text, dialect);
    let unknown = Condition { negated: false, test: Test::Unknown };
    let mut negated = false;
    while cursor.is("not")
        || (cursor.is_symbol("(")
            && matches!(cursor.text_ahead(1).to_ascii_lowercase().as_str(), "not" | "exists" | "("))
    {
        negated ^= cursor.take("not");
        let _ = cursor.take_symbol("(");
    }
    if cursor.take("to_regclass") || cursor.take("to_regtype") {
        let name = cursor.take_symbol("(").then(|| cursor.string().ok()).flatten();
        while !cursor.done() && !cursor.is("is") {
            cursor.at += 1;
        }
        let exists = cursor.take("is not null");
        let Some(name) = name.filter(|_| exists || cursor.take("is null")) else { return unknown };
        let mut inner = Cursor::new(&name, dialect);
        return match inner.written() {
            Ok(written) if cursor.done() => {
                Condition { negated: negated == exists, test: Test::Relation(written) }
            }
            _ => unknown,
        };
    }
    if !cursor.take("exists") || !cursor.is_symbol("(") {
        return unknown;
    }
    let start = cursor.at;
    cursor.skip();
    let inside = cursor.source(start, cursor.at);
    while cursor.take_symbol(")") {}
    if !cursor.done() {
        return unknown;
    }
    match catalog_test(inside, dialect) {
        Some(test) => Condition { negated, test },
        None => unknown,
    }
}

/// Reads `(SELECT … FROM catalog … WHERE column = 'value' AND …)`.
fn catalog_test(text: &str, dialect: Dialect) -> Option<Test> {
    let mut cursor = Cursor::new(text, dialect);
    skip_word(&mut cursor, "from");
    let catalog = cursor.written().ok()?.name;
    let mut equals = Vec::new();
    while !cursor.done() {
        // Only conditions that must all hold say anything.
        if cursor.is("or") {
            return None;
        }
        let value = cursor.ahead(2).filter(|token| token.kind == Kind::Text).is_some();
        if cursor.text_ahead(1) == "=" && value {
            let Ok(column) = cursor.name() else { return None };
            cursor.at += 1;
            equals.push((column, cursor.string().ok()?));
        } else {
            cursor.at += 1;
        }
    }
    Some(Test::Catalog { catalog, equals })
}

fn skip_word(cursor: &mut Cursor<'_>, word: &str) {
    while !cursor.done() && !cursor.take(word) {
        cursor.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(body: &str) -> Vec<Node> {
        parse(body, Dialect::Postgres)
    }

    #[test]
    fn plain_statements_in_a_block() {
        let parsed = nodes(
            "DECLARE x int := 1; BEGIN CREATE TABLE a (b int); NULL; EXCEPTION WHEN duplicate_table THEN RAISE NOTICE 'x'; END",
        );
        let statement = Node::Statement("CREATE TABLE a (b int)".to_owned());
        assert_eq!(parsed, [Node::Block { nodes: vec![statement], catches: true }]);
    }

    #[test]
    fn guards_on_the_catalog() {
        let body = "BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type t WHERE t.typname = 'mood') THEN CREATE TYPE mood AS ENUM ('a'); END IF; END";
        let parsed = nodes(body);
        let [Node::Block { nodes, .. }] = parsed.as_slice() else { panic!("one block: {parsed:?}") };
        let [Node::If { branches, .. }] = nodes.as_slice() else { panic!("one guard: {nodes:?}") };
        let test = Test::Catalog {
            catalog: "pg_type".to_owned(),
            equals: vec![("typname".to_owned(), "mood".to_owned())],
        };
        assert_eq!(branches[0].0, Condition { negated: true, test });
        assert_eq!(branches[0].1.len(), 1);
        let condition = condition("to_regclass('public.a') IS NULL", Dialect::Postgres);
        let relation = Written { schema: Some("public".to_owned()), name: "a".to_owned() };
        assert_eq!(condition, Condition { negated: true, test: Test::Relation(relation) });
    }

    #[test]
    fn execute_of_literals_and_patterns() {
        let parsed = nodes(
            "EXECUTE 'DROP TABLE a'; EXECUTE format('DROP TABLE b'); EXECUTE a || b; EXECUTE format('DROP TABLE %1$s', c);
             EXECUTE format('ALTER TABLE %I ADD x text DEFAULT %L', y, z);",
        );
        let known = |sql: &str| Node::Execute(Executed::Literal(sql.to_owned()));
        let unknown = Node::Execute(Executed::Unknown);
        let pattern = Executed::Pattern("ALTER TABLE \"\u{1}\" ADD x text DEFAULT ''".to_owned());
        let expect =
            [known("DROP TABLE a"), known("DROP TABLE b"), unknown.clone(), unknown, Node::Execute(pattern)];
        assert_eq!(parsed, expect);
    }

    #[test]
    fn loops_and_branches() {
        let parsed = nodes(
            "FOR r IN SELECT 1 LOOP EXECUTE r; END LOOP; IF a THEN DROP TABLE x; ELSE DROP TABLE y; END IF; DROP TABLE z;",
        );
        assert_eq!(parsed.len(), 3);
        assert!(runs_ddl(&parsed));
        assert!(!runs_ddl(&nodes("BEGIN UPDATE a SET b = 1; RETURN NEW; END")));
    }

    #[test]
    fn broken_bodies_end() {
        for body in ["END END", "IF", "IF a THEN", "BEGIN", "CASE", "LOOP", "EXECUTE", ";;", "ELSE x"] {
            nodes(body);
        }
    }
}
