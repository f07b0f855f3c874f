//! Who asks: the scan itself on a line of its own, or the owner of the bus for it.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::machine::ScanProbe;
use crate::driver::bus::{BusRequest, Fault, Heard, OwnLine, Probe};

/// A line that breaks is opened again so often in a row.
const REOPENS: u32 = 3;
/// The owner of a line that is down answers at once; it is asked again after this.
const DOWN: Duration = Duration::from_secs(1);

/// The line cannot be used any more; the system's or the owner's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Gone(pub String);

/// Asks.
#[derive(Debug)]
pub enum Prober {
    /// On a line of its own.
    Own(Box<OwnLine>),
    /// Through the owner of the bus, between its polls.
    Owner(mpsc::Sender<BusRequest>),
}

impl Prober {
    /// Asks once, again when the line broke.
    ///
    /// # Errors
    /// The line is gone, or its owner.
    pub async fn ask(&mut self, probe: &ScanProbe) -> Result<Heard, Gone> {
        let mut attempts = 0;
        loop {
            let heard = self.once(probe).await?;
            let Err(Fault::Lost(why) | Fault::Broken(why)) = &heard.outcome else {
                return Ok(heard);
            };
            attempts += 1;
            if attempts > REOPENS {
                return Err(Gone(why.clone()));
            }
            match self {
                Prober::Own(line) => line.reopen().await.map_err(|why| Gone(why.en))?,
                Prober::Owner(_) => tokio::time::sleep(DOWN).await,
            }
        }
    }

    async fn once(&mut self, probe: &ScanProbe) -> Result<Heard, Gone> {
        let ScanProbe { line, patience, listen, ref ask } = *probe;
        match self {
            Prober::Own(own) => Ok(own.ask(line, ask, patience, listen).await),
            Prober::Owner(owner) => {
                let stopping = || Gone("the gateway is stopping".to_owned());
                let (reply, heard) = oneshot::channel();
                let ask = ask.clone();
                let request = BusRequest::Probe(Probe { line, ask, patience, listen, reply });
                owner.send(request).await.map_err(|_closed| stopping())?;
                heard.await.map_err(|_closed| stopping())
            }
        }
    }
}
