//! What is known of one device: its last twenty exchanges, and how fast it answers.

use std::time::Duration;

use super::signature::{Signature, frames, signature};
use super::{Observation, Outcome, Patient};
use crate::driver::{BusAddress, LineSettings};
use crate::model::Moment;

/// Exchanges that are remembered.
pub(super) const WINDOW: u32 = 20;
const MASK: u32 = (1 << WINDOW) - 1;
/// Exchanges in a row without a byte after which a device counts as silent.
pub(super) const SILENT_MIN: u32 = 6;
/// Damaged ones among the window after which it counts as damaged.
const DAMAGED_MIN: u32 = 5;
/// Broken ones in a row without one good after which it was never understood.
const NEVER_MIN: u32 = 5;
/// Answers in a row after which one that was never understood is.
const MENDED_MIN: u32 = 2;
/// Signs of a second device among the window.
const CLASH_MIN: u32 = 4;
/// First hour: the base that later answers are measured against.
const BASE_TIME: Duration = Duration::from_secs(3600);
/// Least and most samples of it.
const BASE_SAMPLES: (usize, usize) = (20, 64);
/// An answer is slower when it takes twice the base and this much longer, µs.
const SLOWER_BY_US: u32 = 50_000;
/// Answers in a row over which it must be so.
const SLOWER_MIN: u32 = 20;

/// What ails a device by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ailment {
    Silent,
    /// Bytes, never a frame; what they look like.
    NotUnderstood(Signature),
    Clash,
    Damaged,
}

/// One device.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) patient: Patient,
    /// The last exchanges, the newest in bit 0.
    pub(super) silent: u32,
    pub(super) damaged: u32,
    pub(super) clash: u32,
    /// How many exchanges the masks hold.
    pub(super) count: u32,
    /// Answers in a row, and exchanges without a byte in a row.
    pub(super) good_run: u32,
    pub(super) silent_run: u32,
    /// Whole frames of it, ever.
    pub(super) answers: u64,
    pub(super) line: Option<LineSettings>,
    pub(super) last: Moment,
    /// The latest broken answers: what they looked like most.
    pub(super) looks: Signature,
    /// When the present trouble began.
    pub(super) since: Option<Moment>,
    /// Answers of other devices when it fell silent.
    pub(super) others_then: u64,
    pub(super) ailment: Option<Ailment>,
    /// Longest good answer with all that came around it, bytes.
    longest: usize,
    last_from: Option<BusAddress>,
    speed: Speed,
}

impl Chart {
    pub(super) fn new(patient: Patient) -> Self {
        Self {
            patient,
            silent: 0,
            damaged: 0,
            clash: 0,
            count: 0,
            good_run: 0,
            silent_run: 0,
            answers: 0,
            line: None,
            last: Moment::default(),
            looks: Signature::Nothing,
            since: None,
            others_then: 0,
            ailment: None,
            longest: 0,
            last_from: None,
            speed: Speed::default(),
        }
    }

    /// Books an exchange; `others` counts the answers of all devices of the line so far.
    pub(super) fn book(&mut self, seen: &Observation<'_>, others: u64) {
        let outcome = self.judge(seen);
        let clash = self.clashes(seen, outcome);
        let bit = |is: bool| u32::from(is);
        self.silent = (self.silent << 1 | bit(outcome == Outcome::Silent)) & MASK;
        let broken = matches!(outcome, Outcome::Damaged | Outcome::Foreign);
        self.damaged = (self.damaged << 1 | bit(broken)) & MASK;
        self.clash = (self.clash << 1 | bit(clash)) & MASK;
        self.count = (self.count + 1).min(WINDOW);
        (self.line, self.last) = (seen.line, seen.now);
        if outcome == Outcome::Answered {
            self.answers += 1;
            self.good_run = self.good_run.saturating_add(1);
            self.silent_run = 0;
            self.longest = self.longest.max(seen.received.len());
            if let Some(took) = seen.answer_time {
                self.speed.book(took, seen.now);
            }
        } else {
            self.good_run = 0;
            if outcome == Outcome::Silent {
                self.silent_run = self.silent_run.saturating_add(1);
            } else {
                self.silent_run = 0;
                self.looks = signature(seen.received);
            }
            if self.silent_run == 1 {
                self.others_then = others;
            }
        }
        if outcome != Outcome::Answered || clash {
            self.since.get_or_insert(seen.now);
        }
        if matches!(self.ailment, Some(Ailment::NotUnderstood(_))) && self.good_run >= MENDED_MIN {
            // Its settings were put right: what came before says nothing about its wires.
            (self.silent, self.damaged, self.clash) = (0, 0, 0);
            self.count = self.good_run.min(WINDOW);
        }
        self.ailment = self.ailing();
        if self.ailment.is_none() && self.damaged | self.silent | self.clash == 0 {
            self.since = None;
        }
    }

    /// The outcome without the echo of our own request and the swing of the line behind it.
    fn judge(&self, seen: &Observation<'_>) -> Outcome {
        if !matches!(seen.outcome, Outcome::Damaged | Outcome::Foreign) {
            return seen.outcome;
        }
        let mut rest = seen.received;
        if let Some(first) = frames(rest).next()
            && self.is_own_request(first.address, first.reply, rest.get(first.begin..first.end))
        {
            rest = &rest[first.end..];
        }
        if rest.len() <= 1 { Outcome::Silent } else { seen.outcome }
    }

