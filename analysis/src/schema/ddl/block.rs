//! The body of a `DO` block or a plpgsql function as data: statements, conditions, blocks and loops.

use std::cell::LazyCell;

use super::assigned::{declarations, declared, fetched, selected_into};
pub use super::condition::{Condition, Test};
pub(crate) use super::condition::{catalog_test, condition, names_catalog};
use super::cursor::Cursor;
pub(crate) use super::leaving::leaves;
pub(crate) use super::loops::{MOST_TURNS, SPREAD};
use super::{Written, leaving, loops};
use crate::sql::Dialect;

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A SQL statement.
    Statement(String),
    /// `EXECUTE`, with the expression for its SQL.
    Execute(String),
    /// `x := …`, `DECLARE x … := …`, `SELECT … INTO x`: a variable, and the expression for its value; empty
    /// if unknown.
    Assign {
        /// The variable's name, folded.
        variable: String,
        /// The expression.
        value: String,
    },
    /// `PERFORM f(…)` and `CALL f(…)`.
    Call {
        /// The function.
        function: Written,
        /// Its arguments, as written.
        arguments: Vec<String>,
    },
    /// `IF`.
    If {
        /// Each condition, with the nodes that it guards.
        branches: Vec<(Condition, Vec<Node>)>,
        /// `ELSE`.
        otherwise: Vec<Node>,
    },
    /// `FOREACH x IN ARRAY …` and `FOR x IN SELECT unnest(…)`.
    ForEach {
        /// The variable's name, folded.
        variable: String,
        /// The elements of the array, as expressions; `VARIADIC x` stands for the elements of `x`.
        items: Vec<String>,
        /// The columns of rows of several values, each of which is an element of `items`.
        columns: Vec<String>,
        /// The body of the loop.
        nodes: Vec<Node>,
    },
    /// `WHILE`.
    While {
        /// The condition that is tested before each iteration.
        condition: Condition,
        /// Its body.
        nodes: Vec<Node>,
        /// MySQL's `REPEAT`: whether the body runs before the condition is tested.
        tests_last: bool,
    },
    /// `LOOP`, `FOR`: how often it runs, and with which values, is unknown.
    Loop(Vec<Node>),
    /// `BEGIN … END`.
    Block {
        /// Its label, folded.
        label: Option<String>,
        /// The variables that it declares, and that end with it.
        declares: Vec<String>,
        /// Its body.
        nodes: Vec<Node>,
        /// The statements of its handlers, if it handles exceptions.
        handlers: Option<Vec<Node>>,
    },
    /// `RAISE EXCEPTION`.
    Raise,
    /// `RETURN`, `EXIT`, `CONTINUE`, `LEAVE`, `ITERATE`: what stands behind it does not run.
    Leave(Left),
}

/// What a statement leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The body.
    Body,
    /// A loop, or one iteration of it.
    Loop,
    /// A block, by its label.
    Block(String),
}

/// Reads a body.
pub fn parse(body: &str, dialect: Dialect) -> Vec<Node> {
    let mut cursor = Cursor::new(body, dialect);
    let mut nodes = Vec::new();
    while !cursor.done() {
        nodes.extend(statements(&mut cursor, 0).0);
        // A stray `END` or `ELSE` is ignored.
        if !cursor.done() {
            cursor.at += 1;
        }
    }
    nodes
}

/// Whether any statement changes the schema.
pub fn runs_ddl(nodes: &[Node]) -> bool {
    let composes = LazyCell::new(|| nodes.iter().any(composes_ddl));
    nodes.iter().any(|node| match node {
        Node::Statement(sql) => looks_like_ddl(sql, Dialect::Postgres) || executes_ddl(sql, || *composes),
        Node::Execute(expression) => may_be_ddl(expression, Dialect::Postgres),
        Node::Call { .. } | Node::Assign { .. } | Node::Raise | Node::Leave(_) => false,
        Node::If { branches, otherwise } => {
            branches.iter().any(|(_, nodes)| runs_ddl(nodes)) || runs_ddl(otherwise)
        }
        Node::Loop(nodes)
        | Node::Block { nodes, .. }
        | Node::ForEach { nodes, .. }
        | Node::While { nodes, .. } => runs_ddl(nodes),
    })
}

/// MySQL: whether a statement runs a text that may change the schema; `composes` says whether such a text is put together
/// beside it.
fn executes_ddl(sql: &str, composes: impl FnOnce() -> bool) -> bool {
    let cursor = Cursor::new(sql, Dialect::MySql);
    cursor.is("execute immediate") && names_ddl(sql) || cursor.is("prepare") && composes()
}

/// Whether a node puts a text together that may change the schema.
fn composes_ddl(node: &Node) -> bool {
    matches!(node, Node::Assign { value, .. } | Node::Statement(value) if names_ddl(value))
}

fn names_ddl(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["create ", "alter ", "drop ", "rename "].iter().any(|word| text.contains(word))
}

