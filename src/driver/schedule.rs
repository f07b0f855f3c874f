//! What a bus does next. Synchronous: time is a parameter, counted from the start of the bus.
//!
//! - Each block has a period and a grid of ticks; of the blocks that are due, the one with the
//!   earliest deadline (due + half its period) goes first. A tick that passed while the bus was busy is
//!   skipped and counted, and the block stays on its grid.
//! - A device that has not answered yet, or failed its last poll, is *tried* with its smallest
//!   block only, when no poll of another is due. One that was given up is *probed* with it: with exponential back-off, after the
//!   polls of all others, and so rarely that all probing takes at most a twentieth of the time.
//! - Re-reads that the pipeline asked for go before everything.

use std::collections::VecDeque;
use std::time::Duration;

pub(super) use super::ticks::Demand;
use super::ticks::{Due, Ticks, phases};
use crate::backoff::Backoff;

/// Time since the bus started.
pub(super) type Time = Duration;

/// After a probe of `T` the next may begin `19 * T` later: 5 % of the time.
const PROBE_REST: u32 = 19;
/// A probe that waited this long goes before polls: a saturated bus must still find out that a
/// device came back. The share of time stays bounded by [`PROBE_REST`].
const PROBE_PATIENCE: Duration = Duration::from_secs(60);
/// Longest interval between attempts at a device that is not given up yet.
const TRIAL_CAP: Duration = Duration::from_secs(10);
/// A device that is tried waits so long for a moment in which no poll is due, before it counts as
/// one: one that never was asked, one that failed. A time-out must not cost others their ticks.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);
const TRIAL_PATIENCE: Duration = Duration::from_secs(20);
/// After the line came back, devices that failed wait this long for the healthy ones.
const TRIAL_REST: Duration = Duration::from_secs(1);
/// While others wait that are overdue, the line stays with one group of settings at most so long.
const DWELL: Duration = Duration::from_millis(500);
/// After so many urgent reads in a row one of the others that are due has its turn: too many urgent
/// ones must not silence the rest of the line.
const URGENT_RUN: u32 = 4;
/// Shortest first interval of probes.
const PROBE_FIRST: Duration = Duration::from_secs(1);

/// Why a block is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is due.
    Poll,
    /// To find out whether a device that was given up is back.
    Probe,
}

/// One read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Job {
    /// Which device of the bus.
    pub(super) device: usize,
    /// Which of its blocks.
    pub(super) block: usize,
    /// Why.
    pub(super) purpose: Purpose,
}

/// Why a line had to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Back {
    /// The other end closed it after an answer, as many servers do.
    Closed,
    /// It broke.
    Broke,
    /// It could not be opened for some time.
    Away,
}

/// The schedule's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Read this now.
    Run(Job),
    /// Nothing to do before this time.
    Wait(Time),
    /// Nothing to do at all: no device has a block.
    Nothing,
}

#[derive(Debug)]
enum Mode {
    Polling,
    Trying { at: Time },
    Probing { at: Time },
}

#[derive(Debug)]
struct Slot {
    blocks: Vec<Ticks>,
    smallest: usize,
    group: usize,
    fastest: Duration,
    mode: Mode,
    backoff: Backoff,
    /// It failed since it last answered.
    tried: bool,
    /// Not to be addressed before.
    hold: Time,
}

/// Schedule of one bus.
#[derive(Debug)]
pub(super) struct Schedule {
    slots: Vec<Slot>,
    again: VecDeque<(usize, usize)>,
    probe_gate: Time,
    /// When the last trial failed: on a full line they come one at a time.
    trial_gate: Time,
    missed: u64,
    /// Settings of the line, and since when.
    tuned: Option<(usize, Time)>,
    /// Urgent blocks that were read in a row.
    urgent_run: u32,
}

impl Schedule {
    /// Everything is wanted at once; from then on the ticks of one period are spread over it.
    /// `probe_cap` is the longest interval between two probes of a device.
    pub(super) fn new(demands: &[Demand], probe_cap: Duration) -> Self {
        let phases = phases(demands);
        let mut slots = Vec::with_capacity(demands.len());
        for (demand, phases) in demands.iter().zip(phases) {
            let mut blocks = Vec::with_capacity(demand.periods.len());
            for (block, (&period, phase)) in demand.periods.iter().zip(phases).enumerate() {
                blocks.push(Ticks {
                    period: period.max(Duration::from_millis(1)),
                    phase,
                    due: Time::ZERO,
                    off_grid: true,
                    retry: None,
                    urgent: demand.urgent.get(block).copied().unwrap_or(false),
                });
            }
            let fastest = blocks.iter().map(|block| block.period).min().unwrap_or(TRIAL_CAP);
            let cap = probe_cap.max(Duration::from_millis(1));
            let first = fastest.clamp(PROBE_FIRST, TRIAL_CAP).min(cap);
            slots.push(Slot {
                blocks,
                smallest: demand.smallest,
                group: demand.group,
                fastest,
                mode: Mode::Trying { at: Time::ZERO },
                backoff: Backoff::new(first, cap),
                tried: false,
                hold: Time::ZERO,
            });
        }
        Self {
            slots,
            again: VecDeque::new(),
            probe_gate: Time::ZERO,
            trial_gate: Time::ZERO,
            missed: 0,
            tuned: None,
            urgent_run: 0,
        }
    }

