//! The task of the star level: looks, books what the parts tell, assesses.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::Joints;
use super::checkup::Checkup;
use crate::alarm::Board;
use crate::buffer::{Buffer, BufferStatus};
use crate::clock::Clock;
use crate::config::Settings;
use crate::model::{BusTable, Estate, Fact, FieldMessage, Moment, Snapshot};
use crate::starlevel::{
    Assessment, AttestationDesk, Attested, BufferSeen, DeviceAlarms, Engine, EvidenceChain,
    GatewaySeen, LinkEvidence, RiskTable, RulePack,
};
use crate::store::StoreError;
use crate::supervise::Part;
use crate::uplink::UplinkStatus;

/// Longest time between two looks at the devices: the shortest period of a check is a minute.
const LONGEST_LOOK: Duration = Duration::from_secs(30);
/// Facts that are taken at once.
const FACTS_AT_ONCE: usize = 256;

/// What the uplink proves. The session's proof is about the last one too: a short outage speaks
/// not against the link.
fn evidence(status: &UplinkStatus, authenticates: bool) -> LinkEvidence {
    LinkEvidence {
        connected: status.connected,
        authenticated: authenticates && status.sessions > 0,
        acknowledged_at: status.acknowledged_at,
    }
}

/// What the uplink and the buffer tell for the evidence of the day.
fn gateway_seen(uplink: &UplinkStatus, buffer: &BufferStatus) -> GatewaySeen {
    let rate = buffer.bytes_per_hour;
    // What is stored now would be room again after it was delivered.
    #[expect(clippy::cast_precision_loss, reason = "bytes of a disk fit 53 bits")]
    let held = buffer.live_bytes as f64 / rate;
    GatewaySeen {
        link_up: uplink.connected,
        acknowledged: uplink.acknowledged_blocks,
        buffer: Some(BufferSeen {
            epoch: buffer.epoch,
            next: buffer.next_seq,
            oldest: buffer.oldest_seq,
            blocks: buffer.blocks,
            lost: buffer.evicted_blocks + buffer.damaged_blocks + buffer.thinned_blocks,
            readings: buffer.committed_readings,
            capacity_hours: buffer.hours_left.filter(|_| rate > 0.0).map(|left| left + held),
        }),
    }
}

/// What the star level hears and where it speaks.
pub(super) struct Ends {
    /// What the parts of the daemon tell.
    pub(super) facts: mpsc::Receiver<Fact>,
    /// What people attest and scans find.
    pub(super) attested: watch::Receiver<Arc<Attested>>,
    /// The newest assessment goes here.
    pub(super) assessment: watch::Sender<Option<Arc<Assessment>>>,
    /// Into the flow, where the readings go.
    pub(super) events: mpsc::Sender<FieldMessage>,
    /// The alarms, which weigh in the risk of their devices.
    pub(super) alarms: watch::Receiver<Arc<Board>>,
}

impl Joints {
    /// Starts the star level's task; returns the risk grades that it writes.
    ///
    /// # Errors
    /// What it kept in the store cannot be read.
    pub(super) fn assessor(
        &mut self,
        settings: &Settings,
        pack: RulePack,
        ends: Ends,
        uplink: watch::Receiver<UplinkStatus>,
        buffer: &Buffer,
        buses: BusTable,
    ) -> anyhow::Result<RiskTable> {
        let mut engine = Engine::new(pack, Arc::clone(&self.estate), self.clock.now());
        engine.set_season(settings.starlevel.heating_season);
        engine
            .keep(EvidenceChain::new(buffer.store()))
            .context("the evidence of the star level")?;
        engine.set_noise_zone(settings.starlevel.noise_zone);
        engine.keep_effects(buffer.store()).context("the risk grades and charging sessions")?;
        engine.watch_buses(buses);
        let risk = engine.risk_table();
        let stored = buffer.status();
        let authenticates = settings.uplink.as_ref().is_some_and(|u| u.broker.authenticates());
        let assessor = Assessor {
            engine,
            every: settings.starlevel.every,
            snapshot: self.snapshot.clone(),
            clock: self.clock.clone(),
            look: move || {
                let uplink = uplink.borrow();
                (evidence(&uplink, authenticates), gateway_seen(&uplink, &stored.borrow()))
            },
            checkup: Checkup::new(settings),
            unsaved: false,
            ends,
        };
        // It ends with the sources, so that the recorder's last commit finds its evidence.
        let task = assessor.run(self.supervisor.token(Part::Source));
        self.supervisor.spawn(Part::Source, "star level", task);
        Ok(risk)
    }
}

