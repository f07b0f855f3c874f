//! The task of the star level: looks, books what the parts tell, assesses.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::checkup::Checkup;
use crate::buffer::BufferStatus;
use crate::clock::Clock;
use crate::model::{Fact, FieldMessage, Moment, Snapshot};
use crate::starlevel::{Assessment, BufferSeen, Engine, GatewaySeen, LinkEvidence};
use crate::uplink::UplinkStatus;

/// Longest time between two looks at the devices: the shortest period of a check is a minute.
const LONGEST_LOOK: Duration = Duration::from_secs(30);
/// Facts that are taken at once.
const FACTS_AT_ONCE: usize = 256;

/// What the uplink proves. The session's proof is about the last one too: a short outage speaks
/// not against the link.
pub(super) fn evidence(status: &UplinkStatus, authenticates: bool) -> LinkEvidence {
    LinkEvidence {
        connected: status.connected,
        authenticated: authenticates && status.sessions > 0,
        acknowledged_at: status.acknowledged_at,
    }
}

/// What the uplink and the buffer tell for the evidence of the day.
pub(super) fn gateway_seen(uplink: &UplinkStatus, buffer: &BufferStatus) -> GatewaySeen {
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
            lost: buffer.evicted_blocks + buffer.damaged_blocks,
            readings: buffer.committed_readings,
            capacity_hours: buffer.hours_left.filter(|_| rate > 0.0).map(|left| left + held),
        }),
    }
}

/// Renews the star level, with everything that it looks at and tells.
pub(super) struct Assessor<L> {
    pub(super) engine: Engine,
    /// How often the assessment is renewed.
    pub(super) every: Duration,
    pub(super) snapshot: Snapshot,
    pub(super) clock: Clock,
    /// What uplink and buffer show now.
    pub(super) look: L,
    /// Who looks at the gateway itself.
    pub(super) checkup: Checkup,
    /// What the parts of the daemon tell.
    pub(super) facts: mpsc::Receiver<Fact>,
    /// The newest assessment goes here.
    pub(super) assessment: watch::Sender<Option<Arc<Assessment>>>,
    /// Into the flow, where the readings go.
    pub(super) events: mpsc::Sender<FieldMessage>,
}

impl<L: Fn() -> (LinkEvidence, GatewaySeen)> Assessor<L> {
    /// Renews the assessment at its interval; observes ten times as often, and at least every half
    /// minute; takes facts as they come. At the end it hands the evidence to the store.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval((self.every / 10).min(LONGEST_LOOK));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut assessed: Option<Moment> = None;
        let mut told = Vec::with_capacity(FACTS_AT_ONCE);
        let (mut turn, mut telling) = (0u32, true);
        loop {
            let stopped = tokio::select! {
                biased;
                () = stop.cancelled() => true,
                _ = ticks.tick() => false,
                count = self.facts.recv_many(&mut told, FACTS_AT_ONCE), if telling => {
                    telling = count > 0;
                    told.drain(..).for_each(|fact| self.take(fact));
                    continue;
                }
            };
            let link = self.observe(stopped).await;
            if stopped {
                return;
            }
            turn = turn.saturating_add(1);
            let now = self.clock.now();
            // Right after the start little is known: the first interval renews at every look.
            if turn <= 10 || assessed.is_none_or(|last| now.since(last) >= self.every) {
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
            while let Ok(fact) = self.facts.try_recv() {
                self.take(fact);
            }
        }
        let now = self.clock.now();
        if !last && let Some(report) = self.checkup.run(now).await {
            self.engine.set_self_test(report);
        }
        let (link, seen) = (self.look)();
        self.engine.observe(&self.snapshot, now, self.clock.wall(now), &seen);
        // Sent before it is noted as sent: a crash between makes it come twice, never be lost.
        for event in self.engine.take_events() {
            // When the pipeline is gone, so is the daemon; what is open is kept all the same.
            if self.events.send(FieldMessage::Event(event)).await.is_err() {
                tracing::info!("the pipeline is gone; an event of the star level is not told");
            }
        }
        if let Err(error) = self.engine.save(now, last) {
            tracing::info!(%error, "the evidence of the star level is not noted yet");
        }
        link
    }

    fn assess(&mut self, link: &LinkEvidence, now: Moment) {
        let wall = self.clock.wall(now);
        let assessment = self.engine.assess(&self.snapshot, link, now, wall);
        self.engine.note(&assessment, wall);
        self.assessment.send_replace(Some(Arc::new(assessment)));
    }
}
