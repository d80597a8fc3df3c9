//! Expressions as one of the servers describes them.

use super::item::{self, Item, Server};
use super::{MAX_VIEW_DEPTH, Reader, Wire, fixed, integers};
use crate::sql::expr::{Call, ColumnRef, Expr, Literal, Op};
use crate::sql::query::{BlockId, Body, Source};

type Found = Result<Item, String>;

impl Reader<'_> {
    /// The value of an output of a block.
    pub(super) fn output_item(&self, block: BlockId, at: usize, server: Server, depth: usize) -> Found {
        if depth > MAX_VIEW_DEPTH {
            return Err("it is nested too deep".to_owned());
        }
        let inner = self.query.block(block);
        match &inner.body {
            Body::Set { left, right, .. } => {
                if self.reads_itself(block) {
                    return Err("it is a column of a recursive query".to_owned());
                }
                let sides = [*left, *right].map(|side| self.output_item(side, at, server, depth + 1));
                let [left, right] = sides;
                let sides = [left?, right?];
                if sides.iter().any(|side| side.is_list)
                    && sides.iter().any(|side| side.class() == item::Class::Null)
                {
                    return untold();
                }
                let nullable = sides.iter().any(Item::is_nullable);
                let one = item::common(&sides)?.nullable(nullable);
                // Long text and NULL are sent by another type there.
                match one.wire.ty {
                    "MediumBlob" | "LongBlob" | "Null" => {
                        Err("its type in a set operation is not known".to_owned())
                    }
                    _ => Ok(Item { wire: item::stored(one.wire), ..one }),
                }
            }
            Body::Select(_) => match inner.outputs.as_ref().and_then(|outputs| outputs.get(at)) {
                Some(output) => self.item(&output.expr, block, server, depth + 1),
                None => Err("its columns are not known".to_owned()),
            },
            _ => Err("the types of VALUES are not known".to_owned()),
        }
    }

    /// An expression in a block.
    pub(super) fn item(&self, expr: &Expr, block: BlockId, server: Server, depth: usize) -> Found {
        if depth > MAX_VIEW_DEPTH {
            return Err("it is nested too deep".to_owned());
        }
        let item = |expr: &Expr| self.item(expr, block, server, depth + 1);
        let truth = |of: &[&Expr]| {
            let items = self.items(of.iter().copied(), block, server, depth)?;
            Ok(Item::truth(server, items.iter().any(Item::is_nullable)).made_of(&items))
        };
        let is_maria = server == Server::MariaDb;
        match expr {
            Expr::Column(column) => {
                let item = self.column_item(column, server, depth)?;
                Ok(if self.is_null_in_expressions(expr, block) { item.nullable(true) } else { item })
            }
            Expr::Literal(literal) => of_literal(literal, server),
            Expr::And(all) | Expr::Or(all) => truth(&all.iter().collect::<Vec<_>>()),
            Expr::Not(inner) => truth(&[inner]),
            Expr::Is { .. } | Expr::Exists { .. } => Ok(Item::truth(server, false)),
            Expr::InList { expr, list, .. } => {
                truth(&[expr.as_ref()].into_iter().chain(list).collect::<Vec<_>>())
            }
            Expr::Between { expr, low, high, .. } => truth(&[expr, low, high]),
            Expr::Like { expr, pattern, .. } => truth(&[expr, pattern]),
            Expr::Binary { op: Op::Same | Op::NotSame, .. } => Ok(Item::truth(server, false)),
            Expr::Binary { op, left, right } if op.is_comparison() => truth(&[left, right]),
            Expr::Binary { op: Op::Other(op), left, right } if is_maria => {
                fixed::of_bits(op, &[left, right], &|| {
                    self.items([&**left, right].into_iter(), block, server, depth)
                })
            }
            Expr::Unary { op, expr } if is_maria && op == "~" => {
                fixed::of_bits(op, &[expr], &|| self.items([&**expr].into_iter(), block, server, depth))
            }
            // The parser and the server differ in how tight operators of bits bind.
            Expr::Binary { op: Op::Arithmetic(_), left, right }
                if fixed::has_bits(left) || fixed::has_bits(right) =>
            {
                untold()
            }
            Expr::Binary { op: Op::Arithmetic(sign), left, right } if is_maria => {
                let sides = [item(left)?, item(right)?];
                Ok(item::arithmetic(*sign, &sides[0], &sides[1])?.made_of(&sides))
            }
            Expr::Unary { op, expr } if op == "-" => match (&**expr, item(expr)?) {
                // The sign of a literal is part of it.
                (Expr::Literal(_), item) if item.wire.ty == "NewDecimal" => Ok(item),
                (Expr::Literal(Literal::Number(_)), item) if item.wire.ty == "Long" => {
                    Ok(Item { wire: Wire { size: item.digits + 1, ..item.wire }, ..item })
                }
                (_, item) if is_maria => item::negated(&item),
                _ => untold(),
            },
            Expr::Case { operand, arms, otherwise } => {
                let results = arms.iter().map(|(_, then)| then).chain(otherwise.as_deref());
                let items = self.items(results, block, server, depth)?;
                let made = item::one_of(&items, otherwise.is_none())?;
                let conditions = operand.as_deref().into_iter().chain(arms.iter().map(|(when, _)| when));
                Ok(self.item_on_condition(made, conditions, block, server, depth))
            }
            Expr::Subquery(query) => self.output_item(*query, 0, server, depth + 1)?.of_row(),
            Expr::Cast { expr, ty }
                if is_maria && !(matches!(**expr, Expr::Literal(_)) && ty.starts_with(['d', 't'])) =>
            {
                let of = item(expr)?;
                Ok(cast(ty, &of)?.made_of(&[of]))
            }
            Expr::Call(call) => self.call_item(call, block, server, depth),
            _ => untold(),
        }
    }

    /// The values of several expressions; a parameter has none of its own.
    fn items<'e>(
        &self,
        all: impl Iterator<Item = &'e Expr>,
        block: BlockId,
        server: Server,
        depth: usize,
    ) -> Result<Vec<Item>, String> {
        all.map(|expr| match expr {
            Expr::Parameter(_) => Ok(Item::NULL),
            expr => self.item(expr, block, server, depth + 1),
        })
        .collect()
    }

    /// The result of IF or CASE: on MariaDB it may be NULL if one of its conditions may, even if no alternative is. For
    /// MySQL, and for conditions that are not known, that is unsure.
    fn item_on_condition<'e>(
        &self,
        made: Item,
        conditions: impl Iterator<Item = &'e Expr>,
        block: BlockId,
        server: Server,
        depth: usize,
    ) -> Item {
        if made.is_nullable() {
            return made;
        }
        let conditions = self.items(conditions, block, server, depth);
        let is_known = server == Server::MariaDb && conditions.is_ok();
        match conditions {
            Ok(items) if !items.iter().any(Item::is_nullable) => made,
            _ => {
                let made = made.nullable(true);
                Item { wire: Wire { unsure: made.wire.unsure || !is_known, ..made.wire }, ..made }
            }
        }
    }

    fn column_item(&self, column: &ColumnRef, server: Server, depth: usize) -> Found {
        let wire = self.column(column, depth + 1)?;
        let source = column.relation.map(|id| (&self.query.relation(id).source, id));
        let stored = match source {
            Some((Source::Derived(inner) | Source::Cte(inner) | Source::View(_, inner), id)) => {
                let mut columns = self.query.relation(id).columns.iter().flat_map(|columns| columns.iter());
                match columns.position(|it| it.name.eq_ignore_ascii_case(&column.name)) {
                    // A merged column is the expression behind it.
                    Some(at) if self.query.block(*inner).is_merged => {
                        let item = self.output_item(*inner, at, server, depth + 1)?;
                        return Ok(item.nullable(!wire.is_not_null()));
                    }
                    _ => true,
                }
            }
            _ => false,
        };
        Ok(Item::of_column(wire, stored))
    }

    fn call_item(&self, call: &Call, block: BlockId, server: Server, depth: usize) -> Found {
        let name = call.name.to_ascii_lowercase();
        let items = || self.items(call.args.iter(), block, server, depth);
        let first = || match call.args.first() {
            Some(first) => self.item(first, block, server, depth + 1),
            None => Err(format!("`{name}` has no argument")),
        };
        let is_maria = server == Server::MariaDb;
        match (name.as_str(), call.args.len()) {
            ("count", _) => Ok(Item::int("LongLong", 20)),
            ("row_number" | "rank" | "dense_rank" | "ntile", _) if call.window && is_maria => {
                Ok(Item::int("LongLong", 20))
            }
            ("sum", 1) => item::sum(&first()?),
            ("avg", 1) => item::average(&first()?),
            ("min" | "max", 1) => fixed::extreme(first()?),
            ("lag" | "lead", 1 | 2) | ("first_value" | "last_value", 1) | ("nth_value", 2)
                if call.window && is_maria =>
            {
                let of = first()?;
                let is_short = matches!(of.wire.ty, "Float" | "Double") && of.wire.size < 23;
                if of.wire.ty == "Timestamp" || is_short { untold() } else { of.of_row() }
            }
            _ if call.window => fixed::of_window(&name, server),
            ("coalesce" | "ifnull", 1..) => {
                let items = items()?;
                let all = items.iter().all(Item::is_nullable);
                // Only some versions of the servers see that another value is never NULL.
                let unsure = !all
                    && match name.as_str() {
                        "ifnull" => items.last().is_some_and(Item::is_nullable),
                        _ => items.iter().any(Item::is_nullable),
                    };
                let made = item::common(&items)?.nullable(all).made_of(&items);
                Ok(Item { wire: Wire { unsure: made.wire.unsure || unsure, ..made.wire }, ..made })
            }
            ("if", 3) => {
                let items = self.items(call.args.iter().skip(1), block, server, depth)?;
                let has_null = call.args.iter().any(|arg| matches!(arg, Expr::Literal(Literal::Null)));
                match items.as_slice() {
                    // NULL leaves the other value as it is.
                    [other, null] | [null, other] if has_null && null.class() == item::Class::Null => {
                        other.of_row()
                    }
                    _ => {
                        let made = item::one_of(&items, false)?;
                        Ok(self.item_on_condition(made, call.args.iter().take(1), block, server, depth))
                    }
                }
            }
            ("nullif", 2) if is_maria => match first()? {
                of if of.is_bare() => untold(),
                of => item::common(&[of])?.of_row(),
            },
            (
                "now" | "current_timestamp" | "localtime" | "localtimestamp" | "sysdate" | "utc_timestamp",
                at_most,
            ) => {
                let digits = match (at_most, call.args.first()) {
                    (0, _) => Some(0),
                    (_, Some(Expr::Literal(Literal::Number(digits)))) => digits.parse::<u32>().ok(),
                    _ => None,
                };
                // A server refuses more.
                let Some(digits) = digits.filter(|&digits| digits <= 6) else {
                    return Err(format!("the digits of `{name}` are not known"));
                };
                Ok(Item::time("Datetime", 19 + if digits > 0 { digits + 1 } else { 0 }))
            }
            ("curdate" | "current_date" | "utc_date", _) => Ok(Item::time("Date", 10)),
            ("date", 1) => Ok(Item::time("Date", 10).nullable(true)),
            (name, args) if is_maria => match of_function(name, args, call, &items) {
                Some(found) => found,
                None => Err(format!("the type of the function `{name}` is not known")),
            },
            (name, _) => Err(format!("the type of the function `{name}` is not known")),
        }
    }
}