    /// An echo of a write of Modbus looks like its answer, but then no answer is missing.
    fn is_own_request(&self, address: BusAddress, reply: bool, bytes: Option<&[u8]>) -> bool {
        let write = matches!((address, bytes), (BusAddress::Unit(_), Some([_, 5 | 6, ..])));
        (!reply || write) && address == self.patient.address
    }

    /// Whether two devices seem to have answered.
    fn clashes(&mut self, seen: &Observation<'_>, outcome: Outcome) -> bool {
        let settled = self.good_run > 0 || self.clash & 1 == 1;
        match outcome {
            Outcome::Silent => false,
            // Two bytes more than ever: noise may add one.
            Outcome::Damaged => self.longest > 0 && seen.received.len() > self.longest + 2,
            Outcome::Answered | Outcome::Foreign => {
                let mut replies = frames(seen.received).filter(|frame| frame.reply);
                let Some(first) = replies.next() else { return false };
                let before = self.last_from.replace(first.address);
                // A late answer to the request before looks like a second one.
                if replies.next().is_some() {
                    return settled;
                }
                // Asked by a wildcard, now this one answers, now that one.
                !is_plain(self.patient.address) && before.is_some_and(|from| from != first.address)
            }
        }
    }

    fn ailing(&self) -> Option<Ailment> {
        let damaged = self.damaged.count_ones();
        let clash = self.clash.count_ones();
        let over = |present: u32| present <= 1 && self.good_run >= 5;
        match self.ailment {
            Some(Ailment::Silent) if self.silent_run > 0 || self.good_run < 2 => {
                let broken = damaged >= DAMAGED_MIN;
                if !broken {
                    return self.ailment;
                }
            }
            Some(Ailment::NotUnderstood(_))
                if self.good_run < MENDED_MIN && self.silent_run < SILENT_MIN =>
            {
                return self.ailment;
            }
            Some(Ailment::Clash) if !over(clash) && self.silent_run < SILENT_MIN => {
                return self.ailment;
            }
            Some(Ailment::Damaged) if !over(damaged) && self.silent_run < SILENT_MIN => {
                if clash >= CLASH_MIN && clash * 2 >= damaged {
                    return Some(Ailment::Clash);
                }
                return self.ailment;
            }
            _ => {}
        }
        if self.silent_run >= SILENT_MIN {
            return Some(Ailment::Silent);
        }
        let enough = damaged.min(self.count) >= NEVER_MIN;
        let never = damaged + self.silent.count_ones() == self.count;
        if enough && never && self.looks.is_setting() {
            return Some(Ailment::NotUnderstood(self.looks));
        }
        if clash >= CLASH_MIN && clash * 2 >= damaged {
            return Some(Ailment::Clash);
        }
        (damaged >= DAMAGED_MIN && self.good_run < 5).then_some(Ailment::Damaged)
    }

    /// Base and present answer time while it is slower than it was.
    pub(super) fn slower(&self) -> Option<(Duration, Duration, Moment)> {
        self.speed.slower()
    }
}

/// Whether an address names one device.
fn is_plain(address: BusAddress) -> bool {
    match address {
        BusAddress::Unit(_) => true,
        BusAddress::Dlt645(address) => address.is_plain(),
        BusAddress::Cjt188(address) => address.is_plain(),
    }
}

/// How fast a device answers, against its own first hour.
#[derive(Debug, Default)]
struct Speed {
    begin: Option<Moment>,
    samples: Vec<u32>,
    /// Each so many answers one sample is taken, so that they spread over the hour.
    stride: u32,
    skipped: u32,
    base_us: Option<u32>,
    smooth_us: u32,
    /// Answers in a row that were slower.
    run: u32,
    since: Option<Moment>,
    slower: bool,
}

impl Speed {
    fn book(&mut self, took: Duration, now: Moment) {
        let us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        let begin = *self.begin.get_or_insert(now);
        let Some(base) = self.base_us else {
            return self.learn(us, now.since(begin));
        };
        let (old, new) = (u64::from(self.smooth_us), u64::from(us));
        self.smooth_us = u32::try_from((old * 15 + new) / 16).unwrap_or(u32::MAX);
        if self.slower {
            self.slower =
                self.smooth_us >= base.saturating_add(base / 2).max(base + SLOWER_BY_US / 2);
            if !self.slower {
                (self.run, self.since) = (0, None);
            }
            return;
        }
        if self.smooth_us >= base.saturating_mul(2).max(base.saturating_add(SLOWER_BY_US)) {
            self.since.get_or_insert(now);
            self.run += 1;
            self.slower = self.run >= SLOWER_MIN;
        } else {
            (self.run, self.since) = (0, None);
        }
    }

    fn learn(&mut self, us: u32, age: Duration) {
        self.skipped += 1;
        if self.skipped > self.stride {
            self.skipped = 0;
            self.samples.push(us);
        }
        if self.samples.len() == BASE_SAMPLES.1 {
            let mut keep = false;
            self.samples.retain(|_| {
                keep = !keep;
                keep
            });
            self.stride = self.stride * 2 + 1;
        }
        if age >= BASE_TIME && self.samples.len() >= BASE_SAMPLES.0 {
            let mut samples = std::mem::take(&mut self.samples);
            samples.sort_unstable();
            let median = samples[samples.len() / 2];
            (self.base_us, self.smooth_us) = (Some(median), median);
        }
    }

    fn slower(&self) -> Option<(Duration, Duration, Moment)> {
        let micros = |us: u32| Duration::from_micros(u64::from(us));
        let since = self.since.filter(|_| self.slower)?;
        Some((micros(self.base_us?), micros(self.smooth_us), since))
    }
}
