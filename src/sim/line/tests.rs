//! Lines as a master sees them.

mod faults;
mod meters;
mod pace;

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};
use tokio_serial::{SerialPortBuilderExt as _, SerialStream};
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::*;
use crate::driver::{BusAddress, LineSettings, Parity};
use crate::profile::Table;
use crate::protocol::dlt645;
use crate::sim::{RegisterImage, Unit};

const MS: Duration = Duration::from_millis(1);

const fn line(baud: u32, parity: Parity) -> LineSettings {
    LineSettings { baud, parity, stop_bits: 1 }
}

const FAST: LineSettings = line(9600, Parity::None);
const METER: LineSettings = line(2400, Parity::Even);

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks_exact(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn unit() -> Unit {
    let words: Vec<u16> = (100..150).collect();
    Unit::new(RegisterImage::of(&[(Table::Holding, 0, &words)]))
}

/// Unit 1, registers 0 to 9.
const ASK_UNIT: [u8; 8] = [1, 3, 0, 0, 0, 10, 0xC5, 0xCD];

fn meter(address: &str) -> Dlt645Meter {
    Dlt645Meter::new(dlt645::Edition::V2007, address.parse().unwrap())
        .with_numbers(0x0001_0000, &[Some(1234.56)])
        .unwrap()
}

fn ask_meter(address: &str) -> Vec<u8> {
    let id = dlt645::DataId(0x0001_0000);
    dlt645::read(dlt645::Edition::V2007, address.parse().unwrap(), id).to_bytes()
}

/// An engine with a clock of its own.
struct Bench {
    engine: Engine,
    begin: Instant,
    now: Instant,
    tuning: Tuning,
}

impl Bench {
    fn new(slaves: Vec<Slave>, tuning: Tuning) -> Self {
        let stations = slaves.into_iter().map(Into::into).collect();
        let now = Instant::now();
        Self { engine: Engine::new(stations, FAST, 1), begin: now, now, tuning }
    }

    /// Sends, and collects what comes within `patience`, with the time of the last byte.
    fn ask(&mut self, request: &[u8], patience: Duration) -> (Vec<u8>, Instant) {
        self.engine.hear(self.now, request, self.tuning);
        self.listen(patience)
    }

    fn listen(&mut self, patience: Duration) -> (Vec<u8>, Instant) {
        let (until, mut out, mut last) = (self.now + patience, Vec::new(), self.now);
        while let Some(next) = self.engine.next().filter(|next| *next <= until) {
            let before = out.len();
            self.now = next.max(self.now);
            self.engine.advance(self.now, self.tuning, &mut out);
            if out.len() > before {
                last = self.now;
            }
        }
        self.now = until;
        (out, last)
    }
}

/// Opens a path as the daemon does.
fn open(path: &PathBuf, line: LineSettings) -> SerialStream {
    let parity = match line.parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    tokio_serial::new(path.to_str().unwrap(), line.baud).parity(parity).open_native_async().unwrap()
}

/// All that comes until nothing comes for `silence`.
async fn hear(master: &mut (impl tokio::io::AsyncRead + Unpin), silence: Duration) -> Vec<u8> {
    let (mut all, mut chunk) = (Vec::new(), [0; 512]);
    while let Ok(Ok(count)) = timeout(silence, master.read(&mut chunk)).await {
        all.extend(&chunk[..count]);
    }
    all
}
