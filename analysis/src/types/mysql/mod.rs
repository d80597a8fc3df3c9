//! The columns of queries on MySQL and MariaDB, as the servers describe a prepared statement.
//!
//! Where the server is unknown, only what both agree on is reported: columns of tables through joins, views,
//! derived tables and CTEs, and a few aggregates. Neither reports the types of parameters.

mod calls;
mod computed;
mod exprs;
mod fixed;
mod geometry;
mod integers;
mod item;
mod place;
mod server;
mod stored;
mod value;
mod wire;

pub use item::Server;
pub use place::Place;
pub use server::server_of;
pub use stored::stored_types;
use value::Value;
pub use value::WIDTHS;
pub use wire::Wire;

use super::{Column, Described, Known, Origin, Parameter, SqlType, TypeKind};
use crate::schema::Schema;
use crate::sql::Query;
use crate::sql::expr::{Call, ColumnRef, Expr};
use crate::sql::outer_joins;
use crate::sql::query::{Block, BlockId, Body, From, JoinKind, Source};

/// The maximum depth to which views and derived tables are followed.
const MAX_VIEW_DEPTH: usize = 32;

/// An output column.
struct Field {
    name: String,
    wire: Result<Wire, String>,
    place: Place,
}

/// The types of a query's columns, where MySQL and MariaDB agree.
pub(super) fn describe(query: &Query, schema: &Schema) -> Described {
    let reader = Reader { query, schema, server: None };
    let outputs = query.root.map(|root| &query.block(root).outputs);
    let columns = match (query.root, outputs) {
        (Some(root), Some(Some(outputs))) => {
            let values = (0..outputs.len()).map(|at| reader.output(root, at, 0));
            let columns = outputs.iter().zip(values);
            columns.map(|(output, value)| column(&output.name, reader.read_alike(value))).collect()
        }
        _ => Vec::new(),
    };
    let why = "MySQL and MariaDB report no parameter types".to_owned();
    let parameter = Parameter { ty: Known::Unknown(why.clone()), why };
    Described {
        columns,
        parameters: vec![parameter; query.parameters],
        errors: Vec::new(),
        unknown: matches!(outputs, Some(None)).then(|| "the columns are not known".to_owned()),
        weighs: false,
    }
}

impl Reader<'_> {
    /// A column that the servers send differently as what both are read as: JSON of MySQL is text on MariaDB, and is read from
    /// it. A schema that only MariaDB takes settles it.
    fn read_alike(&self, value: Value) -> Value {
        let (Err(_), Origin::Table { table, column }) = (&value.name, &value.origin) else { return value };
        let of = self.schema.tables.values().find(|it| it.name.to_string() == *table);
        let of = of.and_then(|of| Some((of, of.column(column)?)));
        let server = || server_of(self.schema, std::iter::empty()).unwrap_or(Server::MySql);
        match of.and_then(|(table, column)| wire::of_column(table, column, Some(server()))) {
            Some(wire) => Value { name: Ok(wire.name()), ..value },
            None => value,
        }
    }
}

fn column(name: &str, value: Value) -> Column {
    let why = match (&value.origin, value.proven_not_null) {
        (_, true) => "it is never NULL".to_owned(),
        _ if value.is_absent => "an outer join returns NULL where nothing matches".to_owned(),
        (Origin::Table { table, column }, false) if value.nullable => {
            format!("column `{table}.{column}` is nullable")
        }
        (Origin::Table { .. }, false) => "without a group, one row is made of none".to_owned(),
        _ => "its computed value can be NULL".to_owned(),
    };
    let ty = match value.name {
        Ok(name) => Known::Is(SqlType { name: name.to_owned(), kind: TypeKind::Builtin }),
        Err(why) => Known::Unknown(why),
    };
    Column {
        name: name.to_owned(),
        ty,
        nullable: Some(value.nullable),
        nullable_certain: value.is_certain,
        proven_not_null: value.proven_not_null,
        origin: value.origin,
        why,
    }
}