    /// What to do at `now`. A job that is handed out counts as begun.
    pub(super) fn next(&mut self, now: Time) -> Next {
        if let Some(place) = self.again.iter().position(|&(slot, _)| self.slots[slot].hold <= now) {
            let (device, block) = self.again.remove(place).unwrap_or((0, 0));
            return self.run(device, block, Purpose::Poll, now);
        }
        let mut wake: Option<Time> = None;
        let mut polls = Due::new(self.tuned.map(|(group, _)| group));
        let mut trials = Due::new(self.tuned.map(|(group, _)| group));
        let mut probe: Option<(Time, usize)> = None;
        let mut later = |at: Time| wake = Some(wake.map_or(at, |wake: Time| wake.min(at)));
        for (device, slot) in self.slots.iter().enumerate() {
            if slot.blocks.is_empty() {
                continue;
            }
            match slot.mode {
                Mode::Polling => {
                    for (block, ticks) in slot.blocks.iter().enumerate() {
                        let at = ticks.wanted().max(slot.hold);
                        if at > now {
                            later(at);
                        } else {
                            polls.offer(
                                slot.group,
                                ticks.urgent,
                                ticks.deadline(),
                                (device, block),
                            );
                        }
                    }
                }
                Mode::Trying { at } if at.max(slot.hold) > now => later(at.max(slot.hold)),
                Mode::Trying { at } => {
                    let patience = if slot.tried { TRIAL_PATIENCE } else { FIRST_PATIENCE };
                    let overdue = now.saturating_sub(at.max(self.trial_gate)) >= patience;
                    let job = (device, slot.smallest);
                    let into = if overdue { &mut polls } else { &mut trials };
                    into.offer(slot.group, false, at + slot.fastest / 2, job);
                }
                Mode::Probing { at } => {
                    let open = at.max(slot.hold).max(self.probe_gate);
                    if open > now {
                        later(open);
                    } else if probe.is_none_or(|(best, _)| at < best) {
                        probe = Some((at, device));
                    }
                }
            }
        }
        self.again.iter().for_each(|&(device, _)| later(self.slots[device].hold));
        let stayed = self.tuned.map_or(Duration::MAX, |(_, since)| now.saturating_sub(since));
        let long = stayed >= DWELL;
        let long = (long, self.urgent_run >= URGENT_RUN);
        let poll = polls.choose(now, long).or_else(|| trials.choose(now, long));
        if let Some((at, device)) = probe
            && (poll.is_none() || now.saturating_sub(at.max(self.probe_gate)) >= PROBE_PATIENCE)
        {
            let block = self.slots[device].smallest;
            return self.run(device, block, Purpose::Probe, now);
        }
        if let Some((device, block)) = poll {
            return self.run(device, block, Purpose::Poll, now);
        }
        wake.map_or(Next::Nothing, Next::Wait)
    }

    fn run(&mut self, device: usize, block: usize, purpose: Purpose, now: Time) -> Next {
        if purpose == Purpose::Poll {
            self.begin(device, block, now);
        }
        let urgent = self.slots[device].blocks[block].urgent;
        self.urgent_run = if urgent { self.urgent_run.saturating_add(1) } else { 0 };
        let group = self.slots[device].group;
        if self.tuned.is_none_or(|(tuned, _)| tuned != group) {
            self.tuned = Some((group, now));
        }
        Next::Run(Job { device, block, purpose })
    }

    /// The device answered `job`, with data or an exception; the request took `took`.
    pub(super) fn answered(&mut self, job: Job, now: Time, took: Duration) {
        self.probed(job, now, took);
        let slot = &mut self.slots[job.device];
        if matches!(slot.mode, Mode::Polling) {
            return;
        }
        slot.mode = Mode::Polling;
        slot.tried = false;
        slot.backoff.reset();
        for (block, ticks) in slot.blocks.iter_mut().enumerate() {
            ticks.want(now);
            if block == job.block {
                ticks.begin(now);
            }
        }
    }

