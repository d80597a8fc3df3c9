//! Pages found by counting the rows before them.

use super::shared::{pasteable, wording};
use super::{Check, QueryContext, declare_lint};
use crate::cardinality::{self, Rows};
use crate::finding::Finding;
use crate::rust::{Site, SiteSql};
use crate::schema::Table;
use crate::sql::batch::on_one_line;
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::lex::{Lexer, TokenKind};
use crate::sql::query::{Block, BlockId, Body, Query, RelationId, Source};
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, resolve};

declare_lint! {
    /// ## What it does
    ///
    /// Finds `OFFSET` with a parameter or a large number, over rows that nothing else bounds.
    ///
    /// ## Why is this bad
    ///
    /// The rows before the page are read, sorted and thrown away: page 1,000 costs a thousand times as much as page 1.
    /// If a row is inserted in between, the next page repeats one.
    ///
    /// ## Known limits
    ///
    /// Small literal offsets and small tables are left alone. A raw query is shown if a loop advances the offset, or
    /// passes it to the function of the query: reading all pages then reads most rows again and again. Elsewhere it is
    /// listed with `--all`, since a reader seldom goes far. It is also listed if every page reads all rows anyway: the
    /// query counts them in each row (`COUNT(*) OVER ()`), its function counts them as well, it sorts groups by another
    /// column, or a parameter chooses its order. So are pages over the rows of one parent, found by a value of a
    /// foreign key. Paging by key cannot
    /// jump to a page number; if users need that and there are few pages, allow it with a reason.
    ///
    /// Of 29 findings drawn from 129 public projects, 29 were true and 11 worth a change: [how that was
    /// judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id, name FROM events WHERE user_id = $1 ORDER BY id LIMIT 50 OFFSET $2
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id, name FROM events WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT 50
    /// ```
    "deep_offset", Bounds, since "0.1.0",
    "OFFSET reads and drops the rows before the page",
    Check::Query(check); NeedsSchema, OfMany
}

/// The smallest literal offset that is reported.
const DEEP: u64 = 1_000;

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    for (id, block) in query.written_blocks() {
        let Some(offset) = block.offset.as_ref().filter(|offset| is_deep(offset)) else { continue };
        let all = cardinality::before_limit(query, context.schema, id);
        // If all rows are the same, they are counted rather than paged through.
        if all.rows != Rows::Many
            || !context.are_many(query, &all.unbounded)
            || wording::rows_are_alike(block)
        {
            continue;
        }
        let offset = wording::sql(offset, context.dialect);
        let span = block.limit_span.map_or(0..0, |span| span.range());
        let finding =
            Finding::new(LINT.name, format!("OFFSET {offset} reads and drops every row before the page"))
                .excerpt(context.sql, span, "");
        let page = pasteable::page(context, query).filter(|_| query.root == Some(id));
        let finding = match page {
            Some(page) => finding.help(format!("read it page by page, each by `fetch_page`: `{page}`")),
            None => finding,
        };
        let finding = finding.help(match keyset(context, query, id) {
            Some(keyset) => format!("read on from the last row of the page before: `{keyset}`"),
            None => {
                "read on from the last row of the page before: filter by the columns it is ordered by, the last of which has to make the order unique"
                    .to_owned()
            }
        });
        let why = aside(context, query, block).filter(|_| context.is_raw());
        findings.push(match why {
            Some(why) => finding.note(why).listed(),
            None => finding,
        });
    }
}

