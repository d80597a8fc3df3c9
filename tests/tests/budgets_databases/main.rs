//! Budgets work on every database: each case runs on SQLite, and on PostgreSQL and MariaDB if available.

mod cases;
mod probe;
mod soak;

/// Creates a test of each case for each database.
macro_rules! on_every_database {
    ($($case:path as $name:ident,)*) => {
        mod sqlite {
            $(#[test] fn $name() { crate::probe::on_sqlite($case); })*
        }

        mod postgres {
            $(
                #[test]
                #[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
                fn $name() { crate::probe::on_postgres($case); }
            )*
        }

        mod mysql {
            $(
                #[test]
                #[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
                fn $name() { crate::probe::on_mysql($case); }
            )*
        }
    };
}

on_every_database! {
    crate::cases::every_method_counts_once as every_method_counts_once,
    crate::cases::failed_query_counts as failed_query_counts,
    crate::cases::transaction_control_does_not_count as transaction_control_does_not_count,
    crate::cases::query_counts_in_every_scope_around_it as query_counts_in_every_scope_around_it,
    crate::cases::recursion_counts_in_every_call as recursion_counts_in_every_call,
    crate::cases::joined_futures_count_apart as joined_futures_count_apart,
    crate::cases::spawned_task_counts_when_told as spawned_task_counts_when_told,
    crate::cases::blocking_thread_counts_when_told as blocking_thread_counts_when_told,
    crate::cases::rows_count_as_they_come as rows_count_as_they_come,
    crate::cases::stream_not_polled_does_not_count as stream_not_polled_does_not_count,
    crate::cases::each_limit_holds_by_itself as each_limit_holds_by_itself,
    crate::cases::panic_of_the_body_goes_through as panic_of_the_body_goes_through,
    crate::cases::cancelled_scope_does_not_panic as cancelled_scope_does_not_panic,
    crate::cases::scope_dropped_by_a_panic_does_not_abort as scope_dropped_by_a_panic_does_not_abort,
    crate::cases::time_of_the_consumer_is_not_the_querys as time_of_the_consumer_is_not_the_querys,
    crate::cases::parameters_are_told_apart as parameters_are_told_apart,
    crate::cases::select_counts_what_ran_of_both_arms as select_counts_what_ran_of_both_arms,
    crate::cases::stream_has_a_budget as stream_has_a_budget,
    crate::cases::uncounted_counts_nowhere as uncounted_counts_nowhere,
    crate::cases::tests_ask_for_a_number as tests_ask_for_a_number,
    crate::cases::repeated_statement_is_to_be_batched as repeated_statement_is_to_be_batched,
    crate::cases::request_says_what_it_asked_for as request_says_what_it_asked_for,
    crate::cases::stats_are_kept as stats_are_kept,
    crate::soak::hundred_tasks_count_exactly as hundred_tasks_count_exactly,
}
