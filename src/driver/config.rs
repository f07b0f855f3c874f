//! How a bus is reached.

use std::fmt;
use std::time::Duration;

use crate::model::BusId;
use crate::settings::{Fault, Section, Wrong};

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
            retries: RETRIES,
            gap: Duration::ZERO,
            connect_timeout: CONNECT_TIMEOUT,
            probe_cap: PROBE_CAP,
        }
    }
}

const RETRIES: u8 = 1;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const PROBE_CAP: Duration = Duration::from_secs(300);
/// Rates that serial ports know.
const BAUD: &[u32] = &[1200, 2400, 4800, 9600, 14_400, 19_200, 38_400, 57_600, 115_200, 230_400];
/// How a character is framed; eight data bits always, as RTU needs them.
const FRAMES: &[(&str, (Parity, u8))] = &[
    ("8N1", (Parity::None, 1)),
    ("8E1", (Parity::Even, 1)),
    ("8O1", (Parity::Odd, 1)),
    ("8N2", (Parity::None, 2)),
    ("8E2", (Parity::Even, 2)),
    ("8O2", (Parity::Odd, 2)),
];

impl BusConfig {
    /// Reads one section `[[bus]]`; what is wrong is noted there. `None` when it has no name or
    /// no line.
    pub fn read(section: &mut Section<'_>) -> Option<Self> {
        section.other_names(&[
            ("name", "id"),
            ("port", "serial"),
            ("device", "serial"),
            ("path", "serial"),
            ("host", "tcp"),
            ("address", "tcp"),
            ("baudrate", "baud"),
            ("baud_rate", "baud"),
            ("speed", "baud"),
            ("parity", "frame"),
            ("stop_bits", "frame"),
            ("data_bits", "frame"),
            ("delay", "gap"),
        ]);
        section.require("id", "a name, e.g. \"line-1\"");
        let id = section.parsed("id", "lower-case letters, digits, `.`, `_` and `-`", |text| {
            BusId::new(text).map_err(|_| Wrong::no_identifier())
        });
        let transport = read_transport(section);
        let span = |low, high| Duration::from_millis(low)..=Duration::from_millis(high);
        let timeout = section.duration("timeout", span(20, 60_000));
        let retries = section.integer_or("retries", 0..=5, RETRIES);
        let gap = section.duration_or("gap", span(0, 10_000), Duration::ZERO);
        let connect = section.duration_or("connect_timeout", span(100, 60_000), CONNECT_TIMEOUT);
        let probe_cap = section.duration_or("probe_cap", span(1000, 3_600_000), PROBE_CAP);
        Some(Self {
            timeout,
            retries,
            gap,
            connect_timeout: connect,
            probe_cap,
            id: id?,
            transport: transport?,
        })
    }
}

fn read_transport(section: &mut Section<'_>) -> Option<Transport> {
    let present: Vec<&str> =
        ["serial", "tcp", "rtu_over_tcp"].into_iter().filter(|key| section.has(key)).collect();
    let serial = section.text("serial");
    let tcp = section.endpoint("tcp", 502);
    let rtu = section.endpoint("rtu_over_tcp", 502);
    let baud = section.integer_or("baud", 1200..=230_400, 9600);
    let (parity, stop_bits) = section.word_or("frame", FRAMES, (Parity::None, 1));
    if !BAUD.contains(&baud) {
        let rates: Vec<String> = BAUD.iter().map(u32::to_string).collect();
        section.note(
            Fault::new(section.place("baud"), ("is not a usual rate", "不是常用的波特率"))
                .allowed(rates.join(", ")),
        );
    }
    let allowed = "one of `serial`, `tcp`, `rtu_over_tcp`";
    match present.as_slice() {
        [] => {
            let problem = ("has no line", "没有线路：须写 `serial`、`tcp`、`rtu_over_tcp` 之一");
            section.note(Fault::new(section.head(), problem).allowed(allowed));
        }
        [_] => {}
        [_, second, ..] => {
            let problem = ("is a second line", "是第二条线路，只能有一条");
            section.note(Fault::new(section.place(second), problem).allowed(allowed));
        }
    }
    if !present.is_empty() && !present.contains(&"serial") {
        for key in ["baud", "frame"].into_iter().filter(|key| section.has(key)) {
            section.note(
                Fault::new(section.place(key), ("only a serial line has this", "只有串口才有此项"))
                    .hint((
                        "remove it; a serial server is set on its own page",
                        "请删除；串口服务器在其自身的网页上设置",
                    )),
            );
        }
    }
    serial
        .map(|path| Transport::Serial { path, baud, parity, stop_bits })
        .or_else(|| tcp.map(|address| Transport::Tcp { address }))
        .or_else(|| rtu.map(|address| Transport::RtuOverTcp { address }))
}
