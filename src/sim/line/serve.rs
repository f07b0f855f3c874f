//! A line with its slaves, and the thread that serves it: the timers of the runtime tick in
//! milliseconds, a character at 9600 baud takes one.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::engine::{Engine, Foreign};
use super::port::{Port, Woken, rest};
use super::replay::Replay;
use super::station::{Kind, Station};
use super::{Cjt188Meter, Dlt645Meter, Fault, Log, Slave};
use crate::driver::record::Recording;
use crate::driver::{BusAddress, LineSettings, Parity};
use crate::sim::Device;

/// Longest sleep: an order to stop or to misbehave is seen after it.
const LOOK: Duration = Duration::from_millis(20);

/// Puts a line together.
#[derive(Debug)]
pub struct LineBuilder {
    slaves: Vec<Slave>,
    line: LineSettings,
    seed: u64,
    echo: bool,
}

impl LineBuilder {
    /// Puts a slave on the line. Two of one address are a fault of the site, and answer both.
    #[must_use]
    pub fn slave(mut self, slave: Slave) -> Self {
        self.slaves.push(slave);
        self
    }

    /// The settings of a serial server's line, and those assumed behind a device file while nobody
    /// was asked; 9600 8N1 when not said. A pseudo terminal shows its own.
    #[must_use]
    pub fn settings(mut self, line: LineSettings) -> Self {
        self.line = line;
        self
    }

    /// The adapter hears what it sends.
    #[must_use]
    pub fn echo(mut self) -> Self {
        self.echo = true;
        self
    }

    /// Chance of noise; the same number plays the same day.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The line, not yet reachable.
    pub fn build(self) -> Line {
        let stations = self.slaves.into_iter().map(Station::from).collect();
        let mut engine = Engine::new(stations, self.line, self.seed);
        engine.echo = self.echo;
        Line { engine: Arc::new(Mutex::new(engine)), settings: Some(self.line) }
    }
}

/// One line; clones are handles on the same.
#[derive(Debug, Clone)]
pub struct Line {
    engine: Arc<Mutex<Engine>>,
    settings: Option<LineSettings>,
}

impl Line {
    /// An empty line.
    pub fn builder() -> LineBuilder {
        let line = LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };
        LineBuilder { slaves: Vec::new(), line, seed: 1, echo: false }
    }

    /// A recorded line again: each recorded request is answered with the recorded bytes after the
    /// recorded time, the same request again with the next recorded answer, cyclically. What was
    /// not recorded gets silence. Numbers that only count requests (Modbus TCP, CJ/T 188) may
    /// differ; the answers follow them.
    pub fn replay(recording: &Recording) -> Self {
        let line = Self::builder().build();
        {
            let mut engine = line.lock();
            let said = recording.frames.iter().find_map(|frame| frame.line);
            engine.assumed = said.unwrap_or(engine.assumed);
            engine.replay = Some(Replay::new(recording, engine.assumed));
        }
        Self { settings: None, ..line }
    }

    /// Opens a pseudo terminal; the path is `link` when one is given, else that of the system. A
    /// slave understands only what is sent with its own settings.
    ///
    /// # Errors
    /// The system's: no pseudo terminal left, or the link cannot be made.
    pub fn open_pty(&self, link: Option<&Path>) -> io::Result<(PathBuf, Serving)> {
        let (port, path) = Port::pty(link)?;
        Ok((path, self.serving(port)))
    }

    /// Takes one end of a pair that somebody else made (`socat`). What the master tunes its end to
    /// cannot be seen: every slave understands, and the pace is that of whoever is asked.
    ///
    /// # Errors
    /// The system's: no such file, not permitted, no terminal.
    pub fn open_device(&self, path: &Path) -> io::Result<Serving> {
        Ok(self.serving(Port::device(path)?))
    }

    /// Listens as a serial server in transparent mode; one master at a time, the newest. Its line
    /// has the settings of the builder.
    ///
    /// # Errors
    /// The system's, e.g. the port is taken.
    pub fn listen(&self, address: &str) -> io::Result<(SocketAddr, Serving)> {
        let (port, bound) = Port::tcp(address, self.settings)?;
        Ok((bound, self.serving(port)))
    }

    fn serving(&self, port: Port) -> Serving {
        Serving { engine: Arc::clone(&self.engine), port }
    }

    /// The slaves of an address; `None` when there is none.
    pub fn handle(&self, address: BusAddress) -> Option<Handle> {
        let handle = Handle { engine: Arc::clone(&self.engine), address };
        let there = handle.all(|station| station.requests).is_some();
        there.then_some(handle)
    }

    /// The addresses of all slaves, in the order of the builder.
    pub fn addresses(&self) -> Vec<BusAddress> {
        self.lock().stations.iter().map(Station::address).collect()
    }

    /// Puts a further slave on the line.
    pub fn add(&self, slave: Slave) {
        self.lock().stations.push(slave.into());
    }

    /// Whether the adapter hears what it sends.
    pub fn set_echo(&self, echo: bool) {
        self.lock().echo = echo;
    }

    /// Another master on the line, or none any more.
    pub fn set_foreign(&self, foreign: Option<Foreign>) {
        self.lock().set_foreign(Instant::now(), foreign);
    }

    /// What happened so far.
    pub fn log(&self) -> Log {
        self.lock().log.clone()
    }

    /// Forgets what happened so far.
    pub fn clear_log(&self) {
        self.lock().log.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Engine> {
        lock(&self.engine)
    }
}

