//! The MQTT driver's task: one persistent session at the field broker.

mod farewell;
mod give_up;
mod renewal;
mod shown;
mod tap;

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::mqttbytes::v4::SubscribeReasonCode;
use rumqttc::{AsyncClient, Event as Happening, EventLoop, Outgoing, Packet, Publish, QoS};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::acks::{AckBook, Arrival};
use super::desk::Desk;
use super::intake::{Intake, Message};
use super::post::Posts;
use super::purge::unreadable;
use super::{BrokerStatus, Config, MqttDevice};
use crate::backoff::Backoff;
use crate::broker::Presented;
use crate::clock::Clock;
use crate::model::{Estate, FieldMessage, Moment, Words};
use renewal::Files;
pub use tap::{Heard, Tap};

/// The client's request channel: acknowledgements and subscriptions on their way.
const REQUESTS: usize = 256;
/// Most messages that wait for the pipeline.
const MAX_PENDING: usize = 1024;
/// First and longest wait between two attempts to connect.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// So many unacknowledged messages and no new one for so long: the broker waits for us.
const STALL: (usize, Duration) = (10, Duration::from_millis(30));
/// After so many unreadable packets in a row the broker's queue is given up.
const PATIENCE: u32 = 2;
/// An unreadable packet within this time of the connection's begin was waiting for us.
const AT_ONCE: Duration = Duration::from_secs(10);
/// Largest packet that is taken in, to be refused by name of its device. Above it the connection
/// has to end.
const MAX_PACKET: usize = 4 << 20;

/// The MQTT driver: owns the session at the field broker.
pub struct Driver {
    config: Config,
    clock: Clock,
    intake: Intake,
    book: AckBook,
    posts: Posts,
    out: Option<mpsc::Sender<FieldMessage>>,
    pending: VecDeque<FieldMessage>,
    hurry: Arc<dyn Fn() + Send + Sync>,
    status: watch::Sender<BrokerStatus>,
    /// Counters change far more often than anybody reads them.
    messages: u64,
    rejected: u64,
    /// Connections in a row that ended with a packet that cannot be read.
    unreadable: u32,
    /// When the present connection began.
    begun: Instant,
    /// Filters under which the broker retains something that cannot be read.
    deaf: Vec<String>,
    tick: Interval,
    tap: Option<Tap>,
    files: Files,
    presented: Presented,
}

#[derive(Debug)]
enum End {
    /// On request, or nobody listens any more.
    Stopped,
    /// The files of the connection were renewed: to be made again with them.
    Renewed,
    Lost {
        fault: Words,
        unreadable: bool,
        proven: bool,
    },
}

impl Driver {
    /// Connects nothing yet. `hurry` asks the recorder to commit at once. Must be called within a
    /// tokio runtime.
    pub fn new(
        config: Config,
        devices: Vec<MqttDevice>,
        estate: Arc<Estate>,
        clock: Clock,
        out: mpsc::Sender<FieldMessage>,
        hurry: Arc<dyn Fn() + Send + Sync>,
    ) -> (Self, watch::Receiver<BrokerStatus>) {
        let now = clock.now();
        let broker = config.broker.title();
        let status =
            watch::Sender::new(BrokerStatus { since: now, broker, ..BrokerStatus::default() });
        let reader = status.subscribe();
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let driver = Self {
            files: Files::new(&config.broker),
            presented: Presented::default(),
            intake: Intake::new(config.clone(), devices, estate, now),
            config,
            clock,
            book: AckBook::default(),
            posts: Posts::default(),
            out: Some(out),
            pending: VecDeque::new(),
            hurry,
            status,
            messages: 0,
            rejected: 0,
            unreadable: 0,
            begun: Instant::now(),
            deaf: Vec::new(),
            tick,
            tap: None,
        };
        (driver, reader)
    }

