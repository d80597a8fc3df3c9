//! Cached reads: hits, misses, and the effect of writes; on SQLite, and on PostgreSQL and MariaDB if
//! available.

mod cases;
mod face;

/// Creates a test of each case for each database.
macro_rules! on_every_database {
    ($($case:ident,)*) => {
        mod sqlite {
            $(#[test] fn $case() { crate::face::on_sqlite(crate::cases::$case::<crate::face::OnSqlite>); })*
        }

        mod postgres {
            $(
                #[test]
                #[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
                fn $case() { crate::face::on_postgres(crate::cases::$case::<crate::face::OnPostgres>); }
            )*
        }

        mod mysql {
            $(
                #[test]
                #[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
                fn $case() { crate::face::on_mysql(crate::cases::$case::<crate::face::OnMySql>); }
            )*
        }
    };
}

on_every_database! {
    write_is_seen_by_the_next_read,
    transaction_invalidates_when_it_is_committed,
    rollback_invalidates_nothing,
    arguments_are_told_apart,
    other_tables_are_left_alone,
    what_is_not_known_is_all,
    entry_dies_in_time,
    one_reads_for_all,
    read_that_a_write_overtakes_is_not_found,
    failed_read_is_not_kept,
    cancelled_write_invalidates,
    tags_of_ones_own,
    connection_of_a_transaction_is_not_seen,
    rows_of_a_write_are_given,
    batch_invalidates_what_it_has_written,
    databases_are_told_apart,
}
