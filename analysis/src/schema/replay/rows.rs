//! The columns of a query: those of a view, or of a table created by `CREATE TABLE … AS`.

use std::collections::BTreeSet;

use super::Replay;
use crate::schema::ddl;
use crate::schema::model::{Column, Table};
use crate::sql::expr::{Call, Expr, Literal, Op};
use crate::sql::query::{BlockId, Body, Output, Query, Source};
use crate::sql::{Dialect, resolve, type_names};
use crate::types::mysql::stored_types;

impl Replay {
    /// The columns of a query's result, all nullable; `None` if they are unknown.
    ///
    /// `names` are those given with the name of the view or table. A type that is not evident is empty.
    pub(super) fn columns_of_query(&mut self, query: &str, names: &[Column]) -> Option<Vec<Column>> {
        let dialect = self.schema.dialect;
        let path = self.session.local_path.clone().or_else(|| self.session.path.clone());
        let own_path = path.map(|path| std::mem::replace(&mut self.schema.search_path, path));
        // `TABLE t` is short for `SELECT * FROM t`.
        let whole = ddl::table_query(query, dialect).map(|table| format!("SELECT * FROM {table}"));
        let resolved = resolve(whole.as_deref().unwrap_or(query), dialect, Some(&self.schema)).ok();
        if let Some(own_path) = own_path {
            self.schema.search_path = own_path;
        }
        let resolved = resolved?;
        let root = resolved.root?;
        let outputs = resolved.block(root).outputs.as_ref()?;
        let types = self.types_of_block(&resolved, root, 0);
        let mut columns: Vec<Column> = outputs
            .iter()
            .zip(types)
            .map(|(output, (ty, _))| {
                let folded = || dialect.fold(&output.name);
                let name = if dialect == Dialect::Postgres { output.name.clone() } else { folded() };
                // Only MySQL keeps NOT NULL on columns of a table created from a query.
                let stored =
                    self.stored_column(&resolved, &output.expr).filter(|_| dialect == Dialect::MySql);
                let not_null = stored.is_some_and(|(_, column)| column.not_null);
                let spelling = (name != output.name).then(|| output.name.clone());
                let mut column = Column { not_null, spelling, ..Column::new(name, ty) };
                if let Some((of, stored)) = stored.filter(|_| super::columns::is_text(&column.ty)) {
                    // MySQL: of the column, or of all columns of its table.
                    let own = (&stored.charset, &stored.collation);
                    let (charset, collation) =
                        if own == (&None, &None) { (&of.charset, &of.collation) } else { own };
                    column.charset.clone_from(charset);
                    column.collation.clone_from(collation);
                }
                column
            })
            .collect();
        if dialect == Dialect::MySql {
            self.store_as_mysql(&mut columns, &resolved, root);
        }
        for (column, name) in columns.iter_mut().zip(names) {
            column.name.clone_from(&name.name);
            column.spelling.clone_from(&name.spelling);
        }
        if dialect == Dialect::Sqlite && names.is_empty() {
            tell_apart(&mut columns);
        }
        Some(columns)
    }

    /// MySQL: what it computes gets a type of its own, and what comes from a table keeps its default.
    fn store_as_mysql(&self, columns: &mut [Column], query: &Query, root: BlockId) {
        let block = query.block(root);
        let is_set = matches!(block.body, Body::Set { .. });
        let outputs = block.outputs.iter().flatten();
        for ((column, output), stored) in
            columns.iter_mut().zip(outputs).zip(stored_types(query, &self.schema))
        {
            let of = self.stored_column(query, &output.expr).filter(|_| !is_set);
            if let Some((_, of)) = of {
                column.default = if of.identity { Some("0".to_owned()) } else { of.default.clone() };
            }
            let is_whole = of.is_some() || matches!(output.expr, Expr::Column(_)) && !is_set;
            match stored {
                Some((ty, not_null)) => {
                    column.not_null = not_null && of.is_none_or(|(_, of)| of.not_null);
                    if !is_whole || column.ty.is_empty() {
                        column.ty = ty;
                    }
                }
                None if matches!(output.expr, Expr::Unary { .. }) => column.ty.clear(),
                None if !is_whole => column.ty = by_value(&column.ty),
                None => {}
            }
        }
    }

