//! The parser's grammar for each dialect, extended where it accepts less than the database.

use std::sync::LazyLock;

use sqlparser::dialect::{Dialect as Grammar, PostgreSqlDialect};

use super::dialect::Dialect;

#[expect(unreachable_pub, reason = "the macro makes public what it derives")]
mod derived {
    use sqlparser::derive_dialect;
    use sqlparser::dialect::{MySqlDialect, SQLiteDialect};

    derive_dialect!(Sqlite, SQLiteDialect, preserve_type_id = true, overrides = {
        supports_bitwise_shift_operators = true,
        supports_cross_join_constraint = true,
        // A name behind a CTE, by which the rewritten text says that it is materialized.
        supports_from_first_insert = true,
        supports_insert_table_alias = true,
        supports_update_order_by = true,
        supports_parens_around_table_factor = true,
    });
    derive_dialect!(MySql, MySqlDialect, preserve_type_id = true, overrides = {
        supports_parens_around_table_factor = true,
    });
}

static SQLITE: LazyLock<derived::Sqlite> = LazyLock::new(derived::Sqlite::new);
static MYSQL: LazyLock<derived::MySql> = LazyLock::new(derived::MySql::new);

/// The grammar of a dialect.
pub(super) fn of(dialect: Dialect) -> &'static dyn Grammar {
    match dialect {
        Dialect::Postgres => &PostgreSqlDialect {},
        Dialect::MySql => &*MYSQL,
        Dialect::Sqlite => &*SQLITE,
    }
}
