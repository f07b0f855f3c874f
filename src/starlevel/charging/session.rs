//! One charging session: a pure state machine over what was seen at one connector.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// T/CEC 102: the connector cannot be reached.
const OFFLINE: i64 = 0;
/// T/CEC 102: free.
const FREE: i64 = 1;
/// T/CEC 102: occupied, not charging.
const OCCUPIED: i64 = 2;
/// T/CEC 102: occupied, charging.
pub(super) const CHARGING: i64 = 3;
/// T/CEC 102: fault.
const FAULT: i64 = 255;

/// A begin or end is known when the state was seen before and after it within this time.
const SHORT_GAP: Duration = Duration::from_secs(120);
/// Digits after the point of an energy: what meters of chargers resolve.
const WATT_HOURS: f64 = 1000.0;

/// Longest time between two good states of a connector that is read `every` so often, at which
/// what happened between them still has a time.
pub(super) fn longest_gap(every: Duration) -> Duration {
    SHORT_GAP.max(every * 2)
}

/// What was seen at a connector at one look; good readings only.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Seen<'a> {
    /// When the state was read, wall milliseconds.
    pub(super) at_ms: i64,
    /// The state by T/CEC 102.
    pub(super) status: i64,
    /// Energy of the session, kWh, and when it was read.
    pub(super) session_kwh: Option<(i64, f64)>,
    /// Register, kWh.
    pub(super) register_kwh: Option<f64>,
    /// What the charger says why it stopped, and when that was read.
    pub(super) stop: Option<(i64, &'a str)>,
}

/// What is kept about a connector between looks.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Session {
    /// The last good state, except offline, and when, wall milliseconds.
    last: Option<(i64, i64)>,
    /// The register at that time, kWh.
    register: Option<f64>,
    /// What charges now.
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Open {
    /// When it was first seen, wall milliseconds.
    seen_ms: i64,
    /// When it began; `None` when nobody saw it begin.
    start_ms: Option<i64>,
    /// The register before it began, or when first seen if the begin is not known, kWh.
    register: Option<f64>,
    /// The session's energy so far, kWh.
    energy: Option<f64>,
}

/// A session that ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Ended {
    pub(super) start_ms: Option<i64>,
    pub(super) end_ms: Option<i64>,
    pub(super) energy_kwh: Option<f64>,
    pub(super) stop_reason: Option<String>,
    pub(super) stop_inferred: Option<String>,
}

impl Session {
    /// Whether something charges.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes a look; `gap` is the [`longest_gap`]. Returns the session that ended.
    pub(super) fn step(&mut self, seen: Seen<'_>, gap: Duration) -> Option<Ended> {
        if seen.status == OFFLINE || self.last.is_some_and(|(at, _)| seen.at_ms <= at) {
            return None;
        }
        let gap = i64::try_from(gap.as_millis()).unwrap_or(i64::MAX);
        let timed = self.last.is_some_and(|(at, _)| seen.at_ms - at <= gap);
        let before = self.register;
        self.last = Some((seen.at_ms, seen.status));
        self.register = seen.register_kwh.or(self.register);
        let charging = seen.status == CHARGING;
        match &mut self.open {
            None if charging => {
                self.open = Some(Open::begin(&seen, timed, before));
                None
            }
            None => None,
            Some(open) if charging => {
                // While nobody looked, one may have ended and another begun: the session's energy
                // is less than it was.
                let fell = open.fell(&seen);
                if timed || !fell {
                    open.follow(&seen);
                    return None;
                }
                let ended = Ended { start_ms: open.start_ms, energy_kwh: None, ..Ended::default() };
                self.open = Some(Open::begin(&seen, false, None));
                Some(ended)
            }
            Some(open) => {
                let ended = open.end(&seen, timed);
                self.open = None;
                Some(ended)
            }
        }
    }
}

impl Open {
    fn begin(seen: &Seen<'_>, timed: bool, before: Option<f64>) -> Self {
        Self {
            seen_ms: seen.at_ms,
            start_ms: timed.then_some(seen.at_ms),
            register: if timed { before.or(seen.register_kwh) } else { seen.register_kwh },
            // What stands there may still be of the session before.
            energy: None,
        }
    }

    fn fell(&self, seen: &Seen<'_>) -> bool {
        let energy = self.energy.zip(seen.session_kwh);
        energy.is_some_and(|(was, (_, now))| now < was)
    }

    fn follow(&mut self, seen: &Seen<'_>) {
        if let Some((at, energy)) = seen.session_kwh
            && at >= self.seen_ms
        {
            self.energy = Some(energy);
        }
    }

    fn end(&self, seen: &Seen<'_>, timed: bool) -> Ended {
        // Some chargers keep the energy until the plug is out, others clear it at once.
        let last = seen.session_kwh.filter(|(at, _)| *at >= self.seen_ms).map(|(_, kwh)| kwh);
        let energy = match (self.energy, last) {
            (Some(was), Some(now)) => Some(was.max(now)),
            // One look only: the value at the end, unless it was cleared already.
            (None, Some(now)) => Some(now).filter(|now| *now > 0.0),
            (was, None) => was,
        };
        let counted = || {
            let used = seen.register_kwh? - self.register?;
            // Of a session whose begin nobody saw the register tells only a part.
            (used >= 0.0 && self.start_ms.is_some()).then_some(used)
        };
        // One that stays at zero while the register counts is not kept by this charger.
        let energy = energy.filter(|kwh| *kwh > 0.0).or_else(counted).or(energy);
        let said = seen.stop.filter(|(at, text)| *at >= self.seen_ms && !text.is_empty());
        let fault = (seen.status == FAULT).then(|| "fault".to_owned());
        let inferred = match seen.status {
            FREE => Some("unplugged"),
            OCCUPIED => Some("finished"),
            _ => None,
        };
        let stop_reason = said.map(|(_, text)| text.to_owned()).or(fault);
        Ended {
            start_ms: self.start_ms,
            end_ms: timed.then_some(seen.at_ms),
            energy_kwh: energy.map(|kwh| (kwh * WATT_HOURS).round() / WATT_HOURS),
            stop_inferred: inferred.filter(|_| stop_reason.is_none()).map(str::to_owned),
            stop_reason,
        }
    }
}
