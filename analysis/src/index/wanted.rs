//! The index that would serve an unserved access: columns compared for equality first, then one range, then
//! the sort keys.

use super::condition::{Compare, Condition};
use super::few_values::has_few_values;
use super::new_index::NewIndex;
use super::printed::{Constant, Printer};
use super::{estimate, heirs, merge, serve, sort};
use crate::schema::{Name, Schema, Table};
use crate::sql::expr::{Expr, LikeKind, Op};
use crate::sql::query::{OrderKey, RelationId};
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, type_names};

/// What an index has to provide to serve one access.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// The table that the access reads.
    pub table: Name,
    /// Keys compared for equality, whose order does not matter.
    pub(super) equal: Vec<Key>,
    /// The keys after them as SQL, in order: one range, or the sort keys.
    pub(super) rest: Vec<String>,
    /// Whether `rest` is the wanted order of the rows.
    pub(super) ordered: bool,
    /// Conditions on this table that are the same in every run, as SQL, which may become the predicate of the
    /// index.
    pub(super) constants: Vec<String>,
    /// The access method and operator class; `None` for a btree with default operators.
    pub(super) method: Option<(&'static str, &'static str)>,
}

/// A key compared for equality.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) sql: String,
    /// Whether it has few distinct values, so that it is not selective.
    pub(super) few_values: bool,
    /// Whether it is compared with several values at once, so that the rows are not in the order of the keys
    /// after it.
    pub(super) several: bool,
    /// Whether it is a column that is compared with values of the query itself.
    pub(super) is_given: bool,
    /// The condition as SQL, if it compares with a constant.
    pub(super) constant: Option<String>,
}

/// An access, with what is known when it is read.
pub(super) struct Reading<'a> {
    pub(super) schema: &'a Schema,
    pub(super) table: &'a Table,
    pub(super) relation: RelationId,
    /// The conditions whose values are available.
    pub(super) conditions: Vec<&'a Condition>,
    /// Disjunctions, each as the conditions of its arms whose values are available.
    pub(super) alternatives: Vec<Vec<Vec<&'a Condition>>>,
    /// Everything that the query requires of its rows.
    pub(super) demands: &'a [&'a Expr],
    /// The order of the rows, if only the first of them are wanted.
    pub(super) order: &'a [OrderKey],
}

impl Wanted {
    /// The index that serves this access alone.
    pub fn index(&self, schema: &Schema) -> Option<NewIndex> {
        merge::index(&[self], schema)
    }
}

impl Wanted {
    /// Whether it compares a column with many values for equality.
    pub(super) fn narrows(&self) -> bool {
        self.equal.iter().any(|key| !key.few_values)
    }

    /// Whether it compares one of these columns for equality.
    pub(crate) fn compares(&self, columns: &[String], dialect: Dialect) -> bool {
        columns.iter().any(|column| self.equal.iter().any(|key| key.sql == quote_if_needed(column, dialect)))
    }

    /// The first key of an index for it, if only one can be that.
    fn first_key(&self) -> Option<&String> {
        match (self.equal.as_slice(), self.rest.first(), self.method) {
            ([one], _, None) => Some(&one.sql),
            ([], first, None) => first,
            _ => None,
        }
    }

    /// Puts a key that it compares for equality before all others; returns whether it does.
    fn begin_with(&mut self, key: &str) -> bool {
        let Some(at) = self.equal.iter().position(|it| it.sql == key).filter(|_| self.method.is_none())
        else {
            return false;
        };
        let first = self.equal.remove(at);
        let others = std::mem::replace(&mut self.equal, vec![first]);
        self.rest.splice(0..0, others.into_iter().map(|other| other.sql));
        true
    }

    /// Whether it compares with constants of the text alone, which many rows may have: those of a kind.
    pub(super) fn is_of_kind(&self) -> bool {
        let is_shared = |key: &Key| key.few_values || key.constant.is_some();
        !self.equal.is_empty() && self.equal.iter().all(is_shared) && self.rest.is_empty()
    }

