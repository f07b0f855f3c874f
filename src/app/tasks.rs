//! The watch over the clock.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::model::{Event, EventKind, FieldMessage};

/// How often the time sources are looked at.
const CLOCK_EVERY: Duration = Duration::from_secs(5);

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
