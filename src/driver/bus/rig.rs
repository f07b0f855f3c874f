//! A bus with a fake line, and what a test needs to look at it.

use std::sync::{Arc, Mutex};

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::errands::BusRequest;
use super::fake::{Fake, Mode, State};
use super::lessons::LessonBook;
use super::open::describe;
use super::owner::{Bus, Ports};
use super::unit::BusDevice;
use crate::clock::{Clock, Config as ClockConfig};
use crate::driver::record::FrameLog;
use crate::driver::{BusAddress, BusConfig, LineSettings, Parity, Transport};
use crate::model::{
    Batch, BusBudget, BusCounters, BusId, BusState, BusTable, Category, DeviceId, DeviceIndex,
    FieldMessage, FieldRequest, HealthChange, Moment, Quality, Reason, Value, Words,
};
use crate::profile::{
    Binding, Encoding, Limits, Profile, RegisterSource, Scale, SerialDefaults, Table, WordOrder,
};

pub(super) const MS: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) fn source(table: Table, address: u16) -> RegisterSource {
    RegisterSource {
        table,
        address,
        encoding: if table.is_bits() { Encoding::Bit } else { Encoding::Unsigned(1) },
        order: WordOrder::Abcd,
        scale: Scale::default(),
        unavailable: Vec::new(),
        codes: Vec::new(),
        flag: table.is_bits(),
        decimals: 0,
    }
}

pub(super) fn profile(places: &[(Table, u16, Option<Duration>)], limits: Limits) -> Arc<Profile> {
    Arc::new(Profile {
        id: "fake".into(),
        binding: Binding::Modbus {
            serial: SerialDefaults { baud: 9600, frame: *b"8N1" },
            unit: None,
            limits,
            sources: places.iter().map(|&(table, address, _)| source(table, address)).collect(),
        },
        points: Arc::new([]),
        periods: places.iter().map(|place| place.2).collect(),
        ..Profile::bare(Category::ElectricityMeter)
    })
}

pub(super) fn holding(addresses: &[u16]) -> Arc<Profile> {
    let places: Vec<_> = addresses.iter().map(|&at| (Table::Holding, at, None)).collect();
    profile(&places, Limits { timeout: SECOND, ..Limits::default() })
}

pub(super) fn device(slot: u32, unit: u8, profile: &Arc<Profile>) -> BusDevice {
    let id = DeviceId::new(&format!("meter-{slot}")).unwrap();
    BusDevice {
        index: DeviceIndex(slot),
        title: id.to_string(),
        id,
        address: BusAddress::Unit(unit),
        line: LINE,
        profile: Arc::clone(profile),
        params: Vec::new(),
        period: SECOND,
        allow: Vec::new(),
    }
}

/// Fast, so that the time on the wire is short beside the others.
pub(super) const LINE: LineSettings =
    LineSettings { baud: 230_400, parity: Parity::None, stop_bits: 1 };

/// What a test holds of a bus.
pub(super) struct Bench {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) out: mpsc::Receiver<FieldMessage>,
    pub(super) requests: mpsc::Sender<FieldRequest>,
    pub(super) orders: mpsc::Sender<BusRequest>,
    pub(super) table: BusTable,
}

impl Bench {
    pub(super) fn mode(&self, unit: u8, mode: Mode) {
        self.state.lock().unwrap().modes.insert(unit, mode);
    }

    pub(super) fn counters(&self) -> BusCounters {
        self.table.all()[0].counters.clone()
    }

    pub(super) async fn message(&mut self) -> FieldMessage {
        self.out.recv().await.expect("the bus runs")
    }

    pub(super) async fn batch(&mut self) -> Batch {
        loop {
            if let FieldMessage::Readings(batch) = self.message().await {
                return batch;
            }
        }
    }

    pub(super) async fn health(&mut self) -> HealthChange {
        loop {
            if let FieldMessage::Health(change) = self.message().await {
                return change;
            }
        }
    }

    /// Takes everything that comes within `span`.
    pub(super) async fn during(&mut self, span: Duration) -> (Vec<Batch>, Vec<HealthChange>) {
        let end = Instant::now() + span;
        let (mut batches, mut changes) = (Vec::new(), Vec::new());
        while let Ok(message) = tokio::time::timeout_at(end, self.message()).await {
            match message {
                FieldMessage::Readings(batch) => batches.push(batch),
                FieldMessage::Health(change) => changes.push(change),
                FieldMessage::Event(_) => {}
            }
        }
        (batches, changes)
    }
}

