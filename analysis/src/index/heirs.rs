//! Tables that are read with another one: its partitions, and those that inherit from it. An index of the parent is none of
//! a table that inherits, and indexes of all partitions are as good as one of the parent.

use crate::schema::{Name, Schema, Table};

/// The most tables that are looked at for one access.
const MOST: usize = 2_000;

/// The partitions of a table that hold rows, those of its partitions among them; empty where it has none.
pub(super) fn partitions<'s>(schema: &'s Schema, table: &Table) -> Vec<&'s Table> {
    let mut found = Vec::new();
    let mut open: Vec<&Name> = match table.partition_by {
        Some(_) => vec![&table.name],
        None => return found,
    };
    let mut looked_at = 0;
    while let Some(parent) = open.pop() {
        looked_at += 1;
        if looked_at > MOST {
            return Vec::new();
        }
        let children = schema.tables.values().filter(|child| child.parent.as_ref() == Some(parent));
        for child in children.filter(|child| child.partition_bound.is_some()) {
            match child.partition_by {
                Some(_) => open.push(&child.name),
                None => found.push(child),
            }
        }
    }
    found
}

/// The tables that inherit from one, and those that inherit from them.
pub(super) fn heirs<'s>(schema: &'s Schema, table: &Table) -> Vec<&'s Table> {
    let mut found: Vec<&Table> = Vec::new();
    if !schema.is_inherited(table) {
        return found;
    }
    let is_heir =
        |child: &&Table, of: &Name| child.parent.as_ref() == Some(of) && child.partition_bound.is_none();
    found.extend(schema.tables.values().filter(|child| is_heir(child, &table.name)));
    let mut at = 0;
    while at < found.len() && found.len() < MOST {
        let of = &found[at].name;
        let more: Vec<&Table> = schema.tables.values().filter(|child| is_heir(child, of)).collect();
        found.extend(more.into_iter().filter(|child| child.name != table.name));
        at += 1;
    }
    found
}