/// Completes the types of a query's columns by what one of the servers says, where it is known that the project is on that one.
pub fn complete(described: &mut Described, query: &Query, schema: &Schema, server: Server) {
    for (column, field) in described.columns.iter_mut().zip(fields(query, schema, Some(server))) {
        let (Known::Unknown(_), Ok(wire)) = (&column.ty, field.wire) else { continue };
        // A column of NULLs alone is read as whatever is asked for.
        if wire.ty != "Null" {
            column.ty = Known::Is(SqlType { name: wire.name().to_owned(), kind: TypeKind::Builtin });
            column.nullable = Some(!wire.is_not_null());
            column.nullable_certain = !wire.unsure;
        }
    }
}

/// Each column of a query: its name, the description of a server or why that is unknown, and where it is from.
pub fn wires(
    query: &Query,
    schema: &Schema,
    server: Option<Server>,
) -> Vec<(String, Result<Wire, String>, Place)> {
    fields(query, schema, server).into_iter().map(|field| (field.name, field.wire, field.place)).collect()
}

fn fields(query: &Query, schema: &Schema, server: Option<Server>) -> Vec<Field> {
    let Some(root) = query.root else { return Vec::new() };
    let reader = Reader { query, schema, server };
    let outputs = query.block(root).outputs.iter().flatten();
    let doubt = reader.doubt(root);
    outputs
        .enumerate()
        .map(|(at, output)| {
            let (wire, place) = match &query.block(root).body {
                Body::Set { .. } => (reader.of_set(root, at, 0), Place::Expression),
                _ => (reader.value(&output.expr, root, 0), reader.place(&output.expr)),
            };
            let wire = doubt.map_or(wire, |why| Err(why.to_owned()));
            Field { name: output.name.clone(), wire, place }
        })
        .collect()
}

struct Reader<'a> {
    query: &'a Query,
    schema: &'a Schema,
    server: Option<Server>,
}

