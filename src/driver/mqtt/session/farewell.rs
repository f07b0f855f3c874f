//! The end of the driver: what can still become durable is acknowledged.

use std::time::Duration;

use rumqttc::{Event as Happening, EventLoop, Outgoing};
use tokio::time::Instant;

use super::super::desk::{Desk, push_acks};
use super::Driver;

/// Longest wait at the end for readings to become durable.
const LINGER: Duration = Duration::from_secs(2);

impl Driver {
    /// Closes the flow, and acknowledges what becomes durable within a short while.
    pub(super) async fn farewell(&mut self, desk: &Desk, events: &mut EventLoop) {
        let until = Instant::now() + LINGER;
        if let Some(out) = self.out.take() {
            while let Some(message) = self.pending.pop_front() {
                if !matches!(tokio::time::timeout_at(until, out.send(message)).await, Ok(Ok(()))) {
                    break;
                }
            }
        }
        self.pending.clear();
        let mailbox = self.book.mailbox();
        // Receipts dropped with `pending` are no news: the broker delivers those again.
        while self.book.settle() && self.book.len() > 0 && Instant::now() < until {
            push_acks(&desk.client, &mut self.book);
            tokio::select! {
                () = mailbox.told() => {}
                event = events.poll() => if event.is_err() { return },
                () = tokio::time::sleep_until(until) => {}
            }
        }
        push_acks(&desk.client, &mut self.book);
        Self::part(desk, events).await;
    }

    /// Says good-bye to the broker.
    pub(super) async fn part(desk: &Desk, events: &mut EventLoop) {
        if desk.client.try_disconnect().is_err() {
            return;
        }
        let until = Instant::now() + LINGER;
        while let Ok(Ok(event)) = tokio::time::timeout_at(until, events.poll()).await {
            if matches!(event, Happening::Outgoing(Outgoing::Disconnect)) {
                return;
            }
        }
    }
}
