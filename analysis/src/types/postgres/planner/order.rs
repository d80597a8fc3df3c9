//! The order that a query asks for, and which ways to read its relations deliver it.

use super::super::plan::Reading;
use super::estimate::{Filter, Leaf, is_fixed};
use super::sides::COMPUTED;
use super::tree::{Outer, OuterKind, Set, Tree};
use crate::schema::{Index, KeyPart};
use crate::sql::expr::{Expr, Literal, Test};
use crate::sql::query::{BlockId, Source};
use crate::types::Planned;

/// Functions over no row whose value is the same for every row.
const STABLE: [&str; 2] = ["now", "current_setting"];

/// What has to be done for the order of a query.
#[derive(Debug)]
pub(super) enum Sorting {
    /// It asks for none, or only for that of constants.
    Nothing,
    /// Its rows are sorted at the end in any case.
    Always,
    /// Its rows are sorted at the end unless they come in this order.
    Unless(Order),
    /// What an index delivers is not known.
    Unknown,
}

/// The keys by which a query orders its rows.
#[derive(Debug)]
pub(super) struct Order(Vec<Key>);

#[derive(Debug)]
struct Key {
    /// The column, and those that inner joins make equal to it.
    columns: Vec<(usize, String)>,
    desc: bool,
    nulls_first: bool,
}

impl Key {
    fn is(&self, at: usize, column: &str) -> bool {
        self.columns.iter().any(|(of, name)| *of == at && name == column)
    }
}

impl Sorting {
    pub(super) fn of<'q>(reading: &Reading<'q>, root: BlockId, tree: &Tree<'q>) -> Sorting {
        let mut keys: Vec<Key> = Vec::new();
        let mut is_known = true;
        for key in &reading.query.block(root).order_by {
            let expr = underlying(reading, &key.expr);
            match tree.relabelled(reading, expr) {
                Some((at, name)) => {
                    let columns = tree.equal_to((at, name.clone()));
                    let is_constant = |(at, name): &(usize, String)| {
                        tree.optional() >> at & 1 == 0
                            && tree.leaf(*at).is_some_and(|leaf| leaf.is_constant(name))
                    };
                    // Neither a constant nor a key that was there before decides anything.
                    if columns.iter().any(is_constant) || keys.iter().any(|key| key.is(at, &name)) {
                        continue;
                    }
                    // Below an outer join it is one for the rows that are found.
                    is_known &= !tree.leaf(at).is_some_and(|leaf| leaf.is_constant(&name));
                    let nulls_first = key.nulls_first.unwrap_or(key.desc);
                    keys.push(Key { columns, desc: key.desc, nulls_first });
                }
                None => match sorts_by(reading, expr, tree) {
                    Some(true) => return Sorting::Always,
                    Some(false) => {}
                    None => is_known = false,
                },
            }
        }
        match keys.as_slice() {
            _ if !is_known => Sorting::Unknown,
            [] => Sorting::Nothing,
            _ => Sorting::Unless(Order(keys)),
        }
    }

    pub(super) fn order(&self) -> Option<&Order> {
        match self {
            Sorting::Unless(order) => Some(order),
            _ => None,
        }
    }
}

/// Whether the rows of a query are sorted at the end, however it joins: it orders by a column that no index has and no condition
/// compares.
pub(super) fn is_sorted_in_any_case(reading: &Reading<'_>, root: BlockId) -> bool {
    let query = reading.query;
    let is_free = |key: &Expr| {
        let Some(leaf) = reading.leaf(underlying(reading, key), 0) else { return false };
        let Source::Table(name) = &query.relation(leaf.0).source else { return false };
        let Some(table) = reading.schema.stored(name) else { return false };
        let is_split = table.partition_by.is_some() || reading.schema.children_of(name).next().is_some();
        let is_indexed = table.indexes.iter().flat_map(|index| &index.keys).any(|key| match &key.part {
            KeyPart::Column(name) => *name == leaf.1,
            KeyPart::Expression(_) => true,
        });
        let is_it = |part: &Expr| reading.leaf(part, 0).as_ref() == Some(&leaf);
        let mut conditions = query.block_ids().flat_map(|(_, block)| block.conditions());
        !is_split && !is_indexed && !conditions.any(|condition| condition.any(is_it))
    };
    query.block(root).order_by.iter().any(|key| is_free(&key.expr))
}