fn untold() -> Found {
    Err("types of expressions differ between MySQL and MariaDB".to_owned())
}

/// Functions of MariaDB.
fn of_function(
    name: &str,
    args: usize,
    call: &Call,
    items: &dyn Fn() -> Result<Vec<Item>, String>,
) -> Option<Found> {
    let of_first = |make: &dyn Fn(&Item) -> Found| match items() {
        Ok(items) => items.first().map_or_else(|| Err("it has no argument".to_owned()), make),
        Err(why) => Err(why),
    };
    let text = |size: u32| Item::text(size).nullable(true);
    Some(match (name, args) {
        ("curtime" | "current_time", 0) => Ok(Item::time("Time", 10)),
        ("timestampdiff", 3) => Ok(Item::int("LongLong", 20).nullable(true)),
        ("unix_timestamp", 0) => Ok(Item::unsigned_size("LongLong", 17).nullable(true)),
        ("unix_timestamp", 1) => of_first(&|item| match (item.wire.ty, item.wire.size) {
            ("Date", _) | ("Datetime" | "Timestamp", 19) => {
                Ok(Item::unsigned_size("LongLong", 17).nullable(true))
            }
            _ => Err("the digits of the moment are not known".to_owned()),
        }),
        ("last_insert_id", 0) => Ok(Item::unsigned_size("LongLong", 21).unsigned()),
        ("rand", _) => Ok(Item::double(23)),
        ("pow" | "power", 2) | ("sqrt" | "exp" | "ln" | "log2" | "log10", 1) => {
            Ok(Item::double(23).nullable(true))
        }
        ("uuid", 0) => {
            let uuid = text(36 * 4);
            Ok(Item { wire: Wire { ty: "String", ..uuid.wire }, ..uuid })
        }
        ("md5", 1) => Ok(text(32 * 4)),
        ("sha" | "sha1", 1) => Ok(text(40 * 4)),
        ("lower" | "upper" | "lcase" | "ucase" | "trim" | "ltrim" | "rtrim" | "reverse", 1) => {
            of_first(&|item| match item.class() {
                item::Class::Text if !item.is_list => Ok(text(item.wire.size).collated(&[*item])),
                _ => Err(format!("the type of `{name}` on it is not known")),
            })
        }
        ("concat", 1..) => concat(items),
        ("char_length" | "character_length" | "length" | "octet_length", 1) => {
            of_first(&|item| match item.class() {
                item::Class::Text | item::Class::LongText => {
                    Ok(Item::unsigned_size("Long", 10).nullable(item.is_nullable()))
                }
                _ => Err(format!("the type of `{name}` on it is not known")),
            })
        }
        ("round", 1 | 2) => {
            let to = match call.args.get(1) {
                None => Some(0),
                Some(Expr::Literal(Literal::Number(digits))) => digits.parse::<u32>().ok(),
                _ => None,
            };
            of_first(&|item| match to {
                Some(to) => item::rounded(item, to),
                None => Err("the digits of `round` are not known".to_owned()),
            })
        }
        ("abs", 1) => of_first(&|item| match item.class() {
            item::Class::Decimal if item.wire.flags & Wire::UNSIGNED == 0 => Ok(*item),
            item::Class::Double => Ok(Item::double(23).nullable(item.is_nullable())),
            _ => Err("the type of `abs` on it is not known".to_owned()),
        }),
        ("group_concat", _) => of_first(&|item| match item.class() {
            item::Class::Bytes | item::Class::Other | item::Class::Null => {
                Err("the type of `group_concat` on it is not known".to_owned())
            }
            _ => {
                let made = text(item::LONGEST_GROUP);
                let made = made.collated(&[*item]);
                Ok(Item { wire: Wire { ty: "Blob", ..made.wire }, ..made })
            }
        }),
        (name, args) => {
            let is_nullable = || Some(items().ok()?.iter().any(Item::is_nullable));
            let integer = integers::of_function(name, args, is_nullable);
            return integer.or_else(|| fixed::of_function(name, args, is_nullable)).map(Ok);
        }
    })
}

