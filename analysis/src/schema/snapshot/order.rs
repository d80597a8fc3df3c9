//! The order in which things can be made: by name, and what is needed first.

use std::collections::BTreeMap;

use super::super::model::{Name, Schema, Table, UserType, View};
use crate::schema::ddl::{calls, mentions};

/// Puts things in the order of their names, but each after those it needs; a circle is cut somewhere.
fn sorted<T>(things: &BTreeMap<Name, T>, needs: impl Fn(&T, &Name) -> bool) -> Vec<&T> {
    let mut done: Vec<&Name> = Vec::new();
    let mut order = Vec::new();
    let mut waiting: Vec<(&Name, &T)> = things.iter().collect();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|(name, thing)| {
            things.keys().all(|other| other == *name || done.contains(&other) || !needs(thing, other))
        });
        let (name, thing) = waiting.remove(ready.unwrap_or(0));
        done.push(name);
        order.push(thing);
    }
    order
}

/// Tables with parents before those that inherit from them.
pub(super) fn tables(schema: &Schema) -> Vec<&Table> {
    // No more ancestors than there are tables, should some inherit in a circle.
    let ancestors = |table: &Table| {
        let parents = std::iter::successors(Some(table), |table| schema.tables.get(table.parent.as_ref()?));
        parents.take(schema.tables.len()).count()
    };
    let mut tables: Vec<&Table> = schema.tables.values().collect();
    tables.sort_by_key(|table| ancestors(table));
    tables
}

/// Views with those that they select from before them.
pub(super) fn views(schema: &Schema) -> Vec<&View> {
    let mentioned: BTreeMap<&Name, Vec<String>> =
        schema.views.values().map(|view| (&view.name, mentions(&view.query, schema.dialect))).collect();
    sorted(&schema.views, |view, other| {
        mentioned.get(&view.name).is_some_and(|names| names.contains(&other.name))
    })
}

/// Types with those that they are made of before them.
pub(super) fn types(schema: &Schema) -> Vec<(&Name, &UserType)> {
    let named: BTreeMap<Name, (&Name, &UserType)> =
        schema.types.iter().map(|(name, ty)| (name.clone(), (name, ty))).collect();
    let uses = |ty: &str, other: &Name| {
        let ty = ty.trim_end_matches("[]");
        ty == other.to_string() || ty == crate::schema::ddl::print_user_type(other, "", schema.dialect)
    };
    let order = sorted(&named, |(_, ty), other| match ty {
        UserType::Domain { base, .. } => uses(base, other),
        UserType::Composite(fields) => fields.iter().any(|field| uses(&field.ty, other)),
        UserType::Range(options) => mentions(options, schema.dialect).contains(&other.name),
        UserType::Enum(_) | UserType::Other => false,
    });
    order.into_iter().copied().collect()
}

/// The functions that a query or a trigger may call and no table needs, those before aggregates, which are made from them.
pub(super) fn other_functions(schema: &Schema) -> Vec<(&Name, &Vec<String>)> {
    let needed: Vec<&Name> = functions_of_tables(schema).into_iter().map(|(name, _)| name).collect();
    let says = |sql: &str, words: &str| {
        let head = sql.get(..sql.find('$').unwrap_or(sql.len())).unwrap_or(sql);
        head.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase().contains(words)
    };
    let is_aggregate = |sql: &String| {
        let head = sql.split('(').next().unwrap_or_default();
        head.split_whitespace().any(|word| word.eq_ignore_ascii_case("aggregate"))
    };
    let hooks = schema.tables.values().flat_map(|table| &table.hooks);
    let of_hooks: Vec<String> = hooks.flat_map(|hook| calls(&hook.code, schema.dialect)).collect();
    let is_callable = |name: &Name, overloads: &[String]| {
        of_hooks.contains(&name.name)
            || overloads
                .iter()
                .any(|sql| !says(sql, "returns trigger") && !says(sql, "returns event_trigger"))
    };
    let mut others: Vec<(&Name, &Vec<String>)> = schema
        .functions
        .iter()
        .filter(|(name, overloads)| !needed.contains(name) && is_callable(name, overloads))
        .collect();
    others.sort_by_key(|(_, overloads)| overloads.iter().any(is_aggregate));
    others
}

/// The functions without which the tables cannot be made, each overload.
pub(super) fn functions_of_tables(schema: &Schema) -> Vec<(&Name, &Vec<String>)> {
    if schema.functions.is_empty() {
        return Vec::new();
    }
    let mut called: Vec<String> = Vec::new();
    let mut note = |text: &String| called.extend(calls(text, schema.dialect));
    for table in schema.tables.values() {
        for column in &table.columns {
            column.default.iter().chain(&column.generated).for_each(&mut note);
        }
        table.checks.iter().for_each(|check| note(&check.condition));
        table.partition_by.iter().for_each(&mut note);
        for index in &table.indexes {
            index.predicate.iter().for_each(&mut note);
            for key in &index.keys {
                if let super::super::model::KeyPart::Expression(text) = &key.part {
                    note(text);
                }
            }
        }
    }
    for view in schema.views.values() {
        note(&view.query);
    }
    for ty in schema.types.values() {
        if let UserType::Domain { checks, .. } = ty {
            checks.iter().for_each(&mut note);
        }
    }
    // What makes an operator or a cast names its function, and a generated column may use it.
    for conversion in &schema.conversions {
        let words = conversion.split(|c: char| !c.is_alphanumeric() && c != '_');
        called.extend(words.map(str::to_lowercase));
    }
    schema.functions.iter().filter(|(name, _)| called.contains(&name.name)).collect()
}
