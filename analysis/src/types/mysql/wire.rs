//! The server's description of a column on the wire: the protocol's type, flags and length.

use super::geometry;
use super::item::Server;
use crate::schema::{Column, Index, IndexKey, Table};

/// The flags with their names, in bit order.
const FLAGS: [(u16, &str); 14] = [
    (Wire::NOT_NULL, "NOT_NULL"),
    (Wire::PRIMARY_KEY, "PRIMARY_KEY"),
    (Wire::UNIQUE_KEY, "UNIQUE_KEY"),
    (Wire::MULTIPLE_KEY, "MULTIPLE_KEY"),
    (Wire::BLOB, "BLOB"),
    (Wire::UNSIGNED, "UNSIGNED"),
    (Wire::ZEROFILL, "ZEROFILL"),
    (Wire::BINARY, "BINARY"),
    (Wire::ENUM, "ENUM"),
    (Wire::AUTO_INCREMENT, "AUTO_INCREMENT"),
    (Wire::TIMESTAMP, "TIMESTAMP"),
    (Wire::SET, "SET"),
    (Wire::NO_DEFAULT_VALUE, "NO_DEFAULT_VALUE"),
    (Wire::ON_UPDATE_NOW, "ON_UPDATE_NOW"),
];

/// The maximum number of bytes per character in utf8mb4, the character set of sqlx's connections.
const CHARACTER: u32 = 4;

/// A column as the server describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    /// The protocol's type, as named by sqlx: `LongLong`, `VarString`.
    pub ty: &'static str,
    /// The flags, as bits.
    pub flags: u16,
    /// Whether its values are text, sent in the client's character set.
    pub is_text: bool,
    /// The maximum length of a value, in bytes.
    pub size: u32,
    /// The digits after the point of a DECIMAL.
    pub(super) scale: u32,
    /// Whether versions of the server differ on whether it can be NULL.
    pub(super) unsure: bool,
}

impl Wire {
    pub(super) const NOT_NULL: u16 = 1;
    const PRIMARY_KEY: u16 = 1 << 1;
    const UNIQUE_KEY: u16 = 1 << 2;
    const MULTIPLE_KEY: u16 = 1 << 3;
    /// The flags that come from the keys and defaults of a column's table, and that a materialised result
    /// lacks.
    pub(super) const OF_TABLES: u16 = Wire::PRIMARY_KEY
        | Wire::UNIQUE_KEY
        | Wire::MULTIPLE_KEY
        | Wire::AUTO_INCREMENT
        | Wire::TIMESTAMP
        | Wire::ON_UPDATE_NOW;
    pub(super) const BLOB: u16 = 1 << 4;
    pub(super) const UNSIGNED: u16 = 1 << 5;
    const ZEROFILL: u16 = 1 << 6;
    pub(super) const BINARY: u16 = 1 << 7;
    const ENUM: u16 = 1 << 8;
    const AUTO_INCREMENT: u16 = 1 << 9;
    const TIMESTAMP: u16 = 1 << 10;
    const SET: u16 = 1 << 11;
    pub(super) const NO_DEFAULT_VALUE: u16 = 1 << 12;
    const ON_UPDATE_NOW: u16 = 1 << 13;

    /// A value that is not text.
    pub(super) fn of(ty: &'static str, flags: u16, size: u32) -> Wire {
        Wire { ty, flags, is_text: false, size, scale: 0, unsure: false }
    }

    /// Whether it is never NULL.
    pub fn is_not_null(&self) -> bool {
        self.has(Wire::NOT_NULL)
    }

    pub(super) fn is_unsigned(&self) -> bool {
        self.has(Wire::UNSIGNED)
    }

    /// Whether it is an ENUM or a SET.
    pub(super) fn is_list(&self) -> bool {
        self.has(Wire::ENUM | Wire::SET)
    }

    /// Whether versions of the server differ on whether it can be NULL.
    pub fn is_unsure(&self) -> bool {
        self.unsure
    }

    /// Whether it is an integer with a display width of its own, which functions do not keep.
    pub(super) fn has_own_width(&self) -> bool {
        let usual = match self.ty {
            "Tiny" => 4,
            "Short" => 6,
            "Int24" => 9,
            "Long" => 11,
            "LongLong" => return self.size != 20,
            _ => return false,
        };
        self.size != usual - u32::from(self.is_unsigned())
    }

    fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// The same description without some of its flags.
    pub(super) fn without(self, flags: u16) -> Wire {
        Wire { flags: self.flags & !flags, ..self }
    }

    /// The flags as sqlx writes them: their names, joined.
    pub fn flag_names(&self) -> String {
        let set = FLAGS.iter().filter(|(flag, _)| self.has(*flag));
        set.map(|(_, name)| *name).collect::<Vec<_>>().join(" | ")
    }

