//! How many rows the planner expects of relations that are not tables, and what they cost.

use super::super::plan::Reading;
use super::cost::{self, Cost, Input, OPERATOR, TUPLE, clamped};
use super::order::Sorting;
use super::scans::number;
use super::tree::{Guess, Tree};
use crate::sql::expr::{Expr, Literal};
use crate::sql::query::{Block, BlockId, Body, Select};

/// How many elements an array of unknown length is expected to have.
pub(super) const OF_UNKNOWN_ARRAY: f64 = 10.0;
/// The rows of a function of which nothing else is declared.
const OF_FUNCTION: f64 = 1000.0;
/// The part of the rows that a limit or an offset of unknown value counts.
const OF_UNKNOWN_LIMIT: f64 = 0.1;

/// How many rows a function is expected to return.
pub(super) fn of_function(reading: &Reading<'_>, name: &str, args: &[Expr], guess: Guess) -> f64 {
    let is_parameter = |array: &Expr| matches!(array.without_casts(), Expr::Parameter(_));
    match (name, args) {
        ("unnest", _) if args.iter().all(|array| reading.is_null(array)) => 1.0,
        ("unnest", _) if args.iter().all(is_parameter) => OF_UNKNOWN_ARRAY,
        // Several arrays are as long as the longest.
        ("unnest", _) => match args.iter().map(written_elements).collect::<Option<Vec<f64>>>() {
            Some(lengths) => lengths.into_iter().fold(1.0, f64::max),
            None => guess.rows,
        },
        // Of numbers the planner counts them, of times it does not.
        ("generate_series", [.., step]) if args.len() == 3 && is_interval(step) => OF_FUNCTION,
        ("generate_series", [start, stop, step @ ..]) if step.len() <= 1 => {
            let step = step.first().map_or(Some(1), integer);
            counted_up(integer(start), integer(stop), step).unwrap_or(guess.rows)
        }
        _ => guess.rows,
    }
}

/// How many elements an array has that is written out, `ARRAY[1, 2]`; `None` of any other.
fn written_elements(array: &Expr) -> Option<f64> {
    match array.without_casts() {
        Expr::Array(items) if !items.iter().any(|item| matches!(item, Expr::Array(_))) => {
            Some(number(items.len()))
        }
        _ => None,
    }
}

/// A number without a fraction.
fn integer(expr: &Expr) -> Option<i64> {
    match expr.without_casts() {
        Expr::Literal(Literal::Number(text)) => text.parse().ok(),
        Expr::Unary { op, expr } if op == "-" => integer(expr)?.checked_neg(),
        _ => None,
    }
}

/// The rows of `generate_series` over integers.
fn counted_up(start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> Option<f64> {
    let step = i128::from(step?);
    let count = (i128::from(stop?) - i128::from(start?) + step).checked_div(step)?;
    Some(f64::from(u32::try_from(count.max(1)).ok()?))
}

fn is_interval(step: &Expr) -> bool {
    match step {
        Expr::Cast { ty, .. } => ty.starts_with("interval"),
        Expr::Literal(Literal::Text(_)) => true,
        _ => false,
    }
}

/// The rows of a query expression and their cost; `None` if their number is not known.
pub(super) fn size_of(reading: &Reading<'_>, id: BlockId, guess: Guess) -> Option<Input> {
    if !reading.may_estimate() {
        return None;
    }
    let block = reading.query.block(id);
    if block.filters().iter().any(|filter| reading.is_never_true(filter, 0)) {
        return Some(Input::rows(1.0));
    }
    let select = match &block.body {
        Body::Values(rows) => {
            let rows = number(rows.len());
            return Some(Input { cost: Cost { startup: 0.0, total: OPERATOR * rows }, rows });
        }
        Body::Set { .. } | Body::Unknown => return None,
        Body::Write(write) => match write.source {
            Some(source) => return reading.deeper(|| size_of(reading, source, guess))?,
            None => return modelled(reading, id, guess)?.cheapest(reading, None),
        },
        Body::Select(select) => select,
    };
    if select.set_returning {
        return None;
    }
    if select.from.is_empty() {
        return Some(Input::rows(1.0));
    }
    let is_single = select.aggregates && select.group_by.is_empty();
    let tree = modelled(reading, id, guess)?;
    let is_grouped = is_single || !select.group_by.is_empty() || select.distinct.is_some();
    let mut ways = vec![];
    if is_grouped {
        let input = tree.cheapest(reading, None)?;
        let rows = match is_single {
            true => 1.0,
            false if select.having.is_some() => return None,
            false => tree.groups(reading, block, select, input.rows)?,
        };
        let startup = input.cost.total + OPERATOR * input.rows;
        ways.push((Input { cost: Cost { startup, total: startup + TUPLE * rows }, rows }, false));
    } else {
        let sorting = Sorting::of(reading, id, &tree);
        if matches!(sorting, Sorting::Unknown) {
            return None;
        }
        ways.push((tree.cheapest(reading, None)?, matches!(sorting, Sorting::Nothing)));
        if let Some(order) = sorting.order() {
            ways.extend(tree.cheapest(reading, Some(order)).map(|input| (input, true)));
        }
    }
    let all = ways.into_iter().map(|(input, is_ordered)| {
        let is_sorted = is_ordered || block.order_by.is_empty();
        let cost = if is_sorted { input.cost } else { cost::sorted(input.cost, input.rows) };
        limited(reading, block, Input { cost, ..input })
    });
    let all: Vec<Input> = all.collect::<Option<_>>()?;
    all.into_iter().reduce(|best, other| if other.cost.total < best.cost.total { other } else { best })
}

/// The joins of a query, if their cost is known.
fn modelled<'q>(reading: &Reading<'q>, id: BlockId, guess: Guess) -> Option<Tree<'q>> {
    reading.deeper(|| Tree::new(reading, id, guess))?.filter(|tree| !tree.is_unmodelled)
}

