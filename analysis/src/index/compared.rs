//! The two sides of a comparison: whether one is a column as an index stores it, and the other a value to
//! search for.

use super::condition::{Compare, Condition, Reader};
use super::relations::Relations;
use super::times;
use super::value_types::Class;
use crate::sql::expr::{ColumnRef, Expr, Literal, Op};
use crate::sql::query::{BlockId, Body};
use crate::sql::{Dialect, functions, predicates, type_names};

impl<'a> Reader<'a> {
    /// The comparison of `operand` with `values` as a condition, if the operand belongs to this relation and
    /// the values do not.
    pub(super) fn compared(&self, operand: &Expr, compare: Compare, values: &[&Expr]) -> Option<Condition> {
        self.compared_as(operand, compare, values, true)
    }

    /// Like `compared`; `converts` says whether the types of the values matter to SQLite.
    pub(super) fn compared_as(
        &self,
        operand: &Expr,
        compare: Compare,
        values: &[&Expr],
        converts: bool,
    ) -> Option<Condition> {
        let (operand, said) = self.without_idle_casts(operand, values);
        let of_name = self.collation_of_names(operand, values).map(str::to_owned);
        let of_name =
            of_name.or_else(|| self.collation_of_columns(operand, values)).filter(|_| said.is_none());
        let by_name = of_name.is_some();
        let collation = said.or(of_name).map(String::into_boxed_str);
        let mut own = false;
        let mut foreign = false;
        operand.walk(&mut |expr| match expr {
            Expr::Column(column) if column.relation == Some(self.relation) => own = true,
            Expr::Column(_) | Expr::WholeRow(_) => foreign = true,
            other => foreign = foreign || other.own_subquery().is_some(),
        });
        // SQLite evaluates an expression that depends on no row once, even a volatile one.
        let varies = |expr: &Expr| self.dialect != Dialect::Sqlite && predicates::is_volatile(expr);
        if !own || foreign || varies(operand) {
            return None;
        }
        let as_numbers =
            converts && matches!(compare, Compare::Equal | Compare::Range) && self.turns(operand, values);
        let widened = values.iter().any(|value| self.casts(operand, value) || self.widens(operand, value));
        let mut needs = Relations::NONE;
        let mut usable = !as_numbers && !widened;
        for value in values {
            value.walk(&mut |expr| match expr {
                Expr::Column(column) => match column.relation {
                    Some(id) if id == self.relation => usable = false,
                    Some(id) if self.here.contains(id) => needs.insert(id),
                    _ => {}
                },
                Expr::WholeRow(id) => usable = usable && *id != self.relation,
                // One that depends on the rows of others is tested when those are read. What MySQL does is not known.
                Expr::Subquery(query) if (self.depends)(*query) && self.dialect != Dialect::MySql => {
                    let named = self.named_below(*query);
                    usable = usable && !named.contains(self.relation);
                    needs = needs.union(named);
                }
                other => {
                    let is_tested = |query| (self.depends)(query) || self.is_called_for_each_row(query);
                    usable = usable && !other.own_subquery().is_some_and(is_tested);
                }
            });
            let is_called_each_time =
                value.any(|part| matches!(part, Expr::Call(call) if (self.is_volatile)(call)));
            usable = usable && !varies(value) && !is_called_each_time;
        }
        let operand = operand.clone();
        let against = if usable { self.type_against(&operand, values) } else { None };
        usable.then_some(Condition {
            operand,
            compare,
            needs,
            kept: 1.0,
            one_value: false,
            collation,
            against,
            by_name,
            by_start: false,
        })
    }

