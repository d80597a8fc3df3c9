//! For tests: asserts an exact number of queries, and that it does not grow with the data.

use std::fmt::{self, Display, Formatter};
use std::ops::{Range, RangeFrom, RangeInclusive, RangeToInclusive};
use std::panic::Location;

use crate::counting::measure_at;
use crate::report::{Report, Statement};

/// Runs a future, checks the number of its queries, and returns its output.
///
/// The number is exact, `<=` a limit, or a range:
///
/// ```
/// # use query_budget::assert_queries;
/// # async fn page() -> u32 { 7 }
/// # sqlx::__rt::test_block_on(async {
/// let page = assert_queries!(<= 3, page());
/// assert_eq!(page, 7);
/// assert_queries!(0, async {});
/// assert_queries!(0..=2, async {});
/// # });
/// ```
///
/// It has to be in async code. Unlike a budget it is not affected by `QUERY_BUDGET`, and if queries are not
/// counted (in a release build without the feature `count`) it fails.
///
/// # Panics
///
/// If the number differs, with a report of what ran.
#[macro_export]
macro_rules! assert_queries {
    (<= $most:expr, $future:expr $(,)?) => {
        $crate::assert_queries!(..=$most, $future)
    };
    ($expected:expr, $future:expr $(,)?) => {{
        let (output, report) = $crate::measure($future).await;
        $crate::__private::expect_queries(&$expected, &report);
        output
    }};
}

/// An expected number of queries in a test.
#[doc(hidden)]
pub trait Expected {
    fn holds(&self, queries: usize) -> bool;
    fn text(&self) -> String;
}

macro_rules! expected {
    ($($type:ty, |$this:ident, $queries:ident| $holds:expr, $text:expr;)*) => {
        $(impl Expected for $type {
            fn holds(&self, $queries: usize) -> bool {
                let $this = self;
                $holds
            }

            fn text(&self) -> String {
                let $this = self;
                $text
            }
        })*
    };
}

expected! {
    usize, |this, queries| queries == *this, format!("exactly {this}");
    RangeToInclusive<usize>, |this, queries| this.contains(&queries), format!("at most {}", this.end);
    RangeFrom<usize>, |this, queries| this.contains(&queries), format!("at least {}", this.start);
    RangeInclusive<usize>, |this, queries| this.contains(&queries), format!("{} to {}", this.start(), this.end());
    Range<usize>, |this, queries| this.contains(&queries), format!("{} to less than {}", this.start, this.end);
}

/// What `assert_queries!` checks.
#[doc(hidden)]
#[track_caller]
pub fn expect_queries(expected: &impl Expected, report: &Report) {
    let holds = report.was_counted() && expected.holds(report.queries());
    assert!(holds, "expected {} of the queries to run\n{report}", expected.text());
}

/// Runs the scenario with 2 and with 10 of whatever it creates, and checks that the second run takes no more
/// queries.
///
/// A query per element is detected whatever the number of queries: what counts is that it grows.
///
/// ```
/// # use query_budget::assert_constant_queries;
/// # sqlx::__rt::test_block_on(async {
/// assert_constant_queries(async |n| {
///     // Make `n` events, uncounted, then load the page that shows them.
/// # let _ = n;
/// })
/// .await;
/// # });
/// ```
///
/// # Panics
///
/// The future panics if more elements take more queries, and names the statements that ran more often; or if
/// queries are not counted (in a release build without the feature `count`).
#[track_caller]
pub fn assert_constant_queries(scenario: impl AsyncFnMut(usize)) -> impl Future<Output = ()> {
    constant_queries(Location::caller(), scenario)
}

async fn constant_queries(location: &'static Location<'static>, mut scenario: impl AsyncFnMut(usize)) {
    const FEW: usize = 2;
    const MANY: usize = 10;
    let ((), few) = measure_at(location, scenario(FEW)).await;
    let ((), many) = measure_at(location, scenario(MANY)).await;
    let growth = Growth { location, few: (FEW, &few), many: (MANY, &many) };
    assert!(few.was_counted(), "queries are not counted in this build: enable the feature `count`");
    assert!(many.queries() <= few.queries(), "{growth}");
}

/// The statements that ran more often with more elements.
struct Growth<'a> {
    location: &'static Location<'static>,
    few: (usize, &'a Report),
    many: (usize, &'a Report),
}

impl Display for Growth<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ((few, before), (many, after)) = (self.few, self.many);
        let (fewer, more) = (before.queries(), after.queries());
        write!(f, "the number of queries grows with that of elements: {fewer} for {few}, {more} for {many}")?;
        write!(f, "\n  --> {}\n", self.location)?;
        for statement in after.statements() {
            let earlier = before.statements().iter().find(|other| other.is_same(statement));
            let earlier = earlier.map_or(0, Statement::count);
            if statement.count() > earlier {
                let times = statement.count();
                write!(f, "\n  {earlier} times, then {times} times: {}", statement.on_one_line())?;
                write!(f, "\n      {}", statement.at_place())?;
            }
        }
        Ok(())
    }
}
