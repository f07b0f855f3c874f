//! The uplink's task: connect, run one link until it breaks, back off, begin again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::link::{End, Link};
use super::port::{BroadcastPort, CommandPort};
use super::store::Store;
use super::{Config, Topics, UplinkStatus};
use crate::backoff::Backoff;
use crate::broker::{Presented, note_credentials};
use crate::buffer::Buffer;
use crate::clock::Clock;
use crate::model::{Estate, Seq, Words};

/// First delay before another attempt to connect.
const FIRST_DELAY: Duration = Duration::from_millis(500);

/// What every link needs.
pub(super) struct Context<S> {
    pub config: Config,
    pub store: Arc<S>,
    pub estate: Arc<Estate>,
    pub clock: Clock,
    pub assessment: watch::Receiver<Option<Arc<str>>>,
    pub status: watch::Sender<UplinkStatus>,
    /// Public key of the gateway's reports, for the inventory.
    pub signing_key: Option<String>,
    /// Connections in a row that ended on a question for the time.
    pub time_strikes: u8,
    /// Where commands go; `None` where none is taken.
    pub commands: Option<CommandPort>,
    /// Where warnings go; `None` where nobody could hear them.
    pub warnings: Option<BroadcastPort>,
    /// Connections in a row that ended on a subscription to commands or warnings.
    pub command_strikes: u8,
    /// The chain that the platform's broker presents.
    pub presented: Presented,
}

/// The uplink: owns the connection to the platform's broker.
pub struct Session<S = Buffer>(Context<S>);

impl<S: Store> Session<S> {
    /// Opens nothing yet. `assessment` holds the JSON of the star level.
    pub fn new(
        config: Config,
        buffer: S,
        estate: Arc<Estate>,
        clock: Clock,
        assessment: watch::Receiver<Option<Arc<str>>>,
    ) -> (Self, watch::Receiver<UplinkStatus>) {
        let status = watch::Sender::new(UplinkStatus {
            configured: true,
            since: clock.now(),
            broker: config.broker.title(),
            tls: config.broker.tls.is_some(),
            ..UplinkStatus::default()
        });
        let reader = status.subscribe();
        (
            Self(Context {
                config,
                store: Arc::new(buffer),
                estate,
                clock,
                assessment,
                status,
                signing_key: None,
                time_strikes: 0,
                commands: None,
                warnings: None,
                command_strikes: 0,
                presented: Presented::default(),
            }),
            reader,
        )
    }

    /// Tells the platform the public key (lower-case hex) that the gateway's reports are signed
    /// with.
    #[must_use]
    pub fn signing(mut self, public_key: Option<String>) -> Self {
        self.0.signing_key = public_key;
        self
    }

    /// Takes commands of the platform, and tells it what became of them.
    #[must_use]
    pub fn commands(mut self, port: CommandPort) -> Self {
        self.0.commands = Some(port);
        self
    }

    /// Takes warnings of the platform, and answers them.
    #[must_use]
    pub fn warnings(mut self, port: BroadcastPort) -> Self {
        self.0.warnings = Some(port);
        self
    }

    /// The chain that the platform's broker presents, once there is a session.
    pub fn presented(&self) -> Presented {
        self.0.presented.clone()
    }

    /// Delivers until `stop`; then says good-bye to the platform.
    pub async fn run(self, stop: CancellationToken) {
        let Self(mut context) = self;
        let topics = match Topics::new(&context.config.prefix, &context.estate.gateway) {
            Ok(topics) => topics,
            Err(error) => {
                // The configuration's check refuses this; here nothing can be published.
                tracing::error!(%error, "no uplink");
                let zh = format!("主题前缀有误：{error}");
                context.lost((error.to_string(), zh).into());
                return stop.cancelled().await;
            }
        };
        let cap = context.config.reconnect_cap.max(FIRST_DELAY);
        let mut backoff = Backoff::new(FIRST_DELAY, cap);
        while !stop.is_cancelled() {
            let end = match Link::open(&mut context, &topics) {
                Ok(link) => link.run(&stop).await,
                Err(error) => End::Lost { fault: error.words(), proven: false },
            };
            let (fault, proven) = match end {
                End::Stopped => break,
                End::Renewed => {
                    context.renewed();
                    continue;
                }
                End::Lost { fault, proven } => (fault, proven),
            };
            context.lost(fault);
            // A broker that takes a session and drops it at once must not be hammered.
            if proven {
                backoff.reset();
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(backoff.delay()) => {}
            }
        }
        let now = context.clock.now();
        context.status.send_modify(|status| {
            status.connected = false;
            status.since = now;
            status.in_flight = 0;
        });
    }
}

impl<S: Store> Context<S> {
    /// Notes that there is no connection; the log is warned once per outage, told of each new
    /// fault.
    fn lost(&self, fault: Words) {
        self.store.link(false);
        let now = self.clock.now();
        let (mut first, mut news) = (false, false);
        self.status.send_modify(|status| {
            first = status.fault.is_none();
            news = status.fault.as_ref() != Some(&fault);
            if status.connected {
                status.connected = false;
                status.since = now;
            }
            status.in_flight = 0;
            status.fault = Some(fault.clone());
        });
        let broker = self.config.broker.title();
        if first {
            tracing::warn!(broker, %fault, "platform not reachable; readings are kept");
        } else if news {
            tracing::info!(broker, %fault, "platform still not reachable");
        }
    }

    /// Notes that the connection is made again with renewed files.
    fn renewed(&self) {
        let broker = self.config.broker.title();
        tracing::info!(broker, "certificate, key, authorities or password were renewed");
        let now = self.clock.now();
        self.status.send_modify(|status| {
            status.connected = false;
            status.since = now;
            status.in_flight = 0;
            status.credentials = None;
        });
    }

    /// Notes what is wrong with changed files of the connection, or that nothing is.
    pub fn credentials(&self, fault: Option<Words>) {
        let broker = self.config.broker.title();
        note_credentials(&self.status, |status| &mut status.credentials, fault, &broker);
    }

    /// Notes that the platform's broker took the session; blocks below `next` are late.
    pub fn connected(&self, next: Seq) {
        self.store.link(true);
        let now = self.clock.now();
        self.status.send_modify(|status| {
            status.connected = true;
            status.late_below = Some(next);
            status.since = now;
            status.fault = None;
            status.sessions += 1;
        });
        tracing::info!(broker = self.config.broker.title(), "platform connected");
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
