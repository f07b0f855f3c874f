//! What an answer means: for the device, for the schedule, for the line, for the pipeline.

use std::time::Duration;

use tokio::time::Instant;

use super::learn::Sequel;
use super::lessons::Lesson;
use super::owner::{Bus, Closed, REOPEN, group};
use super::session::{Answer, Exchange, Fault, Session};
use crate::driver::doctor::{Observation, Outcome};
use crate::driver::record::Way;
use crate::driver::schedule::{Back, Job, Purpose};
use crate::model::{
    Cause, DeviceIndex, Event, EventKind, FieldMessage, Finding, Health, Moment, Words,
};

/// Breaks in a row without an answer between them after which the line counts as down.
const BREAKS_MAX: u32 = 3;
/// Requests in a row without any answer after which the line is opened anew, once.
const SILENT_MAX: u32 = 6;
/// A device that says "busy" is asked again this much later.
const BUSY_DELAY: Duration = Duration::from_millis(500);

impl Bus {
    /// Shows an exchange to the doctor.
    pub(super) fn examine(&mut self, patient: usize, exchange: &Exchange, session: &Session) {
        let Some(doctor) = &mut self.doctor else { return };
        let now = self.clock.now();
        let unasked = session.take_unasked();
        if !unasked.is_empty() {
            doctor.unasked(&unasked, now);
            // It came before the request of this exchange.
            let took = u64::try_from(exchange.took.as_millis()).unwrap_or(u64::MAX);
            let before = Moment { boot_ms: now.boot_ms.saturating_sub(took.saturating_add(1)) };
            let line = self.config.transport.is_local();
            let line = line.then(|| self.units[patient].manners.line);
            self.log.push(before, Way::Received, line, &unasked);
        }
        let outcome = match &exchange.outcome {
            Ok(_) => Outcome::Answered,
            Err(Fault::Silent) => Outcome::Silent,
            Err(Fault::Damaged) => Outcome::Damaged,
            Err(Fault::Foreign) => Outcome::Foreign,
            Err(Fault::Unset(_) | Fault::Lost(_) | Fault::Broken(_)) => return,
        };
        let local = self.config.transport.is_local();
        session.heard(|received| {
            doctor.observe(&Observation {
                patient,
                outcome,
                received,
                answer_time: exchange.answer_time,
                line: local.then(|| self.units[patient].manners.line),
                now,
            });
        });
    }

    /// Tells what the doctor newly found, and what is over.
    pub(super) async fn next_diagnosis(&mut self) -> Result<(), Closed> {
        let now = self.clock.now();
        let Some(findings) = self.doctor.as_mut().and_then(|doctor| doctor.examine(now)) else {
            return Ok(());
        };
        let before = self.row.found(findings.clone());
        let same = |one: &Finding, other: &Finding| {
            one.diagnosis == other.diagnosis && one.devices == other.devices
        };
        for finding in before.iter().filter(|old| !findings.iter().any(|new| same(old, new))) {
            tracing::info!(
                bus = %self.config.id, diagnosis = ?finding.diagnosis, seen = %finding.seen.en,
                "what the wiring doctor found is gone"
            );
            self.tell_finding(finding, true).await?;
        }
        for finding in findings.iter().filter(|new| !before.iter().any(|old| same(old, new))) {
            tracing::info!(
                bus = %self.config.id, diagnosis = ?finding.diagnosis,
                seen = %finding.seen.en, check = %finding.check.en, "the wiring doctor found"
            );
            self.log.keep(now, &finding.seen);
            self.tell_finding(finding, false).await?;
        }
        Ok(())
    }

    /// Tells the platform that a fault of the wiring began or is over.
    async fn tell_finding(&mut self, finding: &Finding, over: bool) -> Result<(), Closed> {
        let ours = |index: &DeviceIndex| self.units.iter().find(|unit| unit.index == *index);
        let kind = EventKind::WiringFinding {
            bus: self.config.id.clone(),
            diagnosis: finding.diagnosis,
            devices: finding.devices.iter().filter_map(ours).map(|unit| unit.id.clone()).collect(),
            seen: finding.seen.en.clone(),
            seen_zh: finding.seen.zh.clone(),
            check: finding.check.en.clone(),
            check_zh: finding.check.zh.clone(),
            over,
        };
        let event = Event { at: self.clock.now(), device: None, kind };
        self.send(FieldMessage::Event(event)).await
    }