/// Whether rows have to be sorted by an expression that is no column: a constant orders nothing, and an index may be on
/// the expression. `None` if that is not known.
fn sorts_by(reading: &Reading<'_>, expr: &Expr, tree: &Tree<'_>) -> Option<bool> {
    if reading.is_null(expr) {
        return Some(false);
    }
    if expr.any(|part| matches!(part, Expr::Subquery(_)) || part.own_subquery().is_some()) {
        return None;
    }
    // With NULL for it, more of the expression may fall away.
    if reading.planned == Planned::ForNulls && expr.any(|part| matches!(part, Expr::Parameter(_))) {
        return None;
    }
    if is_fixed(expr) {
        let is_volatile =
            |part: &Expr| matches!(part, Expr::Call(call) if !STABLE.contains(&call.name.as_str()));
        return if expr.any(is_volatile) { None } else { Some(false) };
    }
    let is_special = |index: &Index| {
        index.keys.iter().any(|key| matches!(key.part, KeyPart::Expression(_)) || key.collation.is_some())
    };
    let is_indexed = |leaf: &Leaf<'_>| leaf.table.is_some_and(|table| table.indexes.iter().any(is_special));
    let sides = tree.clauses.iter().chain(tree.outer.iter().flat_map(|join| &join.on));
    let is_merged =
        sides.filter_map(|clause| clause.equal.as_ref()).flatten().any(|(_, name)| name == COMPUTED);
    if tree.leaves.iter().any(is_indexed) || is_merged { None } else { Some(true) }
}

/// The expression behind a column of a query that is merged into the outer one.
fn underlying<'q>(reading: &Reading<'q>, expr: &'q Expr) -> &'q Expr {
    let mut expr = expr;
    for _ in 0..16 {
        let Expr::Column(column) = expr else { break };
        let Some(relation) = column.relation.filter(|id| reading.pulled_up(*id).is_some()) else { break };
        let block = match &reading.query.relation(relation).source {
            Source::Derived(block) | Source::View(_, block) => Some(*block),
            _ => reading.inlined(relation),
        };
        let columns = reading.query.relation(relation).columns.as_deref().unwrap_or_default();
        let at = columns.iter().position(|known| known.name == column.name);
        let outputs = block.and_then(|block| reading.query.block(block).outputs.as_deref());
        let Some(inner) = at.and_then(|at| outputs?.get(at)) else { break };
        expr = &inner.expr;
    }
    expr
}

impl Tree<'_> {
    /// The relations that an outer join may leave out.
    fn optional(&self) -> Set {
        let of = |join: &Outer| match join.kind {
            OuterKind::Full => join.left | join.right,
            _ => join.right,
        };
        self.outer.iter().fold(0, |all, join| all | of(join))
    }

    /// A column, and those that inner joins make equal to it.
    fn equal_to(&self, column: (usize, String)) -> Vec<(usize, String)> {
        let optional = self.optional();
        let mut all = vec![column];
        let mut at = 0;
        while let Some(known) = all.get(at).cloned() {
            at += 1;
            for clause in self.clauses.iter().filter(|clause| clause.of & optional == 0) {
                let Some([one, other]) = &clause.equal else { continue };
                let equal = if *one == known {
                    other
                } else if *other == known {
                    one
                } else {
                    continue;
                };
                if equal.1 != COMPUTED && known.1 != COMPUTED && !all.contains(equal) {
                    all.push(equal.clone());
                }
            }
        }
        all
    }
}

