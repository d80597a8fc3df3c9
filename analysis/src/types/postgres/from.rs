//! FROM: the columns of each relation.

use std::rc::Rc;

use super::arena::Ty;
use super::functions::Called;
use super::session::{Field, Form, Origin, Session, Value, Why};
use crate::schema::{Column, Name, Table};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::query::{Asked, Body, From, JoinKind, RelationId, Source};

impl<'q> Session<'q> {
    /// Reads a FROM item: relations, then the conditions of their joins.
    pub(super) fn from(&mut self, item: &From) {
        match item {
            From::Relation(id) => {
                // Only the columns of a table that are mentioned are examined.
                if self.stored_table(*id).is_none() {
                    self.relation(*id);
                }
                self.sample(*id);
            }
            From::Join { kind, left, right, on } => {
                self.from(left);
                self.from(right);
                let (of_left, of_right) = (left.relations(), right.relations());
                if matches!(kind, JoinKind::Right | JoinKind::Full) {
                    self.outer.extend(&of_left);
                }
                if matches!(kind, JoinKind::Left | JoinKind::Full) {
                    self.outer.extend(&of_right);
                }
                if let Some(on) = on {
                    self.condition(on, "the condition of a join");
                    self.check_sets(on, "ON");
                    // For a row that is present, the condition holds.
                    let real: Vec<RelationId> = match kind {
                        JoinKind::Inner | JoinKind::Cross | JoinKind::Straight => {
                            of_left.into_iter().chain(of_right).collect()
                        }
                        JoinKind::Left => of_right,
                        JoinKind::Right => of_left,
                        JoinKind::Full => Vec::new(),
                    };
                    let refuted = super::refute::refuted(on);
                    self.refuted.extend(refuted.into_iter().filter(|(id, _)| real.contains(id)));
                }
            }
        }
    }

    /// Coerces the size of a sample to the type that its method expects.
    fn sample(&mut self, id: RelationId) {
        let query = self.query;
        for (of, asked) in &query.asked {
            if let (true, Asked::Sample { size, ty }) = (*of == id, asked) {
                let value = self.expr(size);
                let ty = self.types.builtin(ty).unwrap_or(Ty::OPAQUE);
                self.coerce(value, ty, "the size of a sample");
            }
        }
    }

    /// Records the columns that a WHERE proves not to be NULL; their relations are present in every row.
    pub(super) fn refute(&mut self, filter: &Expr) {
        for (relation, column) in super::refute::refuted(filter) {
            self.outer.remove(&relation);
            self.refuted.insert((relation, column));
        }
    }

    /// The columns of a relation; `None` if they are unknown.
    pub(super) fn relation(&mut self, id: RelationId) -> Option<Rc<[Field]>> {
        if let Some(known) = self.relations.get(&id) {
            return known.clone();
        }
        let query = self.query;
        let relation = query.relation(id);
        let fields: Option<Vec<Field>> = match &relation.source {
            Source::Table(name) => self.table(name, id),
            Source::System(name) => self.system(name, id),
            Source::View(name, block) => self.view(name, *block, id),
            Source::Cte(block) | Source::Derived(block) => {
                let fields = self.block(*block, true);
                fields.map(|fields| {
                    // A side of a set operation in parentheses may still have values without a type.
                    let plain = |field: &Field| Field {
                        name: field.name.clone(),
                        value: match field.value.is_unknown() {
                            true => field.value.clone(),
                            false => Value { form: Form::Plain, ..field.value.clone() },
                        },
                    };
                    fields.iter().map(plain).collect()
                })
            }
            Source::Function(name, args) => self.function_rows(name, args, id),
            Source::Pseudo => match &query.block(relation.block).body {
                Body::Write(write) => match &query.relation(write.target).source {
                    Source::Table(name) => self.table(name, id),
                    _ => None,
                },
                _ => None,
            },
            Source::Unknown => None,
        };
        let fields = fields.map(|mut fields| {
            // The resolver has already applied the renaming of `AS t(a, b)` and `WITH t(a, b)`.
            if let Some(columns) = &relation.columns {
                for (field, column) in fields.iter_mut().zip(columns.iter()) {
                    field.name.clone_from(&column.name);
                }
            }
            let renamed = query.asked.iter().find_map(|(of, asked)| match asked {
                Asked::Renamed(names) if *of == id => Some(names),
                _ => None,
            });
            for (field, name) in fields.iter_mut().zip(renamed.into_iter().flatten()) {
                field.name.clone_from(name);
            }
            fields.into()
        });
        // A recursive query needs its columns before they are complete.
        if !matches!(&relation.source, Source::Cte(block) if self.open.contains(block)) {
            self.relations.insert(id, fields.clone());
        }
        fields
    }