impl Reader<'_> {
    fn origin(&self, column: &ColumnRef) -> Origin {
        match column.relation.map(|id| &self.query.relation(id).source) {
            Some(Source::Table(name)) => {
                Origin::Table { table: name.to_string(), column: column.name.clone() }
            }
            _ => Origin::Unknown,
        }
    }

    /// Why a server describes the whole query otherwise than it is read.
    fn doubt(&self, root: BlockId) -> Option<&'static str> {
        if self.server == Some(Server::MariaDb) && matches!(self.query.block(root).body, Body::Values(_)) {
            return Some("MariaDB names the columns of VALUES by their first row");
        }
        let mut items = self.query.block_ids().flat_map(|(_, block)| block.from());
        items.any(has_full_join).then_some("FULL is an alias of the table before it")
    }

    /// The server's description of a value in a block.
    fn value(&self, expr: &Expr, block: BlockId, depth: usize) -> Result<Wire, String> {
        if depth > MAX_VIEW_DEPTH {
            return Err("it is nested too deep".to_owned());
        }
        match (expr, self.server) {
            (Expr::Column(column), _) => {
                let wire = self.column(column, depth)?;
                // What the server says of a column of a merged query was found out before.
                let is_of_rows = self.merged(column).is_none();
                let is_null = self.has_no_group(block) && is_of_rows;
                Ok(if is_null { wire.without(Wire::NOT_NULL) } else { wire })
            }
            // A cast to JSON and the like leave the value to itself.
            (Expr::Call(call), _) if !call.window && self.is_shared(call) => self.call(call, block, depth),
            (_, Some(server)) => Ok(self.item(expr, block, server, depth)?.wire),
            (Expr::Call(call), None) if !call.window => self.call(call, block, depth),
            _ => Err("types of expressions differ between MySQL and MariaDB".to_owned()),
        }
    }

    /// Whether aggregates without GROUP BY return one row even for no input, with every plain column NULL.
    fn has_no_group(&self, block: BlockId) -> bool {
        match &self.query.block(block).body {
            Body::Select(select) => select.aggregates && select.group_by.is_empty(),
            _ => false,
        }
    }

    /// Whether a block repeats its groups WITH ROLLUP, and an expression is one of their keys.
    fn is_rolled_up(&self, expr: &Expr, block: BlockId) -> bool {
        match &self.query.block(block).body {
            Body::Select(select) => select.grouping_sets && select.group_by.contains(expr),
            _ => false,
        }
    }

    /// Whether a column that is never NULL by itself is in the expressions of a block.
    fn is_null_in_expressions(&self, column: &Expr, block: BlockId) -> bool {
        self.has_no_group(block) || self.is_rolled_up(column, block)
    }

    /// The query behind a column that is merged into the one that reads it.
    fn merged(&self, column: &ColumnRef) -> Option<BlockId> {
        match self.query.relation(column.relation?).source {
            Source::View(_, inner) | Source::Cte(inner) | Source::Derived(inner) => {
                Some(inner).filter(|inner| self.query.block(*inner).is_merged)
            }
            _ => None,
        }
    }

    /// Whether both servers describe a call alike.
    fn is_shared(&self, call: &Call) -> bool {
        matches!((&*call.name, call.args.as_slice()), ("count", _) | ("min" | "max", [Expr::Column(_)]))
    }

    /// The server's description of a column of a set operation.
    fn of_set(&self, block: BlockId, at: usize, depth: usize) -> Result<Wire, String> {
        match self.server {
            Some(server) => Ok(self.output_item(block, at, server, depth + 1)?.wire),
            None => Err("the arms of a set operation decide its type together".to_owned()),
        }
    }

    fn call(&self, call: &Call, block: BlockId, depth: usize) -> Result<Wire, String> {
        match (call.name.to_ascii_lowercase().as_str(), call.args.as_slice()) {
            ("count", _) => Ok(Wire::of("LongLong", Wire::NOT_NULL | Wire::BINARY, 21)),
            ("min" | "max", [of @ Expr::Column(_)]) => {
                let wire = self.value(of, block, depth + 1)?;
                match wire.ty {
                    // Only one of the servers turns a boolean into a number.
                    "Tiny" if wire.name() == "BOOLEAN" => {
                        Err("MIN and MAX of a boolean differ by server".to_owned())
                    }
                    _ if wire.has_own_width() => {
                        Err("MIN and MAX of a column with a display width are not known".to_owned())
                    }
                    "Double" => {
                        Ok(Wire::of(wire.ty, wire.flags & Wire::UNSIGNED | Wire::BINARY, wire.size.max(23)))
                    }
                    "Tiny" | "Short" | "Int24" | "Long" | "LongLong" | "NewDecimal" | "Date" | "Time"
                    | "Datetime" => {
                        Ok(Wire::of(wire.ty, wire.flags & Wire::UNSIGNED | Wire::BINARY, wire.size))
                    }
                    "VarString" if wire.is_text => Ok(Wire { flags: wire.flags & Wire::BINARY, ..wire }),
                    _ => Err(format!("the type of `{}` of it is not known", call.name)),
                }
            }
            _ => Err(format!("the type of the function `{}` is not known", call.name)),
        }
    }

    fn column(&self, column: &ColumnRef, depth: usize) -> Result<Wire, String> {
        let unknown = || format!("the column `{}` is not known", column.name);
        let id = column.relation.ok_or_else(unknown)?;
        let relation = self.query.relation(id);
        let (mut is_computed, mut is_of_rows) = (false, true);
        let wire = match &relation.source {
            Source::Table(name) => {
                let table = self.schema.tables.get(name).ok_or_else(unknown)?;
                let of_table = table.columns.iter().find(|it| it.name.eq_ignore_ascii_case(&column.name));
                let of_table = of_table.ok_or_else(unknown)?;
                if wire::has_doubtful_key(table, of_table, self.server) {
                    return Err(format!(
                        "whether `{}` has a key besides the primary one is not known",
                        column.name
                    ));
                }
                wire::of_column(table, of_table, self.server).ok_or_else(|| {
                    format!("what the server says of the type `{}` is not known", of_table.ty)
                })?
            }
            Source::Derived(block) | Source::Cte(block) | Source::View(_, block) => {
                let inner = self.query.block(*block);
                let columns = relation.columns.as_ref().ok_or_else(unknown)?;
                let at = columns.iter().position(|it| it.name == column.name).ok_or_else(unknown)?;
                let output =
                    inner.outputs.as_ref().and_then(|outputs| outputs.get(at)).ok_or_else(unknown)?;
                let wire = match &inner.body {
                    Body::Select(_) => self.value(&output.expr, *block, depth + 1)?,
                    _ => self.of_set(*block, at, depth)?,
                };
                is_computed = inner.is_merged && !matches!(output.expr, Expr::Column(_));
                if wire.ty == "Null" {
                    return Err("a column of NULLs has no type".to_owned());
                }
                is_of_rows = !inner.is_merged;
                match is_of_rows {
                    true if self.is_rolled_up(&output.expr, *block) => {
                        let lost = Wire::OF_TABLES | Wire::NOT_NULL | Wire::NO_DEFAULT_VALUE;
                        item::stored(wire).without(lost)
                    }
                    true if matches!(&output.expr, Expr::Call(call) if call.name == "uuid") => {
                        Wire { flags: wire.flags | Wire::UNSIGNED | Wire::BINARY, ..wire }
                    }
                    true => item::stored(self.with_default(wire, &output.expr)).without(Wire::OF_TABLES),
                    false => wire,
                }
            }
            _ => return Err(unknown()),
        };
        let block = self.query.block(relation.block);
        let can_be_absent = outer_joins::padded(block).contains(&id);
        let nullable = if can_be_absent { wire.without(Wire::NOT_NULL) } else { wire };
        // MariaDB reads the rows of window functions from a table of its own, whose columns may be NULL.
        let is_read_again = is_windowed(block) && is_of_rows;
        let nullable = match self.server {
            Some(Server::MariaDb) if is_read_again => nullable.without(Wire::NOT_NULL),
            _ => nullable,
        };
        // What MySQL says of them is not known.
        let is_open = is_read_again && wire.is_not_null() && self.server != Some(Server::MariaDb);
        // Some versions of the servers do not see that a constant is absent where nothing matches.
        let unsure =
            wire.unsure || can_be_absent && wire.is_not_null() && self.server.is_some() && is_computed;
        Ok(Wire { unsure: unsure || is_open, ..nullable })
    }
}

