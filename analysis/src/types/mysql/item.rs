//! Computed values as a server describes them: the size of a result follows from the digits of its operands.

use super::Wire;

/// The server that describes a query. Both describe most columns of tables alike, and few expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// MySQL 8.
    MySql,
    /// MariaDB.
    MariaDb,
}

/// The most digits of a DECIMAL.
const MOST_DIGITS: u32 = 65;
/// The most digits after the point that a server counts.
const MOST_AFTER_POINT: u32 = 30;
/// The size of a DOUBLE that is computed.
const DOUBLE: u32 = 23;
/// The size of text as long as an INT has digits: from here on, an integer takes 64 bits.
const WIDE: u32 = 10;

/// The size of the result of GROUP_CONCAT.
pub(super) const LONGEST_GROUP: u32 = 16_777_216;

/// The classes of values that operators distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Int,
    Decimal,
    Double,
    Text,
    /// Text without a practical limit.
    LongText,
    Bytes,
    Time,
    Null,
    Other,
}

/// A value with what the size of a result depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) wire: Wire,
    /// The digits of a number before its point.
    pub(super) digits: u32,
    /// The digits after it.
    pub(super) scale: u32,
    /// Whether it is a value of a list, which counts as a number.
    pub(super) is_list: bool,
}

type Found = Result<Item, String>;

fn unknown() -> Found {
    Err("the common type of these values is not known".to_owned())
}

impl Item {
    pub(super) const NULL: Item = Item {
        wire: Wire { ty: "Null", flags: Wire::BINARY, is_text: false, size: 0, scale: 0, unsure: false },
        digits: 0,
        scale: 0,
        is_list: false,
    };

    fn number(ty: &'static str, size: u32, digits: u32, scale: u32) -> Item {
        let wire = Wire { scale, ..Wire::of(ty, Wire::NOT_NULL | Wire::BINARY, size) };
        Item { wire, digits, scale, is_list: false }
    }

    pub(super) fn int(ty: &'static str, digits: u32) -> Item {
        Item::number(ty, digits.saturating_add(1), digits, 0)
    }

    /// An integer of a size that does not count a sign.
    pub(super) fn unsigned_size(ty: &'static str, size: u32) -> Item {
        Item::number(ty, size, size, 0)
    }

    pub(super) fn decimal(digits: u32, scale: u32) -> Found {
        if digits.saturating_add(scale) > MOST_DIGITS {
            return unknown();
        }
        Ok(Item::number("NewDecimal", digits + scale + u32::from(scale > 0) + 1, digits, scale))
    }

    pub(super) fn double(size: u32) -> Item {
        Item::number("Double", size, 0, 0)
    }

    pub(super) fn time(ty: &'static str, size: u32) -> Item {
        Item::number(ty, size, 0, 0)
    }

    /// Text of at most so many bytes.
    pub(super) fn text(size: u32) -> Item {
        let of = Wire::of("VarString", Wire::NOT_NULL, size);
        Item { wire: Wire { is_text: true, ..of }, digits: 0, scale: 0, is_list: false }
    }

    /// A condition.
    pub(super) fn truth(server: Server, nullable: bool) -> Item {
        let ty = if server == Server::MySql { "LongLong" } else { "Long" };
        Item::unsigned_size(ty, 1).nullable(nullable)
    }

    /// A column of a table or of a stored result, as an operand.
    pub(super) fn of_column(wire: Wire, is_stored: bool) -> Item {
        let unsigned = u32::from(!wire.is_unsigned());
        let digits = match wire.ty {
            "Tiny" => 3,
            "Short" => 5,
            "Int24" => 8,
            "Long" => 10,
            "LongLong" => 20 - unsigned,
            "NewDecimal" => {
                wire.size.saturating_sub(wire.scale.saturating_add(unsigned + u32::from(wire.scale > 0)))
            }
            _ => 0,
        };
        // A display width is that of the column alone. A stored result may be wider than its type.
        let is_integer = matches!(wire.ty, "Tiny" | "Short" | "Int24" | "Long" | "LongLong");
        let wider = if is_stored && is_integer { wire.size.saturating_sub(unsigned) } else { 0 };
        let digits = digits.max(wider);
        let size = if is_integer { digits + unsigned } else { wire.size };
        let binary = if wire.is_text { wire.flags & Wire::BINARY } else { Wire::BINARY };
        let flags = wire.flags & (Wire::NOT_NULL | Wire::UNSIGNED) | binary;
        // The server counts the bytes of long text once more for each character of the connection.
        let (ty, size) = match (wire.ty, wire.size) {
            ("Blob", size) if wire.is_text && size == 65_535 * 4 => ("MediumBlob", size * 4),
            ("Blob", size) if wire.is_text && size == 16_777_215 * 4 => ("LongBlob", size * 4),
            _ if wire.is_list() => ("VarString", size),
            _ => (wire.ty, size),
        };
        let is_list = wire.is_list();
        Item { wire: Wire { ty, flags, size, ..wire }, digits, scale: wire.scale, is_list }
    }

