//! psql's `\gexec`: a query whose values are statements.

use super::block::{Node, condition};
use super::column::at_name;
use super::cursor::Cursor;
use super::loops;
use crate::sql::Dialect;

/// Words that end a list of values or of conditions.
const CLAUSES: [&str; 8] = ["from", "where", "group", "having", "order", "limit", "offset", "fetch"];
/// Words between two queries.
const SETS: [&str; 3] = ["union", "intersect", "except"];

/// The statements that the values of a query are, as a body that runs them.
pub fn generated(query: &str) -> Vec<Node> {
    let mut cursor = Cursor::new(query, Dialect::Postgres);
    if cursor.take("values") {
        return rows(&mut cursor);
    }
    let mut nodes = Vec::new();
    while !cursor.done() {
        let start = cursor.at;
        while !cursor.done() && !SETS.iter().any(|word| cursor.is(word)) {
            cursor.skip();
        }
        nodes.extend(selected(cursor.source(start, cursor.at)));
        let _ = cursor.take_any(&SETS);
        let _ = cursor.take_any(&["all", "distinct"]);
    }
    nodes
}

/// What runs whichever statements a query returns.
fn unknown() -> Vec<Node> {
    vec![Node::Loop(vec![Node::Execute(String::new())])]
}

/// `VALUES ('..'), ('..')`.
fn rows(cursor: &mut Cursor<'_>) -> Vec<Node> {
    let mut nodes = Vec::new();
    while cursor.is_symbol("(") {
        let start = cursor.at + 1;
        cursor.skip();
        let mut row = Cursor::new(cursor.source(start, cursor.at - 1), cursor.dialect);
        nodes.extend(listed(&mut row));
        cursor.take_symbol(",");
    }
    nodes
}

/// The values of a list up to a clause.
fn listed(cursor: &mut Cursor<'_>) -> Vec<Node> {
    let mut nodes = Vec::new();
    while !cursor.done() && !CLAUSES.iter().any(|word| cursor.is(word)) {
        let start = cursor.at;
        let is_end = |at: &Cursor<'_>| at.is_symbol(",") || CLAUSES.iter().any(|word| at.is(word));
        while !cursor.done() && !is_end(cursor) && !cursor.is("as") {
            cursor.skip();
        }
        nodes.push(Node::Execute(cursor.source(start, cursor.at).to_owned()));
        while !cursor.done() && !is_end(cursor) {
            cursor.skip();
        }
        cursor.take_symbol(",");
    }
    nodes
}

/// One `SELECT`: its values run once, on its condition, or once for each of its rows.
fn selected(query: &str) -> Vec<Node> {
    let mut cursor = Cursor::new(query, Dialect::Postgres);
    if !cursor.take("select") {
        return unknown();
    }
    let _ = cursor.take_any(&["all", "distinct"]);
    let nodes = listed(&mut cursor);
    if cursor.done() {
        return nodes;
    }
    if cursor.take("where") {
        let start = cursor.at;
        while !cursor.done() && !CLAUSES.iter().any(|word| cursor.is(word)) {
            cursor.skip();
        }
        let tested = condition(cursor.source(start, cursor.at), cursor.dialect);
        return vec![Node::If { branches: vec![(tested, nodes)], otherwise: Vec::new() }];
    }
    over_rows(&mut cursor, &nodes).unwrap_or_else(|| vec![Node::Loop(nodes)])
}

/// `FROM unnest(ARRAY[..]) AS x`: the values run once for each of its elements, if nothing else follows.
fn over_rows(cursor: &mut Cursor<'_>, nodes: &[Node]) -> Option<Vec<Node>> {
    cursor.take("from").then_some(())?;
    let start = cursor.at;
    cursor.skip();
    if cursor.is_symbol("(") {
        cursor.skip();
    }
    let source = cursor.source(start, cursor.at);
    let _ = cursor.take("as");
    let mut name = at_name(cursor).then(|| cursor.name().ok())??;
    if cursor.is_symbol("(") {
        let columns = cursor.names().ok()?;
        let [column] = columns.as_slice() else { return None };
        name.clone_from(column);
    }
    if !cursor.done() && !cursor.is("order") {
        return None;
    }
    let head = format!("for {name} in select {name} from {source} as {name} ({name})");
    let over = loops::elements(&head, cursor.dialect)?;
    let loops::Over { variable, items, columns } = over;
    Some(vec![Node::ForEach { variable, items, columns, nodes: nodes.to_vec() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expressions that are executed, those of a loop behind `*` and those on a condition behind `?`.
    fn run(nodes: &[Node]) -> Vec<String> {
        let inside = |sign: &str, nodes: &[Node]| {
            run(nodes).into_iter().map(|it| format!("{sign}{it}")).collect::<Vec<String>>()
        };
        let one = |node: &Node| match node {
            Node::Execute(expression) => vec![expression.clone()],
            Node::Loop(nodes) => inside("*", nodes),
            Node::If { branches, .. } => branches.iter().flat_map(|(_, nodes)| inside("?", nodes)).collect(),
            Node::ForEach { items, nodes, .. } => inside(&format!("{} ", items.join(",")), nodes),
            other => panic!("{other:?}"),
        };
        nodes.iter().flat_map(one).collect()
    }

    #[test]
    fn values_are_statements() {
        for (query, expected) in [
            ("SELECT 'a'", vec!["'a'"]),
            ("SELECT 'a' || b AS x, format('c', d)", vec!["'a' || b", "format('c', d)"]),
            ("SELECT DISTINCT 'a' WHERE NOT EXISTS (SELECT 1 FROM t)", vec!["?'a'"]),
            ("SELECT 'a', b FROM t WHERE c ORDER BY 1", vec!["*'a'", "*b"]),
            ("SELECT 'a' UNION ALL SELECT 'b' FROM t", vec!["'a'", "*'b'"]),
            ("VALUES ('a'), ('b', 'c')", vec!["'a'", "'b'", "'c'"]),
            ("SELECT 'a' || x FROM unnest(ARRAY['t']) AS x", vec!["VARIADIC ARRAY['t'] 'a' || x"]),
            ("SELECT 'a' || x FROM (VALUES ('t'), ('u')) v(x)", vec!["'t','u' 'a' || x"]),
            ("SELECT 'a' || x FROM unnest(ARRAY['t']) AS x WHERE x <> y", vec!["*'a' || x"]),
            ("WITH a AS (SELECT 1) SELECT 'b' FROM a", vec!["*"]),
        ] {
            assert_eq!(run(&generated(query)), expected, "{query}");
        }
    }
}