    /// The name of the type, as printed by sqlx.
    pub fn name(&self) -> &'static str {
        let unsigned = self.has(Wire::UNSIGNED);
        // Text that is compared by its bytes is text, and so is how MariaDB sends addresses and UUIDs.
        let binary = self.has(Wire::BINARY) && !self.is_text;
        match self.ty {
            "Tiny" if self.size == 1 => "BOOLEAN",
            "Tiny" if unsigned => "TINYINT UNSIGNED",
            "Tiny" => "TINYINT",
            "Short" if unsigned => "SMALLINT UNSIGNED",
            "Short" => "SMALLINT",
            "Int24" if unsigned => "MEDIUMINT UNSIGNED",
            "Int24" => "MEDIUMINT",
            "Long" if unsigned => "INT UNSIGNED",
            "Long" => "INT",
            "LongLong" if unsigned => "BIGINT UNSIGNED",
            "LongLong" => "BIGINT",
            "NewDecimal" => "DECIMAL",
            "Float" => "FLOAT",
            "Double" => "DOUBLE",
            "Date" => "DATE",
            "Time" => "TIME",
            "Datetime" => "DATETIME",
            "Timestamp" => "TIMESTAMP",
            "Year" => "YEAR",
            "Bit" => "BIT",
            "String" if binary => "BINARY",
            "String" if self.has(Wire::ENUM) => "ENUM",
            "String" => "CHAR",
            "VarString" if binary => "VARBINARY",
            "VarString" => "VARCHAR",
            "Blob" if binary => "BLOB",
            "Blob" => "TEXT",
            "MediumBlob" if binary => "MEDIUMBLOB",
            "MediumBlob" => "MEDIUMTEXT",
            "LongBlob" if binary => "LONGBLOB",
            "LongBlob" => "LONGTEXT",
            "Geometry" => "GEOMETRY",
            "Json" => "JSON",
            _ => "NULL",
        }
    }
}

/// The description of a table's column; `None` if it depends on an unknown server or is unknown.
pub(super) fn of_column(table: &Table, column: &Column, server: Option<Server>) -> Option<Wire> {
    let mut wire = match (column.ty.eq_ignore_ascii_case("json"), server) {
        (true, server) => json(server?),
        _ => of_type(&column.ty)?,
    };
    if wire.ty == "Timestamp" && server == Some(Server::MySql) {
        wire.flags &= !Wire::UNSIGNED;
    }
    write_charset(&mut wire, column);
    if let Some(width) = column.width {
        wire.size = width;
    }
    if column.zerofill {
        wire.flags |= Wire::ZEROFILL;
    }
    // MariaDB: since when and until when a version of a row is valid.
    let is_bound = matches!(column.generated.as_deref(), Some("ROW START" | "ROW END"));
    if is_bound {
        wire.flags |= Wire::NOT_NULL | Wire::NO_DEFAULT_VALUE;
    }
    if column.generated.as_deref() == Some("ROW END") && !table.primary_key.is_empty() {
        wire.flags |= Wire::PRIMARY_KEY;
    }
    let default = column.default.as_deref().unwrap_or_default().to_ascii_lowercase();
    let default = default.trim_start_matches('(');
    if column.not_null {
        wire.flags |= Wire::NOT_NULL;
        if column.default.is_none() && !column.identity && column.generated.is_none() {
            wire.flags |= Wire::NO_DEFAULT_VALUE;
        }
    }
    if column.identity {
        wire.flags |= Wire::AUTO_INCREMENT;
    }
    let is_now = ["current_timestamp", "now", "localtime"].iter().any(|now| default.starts_with(now));
    let on_update = default.contains("on update");
    if on_update {
        wire.flags |= Wire::ON_UPDATE_NOW;
    }
    if wire.ty == "Timestamp" && (is_now || on_update) {
        wire.flags |= Wire::TIMESTAMP;
    }
    wire.flags |= keys(table, &column.name, server);
    Some(wire)
}

/// Marks text that is compared by its bytes, and makes bytes of the character set `binary`.
fn write_charset(wire: &mut Wire, column: &Column) {
    let collation = column.collation.as_deref().unwrap_or_default().to_ascii_lowercase();
    let charset = column.charset.as_deref().unwrap_or_default();
    if !wire.is_text || wire.has(Wire::BINARY) {
        return;
    }
    if charset.eq_ignore_ascii_case("binary") || collation == "binary" {
        wire.is_text = false;
        wire.flags |= Wire::BINARY;
        if wire.size != u32::MAX {
            wire.size /= CHARACTER;
        }
    } else if collation.ends_with("_bin") {
        wire.flags |= Wire::BINARY;
    }
}

