//! Plausibility of one reading against what was believed before.

use crate::model::{Moment, Point, Quality, Quantity, Reading, Reason};

/// What is remembered of a point to judge its next reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Belief {
    /// Last value that was believed, and when.
    pub(super) believed: Option<(f64, Moment)>,
    /// What is believed comes from before a restart: how long ago is not known.
    pub(super) restored: bool,
    /// A counter is under suspicion.
    pub(super) suspicion: Option<Suspicion>,
}

/// How far a suspicion has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suspicion {
    /// Seen once; read again before anything is said.
    Held,
    /// Seen again, or not possible to read again; announced.
    Announced,
}

/// What is to be done with a reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// Pass it on with the quality it now has.
    Pass,
    /// Keep it back and read the point again.
    Hold,
    /// Pass it on as uncertain and announce the suspicion.
    Announce {
        /// Value believed before.
        previous: f64,
        /// Value read.
        value: f64,
        /// Rule that it breaks.
        reason: Reason,
    },
    /// Pass it on; the counter is believed again after having been announced.
    Recovered {
        /// Value read.
        value: f64,
    },
}

/// Judges a reading and sets its quality. `can_read_again` is whether the driver can be asked.
pub(super) fn judge(
    point: &Point,
    belief: &mut Belief,
    reading: &mut Reading,
    at: Moment,
    can_read_again: bool,
) -> Verdict {
    let (true, Some(value)) =
        (reading.quality.is_good(), reading.value.as_ref().and_then(|v| v.number()))
    else {
        return Verdict::Pass;
    };
    if point.range.is_some_and(|(low, high)| value < low || value > high) {
        reading.quality = Quality::Bad(Reason::OutOfRange);
        return Verdict::Pass;
    }
    match point.quantity {
        Quantity::Counter => judge_counter(point, belief, reading, value, at, can_read_again),
        Quantity::Instantaneous => {
            if let Some(most) = point.max_rate
                && let Some((before, when)) = belief.believed
                && (value - before).abs() > most * seconds(when, at) + resolution(point)
            {
                reading.quality = Quality::Uncertain(Reason::RateOfChange);
            }
            belief.believed = Some((value, at));
            Verdict::Pass
        }
        Quantity::State | Quantity::Text => Verdict::Pass,
    }
}

fn judge_counter(
    point: &Point,
    belief: &mut Belief,
    reading: &mut Reading,
    value: f64,
    at: Moment,
    can_read_again: bool,
) -> Verdict {
    let Some((previous, when)) = belief.believed else {
        belief.believed = Some((value, at));
        return Verdict::Pass;
    };
    let since = (!belief.restored).then_some(when);
    let Some(reason) = implausible(point, previous, since, value, at) else {
        belief.believed = Some((value, at));
        belief.restored = false;
        return match belief.suspicion.take() {
            Some(Suspicion::Announced) => Verdict::Recovered { value },
            Some(Suspicion::Held) | None => Verdict::Pass,
        };
    };
    reading.quality = Quality::Uncertain(reason);
    match belief.suspicion {
        None if can_read_again => {
            belief.suspicion = Some(Suspicion::Held);
            Verdict::Hold
        }
        None | Some(Suspicion::Held) => {
            belief.suspicion = Some(Suspicion::Announced);
            Verdict::Announce { previous, value, reason }
        }
        Some(Suspicion::Announced) => Verdict::Pass,
    }
}

/// Which rule a counter's value breaks, if any. Without `since` only running backwards is judged.
fn implausible(
    point: &Point,
    previous: f64,
    since: Option<Moment>,
    value: f64,
    at: Moment,
) -> Option<Reason> {
    let step = match point.counter_max {
        // A roll-over is believed when it is shorter than a tenth of the counter's span.
        Some(max) if value < previous && max - previous + value < max / 10.0 => {
            max - previous + value
        }
        _ => value - previous,
    };
    if step < -resolution(point) / 2.0 {
        return Some(Reason::CounterBackwards);
    }
    let most = point.max_rate? * seconds(since?, at) + resolution(point);
    (step > most).then_some(Reason::CounterJump)
}

/// Seconds between two readings, at least one: the clock counts milliseconds, meters do not.
fn seconds(from: Moment, to: Moment) -> f64 {
    to.since(from).as_secs_f64().max(1.0)
}

/// The smallest step that the point can show.
fn resolution(point: &Point) -> f64 {
    10f64.powi(-i32::from(point.decimals))
}