/// Why all rows are read whatever the page, so that a page by key would cost the same.
fn aside(context: &QueryContext<'_>, query: &Query, block: &Block) -> Option<&'static str> {
    // An order that a parameter chooses is in no index.
    let is_chosen = |expr: &Expr| {
        expr.as_column().is_none() && !is_distance(expr) && expr.any(|e| matches!(e, Expr::Parameter(_)))
    };
    let is_grouped = matches!(&block.body, Body::Select(select) if !select.group_by.is_empty());
    if counts_all(block) {
        Some("a window over all rows reads every row in any case")
    } else if is_grouped && !is_ordered_by_group(block) {
        Some("all groups are made before they are sorted, whatever the page")
    } else if block.order_by.first().is_some_and(|order| is_chosen(&order.expr)) {
        Some("a parameter chooses the order, so that all rows are read and sorted in any case")
    } else if context.sites_beside().any(|site| counts_rows_of(context, site, query, block)) {
        Some("the rows are counted as well, which reads all of them in any case")
    } else if of_one_parent(context, query, block) {
        Some("only the rows of one parent are paged through")
    } else if !reads_on(context, block) {
        Some(
            "no loop is seen that reads page after page: a reader seldom goes far, and the first pages cost little",
        )
    } else {
        None
    }
}

/// Whether a loop reads one page after the other, so that together they read the rows before the last page once for each:
/// it advances the offset, or something that it passes to the function of the query.
fn reads_on(context: &QueryContext<'_>, block: &Block) -> bool {
    let Some(site) = context.site else { return false };
    let advances = |name: &String| site.loops.iter().any(|around| around.advances.contains(name));
    let is_moved_on = |expr: &Expr| match expr {
        Expr::Parameter(number) => {
            let argument = number.checked_sub(1).and_then(|at| site.arguments.get(at));
            argument.is_some_and(|argument| argument.mentions.iter().any(advances))
        }
        _ => false,
    };
    site.is_paged || block.offset.as_ref().is_some_and(|offset| offset.any(is_moved_on))
}

/// Whether the rows are those of one parent: the table that determines their order is filtered by a value of
/// a foreign key.
fn of_one_parent(context: &QueryContext<'_>, query: &Query, block: &Block) -> bool {
    let key = block.order_by.first().and_then(|order| order.expr.as_column()?.relation);
    key.is_some_and(|relation| context.is_of_one_parent(query, relation))
}

/// Whether an expression is a distance, whose order an index may give: `place <-> $1`.
fn is_distance(expr: &Expr) -> bool {
    matches!(expr, Expr::Binary { op: Op::Other(op), .. } if op.starts_with('<') && op.ends_with('>'))
}

/// Whether the order is that of the groups, so that an index may give both.
fn is_ordered_by_group(block: &Block) -> bool {
    let Body::Select(select) = &block.body else { return false };
    block.order_by.iter().all(|order| select.group_by.contains(&order.expr))
}

/// Whether another query counts the rows that a block pages through: it counts a part of the same tables, and leaves out
/// no rows by a column that the page does not filter by.
fn counts_rows_of(context: &QueryContext<'_>, site: &Site, query: &Query, block: &Block) -> bool {
    let mut read = block.from().iter().flat_map(|item| item.relations());
    let Some(first) = read.find_map(|id| table_of(query, id)) else { return false };
    let text = match (&site.sql, &site.built) {
        (SiteSql::Literal(literal), _) => literal.text.as_ref(),
        // What follows the table is known when it runs.
        (_, Some(built)) => return begins_to_count(&built.begin, first),
        _ => return false,
    };
    if !text.to_ascii_lowercase().contains("count") {
        return false;
    }
    let Ok(other) = resolve(text, context.dialect, context.schema) else { return false };
    if !other.root.is_some_and(|root| counts(other.block(root))) {
        return false;
    }
    let tables = |of: &Query| {
        of.relation_ids().filter_map(|(id, _)| table_of(of, id).map(str::to_owned)).collect::<Vec<_>>()
    };
    let (counted, paged) = (tables(&other), tables(query));
    let (left, kept) = (filtered(&other), filtered(query));
    counted.iter().any(|table| table == first)
        && counted.iter().all(|table| paged.contains(table))
        && left.iter().all(|column| kept.contains(column))
}

/// The name of a table, if a relation is one.
fn table_of(query: &Query, id: RelationId) -> Option<&str> {
    match &query.relation(id).source {
        Source::Table(name) => Some(&name.name),
        _ => None,
    }
}

/// Whether a block returns the number of its rows.
fn counts(block: &Block) -> bool {
    let Body::Select(select) = &block.body else { return false };
    let is_count = |expr: &Expr| matches!(expr, Expr::Call(call) if call.name == "count" && !call.window);
    select.group_by.is_empty() && matches!(select.projection.as_slice(), [only] if only.any(is_count))
}

/// The columns that the filters of a query compare, each with the name of its table.
fn filtered(query: &Query) -> Vec<(Option<&str>, &str)> {
    let filters = query.blocks.iter().flat_map(|block| block.filters());
    let columns = filters.flat_map(|filter| filter.columns());
    columns.map(|it| (it.relation.and_then(|id| table_of(query, id)), it.name.as_str())).collect()
}

/// Whether a text that is built at run time begins to count the rows of a table.
fn begins_to_count(text: &str, table: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty() && *word != "coalesce")
        .collect();
    let from = words.iter().position(|word| *word == "from");
    words.starts_with(&["select", "count"])
        && from.and_then(|at| words.get(at + 1)).is_some_and(|word| word.eq_ignore_ascii_case(table))
}

/// Whether each row contains a value of all rows, `COUNT(*) OVER ()`, so that all of them are read whatever the page.
fn counts_all(block: &Block) -> bool {
    let Body::Select(select) = &block.body else { return false };
    let is_over_all = |e: &Expr| matches!(e, Expr::Call(call) if call.window && call.modifiers.is_empty());
    select.projection.iter().any(|expr| expr.any(is_over_all))
}

