//! The connection to the platform's broker: a persistent session with manual acknowledgements.
//!
//! A block is acknowledged only after `sink` returned and, where the state is kept, after that:
//! what the receiver loses by a crash comes again, and the verifier of the next run removes it as
//! a duplicate.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Packet, Publish, QoS,
    SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::tls::{TlsError, client_config};
use super::{Received, State, Summary, Verifier, answer};
use crate::backoff::Backoff;
use crate::broker::BrokerConfig;
use crate::model::Document;

/// Requests (acknowledgements, subscriptions) that wait for the connection at most; further
/// acknowledgements wait here until there is room.
const REQUESTS: usize = 64;

/// Largest packet taken from the broker, bytes.
const MAX_PACKET: usize = 1 << 20;

/// The summary is renewed at most this often.
const SUMMARY_EVERY: Duration = Duration::from_millis(250);

/// Blocks wait at most this long for the state to be kept, and at most so many share one keeping:
/// fewer than a broker has in flight by default, so that it never has to wait for that.
const KEEP: (Duration, usize) = (Duration::from_millis(50), 16);

/// Longest time to hand over the last acknowledgements at the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Settings of a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The platform's broker.
    pub broker: BrokerConfig,
    /// Begin of the topics, e.g. `linli/v1/+`.
    pub prefix: String,
    /// Let the broker keep what arrives while the receiver is away.
    pub persistent: bool,
    /// End after this long without a block.
    pub until_idle: Option<Duration>,
    /// End when every stream has all blocks up to this one.
    pub expect_seq: Option<u64>,
    /// Tell gateways that ask what time it is here.
    pub answer_time: bool,
}

/// Why the receiver ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was told to.
    Stopped,
    /// Nothing came for as long as allowed.
    Idle,
    /// Everything expected is there.
    Complete,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Why.
    pub end: End,
    /// Sessions that the broker accepted.
    pub sessions: u64,
    /// What was seen.
    pub verifier: Verifier,
}

/// Why the receiver cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The password file.
    #[error("cannot read password file `{file}`: {source}")]
    Password {
        /// Which file.
        file: String,
        /// The system's words.
        source: io::Error,
    },
    /// The block could not be written out; it is not acknowledged.
    #[error("cannot write a block out: {0}")]
    Sink(#[source] io::Error),
    /// The broker does not let this client subscribe.
    #[error("broker refuses the subscription to `{0}`")]
    Refused(String),
}

/// Makes the verifier's state durable; only then are the blocks in it acknowledged.
pub type Keep = Box<dyn FnMut(&State) -> io::Result<()> + Send>;

struct Session<S> {
    config: Config,
    verifier: Verifier,
    summary: watch::Sender<Summary>,
    sink: S,
    unacknowledged: VecDeque<Publish>,
    keep: Option<Keep>,
    /// So many of `unacknowledged`, from the front, are in the state that was kept.
    kept: usize,
    keep_at: Option<Instant>,
    sessions: u64,
    last_block: Instant,
    renew_at: Option<Instant>,
    finished: Option<End>,
}

/// Receives until `stop`, or until the configured end. `sink` gets the topic and each new block
/// and returns once it is safe; then the block is acknowledged.
///
/// # Errors
/// [`ReceiverError`]; a broker that cannot be reached is retried, not an error.
pub async fn run<S>(
    config: Config,
    verifier: Verifier,
    summary: watch::Sender<Summary>,
    sink: S,
    stop: CancellationToken,
) -> Result<Outcome, ReceiverError>
where
    S: FnMut(&str, &Document) -> io::Result<()>,
{
    run_keeping(config, verifier, summary, sink, None, stop).await
}

