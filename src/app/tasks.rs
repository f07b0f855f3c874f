//! The small tasks beside the flow: the star level, its document, the clock.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::model::{Event, EventKind, FieldMessage, Snapshot};
use crate::starlevel::{Assessment, Engine, LinkEvidence};
use crate::uplink::UplinkStatus;

/// How often the time sources are looked at.
const CLOCK_EVERY: Duration = Duration::from_secs(5);

/// What the uplink proves. The session's proof is about the last one too: a short outage speaks
/// not against the link.
pub(super) fn evidence(status: &UplinkStatus, authenticates: bool) -> LinkEvidence {
    LinkEvidence {
        connected: status.connected,
        authenticated: authenticates && status.sessions > 0,
        acknowledged_at: status.acknowledged_at,
    }
}

/// Renews the assessment at its interval; observes ten times as often.
pub(super) async fn assess(
    mut engine: Engine,
    every: Duration,
    snapshot: Snapshot,
    clock: Clock,
    link: impl Fn() -> LinkEvidence,
    out: watch::Sender<Option<Arc<Assessment>>>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(every / 10);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for turn in 0u32.. {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now = clock.now();
        engine.observe(&snapshot, now);
        // Right after the start little is known: the first interval renews at every look.
        if turn < 10 || turn.is_multiple_of(10) {
            let assessment = engine.assess(&snapshot, &link(), now, clock.wall(now));
            out.send_replace(Some(Arc::new(assessment)));
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
