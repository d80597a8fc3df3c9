//! Functions in FROM, and the columns of their rows.

use sqlparser::ast;

use super::Resolver;
use crate::schema::{Name, UserType};
use crate::sql::dialect::Dialect;
use crate::sql::expr::Expr;
use crate::sql::functions;
use crate::sql::query::{Asked, BlockId, ProblemKind, Relation, RelationColumn, RelationId, Source};
use crate::sql::routine::{self, Returned, Returns};
use crate::sql::text::most_similar;
use crate::sql::type_names;

/// The elements of an array.
pub(super) enum Element {
    /// Scalar values.
    Scalar,
    /// Rows with these columns.
    Row(Vec<String>),
    Unknown,
}

impl Resolver<'_> {
    pub(super) fn function_relation(
        &mut self,
        name: &ast::ObjectName,
        args: &[ast::FunctionArg],
        alias: Option<&ast::TableAlias>,
        ordinality: bool,
    ) -> RelationId {
        let (_, function) = self.object_name(name);
        let names = self.argument_names(args);
        let named = !names.is_empty()
            || !args
                .iter()
                .all(|arg| matches!(arg, ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(_))));
        let args: Vec<Expr> = args.iter().filter_map(|arg| self.function_arg(arg)).collect();
        let span = self.span_of(name);
        let inlined = if ordinality || named { None } else { self.inlined(&function, &args) };
        let source = Source::Function(function.clone(), args);
        let id = self.function_columns(&function, source, alias, ordinality, span);
        if !names.is_empty() {
            self.asked.push((id, Asked::Arguments(names)));
        }
        if let Some((block, names)) = inlined {
            let mut given = alias.map(|alias| self.alias_columns(alias)).unwrap_or_default().into_iter();
            let goes_by = self.relations[id.0 as usize].alias.clone();
            let names = names.unwrap_or_else(|| vec![goes_by]);
            let columns = names
                .into_iter()
                .map(|name| RelationColumn::new(given.next().unwrap_or(name), String::new()));
            let relation = &mut self.relations[id.0 as usize];
            relation.columns = Some(columns.collect());
            relation.inlined = Some(block);
        }
        id
    }

    /// The query of a SQL function, with the names of its columns; `None` for a single column named after the
    /// function's alias.
    fn inlined(&mut self, function: &str, args: &[Expr]) -> Option<(BlockId, Option<Vec<String>>)> {
        if functions::table_columns(function, args.len(), self.dialect, "").is_some() {
            return None;
        }
        let routine = routine::inlined(self.only_definition(function)?)?;
        if routine.parameters.len() != args.len()
            || args.iter().any(|arg| arg.any(|e| e.own_subquery().is_some()))
        {
            return None;
        }
        let names = match &routine.returns {
            Returns::Table(names) => Some(names.clone()),
            Returns::SetOf(ty) => match self.fields(ty) {
                Element::Row(names) => Some(names),
                Element::Scalar => None,
                Element::Unknown => return None,
            },
        };
        let parameters = routine.parameters.iter().cloned().zip(args.iter().cloned()).collect();
        let name = Name::new(function);
        let (blocks, relations) = (self.blocks.len(), self.relations.len());
        let outer = self.parameters.replace((function.to_owned(), parameters));
        let block = self.expand(&routine.body, name, self.block_of_scope());
        self.parameters = outer;
        let block = block?;
        let width = self.blocks[block.0 as usize].outputs.as_ref().map(Vec::len);
        if width != Some(names.as_ref().map_or(1, Vec::len)) {
            self.blocks.truncate(blocks);
            self.relations.truncate(relations);
            return None;
        }
        if args.iter().any(|arg| !arg.columns().is_empty()) {
            self.block_mut(block).correlated = true;
        }
        Some((block, names))
    }

    /// The columns of a function in FROM: those listed with its alias, or those that it is known to return.
    pub(super) fn function_columns(
        &mut self,
        function: &str,
        source: Source,
        alias: Option<&ast::TableAlias>,
        ordinality: bool,
        span: Option<crate::sql::Span>,
    ) -> RelationId {
        let block = self.block_of_scope();
        let goes_by = alias.map_or_else(|| function.to_owned(), |alias| self.fold(&alias.name));
        let typed = alias.is_some_and(|alias| alias.columns.iter().any(|column| column.data_type.is_some()));
        let names = alias.map(|alias| self.alias_columns(alias)).filter(|names| !names.is_empty());
        let known = match &source {
            Source::Function(_, args) => self.known_columns(function, args, &goes_by),
            _ => functions::table_columns(function, 0, self.dialect, &goes_by),
        };
        let renamed = names.clone().filter(|_| known.is_none() && !typed);
        let columns = match (known, names) {
            (Some(mut known), names) => {
                if ordinality {
                    known.push("ordinality".to_owned());
                }
                for (column, name) in known.iter_mut().zip(names.unwrap_or_default()) {
                    *column = name;
                }
                Some(known)
            }
            // A column definition list is complete; a list of plain names may be partial.
            (None, Some(names)) if typed => Some(names),
            (None, _) => None,
        };
        let mut types = alias.into_iter().flat_map(|alias| &alias.columns).map(|column| {
            column.data_type.as_ref().map_or_else(String::new, |ty| type_names::folded(&ty.to_string()))
        });
        let mut column = |name| RelationColumn::new(name, types.next().unwrap_or_default());
        let columns = columns.map(|names| names.into_iter().map(&mut column).collect());
        let id = self.add_relation(Relation {
            block,
            alias: goes_by,
            source,
            columns,
            lateral: true,
            inlined: None,
            span,
        });
        if ordinality {
            self.asked.push((id, Asked::Ordinality));
        }
        if let Some(names) = renamed {
            self.asked.push((id, Asked::Renamed(names)));
        }
        id
    }

    /// `XMLTABLE(.. COLUMNS ..)`, which lists all its columns.
    pub(super) fn xml_table(
        &mut self,
        rows: &ast::Expr,
        passing: &ast::XmlPassingClause,
        columns: &[ast::XmlTableColumn],
        alias: Option<&ast::TableAlias>,
    ) -> RelationId {
        let mut args = vec![self.expr(rows)];
        args.extend(passing.arguments.iter().map(|argument| self.expr(&argument.expr)));
        let names: Vec<String> = columns.iter().map(|column| self.fold(&column.name)).collect();
        let id = self.function_columns(
            "xmltable",
            Source::Function("xmltable".to_owned(), args),
            alias,
            false,
            None,
        );
        let given = alias.map(|alias| self.alias_columns(alias)).unwrap_or_default();
        let mut given = given.into_iter();
        let columns =
            names.into_iter().map(|name| RelationColumn::new(given.next().unwrap_or(name), String::new()));
        self.relations[id.0 as usize].columns = Some(columns.collect());
        id
    }

    /// The columns of a function that the schema defines, by its definition.
    pub(super) fn declared(&self, function: &str, alias: &str) -> Option<Vec<String>> {
        match routine::returned(self.only_definition(function)?)? {
            Returned::Named(names) => Some(names),
            Returned::Type(ty) => match self.fields(&ty) {
                Element::Row(names) => Some(names),
                Element::Scalar => Some(vec![alias.to_owned()]),
                Element::Unknown => None,
            },
        }
    }

    /// The statement that defines a function, if there is only one of this name.
    fn only_definition(&self, function: &str) -> Option<&str> {
        let schema = self.schema.filter(|schema| schema.dialect == Dialect::Postgres)?;
        let mut made = schema.functions_named(function);
        match (made.next().map(|(_, statements)| statements.as_slice()), made.next()) {
            (Some([statement]), None) => Some(statement),
            _ => None,
        }
    }

    /// Reports a field that a composite value does not have. `(row).f` may also be the call `f(row)`.
    pub(super) fn check_field(&mut self, value: &Expr, field: &str, span: Option<crate::sql::Span>) {
        if self.dialect != Dialect::Postgres || field == "*" || self.has_function(field) || takes_rows(field)
        {
            return;
        }
        let (of, fields) = match value {
            Expr::Column(_) | Expr::Cast { .. } => {
                let ty = self.type_of(value);
                (ty.clone(), if ty.ends_with(']') || ty.is_empty() { return } else { self.fields(&ty) })
            }
            Expr::Access { expr, field: None, subscripts } if !subscripts.is_empty() => {
                let ty = self.type_of(expr);
                let element = type_names::element(&ty);
                if !ty.ends_with(']') {
                    return;
                }
                (element.to_owned(), self.fields(element))
            }
            Expr::Call(call) if call.name == "unnest" => match call.args.as_slice() {
                [array] => ("unnest".to_owned(), self.element(array, 0)),
                _ => return,
            },
            Expr::WholeRow(id) if !self.is_system_column(*id, field) => {
                let Element::Row(names) = self.row(value, 0) else { return };
                (self.relations[id.0 as usize].alias.clone(), Element::Row(names))
            }
            Expr::Call(call) if self.takes_type_of_first(&call.name) => match call.args.first() {
                Some(Expr::Cast { ty, .. }) => (ty.clone(), self.fields(ty)),
                _ => return,
            },
            Expr::Call(call) => match self.only_definition(&call.name).and_then(routine::returned) {
                Some(Returned::Named(names)) if names.len() > 1 => (call.name.clone(), Element::Row(names)),
                Some(Returned::Type(ty)) => (ty.clone(), self.fields(&ty)),
                _ => return,
            },
            _ => return,
        };
        let Element::Row(fields) = fields else { return };
        if !fields.iter().any(|known| known == field) {
            let similar = most_similar(field, fields.iter().map(String::as_str));
            self.problem(ProblemKind::UnknownField { field: field.to_owned(), of, similar }, span);
        }
    }

    /// The columns of `unnest(..)` in FROM: one for each array of scalars, the fields of the type for an
    /// array of rows.
    pub(super) fn unnested(&self, arrays: &[Expr], alias: &str) -> Option<Vec<String>> {
        let alone = arrays.len() == 1;
        let mut columns = Vec::new();
        for array in arrays {
            match self.element(array, 0) {
                Element::Scalar => columns.push(if alone { alias } else { "unnest" }.to_owned()),
                Element::Row(mut fields) => columns.append(&mut fields),
                Element::Unknown => return None,
            }
        }
        Some(columns)
    }

    /// What the elements of an array are.
    fn element(&self, array: &Expr, depth: usize) -> Element {
        match array {
            _ if depth > 16 => Element::Unknown,
            Expr::Cast { ty, .. } => self.element_of_type(ty),
            Expr::Column(_) | Expr::Access { .. } => match self.type_of(array) {
                ty if ty.is_empty() => Element::Unknown,
                ty => self.element_of_type(&ty),
            },
            Expr::Array(items) => items.first().map_or(Element::Scalar, |item| self.row(item, depth + 1)),
            Expr::ArrayQuery(block) => {
                let outputs = self.blocks[block.0 as usize].outputs.as_deref();
                match outputs {
                    Some([only]) => self.row(&only.expr, depth + 1),
                    _ => Element::Unknown,
                }
            }
            Expr::Call(call) => match (call.name.as_str(), call.args.first()) {
                ("array_agg", Some(of)) => self.row(of, depth + 1),
                (
                    "array_append" | "array_remove" | "array_cat" | "array_replace" | "coalesce",
                    Some(array),
                ) => self.element(array, depth + 1),
                (name, _) if self.has_function(name) => Element::Unknown,
                (name, _) if makes_tsvector(name) => lexemes(),
                _ => Element::Scalar,
            },
            Expr::Subquery(_) | Expr::Case { .. } => Element::Unknown,
            Expr::Binary { left, .. } => self.element(left, depth + 1),
            _ => Element::Scalar,
        }
    }

    /// What a value is as an element of an array.
    pub(super) fn row(&self, value: &Expr, depth: usize) -> Element {
        match value {
            Expr::WholeRow(id) => match &self.relations[id.0 as usize].columns {
                Some(columns) => Element::Row(columns.iter().map(|column| column.name.clone()).collect()),
                None => Element::Unknown,
            },
            Expr::Row(_) => Element::Unknown,
            Expr::Cast { ty, .. } => self.fields(ty),
            Expr::Column(_) | Expr::Access { .. } => match self.type_of(value) {
                ty if ty.is_empty() => Element::Unknown,
                ty => self.fields(&ty),
            },
            // Nested arrays are flattened by unnest.
            Expr::Array(_) => self.element(value, depth),
            Expr::Subquery(_) | Expr::Case { .. } => Element::Unknown,
            Expr::Call(call) if self.has_function(&call.name) => Element::Unknown,
            _ => Element::Scalar,
        }
    }

    fn element_of_type(&self, ty: &str) -> Element {
        self.element_below(ty, 0)
    }

    /// [`element_of_type`](Self::element_of_type) for a type that is reached through `domains` domains.
    fn element_below(&self, ty: &str, domains: usize) -> Element {
        if ty == "tsvector" {
            return lexemes();
        }
        self.fields_below(type_names::element(ty), domains)
    }

    /// The fields of a type: a composite type, or the row type of a table.
    fn fields(&self, ty: &str) -> Element {
        self.fields_below(ty, 0)
    }

    fn fields_below(&self, ty: &str, domains: usize) -> Element {
        let Some(schema) = self.schema else { return Element::Unknown };
        let unquoted = |part: &str| match part.strip_prefix('"').and_then(|part| part.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => part.to_lowercase(),
        };
        let period = ty.match_indices('.').find(|(at, _)| ty.get(..*at).is_some_and(has_closed_quotes));
        let (of, name) = match period.and_then(|(at, _)| Some((ty.get(..at)?, ty.get(at + 1..)?))) {
            Some((of, name)) => (Some(unquoted(of)), unquoted(name)),
            None => (None, unquoted(ty)),
        };
        if let Some(table) = schema.table(of.as_deref(), &name) {
            return Element::Row(table.columns.iter().map(|column| column.name.clone()).collect());
        }
        if schema.view(of.as_deref(), &name).is_some() {
            return Element::Unknown;
        }
        match schema.user_type(of.as_deref(), &name) {
            Some(UserType::Composite(fields)) => {
                Element::Row(fields.iter().map(|field| field.name.clone()).collect())
            }
            // A domain may be over an array or a row type; in a file, even over itself.
            Some(UserType::Domain { base, .. }) if domains < 32 => self.element_below(base, domains + 1),
            Some(UserType::Domain { .. }) => Element::Unknown,
            Some(UserType::Enum(_) | UserType::Range(_) | UserType::Other) => Element::Scalar,
            // A built-in type, which no other hides; any other name may be user-defined.
            None if schema.gaps.is_empty() || type_names::is_built_in(&name) => Element::Scalar,
            None => Element::Unknown,
        }
    }
}

