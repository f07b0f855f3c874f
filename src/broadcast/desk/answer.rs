//! What the sender of a message is told at once.

use serde::Serialize;

use super::entry::{Entry, Life};
use super::{Desk, Effect, Now};
use crate::broadcast::message::Ebd;
use crate::broadcast::message::ebd::{
    Answering, BroadcastState, RESOURCE_ID, ResultCode, response, state_response,
};
use crate::model::{ReceiptCounts, ReceiptState, WarningId, WarningRefusal};

/// What became of a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reply<'a> {
    Taken(Option<&'a WarningId>),
    Refused(WarningRefusal, Option<&'a WarningId>),
    State(&'a WarningId),
}

/// What came of a message, in our own form; an EBD is answered by an EBD.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WarningAnswer<'a> {
    /// Version of this form, 1.
    v: u32,
    /// The warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a WarningId>,
    /// `taken`, `refused`, or `state` for an answered question.
    result: &'static str,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<WarningRefusal>,
    /// How its terminals and screens stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<ReceiptCounts>,
}

fn state_of(entry: &Entry) -> BroadcastState {
    let terminals = || entry.shares.iter();
    let any = |state| terminals().any(|share| share.state() == state);
    match entry.life {
        Life::Cancelled => BroadcastState::Cancelled,
        _ if any(ReceiptState::Playing) || any(ReceiptState::Pausing) => BroadcastState::Playing,
        Life::Open => BroadcastState::Waiting,
        Life::Finished if any(ReceiptState::Finished) => BroadcastState::Played,
        Life::Finished => BroadcastState::Failed,
    }
}

impl Desk {
    pub(super) fn answer(&mut self, name: &str, ebd: Option<&Ebd>, reply: Reply<'_>, now: Now) {
        let text = match ebd {
            Some(ebd) => self.packet(ebd, reply, now),
            None => {
                let (result, id, reason) = match reply {
                    Reply::Taken(id) => ("taken", id, None),
                    Reply::Refused(reason, id) => ("refused", id, Some(reason)),
                    Reply::State(id) => ("state", Some(id), None),
                };
                let counts = id.and_then(|id| self.find(id)).and_then(|n| self.entries.get(&n));
                let counts = counts.map(Entry::counts);
                let form = WarningAnswer { v: 1, id, result, reason, counts };
                serde_json::to_string(&form).expect("texts and numbers are JSON")
            }
        };
        self.effects.push(Effect::Answer { name: name.to_owned(), text });
    }

    fn packet(&mut self, ebd: &Ebd, reply: Reply<'_>, now: Now) -> String {
        self.sequence += 1;
        self.touched(super::keep::Row::Meta);
        let nobody = "0".repeat(RESOURCE_ID);
        let source = self.setup.source.as_deref().unwrap_or(&nobody);
        let ours = Answering { source, sequence: self.sequence, now_ms: now.wall_ms };
        match reply {
            Reply::Taken(_) => response(&ours, ebd, ResultCode::Taken),
            Reply::Refused(reason, _) => response(&ours, ebd, ResultCode::Refused(reason)),
            Reply::State(id) => match self.find(id).and_then(|number| self.entries.get(&number)) {
                Some(entry) => state_response(&ours, ebd, id, state_of(entry), &entry.counts()),
                None => {
                    let unknown = ResultCode::Refused(WarningRefusal::UnknownReference);
                    response(&ours, ebd, unknown)
                }
            },
        }
    }
}