    /// The types of a block's columns, and whether each is that of a string or NULL alone, which takes that of the
    /// other side of a UNION.
    fn types_of_block(&self, query: &Query, id: BlockId, depth: usize) -> Vec<(String, bool)> {
        const MAX_UNION_DEPTH: usize = 64;
        let block = query.block(id);
        let outputs = block.outputs.iter().flatten();
        match &block.body {
            Body::Set { .. } if depth > MAX_UNION_DEPTH => outputs.map(|_| (String::new(), false)).collect(),
            Body::Set { left, right, .. } => {
                let left = self.types_of_block(query, *left, depth + 1);
                let right = self.types_of_block(query, *right, depth + 1);
                let common = |((left, any), (right, any_too)): ((String, bool), (String, bool))| {
                    let ty = match (any, any_too) {
                        (true, true) => left,
                        (true, false) => without_length(&right),
                        (false, true) => without_length(&left),
                        (false, false) => common(left, &right),
                    };
                    (ty, any && any_too)
                };
                left.into_iter().zip(right).map(common).collect()
            }
            _ => {
                let of = |output: &Output| {
                    let ty = if output.ty.is_empty() { String::new() } else { self.printed(&output.ty) };
                    let ty = if ty.is_empty() { self.type_of(query, &output.expr) } else { ty };
                    (ty, takes_any(&output.expr))
                };
                outputs.map(of).collect()
            }
        }
    }

    /// The column of a table that an expression is, with its table.
    fn stored_column(&self, query: &Query, expr: &Expr) -> Option<(&Table, &Column)> {
        let Expr::Column(column) = expr else { return None };
        let Source::Table(name) = &query.relation(column.relation?).source else { return None };
        let table = self.schema.tables.get(name)?;
        Some((table, table.column(&column.name)?))
    }

    /// A type as the database prints it.
    fn printed(&self, ty: &str) -> String {
        ddl::type_of(ty, self.schema.dialect).map_or_else(|| ty.to_owned(), |ty| self.print_type(&ty))
    }