/// Objects of a server outside of the schemas of a database.
const OUTSIDE: &[&str] =
    &["database", "group", "publication", "role", "server", "subscription", "tablespace", "user"];

/// Whether the SQL in an expression may change the schema: judged by the start of its first string; assumed
/// if it has none.
pub fn may_be_ddl(expression: &str, dialect: Dialect) -> bool {
    let mut cursor = Cursor::new(expression, dialect);
    while !cursor.done() {
        match cursor.string() {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => {
                let mut words = text.split_whitespace();
                let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
                let harmless = [
                    "select", "insert", "update", "delete", "with", "set", "notify", "refresh", "analyze",
                    "truncate", "grant", "revoke", "comment", "copy", "lock", "vacuum", "reindex", "reset",
                ];
                let is =
                    |text: &str, words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
                let is_outside = is(first, &["create", "alter", "drop"]) && is(second, OUTSIDE);
                return !(is(first, &harmless) || is_outside);
            }
            Err(_) => cursor.at += 1,
        }
    }
    true
}

/// Whether a statement starts like DDL.
pub fn looks_like_ddl(sql: &str, dialect: Dialect) -> bool {
    let cursor = Cursor::new(sql, dialect);
    ["create", "alter", "drop", "rename"].iter().any(|word| cursor.is(word))
}

/// The maximum nesting of blocks; deeper ones are skipped.
const MAX_BLOCK_DEPTH: usize = 64;

/// Reads statements up to a word that ends them; returns the statements of the exception handlers, if some follow.
fn statements(cursor: &mut Cursor<'_>, depth: usize) -> (Vec<Node>, Option<Vec<Node>>) {
    let mut nodes = Vec::new();
    let mut handled = None;
    let mut label = None;
    let mut declared_from = None;
    while !cursor.done()
        && !["end", "else", "elsif", "elseif", "when", "until"].iter().any(|word| cursor.is(word))
    {
        if depth > MAX_BLOCK_DEPTH {
            cursor.skip_all();
        } else if cursor.take_symbol(";") {
        } else if let Some(name) = leaving::label(cursor) {
            label = Some(name);
        } else if cursor.is("declare") && cursor.dialect == Dialect::MySql {
            // A variable, or an exception handler, whose body may be a block.
            nodes.extend(declared(cursor));
            if cursor.is("declare exit handler") {
                handled = Some(Vec::new());
            }
            while !cursor.done() && !cursor.is_symbol(";") && !cursor.is("begin") {
                cursor.at += 1;
            }
            if cursor.take("begin") {
                let _ = statements(cursor, depth + 1);
                end(cursor);
            }
        } else if cursor.take("declare") {
            declared_from = Some(nodes.len()).filter(|_| depth > 0);
            declarations(cursor, &mut nodes);
        } else if cursor.take("begin") {
            let (inner, handlers) = statements(cursor, depth + 1);
            end(cursor);
            let block = Node::Block { label: label.take(), declares: Vec::new(), nodes: inner, handlers };
            nodes.push(block);
            if let Some(from) = declared_from.take() {
                leaving::enclose(&mut nodes, from);
            }
        } else if cursor.take("exception") {
            handled = Some(handlers(cursor, depth));
        } else if cursor.take("if") {
            nodes.push(branches(cursor, depth));
        } else if ["for", "foreach", "while", "loop"].iter().any(|word| cursor.is(word)) {
            let node = a_loop(cursor, depth);
            nodes.push(leaving::of_loop(node, label.take()));
        } else if cursor.dialect == Dialect::MySql && cursor.take("repeat") {
            let node = repeated(cursor, depth);
            nodes.push(leaving::of_loop(node, label.take()));
        } else if cursor.take("case") {
            nodes.push(cases(cursor, depth));
        } else {
            nodes.extend(statement(cursor));
        }
    }
    (nodes, handled)
}

/// Reads a loop: over the elements of an array literal, or an unknown one.
fn a_loop(cursor: &mut Cursor<'_>, depth: usize) -> Node {
    let is_done = cursor.dialect == Dialect::MySql && !cursor.is("loop");
    let opens = if is_done { "do" } else { "loop" };
    let start = cursor.at;
    skip_to(cursor, opens);
    let head = cursor.source(start, cursor.at);
    let _ = cursor.take(opens);
    let start = cursor.at;
    let (nodes, _) = statements(cursor, depth + 1);
    let is_left = loops::is_left(cursor, start);
    end(cursor);
    let mut asked = Cursor::new(head, cursor.dialect);
    if asked.is("while") && is_left {
        return Node::Loop(nodes);
    }
    if asked.take("while") {
        let start = asked.at;
        asked.skip_all();
        let condition = condition(asked.source(start, asked.at), cursor.dialect);
        return Node::While { condition, nodes, tests_last: false };
    }
    let node = match loops::elements(head, cursor.dialect) {
        Some(loops::Over { variable, .. }) if is_left => {
            Node::ForEach { variable, items: vec![SPREAD.to_owned()], columns: Vec::new(), nodes }
        }
        Some(loops::Over { variable, items, columns }) => Node::ForEach { variable, items, columns, nodes },
        None => Node::Loop(nodes),
    };
    // The variable of a loop over numbers is its own.
    match &node {
        Node::ForEach { variable, .. } if head.contains("..") => {
            Node::Block { label: None, declares: vec![variable.clone()], nodes: vec![node], handlers: None }
        }
        _ => node,
    }
}