    /// The columns of a table.
    pub(super) fn table(&mut self, name: &Name, id: RelationId) -> Option<Vec<Field>> {
        let schema = self.schema;
        let table = schema.tables.get(name);
        let columns = match table {
            Some(table) => table.columns.as_slice(),
            None => schema.views.get(name)?.columns.as_deref()?,
        };
        let field = |column: &Column| Field {
            name: column.name.clone(),
            value: self.declared(column, name, id, table.is_some()),
        };
        Some(columns.iter().map(field).collect())
    }

    /// The table behind a relation.
    pub(super) fn stored_table(&self, id: RelationId) -> Option<(&'q Name, &'q Table)> {
        match &self.query.relation(id).source {
            Source::Table(name) => Some((name, self.schema.tables.get(name)?)),
            _ => None,
        }
    }

    /// One column of a relation, without deriving the others if it is a table whose columns have not been
    /// requested.
    pub(super) fn field(&mut self, id: RelationId, name: &str) -> Option<Value> {
        if let Some((table, stored)) = self.stored_table(id).filter(|_| !self.relations.contains_key(&id)) {
            let at = self.place(id, stored, name)?;
            return Some(self.declared(stored.columns.get(at)?, table, id, true));
        }
        let fields = self.relation(id)?;
        fields.iter().find(|field| field.name == name).map(|field| field.value.clone())
    }

    fn declared(&mut self, column: &Column, of: &Name, id: RelationId, is_table: bool) -> Value {
        let ty = match self.types.named(&column.ty) {
            None if !is_table => self.stored_type(of, &column.name),
            named => named,
        };
        let ty = ty.unwrap_or(Ty::OPAQUE);
        let not_null = column.not_null && is_table;
        let origin = Origin { table: of.to_string(), column: column.name.clone(), not_null, relation: id };
        let origin = Rc::new(origin);
        let why = match ty {
            Ty::OPAQUE => format!("the type `{}` of `{of}.{}` is not known", column.ty, column.name).into(),
            _ => Why::Declared(Rc::clone(&origin)),
        };
        Value { origin: Some(origin), ..Value::of(ty, not_null) }.because(why)
    }

    /// A view's columns are those of its query, but reported to clients as its own.
    fn view(&mut self, name: &Name, block: crate::sql::query::BlockId, id: RelationId) -> Option<Vec<Field>> {
        let fields = self.block(block, true);
        let declared = self.schema.views.get(name).and_then(|view| view.columns.clone());
        let names: Vec<String> = match (&declared, &fields) {
            (Some(columns), _) => columns.iter().map(|column| column.name.clone()).collect(),
            (None, Some(fields)) => fields.iter().map(|field| field.name.clone()).collect(),
            (None, None) => return None,
        };
        let mut found = Vec::new();
        for (at, column) in names.into_iter().enumerate() {
            let inner = fields.as_ref().and_then(|fields| fields.get(at)).map(|field| field.value.clone());
            let mut value = inner.unwrap_or_else(|| Value::opaque("the view's query is not understood"));
            let written =
                declared.as_ref().and_then(|columns| columns.get(at)).map(|column| column.ty.clone());
            if value.ty == Ty::OPAQUE
                && let Some(ty) = written.and_then(|ty| self.types.named(&ty))
            {
                value.ty = ty;
            }
            value.form = Form::Plain;
            let origin =
                Origin { table: name.to_string(), column: column.clone(), not_null: false, relation: id };
            value.origin = Some(Rc::new(origin));
            found.push(Field { name: column, value });
        }
        Some(found)
    }