fn concat(items: &dyn Fn() -> Result<Vec<Item>, String>) -> Found {
    let mut size = 0_u32;
    let items = items()?;
    for item in &items {
        size = size.saturating_add(match item.class() {
            item::Class::Text => item.wire.size,
            item::Class::Int | item::Class::Decimal | item::Class::Time => item.wire.size.saturating_mul(4),
            _ => return Err("the type of `concat` on it is not known".to_owned()),
        });
    }
    // Longer texts are sent by another type.
    if size > 65_535 {
        Err("the text is long".to_owned())
    } else {
        Ok(Item::text(size).nullable(true).collated(&items))
    }
}

fn of_literal(literal: &Literal, server: Server) -> Found {
    let length = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX / 8);
    Ok(match literal {
        Literal::Null => Item::NULL,
        // As operand it is as long as its name.
        Literal::Bool(_) if server == Server::MariaDb => Item::unsigned_size("Long", 5),
        Literal::Number(number) if number.contains(['e', 'E', 'x', 'b']) => {
            return Err("the type of this literal differs by server".to_owned());
        }
        Literal::Number(number) => match number.split_once('.') {
            Some((whole, part)) if !whole.is_empty() => return Item::decimal(length(whole), length(part)),
            Some(_) => return Err("the digits of this literal are not known".to_owned()),
            None if number.parse::<i64>().is_err() => match number.parse::<u64>() {
                Ok(_) if server == Server::MariaDb => {
                    Item::unsigned_size("LongLong", length(number)).unsigned()
                }
                _ => return untold(),
            },
            None if server == Server::MySql => Item::int("LongLong", length(number)),
            None => Item::unsigned_size(item::integer(length(number)), length(number)),
        },
        Literal::Text(text) => Item::text(length(text).saturating_mul(4)),
        _ => return Err("the type of this literal differs by server".to_owned()),
    })
}

