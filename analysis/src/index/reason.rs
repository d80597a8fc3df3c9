//! The reason why a table is read as it is, in words.

use super::Verdict;
use super::condition::{Compare, Condition};
use super::item::Item;
use super::searches::{How, Served, holds};
use super::serve::Knows;
use crate::schema::Name;
use crate::schema::prepared::PreparedIndex;
use crate::sql::expr::Expr;

impl Item<'_> {
    pub(super) fn why(&self, verdict: Verdict, served: Option<Served>, table: &Name) -> String {
        match (verdict, served) {
            (Verdict::Served, Some(served)) => {
                let index = self.indexes.name(served.by);
                match served.how {
                    How::WalkedPartial => {
                        format!("partial index `{index}` holds only rows that the query asks for")
                    }
                    How::WalkedWhole | How::FilteredPartial | How::Searched(_) => {
                        format!("index `{index}` is searched")
                    }
                }
            }
            (Verdict::Full, _) => format!("the query asks for every row of `{table}`"),
            (Verdict::Unserved, _) => match self.demands.first() {
                Some(first) if self.conditions().next().is_none() && self.alternatives.is_empty() => {
                    format!("`{}` is not a condition an index can be searched by", shortened(first))
                }
                _ => self
                    .unused()
                    .unwrap_or_else(|| format!("no index of `{table}` begins with what the query compares")),
            },
            (_, _) => match self.in_doubt().and_then(|at| self.indexes.list().get(at)) {
                Some(doubtful) if self.is_searched_by_given() => {
                    format!(
                        "whether index `{}` is searched depends on the value of the pattern's parameter",
                        doubtful.index.name
                    )
                }
                Some(doubtful) => {
                    let (name, method) = (&doubtful.index.name, &doubtful.index.method);
                    format!("whether index `{name}` ({method}) serves the condition is not known")
                }
                None => "the table is not in the schema".to_owned(),
            },
        }
    }

    /// Whether a condition compares with a pattern that a parameter begins.
    fn is_searched_by_given(&self) -> bool {
        let is_given = |condition: &Condition| matches!(condition.compare, Compare::Given(_));
        self.conditions().any(is_given)
            || self.alternatives.iter().flatten().any(|arm| arm.conditions.iter().any(is_given))
    }

    /// Why an index that begins with what the query compares is not searched: it lacks rows, or it would be searched for each
    /// row of another table.
    fn unused(&self) -> Option<String> {
        let indexes = self.indexes.list().iter().enumerate();
        let mut usable = indexes.filter(|(at, it)| self.indexes.is_usable(*at) && !it.index.hidden);
        usable.find_map(|(_, prepared)| self.why_unused(prepared))
    }

    fn why_unused(&self, prepared: &PreparedIndex) -> Option<String> {
        let dialect = self.indexes.dialect();
        let (key, own) = (prepared.index.keys.first()?, prepared.keys.first()?.as_ref()?);
        let condition = self.conditions().find(|condition| {
            holds(own, condition, self.relation, dialect)
                && prepared.operator(&self.indexes, key, condition) == Knows::Yes
        })?;
        let name = &prepared.index.name;
        if !prepared.allowed(dialect, self.relation, &self.demands) {
            let rows = prepared.index.predicate.as_deref().unwrap_or_default();
            return Some(format!(
                "index `{name}` holds only rows with `{rows}`, which the query does not ask for"
            ));
        }
        (!condition.needs.is_empty()).then(|| {
            format!("index `{name}` would be searched once for each row that is joined, which costs more than reading all")
        })
    }
}

fn shortened(expr: &Expr) -> String {
    let text = expr.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text,
    }
}