    pub(super) async fn line_down(&mut self, why: &Words) -> Result<(), Closed> {
        let now = self.clock.now();
        self.row.closed(now, Some(why));
        if !std::mem::replace(&mut self.down, true) {
            let line = &self.config.transport;
            tracing::warn!(bus = %self.config.id, %line, fault = %why.en, "line down, trying again");
        }
        for slot in 0..self.units.len() {
            let before = self.units[slot].tracker.health();
            let changed = self.units[slot].tracker.line_down(&why.en);
            self.tell(slot, before, changed).await?;
        }
        Ok(())
    }

    /// Books an exchange and tells the pipeline.
    pub(super) async fn digest(&mut self, job: Job, exchange: Exchange) -> Result<(), Closed> {
        let now = self.start.elapsed();
        let probing = job.purpose == Purpose::Probe;
        self.row.exchanged(
            (job.device, job.block),
            &exchange,
            probing,
            self.schedule.take_missed(),
            now,
        );
        if let Some(hold) = exchange.hold {
            self.schedule.hold(job.device, hold.saturating_duration_since(self.start));
        }
        match exchange.outcome {
            Ok(answer) => {
                self.silent = 0;
                self.breaks = 0;
                self.answers = self.answers.saturating_add(1);
                self.reopen.reset();
                // Not when it opens: a line that breaks again at once would fill the log.
                if std::mem::take(&mut self.down) {
                    tracing::info!(bus = %self.config.id, "line works again");
                }
                match answer {
                    // A gateway's own words: the unit behind it does not answer.
                    Answer::Exception(0x0a | 0x0b) => {
                        self.not_answered(job, exchange.took, Cause::NoAnswer).await
                    }
                    answer => self.answered(job, exchange.took, answer).await,
                }
            }
            Err(Fault::Silent) => {
                self.silent = self.silent.saturating_add(1);
                self.renew_if_dead();
                self.not_answered(job, exchange.took, Cause::NoAnswer).await
            }
            Err(Fault::Damaged | Fault::Foreign) => {
                self.silent = 0;
                self.not_answered(job, exchange.took, Cause::DamagedReplies).await
            }
            // The others need not suffer from settings that the port does not know.
            Err(Fault::Unset(why)) => {
                self.not_answered(job, exchange.took, Cause::LineDown(why)).await
            }
            // Many servers close after each answer, or when they were idle: that is nobody's
            // fault, the same is asked on a fresh connection.
            Err(Fault::Lost(_)) if self.answers > 0 => self.closed(job),
            Err(Fault::Broken(_))
                if self.answers > 0
                    && !probing
                    && self.units[job.device].attempt(job.block) == 1 =>
            {
                self.closed(job)
            }
            Err(Fault::Lost(why)) => {
                self.schedule.first(job);
                self.broke(&why).await
            }
            Err(Fault::Broken(why)) => {
                let cause = Cause::LineDown(why.clone());
                self.not_answered(job, exchange.took, cause).await?;
                self.broke(&why).await
            }
        }
    }

    /// The connection was closed after it gave answers.
    fn closed(&mut self, job: Job) -> Result<(), Closed> {
        self.row.closed(self.clock.now(), None);
        self.back = Back::Closed;
        self.schedule.first(job);
        Ok(())
    }

    /// The line broke. One that worked is opened anew at once; one that breaks again and again
    /// without an answer is down.
    async fn broke(&mut self, why: &str) -> Result<(), Closed> {
        let words = Words::from((why, format!("连接中断：{why}")));
        self.row.closed(self.clock.now(), Some(&words));
        self.breaks = self.breaks.saturating_add(1);
        tracing::debug!(bus = %self.config.id, fault = why, "line broke");
        if self.breaks >= BREAKS_MAX {
            self.line_down(&words).await?;
        }
        if self.breaks > 1 {
            self.rest().await;
        }
        Ok(())
    }