    /// What an index stores of the side of a comparison, and the collation that is written on any side.
    fn without_idle_casts<'e>(&self, operand: &'e Expr, values: &[&Expr]) -> (&'e Expr, Option<String>) {
        let collation_on = |side: &Expr| match side {
            Expr::Collate { collation, .. } => Some(collation.clone()),
            _ => None,
        };
        let said = std::iter::once(operand).chain(values.iter().copied()).find_map(collation_on);
        match operand {
            // A cast between text types changes nothing, and the index is searched as if it were absent.
            Expr::Cast { expr, ty } => {
                let inner = match &**expr {
                    Expr::Collate { expr: inner, .. } if self.dialect == Dialect::Postgres => inner,
                    _ => expr,
                };
                let column = inner.as_column().filter(|column| column.relation == Some(self.relation));
                let own = column.and_then(self.type_of);
                match own.is_some_and(|own| type_names::keeps_texts(own, ty)) {
                    true => (inner, collation_on(expr).or(said)),
                    false => (operand, said),
                }
            }
            Expr::Collate { expr, .. } if self.dialect != Dialect::MySql => (expr, said),
            other => (other, said),
        }
    }

    /// MySQL: whether a subquery is evaluated for each row, since it returns another value each time.
    fn is_called_for_each_row(&self, query: BlockId) -> bool {
        let block = self.values.query.block(query);
        let outputs = match &block.body {
            Body::Select(select) => select.projection.as_slice(),
            Body::Set { .. } | Body::Values(_) | Body::Write(_) | Body::Unknown => &[],
        };
        self.dialect == Dialect::MySql
            && block.conditions().into_iter().chain(outputs).any(predicates::is_volatile)
    }

    /// The comparison with any of the elements of an array.
    pub(super) fn compared_with_elements(
        &self,
        operand: &Expr,
        compare: Compare,
        array: &Expr,
    ) -> Option<Condition> {
        let mut found = self.compared(operand, compare, &[array])?;
        found.against = found.against.map(|ty| type_names::element(&ty).into());
        Some(found)
    }

    /// PostgreSQL: the type that an operand is compared with, if that is not its own.
    fn type_against(&self, operand: &Expr, values: &[&Expr]) -> Option<Box<str>> {
        if self.dialect != Dialect::Postgres {
            return None;
        }
        let own = operand.as_column().and_then(self.type_of);
        let is_own = |ty: &str| {
            own.is_some_and(|own| own == ty || type_names::canonical(own) == type_names::canonical(ty))
        };
        let of_column = |value: &Expr| value.as_column().and_then(|column| self.values.type_of(column));
        // Most comparisons are of two columns with one type.
        let others = values.iter().filter(|value| !of_column(value).is_some_and(is_own));
        let mut types = others.filter_map(|value| self.values.type_of_value(value));
        types.find(|ty| !is_own(ty)).map(String::into_boxed_str)
    }

    /// Whether MySQL and SQLite convert an operand of each row to compare it with values: in MySQL, text to numbers.
    pub(super) fn turns(&self, operand: &Expr, values: &[&Expr]) -> bool {
        match self.dialect {
            Dialect::Postgres => false,
            Dialect::MySql => operand.as_column().and_then(self.type_of).is_some_and(|own| {
                is_textual(own) && values.iter().any(|value| self.is_number(value))
                    || times::is_plain_type(own) && values.iter().any(|value| self.values.is_time(value))
            }),
            Dialect::Sqlite => values.iter().any(|value| self.changes_affinity(operand, value)),
        }
    }

    /// Whether PostgreSQL casts the column to the type of the other side before it compares them.
    pub(super) fn casts(&self, operand: &Expr, value: &Expr) -> bool {
        if self.dialect != Dialect::Postgres {
            return false;
        }
        let Some(column) = operand.as_column().filter(|column| column.relation == Some(self.relation)) else {
            return false;
        };
        let is = |of: fn(&str) -> bool| (self.holds)(&column.name, of);
        let class = || match value {
            Expr::Parameter(number) => self.values.parameter(*number),
            other => self.values.class(other),
        };
        if is(is_padded_type) || is(is_caseless_type) {
            // Both become text when compared with a `name`.
            if self.values.is_name(value) {
                return true;
            }
            // `varchar` becomes `char` when compared with `char`, and text becomes `citext` when compared
            // with `citext`.
            let ty = match value {
                Expr::Column(other) => (self.type_of)(other),
                Expr::Cast { ty, .. } => Some(ty.as_str()),
                _ => None,
            };
            let is_varchar = ty.is_some_and(type_names::is_varchar);
            return class() == Some(Class::Text) && !(is_varchar && is(is_padded_type));
        }
        if matches!(value, Expr::Parameter(_)) {
            return false;
        }
        let said = match value {
            Expr::Column(other) => (self.type_of)(other),
            Expr::Cast { ty, .. } => Some(ty.as_str()),
            _ => None,
        };
        // `varchar` becomes `char` when compared with `char`.
        let is_padded = |ty: &str| is_padded_type(&type_names::canonical(ty));
        if is(type_names::is_varchar) && said.is_some_and(is_padded) {
            return true;
        }
        is(is_integer_type) && matches!(class(), Some(Class::Decimal | Class::Float))
            || is(is_decimal_type) && class() == Some(Class::Float)
    }

    /// PostgreSQL: the collation of a comparison of a text column with names, if it is not that of the column.
    pub(super) fn collation_of_names(&self, operand: &Expr, values: &[&Expr]) -> Option<&'static str> {
        let column = operand.as_column().filter(|column| column.relation == Some(self.relation))?;
        let is_it = self.dialect == Dialect::Postgres
            && (self.holds)(&column.name, type_names::is_text)
            && values.iter().any(|value| self.values.is_name(value));
        let collation = (self.collation_of)(&column.name).unwrap_or_default();
        let is_bytewise = collation.trim_start_matches("pg_catalog.").trim_matches('"') == "C";
        (is_it && !is_bytewise).then_some("C")
    }

    /// PostgreSQL: the collation of a comparison of a column with the default collation with columns that have another.
    pub(super) fn collation_of_columns(&self, operand: &Expr, values: &[&Expr]) -> Option<String> {
        let column = operand.as_column().filter(|column| column.relation == Some(self.relation))?;
        let is_default =
            |collation: &str| collation.trim_start_matches("pg_catalog.").trim_matches('"') == "default";
        let is_it = self.dialect == Dialect::Postgres
            && (self.holds)(&column.name, type_names::is_text)
            && (self.collation_of)(&column.name).is_none_or(is_default);
        let of_column = |column: &ColumnRef| {
            let collation = (self.stored)(column)?.collation.as_deref()?;
            (!is_default(collation)).then(|| collation.to_owned())
        };
        values.iter().filter(|_| is_it).find_map(|value| self.values.collation_of(value, &of_column))
    }

    /// SQLite compares by the collation of the left column, if there is one; `None` if it is not known.
    pub(super) fn collation_of_left(&self, left: &Expr) -> Option<Box<str>> {
        let mut left = left;
        while let Expr::Cast { expr, .. } | Expr::Unary { expr, .. } = left {
            left = expr;
        }
        let column = left.as_column().filter(|_| self.dialect == Dialect::Sqlite)?;
        (self.stored)(column).map(|column| column.collation.as_deref().unwrap_or("binary").into())
    }

    fn widens(&self, operand: &Expr, value: &Expr) -> bool {
        self.widened(operand, value).is_some()
    }

    /// MySQL: the character sets of a column and of the one that it is compared with, if the texts of the first are
    /// converted to the larger set of the other.
    pub(super) fn widened(&self, operand: &Expr, value: &Expr) -> Option<(&'a str, &'a str)> {
        // What is not written is the default of the database, as a rule utf8mb4.
        let charset = |side: &Expr| {
            let column = (self.stored)(side.as_column()?)?;
            let of_collation = column.collation.as_deref().and_then(|it| it.split('_').next());
            let default = is_textual(&column.ty).then_some("utf8mb4");
            column.charset.as_deref().or(of_collation).or(default)
        };
        if self.dialect != Dialect::MySql {
            return None;
        }
        let (own, other) = (charset(operand)?, charset(value)?);
        (width_of_charset(own) < width_of_charset(other)).then_some((own, other))
    }

    /// Whether a value makes MySQL compare as numbers.
    fn is_number(&self, value: &Expr) -> bool {
        match value {
            Expr::Literal(Literal::Number(_) | Literal::Bool(_)) => true,
            Expr::Binary { op: Op::Arithmetic(_), left, right } => {
                !left.is_interval() && !right.is_interval()
            }
            Expr::Column(column) => (self.type_of)(column).is_some_and(is_numeric),
            Expr::Cast { ty, .. } => is_numeric(ty),
            Expr::Unary { expr, op } => op == "-" && self.is_number(expr),
            Expr::Subquery(block) => self.values.is_number(*block),
            Expr::Call(call) => returns_number(&call.name),
            Expr::Other { what, .. } => what.starts_with("extract"),
            _ => false,
        }
    }
}