    /// The device did not answer `job` after its retries; `given_up` when it is to be probed only.
    pub(super) fn failed(&mut self, job: Job, now: Time, took: Duration, given_up: bool) {
        self.probed(job, now, took);
        self.again.retain(|&(device, _)| device != job.device);
        let slot = &mut self.slots[job.device];
        slot.tried = true;
        self.trial_gate = now;
        slot.mode = if given_up {
            Mode::Probing { at: now + slot.backoff.delay() }
        } else {
            Mode::Trying { at: now + slot.fastest.min(TRIAL_CAP) }
        };
    }

    /// Reads the block of `job` once more at `at`, beside its ticks.
    pub(super) fn retry(&mut self, job: Job, at: Time) {
        self.slots[job.device].blocks[job.block].retry = Some(at);
    }

    /// The block was cut: it and so many new last blocks of the same period are wanted at once.
    pub(super) fn cut(&mut self, device: usize, block: usize, added: usize, now: Time) {
        let blocks = &mut self.slots[device].blocks;
        blocks[block].want(now);
        let Ticks { period, phase, urgent, .. } = blocks[block];
        let new = || Ticks { period, phase, due: now, off_grid: true, retry: None, urgent };
        blocks.extend((0..added).map(|_| new()));
    }

    /// The device has other blocks now; all are wanted at once.
    pub(super) fn replan(&mut self, device: usize, demand: &Demand, now: Time) {
        self.again.retain(|&(other, _)| other != device);
        let slot = &mut self.slots[device];
        let phase = slot.blocks.first().map_or(Time::ZERO, |ticks| ticks.phase);
        let ticks = |(block, &period): (usize, &Duration)| {
            let period = period.max(Duration::from_millis(1));
            let urgent = demand.urgent.get(block).copied().unwrap_or(false);
            Ticks {
                period,
                phase: phase.min(period),
                due: now,
                off_grid: true,
                retry: None,
                urgent,
            }
        };
        slot.blocks = demand.periods.iter().enumerate().map(ticks).collect();
        slot.smallest = demand.smallest;
    }

    /// The device is not to be addressed before `until`.
    pub(super) fn hold(&mut self, device: usize, until: Time) {
        let slot = &mut self.slots[device];
        slot.hold = slot.hold.max(until);
    }

    /// Whether the device of this job is on hold; the job is handed out again when it is not.
    pub(super) fn postponed(&mut self, job: Job, now: Time) -> bool {
        let held = self.slots[job.device].hold > now;
        if held {
            self.first(job);
        }
        held
    }

    /// Reads a block at once, before everything else. Ignored for a device that does not answer:
    /// it is read whole when it comes back.
    pub(super) fn again(&mut self, device: usize, block: usize) {
        if matches!(self.slots[device].mode, Mode::Polling)
            && !self.again.contains(&(device, block))
        {
            self.again.push_back((device, block));
        }
    }

    /// Goes before everything: the connection was closed under it.
    pub(super) fn first(&mut self, job: Job) {
        let place = (job.device, job.block);
        if job.purpose == Purpose::Poll && !self.again.contains(&place) {
            self.again.push_front(place);
        }
    }

    /// The line is back. When it was away everything that is not probed is wanted at once, and
    /// what fell into the outage is not counted as missed. When it broke, devices that failed go
    /// last, and of these the one that failed last: its request may be what breaks the line.
    pub(super) fn line_back(&mut self, now: Time, back: Back) {
        let mut healthy = false;
        let away = back == Back::Away;
        self.slots.iter_mut().for_each(|slot| slot.hold = Time::ZERO);
        if back == Back::Closed {
            return;
        }
        for slot in &mut self.slots {
            if matches!(slot.mode, Mode::Polling) {
                if away {
                    slot.blocks.iter_mut().for_each(|ticks| ticks.want(now));
                }
                healthy = true;
            }
        }
        let mut trials: Vec<&mut Time> = (self.slots.iter_mut())
            .filter_map(|slot| match &mut slot.mode {
                Mode::Trying { at } => Some(at),
                Mode::Polling | Mode::Probing { .. } => None,
            })
            .collect();
        trials.sort();
        let mut next = if healthy { now + TRIAL_REST } else { now };
        for at in trials {
            *at = next;
            next += Duration::from_millis(1);
        }
    }

    /// Ticks skipped since the last call.
    pub(super) fn take_missed(&mut self) -> u64 {
        std::mem::take(&mut self.missed)
    }

    fn begin(&mut self, device: usize, block: usize, now: Time) {
        let slot = &mut self.slots[device];
        let missed = slot.blocks[block].begin(now);
        // Ticks that pass while a device does not answer were not missed for want of time.
        if matches!(slot.mode, Mode::Polling) {
            self.missed += missed;
        }
    }

    fn probed(&mut self, job: Job, now: Time, took: Duration) {
        if job.purpose == Purpose::Probe {
            self.probe_gate = now + took * PROBE_REST;
        }
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
