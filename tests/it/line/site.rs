//! A simulated line with the daemon's own bus on it, on a thread of its own; what the bus tells is
//! kept. Both end with the handle.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use linli::clock::{Clock, Config, Trust};
use linli::driver::bus::{Bus, BusDevice, BusRequest, LessonBook, Ports};
use linli::driver::record::FrameLog;
use linli::driver::{BusConfig, Transport};
use linli::model::{
    BusBudget, BusCounters, BusId, BusState, BusTable, Event, FieldMessage, Health, Moment, Value,
};
use linli::sim::line::{Line, Serving};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the bus told, by place of the device.
#[derive(Debug, Default)]
pub struct Told {
    pub batches: Vec<u64>,
    pub health: BTreeMap<usize, Health>,
    /// Good values by place of device and of point.
    pub values: BTreeMap<(usize, usize), Value>,
    pub events: Vec<Event>,
    good: u64,
}

/// A line that is served until this is dropped.
pub struct Served {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub fn start(serving: Serving) -> Self {
        Self::run(move |stop| async move { serving.run(stop).await.unwrap() })
    }

    fn run<F: Future<Output = ()>>(
        work: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) -> Self {
        let stop = CancellationToken::new();
        let told = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(work(told));
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the line or its bus broke");
        }
    }
}

/// A line and its bus.
pub struct Site {
    pub line: Line,
    pub table: BusTable,
    pub orders: mpsc::Sender<BusRequest>,
    told: Arc<Mutex<Told>>,
    leaps: mpsc::Sender<Duration>,
    clock: Arc<OnceLock<Clock>>,
    _served: Served,
}

impl Site {
    /// The line on a pseudo terminal, so that its settings are seen.
    pub fn start(line: Line, devices: Vec<BusDevice>, change: impl FnOnce(&mut BusConfig)) -> Self {
        let (path, serving) = line.open_pty(None).unwrap();
        Self::on(path, serving, line, devices, change)
    }

    /// The line is reached at `path`.
    pub fn on(
        path: PathBuf,
        serving: Serving,
        line: Line,
        devices: Vec<BusDevice>,
        change: impl FnOnce(&mut BusConfig),
    ) -> Self {
        let id = BusId::new("line").unwrap();
        let path = path.display().to_string();
        let mut config = BusConfig::new(id.clone(), Transport::Serial { path });
        change(&mut config);
        let table = table(&id, devices.len());
        let told =
            Arc::new(Mutex::new(Told { batches: vec![0; devices.len()], ..Told::default() }));
        let (orders, taken) = mpsc::channel(1);
        let (leaps, mut wanted) = mpsc::channel::<Duration>(1);
        let (shown, kept) = (table.clone(), Arc::clone(&told));
        let clock = Arc::new(OnceLock::new());
        let made = Arc::clone(&clock);
        let served = Served::run(move |stop| async move {
            let (out, mut messages) = mpsc::channel(1024);
            let (_requests, requests) = mpsc::channel(1);
            let trusted = Config { trust: Trust::System, ..Config::default() };
            let ports = Ports {
                table: shown,
                row: 0,
                clock: made.get_or_init(|| Clock::new(trusted)).clone(),
                out,
                requests,
                orders: taken,
                log: FrameLog::new(id, false),
                book: LessonBook::default(),
            };
            let bus = Bus::new(config, devices, ports);
            let listen = async {
                loop {
                    tokio::select! {
                        message = messages.recv() => match message {
                            Some(message) => lock(&kept).take(message),
                            None => return,
                        },
                        Some(span) = wanted.recv() => {
                            tokio::time::pause();
                            tokio::time::advance(span).await;
                            tokio::time::resume();
                        }
                    }
                }
            };
            // The line first: when the machine was busy elsewhere, what the bus sent must be heard
            // before the bus goes on and changes the settings.
            tokio::join!(
                biased;
                async { serving.run(stop.clone()).await.unwrap() },
                bus.run(stop.clone()),
                listen
            );
        });
        Self { line, table, orders, told, leaps, clock, _served: served }
    }

    /// The clock of the bus; there once a device was read.
    pub fn clock(&self) -> &Clock {
        self.clock.get().expect("the bus runs")
    }

    pub fn state(&self) -> BusState {
        self.table.all().remove(0)
    }

    pub fn told(&self) -> MutexGuard<'_, Told> {
        lock(&self.told)
    }

    /// Lets the clock of the bus, not that of the line, go forward at once.
    pub fn leap(&self, span: Duration) {
        self.leaps.blocking_send(span).unwrap();
    }

    /// Polls of every device so far.
    pub fn batches(&self) -> Vec<u64> {
        self.told().batches.clone()
    }

    /// Whether each device was read so many times more than `before`.
    pub fn all_read_since(&self, before: &[u64], times: u64) -> bool {
        self.batches().iter().zip(before).all(|(now, then)| *now >= then + times)
    }
}

impl Told {
    fn take(&mut self, message: FieldMessage) {
        match message {
            FieldMessage::Readings(batch) => {
                let slot = batch.device.slot();
                let good = batch.readings.iter().filter(|reading| reading.quality.is_good());
                let values = good.filter_map(|reading| {
                    Some(((slot, reading.point.slot()), reading.value.clone()?))
                });
                let before = self.good;
                for (place, value) in values {
                    self.good += 1;
                    self.values.insert(place, value);
                }
                self.batches[slot] += u64::from(self.good > before);
            }
            FieldMessage::Health(change) => {
                self.health.insert(change.device.slot(), change.health);
            }
            FieldMessage::Event(event) => self.events.push(event),
        }
    }

    pub fn offline(&self, slot: usize) -> bool {
        self.health.get(&slot) == Some(&Health::Offline)
    }
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap()
}

fn table(id: &BusId, devices: usize) -> BusTable {
    BusTable::new(vec![BusState {
        id: id.clone(),
        line: String::new(),
        devices,
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