    pub(super) fn class(&self) -> Class {
        match self.wire.ty {
            "Tiny" | "Short" | "Int24" | "Long" | "LongLong" => Class::Int,
            "NewDecimal" => Class::Decimal,
            "Float" | "Double" => Class::Double,
            "String" | "VarString" if self.wire.is_text && !self.wire.is_unsigned() => Class::Text,
            "MediumBlob" | "LongBlob" if self.wire.is_text => Class::LongText,
            "String" | "VarString" if !self.wire.is_text => Class::Bytes,
            "Date" | "Time" | "Datetime" | "Timestamp" => Class::Time,
            "Null" => Class::Null,
            _ => Class::Other,
        }
    }

    pub(super) fn is_nullable(&self) -> bool {
        !self.wire.is_not_null()
    }

    pub(super) fn nullable(self, nullable: bool) -> Item {
        let wire = if nullable {
            self.wire.without(Wire::NOT_NULL)
        } else {
            Wire { flags: self.wire.flags | Wire::NOT_NULL, ..self.wire }
        };
        Item { wire, ..self }
    }

    /// Marks the value's nullability as unsure if that of any of `items`, from which it is computed, is.
    pub(super) fn made_of(self, items: &[Item]) -> Item {
        let unsure = self.wire.unsure || items.iter().any(|item| item.wire.unsure);
        Item { wire: Wire { unsure, ..self.wire }, ..self }
    }

    /// The same text, which is compared by its bytes if one of the texts that it is made of is.
    pub(super) fn collated(self, items: &[Item]) -> Item {
        let is_text = |item: &Item| matches!(item.class(), Class::Text | Class::LongText);
        let is_binary = items.iter().any(|item| is_text(item) && item.wire.flags & Wire::BINARY != 0);
        let flags = self.wire.flags | if is_binary && is_text(&self) { Wire::BINARY } else { 0 };
        Item { wire: Wire { flags, ..self.wire }, ..self }
    }

    pub(super) fn unsigned(self) -> Item {
        let size = self.wire.size;
        Item { wire: Wire { flags: self.wire.flags | Wire::UNSIGNED, size, ..self.wire }, ..self }
    }

    fn is_unsigned(&self) -> bool {
        self.wire.is_unsigned()
    }

    /// Whether it is an integer whose size has no place for a sign: a literal or a condition.
    pub(super) fn is_bare(&self) -> bool {
        self.class() == Class::Int && !self.is_unsigned() && self.wire.size == self.digits
    }

    /// The value as a row contains it: of a subquery, or of another row.
    pub(super) fn of_row(self) -> Found {
        if self.is_bare() || matches!(self.class(), Class::Null | Class::Other) {
            return unknown();
        }
        let ty = match (self.class(), self.wire.ty, self.wire.size) {
            // Text of MEDIUMTEXT and LONGTEXT.
            (Class::LongText, "LongBlob", 268_435_440) => "MediumBlob",
            (Class::LongText, "Blob" | "LongBlob", u32::MAX) => "LongBlob",
            (Class::LongText, ..) => "Blob",
            (_, ty, _) => ty,
        };
        Ok(Item { wire: Wire { ty, ..self.wire }, ..self }.nullable(true))
    }

    /// Its size as text.
    fn as_text(&self) -> u32 {
        match self.class() {
            Class::Text => self.wire.size,
            _ => self.wire.size.saturating_mul(4),
        }
    }
}

