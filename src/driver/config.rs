//! How a bus is reached.

use std::fmt;
use std::time::Duration;

use crate::model::BusId;

/// Parity of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parity {
    /// No parity bit.
    #[default]
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// What a bus runs over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// Modbus TCP: MBAP framing, many unit ids behind one endpoint.
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// RTU framing over a TCP connection: serial servers and 4G DTUs.
    RtuOverTcp {
        /// `host:port`.
        address: String,
    },
    /// RTU on a serial line.
    Serial {
        /// Device file, best one of `/dev/serial/by-path/`.
        path: String,
        /// Bits per second.
        baud: u32,
        /// Parity.
        parity: Parity,
        /// 1 or 2.
        stop_bits: u8,
    },
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transport::Tcp { address } => write!(f, "tcp {address}"),
            Transport::RtuOverTcp { address } => write!(f, "rtu_over_tcp {address}"),
            Transport::Serial { path, baud, parity, stop_bits } => {
                let parity = match parity {
                    Parity::None => 'N',
                    Parity::Even => 'E',
                    Parity::Odd => 'O',
                };
                write!(f, "serial {path} {baud} 8{parity}{stop_bits}")
            }
        }
    }
}

/// Settings of one bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusConfig {
    /// Its name.
    pub id: BusId,
    /// What it runs over.
    pub transport: Transport,
    /// Longest time to an answer; the models' own when `None`.
    pub timeout: Option<Duration>,
    /// Further attempts after a request without an answer, 0..=5.
    pub retries: u8,
    /// Least silence between two frames, beside what the models and the line need.
    pub gap: Duration,
    /// Longest time to open the connection.
    pub connect_timeout: Duration,
    /// Longest interval between two probes of a device that does not answer.
    pub probe_cap: Duration,
}

impl BusConfig {
    /// The defaults for a bus.
    pub fn new(id: BusId, transport: Transport) -> Self {
        Self {
            id,
            transport,
            timeout: None,
            retries: 1,
            gap: Duration::ZERO,
            connect_timeout: Duration::from_secs(5),
            probe_cap: Duration::from_secs(300),
        }
    }
}