    /// Receives until `stop`, or until nobody takes the readings.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut backoff = Backoff::new(RECONNECT.0, RECONNECT.1);
        loop {
            match self.connection(&stop).await {
                End::Stopped => break,
                End::Renewed => {
                    self.book.disconnected();
                    self.posts.disconnected();
                    continue;
                }
                End::Lost { fault, unreadable, proven } => {
                    self.lost(fault, unreadable);
                    if proven {
                        backoff.reset();
                    }
                }
            }
            if !self.pause(backoff.delay(), &stop).await {
                break;
            }
        }
        let now = self.clock.now();
        self.status.send_modify(|status| {
            status.connected = false;
            status.since = now;
        });
    }

    fn lost(&mut self, fault: Words, unreadable: bool) {
        self.book.disconnected();
        self.posts.disconnected();
        if unreadable {
            // What is queued or retained comes at once; what came later was heard only once.
            let again = self.begun.elapsed() < AT_ONCE;
            self.unreadable = if again { self.unreadable + 1 } else { 1 };
        } else if self.unreadable < PATIENCE {
            self.unreadable = 0;
        }
        let now = self.clock.now();
        self.intake.broker_lost(now, &fault);
        let mut news = false;
        self.status.send_modify(|status| {
            news = status.fault.as_ref() != Some(&fault);
            if status.connected {
                status.connected = false;
                status.since = now;
            }
            status.unacked = 0;
            status.fault = Some(fault.clone());
        });
        if news {
            tracing::warn!(
                broker = self.config.broker.title(),
                %fault,
                "field broker not reachable"
            );
        }
    }

    /// Waits, while time goes on for the devices. False when it is over.
    async fn pause(&mut self, delay: Duration, stop: &CancellationToken) -> bool {
        let until = Instant::now() + delay;
        let Some(out) = self.out.clone() else { return false };
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                permit = out.reserve(), if !self.pending.is_empty() => {
                    let Ok(permit) = permit else { return false };
                    if let Some(message) = self.pending.pop_front() { permit.send(message) }
                }
                _ = self.tick.tick() => self.intake.tick(self.clock.now(), &mut self.pending),
                () = self.posts.refuse() => {}
                () = tokio::time::sleep_until(until) => return true,
            }
        }
    }

    async fn connection(&mut self, stop: &CancellationToken) -> End {
        self.files = Files::new(&self.config.broker);
        let mut options = match self.config.broker.options_noting(&self.presented) {
            Ok(options) => options,
            Err(error) => {
                return End::Lost { fault: error.words(), unreadable: false, proven: false };
            }
        };
        self.credentials(None);
        options.set_manual_acks(true);
        options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
        if self.unreadable >= PATIENCE {
            let given_up = tokio::select! {
                biased;
                () = stop.cancelled() => return End::Stopped,
                given_up = self.give_up(options.clone()) => given_up,
            };
            if let Err(error) = given_up {
                let fault = self.config.broker.describe(&error);
                return End::Lost { fault, unreadable: false, proven: false };
            }
        }
        self.begun = Instant::now();
        options.set_clean_session(self.tap.is_some());
        let (client, mut events) = AsyncClient::new(options, REQUESTS);
        events.set_network_options(self.config.broker.network());
        let mut filters = self.intake.filters();
        filters.retain(|filter| {
            let valid = rumqttc::valid_filter(filter);
            if !valid {
                tracing::error!(filter, "not a topic filter; its devices are not heard");
            }
            valid && !self.deaf.contains(filter)
        });
        let mut desk = Desk::new(client, filters);
        let end = self.serve(&mut desk, &mut events, stop).await;
        match end {
            End::Stopped => self.farewell(&desk, &mut events).await,
            End::Renewed => self.change_over(&desk, &mut events).await,
            End::Lost { .. } => {}
        }
        end
    }

    async fn serve(
        &mut self,
        desk: &mut Desk,
        events: &mut EventLoop,
        stop: &CancellationToken,
    ) -> End {
        let Some(out) = self.out.clone() else { return End::Stopped };
        let mailbox = self.book.mailbox();
        loop {
            let event = {
                // Stays pinned: a poll cut off half-way may lose a packet it was writing.
                let mut poll = pin!(events.poll());
                loop {
                    if !self.book.settle() {
                        let fault = (
                            "readings were dropped before they were durable",
                            "读数未落盘即被丢弃",
                        )
                            .into();
                        return End::Lost { fault, unreadable: false, proven: false };
                    }
                    desk.push(&mut self.book);
                    let room = self.pending.len() < MAX_PENDING && desk.may_serve(&self.book);
                    let stall_at = desk.stall_at.filter(|_| self.book.len() >= STALL.0);
                    let stall = stall_at.unwrap_or_else(Instant::now);
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => return End::Stopped,
                        permit = out.reserve(), if !self.pending.is_empty() => {
                            let Ok(permit) = permit else { return End::Stopped };
                            if let Some(message) = self.pending.pop_front() { permit.send(message) }
                        }
                        _ = self.tick.tick() => if self.second() { return End::Renewed },
                        () = mailbox.told() => {}
                        post = self.posts.next() => self.posts.send(post, &desk.client),
                        event = &mut poll, if room => break event,
                        () = tokio::time::sleep_until(stall), if stall_at.is_some() => {
                            desk.stall_at = None;
                            (self.hurry)();
                        }
                    }
                }
            };
            match event {
                Ok(event) => self.take(desk, event),
                Err(error) => {
                    // What came before the end of the connection counts.
                    for last in std::mem::take(&mut events.state.events) {
                        self.take(desk, last);
                    }
                    let unreadable = unreadable(&error);
                    let fault = self.config.broker.describe(&error);
                    return End::Lost { fault, unreadable, proven: desk.proven && !unreadable };
                }
            }
        }
    }

    fn take(&mut self, desk: &mut Desk, event: Happening) {
        match event {
            Happening::Incoming(Packet::ConnAck(ack)) => {
                if !ack.session_present {
                    self.book.forget();
                }
                self.connected();
            }
            Happening::Incoming(Packet::Publish(publish)) => self.message(desk, &publish),
            Happening::Incoming(Packet::SubAck(ack)) => {
                desk.proven = true;
                let filters = desk.asked.pop_front().unwrap_or_default();
                let answers = filters.into_iter().zip(ack.return_codes);
                let refused = answers.filter(|(_, code)| *code == SubscribeReasonCode::Failure);
                let before = desk.refused.len();
                desk.refused.extend(refused.map(|(filter, _)| filter));
                if desk.refused.len() > before {
                    self.refused(&desk.refused);
                }
            }
            Happening::Outgoing(Outgoing::PubAck(_)) => desk.acknowledged(),
            Happening::Outgoing(Outgoing::Publish(id)) => self.posts.sent(id),
            Happening::Incoming(Packet::PubAck(ack)) => self.posts.acknowledged(ack.pkid),
            _ => {}
        }
    }

    fn message(&mut self, desk: &mut Desk, publish: &Publish) {
        self.messages += 1;
        self.tell(publish);
        let now: Moment = self.clock.now();
        let mut token = None;
        if publish.qos != QoS::AtMostOnce {
            desk.stall_at = Some(Instant::now() + STALL.1);
            match self.book.arrived(publish.pkid, &publish.topic, &publish.payload, publish.dup) {
                Arrival::New(new) => token = Some(new),
                Arrival::Again => return,
            }
        }
        let message =
            Message { topic: &publish.topic, payload: &publish.payload, retain: publish.retain };
        let first = self.pending.len();
        let verdict = self.intake.arrive(message, now, &mut self.pending);
        self.rejected += u64::from(verdict.rejected);
        if verdict.foreign && desk.client.try_unsubscribe(publish.topic.as_str()).is_err() {
            tracing::debug!(topic = publish.topic, "not unsubscribed: too much on its way");
        }
        if let Some(token) = token {
            for message in self.pending.range_mut(first..) {
                if let FieldMessage::Readings(batch) = message {
                    batch.receipt = Some(self.book.receipt(token));
                }
            }
            self.book.sealed(token);
        }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
