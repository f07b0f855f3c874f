//! Where commands and warnings of the platform go, and what became of them comes from.

use tokio::sync::{mpsc, oneshot};

use crate::broadcast::{BroadcastAnswer, BroadcastMessage};
use crate::model::CommandResult;

/// A message under `command/<id>`, as it came.
#[derive(Debug)]
pub struct CommandMessage {
    /// The last level of its topic.
    pub id: String,
    /// What it says.
    pub payload: Vec<u8>,
    /// The broker had kept it.
    pub retained: bool,
    /// Told when it is kept or refused: then the broker gets its acknowledgement. Dropped, the
    /// broker gets none.
    pub kept: oneshot::Sender<()>,
}

/// The uplink's end of the commands.
#[derive(Debug)]
pub struct CommandPort {
    /// To the desk; what does not fit is not acknowledged.
    pub messages: mpsc::Sender<CommandMessage>,
    /// From the desk, to be published.
    pub results: mpsc::Receiver<CommandResult>,
}

/// The uplink's end of the emergency broadcast.
#[derive(Debug)]
pub struct BroadcastPort {
    /// To the desk; what does not fit is not acknowledged.
    pub messages: mpsc::Sender<BroadcastMessage>,
    /// From the desk, to be published.
    pub answers: mpsc::Receiver<BroadcastAnswer>,
}