    /// A connection whose other end vanished looks like silence of all units: it is opened anew,
    /// and again only when a long time passed, because dead units look the same.
    fn renew_if_dead(&mut self) {
        if self.silent >= SILENT_MAX && Instant::now() >= self.renew_after {
            tracing::debug!(bus = %self.config.id, "all units silent, opening the line anew");
            self.silent = 0;
            self.renew_after = Instant::now() + self.config.probe_cap.max(REOPEN.1);
            self.session = None;
            self.row.closed(self.clock.now(), None);
        }
    }

    async fn answered(&mut self, job: Job, took: Duration, answer: Answer) -> Result<(), Closed> {
        let now = self.start.elapsed();
        self.schedule.answered(job, now, took);
        let unit = &mut self.units[job.device];
        unit.settled(job.block);
        if matches!(answer, Answer::Exception(5 | 6)) && unit.busy(job.block) {
            self.schedule.retry(job, now + BUSY_DELAY);
            return Ok(());
        }
        // Before the blocks may change.
        let batch = unit.batch(job.block, &answer, self.clock.now());
        let before = unit.tracker.health();
        let changed = match unit.learn(job.block, &answer) {
            Sequel::Take => unit.answered(job.block, &answer),
            Sequel::Cut(added) => {
                self.schedule.cut(job.device, job.block, added, now);
                return Ok(());
            }
            Sequel::Replanned { lessons, take } => {
                let demand = unit.demand(group(&self.lines, unit));
                let changed = unit.tracker.good();
                self.schedule.replan(job.device, &demand, now);
                self.row.planned(job.device, &self.units);
                self.tell_lessons(job.device, &lessons);
                if !take {
                    return self.tell(job.device, before, changed).await;
                }
                changed
            }
        };
        self.tell(job.device, before, changed).await?;
        self.send(FieldMessage::Readings(batch)).await
    }

    /// Says once what a model taught.
    fn tell_lessons(&self, slot: usize, lessons: &[Lesson]) {
        let unit = &self.units[slot];
        for lesson in lessons {
            tracing::warn!(
                bus = %self.config.id, device = %unit.id, profile = %unit.profile.id, ?lesson,
                "the model refuses a read of its profile: remembered, and planned around it"
            );
        }
    }

    async fn not_answered(&mut self, job: Job, took: Duration, cause: Cause) -> Result<(), Closed> {
        let now = self.start.elapsed();
        let unit = &mut self.units[job.device];
        unit.other_order();
        let before = unit.tracker.health();
        let broken = matches!(cause, Cause::LineDown(_));
        if before == Health::Online && !broken && unit.attempt(job.block) <= self.config.retries {
            self.schedule.retry(job, now);
            return Ok(());
        }
        unit.settled(job.block);
        let changed = unit.tracker.failed(cause);
        let given_up = unit.tracker.given_up();
        let fault_begins = changed && unit.tracker.health() == Health::Offline;
        self.schedule.failed(job, now, took, given_up);
        if fault_begins {
            let title = &self.units[job.device].id;
            let why = Words::from((format!("{title} went offline"), format!("{title} 离线")));
            self.log.keep(self.clock.now(), &why);
        }
        self.tell(job.device, before, changed).await
    }

    /// Tells a change of health; a device that went offline takes its values with it.
    async fn tell(&mut self, slot: usize, before: Health, changed: bool) -> Result<(), Closed> {
        if !changed {
            return Ok(());
        }
        let at = self.clock.now();
        let unit = &self.units[slot];
        let change = FieldMessage::Health(unit.change(at));
        let gone = before != Health::Offline && unit.tracker.health() == Health::Offline;
        let absent = (gone && !unit.blocks.is_empty()).then(|| unit.absent(at));
        self.send(change).await?;
        match absent {
            Some(batch) => self.send(FieldMessage::Readings(batch)).await,
            None => Ok(()),
        }
    }

    async fn send(&mut self, message: FieldMessage) -> Result<(), Closed> {
        self.out.send(message).await.map_err(|_gone| Closed)
    }
}
