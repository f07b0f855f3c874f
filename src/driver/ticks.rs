//! When a block of a device is read: a grid of ticks, and reads beside it.

use std::time::Duration;

use super::schedule::Time;

/// What a device needs of the schedule.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    /// Period of each block.
    pub(super) periods: Vec<Duration>,
    /// Which blocks go before all others that are due.
    pub(super) urgent: Vec<bool>,
    /// The cheapest block.
    pub(super) smallest: usize,
    /// Number of its line settings: devices of one group are read without retuning the line.
    pub(super) group: usize,
}

/// The ticks of one block.
#[derive(Debug)]
pub(super) struct Ticks {
    pub(super) period: Duration,
    pub(super) phase: Time,
    pub(super) due: Time,
    /// `due` is not a tick of the grid: the read was wanted as soon as possible.
    pub(super) off_grid: bool,
    /// An attempt after one that failed, beside the grid.
    pub(super) retry: Option<Time>,
    /// Goes before others that are due.
    pub(super) urgent: bool,
}

impl Ticks {
    pub(super) fn wanted(&self) -> Time {
        self.retry.map_or(self.due, |retry| retry.min(self.due))
    }

    /// Half a period after it was due: on a bus that is too slow a block that waits for the
    /// whole of it would always lose its next tick too.
    pub(super) fn deadline(&self) -> Time {
        let deadline = self.due + self.period / 2;
        self.retry.map_or(deadline, |retry| retry.min(deadline))
    }

    pub(super) fn want(&mut self, now: Time) {
        self.due = now;
        self.off_grid = true;
        self.retry = None;
    }

    /// The read begins: on to the next tick. Returns how many ticks it is too late for.
    pub(super) fn begin(&mut self, now: Time) -> u64 {
        self.retry = None;
        if self.due > now {
            return 0;
        }
        let late = now - self.due;
        let missed = if self.off_grid { 0 } else { late.as_nanos() / self.period.as_nanos() };
        // A read beside the grid is not repeated a moment later.
        let after = if self.off_grid { now + self.period / 2 } else { now };
        self.off_grid = false;
        self.due = next_tick(after, self.phase, self.period);
        u64::try_from(missed).unwrap_or(u64::MAX)
    }
}

/// The first tick after `after`.
fn next_tick(after: Time, phase: Time, period: Duration) -> Time {
    let Some(into) = after.checked_sub(phase) else {
        return phase;
    };
    let past = into.as_nanos() % period.as_nanos();
    after - Duration::from_nanos(u64::try_from(past).unwrap_or(0)) + period
}

/// What is due now, and which of it goes first.
#[derive(Debug)]
pub(super) struct Due {
    tuned: Option<usize>,
    urgent: Option<Offer>,
    /// Earliest deadline of the others, and of those for which the line is set already.
    best: Option<Offer>,
    same: Option<Offer>,
}

type Offer = (Time, (usize, usize));

impl Due {
    /// Nothing yet; the line is set for group `tuned`.
    pub(super) fn new(tuned: Option<usize>) -> Self {
        Self { tuned, urgent: None, best: None, same: None }
    }

    /// A device and block that are due.
    pub(super) fn offer(
        &mut self,
        group: usize,
        urgent: bool,
        deadline: Time,
        job: (usize, usize),
    ) {
        let earlier = |place: &mut Option<Offer>| {
            if place.is_none_or(|(best, _)| deadline < best) {
                *place = Some((deadline, job));
            }
        };
        if urgent {
            return earlier(&mut self.urgent);
        }
        earlier(&mut self.best);
        if self.tuned == Some(group) {
            earlier(&mut self.same);
        }
    }

    /// Urgent ones first, unless they had their share (`sated`); then those for which the line is
    /// set, as long as no other is overdue or the line did not `stay` long enough for its group to
    /// be worth the retuning.
    pub(super) fn choose(
        &self,
        now: Time,
        (stayed, sated): (bool, bool),
    ) -> Option<(usize, usize)> {
        let other = match (self.same, self.best) {
            (Some(_), Some(best)) if best.0 < now && stayed => Some(best),
            (Some(same), _) => Some(same),
            (None, best) => best,
        };
        let chosen = if sated { other.or(self.urgent) } else { self.urgent.or(other) };
        chosen.map(|(_, job)| job)
    }
}

/// Spreads the ticks of one period over it, those of one group side by side, so that the line is
/// retuned once a round.
pub(super) fn phases(demands: &[Demand]) -> Vec<Vec<Time>> {
    let mut order: Vec<usize> = (0..demands.len()).collect();
    order.sort_by_key(|&device| demands[device].group);
    let of_period = |period: Duration| {
        let all = demands.iter().flat_map(|demand| &demand.periods);
        u32::try_from(all.filter(|&&other| other == period).count()).unwrap_or(u32::MAX)
    };
    // Period, its ticks, ticks placed so far.
    let mut counted: Vec<(Duration, u32, u32)> = Vec::new();
    let mut phases: Vec<Vec<Time>> = vec![Vec::new(); demands.len()];
    for device in order {
        for &period in &demands[device].periods {
            let slot = counted.iter().position(|(known, ..)| *known == period);
            let slot = slot.unwrap_or_else(|| {
                counted.push((period, of_period(period), 0));
                counted.len() - 1
            });
            let (_, all, placed) = &mut counted[slot];
            phases[device].push(period.max(Duration::from_millis(1)) / *all * *placed);
            *placed += 1;
        }
    }
    phases
}