    /// A system table.
    fn system(&mut self, name: &Name, id: RelationId) -> Option<Vec<Field>> {
        let known = match name.schema.as_deref() {
            Some("information_schema") => format!("information_schema.{}", name.name),
            _ => name.name.clone(),
        };
        let columns: Vec<(String, String, bool)> = match known.as_str() {
            "_sqlx_migrations" => [
                ("version", "int8", true),
                ("description", "text", true),
                ("installed_on", "timestamptz", true),
                ("success", "bool", true),
                ("checksum", "bytea", true),
                ("execution_time", "int8", true),
            ]
            .map(|(name, ty, not_null)| (name.to_owned(), ty.to_owned(), not_null))
            .to_vec(),
            _ if self.schema.has_sequence(name.schema.as_deref(), &name.name) => {
                [("last_value", "int8"), ("log_cnt", "int8"), ("is_called", "bool")]
                    .map(|(name, ty)| (name.to_owned(), ty.to_owned(), true))
                    .to_vec()
            }
            _ => {
                let line = self.types.catalog.first('r', &known)?.rest;
                let column = |field: &str| {
                    let (name, ty) = field.split_once(':')?;
                    let not_null = ty.ends_with('!');
                    Some((name.to_owned(), ty.trim_end_matches('!').to_owned(), not_null))
                };
                line.split(' ').map(column).collect::<Option<Vec<_>>>()?
            }
        };
        let mut fields = Vec::new();
        for (column, ty, not_null) in columns {
            let ty = self.types.builtin(&ty).unwrap_or(Ty::OPAQUE);
            let origin = Origin { table: name.to_string(), column: column.clone(), not_null, relation: id };
            let value = Value { origin: Some(Rc::new(origin)), ..Value::of(ty, not_null) };
            fields.push(Field { name: column, value });
        }
        Some(fields)
    }

    fn function_rows(&mut self, name: &str, args: &[Expr], id: RelationId) -> Option<Vec<Field>> {
        let query = self.query;
        let relation = query.relation(id);
        let values: Vec<Value> = args.iter().map(|arg| self.expr(arg)).collect();
        if name == "rows_from" {
            // The functions side by side; their columns are not modelled.
            return None;
        }
        let written = relation.columns.as_deref().unwrap_or_default();
        let is_numbered = relation.columns.is_none() && query.numbers_rows(id);
        let mut fields = Vec::new();
        let mut add = |name: &str, value: Value| fields.push(Field { name: name.to_owned(), value });
        if name == "unnest" && values.len() > 1 {
            for value in values {
                let (element, _) = self.function(&Called { name, ..Called::default() }, vec![value]);
                match self.types.info(element.ty).fields.clone() {
                    parts if parts.is_empty() => add("unnest", Value { not_null: false, ..element }),
                    parts => parts.into_iter().for_each(|(name, ty)| add(&name, Value::of(ty, false))),
                }
            }
        } else {
            let sure = values.iter().all(|value| value.not_null);
            let names = query.asked.iter().find_map(|(of, asked)| match asked {
                Asked::Arguments(names) if *of == id => Some(names.as_slice()),
                _ => None,
            });
            let called = Called { name, names: names.unwrap_or_default(), ..Called::default() };
            let (value, candidate) = self.function(&called, values);
            let (outs, set) = match &candidate {
                Some((candidate, types)) => (self.settled_outs(candidate, types), candidate.set),
                None => (Vec::new(), false),
            };
            let base = self.types.base(value.ty);
            let info = self.types.info(base);
            let parts = info.fields.clone();
            if info.class == b'c' {
                // With ORDINALITY the row has one more column.
                let count = relation.columns.as_ref().map_or(parts.len(), |all| all.len());
                if count == parts.len() && !is_numbered {
                    self.row_types.insert(id, base);
                }
            }
            if written.iter().any(|column| !column.ty.is_empty()) {
                for column in written {
                    let ty = self.types.named(&column.ty).unwrap_or(Ty::OPAQUE);
                    add(&column.name, Value::of(ty, false).because("a column of a function can be NULL"));
                }
            } else if outs.len() > 1 || outs.len() == 1 && self.types.is_record(value.ty) {
                outs.into_iter().for_each(|(name, ty)| {
                    add(&name, Value::of(ty, false).because("a column of a function can be NULL"))
                });
            } else if !parts.is_empty() {
                parts.into_iter().for_each(|(name, ty)| {
                    add(&name, Value::of(ty, false).because("a column of a function can be NULL"))
                });
            } else if self.types.is_record(value.ty) && written.is_empty() {
                return None;
            } else {
                let not_null = value.not_null && !set || name == "generate_series" && sure;
                let label = match outs.first() {
                    Some((out, _)) if relation.alias == name && !out.is_empty() => out.clone(),
                    _ => relation.alias.clone(),
                };
                add(&label, Value { not_null, ..value });
            }
        }
        let is_named =
            written.len() == fields.len() + 1 && written.last().is_some_and(|column| column.ty.is_empty());
        if is_named || is_numbered {
            fields.push(Field { name: "ordinality".to_owned(), value: Value::of(Ty::INT8, true) });
        }
        Some(fields)
    }