/// Whether an offset may be large: it is not a small number.
fn is_deep(offset: &Expr) -> bool {
    match offset.without_casts() {
        Expr::Literal(Literal::Number(number)) => number.parse::<u64>().is_ok_and(|number| number >= DEEP),
        Expr::Literal(_) => false,
        other => other.any(|e| matches!(e, Expr::Parameter(_) | Expr::Column(_))),
    }
}

/// The conditions and order that continue after the last row seen: those of the query, and one on its order.
fn keyset(context: &QueryContext<'_>, query: &Query, id: BlockId) -> Option<String> {
    let block = query.block(id);
    let Body::Select(select) = &block.body else { return None };
    if !select.group_by.is_empty() || select.distinct.is_some() || select.having.is_some() {
        return None;
    }
    let (names, desc) = order(context, query, block)?;
    // The text of a block inside of another is not known.
    let text = Page::of(context.sql, context.dialect).filter(|_| query.root == Some(id));
    if text.is_none() && !block.filters().is_empty() {
        return None;
    }
    let values = match &text {
        Some(text) => text.values(context.dialect, block, query.parameters, names.len())?,
        None => vec!["..".to_owned(); names.len()],
    };
    let (left, right) = match (names.as_slice(), values.as_slice()) {
        ([name], [value]) => (name.clone(), value.clone()),
        (names, values) => (format!("({})", names.join(", ")), format!("({})", values.join(", "))),
    };
    let after = format!("{left} {} {right}", if desc { "<" } else { ">" });
    let order: Vec<String> =
        names.iter().map(|name| format!("{name}{}", if desc { " DESC" } else { "" })).collect();
    let order = order.join(", ");
    let filter = match text {
        Some(text) => text.filter(context, block, &after, &order)?,
        None => format!("WHERE {after}"),
    };
    Some(format!("{filter} ORDER BY {order} LIMIT .."))
}

/// The columns of an order that tells rows apart, and whether all of them descend.
fn order(context: &QueryContext<'_>, query: &Query, block: &Block) -> Option<(Vec<String>, bool)> {
    let only = wording::only_table(context, query, block);
    let several = block.from().iter().map(|item| item.relations().len()).sum::<usize>() > 1;
    // Without a key of the joined rows, rows with equal values would be skipped.
    if several && !joins_keep_rows_apart(context, query, block) {
        return None;
    }
    let quoted = |name: &str| quote_if_needed(name, context.dialect);
    let mut keys: Vec<(String, bool)> = Vec::new();
    for key in &block.order_by {
        let column = key.expr.as_column()?;
        // A comparison with NULL is not true: pages by it would leave those rows out.
        let table = column.relation.and_then(|relation| context.table(query, relation));
        let may_be_null = table.and_then(|it| it.column(&column.name)).is_some_and(|it| !it.not_null);
        if may_be_null && !table.is_some_and(|it| it.primary_key.contains(&column.name)) {
            return None;
        }
        let name = match column.relation.filter(|_| several) {
            Some(relation) => format!("{}.{}", quoted(&query.relation(relation).alias), quoted(&column.name)),
            None => quoted(&column.name),
        };
        keys.push((name, key.desc));
    }
    if let Some((relation, table)) = only
        && !tells_rows_apart(block, relation, table)
    {
        let desc = keys.last().is_some_and(|(_, desc)| *desc);
        let added: Vec<_> = table.primary_key.iter().map(|column| (quoted(column), desc)).collect();
        keys.extend(
            added
                .into_iter()
                .filter(|(name, _)| !keys.iter().any(|(known, _)| known == name))
                .collect::<Vec<_>>(),
        );
    }
    let desc = keys.first()?.1;
    let is_one_way = keys.iter().all(|(_, other)| *other == desc);
    is_one_way.then(|| (keys.into_iter().map(|(name, _)| name).collect(), desc))
}

/// The text of a query that pages by counting, up to its ORDER BY.
struct Page<'t> {
    /// What precedes WHERE.
    head: &'t str,
    /// The condition of WHERE; empty without one.
    filter: &'t str,
    /// The placeholders of both.
    kept: Vec<&'t str>,
}

