//! A TCP relay that can be cut: the line between gateway and platform.

use std::io;
use std::net::SocketAddr;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Connections at once.
const MAX_CONNECTIONS: usize = 16;

/// Relays to `target`; while it is cut, connections break and new ones are closed at once.
#[derive(Debug)]
pub struct CutProxy {
    listener: TcpListener,
    target: SocketAddr,
    whole: watch::Receiver<bool>,
}

impl CutProxy {
    /// Binds; the sender mends (`true`) and cuts (`false`).
    ///
    /// # Errors
    /// The system's, e.g. the port is taken.
    pub async fn bind(
        address: &str,
        target: SocketAddr,
    ) -> io::Result<(Self, watch::Sender<bool>)> {
        let listener = TcpListener::bind(address).await?;
        let (switch, whole) = watch::channel(true);
        Ok((Self { listener, target, whole }, switch))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Relays until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) if *self.whole.borrow() && connections.len() < MAX_CONNECTIONS => {
                        connections.push(self.relay(stream));
                    }
                    Ok(_) => {}
                    Err(error) => tracing::debug!(%error, "relay cannot accept"),
                },
                Some(ended) = connections.next() => if let Err(error) = ended {
                    tracing::debug!(%error, "relayed connection ended");
                },
            }
        }
    }

    async fn relay(&self, mut near: TcpStream) -> io::Result<()> {
        let mut whole = self.whole.clone();
        let relayed = async {
            let mut far = TcpStream::connect(self.target).await?;
            near.set_nodelay(true)?;
            far.set_nodelay(true)?;
            copy_bidirectional(&mut near, &mut far).await.map(|_| ())
        };
        tokio::select! {
            ended = relayed => ended,
            // A dropped switch leaves the line as it is.
            Ok(_) = whole.wait_for(|whole| !*whole) => Ok(()),
        }
    }
}
