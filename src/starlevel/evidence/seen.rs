//! What a look at the gateway's own parts tells.

use crate::model::{Epoch, Seq};

/// What the uplink and the buffer tell at one look.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GatewaySeen {
    /// The platform's broker holds a session with us.
    pub link_up: bool,
    /// Blocks acknowledged since start.
    pub acknowledged: u64,
    /// The buffer, where there is one.
    pub buffer: Option<BufferSeen>,
}

/// What the buffer tells at one look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BufferSeen {
    /// Its life.
    pub epoch: Epoch,
    /// Position of the next block.
    pub next: Seq,
    /// Oldest block that the platform does not have.
    pub oldest: Option<Seq>,
    /// Blocks stored.
    pub blocks: u64,
    /// Blocks evicted, damaged, or replaced by thinned ones since the buffer was created.
    pub lost: u64,
    /// Readings made durable since start.
    pub readings: u64,
    /// Hours of records that the whole budget holds at the present rate.
    pub capacity_hours: Option<f64>,
}
