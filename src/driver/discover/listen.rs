//! The session that listens: a client of its own, clean, that only subscribes.

use std::collections::VecDeque;
use std::time::Duration;

use rumqttc::mqttbytes::v4::SubscribeReasonCode;
use rumqttc::{AsyncClient, Event, EventLoop, Packet, QoS, SubscribeFilter};
use tokio::time::{Instant, sleep_until};

use super::book::Book;
use crate::broker::BrokerConfig;
use crate::model::Words;

/// The client's request channel.
const REQUESTS: usize = 64;
/// Filters of one request.
const BATCH: usize = 32;
/// Requests whose answer is awaited.
const ASKED: usize = 8;
/// Largest packet: the list of a bridge with hundreds of devices.
const MAX_PACKET: usize = 8 << 20;

/// How a broker is listened to.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The broker.
    pub broker: BrokerConfig,
    /// How long, from the moment that it is connected.
    pub span: Duration,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The session began.
    Connected,
    /// Announcements so far; so much of the time is over.
    Heard {
        /// How many.
        announcements: usize,
        /// Time since the session began.
        passed: Duration,
    },
    /// The broker does not let us hear this.
    Refused(String),
    /// The time is over.
    Over,
    /// The connection was lost, or never made.
    Lost(Words),
}

/// A session.
pub struct Session {
    listen: Listen,
    client: AsyncClient,
    events: EventLoop,
    book: Book,
    wanted: VecDeque<String>,
    asked: VecDeque<Vec<String>>,
    begun: Option<Instant>,
    /// Answers for the caller.
    steps: VecDeque<Step>,
    told: usize,
    over: bool,
}

impl Session {
    /// Connects nothing yet.
    ///
    /// # Errors
    /// A file that the settings name is wrong.
    pub fn new(listen: Listen, book: Book) -> Result<Self, Words> {
        let mut options = listen.broker.options().map_err(|error| error.words())?;
        options.set_clean_session(true).set_max_packet_size(MAX_PACKET, MAX_PACKET);
        let (client, mut events) = AsyncClient::new(options, REQUESTS);
        events.set_network_options(listen.broker.network());
        let wanted = book.filters().into();
        Ok(Self {
            listen,
            client,
            events,
            book,
            wanted,
            asked: VecDeque::new(),
            begun: None,
            steps: VecDeque::new(),
            told: 0,
            over: false,
        })
    }

    /// The next thing that happens; after [`Step::Over`] and [`Step::Lost`] nothing more.
    /// What was heard is kept when the future is dropped, the connection may not be.
    pub async fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return Some(step);
            }
            if self.over {
                return None;
            }
            let until = self.begun.map(|begun| begun + self.listen.span);
            let event = tokio::select! {
                biased;
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    self.over = true;
                    self.part().await;
                    return Some(Step::Over);
                }
                event = self.events.poll() => event,
            };
            match event {
                Ok(event) => self.took(event),
                Err(error) => {
                    self.over = true;
                    return Some(Step::Lost(self.listen.broker.describe(&error)));
                }
            }
            self.ask();
        }
    }

    /// What was heard.
    pub fn into_book(self) -> Book {
        self.book
    }

    fn took(&mut self, event: Event) {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                self.begun = Some(Instant::now());
                self.steps.push_back(Step::Connected);
            }
            Event::Incoming(Packet::SubAck(ack)) => {
                let filters = self.asked.pop_front().unwrap_or_default();
                let answers = filters.into_iter().zip(ack.return_codes);
                let refused = answers.filter(|(_, code)| *code == SubscribeReasonCode::Failure);
                self.steps.extend(refused.map(|(filter, _)| Step::Refused(filter)));
            }
            Event::Incoming(Packet::Publish(publish)) => {
                let more = self.book.take(&publish.topic, &publish.payload);
                self.wanted.extend(more);
                let announcements = self.book.heard();
                if announcements != self.told {
                    self.told = announcements;
                    let passed = self.begun.map_or(Duration::ZERO, |begun| begun.elapsed());
                    self.steps.push_back(Step::Heard { announcements, passed });
                }
            }
            _ => {}
        }
    }

    /// Subscribes as much as there is room for: waiting for room here would wait for ourselves.
    fn ask(&mut self) {
        while self.begun.is_some() && !self.wanted.is_empty() && self.asked.len() < ASKED {
            let batch: Vec<String> = self.wanted.drain(..self.wanted.len().min(BATCH)).collect();
            // Readings may be lost here without harm.
            let filters = batch.iter().map(|f| SubscribeFilter::new(f.clone(), QoS::AtMostOnce));
            if self.client.try_subscribe_many(filters).is_err() {
                for filter in batch.into_iter().rev() {
                    self.wanted.push_front(filter);
                }
                return;
            }
            self.asked.push_back(batch);
        }
    }

    /// Says good-bye, so that the broker does not think that we were lost.
    async fn part(&mut self) {
        if self.client.try_disconnect().is_err() {
            return;
        }
        let gone = async {
            while let Ok(event) = self.events.poll().await {
                if matches!(event, Event::Outgoing(rumqttc::Outgoing::Disconnect)) {
                    return;
                }
            }
        };
        if tokio::time::timeout(Duration::from_secs(1), gone).await.is_err() {
            tracing::debug!("the broker did not let us go in time");
        }
    }
}
