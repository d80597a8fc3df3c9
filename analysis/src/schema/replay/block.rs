//! Code that runs DDL: `DO` blocks, and functions that a migration calls.

use super::Replay;
use crate::schema::ddl::block::{self, Condition, Executed, Node, Test};
use crate::schema::ddl::{self, Change, Written};
use crate::schema::model::Name;
use crate::sql::Dialect;

/// How deep functions and blocks are followed.
const DEEPEST: usize = 8;

impl Replay {
    /// Runs the body of a `DO` block, as far as it is plain.
    pub(super) fn run_block(&mut self, body: &str) {
        self.run_body(body, "a DO block");
    }

    /// Runs a function that a migration calls by itself.
    pub(super) fn call(&mut self, function: &Written) {
        let Some(name) = self.find(function, |name| self.bodies.contains_key(name)) else { return };
        if let Some(body) = self.bodies.get(&name).cloned() {
            self.run_body(&body, &format!("a call of `{name}`"));
        }
    }

    fn run_body(&mut self, body: &str, what: &str) {
        if self.depth < DEEPEST {
            self.depth += 1;
            self.run(&block::parse(body, self.schema.dialect), what);
            self.depth -= 1;
        }
    }

    fn run(&mut self, nodes: &[Node], what: &str) {
        for node in nodes {
            match node {
                Node::Statement(sql) | Node::Execute(Executed::Literal(sql)) => self.run_statement(sql, what),
                Node::Execute(executed) => {
                    if let Some(unknown) = unknown_effect(executed, self.schema.dialect) {
                        let partitioned = unknown.partition_of.and_then(|parent| self.find_table(&parent));
                        self.gap(format!("{what} runs SQL that it puts together"), None, partitioned);
                    }
                }
                Node::Call(function) => self.call(function),
                Node::If { branches, otherwise } => self.run_branches(branches, otherwise, what),
                Node::Loop(nodes) if block::runs_ddl(nodes) => {
                    self.gap(format!("{what} runs DDL in a loop"), None, None);
                }
                Node::Loop(_) => {}
                Node::Block { nodes, .. } => self.run(nodes, what),
            }
        }
    }

    /// Runs the first branch whose condition holds; where that cannot be told, the first one that changes the schema.
    fn run_branches(&mut self, branches: &[(Condition, Vec<Node>)], otherwise: &[Node], what: &str) {
        for (condition, nodes) in branches {
            match self.holds(condition) {
                Some(false) => continue,
                None if !block::runs_ddl(nodes) => continue,
                None => self.gap(format!("{what} runs DDL on a condition that is not known"), None, None),
                Some(true) => {}
            }
            return self.run(nodes, what);
        }
        self.run(otherwise, what);
    }

    /// Runs one statement; what fails here was guarded against, or is caught.
    fn run_statement(&mut self, sql: &str, what: &str) {
        match ddl::parse(sql, self.schema.dialect) {
            Ok(change) => {
                let _ = self.change(change);
            }
            Err(_) if block::looks_like_ddl(sql, self.schema.dialect) => {
                self.gap(format!("{what} runs DDL that is not understood"), None, None);
            }
            Err(_) => {}
        }
    }

    /// Notes a function that may change the schema when the application calls it.
    pub(super) fn note_function(&mut self, name: &Name, body: &str) {
        let unknown = effects(&block::parse(body, self.schema.dialect), self.schema.dialect);
        // Partitions of one table alone are no trouble once that table is gone.
        let parents: Vec<&Option<Written>> = unknown.iter().map(|effect| &effect.partition_of).collect();
        let parent = match parents.as_slice() {
            [] => return,
            [Some(parent)] => self.find_table(parent),
            _ => None,
        };
        self.gap(format!("the function `{name}` runs DDL when it is called"), Some(name.clone()), parent);
    }

    fn gap(&mut self, text: String, function: Option<Name>, partitioned: Option<Name>) {
        if !self.schema.gaps.contains(&text) {
            self.schema.gaps.push(text.clone());
        }
        self.gap_causes.insert(text, GapCause { function, partitioned });
    }

    /// Forgets the gaps that are closed when a function or partitioned table is dropped.
    pub(super) fn close_gaps(&mut self, dropped: &Name) {
        let gaps = &mut self.schema.gaps;
        self.gap_causes.retain(|text, cause| {
            let closed =
                [&cause.function, &cause.partitioned].into_iter().flatten().any(|name| name == dropped);
            if closed {
                gaps.retain(|gap| gap != text);
            }
            !closed
        });
    }

    /// Whether a condition on the catalog holds at this point; `None` when it cannot be told.
    fn holds(&self, condition: &Condition) -> Option<bool> {
        let Condition { negated, test } = condition;
        let holds = match test {
            Test::Relation(written) => {
                let exists =
                    |name: &Name| self.relation_exists(name) || self.schema.opaque.contains_key(name);
                self.find(written, exists).is_some()
            }
            Test::Catalog { catalog, equals } => self.catalog_has(catalog, equals)?,
            Test::Unknown => return None,
        };
        Some(holds != *negated)
    }

