//! The small tasks beside the flow: the star level, its document, the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::buffer::BufferStatus;
use crate::clock::Clock;
use crate::model::{Event, EventKind, Fact, FieldMessage, Moment, Snapshot};
use crate::starlevel::{Assessment, BufferSeen, Engine, GatewaySeen, LinkEvidence};
use crate::uplink::UplinkStatus;

/// How often the time sources are looked at.
const CLOCK_EVERY: Duration = Duration::from_secs(5);
/// Longest time between two looks at the devices: the shortest period of a check is a minute.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// Facts taken from the channel at once.
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

/// Where the results of the star level's task go.
pub(super) struct Outlets {
    /// The newest assessment.
    pub(super) assessment: watch::Sender<Option<Arc<Assessment>>>,
    /// Into the flow, where the readings go.
    pub(super) events: mpsc::Sender<FieldMessage>,
}

/// Renews the assessment at its interval; observes ten times as often, and at least every half
/// minute; takes facts as they come. Values of the environment go the way of all events. At the end
/// it hands the evidence to the store.
#[expect(clippy::too_many_arguments, reason = "the joint of everything that is evidence")]
pub(super) async fn assess(
    mut engine: Engine,
    every: Duration,
    snapshot: Snapshot,
    clock: Clock,
    mut facts: mpsc::Receiver<Fact>,
    look: impl Fn() -> (LinkEvidence, GatewaySeen),
    out: Outlets,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval((every / 10).min(LONGEST_LOOK));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut assessed: Option<Moment> = None;
    let mut told = Vec::with_capacity(FACTS_AT_ONCE);
    let (mut turn, mut telling) = (0u32, true);
    loop {
        let stopped = tokio::select! {
            biased;
            () = stop.cancelled() => true,
            _ = ticks.tick() => false,
            count = facts.recv_many(&mut told, FACTS_AT_ONCE), if telling => {
                telling = count > 0;
                let now = clock.now();
                told.drain(..).for_each(|fact| engine.take(fact, now, clock.wall(now)));
                continue;
            }
        };
        let now = clock.now();
        let wall = clock.wall(now);
        if stopped {
            while let Ok(fact) = facts.try_recv() {
                engine.take(fact, now, wall);
            }
        }
        let (link, seen) = look();
        engine.observe(&snapshot, now, wall, &seen);
        // Sent before it is noted as sent: a crash between makes it come twice, never be lost.
        for event in engine.take_events() {
            if out.events.send(FieldMessage::Event(event)).await.is_err() {
                tracing::info!("the pipeline is gone; a value of the environment is not published");
            }
        }
        if let Err(error) = engine.save(now, stopped) {
            tracing::info!(%error, "the evidence of the star level is not noted yet");
        }
        if stopped {
            return;
        }
        turn = turn.saturating_add(1);
        // Right after the start little is known: the first interval renews at every look.
        if turn <= 10 || assessed.is_none_or(|last| now.since(last) >= every) {
            let assessment = engine.assess(&snapshot, &link, now, wall);
            engine.note(&assessment, wall);
            out.assessment.send_replace(Some(Arc::new(assessment)));
            assessed = Some(now);
        }
    }
}

/// Looks at the time sources; a step is an event.
pub(super) async fn watch_clock(
    clock: Clock,
    field: mpsc::Sender<FieldMessage>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(CLOCK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Some(step_ms) = clock.judge() {
            tracing::info!(step_ms, "the wall clock was corrected");
            let kind = EventKind::ClockCorrected { step_ms, source: "system".into() };
            let event = Event { at: clock.now(), device: None, kind };
            if field.send(FieldMessage::Event(event)).await.is_err() {
                return;
            }
        }
    }
}