impl Reader<'_> {
    /// The least or greatest value of a column, which a stored result makes of the column itself.
    fn with_default(&self, wire: Wire, expr: &Expr) -> Wire {
        let of = match expr {
            Expr::Call(call) if matches!(&*call.name, "min" | "max") => call.args.first(),
            _ => None,
        };
        let Some(Expr::Column(column)) = of else { return wire };
        let of = self.column(column, 1).map_or(0, |of| of.flags & Wire::NO_DEFAULT_VALUE);
        Wire { flags: wire.flags | of, ..wire }
    }
}

/// Whether a FROM item has a FULL JOIN, which MySQL and MariaDB do not have.
fn has_full_join(item: &From) -> bool {
    match item {
        From::Relation(_) => false,
        From::Join { kind, left, right, .. } => {
            matches!(kind, JoinKind::Full) || has_full_join(left) || has_full_join(right)
        }
    }
}

/// Whether a block has window functions over the rows of tables, rather than over groups.
fn is_windowed(block: &Block) -> bool {
    let Body::Select(select) = &block.body else { return false };
    let windowed = |expr: &Expr| expr.any(|e| matches!(e, Expr::Call(call) if call.window));
    let in_order = || block.order_by.iter().any(|key| windowed(&key.expr));
    select.group_by.is_empty() && (select.projection.iter().any(windowed) || in_order())
}

#[cfg(test)]
mod tests;
