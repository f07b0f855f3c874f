//! One connection to the platform's broker, from CONNECT to its end.
//!
//! One task polls and publishes. Publishing only puts into the client's request channel, wider
//! than everything that can be open at once: the task cannot block itself. A poll is never cut off
//! half-way: it stays pinned, because a packet half written would be lost without a word.

mod broadcast;
mod commands;
mod documents;
mod renewal;
mod shown;
mod time;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, LastWill, Outgoing, Packet, QoS};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::flow::{Flow, Kind, Now};
use super::message::{Status, compress, encode};
use super::session::Context;
use super::store::Store;
use super::time::Asker;
use super::window::{Item, Window, item};
use super::{Topic, Topics};
use crate::broker::{BrokerError, LOOK_AT_FILES_EVERY, Watched};
use crate::buffer::Lane;
use crate::model::{Moment, Seq, Words};
use broadcast::next_answer;
use commands::{Asked, Keeping, is_unreadable, next_kept, next_result};

/// The client's range of packet ids; wider than any window with its documents.
const PACKET_IDS: u16 = 256;
/// The client's request channel; as wide, so that publishing never waits.
const REQUESTS: usize = PACKET_IDS as usize;
/// Most acknowledged blocks that wait to be handed to the buffer.
const MAX_SETTLING: usize = 1024;
/// How often the clock is asked while the birth waits for it; otherwise nothing is due.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(60);
/// Longest farewell.
const FAREWELL: Duration = Duration::from_secs(2);
/// A link that lasted this long has proven itself even without traffic.
const PROVEN_AFTER: Duration = Duration::from_secs(60);

/// How a link ended.
#[derive(Debug)]
pub(super) enum End {
    /// On request.
    Stopped,
    /// The files of the connection were renewed: to be made again with them.
    Renewed,
    /// It broke, or could not be made.
    Lost {
        /// Why.
        fault: Words,
        /// Whether the platform had acknowledged something (or the link lasted).
        proven: bool,
    },
}

type Settling = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Everything of a link but the client's event loop, which lends itself to a pinned poll.
struct Desk<'a, S> {
    context: &'a mut Context<S>,
    topics: &'a Topics,
    client: AsyncClient,
    window: Window,
    flow: Option<Flow>,
    /// Acknowledged by the platform, not yet handed to the buffer.
    settled: Vec<(Lane, Seq)>,
    /// The buffer is taking the ones before; it may take until its next commit.
    settling: Option<Settling>,
    assessment: watch::Receiver<Option<Arc<str>>>,
    assessment_due: bool,
    opened: Moment,
    /// The position told at a birth without wall time: told again when a clock is trusted.
    unstamped: Option<Seq>,
    /// Asks the platform for the time, where it may.
    time: Option<Asker>,
    /// Subscriptions whose answer is open, in order.
    asked: VecDeque<Asked>,
    /// Commands that are not kept yet.
    keeping: Keeping,
    /// The connection ended on a packet that cannot be read: only a command can be one.
    unreadable: bool,
    proven: bool,
    /// The files that the connection was made with.
    files: Watched,
    /// When they are looked at again.
    files_at: Moment,
    /// Counters of the status changed; to be shown then.
    show_at: Option<Moment>,
    read_fault: bool,
}

/// One connection.
pub(super) struct Link<'a, S> {
    desk: Desk<'a, S>,
    events: EventLoop,
}

impl<'a, S: Store> Link<'a, S> {
    /// Reads the credentials and prepares the client; connects nothing yet.
    ///
    /// # Errors
    /// A file of the settings is wrong.
    pub fn open(context: &'a mut Context<S>, topics: &'a Topics) -> Result<Self, BrokerError> {
        let files = Watched::new(&context.config.broker);
        let mut options = context.config.broker.options_noting(&context.presented)?;
        context.credentials(None);
        let will = Status::offline(&context.estate, context.store.epoch(), &context.clock, false);
        options.set_clean_session(true).set_inflight(PACKET_IDS).set_last_will(LastWill::new(
            topics.print(&Topic::Status),
            encode(&will),
            QoS::AtLeastOnce,
            true,
        ));
        // Commands and warnings are acknowledged when they are kept; nothing else has QoS 1.
        options.set_manual_acks(context.commands.is_some() || context.warnings.is_some());
        let (client, mut events) = AsyncClient::new(options, REQUESTS);
        events.set_network_options(context.config.broker.network());
        let assessment = context.assessment.clone();
        let desk = Desk {
            window: Window::new(context.config.window.clamp(1, 64)),
            opened: context.clock.now(),
            files,
            files_at: context.clock.now().plus(LOOK_AT_FILES_EVERY),
            unstamped: None,
            time: None,
            asked: VecDeque::new(),
            keeping: Keeping::default(),
            unreadable: false,
            context,
            topics,
            client,
            flow: None,
            settled: Vec::new(),
            settling: None,
            assessment,
            assessment_due: false,
            proven: false,
            show_at: None,
            read_fault: false,
        };
        Ok(Self { desk, events })
    }