impl Leaf<'_> {
    /// Whether a column equals a constant, so that it orders nothing. What is compared with TRUE or FALSE does order:
    /// the planner reads that as the column itself.
    fn is_constant(&self, column: &str) -> bool {
        let is_equal = |of: &&Filter<'_>| of.compared() == Some((column, true));
        self.filters.iter().filter(is_equal).any(|of| !of.is_of_bool())
    }

    /// Whether a condition demands one of the two values of a column: an index has it in order nevertheless.
    pub(super) fn is_decided(&self, column: &str) -> bool {
        self.filters.iter().any(|of| of.decides() == Some(column))
    }
}

impl Filter<'_> {
    fn is_of_bool(&self) -> bool {
        let is_bool = |expr: &Expr| matches!(expr.without_casts(), Expr::Literal(Literal::Bool(_)));
        matches!(self, Filter::Written(Expr::Binary { left, right, .. }) if is_bool(left) || is_bool(right))
    }

    /// The column of type boolean that it demands to be true, or to be false.
    pub(super) fn decides(&self) -> Option<&str> {
        let Filter::Written(expr) = self else { return None };
        let of = match expr {
            Expr::Not(inner) => &**inner,
            Expr::Is { expr, test: Test::True | Test::False, negated: false } => &**expr,
            _ if self.is_of_bool() => return self.compared().filter(|(_, equal)| *equal).map(|it| it.0),
            other => other,
        };
        of.as_column().map(|column| column.name.as_str())
    }
}

impl Order {
    /// Whether a merge by equal columns delivers it: it may sort its outer side by them, in any order.
    pub(super) fn is_by(&self, equalities: &[&[(usize, String); 2]], outer: Set) -> bool {
        self.0.iter().all(|key| key.is_among(equalities, outer))
    }

    /// Whether rows in this order can be merged by equal columns.
    pub(super) fn begins_with(&self, equalities: &[&[(usize, String); 2]], outer: Set) -> bool {
        self.0.first().is_some_and(|key| key.is_among(equalities, outer))
    }

    pub(super) fn is_descending(&self) -> bool {
        self.0.first().is_some_and(|key| key.desc)
    }

    /// Whether all its keys are columns of a relation.
    pub(super) fn is_within(&self, at: usize) -> bool {
        self.0.iter().all(|key| key.columns.iter().any(|(of, _)| *of == at))
    }

    /// Whether it is that of a relation's rows that come in some order.
    pub(super) fn is_given_by(&self, at: usize, sorted: &[(String, bool)]) -> bool {
        self.0.len() <= sorted.len()
            && self.0.iter().zip(sorted).all(|(key, (name, desc))| {
                key.is(at, name) && *desc == key.desc && key.nulls_first == key.desc
            })
    }

    /// Whether an index of a relation delivers it, from either end. Its columns that equal constants do not count.
    pub(super) fn is_of(&self, at: usize, leaf: &Leaf<'_>, index: &Index) -> bool {
        if index.method != "btree" || index.hidden {
            return false;
        }
        let (mut found, mut is_backward) = (0, None);
        for part in &index.keys {
            let Some(next) = self.0.get(found) else { break };
            let Some(column) = part.as_column() else { return false };
            if leaf.is_constant(column) || self.0.iter().take(found).any(|key| key.is(at, column)) {
                continue;
            }
            let is_next = next.is(at, column) && part.opclass.is_none() && part.collation.is_none();
            if !is_next {
                if leaf.is_decided(column) {
                    continue;
                }
                return false;
            }
            let backward = part.desc != next.desc;
            if (part.nulls_first != next.nulls_first) != backward || is_backward == Some(!backward) {
                return false;
            }
            is_backward = Some(backward);
            found += 1;
        }
        found == self.0.len()
    }
}

impl Key {
    fn is_among(&self, equalities: &[&[(usize, String); 2]], outer: Set) -> bool {
        equalities.iter().copied().flatten().any(|(at, name)| outer >> at & 1 == 1 && self.is(*at, name))
    }
}
