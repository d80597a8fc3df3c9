//! Statements that leave a body, a block or a loop, the labels by which they name it, and the variables that end with it.

use super::block::{Left, Node, condition};
use super::cursor::Cursor;
use crate::sql::Dialect;

/// Takes the label of a block or of a loop: `<<a>>`, MySQL's `a: BEGIN`.
pub(super) fn label(cursor: &mut Cursor<'_>) -> Option<String> {
    if cursor.dialect == Dialect::MySql {
        let starts = ["begin", "for", "while", "loop", "repeat"];
        let there = cursor.text_ahead(1) == ":" && starts.iter().any(|word| cursor.is_word(2, word));
        if !there {
            return None;
        }
        let name = cursor.name().ok()?;
        cursor.at += 1;
        return Some(name.to_lowercase());
    }
    if !cursor.take_symbol("<<") {
        return None;
    }
    let name = cursor.name().unwrap_or_default();
    let _ = cursor.take_symbol(">>");
    Some(name)
}

/// Reads a statement that leaves something, on a condition or in any case; `None` for any other statement.
pub(super) fn left(cursor: &mut Cursor<'_>) -> Option<Option<Node>> {
    if cursor.is("return next") || cursor.is("return query") {
        return Some(None);
    }
    if cursor.take("return") {
        return Some(Some(Node::Leave(Left::Body)));
    }
    let words: &[&str] = match cursor.dialect {
        Dialect::MySql => &["leave", "iterate"],
        Dialect::Postgres | Dialect::Sqlite => &["exit", "continue"],
    };
    cursor.take_any(words)?;
    let name = if cursor.done() || cursor.is("when") { None } else { cursor.name().ok() };
    let leave = Node::Leave(match (name, cursor.dialect) {
        (Some(name), Dialect::MySql) => Left::Block(name.to_lowercase()),
        (Some(name), Dialect::Postgres | Dialect::Sqlite) => Left::Block(name),
        (None, _) => Left::Loop,
    });
    if !cursor.take("when") {
        return Some(Some(leave));
    }
    let start = cursor.at;
    cursor.skip_all();
    let condition = condition(cursor.source(start, cursor.at), cursor.dialect);
    Some(Some(Node::If { branches: vec![(condition, vec![leave])], otherwise: Vec::new() }))
}

/// A loop with its label: what names the label leaves the loop.
pub(super) fn of_loop(mut node: Node, label: Option<String>) -> Node {
    if let Some(label) = label {
        resolve(std::slice::from_mut(&mut node), &label);
    }
    node
}

/// Puts the declarations from a place on and the block behind them into one that ends the variables.
pub(super) fn enclose(nodes: &mut Vec<Node>, from: usize) {
    let inner = nodes.split_off(from.min(nodes.len()));
    let named = inner.iter().filter_map(|node| match node {
        Node::Assign { variable, .. } => Some(variable.clone()),
        _ => None,
    });
    let declares = named.collect();
    nodes.push(Node::Block { label: None, declares, nodes: inner, handlers: None });
}

fn resolve(nodes: &mut [Node], label: &str) {
    for node in nodes {
        match node {
            Node::Leave(left @ Left::Block(_)) if *left == Left::Block(label.to_owned()) => {
                *left = Left::Loop;
            }
            Node::If { branches, otherwise } => {
                branches.iter_mut().for_each(|(_, nodes)| resolve(nodes, label));
                resolve(otherwise, label);
            }
            Node::Loop(nodes)
            | Node::Block { nodes, .. }
            | Node::ForEach { nodes, .. }
            | Node::While { nodes, .. } => resolve(nodes, label),
            Node::Leave(_)
            | Node::Statement(_)
            | Node::Execute(_)
            | Node::Assign { .. }
            | Node::Call { .. }
            | Node::Raise => {}
        }
    }
}

/// What some of the statements leave, beyond loops of their own.
pub(crate) fn leaves(nodes: &[Node]) -> Option<Left> {
    nodes.iter().filter_map(left_by).reduce(Left::wider)
}

fn left_by(node: &Node) -> Option<Left> {
    match node {
        Node::Leave(left) => Some(left.clone()),
        Node::If { branches, otherwise } => {
            let all = branches.iter().map(|(_, nodes)| nodes).chain([otherwise]);
            all.filter_map(|nodes| leaves(nodes)).reduce(Left::wider)
        }
        Node::Loop(nodes) | Node::ForEach { nodes, .. } | Node::While { nodes, .. } => {
            leaves(nodes).filter(|left| *left != Left::Loop)
        }
        Node::Block { label, nodes, handlers, .. } => {
            let own = label.clone().map(Left::Block);
            let all = leaves(nodes).into_iter().chain(leaves(handlers.as_deref().unwrap_or_default()));
            all.filter(|left| Some(left) != own.as_ref()).reduce(Left::wider)
        }
        Node::Statement(_) | Node::Execute(_) | Node::Assign { .. } | Node::Call { .. } | Node::Raise => None,
    }
}

impl Left {
    /// The one of two that leaves more; the body, if that is not known.
    pub(crate) fn wider(self, other: Left) -> Left {
        match (&self, &other) {
            _ if self == other => self,
            (Left::Loop, _) => other,
            (_, Left::Loop) => self,
            _ => Left::Body,
        }
    }
}