/// The result of COALESCE, IF and CASE: the common type of their values.
pub(super) fn common(items: &[Item]) -> Found {
    let has_null = items.iter().any(|item| item.class() == Class::Null);
    let items: Vec<Item> = items.iter().filter(|item| item.class() != Class::Null).copied().collect();
    let Some(first) = items.first() else { return Ok(Item::NULL) };
    let all = |wanted: &[Class]| items.iter().all(|item| wanted.contains(&item.class()));
    let any = |wanted: Class| items.iter().any(|item| item.class() == wanted);
    let most = |of: fn(&Item) -> u32| items.iter().map(of).max().unwrap_or_default();
    let (digits, scale, size) = (most(|it| it.digits), most(|it| it.scale), most(|it| it.wire.size));
    let unsigned = items.iter().filter(|item| item.is_unsigned()).count();
    if all(&[Class::Int]) {
        let ty = ["LongLong", "Long", "Int24", "Short", "Tiny"];
        let ty = ty.into_iter().find(|ty| items.iter().any(|item| item.wire.ty == *ty)).unwrap_or("LongLong");
        return match unsigned {
            0 => Ok(Item::int(ty, digits)),
            all if all == items.len() && !has_null => Ok(Item::unsigned_size(ty, digits).unsigned()),
            _ => Item::decimal(digits, 0),
        };
    }
    if all(&[Class::Int, Class::Decimal]) {
        return if unsigned == 0 { Item::decimal(digits, scale) } else { unknown() };
    }
    if all(&[Class::Int, Class::Decimal, Class::Double]) {
        let is = |of: &[&str]| items.iter().any(|item| of.contains(&item.wire.ty));
        let is_plain = unsigned == 0 && is(&["Double", "Long", "LongLong", "NewDecimal"]);
        return if is_plain { Ok(Item::double(size)) } else { unknown() };
    }
    if all(&[Class::Time]) {
        return times(&items, size);
    }
    if all(&[Class::Text, Class::LongText]) && any(Class::LongText) {
        let longest =
            items.iter().filter(|item| item.class() == Class::LongText).max_by_key(|item| item.wire.size);
        return Ok(longest.copied().unwrap_or(*first).collated(&items));
    }
    if all(&[Class::Text, Class::Int, Class::Decimal]) && any(Class::Text) {
        let text = Item::text(items.iter().map(Item::as_text).max().unwrap_or_default());
        let mut texts = items.iter().filter(|item| item.class() == Class::Text);
        let is_fixed = texts.all(|item| item.wire.ty == "String");
        let text = if is_fixed { Item { wire: Wire { ty: "String", ..text.wire }, ..text } } else { text };
        return Ok(text.collated(&items));
    }
    unknown()
}

/// The result of IF and CASE: one of several values, or else NULL.
pub(super) fn one_of(items: &[Item], or_null: bool) -> Found {
    let made = common(items)?;
    // A server that converts one of several texts says that the result may be NULL.
    let converts = items.len() > 2 && matches!(made.class(), Class::Text | Class::LongText);
    let nullable = or_null || items.iter().any(Item::is_nullable);
    let unsure = made.wire.unsure || converts && !nullable;
    let made = made.nullable(nullable || converts).made_of(items);
    Ok(Item { wire: Wire { unsure: made.wire.unsure || unsure, ..made.wire }, ..made })
}

fn times(items: &[Item], size: u32) -> Found {
    let is = |ty: &str| items.iter().any(|item| item.wire.ty == ty);
    let kinds = ["Date", "Time", "Datetime", "Timestamp"].into_iter().filter(|ty| is(ty)).collect::<Vec<_>>();
    match kinds.as_slice() {
        [ty @ ("Date" | "Time" | "Datetime")] => Ok(Item::time(ty, size)),
        [_, .., "Datetime" | "Timestamp"] if !is("Time") && is("Datetime") => {
            Ok(Item::time("Datetime", size))
        }
        _ => unknown(),
    }
}