/// JSON: a type of its own on MySQL, and text on MariaDB.
fn json(server: Server) -> Wire {
    let (ty, flags, size) = match server {
        Server::MySql => ("Json", Wire::BLOB | Wire::BINARY, u32::MAX),
        Server::MariaDb => ("Blob", Wire::BLOB | Wire::BINARY, u32::MAX),
    };
    Wire { ty, flags, is_text: true, size, scale: 0, unsure: false }
}

/// The index that stands for a missing primary key: the first unique one of whole columns that are never NULL.
fn stand_in(table: &Table) -> Option<&Index> {
    let is_whole = |key: &IndexKey| {
        let column = key.as_column().filter(|_| key.prefix.is_none()).and_then(|name| table.column(name));
        column.is_some_and(|column| column.not_null)
    };
    let mut unique = table.indexes.iter().filter(|index| index.unique);
    table.primary_key.is_empty().then(|| unique.find(|index| index.keys.iter().all(is_whole))).flatten()
}

/// The flags of a column due to its keys.
fn keys(table: &Table, column: &str, server: Option<Server>) -> u16 {
    let mut flags = 0;
    let primary = stand_in(table);
    let of_primary = || primary.into_iter().flat_map(|index| &index.keys).filter_map(IndexKey::as_column);
    if table.primary_key.iter().map(String::as_str).chain(of_primary()).any(|key| key == column) {
        flags |= Wire::PRIMARY_KEY;
    }
    let is_kept = |index: &Index| server == Some(Server::MySql) || !repeats_primary(table, index);
    let is_other = |index: &&Index| {
        !index.primary && is_kept(index) && primary.is_none_or(|primary| primary.name != index.name)
    };
    for index in table.indexes.iter().filter(is_other) {
        if index.keys.first().and_then(IndexKey::as_column) == Some(column) {
            let is_unique = index.unique && index.keys.len() == 1;
            flags |= if is_unique { Wire::UNIQUE_KEY } else { Wire::MULTIPLE_KEY };
        }
    }
    flags
}

/// Whether the keys of a column depend on the server, which is not known. For a UNIQUE on a column that is also the PRIMARY KEY,
/// as in SERIAL, MySQL creates a key and MariaDB does not; both create it if it is declared as a key of the table.
pub(super) fn has_doubtful_key(table: &Table, column: &Column, server: Option<Server>) -> bool {
    let is_serial = column.identity && column.ty.eq_ignore_ascii_case("bigint unsigned");
    let is_known = server.is_some_and(|server| server == Server::MySql || is_serial);
    let of_column = |index: &&Index| index.keys.first().and_then(IndexKey::as_column) == Some(&*column.name);
    !is_known && table.indexes.iter().filter(of_column).any(|index| repeats_primary(table, index))
}

/// Whether a unique key without a name of its own is on the one column of the primary key.
fn repeats_primary(table: &Table, index: &Index) -> bool {
    let [only] = table.primary_key.as_slice() else { return false };
    let columns: Vec<_> = index.keys.iter().map(IndexKey::as_column).collect();
    index.unique && columns == [Some(only.as_str())] && index.name.eq_ignore_ascii_case(only)
}