pub(super) fn bus_table() -> BusTable {
    BusTable::new(vec![BusState {
        id: BusId::new("line-1").unwrap(),
        line: String::new(),
        devices: 0,
        open: false,
        fault: None,
        since: Moment::default(),
        load: 0.0,
        counters: BusCounters::default(),
        planned: BusBudget::default(),
        measured: None,
        units: Vec::new(),
        findings: Vec::new(),
    }])
}

pub(super) fn tcp() -> Transport {
    Transport::Tcp { address: "fake:502".into() }
}

pub(super) fn rtu() -> Transport {
    Transport::RtuOverTcp { address: "fake:502".into() }
}

/// Runs a bus against a fake line, and the test beside it.
pub(super) async fn with_bus<F>(transport: Transport, devices: Vec<BusDevice>, test: F)
where
    F: AsyncFnOnce(&mut Bench),
{
    with_bus_in(Mode::Answers, transport, devices, test).await;
}

/// The same, with unit 1 in a mode from the first request on.
pub(super) async fn with_bus_in<F>(
    mode: Mode,
    transport: Transport,
    devices: Vec<BusDevice>,
    test: F,
) where
    F: AsyncFnOnce(&mut Bench),
{
    with_bus_of(LessonBook::default(), mode, transport, devices, test).await;
}

/// The same, with what is known about the models.
pub(super) async fn with_bus_of<F>(
    book: LessonBook,
    mode: Mode,
    transport: Transport,
    devices: Vec<BusDevice>,
    test: F,
) where
    F: AsyncFnOnce(&mut Bench),
{
    let framing = describe(&transport, Box::new(tokio::io::duplex(1).0)).framing;
    let (fake, lines) = Fake::new(framing);
    fake.state.lock().unwrap().delay = 10 * MS;
    fake.state.lock().unwrap().modes.insert(1, mode);
    let (out, messages) = mpsc::channel(16);
    let (requests, asked) = mpsc::channel(16);
    let (orders, ordered) = mpsc::channel(4);
    let table = bus_table();
    let config = BusConfig::new(BusId::new("line-1").unwrap(), transport.clone());
    let mut bus = Bus::new(config, devices, ports(&table, out, asked, ordered, book));
    let state = Arc::clone(&fake.state);
    bus.open = Box::new(move || {
        let (ours, theirs) = tokio::io::duplex(1024);
        let closed = {
            let mut state = state.lock().unwrap();
            state.opens += 1;
            state.closed
        };
        let (lines, transport) = (lines.clone(), transport.clone());
        Box::pin(async move {
            if closed {
                return Err(("connection refused", "连接被拒绝").into());
            }
            lines.send(theirs).await.map_err(|_gone| Words::from(("no fake", "无")))?;
            Ok(describe(&transport, Box::new(ours)))
        })
    });
    let stop = CancellationToken::new();
    let state = Arc::clone(&fake.state);
    let mut bench = Bench { state, out: messages, requests, orders, table };
    tokio::select! {
        () = bus.run(stop) => panic!("the bus ended"),
        () = fake.run() => {}
        () = test(&mut bench) => {}
    }
}

pub(super) fn numbers(batch: &Batch) -> Vec<f64> {
    batch.readings.iter().filter_map(|r| r.value.as_ref().and_then(Value::number)).collect()
}

pub(super) fn all_bad(batch: &Batch, reason: Reason) -> bool {
    batch.readings.iter().all(|r| r.quality == Quality::Bad(reason) && r.value.is_none())
}

/// What a bus is connected with, in a test.
pub(super) fn ports(
    table: &BusTable,
    out: mpsc::Sender<FieldMessage>,
    requests: mpsc::Receiver<FieldRequest>,
    orders: mpsc::Receiver<BusRequest>,
    book: LessonBook,
) -> Ports {
    Ports {
        table: table.clone(),
        row: 0,
        clock: Clock::new(ClockConfig::default()),
        out,
        requests,
        orders,
        log: FrameLog::new(BusId::new("line-1").unwrap(), false),
        book,
    }
}