/// The rows after OFFSET and LIMIT.
fn limited(reading: &Reading<'_>, block: &Block, all: Input) -> Option<Input> {
    let Input { cost: Cost { mut startup, mut total }, mut rows } = all;
    let run = total - startup;
    let offset = block.offset.as_ref().filter(|offset| {
        !matches!(offset.without_casts(), Expr::Literal(Literal::Number(text) | Literal::Text(text)) if text == "0")
    });
    if let Some(part) = counted(reading, offset, all.rows)? {
        let skipped = part.min(rows);
        startup += run * skipped / all.rows;
        rows = (rows - skipped).max(1.0);
    }
    if let Some(part) = counted(reading, block.limit.as_ref(), all.rows)? {
        let count = part.min(rows);
        total = startup + run * count / all.rows;
        rows = count.max(1.0);
    }
    Some(Input { cost: Cost { startup, total }, rows })
}

/// How many rows a limit or offset is expected to count; `Some(None)` if there is no limit, `None` if the number is not known.
fn counted(reading: &Reading<'_>, count: Option<&Expr>, rows: f64) -> Option<Option<f64>> {
    let Some(count) = count.filter(|count| !reading.is_null(count)) else { return Some(None) };
    match count.without_casts() {
        Expr::Parameter(_) | Expr::Subquery(_) => Some(Some(clamped(rows * OF_UNKNOWN_LIMIT))),
        Expr::Literal(Literal::Number(text) | Literal::Text(text)) => {
            let count: u32 = text.trim().parse().ok()?;
            Some(Some(f64::from(count.max(1))))
        }
        _ => None,
    }
}

impl<'q> Tree<'q> {
    /// How many groups the planner expects; `None` if they are by other than columns.
    fn groups(&self, reading: &Reading<'q>, block: &Block, select: &'q Select, rows: f64) -> Option<f64> {
        if rows <= 1.0 {
            return Some(1.0);
        }
        let mut keys: Vec<&Expr> = select.group_by.iter().collect();
        match select.distinct.as_deref() {
            None => {}
            Some([]) if keys.is_empty() => {
                keys.extend(block.outputs.as_deref()?.iter().map(|output| &output.expr));
            }
            Some(on) if keys.is_empty() => keys.extend(on),
            Some(_) => return None,
        }
        let mut columns: Vec<(usize, String)> = Vec::new();
        for key in keys {
            let (id, name) = reading.leaf(key, 0)?;
            let column = (self.only(self.bit(id))?, name);
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let mut groups = 1.0;
        for (at, leaf) in self.leaves.iter().enumerate() {
            let of_leaf = columns.iter().filter(|(of, _)| *of == at);
            let distinct: Vec<f64> = of_leaf.map(|(_, name)| leaf.distinct(name).0).collect();
            let Some(most) = distinct.iter().copied().reduce(f64::max) else { continue };
            let limit = match distinct.len() {
                1 => leaf.tuples,
                _ => (leaf.tuples * 0.1).max(most).min(leaf.tuples),
            };
            let mut found = distinct.iter().product::<f64>().min(limit);
            if leaf.rows < leaf.tuples {
                found *= 1.0 - ((leaf.tuples - leaf.rows) / leaf.tuples).powf(leaf.tuples / found);
            }
            groups *= clamped(found);
        }
        Some(groups.ceil().clamp(1.0, rows))
    }
}
