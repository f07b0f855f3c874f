//! Whether a device can be reached, with hysteresis: one lost answer is no outage, and one
//! answer out of a bad line is no recovery.

use crate::model::{Cause, Health};

/// Failed polls in a row after which a device is offline.
const OFFLINE_AFTER: u32 = 3;
/// Good polls in a row after which a suspect device is online again.
const ONLINE_AFTER: u32 = 2;

/// The health of one device. Each method returns true when health or cause changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Tracker {
    health: Health,
    cause: Option<Cause>,
    failed: u32,
    good: u32,
}

impl Tracker {
    /// Present health.
    pub(super) fn health(&self) -> Health {
        self.health
    }

    /// Why it is not online.
    pub(super) fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    /// Whether so many polls failed in a row that it should only be probed.
    pub(super) fn given_up(&self) -> bool {
        self.failed >= OFFLINE_AFTER
    }

    /// A poll was answered with data (or, by some of its blocks, with an exception).
    pub(super) fn good(&mut self) -> bool {
        self.failed = 0;
        self.good = self.good.saturating_add(1);
        // What refused everything and now gives data was reachable all the time.
        let refused = matches!(self.cause, Some(Cause::Refuses(_)));
        match self.health {
            Health::Suspect if self.good < ONLINE_AFTER && !refused => false,
            _ => self.turn(Health::Online, None),
        }
    }

    /// The device answers, but every request with an exception.
    pub(super) fn refuses(&mut self, code: u8) -> bool {
        self.failed = 0;
        self.good = 0;
        self.turn(Health::Suspect, Some(Cause::Refuses(code)))
    }

    /// A poll failed, after its retries.
    pub(super) fn failed(&mut self, cause: Cause) -> bool {
        self.good = 0;
        self.failed = self.failed.saturating_add(1);
        if self.health == Health::Offline {
            // Damage tells more than silence: a half-dead line shows both, and must not flutter.
            let tells_more = match self.cause {
                Some(Cause::DamagedReplies) => matches!(cause, Cause::LineDown(_)),
                Some(Cause::LineDown(_)) => !matches!(cause, Cause::LineDown(_)),
                _ => true,
            };
            return tells_more && self.turn(Health::Offline, Some(cause));
        }
        let health = if self.given_up() { Health::Offline } else { Health::Suspect };
        self.turn(health, Some(cause))
    }

    /// The line cannot be opened: nothing on it can be reached.
    pub(super) fn line_down(&mut self, why: &str) -> bool {
        self.failed = 0;
        self.good = 0;
        if matches!((self.health, &self.cause), (Health::Offline, Some(Cause::LineDown(_)))) {
            return false;
        }
        self.turn(Health::Offline, Some(Cause::LineDown(why.to_owned())))
    }

    fn turn(&mut self, health: Health, cause: Option<Cause>) -> bool {
        if self.health == health && self.cause == cause {
            return false;
        }
        self.health = health;
        self.cause = cause;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lost_answer_makes_suspect_and_three_in_a_row_offline() {
        let mut tracker = Tracker::default();
        assert!(tracker.good());
        assert_eq!(tracker.health(), Health::Online);
        assert!(tracker.failed(Cause::NoAnswer));
        assert_eq!(tracker.health(), Health::Suspect);
        assert!(!tracker.failed(Cause::NoAnswer));
        assert!(!tracker.given_up());
        assert!(tracker.failed(Cause::NoAnswer));
        assert_eq!((tracker.health(), tracker.given_up()), (Health::Offline, true));
        assert!(!tracker.failed(Cause::NoAnswer), "told once");
        assert_eq!(tracker.cause(), Some(&Cause::NoAnswer));
    }

    #[test]
    fn a_suspect_needs_two_good_polls_and_an_offline_device_one() {
        let mut tracker = Tracker::default();
        tracker.failed(Cause::DamagedReplies);
        assert!(!tracker.good());
        assert_eq!(tracker.health(), Health::Suspect);
        assert!(tracker.good());
        assert_eq!((tracker.health(), tracker.cause()), (Health::Online, None));
        for _ in 0..3 {
            tracker.failed(Cause::NoAnswer);
        }
        assert!(tracker.good());
        assert_eq!(tracker.health(), Health::Online);
    }

    #[test]
    fn the_cause_does_not_flutter_between_damage_and_silence() {
        let mut tracker = Tracker::default();
        for _ in 0..3 {
            tracker.failed(Cause::NoAnswer);
        }
        assert!(tracker.failed(Cause::DamagedReplies));
        assert!(!tracker.failed(Cause::NoAnswer));
        assert_eq!(tracker.cause(), Some(&Cause::DamagedReplies));
    }

    #[test]
    fn a_line_that_is_down_is_told_once_and_replaced_by_what_the_device_itself_shows() {
        let mut tracker = Tracker::default();
        assert!(tracker.line_down("refused"));
        assert!(!tracker.line_down("timed out"));
        assert!(tracker.failed(Cause::NoAnswer));
        assert_eq!(tracker.health(), Health::Offline);
        assert!(!tracker.given_up(), "it gets its three polls on the line that is back");
        assert!(tracker.good());
    }

    #[test]
    fn a_device_that_refuses_everything_is_suspect_with_its_code_until_it_gives_data() {
        let mut tracker = Tracker::default();
        tracker.good();
        assert!(tracker.refuses(2));
        assert!(!tracker.refuses(2));
        assert_eq!(tracker.cause(), Some(&Cause::Refuses(2)));
        assert!(tracker.good());
        assert_eq!(tracker.health(), Health::Online);
    }
}
