//! Columns wrapped in a function, a cast or arithmetic in a comparison, so that their index is not used.
//! `function_on_column` and `cast_on_column` look for different wrappings.

use std::collections::HashMap;

use super::{clause, wording};
use crate::finding::{Applicability, Finding};
use crate::index::has_few_values;
use crate::lints::QueryContext;
use crate::schema::Table;
use crate::sql::Dialect;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::predicates;
use crate::sql::query::{Query, RelationId};
use crate::sql::quote::quote_if_needed;

/// A comparison of a wrapped column with something that is not from its table.
pub(in crate::lints) struct Wrapped<'q> {
    /// The column's table.
    pub(in crate::lints) relation: RelationId,
    pub(in crate::lints) column: &'q ColumnRef,
    /// The expression around it.
    pub(in crate::lints) operand: &'q Expr,
    /// The comparison, with the operand on the left.
    pub(in crate::lints) comparison: Comparison<'q>,
    /// The whole comparison.
    condition: &'q Expr,
    /// The branches of an OR that all compare the operand; empty for a single comparison.
    branches: Vec<Wrapped<'q>>,
}

/// An equivalent condition on the column itself.
pub(in crate::lints) struct Rewrite {
    /// The condition.
    pub(in crate::lints) text: String,
    /// How far it is equivalent.
    pub(in crate::lints) applicability: Applicability,
}

impl Rewrite {
    /// An exactly equivalent condition.
    pub(in crate::lints) fn equal(text: String) -> Rewrite {
        Rewrite { text, applicability: Applicability::Machine }
    }

    /// A condition that differs at most for values at the end of a range, or unexpected values.
    pub(in crate::lints) fn alike(text: String) -> Rewrite {
        Rewrite { text, applicability: Applicability::Maybe }
    }
}

/// How an operand is compared.
#[derive(Clone, Copy)]
pub(in crate::lints) enum Comparison<'q> {
    /// `=`, `<` and similar operators.
    Binary(&'q Op, &'q Expr, Flipped),
    Between(&'q Expr, &'q Expr),
    /// `= ANY (array)`.
    Any(&'q Expr),
    /// `IN`, with a list or a query; several comparisons of which one is enough.
    In,
}

/// Whether the operand is on the right.
pub(in crate::lints) type Flipped = bool;

impl Comparison<'_> {
    /// The operator, with the operand on its left, and the value; `None` unless it is a comparison with one
    /// value.
    pub(in crate::lints) fn binary(&self) -> Option<(Op, &Expr)> {
        match self {
            Comparison::Binary(op, value, flipped) => {
                Some((if *flipped { op.flipped() } else { (*op).clone() }, value))
            }
            _ => None,
        }
    }
}

/// The wrapped columns of a query whose tables are read row by row, because no other condition helps.
pub(in crate::lints) fn all<'q>(context: &QueryContext<'_>, query: &'q Query) -> Vec<Wrapped<'q>> {
    let mut found = Vec::new();
    if !context.any_unserved() {
        return found;
    }
    for (_, block) in query.written_blocks() {
        for condition in block.conditions() {
            let wrapped = match condition {
                Expr::Or(arms) => of_branches(condition, arms),
                alone => of_condition(alone),
            };
            found.extend(wrapped.into_iter().filter(|wrapped| context.unserved(wrapped.relation).is_some()));
        }
    }
    found
}

/// The findings of wrapped columns, each with the table that is read in full because of it. Where several conditions compare one
/// operand, as those of a range do, each says how all of them are written.
pub(in crate::lints) fn findings<'w, 'q: 'w>(
    lint: &'static str,
    context: &QueryContext<'_>,
    query: &Query,
    found: impl Iterator<Item = (&'w Wrapped<'q>, Option<Rewrite>, bool)>,
) -> Vec<(RelationId, Finding)> {
    let found: Vec<_> = found.collect();
    let key = |wrapped: &Wrapped<'_>| (wrapped.relation, wrapped.operand.to_string());
    let mut texts: HashMap<_, Vec<Option<String>>> = HashMap::new();
    for (wrapped, rewrite, _) in &found {
        let text = rewrite.as_ref().map(|rewrite| match wrapped.branches.is_empty() {
            true => rewrite.text.clone(),
            false => format!("({})", rewrite.text),
        });
        texts.entry(key(wrapped)).or_default().push(text);
    }
    let finding = |(wrapped, rewrite, indexable): (&Wrapped<'q>, Option<Rewrite>, bool)| {
        let mut finding = wrapped.finding(lint, context, query, rewrite, indexable)?;
        let texts = texts.get(&key(wrapped)).filter(|texts| texts.len() > 1);
        let together = texts.and_then(|texts| texts.iter().cloned().collect::<Option<Vec<String>>>());
        if let (Some(texts), Some(first)) = (together, finding.help.first_mut()) {
            *first = instead(&texts.join(" AND "));
        }
        Some((wrapped.relation, finding))
    };
    found.into_iter().filter_map(finding).collect()
}

/// What to write in place of conditions on a wrapped column.
fn instead(text: &str) -> String {
    format!("compare the column itself: `{text}`")
}