fn cast(ty: &str, of: &Item) -> Found {
    let (base, rest) = ty.split_at(ty.find(['(', ' ']).unwrap_or(ty.len()));
    let nullable = of.is_nullable();
    let numbers = super::wire::numbers(rest);
    let unknown = || Err(format!("the type of a cast to `{ty}` is not known"));
    let wide = |size| Item::unsigned_size("LongLong", size);
    Ok(match base {
        "char" | "nchar" | "varchar" => {
            let size = match (numbers.first(), of.class()) {
                (Some(&length), _) => length.saturating_mul(4),
                (None, item::Class::Text) => of.wire.size,
                (None, item::Class::Int | item::Class::Decimal | item::Class::Time) => {
                    of.wire.size.saturating_mul(4)
                }
                _ => return unknown(),
            };
            Item::text(size).nullable(true)
        }
        "decimal" | "dec" | "numeric" => {
            let precision = numbers.first().copied().unwrap_or(10);
            let scale = numbers.get(1).copied().unwrap_or(0);
            Item::decimal(precision.saturating_sub(scale), scale)?.nullable(nullable)
        }
        "date" => Item::time("Date", 10).nullable(true),
        "datetime" if numbers.is_empty() => Item::time("Datetime", 19).nullable(true),
        "double" => Item::double(22).nullable(true),
        "float" => {
            let made = Item::double(12).nullable(true);
            Item { wire: Wire { ty: "Float", ..made.wire }, ..made }
        }
        "unsigned" => match of.class() {
            item::Class::Int if !of.is_bare() && of.wire.flags & Wire::UNSIGNED == 0 => {
                wide(20).unsigned().nullable(nullable)
            }
            item::Class::Text if of.wire.size >= 20 * 4 => wide(20).unsigned().nullable(nullable),
            item::Class::Decimal if of.digits >= 20 && of.scale == 0 => {
                wide(20).unsigned().nullable(nullable)
            }
            _ => return unknown(),
        },
        "signed" => match of.class() {
            item::Class::Int if of.wire.size >= 10 && !of.wire.is_unsigned() => {
                let wire = Wire { ty: "LongLong", size: of.wire.size.min(21), ..of.wire };
                Item { wire, ..*of }
            }
            item::Class::Text if of.wire.size >= 21 * 4 => Item::int("LongLong", 20).nullable(nullable),
            item::Class::Decimal if of.digits >= 20 && of.scale == 0 => {
                Item::int("LongLong", 20).nullable(nullable)
            }
            _ => return unknown(),
        },
        _ => return unknown(),
    })
}