    /// A column by name.
    pub(super) fn column(&mut self, column: &ColumnRef) -> Value {
        let Some(id) = column.relation.or_else(|| self.only_relation_with(&column.name)) else {
            return Value::opaque(format!("the column `{}` is not known", column.name));
        };
        let outer = self.outer.contains(&id);
        if let Some(value) = self.field(id, &column.name) {
            if value.is_unknown() && self.query.relation(id).alias.is_empty() {
                return value;
            }
            let mut value = Value { form: Form::Plain, span: column.span, ..value };
            if value.is_unknown() {
                value.ty = Ty::TEXT;
            }
            if outer {
                value.not_null = false;
                let relation = &self.query.relation(id).alias;
                return value.because(format!("an outer join may find no row of `{relation}`"));
            }
            value.not_null |= !self.refuted.is_empty() && self.refuted.contains(&(id, column.name.clone()));
            return value;
        }
        let system = match column.name.as_str() {
            "ctid" => "tid",
            "xmin" | "xmax" => "xid",
            "cmin" | "cmax" => "cid",
            "tableoid" => "oid",
            name => {
                // `f(x)`, where `f` is the alias of a function with one column.
                return Value::opaque(format!(
                    "the column `{name}` of `{}` is not known",
                    self.query.relation(id).alias
                ));
            }
        };
        let ty = self.types.builtin(system).unwrap_or(Ty::OPAQUE);
        let origin = match &self.query.relation(id).source {
            Source::Table(name) => Some(Rc::new(Origin {
                table: name.to_string(),
                column: column.name.clone(),
                not_null: true,
                relation: id,
            })),
            _ => None,
        };
        Value { origin, ..Value::of(ty, !outer) }
    }

    /// The relation of the current block that has a column, if only the catalog knows.
    fn only_relation_with(&mut self, name: &str) -> Option<RelationId> {
        let block = *self.path.last()?;
        let query = self.query;
        let of_block = query.relation_ids().filter(|(_, relation)| relation.block == block).map(|(id, _)| id);
        let mut found = None;
        for id in of_block.collect::<Vec<_>>() {
            let fields = self.relation(id)?;
            if fields.iter().any(|field| field.name == name) && found.replace(id).is_some() {
                return None;
            }
        }
        found
    }

    /// The column that is `nth` among those of the same name; `None` for the first, to which the name refers.
    pub(super) fn nth_column(&mut self, id: RelationId, name: &str, nth: usize) -> Option<Value> {
        let fields = self.relation(id).filter(|_| nth > 0)?;
        let field = fields.iter().filter(|field| field.name == name).nth(nth)?;
        let not_null = field.value.not_null && !self.outer.contains(&id);
        Some(Value { form: Form::Plain, not_null, ..field.value.clone() })
    }

    /// A relation as one value.
    pub(super) fn whole_row(&mut self, id: RelationId) -> Value {
        let outer = self.outer.contains(&id);
        let named = match &self.query.relation(id).source {
            Source::Table(name) | Source::View(name, _) => {
                let text = match &name.schema {
                    Some(schema) => format!("\"{schema}\".\"{}\"", name.name),
                    None => format!("\"{}\"", name.name),
                };
                self.types.named(&text)
            }
            Source::Function(..) => {
                self.relation(id);
                self.row_types.get(&id).copied()
            }
            _ => None,
        };
        let ty = match named {
            Some(ty) => ty,
            None => match self.relation(id) {
                Some(fields) => {
                    // A function with one column is that column.
                    if let (Source::Function(..), [only]) = (&self.query.relation(id).source, fields.as_ref())
                    {
                        return Value {
                            form: Form::Plain,
                            not_null: only.value.not_null && !outer,
                            ..only.value.clone()
                        };
                    }
                    let fields = fields.iter().map(|field| (field.name.clone(), field.value.ty)).collect();
                    self.types.row(fields)
                }
                None => return Value::opaque("the columns of the row are not known"),
            },
        };
        Value::of(ty, !outer).because("an outer join may find no row")
    }
}