impl<'t> Page<'t> {
    fn of(sql: &'t str, dialect: Dialect) -> Option<Page<'t>> {
        let (mut depth, mut filter, mut kept) = (0_usize, None, Vec::new());
        for token in Lexer::new(sql, dialect) {
            let word = sql.get(token.span.range())?;
            match token.kind {
                TokenKind::Symbol if word == "(" => depth += 1,
                TokenKind::Symbol if word == ")" => depth = depth.saturating_sub(1),
                TokenKind::Parameter => kept.push(word),
                TokenKind::Word if depth == 0 && word.eq_ignore_ascii_case("where") => {
                    filter = Some(token.span.range());
                }
                TokenKind::Word if depth == 0 && word.eq_ignore_ascii_case("order") => {
                    let end = token.span.start;
                    let (head, filter) = match filter {
                        Some(word) => (sql.get(..word.start)?, sql.get(word.end..end)?),
                        None => (sql.get(..end)?, ""),
                    };
                    return Some(Page { head, filter: filter.trim(), kept });
                }
                _ => {}
            }
        }
        None
    }

    /// Placeholders for the values of the last row: those of OFFSET, where nothing else reads them, then further ones. `None`
    /// where the numbers would have a gap, which PostgreSQL refuses.
    fn values(
        &self,
        dialect: Dialect,
        block: &Block,
        parameters: usize,
        count: usize,
    ) -> Option<Vec<String>> {
        let is_numbered = |sign: char| self.kept.iter().any(|word| word.starts_with(sign) && word.len() > 1);
        let sign = match dialect {
            Dialect::Postgres => '$',
            Dialect::Sqlite if is_numbered('?') => '?',
            Dialect::Sqlite if is_numbered('$') => '$',
            Dialect::Sqlite | Dialect::MySql => return Some(vec!["?".to_owned(); count]),
        };
        let is_limit = |number: usize| {
            let is_it = |e: &Expr| matches!(e, Expr::Parameter(it) if *it == number);
            block.limit.as_ref().is_some_and(|limit| limit.any(is_it))
        };
        let is_kept =
            |number: &usize| self.kept.contains(&format!("{sign}{number}").as_str()) || is_limit(*number);
        let free: Vec<usize> = (1..=parameters).filter(|number| !is_kept(number)).collect();
        let taken = free.iter().copied().chain(parameters + 1..).take(count);
        let taken: Vec<usize> = taken.collect();
        let last = (1..=parameters).rfind(is_kept).unwrap_or_default();
        if free.iter().any(|number| *number < last && !taken.contains(number)) {
            return None;
        }
        Some(taken.into_iter().map(|number| format!("{sign}{number}")).collect())
    }

    /// WHERE with the conditions of the query and a further one. `None` if both together are not read as such.
    fn filter(&self, context: &QueryContext<'_>, block: &Block, after: &str, order: &str) -> Option<String> {
        let filter = on_one_line(self.filter, context.dialect);
        let known = block.filters();
        let both = match filter.as_str() {
            "" => [format!("WHERE {after}"), String::new()],
            filter => [format!("WHERE {filter} AND {after}"), format!("WHERE ({filter}) AND {after}")],
        };
        both.into_iter().find(|both| {
            let text = format!("{}\n{both} ORDER BY {order} LIMIT 1", self.head);
            let read = resolve(&text, context.dialect, context.schema).ok();
            let read = read.filter(|read| read.problems.is_empty() && read.unchecked.is_none());
            read.as_ref().and_then(|read| Some(read.block(read.root?).filters())).is_some_and(|filters| {
                filters.len() == known.len() + 1 && filters.iter().zip(known).all(|(one, other)| one == other)
            })
        })
    }
}

/// Whether a joined query is ordered by the key of one table, and every other table is joined by its own key:
/// then no two rows have equal keys.
fn joins_keep_rows_apart(context: &QueryContext<'_>, query: &Query, block: &Block) -> bool {
    let relations: Vec<RelationId> = block.from().iter().flat_map(|item| item.relations()).collect();
    let conditions = block.conditions();
    let is_set = |relation: RelationId, key: &String| {
        conditions.iter().any(|condition| match condition {
            Expr::Binary { op: Op::Eq, left, right } => [left, right].iter().any(|side| {
                side.as_column().is_some_and(|it| it.relation == Some(relation) && it.name == *key)
            }),
            _ => false,
        })
    };
    let by_key = |relation: &RelationId| {
        let table = context.table(query, *relation);
        table.is_some_and(|it| {
            !it.primary_key.is_empty() && it.primary_key.iter().all(|key| is_set(*relation, key))
        })
    };
    let ordered = |relation: &RelationId| {
        let table = context.table(query, *relation);
        table.is_some_and(|it| !it.primary_key.is_empty() && tells_rows_apart(block, *relation, it))
    };
    relations.iter().any(|one| ordered(one) && relations.iter().filter(|other| *other != one).all(by_key))
}

/// Whether the order already includes the primary key.
fn tells_rows_apart(block: &Block, relation: RelationId, table: &Table) -> bool {
    table.primary_key.iter().all(|key| {
        let is_it =
            |column: &crate::sql::expr::ColumnRef| column.relation == Some(relation) && column.name == *key;
        block.order_by.iter().any(|order| order.expr.as_column().is_some_and(is_it))
    })
}

#[cfg(test)]
mod tests;