/// As [`run`]; the state is kept by `keep` before what is in it is acknowledged.
///
/// # Errors
/// As for [`run`]; a state that cannot be kept is [`ReceiverError::Sink`].
pub async fn run_keeping<S>(
    config: Config,
    verifier: Verifier,
    summary: watch::Sender<Summary>,
    sink: S,
    keep: Option<Keep>,
    stop: CancellationToken,
) -> Result<Outcome, ReceiverError>
where
    S: FnMut(&str, &Document) -> io::Result<()>,
{
    let options = options(&config)?;
    let mut session = Session {
        config,
        verifier,
        summary,
        sink,
        unacknowledged: VecDeque::new(),
        keep,
        kept: 0,
        keep_at: None,
        sessions: 0,
        last_block: Instant::now(),
        renew_at: None,
        finished: None,
    };
    session.check_complete();
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(15));
    let mut told = false;
    let end = loop {
        // A new client for every session: the broker repeats what was not acknowledged, and
        // nothing of the old connection may get into the new one.
        let (client, mut events) = AsyncClient::new(options.clone(), REQUESTS);
        events.network_options.set_connection_timeout(10);
        let before = session.sessions;
        match session.serve(&client, &mut events, &stop).await? {
            Ok(end) => {
                session.secure(true)?;
                session.say_goodbye(&client, &mut events).await;
                break end;
            }
            Err(error) => {
                session.unacknowledged.clear();
                (session.kept, session.keep_at) = (0, None);
                if session.sessions > before {
                    backoff.reset();
                    told = false;
                }
                if !told {
                    tracing::warn!(%error, "platform broker unreachable, trying again");
                    told = true;
                }
            }
        }
        let again = Instant::now() + backoff.delay();
        if let Some(end) = session.wait(again, &stop).await {
            break end;
        }
    };
    session.renew();
    Ok(Outcome { end, sessions: session.sessions, verifier: session.verifier })
}