/// Where people's words about the star level are kept.
///
/// # Errors
/// What was kept cannot be read.
pub(super) fn desk(
    settings: &Settings,
    pack: &RulePack,
    estate: &Arc<Estate>,
    buffer: &Buffer,
) -> anyhow::Result<AttestationDesk> {
    let file = settings.starlevel.attested.clone();
    AttestationDesk::open(buffer.store(), Arc::clone(estate), pack.clone(), file)
        .context("the attestations of the star level")
}

/// Renews the star level, with everything that it looks at and tells.
struct Assessor<L> {
    engine: Engine,
    /// How often the assessment is renewed.
    every: Duration,
    snapshot: Snapshot,
    clock: Clock,
    /// What uplink and buffer show now.
    look: L,
    /// Who looks at the gateway itself.
    checkup: Checkup,
    /// The last save failed, and the log says so.
    unsaved: bool,
    ends: Ends,
}

impl<L: Fn() -> (LinkEvidence, GatewaySeen)> Assessor<L> {
    /// Renews the assessment at its interval; observes ten times as often, and at least every half
    /// minute; takes facts as they come. At the end it hands the evidence to the store.
    async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval((self.every / 10).min(LONGEST_LOOK));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut assessed: Option<Moment> = None;
        let mut told = Vec::with_capacity(FACTS_AT_ONCE);
        let mut held: Arc<Attested> = Arc::default();
        let (mut turn, mut telling) = (0u32, true);
        loop {
            let (stopped, changed) = tokio::select! {
                biased;
                () = stop.cancelled() => (true, false),
                Ok(()) = self.ends.attested.changed() => (false, true),
                _ = ticks.tick() => (false, turn == 0),
                count = self.ends.facts.recv_many(&mut told, FACTS_AT_ONCE), if telling => {
                    telling = count > 0;
                    told.drain(..).for_each(|fact| self.take(fact));
                    continue;
                }
            };
            let mut said = false;
            if changed {
                let now = Arc::clone(&self.ends.attested.borrow_and_update());
                // Whoever attested wants to see what it changed; what a scan finds can wait.
                said = now.page != held.page;
                held = Arc::clone(&now);
                self.engine.set_attested(now);
            }
            let link = self.observe(stopped).await;
            if stopped {
                return;
            }
            turn = turn.saturating_add(1);
            let now = self.clock.now();
            // Right after the start little is known: the first interval renews at every look.
            if said || turn <= 10 || assessed.is_none_or(|last| now.since(last) >= self.every) {
                self.assess(&link, now);
                assessed = Some(now);
            }
        }
    }

    fn take(&mut self, fact: Fact) {
        let now = self.clock.now();
        self.engine.take(fact, now, self.clock.wall(now));
    }

    /// Books what is to be seen now; what happened by it goes into the flow.
    async fn observe(&mut self, last: bool) -> LinkEvidence {
        if last {
            while let Ok(fact) = self.ends.facts.try_recv() {
                self.take(fact);
            }
        }
        let now = self.clock.now();
        if !last && let Some(report) = self.checkup.run(now).await {
            self.engine.set_self_test(report);
        }
        let board = Arc::clone(&self.ends.alarms.borrow());
        let alarms = board.per_device().into_iter();
        self.engine.set_alarms(alarms.map(|open| DeviceAlarms { open, recent: 0 }).collect());
        let (link, seen) = (self.look)();
        self.engine.observe(&self.snapshot, now, self.clock.wall(now), &seen);
        // Sent before it is noted as sent: a crash between makes it come twice, never be lost.
        for event in self.engine.take_events() {
            // When the pipeline is gone, so is the daemon; what is open is kept all the same.
            if self.ends.events.send(FieldMessage::Event(event)).await.is_err() {
                tracing::info!("the pipeline is gone; an event of the star level is not told");
            }
        }
        self.save(now, last);
        link
    }

    fn save(&mut self, now: Moment, last: bool) {
        match self.engine.save(now, last) {
            Ok(()) => self.unsaved = false,
            // While the store is rebuilt; the next look tries again.
            Err(error @ StoreError::Closed { .. }) => {
                tracing::info!(%error, "the evidence of the star level is not noted yet");
            }
            Err(error) if self.unsaved => {
                tracing::debug!(%error, "the evidence of the star level is still not noted");
            }
            Err(error) => {
                self.unsaved = true;
                tracing::warn!(%error, "the evidence of the star level is not noted");
            }
        }
    }

    fn assess(&mut self, link: &LinkEvidence, now: Moment) {
        let wall = self.clock.wall(now);
        let assessment = self.engine.assess(&self.snapshot, link, now, wall);
        self.engine.note(&assessment, wall);
        self.ends.assessment.send_replace(Some(Arc::new(assessment)));
    }
}