    /// The type of an expression, if a rule of the database determines it; otherwise empty.
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
            Expr::Binary { op: Op::Arithmetic(op), left, right } => {
                let (left, right) = (self.type_of(query, left), self.type_of(query, right));
                let ty = wider(&left, &right);
                if ty.is_empty() { moment(op, &left, &right).to_owned() } else { ty.to_owned() }
            }
            Expr::Binary { op: Op::Other(op), left, .. } if op == "->" => {
                let ty = self.type_of(query, left);
                if ty.starts_with("json") { ty } else { String::new() }
            }
            Expr::Binary { op: Op::Other(op), .. } if op == "->>" || op == "#>>" => known("text"),
            Expr::Binary { op: Op::Concat, left, .. } if self.type_of(query, left) == "text" => known("text"),
            Expr::Binary { op: Op::Concat | Op::Other(_), .. } => String::new(),
            Expr::Binary { .. } => known("boolean"),
            Expr::Call(call) if self.schema.dialect == Dialect::Postgres => self.call_type(query, call),
            _ => String::new(),
        }
    }

    /// The type of a call, for functions whose type is fixed, or that of their first argument.
    fn call_type(&self, query: &Query, call: &Call) -> String {
        let first = || call.args.first().map(|first| self.type_of(query, first)).unwrap_or_default();
        let is_own = !call.may_be_built_in() || self.schema.functions_named(&call.name).next().is_some();
        match call.name.as_str() {
            _ if is_own => String::new(),
            // Those of a range are its bounds.
            "lower" | "upper" => match first().as_str() {
                "int4range" => "integer".to_owned(),
                "int8range" => "bigint".to_owned(),
                "numrange" => "numeric".to_owned(),
                "daterange" => "date".to_owned(),
                "tsrange" => "timestamp without time zone".to_owned(),
                "tstzrange" => "timestamp with time zone".to_owned(),
                ty if ty.is_empty() || ty.contains("range") => String::new(),
                _ => "text".to_owned(),
            },
            "avg" => match first().split('(').next().unwrap_or_default() {
                "smallint" | "integer" | "bigint" | "numeric" => "numeric".to_owned(),
                "real" | "double precision" => "double precision".to_owned(),
                "interval" => "interval".to_owned(),
                _ => String::new(),
            },
            "count" | "row_number" | "rank" | "dense_rank" => "bigint".to_owned(),
            "length" | "char_length" => "integer".to_owned(),
            "concat" | "concat_ws" | "trim" | "btrim" | "replace" | "string_agg" | "to_char" | "md5" => {
                "text".to_owned()
            }
            "now" | "current_timestamp" | "to_timestamp" => "timestamp with time zone".to_owned(),
            "gen_random_uuid" | "uuid_generate_v4" => "uuid".to_owned(),
            "jsonb_agg" | "jsonb_object_agg" | "jsonb_build_object" | "to_jsonb" => "jsonb".to_owned(),
            "json_agg" | "json_object_agg" | "json_build_object" | "to_json" => "json".to_owned(),
            "extract" => "numeric".to_owned(),
            "date_part" => "double precision".to_owned(),
            "date_trunc" => {
                let ty = call.args.get(1).map(|ty| self.type_of(query, ty)).unwrap_or_default();
                // A date is truncated as a timestamp.
                if ty == "date" { "timestamp with time zone".to_owned() } else { ty }
            }
            "array_agg" => Some(first()).filter(|ty| !ty.is_empty()).map(|ty| ty + "[]").unwrap_or_default(),
            "bool_and" | "bool_or" | "every" => "boolean".to_owned(),
            "coalesce" | "greatest" | "least" => self.common_type(query, &call.args),
            "max" | "min" if type_names::is_varchar(&first()) => "text".to_owned(),
            "max" | "min" | "nullif" | "abs" => first(),
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

impl Replay {
    /// The type that several values have in common; a string or NULL takes that of the others.
    fn common_type(&self, query: &Query, values: &[Expr]) -> String {
        let mut types = values.iter().filter(|it| !takes_any(it)).map(|value| self.type_of(query, value));
        let Some(first) = types.next() else { return "text".to_owned() };
        let all = types.fold(first, |known, ty| common(known, &ty));
        if values.iter().any(takes_any) { without_length(&all) } else { all }
    }
}

/// Whether a value is only a string or NULL, which takes the type of the other operand.
fn takes_any(value: &Expr) -> bool {
    matches!(value, Expr::Literal(Literal::Text(_) | Literal::Null))
}

/// The type that two values have in common; empty if it is unknown.
fn common(left: String, right: &str) -> String {
    let (plain, other) = (without_length(&left), without_length(right));
    match left == right {
        true => left,
        false if plain == other => plain,
        false => wider(&left, right).to_owned(),
    }
}

/// A type without its length or precision, as that of values of several.
fn without_length(ty: &str) -> String {
    let plain = match (ty.find('('), ty.find(')')) {
        (Some(open), Some(close)) if open < close => {
            let (before, after) = (ty.get(..open), ty.get(close + 1..));
            format!("{}{}", before.unwrap_or_default(), after.unwrap_or_default())
        }
        _ => ty.to_owned(),
    };
    if plain == "character" { "bpchar".to_owned() } else { plain }
}

/// MySQL: the type of a column that stores a value which is cast to a type.
fn by_value(cast: &str) -> String {
    match cast {
        "signed" | "signed integer" => "bigint",
        "unsigned" | "unsigned integer" => "bigint unsigned",
        "boolean" => "int",
        ty => ty,
    }
    .to_owned()
}

/// SQLite: the second column of a name is called `id:1`.
fn tell_apart(columns: &mut [Column]) {
    let mut known = BTreeSet::new();
    for column in columns {
        let mut name = column.name.clone();
        let mut number = 0_u32;
        while known.contains(&name) {
            number += 1;
            name = format!("{}:{number}", column.name);
        }
        if number > 0 {
            let spelling = column.spelling.take();
            column.spelling = spelling.map(|spelling| format!("{spelling}:{number}"));
            column.name.clone_from(&name);
        }
        known.insert(name);
    }
}

/// SQLite: a table created from a query has types named after the affinity of the query's columns.
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
        // A string literal takes the type that is expected; on its own it becomes text.
        Literal::Text(_) => "text",
        Literal::Null | Literal::Other(_) => "",
    }
}

/// The result type of arithmetic with dates, times and intervals.
fn moment(op: &char, left: &str, right: &str) -> &'static str {
    const MOMENTS: &[&str] = &["timestamp with time zone", "timestamp without time zone"];
    let plain = |ty: &str| MOMENTS.iter().find(|moment| **moment == ty).copied();
    match (plain(left), op, plain(right)) {
        (Some(moment), '+' | '-', None) if right.starts_with("interval") => moment,
        (None, '+', Some(moment)) if left.starts_with("interval") => moment,
        (Some(_), '-', Some(_)) => "interval",
        _ => "",
    }
}

/// The result type of arithmetic with numbers: that of the wider side.
fn wider<'t>(left: &'t str, right: &'t str) -> &'t str {
    const RANKS: &[&str] = &["smallint", "integer", "bigint", "numeric", "real", "double precision"];
    let rank = |ty: &str| {
        let bare = ty.split('(').next().unwrap_or(ty);
        RANKS.iter().position(|rank| *rank == bare)
    };
    match (rank(left), rank(right)) {
        // Arithmetic on numeric drops the precision.
        (Some(left), Some(right)) => RANKS.get(left.max(right)).copied().unwrap_or(""),
        _ => "",
    }
}