/// MySQL: reads the rest of `REPEAT .. UNTIL x END REPEAT`.
fn repeated(cursor: &mut Cursor<'_>, depth: usize) -> Node {
    let start = cursor.at;
    let (nodes, _) = statements(cursor, depth + 1);
    let is_left = loops::is_left(cursor, start);
    let asked = cursor.at + usize::from(cursor.is("until"));
    skip_to(cursor, "end");
    let mut condition = condition(cursor.source(asked, cursor.at), cursor.dialect);
    end(cursor);
    if is_left {
        return Node::Loop(nodes);
    }
    condition.negated = !condition.negated;
    Node::While { condition, nodes, tests_last: true }
}

/// Reads the bodies of exception handlers, one after the other.
fn handlers(cursor: &mut Cursor<'_>, depth: usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    while cursor.take("when") {
        skip_to(cursor, "then");
        let _ = cursor.take("then");
        nodes.extend(statements(cursor, depth + 1).0);
    }
    nodes
}

/// Reads `END`, the word after it, and the semicolon.
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

/// Reads the rest of `CASE` as a statement: an `IF` for each of its arms.
fn cases(cursor: &mut Cursor<'_>, depth: usize) -> Node {
    let start = cursor.at;
    skip_to(cursor, "when");
    let operand = cursor.source(start, cursor.at).trim().to_owned();
    let (mut branches, mut otherwise) = (Vec::new(), Vec::new());
    loop {
        if cursor.take("else") {
            otherwise = statements(cursor, depth + 1).0;
        } else if cursor.take("when") {
            let start = cursor.at;
            skip_to(cursor, "then");
            let asked = cursor.source(start, cursor.at).trim();
            let asked = if operand.is_empty() { asked.to_owned() } else { format!("{operand} = {asked}") };
            let _ = cursor.take("then");
            branches.push((condition(&asked, cursor.dialect), statements(cursor, depth + 1).0));
        } else {
            break;
        }
    }
    end(cursor);
    Node::If { branches, otherwise }
}

/// Reads one statement and its semicolon.
fn statement(cursor: &mut Cursor<'_>) -> Vec<Node> {
    let start = cursor.at;
    while !cursor.done() && !cursor.is_symbol(";") {
        cursor.skip();
    }
    let sql = cursor.source(start, cursor.at).to_owned();
    cursor.take_symbol(";");
    let mut inner = Cursor::new(&sql, cursor.dialect);
    if cursor.dialect == Dialect::Postgres && inner.take("execute") {
        let start = inner.at;
        while !inner.done() && !inner.is("using") && !inner.is("into") {
            inner.skip();
        }
        return vec![Node::Execute(inner.source(start, inner.at).to_owned())];
    }
    if inner.take("perform") || inner.take("call") {
        return inner.written().ok().map(|function| called(&mut inner, function)).into_iter().collect();
    }
    if cursor.dialect == Dialect::MySql && inner.is("set") && !inner.text_ahead(1).starts_with('@') {
        inner.at += 1;
    }
    if (inner.text_ahead(1) == ":=" || inner.text_ahead(1) == "=")
        && let Ok(variable) = inner.name()
    {
        inner.at += 1;
        let start = inner.at;
        inner.skip_all();
        return vec![Node::Assign { variable, value: inner.source(start, inner.at).to_owned() }];
    }
    if inner.is("fetch") {
        return fetched(inner);
    }
    let only_tells = ["debug", "log", "info", "notice", "warning"];
    if cursor.dialect == Dialect::Postgres
        && inner.is("raise")
        && !only_tells.iter().any(|level| inner.is_word(1, level))
    {
        return vec![Node::Raise];
    }
    if let Some(left) = leaving::left(&mut inner) {
        return left.into_iter().collect();
    }
    let of_plpgsql = ["raise", "null", "get", "assert", "open", "close"];
    if of_plpgsql.iter().any(|word| inner.is(word)) {
        return Vec::new();
    }
    if let Some(assigned) = selected_into(&mut inner) {
        return assigned;
    }
    vec![Node::Statement(sql)]
}

/// A call with its arguments.
pub(crate) fn called(cursor: &mut Cursor<'_>, function: Written) -> Node {
    let mut arguments = Vec::new();
    if cursor.take_symbol("(") {
        while !cursor.done() && !cursor.is_symbol(")") {
            let start = cursor.at;
            cursor.skip_until(|_| false);
            arguments.push(cursor.source(start, cursor.at).to_owned());
            if !cursor.take_symbol(",") {
                break;
            }
        }
    }
    Node::Call { function, arguments }
}

#[cfg(test)]
mod tests;