    /// Whether it compares a column with many values with values of the query itself: an index on that column leads to few
    /// rows, however the other conditions are written.
    pub(crate) fn is_by_given_value(&self) -> bool {
        self.equal.iter().any(|key| key.is_given && !key.few_values && key.constant.is_none())
    }
}

impl<'a> Reading<'a> {
    /// What would serve the access: one index, or one for each arm of a disjunction; empty if no index can.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        if let Some(wanted) = self.searched(&self.conditions, self.order) {
            return vec![wanted];
        }
        self.alternatives.iter().find_map(|arms| self.by_arms(arms)).unwrap_or_default()
    }

    /// An index for each arm of a disjunction. One that would be for few values alone, as `a IS NULL` is, is left out where
    /// another arm has an index that may begin with the same key: it is searched for both.
    fn by_arms(&self, arms: &[Vec<&Condition>]) -> Option<Vec<Wanted>> {
        let mut own: Vec<Option<Wanted>> = arms.iter().map(|arm| self.searched(arm, &[])).collect();
        let bare: Vec<usize> =
            (0..arms.len()).filter(|at| own.get(*at).is_some_and(Option::is_none)).collect();
        for arm in bare.into_iter().filter_map(|at| arms.get(at)) {
            let keys = arm.iter().filter(|it| it.compare.is_equality()).filter_map(|it| self.key(it));
            let keys: Vec<String> = keys.collect();
            let begins = |wanted: &Wanted| wanted.first_key().is_some_and(|first| keys.contains(first));
            let has_first = own.iter().flatten().any(begins);
            let mut others = own.iter_mut().flatten();
            if !has_first && !others.any(|wanted| keys.iter().any(|key| wanted.begin_with(key))) {
                return None;
            }
        }
        Some(own.into_iter().flatten().collect())
    }

    fn searched(&self, conditions: &[&Condition], order: &[OrderKey]) -> Option<Wanted> {
        self.by_value(conditions, order).or_else(|| self.by_content(conditions))
    }

    fn printer(&self) -> Printer<'a> {
        Printer { schema: self.schema, table: self.table, relation: self.relation }
    }

    /// A btree, if a condition or the order can use it.
    fn by_value(&self, conditions: &[&Condition], order: &[OrderKey]) -> Option<Wanted> {
        let printer = self.printer();
        let constants: Vec<Constant> =
            self.demands.iter().filter_map(|demand| printer.constant(demand)).collect();
        let mut equal: Vec<Key> = Vec::new();
        // Comparisons with values of the query itself before comparisons with rows of other tables.
        let (own, joined): (Vec<&Condition>, Vec<&Condition>) =
            conditions.iter().copied().partition(|condition| condition.needs.is_empty());
        for condition in own.iter().chain(&joined).filter(|condition| condition.compare.is_equality()) {
            let Some(sql) = self.key(condition).filter(|sql| equal.iter().all(|key| key.sql != *sql)) else {
                continue;
            };
            let column = condition.operand.as_column();
            // Within a partition it is the same in all rows.
            if column.is_some_and(|it| heirs::divides_by_value(self.schema, self.table, &it.name)) {
                continue;
            }
            let constant = constants.iter().find(|constant| constant.key.as_ref() == Some(&sql));
            equal.push(Key {
                few_values: condition.compare == Compare::Null
                    || constant.is_some_and(|constant| constant.is_truth(self.schema.dialect))
                    || column.is_some_and(|column| has_few_values(self.schema, self.table, &column.name)),
                several: !condition.one_value,
                is_given: column.is_some() && condition.needs.is_empty(),
                constant: constant
                    .filter(|constant| constant.is_partial)
                    .map(|constant| constant.text.clone()),
                sql,
            });
        }
        let unused = |sql: &String| equal.iter().all(|key| key.sql != *sql);
        let ranges = own.iter().chain(&joined).filter(|condition| condition.compare == Compare::Range);
        let ranges: Vec<(&Condition, String)> =
            ranges.filter_map(|condition| Some((*condition, self.key(condition).filter(unused)?))).collect();
        let is_open = matches!(ranges.as_slice(), [(range, _)] if range.kept >= estimate::ONE_SIDE);
        let range = ranges.into_iter().map(|(_, key)| key).next();
        // Several values are several ranges of the index; a condition that becomes the predicate is not a
        // key.
        let partial = self.schema.dialect != Dialect::MySql;
        let is_torn = equal.iter().any(|key| key.several && !(partial && key.constant.is_some()));
        let ordered = if is_torn { None } else { sort::keys(&printer, order, &equal) };
        let (rest, ordered) = match (range, ordered) {
            (None, Some(keys)) => (keys, true),
            (Some(range), Some(keys)) if keys.first().is_some_and(|key| sort::is_by(key, &range)) => {
                (keys, true)
            }
            (range, _) => (range.into_iter().collect(), false),
        };
        // A range with one bound leaves so many rows that reading in order finds the first ones sooner, if an
        // index provides the order.
        if equal.is_empty() && is_open && !ordered && !order.is_empty() && sort::given(self.schema, self) {
            return None;
        }
        // Searching only by columns with few values leaves too many rows, unless it provides an order that
        // nothing else does.
        let few = equal.iter().all(|key| key.few_values);
        // Open jobs of a queue are few: a partial index contains only those, in order.
        let is_queue = partial && !equal.is_empty() && equal.iter().all(|key| key.constant.is_some());
        if few && (rest.is_empty() || (ordered && !is_queue && sort::given(self.schema, self))) {
            return None;
        }
        let partial = constants.into_iter().filter(|constant| constant.is_partial);
        let mut constants: Vec<String> = partial.map(|constant| constant.text).collect();
        constants.sort();
        constants.dedup();
        Some(Wanted { table: self.table.name.clone(), equal, rest, ordered, constants, method: None })
    }

    /// An inverted index on the elements of values, for operators that only such an index supports.
    fn by_content(&self, conditions: &[&Condition]) -> Option<Wanted> {
        let (sql, method) = conditions.iter().find_map(|condition| {
            let method = self.method(condition)?;
            Some((self.key(condition)?, method))
        })?;
        Some(Wanted {
            table: self.table.name.clone(),
            equal: Vec::new(),
            rest: vec![sql],
            ordered: false,
            constants: Vec::new(),
            method: Some(method),
        })
    }

    fn method(&self, condition: &Condition) -> Option<(&'static str, &'static str)> {
        let printer = self.printer();
        let ty = printer.content_type(&condition.operand);
        match (self.schema.dialect, &condition.compare) {
            (Dialect::Postgres, Compare::Prefix(LikeKind::Like)) if ty != "citext" => {
                Some(("btree", "text_pattern_ops"))
            }
            (Dialect::Postgres, Compare::Prefix(_) | Compare::Given(_) | Compare::Pattern(_)) => {
                Some(("gin", "gin_trgm_ops"))
            }
            (Dialect::Postgres, Compare::Operator(op)) => {
                let is_one_of = |known: &[&str]| known.contains(&op.as_str());
                let search = match &condition.operand {
                    Expr::Call(call) => call.name == "to_tsvector",
                    _ => ty == "tsvector",
                };
                match ty {
                    _ if search => is_one_of(&["@@"]).then_some(("gin", "")),
                    "jsonb" => is_one_of(&["@>", "?", "?|", "?&", "@?", "@@"]).then_some(("gin", "")),
                    "integer[]" if serve::has_intarray(self.schema) => {
                        is_one_of(&["@>", "&&"]).then_some(("gin", "gin__int_ops"))
                    }
                    ty if ty.ends_with("[]") => is_one_of(&["@>", "<@", "&&"]).then_some(("gin", "")),
                    "inet" | "cidr" => {
                        is_one_of(&["<<", "<<=", ">>", ">>=", "&&"]).then_some(("gist", "inet_ops"))
                    }
                    "point" => is_one_of(&["<@", "<<", ">>", "~="]).then_some(("gist", "")),
                    "box" | "polygon" | "circle" => {
                        is_one_of(&["&&", "@>", "<@", "<<", ">>", "~="]).then_some(("gist", ""))
                    }
                    ty if type_names::is_text(ty) => {
                        is_one_of(&["%", "%>", "%>>"]).then_some(("gin", "gin_trgm_ops"))
                    }
                    ty if ty.ends_with("range") => {
                        is_one_of(&["@>", "<@", "&&", "<<", ">>", "&<", "&>", "-|-"]).then_some(("gist", ""))
                    }
                    _ => None,
                }
            }
            (dialect, Compare::Prefix(_)) if serve::is_counted(ty, dialect) => None,
            (Dialect::Sqlite, Compare::Prefix(LikeKind::Like)) => Some(("btree", "COLLATE NOCASE")),
            (Dialect::Sqlite, Compare::Prefix(LikeKind::Glob))
            | (Dialect::MySql, Compare::Prefix(LikeKind::Like)) => Some(("btree", "")),
            _ => None,
        }
    }

    /// The key of a condition, as SQL; an index on an entire condition is too special to suggest.
    fn key(&self, condition: &Condition) -> Option<String> {
        let ty = self.printer().type_of(&condition.operand);
        let is_sorted =
            !UNSORTED.contains(&ty) || !matches!(condition.compare, Compare::Equal | Compare::Range);
        let key = (is_sorted && !condition.by_name && !is_condition(&condition.operand))
            .then(|| self.printer().key(&condition.operand))?;
        Some(format!("{}{}", key?, self.collation(condition).unwrap_or_default()))
    }

    /// The collation that an index needs for a comparison, where it is not that of the column.
    fn collation(&self, condition: &Condition) -> Option<String> {
        let column = self.table.column(&condition.operand.as_column()?.name)?;
        let collation = condition.collation.as_deref()?;
        let own = column.collation.as_deref();
        match self.schema.dialect {
            Dialect::Sqlite => {
                let own = own.unwrap_or("binary");
                (!own.eq_ignore_ascii_case(collation))
                    .then(|| format!(" COLLATE {}", collation.to_uppercase()))
            }
            Dialect::Postgres => (own != Some(collation))
                .then(|| format!(" COLLATE {}", quote_if_needed(collation, Dialect::Postgres))),
            Dialect::MySql => None,
        }
    }
}