/// MySQL: the rank of a character set; texts of a lower one are converted to compare them.
fn width_of_charset(charset: &str) -> u8 {
    match charset {
        "utf8mb4" => 3,
        "utf8" | "utf8mb3" | "ucs2" | "utf16" | "utf32" => 2,
        "ascii" => 0,
        _ => 1,
    }
}

/// MySQL: whether a built-in function returns a number, whatever its arguments are.
fn returns_number(name: &str) -> bool {
    functions::returns_integer(name)
        || matches!(
            name,
            "microsecond"
                | "timestampdiff"
                | "unix_timestamp"
                | "floor"
                | "ceil"
                | "ceiling"
                | "round"
                | "abs"
                | "mod"
                | "rand"
                | "last_insert_id"
                | "count"
                | "row_number"
        )
}

/// Whether MySQL and SQLite treat a type as text.
pub(super) fn is_textual(ty: &str) -> bool {
    !contains(ty, "int") && ["char", "clob", "text"].iter().any(|part| contains(ty, part))
}

/// Whether MySQL treats a type as a number.
fn is_numeric(ty: &str) -> bool {
    ["int", "real", "floa", "doub", "dec", "numeric", "signed"].iter().any(|part| contains(ty, part))
}

/// Whether a type's name contains a part, in any case.
fn contains(ty: &str, part: &str) -> bool {
    ty.as_bytes().windows(part.len()).any(|it| it.eq_ignore_ascii_case(part.as_bytes()))
}

fn is_integer_type(ty: &str) -> bool {
    matches!(ty, "smallint" | "integer" | "bigint")
}

fn is_decimal_type(ty: &str) -> bool {
    ty.starts_with("numeric")
}

/// Text types that ignore trailing blanks.
fn is_padded_type(ty: &str) -> bool {
    ty == "bpchar" || ty.starts_with("character(") || ty == "character"
}

/// Text types that ignore case.
fn is_caseless_type(ty: &str) -> bool {
    ty == "citext"
}
