//! The order in which objects can be created: by name, but dependencies first.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::{Name, Schema, Table, UserType, View};
use crate::schema::ddl::{calls, mentions};
use crate::sql::Dialect;
use crate::sql::lex::Lexer;

/// Sorts objects by name, but each after its dependencies; a cycle is cut at its first name.
fn sorted<'t, T>(
    things: &'t BTreeMap<Name, T>,
    needs: impl Fn(&'t T) -> BTreeSet<&'t Name>,
) -> Vec<(&'t Name, &'t T)> {
    let mut missing: BTreeMap<&Name, usize> = BTreeMap::new();
    let mut needed_by: BTreeMap<&Name, Vec<&Name>> = BTreeMap::new();
    for (name, thing) in things {
        let mut needs = needs(thing);
        needs.remove(name);
        missing.insert(name, needs.len());
        needs.into_iter().for_each(|other| needed_by.entry(other).or_default().push(name));
    }
    let mut ready: BTreeSet<&Name> =
        missing.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut order = Vec::with_capacity(things.len());
    while let Some(next) = ready.pop_first().or_else(|| missing.keys().next().copied()) {
        missing.remove(next);
        order.extend(things.get_key_value(next));
        for name in needed_by.remove(next).unwrap_or_default() {
            if let Some(count) = missing.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(name);
                }
            }
        }
    }
    order
}

/// All objects, grouped by their name without the schema.
fn by_last_name<T>(things: &BTreeMap<Name, T>) -> BTreeMap<&str, Vec<&Name>> {
    let mut by_name: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
    for name in things.keys() {
        by_name.entry(&name.name).or_default().push(name);
    }
    by_name
}

/// Tables, with parents before those that inherit from them.
pub(super) fn tables(schema: &Schema) -> Vec<&Table> {
    // There are at most as many ancestors as tables, even if the inheritance is cyclic.
    let ancestors = |table: &Table| {
        let above = |names: &BTreeSet<&Name>| -> BTreeSet<_> {
            names.iter().filter_map(|name| schema.tables.get(*name)).flat_map(Table::parents).collect()
        };
        let layers = std::iter::successors(Some(table.parents().collect()), |names| Some(above(names)));
        layers.take_while(|names| !names.is_empty()).take(schema.tables.len()).count()
    };
    let mut tables: Vec<&Table> = schema.tables.values().collect();
    tables.sort_by_key(|table| ancestors(table));
    tables
}

/// Views, each after those that it selects from.
pub(super) fn views(schema: &Schema) -> Vec<&View> {
    let by_name = by_last_name(&schema.views);
    let order = sorted(&schema.views, |view| {
        let mentioned = mentions(&view.query, schema.dialect);
        mentioned.iter().filter_map(|name| by_name.get(name.as_str())).flatten().copied().collect()
    });
    order.into_iter().map(|(_, view)| view).collect()
}

/// Whether a CREATE statement of a function names it without its schema.
pub(super) fn makes_bare_name(statement: &str) -> bool {
    let lexer = Lexer::new(statement, Dialect::Postgres);
    let words = lexer.filter_map(|token| statement.get(token.span.range()));
    let is_kind = |word: &&str| {
        ["function", "procedure", "aggregate"].iter().any(|kind| word.eq_ignore_ascii_case(kind))
    };
    words.skip_while(|word| !is_kind(word)).nth(2).is_some_and(|next| next != ".")
}

/// Types, each after those that it consists of.
pub(super) fn types(schema: &Schema) -> Vec<(&Name, &UserType)> {
    let by_name = by_last_name(&schema.types);
    let mut by_spelling: BTreeMap<String, Vec<&Name>> = BTreeMap::new();
    for name in schema.types.keys() {
        let printed = crate::schema::ddl::print_user_type(name, "", schema.dialect);
        for spelling in [name.to_string(), printed] {
            by_spelling.entry(spelling).or_default().push(name);
        }
    }
    let used = |ty: &str| by_spelling.get(ty.trim_end_matches("[]")).into_iter().flatten().copied();
    sorted(&schema.types, |ty| match ty {
        UserType::Domain { base, .. } => used(base).collect(),
        UserType::Composite(fields) => fields.iter().flat_map(|field| used(&field.ty)).collect(),
        UserType::Range(options) => {
            let mentioned = mentions(options, schema.dialect);
            mentioned.iter().filter_map(|name| by_name.get(name.as_str())).flatten().copied().collect()
        }
        UserType::Enum(_) | UserType::Other => BTreeSet::new(),
    })
}

/// The functions that a query or a trigger may call and no table depends on; plain functions come before
/// aggregates, which are built from them.
pub(super) fn other_functions(schema: &Schema) -> Vec<(&Name, &Vec<String>)> {
    let needed: BTreeSet<&Name> = functions_of_tables(schema).into_iter().map(|(name, _)| name).collect();
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

/// The functions that tables depend on, with all overloads.
pub(super) fn functions_of_tables(schema: &Schema) -> Vec<(&Name, &Vec<String>)> {
    if schema.functions.is_empty() {
        return Vec::new();
    }
    let mut called: BTreeSet<String> = BTreeSet::new();
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
            checks.iter().for_each(|(_, check)| note(check));
        }
    }
    // Operators and casts name their function, and a generated column may use them.
    for conversion in &schema.conversions {
        let words = conversion.split(|c: char| !c.is_alphanumeric() && c != '_');
        called.extend(words.map(str::to_lowercase));
    }
    schema.functions.iter().filter(|(name, _)| called.contains(&name.name)).collect()
}

/// Whether the columns that a table has of those it inherits from come before its own, in the order of these tables.
pub(super) fn begins_with_inherited(schema: &Schema, table: &Table) -> bool {
    let mut inherited: Vec<&str> = Vec::new();
    for parent in table.parents().filter_map(|parent| schema.tables.get(parent)) {
        for column in &parent.columns {
            if !inherited.contains(&column.name.as_str()) {
                inherited.push(&column.name);
            }
        }
    }
    let first = table.columns.iter().take(inherited.len()).map(|column| column.name.as_str());
    first.eq(inherited)
}
