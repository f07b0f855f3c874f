//! What the core is told, and what follows from it.

use super::hold::HoldKey;
use super::target::What;
use crate::model::{
    CommandId, CommandReport, CommandRequest, DeviceIndex, Moment, PointIndex, Words,
};
use crate::store::Changes;

/// The time of an input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub at: Moment,
    /// By the best knowledge.
    pub wall_ms: i64,
    /// Whether that can be relied on.
    pub trusted: bool,
}

/// What is written to a device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Work {
    /// A command.
    Order(CommandId),
    /// An order that holds, once more.
    Repeat(HoldKey),
}

/// A write that may begin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Write {
    pub work: Work,
    pub device: DeviceIndex,
    pub what: What,
    /// Not to be begun after this.
    pub deadline: Moment,
    /// Who ordered.
    pub by: String,
    /// To be read again at once.
    pub read_back: Option<PointIndex>,
}

/// Why a write was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WriteFault {
    /// Its time was over before it could begin.
    Expired,
    /// The device, or the way to it, is not there; nothing was sent.
    Offline,
    /// It was refused, and why.
    Refused(Words),
    /// It was sent, and no answer came.
    Unknown,
}

/// Something that happened.
#[derive(Debug)]
pub(super) enum Input {
    /// Somebody orders; `ticket` is where the answer goes.
    Order { ticket: u64, request: CommandRequest },
    /// A message of the platform's broker under `command/<id>`.
    Message { ticket: u64, id: String, payload: Vec<u8>, retained: bool },
    /// A write ended.
    Written { work: Work, result: Result<(), WriteFault> },
    /// What was accepted could not be kept.
    NotKept { accepted: Vec<CommandId> },
    /// The link to the platform is up or down.
    Link { up: bool },
    /// Time went on.
    Tick,
    /// The gateway stops: what only waits for a point comes to its end.
    Stop,
}

/// An outcome that is told to everybody: as an event, in the trail, to the platform.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub device: String,
    pub report: CommandReport,
    /// It is the end of what was accepted before.
    pub late: bool,
    /// Anybody who reaches the broker can cause it: the trail and the events are spared.
    pub spared: bool,
}

/// What follows, in this order.
#[derive(Default)]
pub(super) struct Effects {
    /// To be applied first.
    pub changes: Changes,
    /// The changes must be durable before anything else happens.
    pub commit: bool,
    /// Commands that these changes keep.
    pub accepted: Vec<CommandId>,
    /// Answers to those who ordered; `None` for what has no identifier to answer to.
    pub answers: Vec<(u64, Option<Told>)>,
    pub told: Vec<Told>,
    pub writes: Vec<Write>,
    /// To be read again.
    pub again: Vec<(DeviceIndex, PointIndex)>,
}

impl Effects {
    /// Both, one after the other: for one commit of several inputs.
    pub fn merge(&mut self, mut other: Effects, apply: impl FnOnce(Changes)) {
        apply(std::mem::take(&mut other.changes));
        self.commit |= other.commit;
        self.accepted.append(&mut other.accepted);
        self.answers.append(&mut other.answers);
        self.told.append(&mut other.told);
        self.writes.append(&mut other.writes);
        self.again.append(&mut other.again);
    }
}
