//! An MQTT broker inside the process, for `demo` and tests, on loopback only: rumqttd has no
//! access control and keeps nothing. A site runs a broker of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::thread::JoinHandle;
use std::time::Duration;

use rumqttd::protocol::v4::V4;
use rumqttd::{ConnectionSettings, LinkType, Router, RouterConfig, Server, ServerSettings};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Longest time until it listens.
const START: Duration = Duration::from_secs(10);

/// Why it does not run.
#[derive(Debug, thiserror::Error)]
pub enum BrokerFault {
    /// No free port, or no thread.
    #[error("embedded broker cannot start: {0}")]
    Start(#[from] io::Error),
    /// It does not listen.
    #[error("embedded broker does not listen on {0}")]
    Deaf(SocketAddr),
}

/// A running broker, in a thread of its own so that its faults stay there.
#[derive(Debug)]
pub struct EmbeddedBroker {
    address: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl EmbeddedBroker {
    /// Starts a broker on a free port of loopback and waits until it listens.
    ///
    /// # Errors
    /// No free port or thread, or it does not listen in time.
    pub async fn start(name: &str, id: usize) -> Result<Self, BrokerFault> {
        // The broker binds by itself and cannot tell its port: find a free one first.
        let address = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let router = RouterConfig {
            max_connections: 512,
            max_outgoing_packet_count: 200,
            max_segment_size: 8 << 20,
            max_segment_count: 8,
            custom_segment: None,
            initialized_filters: None,
            shared_subscriptions_strategy: rumqttd::Strategy::default(),
        };
        let settings = ServerSettings {
            name: name.to_owned(),
            listen: address,
            tls: None,
            next_connection_delay_ms: 1,
            connections: ConnectionSettings {
                connection_timeout_ms: 5_000,
                max_payload_size: 1 << 20,
                max_inflight_count: 200,
                auth: None,
                external_auth: None,
                dynamic_filters: true,
            },
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let link = Router::new(id, router).spawn();
            runtime.block_on(async {
                let mut server = Server::new(settings, link, V4);
                tokio::select! {
                    () = stopped.cancelled() => {}
                    ended = server.start(LinkType::Remote) => if let Err(error) = ended {
                        tracing::error!(%error, "embedded broker ended");
                    },
                }
            });
            runtime.shutdown_background();
        })?;
        let broker = Self { address, stop, thread: Some(thread) };
        broker.wait_for_ear().await?;
        Ok(broker)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The broker binds in its own thread and gives no sign: ask until it answers.
    async fn wait_for_ear(&self) -> Result<(), BrokerFault> {
        let give_up = Instant::now() + START;
        while Instant::now() < give_up {
            if TcpStream::connect(self.address).await.is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(BrokerFault::Deaf(self.address))
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("embedded broker panicked");
        }
    }
}
