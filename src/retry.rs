//! When to try again. `backoff` gives the delays (exponential, full jitter, capped); counting, classifying and sleeping
//! are ours, so that a lost process or broker resets nothing. The crate is named in this file only: it is unmaintained,
//! and another can take its place here.

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often and at what pace something is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts in all, the first included; at least 1.
    pub attempts: u32,
    /// Delay before the second attempt.
    pub first: Duration,
    /// Longest delay.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy { attempts: 12, first: Duration::from_secs(1), cap: Duration::from_secs(15 * 60) }
    }
}

impl RetryPolicy {
    /// Delay before the next attempt after `attempts` have failed; `None` when it is to be given up.
    pub fn delay(&self, attempts: u32) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        let doubled = self.first.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(self.cap);
        // Jitter of ± half: many claims that failed together must not come back together.
        let mut backoff = ExponentialBackoff {
            current_interval: doubled,
            initial_interval: doubled,
            randomization_factor: 0.5,
            max_interval: self.cap,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        backoff.next_backoff().map(|delay| delay.min(self.cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_and_end() {
        let policy = RetryPolicy { attempts: 5, first: Duration::from_secs(1), cap: Duration::from_secs(3) };
        for (failed, low, high) in [(1, 500, 1500), (2, 1000, 3000), (3, 1500, 3000), (4, 1500, 3000)] {
            let delay = policy.delay(failed).unwrap().as_millis();
            assert!((low..=high).contains(&delay), "after {failed}: {delay} ms");
        }
        assert_eq!(policy.delay(5), None);
    }
}