/// The result of an arithmetic operator.
pub(super) fn arithmetic(sign: char, one: &Item, other: &Item) -> Found {
    let nullable = one.is_nullable() || other.is_nullable() || sign == '/';
    let is_number = |item: &Item| {
        matches!(item.class(), Class::Int | Class::Decimal | Class::Double | Class::Text) && !item.is_list
    };
    if sign == '-' && one.class() == Class::Time {
        return between(one, other, nullable);
    }
    if !is_number(one) || !is_number(other) || sign == '%' {
        return unknown();
    }
    let is_float = |item: &Item| matches!(item.class(), Class::Double | Class::Text);
    if is_float(one) || is_float(other) {
        return Ok(Item::double(DOUBLE).nullable(nullable));
    }
    let unsigned = one.is_unsigned() || other.is_unsigned();
    let (digits, scale) = match sign {
        '+' | '-' => (one.digits.max(other.digits).saturating_add(1), one.scale.max(other.scale)),
        '*' => (one.digits.saturating_add(other.digits), one.scale.saturating_add(other.scale)),
        '/' => (one.digits.saturating_add(other.scale), one.scale.saturating_add(4)),
        _ => return unknown(),
    };
    if sign == '/' || one.class() == Class::Decimal || other.class() == Class::Decimal {
        return if unsigned { unknown() } else { Ok(Item::decimal(digits, scale)?.nullable(nullable)) };
    }
    let size = digits.saturating_add(u32::from(!unsigned));
    let ty = integer(size);
    let made = if unsigned { Item::unsigned_size(ty, digits).unsigned() } else { Item::int(ty, digits) };
    Ok(made.nullable(nullable))
}

/// The difference of two moments without a fraction, read as numbers.
fn between(one: &Item, other: &Item, nullable: bool) -> Found {
    let is = |ty: &str| [one, other].into_iter().all(|item| item.wire.ty == ty && item.wire.size == 19);
    let is_moment = |item: &Item| matches!(item.wire.ty, "Datetime" | "Timestamp") && item.wire.size == 19;
    if is("Timestamp") {
        return Ok(Item::unsigned_size("LongLong", 15).unsigned().nullable(nullable));
    }
    if is_moment(one) && is_moment(other) {
        Ok(Item::int("LongLong", 15).nullable(nullable))
    } else {
        unknown()
    }
}

/// The type of a computed integer of a size.
pub(super) fn integer(size: u32) -> &'static str {
    if size < WIDE { "Long" } else { "LongLong" }
}

/// `-value`.
pub(super) fn negated(item: &Item) -> Found {
    let nullable = item.is_nullable();
    match item.class() {
        _ if item.is_unsigned() => unknown(),
        Class::Int => {
            let digits = item.digits.saturating_add(1);
            Ok(Item::int(integer(digits.saturating_add(1)), digits).nullable(nullable))
        }
        Class::Decimal => Ok(Item::decimal(item.digits.saturating_add(1), item.scale)?.nullable(nullable)),
        Class::Double if item.wire.ty == "Double" => Ok(Item::double(DOUBLE).nullable(nullable)),
        _ => unknown(),
    }
}

pub(super) fn sum(item: &Item) -> Found {
    let given = match item.class() {
        _ if item.is_list => return unknown(),
        Class::Int | Class::Decimal => Item::decimal(item.digits.saturating_add(22), item.scale)?,
        Class::Double | Class::Text => Item::double(DOUBLE),
        _ => return unknown(),
    };
    Ok(given.nullable(true))
}

pub(super) fn average(item: &Item) -> Found {
    let given = match item.class() {
        Class::Int | Class::Decimal => Item::decimal(item.digits, item.scale.saturating_add(4))?,
        Class::Double => Item::double(item.wire.size.saturating_add(4).min(DOUBLE)),
        _ => return unknown(),
    };
    Ok(given.nullable(true))
}

/// ROUND to so many digits after the point.
pub(super) fn rounded(item: &Item, to: u32) -> Found {
    let nullable = item.is_nullable();
    match item.class() {
        Class::Int => Ok(*item),
        Class::Decimal if to < item.scale && !item.is_unsigned() => {
            Ok(Item::decimal(item.digits.saturating_add(1), to)?.nullable(nullable))
        }
        // With more digits than a server counts, it leaves them open.
        Class::Double if to > MOST_AFTER_POINT => Ok(Item::double(DOUBLE).nullable(nullable)),
        Class::Double if to > 0 => Ok(Item::double(17 + to).nullable(nullable)),
        _ => unknown(),
    }
}

/// The columns of a stored result: numbers are no longer marked as binary.
pub(super) fn stored(wire: Wire) -> Wire {
    match wire.ty {
        "Tiny" | "Short" | "Int24" | "Long" | "LongLong" | "NewDecimal" | "Float" | "Double" | "Bit"
        | "Year" => wire.without(Wire::BINARY),
        // GROUP_CONCAT, which is stored as MEDIUMTEXT.
        "Blob" if wire.is_text && wire.size == LONGEST_GROUP => {
            Wire { size: 16_777_215 * 4, flags: wire.flags | Wire::BLOB, ..wire }
        }
        _ => wire,
    }
}
