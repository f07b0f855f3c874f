//! How a bus is reached.

use std::fmt;
use std::time::Duration;

use crate::model::BusId;
use crate::protocol::{cjt188, dlt645};
use crate::settings::{Fault, Section, Wrong};

/// Parity of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Parity {
    /// No parity bit.
    #[default]
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

/// How characters travel on a serial line; eight data bits always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineSettings {
    /// Bits per second.
    pub baud: u32,
    /// Parity.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

impl LineSettings {
    /// Bits of a character: start, eight data, parity, stop.
    pub fn char_bits(self) -> u32 {
        9 + u32::from(self.parity != Parity::None) + u32::from(self.stop_bits)
    }

    /// Time of `chars` characters.
    pub fn time_of(self, chars: usize) -> Duration {
        let bits = u64::from(self.char_bits()) * chars as u64;
        Duration::from_nanos(bits * 1_000_000_000 / u64::from(self.baud.max(1)))
    }

    /// Silence that a request to this device needs before it. For Modbus the end of a frame is a
    /// silence; a meter of the other protocols finds its frame behind anything, the last speaker
    /// only has to let go of the line.
    pub fn silence_before(self, device: BusAddress) -> Duration {
        match device {
            BusAddress::Unit(_) => self.frame_gap(),
            BusAddress::Dlt645(_) | BusAddress::Cjt188(_) => self.time_of(1),
        }
    }

    /// Silence that ends a Modbus frame: 3.5 characters of 11 bits, above 19,200 baud 1.75 ms
    /// (Modbus over Serial Line V1.02, section 2.5.1.1).
    pub fn frame_gap(self) -> Duration {
        const FIXED: Duration = Duration::from_micros(1750);
        let eleven = Duration::from_nanos(11_000_000_000 / u64::from(self.baud.max(1)));
        (eleven * 7 / 2).max(FIXED)
    }
}

impl fmt::Display for LineSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
        };
        write!(f, "{} 8{parity}{}", self.baud, self.stop_bits)
    }
}

/// What a bus runs over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// Modbus TCP: MBAP framing, many unit ids behind one endpoint.
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// Serial framing over a TCP connection: serial servers and 4G DTUs in transparent mode.
    RtuOverTcp {
        /// `host:port`.
        address: String,
    },
    /// A serial line of this machine.
    Serial {
        /// Device file, best one of `/dev/serial/by-path/`.
        path: String,
    },
}

impl Transport {
    /// Whether it is a port of this machine, which can be retuned.
    pub fn is_local(&self) -> bool {
        matches!(self, Transport::Serial { .. })
    }

    /// Whether it is a line of meters, where protocols and addresses mix.
    pub fn is_serial(&self) -> bool {
        !matches!(self, Transport::Tcp { .. })
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transport::Tcp { address } => write!(f, "tcp {address}"),
            Transport::RtuOverTcp { address } => write!(f, "rtu_over_tcp {address}"),
            Transport::Serial { path } => write!(f, "serial {path}"),
        }
    }
}

/// Where a device answers on its bus; tells its protocol too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BusAddress {
    /// Modbus unit id.
    Unit(u8),
    /// DL/T 645 address.
    Dlt645(dlt645::Address),
    /// CJ/T 188 address.
    Cjt188(cjt188::Address),
}

impl fmt::Display for BusAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BusAddress::Unit(unit) => write!(f, "#{unit}"),
            BusAddress::Dlt645(address) => address.fmt(f),
            BusAddress::Cjt188(address) => address.fmt(f),
        }
    }
}

/// What may be done to a device beside reading it, when the configuration allows it by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Trip the relay of an electricity meter: supply off.
    RelayTrip,
    /// Close it: supply on.
    RelayClose,
    /// Open the valve of a water, gas or heat meter.
    ValveOpen,
    /// Close it.
    ValveClose,
}

