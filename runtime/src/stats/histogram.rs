//! A histogram of durations in memory of constant size.

use std::sync::atomic::{AtomicU32, Ordering};

/// Steps from one power of two to the next: durations within a step differ by less than one percent.
const STEPS: usize = 1 << STEPS_LOG;
const STEPS_LOG: u32 = 7;
/// An hour, in nanoseconds: longer durations are counted as that.
const MAX_NANOSECONDS: u64 = 3_600_000_000_000;
const COUNTS: usize = place(MAX_NANOSECONDS) + 1;

/// Counts of durations in nanoseconds, 18 KiB. Threads add to it without a lock.
pub(super) struct Histogram([AtomicU32; COUNTS]);

impl Histogram {
    pub(super) const fn new() -> Self {
        Self([const { AtomicU32::new(0) }; COUNTS])
    }

    pub(super) fn add(&self, nanoseconds: u64) {
        let longest = if nanoseconds < MAX_NANOSECONDS { nanoseconds } else { MAX_NANOSECONDS };
        let count = &self.0[place(longest)];
        // Saturates instead of wrapping around.
        if count.fetch_add(1, Ordering::Relaxed) == u32::MAX {
            count.store(u32::MAX, Ordering::Relaxed);
        }
    }

    /// The counts as they are now.
    pub(super) fn counts(&self) -> Counts {
        Counts(self.0.iter().map(|count| u64::from(count.load(Ordering::Relaxed))).collect())
    }
}

/// A copy of the counts at one moment.
pub(super) struct Counts(Vec<u64>);

impl Counts {
    /// The total count.
    pub(super) fn all(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The quantile in nanoseconds, up to one percent above the exact value; 0 if nothing was counted.
    pub(super) fn at(&self, quantile: f64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a count times a fraction"
        )]
        let wanted = ((self.all() as f64 * quantile).ceil() as u64).max(1);
        let mut so_far = 0;
        let reached = self.0.iter().position(|count| {
            so_far += count;
            so_far >= wanted
        });
        reached.map_or(0, longest_at)
    }
}

/// The place of a duration: exact up to twice [`STEPS`], then in steps that double with each power of two.
#[inline(always)]
const fn place(nanoseconds: u64) -> usize {
    let magnitude = u64::BITS - nanoseconds.leading_zeros();
    let shift = magnitude.saturating_sub(STEPS_LOG + 1);
    shift as usize * STEPS + (nanoseconds >> shift) as usize
}

/// The longest duration that is counted at a place.
const fn longest_at(place: usize) -> u64 {
    let shift = (place / STEPS).saturating_sub(1);
    let step = (place - shift * STEPS) as u64;
    ((step + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_counted_within_one_part_in_a_hundred() {
        let mut times = vec![0, 1, 127, 128, 255, 256, 257, 511, 512, MAX_NANOSECONDS - 1, MAX_NANOSECONDS];
        times.extend((0..20_000).scan(3_u64, |time, _| {
            *time = time.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Some(*time % (1 << (*time >> 59)).min(MAX_NANOSECONDS))
        }));
        for time in times {
            let longest = longest_at(place(time));
            assert!(longest >= time && (longest - time) * 100 <= time, "{time} is counted as {longest}");
            assert_eq!(place(longest), place(time), "{time}");
        }
        assert!((1..COUNTS).all(|at| longest_at(at - 1) < longest_at(at)));
    }

    #[test]
    fn a_part_of_them_took_no_longer() {
        let histogram = Histogram::new();
        assert_eq!((histogram.counts().all(), histogram.counts().at(0.5)), (0, 0));
        (1..=100).for_each(|time| histogram.add(time));
        histogram.add(u64::MAX);
        let counts = histogram.counts();
        assert_eq!((counts.all(), counts.at(0.5), counts.at(0.95)), (101, 51, 96));
        assert!(counts.at(1.0) >= MAX_NANOSECONDS);
    }
}