    /// Runs until it breaks or `stop`; whatever the platform acknowledged is settled by then.
    pub async fn run(self, stop: &CancellationToken) -> End {
        let Self { mut desk, mut events } = self;
        let end = desk.serve(&mut events, stop).await;
        desk.end_time();
        desk.end_commands();
        let end = match end {
            End::Stopped => {
                desk.farewell(&mut events).await;
                End::Stopped
            }
            End::Renewed => {
                desk.change_over(&mut events).await;
                End::Renewed
            }
            lost => lost,
        };
        if let Some(settling) = desk.settling.take() {
            settling.await;
        }
        let rest = std::mem::take(&mut desk.settled);
        if !rest.is_empty() {
            desk.context.store.acknowledge(rest).await;
        }
        desk.show();
        end
    }
}

impl<S: Store> Desk<'_, S> {
    async fn serve(&mut self, events: &mut EventLoop, stop: &CancellationToken) -> End {
        let mut committed = self.context.store.committed();
        loop {
            let event = {
                let mut poll = pin!(events.poll());
                loop {
                    // Looked at here too: a poll that is always ready must not starve new blocks.
                    if committed.has_changed().unwrap_or(false)
                        && let Some(flow) = &mut self.flow
                    {
                        committed.mark_unchanged();
                        flow.poke();
                    }
                    if let Err(fault) = self.pump() {
                        return self.lost(fault);
                    }
                    self.settle();
                    if self.renewed() {
                        return End::Renewed;
                    }
                    let wake = self.wake_at();
                    let wake = self.context.clock.instant(wake);
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => return End::Stopped,
                        event = &mut poll => break event,
                        () = finished(&mut self.settling) => self.settling = None,
                        id = next_kept(&mut self.keeping) => self.acknowledge(id),
                        result = next_result(&mut self.context.commands), if self.flow.is_some() && self.may_tell() => self.result(&result),
                        answer = next_answer(&mut self.context.warnings), if self.flow.is_some() && self.may_tell() => self.answered(answer),
                        changed = committed.changed() => {
                            // A buffer that closed will not commit again: the daemon is stopping.
                            if changed.is_err() {
                                return End::Stopped;
                            }
                            if let Some(flow) = &mut self.flow { flow.poke() }
                        }
                        changed = self.assessment.changed(), if self.flow.is_some() && self.assessment.has_changed().is_ok() => {
                            self.assessment_due |= changed.is_ok();
                        }
                        () = tokio::time::sleep_until(wake) => {}
                    }
                }
            };
            if event.is_err() {
                // Acknowledgements that came with the end of the connection still count: without
                // them a connection that breaks early every time would never make progress.
                for last in events.state.events.drain(..) {
                    if let Err(end) = self.take(Ok(last)) {
                        return end;
                    }
                }
            }
            if let Err(end) = self.take(event) {
                return end;
            }
        }
    }

    /// Hands what the platform acknowledged to the buffer, one list at a time.
    fn settle(&mut self) {
        if self.settling.is_none() && !self.settled.is_empty() {
            let list = std::mem::take(&mut self.settled);
            let store = Arc::clone(&self.context.store);
            self.settling = Some(Box::pin(async move { store.acknowledge(list).await }));
        }
    }

    fn take(&mut self, event: Result<Event, ConnectionError>) -> Result<(), End> {
        match event {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                self.begin();
                Ok(())
            }
            Ok(Event::Outgoing(Outgoing::Publish(id @ 1..))) => {
                self.window.sent(id);
                Ok(())
            }
            Ok(Event::Incoming(Packet::PubAck(ack))) => {
                self.acknowledged(ack.pkid);
                Ok(())
            }
            Ok(other) => {
                self.beside(&other);
                Ok(())
            }
            Err(error) => {
                self.unreadable = is_unreadable(&error);
                Err(self.lost(self.context.config.broker.describe(&error)))
            }
        }
    }

    /// Puts into the client's channel; it is wider than the window, so there is always room.
    fn publish(&self, topic: &Topic, payload: Bytes) -> bool {
        let name = self.topics.print(topic);
        let request = self.client.publish_bytes(name, QoS::AtLeastOnce, topic.retained(), payload);
        let sent = matches!(request.now_or_never(), Some(Ok(())));
        if !sent {
            tracing::error!(?topic, "the client's channel is full; the message is published later");
        }
        sent
    }

    /// Publishes whatever may go now.
    fn pump(&mut self) -> Result<(), Words> {
        if self.flow.is_none() {
            return Ok(());
        }
        let now = self.context.clock.now();
        let limit = self.context.config.ack_timeout;
        if self.window.oldest().is_some_and(|sent| now.since(sent) >= limit) {
            let en = format!("no acknowledgement within {limit:?}");
            return Err((en, format!("平台在 {limit:?} 内未确认")).into());
        }
        if self.assessment_due && !self.window.holds(&Topic::Assessment) {
            self.assessment_due = false;
            let text = self.assessment.borrow_and_update().clone();
            if let Some(text) = text {
                self.document(Topic::Assessment, compress(text.as_bytes().to_vec()));
            }
        }
        if self.context.clock.trusted()
            && let Some(next) = self.unstamped
        {
            self.birth(next);
        }
        self.ask_time();
        let moment = Now { at: now, trusted: self.context.clock.trusted() };
        while self.window.has_room() && self.settled.len() < MAX_SETTLING {
            let late = self.window.has_late_room();
            let Some(flow) = &mut self.flow else { break };
            let departure = match flow.next(&*self.context.store, moment, late) {
                Ok(Some(departure)) => departure,
                Ok(None) => break,
                Err(error) => {
                    if !error.passes() && !std::mem::replace(&mut self.read_fault, true) {
                        tracing::error!(%error, "the uplink cannot read the buffer");
                    }
                    break;
                }
            };
            self.read_fault = false;
            let topic = match departure.kind {
                Kind::Event => Topic::Event,
                Kind::Live => Topic::Telemetry,
                Kind::Late => Topic::Late,
            };
            let bytes = departure.payload.len();
            if !self.publish(&topic, departure.payload) {
                return Err(("the client's request channel is full", "客户端的发送队列已满").into());
            }
            self.window.push(item(departure.kind, &departure.block, bytes), now);
            self.context.status.send_if_modified(|status| {
                status.published_blocks += 1;
                false
            });
            self.touch(now);
        }
        Ok(())
    }

    fn acknowledged(&mut self, id: u16) {
        let item = self.window.acknowledged(id);
        self.proven |= item.is_some();
        let Some(Item::Block { kind, seq, readings, bytes, created }) = item else { return };
        let lane = if kind == Kind::Event { Lane::Urgent } else { Lane::Telemetry };
        self.settled.push((lane, seq));
        let now = self.context.clock.now();
        self.context.status.send_if_modified(|status| {
            status.acknowledged_at = Some(now);
            status.acknowledged_blocks += 1;
            status.acknowledged_readings += u64::from(readings);
            status.acknowledged_bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
            if kind == Kind::Live {
                let latency = now.since(created).as_millis();
                status.live_latency_ms = Some(u64::try_from(latency).unwrap_or(u64::MAX));
            }
            false
        });
        self.touch(now);
    }

    /// The next moment at which something happens by itself.
    fn wake_at(&mut self) -> Moment {
        let now = self.context.clock.now();
        if self.show_at.is_some_and(|at| at <= now) {
            self.show();
        }
        let overdue = self.window.oldest().map(|sent| sent.plus(self.context.config.ack_timeout));
        let has_room = self.window.has_room();
        let flow = self.flow.as_ref().filter(|_| has_room).and_then(|flow| flow.wake_at(now));
        let time = self.time.as_ref().and_then(Asker::wake_at);
        let idle = now.plus(if self.unstamped.is_some() { LOOK_AGAIN } else { IDLE });
        let due = [overdue, flow, self.show_at, time].into_iter().flatten().min().unwrap_or(idle);
        due.min(self.files_at)
    }

    fn lost(&self, fault: Words) -> End {
        let lasted = self.context.clock.now().since(self.opened) >= PROVEN_AFTER;
        End::Lost { fault, proven: self.proven || (self.flow.is_some() && lasted) }
    }
}

/// Ends with the future, or never when there is none.
async fn finished(settling: &mut Option<Settling>) {
    match settling {
        Some(settling) => settling.await,
        None => std::future::pending().await,
    }
}