impl Act {
    /// All, with their words in the configuration.
    pub const WORDS: [(&'static str, Act); 4] = [
        ("relay_trip", Act::RelayTrip),
        ("relay_close", Act::RelayClose),
        ("valve_open", Act::ValveOpen),
        ("valve_close", Act::ValveClose),
    ];
}

/// Settings of one bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusConfig {
    /// Its name.
    pub id: BusId,
    /// What it runs over.
    pub transport: Transport,
    /// Baud rate of devices that set none; their models' own when `None`.
    pub baud: Option<u32>,
    /// Parity and stop bits of devices that set none; their models' own when `None`.
    pub frame: Option<(Parity, u8)>,
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
    /// How often the clocks of DL/T 645 meters are set by broadcast; never when `None`.
    pub time_sync: Option<Duration>,
    /// What the meters' clocks are ahead of UTC.
    pub meter_zone: Duration,
}

impl BusConfig {
    /// The defaults for a bus.
    pub fn new(id: BusId, transport: Transport) -> Self {
        Self {
            id,
            transport,
            baud: None,
            frame: None,
            timeout: None,
            retries: RETRIES,
            gap: Duration::ZERO,
            connect_timeout: CONNECT_TIMEOUT,
            probe_cap: PROBE_CAP,
            time_sync: None,
            meter_zone: CHINA,
        }
    }
}

const RETRIES: u8 = 1;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The meters of China show UTC+8.
const CHINA: Duration = Duration::from_secs(8 * 3600);
const PROBE_CAP: Duration = Duration::from_secs(300);
/// Baud rates that serial ports and meters know.
pub const BAUD: &[u32] =
    &[300, 600, 1200, 2400, 4800, 9600, 14_400, 19_200, 38_400, 57_600, 115_200, 230_400];
/// How a character is framed; eight data bits always, as all protocols of meters need them.
pub const FRAMES: &[(&str, (Parity, u8))] = &[
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
        let (baud, frame) = read_line(section);
        let span = |low, high| Duration::from_millis(low)..=Duration::from_millis(high);
        let timeout = section.duration("timeout", span(20, 60_000));
        let retries = section.integer_or("retries", 0..=5, RETRIES);
        let gap = section.duration_or("gap", span(0, 10_000), Duration::ZERO);
        let connect = section.duration_or("connect_timeout", span(100, 60_000), CONNECT_TIMEOUT);
        let probe_cap = section.duration_or("probe_cap", span(1000, 3_600_000), PROBE_CAP);
        let time_sync = section.duration("time_sync", span(3_600_000, 31 * 86_400_000));
        let meter_zone = section.duration_or("meter_zone", span(0, 14 * 3_600_000), CHINA);
        Some(Self {
            time_sync,
            meter_zone,
            timeout,
            retries,
            gap,
            connect_timeout: connect,
            probe_cap,
            baud,
            frame,
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
    if present == ["tcp"] {
        for key in ["baud", "frame"].into_iter().filter(|key| section.has(key)) {
            section.note(
                Fault::new(section.place(key), ("only a serial line has this", "只有串口才有此项"))
                    .hint(("remove it", "请删除")),
            );
        }
    }
    serial
        .map(|path| Transport::Serial { path })
        .or_else(|| tcp.map(|address| Transport::Tcp { address }))
        .or_else(|| rtu.map(|address| Transport::RtuOverTcp { address }))
}

/// Reads `baud` and `frame` of a bus or a device.
pub fn read_line(section: &mut Section<'_>) -> (Option<u32>, Option<(Parity, u8)>) {
    let baud = section.integer("baud", 300..=230_400);
    if let Some(given) = baud
        && !BAUD.contains(&given)
    {
        let rates: Vec<String> = BAUD.iter().map(u32::to_string).collect();
        section.note(
            Fault::new(section.place("baud"), ("is not a usual rate", "不是常用的波特率"))
                .allowed(rates.join(", ")),
        );
    }
    (baud, section.word("frame", FRAMES))
}
