//! Functions and operators of MariaDB whose results have one size, whatever they are given.

use super::item::{Item, Server};
use super::{Wire, geometry};
use crate::sql::expr::{Expr, Op};

type Found = Result<Item, String>;

/// What a function returns; `None` if that is not of one size.
pub(super) fn of_function(name: &str, args: usize, is_nullable: impl Fn() -> Option<bool>) -> Option<Item> {
    let made = match (name, args) {
        ("sin" | "cos" | "tan" | "asin" | "acos" | "cot", 1) | ("atan" | "log", 1 | 2) | ("atan2", 2) => {
            Item::double(23)
        }
        ("degrees" | "radians", 1) => return Some(Item::double(23).nullable(is_nullable()?)),
        ("last_day" | "from_days", 1) | ("makedate", 2) => Item::time("Date", 10),
        ("weekofyear", 1) => Item::unsigned_size("Long", 2),
        ("dayname" | "monthname", 1) => Item::text(9 * 4),
        ("inet_ntoa", 1) => Item::text(31 * 4),
        ("database" | "schema", 0) => Item::text(64 * 4),
        ("isnull", 1) => return Some(Item::truth(Server::MariaDb, false)),
        ("bit_and" | "bit_or" | "bit_xor", 1) => return Some(bits(false)),
        _ => return geometry::of_function(name),
    };
    Some(made.nullable(true))
}

/// What a window function returns.
pub(super) fn of_window(name: &str, server: Server) -> Found {
    match name {
        "percent_rank" | "cume_dist" if server == Server::MariaDb => Ok(Item::double(17).nullable(true)),
        _ => Err(format!("the type of the window function `{name}` is not known")),
    }
}

fn bits(nullable: bool) -> Item {
    Item::unsigned_size("LongLong", 21).unsigned().nullable(nullable)
}

/// An operator of bits, or XOR, on plain operands: the parser and the server differ in how tight others bind.
pub(super) fn of_bits(op: &str, operands: &[&Expr], items: &dyn Fn() -> Result<Vec<Item>, String>) -> Found {
    let is_plain = |expr: &&Expr| {
        matches!(expr, Expr::Column(_) | Expr::Literal(_) | Expr::Call(_) | Expr::Parameter(_))
    };
    if !operands.iter().all(is_plain) {
        return Err("how tight its operators bind is not known".to_owned());
    }
    let items = items()?;
    let nullable = items.iter().any(Item::is_nullable);
    match op {
        "&" | "|" | "^" | "<<" | ">>" | "~" => Ok(bits(nullable).made_of(&items)),
        "xor" => Ok(Item::truth(Server::MariaDb, nullable).made_of(&items)),
        _ => Err("types of expressions differ between MySQL and MariaDB".to_owned()),
    }
}

/// Whether an expression is one of an operator of bits.
pub(super) fn has_bits(expr: &Expr) -> bool {
    match expr {
        Expr::Binary { op: Op::Other(_), .. } => true,
        Expr::Unary { op, .. } => op == "~",
        _ => false,
    }
}

/// MIN and MAX.
pub(super) fn extreme(of: Item) -> Found {
    let size = of.wire.size;
    let wire = match of.wire.ty {
        _ if of.is_bare() => return Err("the least or greatest of it is not known".to_owned()),
        "Tiny" | "Short" | "Int24" | "Long" | "LongLong" | "NewDecimal" | "Date" | "Time" | "Datetime" => {
            of.wire
        }
        "Timestamp" => Wire { flags: of.wire.flags | Wire::UNSIGNED, ..of.wire },
        "Float" | "Double" => Wire { size: size.max(23), ..of.wire },
        "VarString" => of.wire,
        _ => return Err("the least or greatest of it is not known".to_owned()),
    };
    Ok(Item { wire, ..of }.nullable(true))
}