fn lock(engine: &Mutex<Engine>) -> MutexGuard<'_, Engine> {
    match engine.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}

/// The slaves of one address.
#[derive(Debug, Clone)]
pub struct Handle {
    engine: Arc<Mutex<Engine>>,
    address: BusAddress,
}

impl Handle {
    /// This is wrong from now on, and nothing else.
    pub fn fault(&self, fault: Fault) {
        self.all(|station| station.set_faults(vec![fault]));
    }

    /// This is wrong too.
    pub fn add_fault(&self, fault: Fault) {
        self.all(|station| station.add_fault(fault));
    }

    /// Nothing is wrong any more.
    pub fn mend(&self) {
        self.all(|station| station.set_faults(Vec::new()));
    }

    /// Changes the time to an answer.
    pub fn set_delay(&self, delay: Duration) {
        self.all(|station| station.set_delay(delay));
    }

    /// Requests that reached it.
    pub fn requests(&self) -> u64 {
        self.all(|station| station.requests).unwrap_or(0)
    }

    /// Answers that it sent, whole or not.
    pub fn answers(&self) -> u64 {
        self.all(|station| station.answers).unwrap_or(0)
    }

    /// Looks into an electricity meter, or changes it; `None` when it is none.
    pub fn with_dlt645<R>(&self, mut work: impl FnMut(&mut Dlt645Meter) -> R) -> Option<R> {
        self.all(|station| match &mut station.kind {
            Kind::Dlt645(meter) => Some(work(meter)),
            _ => None,
        })?
    }

    /// Looks into a water, gas or heat meter, or changes it; `None` when it is none.
    pub fn with_cjt188<R>(&self, mut work: impl FnMut(&mut Cjt188Meter) -> R) -> Option<R> {
        self.all(|station| match &mut station.kind {
            Kind::Cjt188(meter) => Some(work(meter)),
            _ => None,
        })?
    }

    /// Takes over the present values of a device of a profile. Returns how many did not fit.
    pub fn refresh(&self, device: &Device) -> usize {
        self.all(|station| station.kind.refresh(device)).unwrap_or(0)
    }

    /// Tells the device what was ordered over the line since the last time.
    pub fn settle(&self, device: &mut Device) {
        self.all(|station| {
            if let Kind::Modbus(_, unit) = &station.kind {
                unit.settle(device);
            }
        });
    }

    /// Works on all slaves of the address; what the first says.
    fn all<R>(&self, mut work: impl FnMut(&mut Station) -> R) -> Option<R> {
        let mut engine = lock(&self.engine);
        let mut first = None;
        let address = self.address;
        for station in engine.stations.iter_mut().filter(|station| station.address() == address) {
            let said = work(station);
            first.get_or_insert(said);
        }
        first
    }
}

/// A line that can be reached, and is not yet served.
#[derive(Debug)]
pub struct Serving {
    engine: Arc<Mutex<Engine>>,
    port: Port,
}

/// Tells the thread to end when the future is dropped.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Serving {
    /// Serves until `stop`, or until the future is dropped. It has a thread of its own, which ends
    /// within some 20 ms after that, and real time.
    ///
    /// # Errors
    /// The port is gone, or there is no thread to be had.
    pub async fn run(self, stop: CancellationToken) -> io::Result<()> {
        let told = Stop(Arc::new(AtomicBool::new(false)));
        let ends = Arc::clone(&told.0);
        let (done, mut ended) = oneshot::channel();
        std::thread::Builder::new().name("line".to_owned()).spawn(move || {
            if done.send(serve(&self.engine, self.port, &ends)).is_err() {
                tracing::trace!("nobody waits for the end of a simulated line");
            }
        })?;
        let said = tokio::select! {
            said = &mut ended => said,
            () = stop.cancelled() => {
                drop(told);
                ended.await
            }
        };
        said.unwrap_or_else(|_panicked| Err(io::Error::other("the thread of the line panicked")))
    }
}

fn serve(engine: &Mutex<Engine>, mut port: Port, stop: &AtomicBool) -> io::Result<()> {
    let (mut heard, mut out) = (Vec::with_capacity(1024), Vec::with_capacity(1024));
    while !stop.load(Ordering::Relaxed) {
        let next = lock(engine).next();
        let limit = next.map_or(LOOK, |next| next.saturating_duration_since(Instant::now()));
        let woken = port.wait(limit.min(LOOK))?;
        let mut open = woken != Woken::Closed;
        if woken == Woken::Bytes {
            heard.clear();
            open = port.read(&mut heard)?;
        }
        // The settings as they are when the bytes come: a master tunes before it sends.
        let tuning = port.tuning();
        let now = Instant::now();
        {
            let mut engine = lock(engine);
            if woken == Woken::Bytes {
                engine.hear(now, &heard, tuning);
            }
            out.clear();
            engine.advance(now, tuning, &mut out);
            if !open {
                engine.hang_up();
            }
        }
        if open && !out.is_empty() {
            port.write(&out)?;
        }
        if !open {
            rest(LOOK);
        }
    }
    Ok(())
}
