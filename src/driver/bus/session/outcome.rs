//! How long an answer is waited for, and what came of it.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, Fault, GUARD, Manners, Session};
use crate::driver::bus::ask::Ask;
use crate::driver::bus::open::Framing;

impl Session {
    /// Longest time to the end of the answer.
    pub(super) fn limit(&self, manners: &Manners, ask: &Ask) -> Duration {
        let chars = ask.request_chars() + ask.answer_chars();
        let on_wire = match self.framing {
            Framing::Mbap => Duration::ZERO,
            Framing::Serial => manners.line.time_of(chars),
        };
        manners.timeout + on_wire
    }

    /// A line behind a network, on which nothing tells an answer from a late one.
    pub(super) fn is_remote(&self) -> bool {
        self.framing == Framing::Serial && !self.local
    }

    /// Looks twice at an answer over a slow link that may be that to an older request.
    pub(super) fn belongs(
        &mut self,
        manners: &Manners,
        ask: &Ask,
        outcome: Result<Answer, Fault>,
        (sent, now): (Instant, Instant),
    ) -> (Result<Answer, Fault>, Option<Instant>) {
        let answer = match &outcome {
            Ok(answer) if self.is_remote() => answer,
            _ => return (outcome, None),
        };
        self.wire.take_late(&mut self.doubts, ask.address());
        let Some(doubt) = self.doubts.about(ask, answer, sent) else {
            return (outcome, None);
        };
        let until = now + doubt.span;
        self.wire.expect_late(manners.address, now, until);
        (if doubt.same { outcome } else { Err(Fault::Damaged) }, Some(until))
    }

    pub(super) fn given_up(
        &self,
        manners: &Manners,
        now: Instant,
    ) -> (Result<Answer, Fault>, Option<Instant>) {
        let guard = match self.framing {
            // The transaction id tells a late reply.
            Framing::Mbap => Duration::ZERO,
            Framing::Serial => manners.timeout.clamp(GUARD.0, GUARD.1),
        };
        self.wire.abandon(manners.address, now, now + guard);
        let fault = match self.wire.broken() {
            Some(why) => Fault::Broken(why),
            None if self.wire.foreign() => Fault::Foreign,
            None if self.wire.spoke() => Fault::Damaged,
            None => Fault::Silent,
        };
        (Err(fault), (!guard.is_zero()).then(|| now + guard))
    }

    pub(super) fn judge(&self, error: &tokio_modbus::Error) -> Fault {
        match (self.wire.broken(), error) {
            (Some(why), _) => Fault::Broken(why),
            (None, tokio_modbus::Error::Transport(error))
                if error.kind() == io::ErrorKind::NotConnected =>
            {
                Fault::Broken(error.to_string())
            }
            (None, _) => Fault::Damaged,
        }
    }
}

/// A port that refuses these settings may well take others; what else it says means that it is gone.
pub(super) fn untuned(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => Fault::Unset(error.to_string()),
        _ => Fault::Lost(error.to_string()),
    }
}
