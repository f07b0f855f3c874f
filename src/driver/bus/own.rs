//! A line that is opened for asking alone, without devices and polls: for the scan.

use std::time::Duration;

use super::ask::Ask;
use super::errands::{Heard, stranger};
use super::open::open;
use super::session::Session;
use crate::clock::{self, Clock};
use crate::driver::record::FrameLog;
use crate::driver::{LineSettings, Transport};
use crate::model::{BusId, Words};

/// A line of one's own; a serial port is held exclusively.
#[derive(Debug)]
pub struct OwnLine {
    session: Session,
    transport: Transport,
    line: LineSettings,
    limit: Duration,
}

impl OwnLine {
    /// Opens it; connections within `limit`.
    ///
    /// # Errors
    /// The system's words: no such port, in use by another program, refused.
    pub async fn open(
        transport: Transport,
        line: LineSettings,
        limit: Duration,
    ) -> Result<Self, Words> {
        let session = session(&transport, line, limit).await?;
        Ok(Self { session, transport, line, limit })
    }

    /// Opens it again after it broke.
    ///
    /// # Errors
    /// As [`OwnLine::open`].
    pub async fn reopen(&mut self) -> Result<(), Words> {
        self.session = session(&self.transport, self.line, self.limit).await?;
        Ok(())
    }

    /// Asks once. When something came, the line is listened to for `listen` more.
    pub async fn ask(
        &mut self,
        line: LineSettings,
        ask: &Ask,
        patience: Duration,
        listen: Duration,
    ) -> Heard {
        let exchange = self.session.exchange(&stranger(ask, line, patience), ask).await;
        let rest = self.session.listen(listen).await;
        self.session.heard(|bytes| Heard {
            outcome: exchange.outcome,
            bytes: [bytes, &rest].concat(),
            answer_time: exchange.answer_time,
        })
    }
}

async fn session(
    transport: &Transport,
    line: LineSettings,
    limit: Duration,
) -> Result<Session, Words> {
    let opened = open(transport, line, limit).await?;
    let name = BusId::new("scan").expect("a plain word");
    let log = FrameLog::new(name, !transport.is_serial());
    Ok(Session::new(opened, Duration::ZERO, log, Clock::new(clock::Config::default())))
}
