//! Statements of a body that give values to variables.

use super::block::Node;
use super::cursor::Cursor;
use super::session;

/// MySQL: the values of `DECLARE x, y int DEFAULT 1`, without consuming it.
pub(super) fn declared(cursor: &Cursor<'_>) -> Vec<Node> {
    let mut ahead = cursor.clone();
    ahead.at += 1;
    let mut names = Vec::new();
    while let Ok(name) = ahead.name() {
        names.push(name);
        if !ahead.take_symbol(",") {
            break;
        }
    }
    while !ahead.done() && !ahead.is_symbol(";") && !ahead.is("default") && !ahead.is("handler") {
        ahead.skip();
    }
    if !ahead.take("default") {
        return Vec::new();
    }
    let start = ahead.at;
    while !ahead.done() && !ahead.is_symbol(";") {
        ahead.skip();
    }
    let value = ahead.source(start, ahead.at);
    names.into_iter().map(|variable| Node::Assign { variable, value: value.to_owned() }).collect()
}

/// Reads `x type := value;` up to `BEGIN`.
pub(super) fn declarations(cursor: &mut Cursor<'_>, nodes: &mut Vec<Node>) {
    while !cursor.done() && !cursor.is("begin") {
        let Ok(variable) = cursor.name() else {
            cursor.at += 1;
            continue;
        };
        let mut value = String::new();
        while !cursor.done() && !cursor.is_symbol(";") && !cursor.is("begin") {
            if cursor.take_symbol(":=") || cursor.take_symbol("=") || cursor.take("default") {
                let start = cursor.at;
                while !cursor.done() && !cursor.is_symbol(";") {
                    cursor.skip();
                }
                value = cursor.source(start, cursor.at).to_owned();
            } else {
                cursor.skip();
            }
        }
        cursor.take_symbol(";");
        nodes.push(Node::Assign { variable, value });
    }
}

/// The variables of `FETCH .. INTO x, y`, whose values are not known.
pub(super) fn fetched(mut cursor: Cursor<'_>) -> Vec<Node> {
    while !cursor.done() && !cursor.is("into") {
        cursor.skip();
    }
    let mut nodes = Vec::new();
    while cursor.take("into") || cursor.take_symbol(",") {
        let Ok(variable) = cursor.name() else { break };
        nodes.push(Node::Assign { variable, value: String::new() });
    }
    nodes
}

/// In a body, `SELECT … INTO x` assigns a variable and creates no table.
pub(super) fn selected_into(cursor: &mut Cursor<'_>) -> Option<Vec<Node>> {
    if !cursor.is("select") && !cursor.is("with") {
        return None;
    }
    let start = cursor.at;
    while !cursor.done() && !cursor.is("into") {
        cursor.skip();
    }
    let before = cursor.at;
    if !cursor.take("into") {
        return None;
    }
    let _ = cursor.take("strict");
    let mut names = Vec::new();
    loop {
        // A parameter or a session variable.
        let sign = cursor.now().starts_with('@');
        let name = if sign { Ok(session::variable_name(cursor)) } else { cursor.written().map(|it| it.name) };
        names.extend(name);
        if !cursor.take_symbol(",") {
            break;
        }
    }
    let after = cursor.at;
    cursor.skip_all();
    let query = format!("({} {})", cursor.source(start, before), cursor.source(after, cursor.at));
    let value = |_| if names.len() == 1 { query.clone() } else { String::new() };
    Some(names.iter().map(|name| Node::Assign { variable: name.clone(), value: value(name) }).collect())
}
