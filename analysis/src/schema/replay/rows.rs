//! The columns of a query: what a view has, and a table made by `CREATE TABLE … AS`.

use super::Replay;
use crate::schema::model::Column;
use crate::sql::expr::{Call, Expr, Literal, Op};
use crate::sql::query::Query;
use crate::sql::{Dialect, ddl, resolve};

impl Replay {
    /// The columns of a query's result, nullable all of them; `None` when they are not known.
    ///
    /// `names` are those written beside the view's or table's own name. A type that is not plain to see is empty.
    pub(super) fn columns_of_query(&mut self, query: &str, names: &[String]) -> Option<Vec<Column>> {
        let dialect = self.schema.dialect;
        let path = self.session.local_path.clone().or_else(|| self.session.path.clone());
        let own_path = path.map(|path| std::mem::replace(&mut self.schema.search_path, path));
        // `TABLE t` is another way to write `SELECT * FROM t`.
        let whole = ddl::table_query(query, dialect).map(|table| format!("SELECT * FROM {table}"));
        let resolved = resolve(whole.as_deref().unwrap_or(query), dialect, Some(&self.schema)).ok();
        if let Some(own_path) = own_path {
            self.schema.search_path = own_path;
        }
        let resolved = resolved?;
        let outputs = resolved.block(resolved.root?).outputs.as_ref()?;
        let mut columns: Vec<Column> = outputs
            .iter()
            .map(|output| {
                let ty = if output.ty.is_empty() { String::new() } else { self.printed(&output.ty) };
                let ty = if ty.is_empty() { self.type_of(&resolved, &output.expr) } else { ty };
                Column::new(
                    if dialect == Dialect::Postgres {
                        output.name.clone()
                    } else {
                        dialect.fold(&output.name)
                    },
                    ty,
                )
            })
            .collect();
        for (column, name) in columns.iter_mut().zip(names) {
            column.name.clone_from(name);
        }
        Some(columns)
    }

    /// A type as written, as the database prints it.
    fn printed(&self, ty: &str) -> String {
        ddl::type_of(ty, self.schema.dialect).map_or_else(|| ty.to_owned(), |ty| self.print_type(&ty))
    }

    /// The type of an expression, where a rule of the database gives it; otherwise empty.
    fn type_of(&self, query: &Query, expr: &Expr) -> String {
        let known = |ty: &str| ty.to_owned();
        match expr {
            Expr::Column(column) => {
                let relation = column.relation.map(|id| query.relation(id));
                let columns = relation.and_then(|relation| relation.columns.as_ref());
                let column = columns.and_then(|columns| columns.iter().find(|it| it.name == column.name));
                column.map(|column| column.ty.clone()).unwrap_or_default()
            }
            Expr::Cast { ty, .. } => self.printed(ty),
            Expr::Collate { expr, .. } => self.type_of(query, expr),
            Expr::And(_) | Expr::Or(_) | Expr::Not(_) | Expr::Is { .. } | Expr::InList { .. } => {
                known("boolean")
            }
            Expr::InQuery { .. } | Expr::Any { .. } | Expr::Between { .. } | Expr::Like { .. } => {
                known("boolean")
            }
            Expr::Exists { .. } => known("boolean"),
            Expr::Unary { op, expr } if op == "-" => self.type_of(query, expr),
            Expr::Literal(literal) if self.schema.dialect == Dialect::Postgres => {
                literal_type(literal).to_owned()
            }
            Expr::Binary { op: Op::Arithmetic(_), left, right } => {
                let (left, right) = (self.type_of(query, left), self.type_of(query, right));
                wider(&left, &right).to_owned()
            }
            Expr::Binary { op: Op::Concat, left, .. } if self.type_of(query, left) == "text" => known("text"),
            Expr::Binary { op: Op::Concat | Op::Other(_), .. } => String::new(),
            Expr::Binary { .. } => known("boolean"),
            Expr::Call(call) if self.schema.dialect == Dialect::Postgres => self.call_type(query, call),
            _ => String::new(),
        }
    }

    /// The type of a call, for functions whose type is fixed or that of their first argument.
    fn call_type(&self, query: &Query, call: &Call) -> String {
        let first = || call.args.first().map(|first| self.type_of(query, first)).unwrap_or_default();
        match call.name.as_str() {
            "count" | "row_number" | "rank" | "dense_rank" => "bigint".to_owned(),
            "length" | "char_length" => "integer".to_owned(),
            "lower" | "upper" | "concat" | "trim" | "btrim" | "replace" | "string_agg" => "text".to_owned(),
            "now" | "current_timestamp" => "timestamp with time zone".to_owned(),
            "bool_and" | "bool_or" | "every" => "boolean".to_owned(),
            "max" | "min" | "coalesce" | "nullif" | "greatest" | "least" | "abs" => first(),
            "sum" => match first().as_str() {
                "smallint" | "integer" => "bigint".to_owned(),
                "bigint" | "numeric" => "numeric".to_owned(),
                "real" | "double precision" => first(),
                _ => String::new(),
            },
            _ => String::new(),
        }
    }
}

/// SQLite: a table made from a query has types that stand for the affinity of the query's columns.
pub(super) fn by_affinity(mut columns: Vec<Column>) -> Vec<Column> {
    for column in &mut columns {
        let ty = column.ty.to_ascii_uppercase();
        let has = |parts: &[&str]| parts.iter().any(|part| ty.contains(part));
        column.ty = if has(&["INT"]) {
            "INT"
        } else if has(&["CHAR", "CLOB", "TEXT"]) {
            "TEXT"
        } else if ty.is_empty() || has(&["BLOB"]) {
            ""
        } else if has(&["REAL", "FLOA", "DOUB"]) {
            "REAL"
        } else {
            "NUM"
        }
        .to_owned();
    }
    columns
}

fn literal_type(literal: &Literal) -> &'static str {
    match literal {
        Literal::Bool(_) => "boolean",
        Literal::Number(number) if number.parse::<i32>().is_ok() => "integer",
        Literal::Number(number) if number.parse::<i64>().is_ok() => "bigint",
        Literal::Number(_) => "numeric",
        // A string stands for whatever type is asked of it; alone it becomes text.
        Literal::Text(_) => "text",
        Literal::Null | Literal::Other(_) => "",
    }
}

/// The type of a sum of numbers: that of the wider side.
fn wider<'t>(left: &'t str, right: &'t str) -> &'t str {
    const RANKS: &[&str] = &["smallint", "integer", "bigint", "numeric", "real", "double precision"];
    let rank = |ty: &str| {
        let bare = ty.split('(').next().unwrap_or(ty);
        RANKS.iter().position(|rank| *rank == bare)
    };
    match (rank(left), rank(right)) {
        // Arithmetic on numeric forgets the precision.
        (Some(left), Some(right)) => RANKS.get(left.max(right)).copied().unwrap_or(""),
        _ => "",
    }
}