impl<S: FnMut(&str, &Document) -> io::Result<()>> Session<S> {
    /// The inner error is a lost connection.
    async fn serve(
        &mut self,
        client: &AsyncClient,
        events: &mut EventLoop,
        stop: &CancellationToken,
    ) -> Result<Result<End, ConnectionError>, ReceiverError> {
        loop {
            if let Some(end) = self.finished {
                return Ok(Ok(end));
            }
            let idle_at = self.idle_at();
            let renew_at = self.renew_at;
            let keep_at = self.keep_at;
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(Ok(End::Stopped)),
                event = events.poll() => match event {
                    Ok(Event::Incoming(packet)) => self.take(client, packet)?,
                    Ok(Event::Outgoing(_)) => {}
                    Err(error) => return Ok(Err(error)),
                },
                // Only armed after a block arrived, so it never cancels a connection attempt twice.
                () = sleep_until(renew_at.unwrap_or_else(Instant::now)), if renew_at.is_some() => {
                    self.renew();
                }
                () = sleep_until(keep_at.unwrap_or_else(Instant::now)), if keep_at.is_some() => {}
                () = sleep_until(idle_at.unwrap_or_else(Instant::now)), if idle_at.is_some() => {
                    return Ok(Ok(End::Idle));
                }
            }
            self.secure(false)?;
            self.acknowledge(client);
            if self.renew_at.is_some_and(|at| at <= Instant::now()) {
                self.renew();
            }
        }
    }

    fn take(&mut self, client: &AsyncClient, packet: Packet) -> Result<(), ReceiverError> {
        match packet {
            Packet::ConnAck(_) => {
                self.sessions += 1;
                self.last_block = Instant::now();
                let filters =
                    self.topics().map(|topic| SubscribeFilter::new(topic, QoS::AtLeastOnce));
                let asked = self.config.answer_time.then(|| answer::filter(&self.config.prefix));
                let filters = filters.into_iter().chain(asked);
                if client.try_subscribe_many(filters).is_err() {
                    // The channel of a new client is empty; only a closed one refuses, and then
                    // the next poll tells why.
                    tracing::debug!("subscription not queued");
                }
            }
            Packet::SubAck(answer) => {
                let refused = |code: &SubscribeReasonCode| *code == SubscribeReasonCode::Failure;
                // The questions for the time come last; unheard they stay unanswered.
                let mut blocks = answer.return_codes.iter().take(self.topics().len());
                if let Some(slot) = blocks.position(refused) {
                    let topic = self.topics().into_iter().nth(slot).unwrap_or_default();
                    return Err(ReceiverError::Refused(topic));
                }
            }
            Packet::Publish(publish) if answer::is_request(&publish) => {
                answer::answer(client, &publish);
            }
            Packet::Publish(publish) => {
                let received = self.verifier.take(&publish.topic, &publish.payload);
                if let Received::New(document) = &received {
                    (self.sink)(&publish.topic, document).map_err(ReceiverError::Sink)?;
                }
                if publish.qos != QoS::AtMostOnce {
                    self.unacknowledged.push_back(publish);
                }
                let now = Instant::now();
                self.last_block = now;
                self.renew_at.get_or_insert(now + SUMMARY_EVERY);
                self.check_complete();
            }
            _ => {}
        }
        Ok(())
    }

    fn topics(&self) -> [String; 3] {
        ["telemetry", "telemetry/late", "event"]
            .map(|name| format!("{}/{name}", self.config.prefix))
    }

    fn check_complete(&mut self) {
        if self.config.expect_seq.is_some_and(|seq| self.verifier.is_complete_to(seq)) {
            self.finished = Some(End::Complete);
        }
    }

    /// Keeps the state when enough blocks wait for that, or one has waited long enough.
    fn secure(&mut self, at_once: bool) -> Result<(), ReceiverError> {
        let waiting = self.unacknowledged.len() - self.kept;
        if waiting > 0
            && let Some(keep) = &mut self.keep
        {
            let now = Instant::now();
            let at = *self.keep_at.get_or_insert(now + KEEP.0);
            if !at_once && waiting < KEEP.1 && now < at {
                return Ok(());
            }
            keep(&self.verifier.state()).map_err(ReceiverError::Sink)?;
        }
        self.kept = self.unacknowledged.len();
        self.keep_at = None;
        Ok(())
    }

    /// Never waits: a full channel is emptied by the next poll, and the rest follows then.
    fn acknowledge(&mut self, client: &AsyncClient) {
        while self.kept > 0
            && let Some(publish) = self.unacknowledged.front()
        {
            if client.try_ack(publish).is_err() {
                return;
            }
            self.unacknowledged.pop_front();
            self.kept -= 1;
        }
    }

    async fn say_goodbye(&mut self, client: &AsyncClient, events: &mut EventLoop) {
        let farewell = async {
            let mut leaving = false;
            loop {
                self.acknowledge(client);
                leaving |=
                    !leaving && self.unacknowledged.is_empty() && client.try_disconnect().is_ok();
                match events.poll().await {
                    Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) | Err(_) => return,
                    Ok(_) => {}
                }
            }
        };
        if timeout(FAREWELL, farewell).await.is_err() {
            tracing::debug!("broker did not take the last acknowledgements in time");
        }
    }

    async fn wait(&self, until: Instant, stop: &CancellationToken) -> Option<End> {
        let idle_at = self.idle_at();
        tokio::select! {
            () = stop.cancelled() => Some(End::Stopped),
            () = sleep_until(until) => None,
            () = sleep_until(idle_at.unwrap_or(until)), if idle_at.is_some() => Some(End::Idle),
        }
    }

    fn idle_at(&self) -> Option<Instant> {
        self.config.until_idle.map(|span| self.last_block + span)
    }

    fn renew(&mut self) {
        self.renew_at = None;
        self.summary.send_replace(self.verifier.summary());
    }
}

fn options(config: &Config) -> Result<MqttOptions, ReceiverError> {
    let broker = &config.broker;
    let mut options = MqttOptions::new(&broker.client_id, &broker.host, broker.port);
    options
        .set_keep_alive(broker.keep_alive)
        .set_clean_session(!config.persistent)
        .set_manual_acks(true)
        .set_max_packet_size(MAX_PACKET, MAX_PACKET);
    if let Some(username) = &broker.username {
        let password = match &broker.password_file {
            None => String::new(),
            Some(file) => std::fs::read_to_string(file).map_err(|source| {
                ReceiverError::Password { file: file.display().to_string(), source }
            })?,
        };
        options.set_credentials(username, password.trim_end_matches(['\r', '\n']));
    }
    if let Some(tls) = &broker.tls {
        options.set_transport(Transport::Tls(TlsConfiguration::Rustls(client_config(tls)?)));
    }
    Ok(options)
}
