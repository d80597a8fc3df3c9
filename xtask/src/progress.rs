//! Shows progress on a terminal for work that takes longer than a second; never in a pipe.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The time after which progress is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// The progress of one step over a known number of items.
pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    total: u64,
    started: Instant,
    shown: bool,
}

impl Progress {
    /// The progress of `what`, for instance `reading files`.
    pub(crate) fn new(what: &'static str, total: usize) -> Progress {
        Progress {
            bar: ProgressBar::hidden(),
            what,
            total: total as u64,
            started: Instant::now(),
            shown: false,
        }
    }

    /// Counts one more item.
    pub(crate) fn step(&mut self) {
        if !self.shown && self.started.elapsed() > PATIENCE && std::io::stderr().is_terminal() {
            self.shown = true;
            let bar = ProgressBar::new(self.total).with_position(self.bar.position()).with_message(self.what);
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}");
            self.bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
