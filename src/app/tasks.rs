//! The small tasks beside the flow: the star level, its document, the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::buffer::BufferStatus;
use crate::clock::Clock;
use crate::model::{Event, EventKind, FieldMessage, Moment, Snapshot};
use crate::starlevel::{Assessment, Attested, BufferSeen, Engine, GatewaySeen, LinkEvidence};
use crate::uplink::UplinkStatus;

/// How often the time sources are looked at.
const CLOCK_EVERY: Duration = Duration::from_secs(5);
/// Longest time between two looks at the devices: the shortest period of a check is a minute.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

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

/// Where the star level hears what people attest, and says what it makes of everything.
pub(super) struct Ends {
    pub attested: watch::Receiver<Arc<Attested>>,
    pub out: watch::Sender<Option<Arc<Assessment>>>,
}

/// Renews the assessment at its interval; observes ten times as often, and at least every half
/// minute. At the end it hands the evidence to the store.
pub(super) async fn assess(
    mut engine: Engine,
    every: Duration,
    snapshot: Snapshot,
    clock: Clock,
    look: impl Fn() -> (LinkEvidence, GatewaySeen),
    ends: Ends,
    stop: CancellationToken,
) {
    let Ends { mut attested, out } = ends;
    let mut ticks = tokio::time::interval((every / 10).min(LONGEST_LOOK));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut assessed: Option<Moment> = None;
    let mut held: Arc<Attested> = Arc::default();
    for turn in 0u32.. {
        let (stopped, changed) = tokio::select! {
            () = stop.cancelled() => (true, false),
            _ = ticks.tick() => (false, turn == 0),
            Ok(()) = attested.changed() => (false, true),
        };
        let mut said = false;
        if changed {
            let now = Arc::clone(&attested.borrow_and_update());
            // Whoever attested something wants to see what it changed; what a scan finds can wait.
            said = now.page != held.page;
            held = Arc::clone(&now);
            engine.set_attested(now);
        }
        let now = clock.now();
        let wall = clock.wall(now);
        let (link, seen) = look();
        engine.observe(&snapshot, now, wall, &seen);
        if let Err(error) = engine.save(now, stopped) {
            tracing::info!(%error, "the evidence of the star level is not noted yet");
        }
        if stopped {
            return;
        }
        // Right after the start little is known: the first interval renews at every look.
        if said || turn < 10 || assessed.is_none_or(|last| now.since(last) >= every) {
            let assessment = engine.assess(&snapshot, &link, now, wall);
            out.send_replace(Some(Arc::new(assessment)));
            assessed = Some(now);
        }
    }
}

/// Turns each new assessment into the retained document.
pub(super) async fn publish_assessment(
    mut assessment: watch::Receiver<Option<Arc<Assessment>>>,
    out: watch::Sender<Option<Arc<str>>>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = assessment.changed() => if changed.is_err() { return stop.cancelled().await },
        }
        let document = assessment.borrow_and_update().as_ref().map(|a| Arc::from(a.to_json()));
        out.send_replace(document);
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
