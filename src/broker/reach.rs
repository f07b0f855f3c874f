//! Whether a broker can be reached, step by step: its name, the connection, TLS, a session. For the
//! doctor; the running gateway is not disturbed.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{AsyncClient, ConnectionError, Event, Packet, TlsError};
use rustls::pki_types::ServerName;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{BrokerConfig, BrokerError, Presented};
use crate::model::Words;

/// In TLS 1.3 the broker refuses our certificate only after the handshake: so long it may take.
const SECOND_THOUGHTS: Duration = Duration::from_millis(500);

/// How far an attempt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Files of the connection.
    Files,
    /// The name of the host.
    Name,
    /// The connection.
    Connection,
    /// TLS.
    Tls,
    /// The session of MQTT.
    Session,
}

/// A broker that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Where it is.
    pub address: SocketAddr,
    /// How long its name took.
    pub name: Duration,
    /// How long the connection took.
    pub connection: Duration,
    /// How long TLS took, where it is on.
    pub tls: Option<Duration>,
    /// When the first certificate of its chain expires, milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// Whether it accepted a session.
    pub session: bool,
}

/// A broker that was not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// Where it ended.
    pub stage: Stage,
    /// Why.
    pub why: Words,
}

impl From<BrokerError> for Unreached {
    fn from(error: BrokerError) -> Self {
        Self { stage: Stage::Files, why: error.words() }
    }
}

impl BrokerConfig {
    /// Tries the broker. With `login` also a short session, under a client id of its own: the
    /// session of the running gateway goes on.
    ///
    /// # Errors
    /// Where it ended and why.
    pub async fn reach(&self, login: bool) -> Result<Reached, Unreached> {
        // Files first: what is wrong here is wrong without a network too.
        self.options()?;
        let (stream, mut reached) = self.connect().await?;
        if self.tls.is_some() {
            let began = Instant::now();
            let presented = Presented::default();
            self.shake(stream, &presented).await?;
            reached.tls = Some(began.elapsed());
            reached.expires_ms = presented.last().map(|held| held.expires_ms);
        } else {
            drop(stream);
        }
        if login {
            self.log_in().await?;
            reached.session = true;
        }
        Ok(reached)
    }

    async fn connect(&self) -> Result<(TcpStream, Reached), Unreached> {
        let began = Instant::now();
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let found = timeout(self.connect_timeout, tokio::net::lookup_host((host, self.port))).await;
        let unnamed = |why| Unreached { stage: Stage::Name, why };
        let addresses: Vec<SocketAddr> = match found {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => return Err(unnamed(self.describe(&ConnectionError::Io(error)))),
            Err(_) => {
                let limit = self.connect_timeout;
                return Err(unnamed(
                    (
                        format!("no answer about the name `{host}` within {limit:?}"),
                        format!("{limit:?} 内未得到主机名 `{host}` 的解析结果"),
                    )
                        .into(),
                ));
            }
        };
        let name = began.elapsed();
        let mut last = ConnectionError::Io(io::Error::other("lookup gave no address"));
        for address in addresses {
            let began = Instant::now();
            last = match timeout(self.connect_timeout, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let connection = began.elapsed();
                    let reached = Reached {
                        address,
                        name,
                        connection,
                        tls: None,
                        expires_ms: None,
                        session: false,
                    };
                    return Ok((stream, reached));
                }
                Ok(Err(error)) => ConnectionError::Io(error),
                Err(_) => ConnectionError::NetworkTimeout,
            };
        }
        Err(Unreached { stage: Stage::Connection, why: self.describe(&last) })
    }

    async fn shake(&self, stream: TcpStream, presented: &Presented) -> Result<(), Unreached> {
        let Some(tls) = &self.tls else { return Ok(()) };
        let failed = |why| Unreached { stage: Stage::Tls, why };
        let config = tls.client(presented)?;
        let name = ServerName::try_from(self.host.clone()).map_err(|error| {
            let at = &self.host;
            failed(
                (
                    format!("`{at}` is no name that a certificate can show: {error}"),
                    format!("`{at}` 不能作为证书中的主机名"),
                )
                    .into(),
            )
        })?;
        let connector = TlsConnector::from(Arc::new(config));
        let shaken = timeout(self.connect_timeout, connector.connect(name, stream)).await;
        let in_words = |error| failed(self.describe(&ConnectionError::Tls(TlsError::Io(error))));
        let mut stream: TlsStream<TcpStream> = match shaken {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(in_words(error)),
            Err(_) => return Err(failed(self.describe(&ConnectionError::NetworkTimeout))),
        };
        // A broker says nothing before we do, unless it refuses us.
        match timeout(SECOND_THOUGHTS, stream.read_u8()).await {
            Ok(Err(error)) => Err(in_words(error)),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    async fn log_in(&self) -> Result<(), Unreached> {
        let failed = |why| Unreached { stage: Stage::Session, why };
        let own = format!("linli-doctor-{}", std::process::id());
        let mut options = Self { client_id: own, ..self.clone() }.options()?;
        options.set_clean_session(true);
        let (client, mut events) = AsyncClient::new(options, 1);
        events.set_network_options(self.network());
        let answered = async {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => return Ok(()),
                    Ok(_) => {}
                    Err(error) => return Err(error),
                }
            }
        };
        match timeout(self.connect_timeout * 2, answered).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(failed(self.describe(&error))),
            Err(_) => return Err(failed(self.describe(&ConnectionError::NetworkTimeout))),
        }
        // An orderly end keeps the broker's log clean; it changes nothing of what was found.
        if client.try_disconnect().is_ok() {
            let bye = async { while events.poll().await.is_ok() {} };
            if timeout(SECOND_THOUGHTS, bye).await.is_err() {
                tracing::debug!("the broker did not end the session of the doctor in time");
            }
        }
        Ok(())
    }
}