    /// Whether a catalog has a row with these values.
    fn catalog_has(&self, catalog: &str, equals: &[(String, String)]) -> Option<bool> {
        let value = |names: &[&str]| {
            let found = equals.iter().find(|(column, _)| names.contains(&column.as_str()));
            found.map(|(_, value)| value.as_str())
        };
        let schema = value(&["table_schema", "schemaname", "nspname", "constraint_schema", "index_schema"]);
        let name_of = |name: &str| Name::qualified(schema, name);
        let table = value(&["table_name", "relname", "tablename", "event_object_table"]);
        let tables = || {
            let of_name = move |name: &&Name| table.is_none_or(|table| name.name == table);
            self.schema.tables.keys().filter(of_name).filter_map(|name| self.schema.tables.get(name))
        };
        Some(match catalog {
            "pg_type" => {
                let name = value(&["typname"])?;
                self.schema.types.keys().any(|ty| ty.name == name)
                    || self.schema.tables.keys().any(|it| it.name == name)
            }
            "pg_class" | "pg_tables" | "tables" | "pg_views" | "views" | "pg_matviews" => {
                let name = value(&["relname", "tablename", "table_name", "viewname", "matviewname"])?;
                let in_schema = self.relation_exists(&name_of(name));
                in_schema || (schema.is_none() && self.schema.tables.keys().any(|table| table.name == name))
            }
            "columns" | "pg_attribute" => {
                let column = value(&["column_name", "attname"])?;
                tables().any(|table| table.column(column).is_some())
            }
            "pg_constraint" | "table_constraints" | "constraint_column_usage" | "referential_constraints" => {
                let name = value(&["conname", "constraint_name"]);
                let Some(name) = name else {
                    // "has a primary key" and its like.
                    let kind = value(&["constraint_type", "contype"])?;
                    return table.map(|_| match kind {
                        "PRIMARY KEY" | "p" => tables().any(|table| !table.primary_key.is_empty()),
                        "FOREIGN KEY" | "f" => tables().any(|table| !table.foreign_keys.is_empty()),
                        _ => tables().any(|table| !table.unique.is_empty()),
                    });
                };
                tables().any(|table| {
                    table.foreign_keys.iter().any(|key| key.name.as_deref() == Some(name))
                        || table.checks.iter().any(|check| check.name.as_deref() == Some(name))
                        || table.indexes.iter().any(|index| index.constraint && index.name == name)
                })
            }
            "pg_indexes" | "pg_index" => {
                let name = value(&["indexname", "relname"])?;
                tables().any(|table| table.indexes.iter().any(|index| index.name == name))
            }
            "pg_namespace" | "schemata" => {
                let name = value(&["nspname", "schema_name"])?;
                let schema = Name::qualified(Some(name), "").schema;
                schema.is_none()
                    || self.schema.tables.keys().any(|table| table.name.is_empty() || table.schema == schema)
            }
            "pg_extension" => self.schema.extensions.contains(value(&["extname"])?),
            "pg_enum" => {
                let label = value(&["enumlabel"])?;
                let ty = value(&["typname"]);
                self.schema.types.iter().any(|(name, it)| match it {
                    crate::schema::model::UserType::Enum(labels) => {
                        ty.is_none_or(|ty| ty == name.name) && labels.iter().any(|it| it == label)
                    }
                    _ => false,
                })
            }
            "pg_sequences" | "sequences" => {
                let name = value(&["sequencename", "sequence_name"])?;
                self.schema.sequences.iter().any(|sequence| sequence.name == name)
            }
            "pg_proc" | "routines" => {
                let name = value(&["proname", "routine_name"])?;
                self.schema.functions.keys().any(|function| function.name == name)
            }
            _ => return None,
        })
    }
}

/// What makes names that no migration tells, until it is dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct GapCause {
    function: Option<Name>,
    partitioned: Option<Name>,
}

/// A change to the schema that is not known in full.
struct Effect {
    /// It makes a partition of this table.
    partition_of: Option<Written>,
}

/// The changes to the schema in a body, whoever runs it and when.
fn effects(nodes: &[Node], dialect: Dialect) -> Vec<Effect> {
    let mut found = Vec::new();
    for node in nodes {
        match node {
            Node::Statement(sql) if !block::looks_like_ddl(sql, dialect) => {}
            Node::Statement(sql) => found.extend(unknown_effect(&Executed::Literal(sql.clone()), dialect)),
            Node::Execute(executed) => found.extend(unknown_effect(executed, dialect)),
            Node::Call(_) => {}
            Node::If { branches, otherwise } => {
                branches.iter().for_each(|(_, nodes)| found.extend(effects(nodes, dialect)));
                found.extend(effects(otherwise, dialect));
            }
            Node::Loop(nodes) | Node::Block { nodes, .. } => found.extend(effects(nodes, dialect)),
        }
    }
    found
}

/// What executed SQL does to the schema, if it does anything that the model holds.
fn unknown_effect(executed: &Executed, dialect: Dialect) -> Option<Effect> {
    let (Executed::Literal(sql) | Executed::Pattern(sql)) = executed else {
        return Some(Effect { partition_of: None });
    };
    match ddl::parse(sql, dialect) {
        Ok(Change::Nothing | Change::EndTransaction | Change::SetSearchPath { .. } | Change::Call(_)) => None,
        Ok(Change::Alter { actions, .. }) if actions.is_empty() => None,
        Ok(Change::CreateTable(table)) if table.temporary => None,
        Ok(Change::CreateTable(table)) => {
            Some(Effect { partition_of: table.partition_of.map(|(parent, _)| parent) })
        }
        Ok(_) => Some(Effect { partition_of: None }),
        Err(_) => Some(Effect { partition_of: None }),
    }
}