/// The description of a type, without keys and defaults.
fn of_type(ty: &str) -> Option<Wire> {
    let lower = ty.to_ascii_lowercase();
    let (name, rest) =
        lower.split_at(lower.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(lower.len()));
    let unsigned = if rest.contains("unsigned") { Wire::UNSIGNED } else { 0 };
    let of_list = matches!(name, "enum" | "set");
    let numbers: Vec<u32> = if of_list { Vec::new() } else { numbers(rest) };
    let first = numbers.first().copied();
    let plain = |ty, size| Some(Wire::of(ty, unsigned, first.unwrap_or(size)));
    // Without a sign, a number is one digit shorter.
    let shorter = |size: u32| size - u32::from(unsigned != 0);
    let text = |ty, flags, size: u32| Some(Wire { ty, flags, is_text: true, size, scale: 0, unsure: false });
    let bytes = |ty, flags, size| Some(Wire::of(ty, flags | Wire::BINARY, size));
    let with_fraction = |size: u32| size + first.filter(|&digits| digits > 0).map_or(0, |digits| digits + 1);
    match name {
        "tinyint" => plain("Tiny", shorter(4)),
        "bool" | "boolean" => Some(Wire::of("Tiny", 0, 1)),
        "smallint" => plain("Short", shorter(6)),
        "mediumint" => plain("Int24", shorter(9)),
        "int" | "integer" => plain("Long", shorter(11)),
        "bigint" => plain("LongLong", 20),
        "decimal" | "numeric" | "dec" | "fixed" => {
            let scale = numbers.get(1).copied().unwrap_or(0);
            let size = first.unwrap_or(10) + u32::from(scale > 0) + u32::from(unsigned == 0);
            Some(Wire { scale, ..Wire::of("NewDecimal", unsigned, size) })
        }
        "float" if numbers.len() < 2 => {
            let is_double = first.is_some_and(|bits| bits > 24);
            Some(if is_double { Wire::of("Double", unsigned, 22) } else { Wire::of("Float", unsigned, 12) })
        }
        "float" => plain("Float", 12),
        "double" | "real" => plain("Double", 22),
        "bit" => Some(Wire::of("Bit", Wire::UNSIGNED, first.unwrap_or(1))),
        "date" => Some(Wire::of("Date", Wire::BINARY, 10)),
        "time" => Some(Wire::of("Time", Wire::BINARY, with_fraction(10))),
        "datetime" => Some(Wire::of("Datetime", Wire::BINARY, with_fraction(19))),
        "timestamp" => Some(Wire::of("Timestamp", Wire::UNSIGNED | Wire::BINARY, with_fraction(19))),
        "year" => Some(Wire::of("Year", Wire::UNSIGNED | Wire::ZEROFILL, 4)),
        "char" | "character" | "nchar" if !rest.contains("binary") => {
            text("String", 0, first.unwrap_or(1) * CHARACTER)
        }
        "varchar" | "nvarchar" if !rest.contains("binary") => text("VarString", 0, first? * CHARACTER),
        "binary" => bytes("String", 0, first.unwrap_or(1)),
        "varbinary" => bytes("VarString", 0, first?),
        "tinytext" => text("Blob", Wire::BLOB, 255 * CHARACTER),
        // A length in characters chooses the type by the bytes that they take, from one to four each.
        "text" => match (first, first.map(|length| length * CHARACTER)) {
            (None, _) => text("Blob", Wire::BLOB, 65_535 * CHARACTER),
            (_, Some(..=255)) => text("Blob", Wire::BLOB, 255 * CHARACTER),
            (Some(256..), Some(..=65_535)) => text("Blob", Wire::BLOB, 65_535 * CHARACTER),
            (Some(65_536..), Some(..=16_777_215)) => text("Blob", Wire::BLOB, 16_777_215 * CHARACTER),
            _ => None,
        },
        "mediumtext" => text("Blob", Wire::BLOB, 16_777_215 * CHARACTER),
        "longtext" => text("Blob", Wire::BLOB, u32::MAX),
        "tinyblob" => bytes("Blob", Wire::BLOB, 255),
        "blob" => {
            let sizes = [255, 65_535, 16_777_215, u32::MAX];
            let size = first
                .map_or(65_535, |least| sizes.into_iter().find(|size| *size >= least).unwrap_or(u32::MAX));
            bytes("Blob", Wire::BLOB, size)
        }
        "mediumblob" => bytes("Blob", Wire::BLOB, 16_777_215),
        "longblob" => bytes("Blob", Wire::BLOB, u32::MAX),
        "enum" => text("String", Wire::ENUM, labels(ty)?.into_iter().max()? * CHARACTER),
        "set" => {
            let labels = labels(ty)?;
            let commas = u32::try_from(labels.len()).ok()?.checked_sub(1)?;
            text("String", Wire::SET, (labels.iter().sum::<u32>() + commas) * CHARACTER)
        }
        _ if geometry::is_type(name) => bytes("Geometry", Wire::BLOB, u32::MAX),
        "uuid" => text("String", Wire::UNSIGNED | Wire::BINARY, 36 * CHARACTER),
        "inet4" => text("String", Wire::UNSIGNED | Wire::BINARY, 15 * CHARACTER),
        "inet6" => text("String", Wire::UNSIGNED | Wire::BINARY, 39 * CHARACTER),
        _ => None,
    }
}

/// The numbers in the first parentheses.
pub(super) fn numbers(text: &str) -> Vec<u32> {
    let inside = text.trim_start().strip_prefix('(').and_then(|text| text.split_once(')'));
    let numbers = inside.map(|(inside, _)| inside.split(',').map(|number| number.trim().parse::<u32>()));
    // No type is anywhere near that large.
    numbers.into_iter().flatten().filter_map(Result::ok).filter(|&number| number < 1 << 24).collect()
}

/// The number of characters of each label of an enum or set.
fn labels(ty: &str) -> Option<Vec<u32>> {
    let (_, mut rest) = ty.split_once('(')?;
    let mut labels = Vec::new();
    while let Some((_, after)) = rest.split_once('\'') {
        let mut length = 0_u32;
        let mut chars = after.chars();
        loop {
            match chars.next()? {
                '\'' if chars.as_str().starts_with('\'') => {
                    chars.next();
                    length += 1;
                }
                '\'' => break,
                '\\' => {
                    chars.next();
                    length += 1;
                }
                _ => length += 1,
            }
        }
        labels.push(length);
        rest = chars.as_str();
    }
    (!labels.is_empty()).then_some(labels)
}