/// Types without an order, or whose values are too long for a btree.
const UNSORTED: &[&str] =
    &["json", "jsonb", "xml", "tsvector", "point", "box", "path", "polygon", "circle", "line"];

/// Whether an expression is a condition rather than a value.
pub(super) fn is_condition(expr: &Expr) -> bool {
    match expr {
        Expr::Binary { op, .. } => !matches!(op, Op::Concat | Op::Arithmetic(_) | Op::Other(_)),
        Expr::Is { .. } | Expr::InList { .. } | Expr::InQuery { .. } | Expr::Any { .. } => true,
        Expr::Between { .. } | Expr::Like { .. } | Expr::Exists { .. } | Expr::And(_) | Expr::Or(_) => true,
        Expr::Not(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::index::accesses;
    use crate::index::tests::schema;
    use crate::sql::{Dialect, resolve};

    #[test]
    fn one_index_serves_nulls_and_what_is_compared_with_more() {
        let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int, b int NOT NULL, c int NOT NULL)";
        let schema = schema(Dialect::Postgres, ddl);
        let wanted = |condition: &str| {
            let sql = format!("SELECT id FROM t WHERE {condition}");
            let query = resolve(&sql, Dialect::Postgres, Some(&schema)).expect("it parses");
            let found = accesses(&query, &schema);
            let indexes = found[0].wanted.iter().filter_map(|wanted| wanted.index(&schema));
            indexes.map(|index| index.columns.join(", ")).collect::<Vec<_>>()
        };
        assert_eq!(wanted("a IS NULL OR b = $1 AND a = $2"), ["a, b"]);
        assert_eq!(wanted("(a = $1 AND b = $2) OR a IS NULL"), ["a, b"]);
        assert_eq!(wanted("a IS NULL OR b = $1 AND a = $2 AND c > $3"), ["a, b, c"]);
        assert_eq!(wanted("a IS NULL OR b = $1 AND c = $2"), [""; 0]);
    }
}