/// The operands that every branch of an OR compares: an index is searched once per branch, if it is searched for each of them.
fn of_branches<'q>(condition: &'q Expr, arms: &'q [Expr]) -> Vec<Wrapped<'q>> {
    let Some((first, _)) = arms.split_first() else { return Vec::new() };
    let alike = |wrapped: Wrapped<'q>| {
        let is_same =
            |other: &Wrapped<'_>| other.relation == wrapped.relation && other.operand == wrapped.operand;
        let branches = arms.iter().map(|arm| of_condition(arm).into_iter().find(is_same));
        let branches = branches.collect::<Option<Vec<_>>>()?;
        Some(Wrapped { comparison: Comparison::In, condition, branches, ..wrapped })
    };
    of_condition(first).into_iter().filter_map(alike).collect()
}

fn of_condition(condition: &Expr) -> Vec<Wrapped<'_>> {
    let sides: Vec<(&Expr, Vec<&Expr>, Comparison<'_>)> = match condition {
        Expr::Binary { op, left, right } if *op == Op::Eq || op.is_range() => vec![
            (left, vec![right], Comparison::Binary(op, right, false)),
            (right, vec![left], Comparison::Binary(op, left, true)),
        ],
        Expr::Between { expr, low, high, negated: false } => {
            vec![(expr, vec![low, high], Comparison::Between(low, high))]
        }
        Expr::Any { left, op: Op::Eq, right, all: false } => {
            vec![(left, vec![right], Comparison::Any(right))]
        }
        Expr::InList { expr, list, negated: false } => vec![(expr, list.iter().collect(), Comparison::In)],
        Expr::InQuery { expr, op: Op::Eq, negated: false, .. } => vec![(expr, Vec::new(), Comparison::In)],
        _ => Vec::new(),
    };
    sides
        .into_iter()
        .filter_map(|(operand, values, comparison)| wrapped(condition, operand, &values, comparison))
        .collect()
}

fn wrapped<'q>(
    condition: &'q Expr,
    operand: &'q Expr,
    values: &[&Expr],
    comparison: Comparison<'q>,
) -> Option<Wrapped<'q>> {
    let columns = operand.columns();
    let (column, others) = columns.split_first()?;
    let relation = column.relation?;
    let plain = matches!(operand, Expr::Column(_))
        || operand.any(|e| e.own_subquery().is_some() || matches!(e, Expr::WholeRow(_)));
    let same_table = |value: &&Expr| value.columns().iter().any(|other| other.relation == Some(relation));
    if plain || others.iter().any(|other| other != column) || values.iter().any(same_table) {
        return None;
    }
    (!predicates::is_volatile(operand)).then_some(Wrapped {
        relation,
        column,
        operand,
        comparison,
        condition,
        branches: Vec::new(),
    })
}

/// The name of an index that could be searched for the bare column.
pub(in crate::lints) fn index_of(table: &Table, column: &str) -> Option<String> {
    if table.rowid_alias().is_some_and(|alias| alias.name == column) {
        return Some("rowid".to_owned());
    }
    let leads = table.indexes.iter().find(|index| {
        index.predicate.is_none()
            && matches!(index.method.as_str(), "btree" | "hash" | "brin")
            && index.keys.first().and_then(|key| key.as_column()) == Some(column)
    });
    leads.map(|index| index.name.clone())
}