/// Whether a text ends outside of quotes.
fn has_closed_quotes(text: &str) -> bool {
    text.matches('"').count().is_multiple_of(2)
}

/// Whether this is a function of PostgreSQL that takes any row: `(t).count` is `count(t)`.
fn takes_rows(function: &str) -> bool {
    function.starts_with("to_json")
        || function.contains("_agg")
        || function.starts_with("row_to")
        || function.starts_with("json_build_")
        || function.starts_with("jsonb_build_")
        || function.starts_with("pg_column_")
        || matches!(
            function,
            "any_value"
                | "concat"
                | "count"
                | "format"
                | "hash_record"
                | "hstore"
                | "json_object"
                | "max"
                | "min"
                | "mode"
                | "num_nonnulls"
                | "num_nulls"
                | "pg_collation_for"
                | "pg_typeof"
                | "quote_literal"
                | "quote_nullable"
                | "record_out"
                | "record_send"
        )
}

/// What `unnest(tsvector)` returns.
fn lexemes() -> Element {
    Element::Row(["lexeme", "positions", "weights"].map(str::to_owned).to_vec())
}

fn makes_tsvector(function: &str) -> bool {
    function.ends_with("to_tsvector") || matches!(function, "setweight" | "strip" | "ts_delete" | "ts_filter")
}
