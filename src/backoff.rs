//! Exponential back-off with jitter, driven by its caller.

use std::time::Duration;

/// Delays that double from `first` to `cap`, each shortened by up to a quarter at random so that
/// many gateways do not come back at the same moment.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    next: Duration,
}

impl Backoff {
    /// `first` is the first delay, `cap` the longest.
    ///
    /// # Panics
    /// When `first` is zero or above `cap`: a constant of the program is wrong.
    pub fn new(first: Duration, cap: Duration) -> Self {
        assert!(!first.is_zero() && first <= cap, "back-off needs 0 < first <= cap");
        Self { first, cap, next: first }
    }

    /// The delay before the next attempt; each call doubles it.
    pub fn delay(&mut self) -> Duration {
        let full = self.next;
        self.next = (full * 2).min(self.cap);
        full.mul_f64(1.0 - fastrand::f64() * 0.25)
    }

    /// The attempt succeeded: begin anew.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_and_start_anew_after_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(4));
        for full in [1, 2, 4, 4] {
            let delay = backoff.delay();
            assert!(delay <= Duration::from_secs(full), "{delay:?}");
            assert!(delay >= Duration::from_secs(full).mul_f64(0.75), "{delay:?}");
        }
        backoff.reset();
        assert!(backoff.delay() <= Duration::from_secs(1));
    }
}