impl Wrapped<'_> {
    /// The equivalent condition on the column itself, as `rewrite` finds it for each comparison.
    pub(in crate::lints) fn rewritten(&self, rewrite: impl Fn(&Self) -> Option<Rewrite>) -> Option<Rewrite> {
        if self.branches.is_empty() {
            return rewrite(self);
        }
        let text = |branch: &Self| {
            let Rewrite { text, .. } = rewrite(branch)?;
            Some(if text.contains(" AND ") { format!("({text})") } else { text })
        };
        let texts = self.branches.iter().map(text).collect::<Option<Vec<String>>>()?;
        Some(Rewrite::alike(texts.join(" OR ")))
    }

    /// The one value, or the array, that it is compared with.
    pub(in crate::lints) fn value(&self) -> Option<&Expr> {
        match self.comparison {
            Comparison::Binary(_, value, _) | Comparison::Any(value) => Some(value),
            Comparison::Between(..) | Comparison::In => None,
        }
    }

    /// The column as written in a condition: qualified if there are several tables.
    pub(in crate::lints) fn name(&self, query: &Query, dialect: Dialect) -> String {
        let relation = query.relation(self.relation);
        let name = quote_if_needed(&self.column.name, dialect);
        let alone = query.relations.iter().filter(|other| other.block == relation.block).count() < 2;
        if alone { name } else { format!("{}.{name}", quote_if_needed(&relation.alias, dialect)) }
    }

    /// The type of the column, in lower case; empty if it has none.
    pub(in crate::lints) fn column_type(&self, context: &QueryContext<'_>, query: &Query) -> String {
        let column = context.table(query, self.relation).and_then(|table| table.column(&self.column.name));
        column.map(|column| column.ty.to_ascii_lowercase()).unwrap_or_default()
    }

    /// Whether the bounds of a `BETWEEN SYMMETRIC` may be in either order.
    pub(in crate::lints) fn is_symmetric(&self, context: &QueryContext<'_>) -> bool {
        let text = clause::Text::new(context.sql, context.dialect);
        let condition = self.column.span.and_then(|span| text.condition_at(span.start));
        condition.is_none_or(|condition| text.slice(condition).to_ascii_lowercase().contains("symmetric"))
    }

    /// The value on the other side, in parentheses if it is computed: as it is written in the query, or as it is understood if
    /// that cannot be delimited.
    pub(in crate::lints) fn value_text(&self, context: &QueryContext<'_>, value: &Expr) -> String {
        let understood = wording::operand(value, context.dialect);
        // Of placeholders without numbers, each is a parameter of its own.
        let is_numbered =
            context.dialect == Dialect::Postgres || !value.any(|it| matches!(it, Expr::Parameter(_)));
        let (Comparison::Binary(..), true) = (self.comparison, is_numbered) else { return understood };
        let Some(anchor) = self.column.span.map(|span| span.start) else { return understood };
        let text = clause::Text::new(context.sql, context.dialect);
        let Some(written) = text.other_side_at(anchor).map(|side| text.slice(side)) else {
            return understood;
        };
        match value {
            Expr::Binary { .. } | Expr::And(_) | Expr::Or(_) | Expr::Not(_) | Expr::Is { .. }
                if !(written.starts_with('(') && written.ends_with(')')) =>
            {
                format!("({written})")
            }
            _ => written.to_owned(),
        }
    }

    /// The finding, with what to write instead: `rewrite`, or an `index` on the expression. `None` if neither
    /// helps.
    fn finding(
        &self,
        lint: &'static str,
        context: &QueryContext<'_>,
        query: &Query,
        rewrite: Option<Rewrite>,
        indexable: bool,
    ) -> Option<Finding> {
        let table = context.table(query, self.relation)?;
        let index = index_of(table, &self.column.name);
        // An index that exists is free to search; another has to begin with what is compared for equality.
        if (index.is_none() || rewrite.is_none()) && context.lacks_index_of_value(self.relation) {
            return None;
        }
        let operand = wording::sql(self.operand, context.dialect);
        // Without an index on the column, the wrapping costs nothing; `unindexed_filter` reports what is
        // missing.
        let keeps = match (&index, &rewrite) {
            (Some(index), _) => format!("index `{index}` from being searched"),
            (None, Some(_)) => {
                format!("any index on `{}.{}` from being searched", table.name, self.column.name)
            }
            (None, None) => return None,
        };
        let anchor = self.column.span.map_or(usize::MAX, |span| span.start);
        let named = || self.operand.span().map_or(0..0, |span| span.range());
        let span = clause::Text::new(context.sql, context.dialect).side_at(anchor).unwrap_or_else(named);
        let mut finding = Finding::new(lint, format!("comparing `{operand}` keeps {keeps}")).excerpt(
            context.sql,
            span,
            "every row is read",
        );
        finding = match rewrite {
            Some(Rewrite { text, .. }) if !self.branches.is_empty() => finding.help(instead(&text)),
            Some(Rewrite { text, applicability }) => {
                let finding = finding.help(instead(&text));
                clause::replace_condition(
                    finding,
                    context,
                    query,
                    (self.condition, anchor),
                    &text,
                    applicability,
                )
            }
            None if indexable => finding
                .help(format!("index the compared expression: `{}`", self.index(table, context.dialect))),
            None => finding.help(format!(
                "compare `{}` itself, with a value that is computed on the other side",
                self.name(query, context.dialect)
            )),
        };
        let is_few = context.schema.is_some_and(|schema| has_few_values(schema, table, &self.column.name));
        if index.is_none() && is_few {
            let note =
                format!("`{}` has few values, so that an index on it leaves many rows", self.column.name);
            finding = finding.note(note);
            finding = if context.is_raw() { finding.listed() } else { finding };
        } else if index.is_none() {
            let column = quote_if_needed(&self.column.name, context.dialect);
            let name = match context.dialect {
                Dialect::Postgres => String::new(),
                Dialect::MySql | Dialect::Sqlite => format!("{}_{}_idx ", table.name.name, self.column.name),
            };
            finding =
                finding.help(format!("and index it: `CREATE INDEX {name}ON {} ({column})`", table.name));
        }
        Some(finding)
    }

    /// The index on the expression.
    fn index(&self, table: &Table, dialect: Dialect) -> String {
        let operand = self.operand;
        match dialect {
            Dialect::Postgres => match operand {
                Expr::Call(_) => format!("CREATE INDEX ON {} ({operand})", table.name),
                _ => format!("CREATE INDEX ON {} (({operand}))", table.name),
            },
            Dialect::Sqlite | Dialect::MySql => {
                let operand = wording::sql(operand, dialect);
                format!(
                    "CREATE INDEX {}_{}_idx ON {} (({operand}))",
                    table.name.name, self.column.name, table.name
                )
            }
        }
    }
}
