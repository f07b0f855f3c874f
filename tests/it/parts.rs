//! Real parts for the tests: brokers, peers, serial pairs, the daemon, the receiver. Each ends
//! with the test that started it.

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use linli::model::{
    Category, Device, DeviceId, Estate, EstateKind, GatewayId, Moment, Point, Quantity, Snapshot,
    Unit, WallTime,
};
use linli::starlevel::{Engine, EvidenceChain, GatewaySeen, RulePack};
use linli::store::{Limits, Store};

/// Longest wait for anything; a machine may be slow, a test that hangs is worse. An emulated
/// processor is slower still.
fn patience() -> Duration {
    Duration::from_secs(if emulated() { 240 } else { 60 })
}

/// The program that is tested: cargo's own, or the one that `LINLI_TEST_BINARY` names. `tests/arm`
/// names one that was built for the processor of a box, and runs under an emulator.
pub fn program() -> PathBuf {
    given("LINLI_TEST_BINARY").unwrap_or_else(native)
}

/// The program of the machine that the tests run on.
pub fn native() -> PathBuf {
    env!("CARGO_BIN_EXE_linli").into()
}

/// The platform's side, chosen likewise by `LINLI_TEST_RECEIVER`.
pub fn receiver_program() -> PathBuf {
    given("LINLI_TEST_RECEIVER").unwrap_or_else(|| env!("CARGO_BIN_EXE_linli-receiver").into())
}

/// Whether the program runs under an emulator: its memory is the emulator's as well then.
pub fn emulated() -> bool {
    std::env::var_os("LINLI_TEST_EMULATED").is_some()
}

fn given(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

/// A process that ends with its handle.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to end, and waits.
    pub fn terminate(mut self) -> i32 {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        wait_until("the process ends", || self.0.try_wait().unwrap().is_some());
        self.0.wait().unwrap().code().unwrap_or(-1)
    }

    /// Its standard input; closed when dropped.
    pub fn input(&mut self) -> ChildStdin {
        self.0.stdin.take().unwrap()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> i32 {
        self.0.wait().unwrap().code().unwrap_or(-1)
    }

    /// Waits for its end and returns what it printed.
    pub fn output(mut self) -> (i32, String) {
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        (self.0.wait().unwrap().code().unwrap_or(-1), text)
    }

    fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }
}

/// Polls a condition of another process: there is no event to wait for.
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_looking_every(Duration::from_millis(50), what, condition);
}

/// The same for what may last only some milliseconds.
pub fn wait_closely_until(what: &str, condition: impl FnMut() -> bool) {
    wait_looking_every(Duration::from_millis(1), what, condition);
}

#[expect(clippy::disallowed_methods, reason = "waits for other processes, outside any runtime")]
fn wait_looking_every(pause: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..patience().as_millis() / pause.as_millis() {
        if condition() {
            return;
        }
        std::thread::sleep(pause);
    }
    panic!("waited too long until {what}{}", logs());
}

thread_local! {
    /// Logs of the daemons that this test started: a test that waited in vain shows their ends.
    static LOGS: RefCell<Vec<PathBuf>> = const { RefCell::new(Vec::new()) };
}

fn logs() -> String {
    let mut text = String::new();
    for path in LOGS.take() {
        let log = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(30)..].join("\n");
        text.push_str(&format!("\n--- the end of {}:\n{end}", path.display()));
    }
    text
}

/// Lets the estate run for a while.
#[expect(clippy::disallowed_methods, reason = "real parts need real time")]
pub fn let_run(span: Duration) {
    std::thread::sleep(span);
}

/// A port that nothing listens on and that no other test gets. It lies below the ports that the
/// system gives to outgoing connections, so that none of those takes it in between.
pub fn free_port() -> u16 {
    const FIRST: u32 = 12_000;
    const COUNT: u32 = 20_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Runs beside one another begin at different places.
    let begin = std::process::id().wrapping_mul(997);
    loop {
        let number = begin.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + number).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A Mosquitto that keeps its sessions in `folder` across restarts.
pub fn mosquitto(folder: &Path, port: u16) -> Process {
    mosquitto_with(folder, port, "")
}

/// The same with further lines of configuration for its listener.
pub fn mosquitto_with(folder: &Path, port: u16, more: &str) -> Process {
    let folder = folder.join(format!("mosquitto-{port}"));
    fs::create_dir_all(&folder).unwrap();
    let config = folder.join("mosquitto.conf");
    let lines = format!(
        "listener {port} 127.0.0.1\n{more}allow_anonymous true\npersistence true\n\
         persistence_location {}/\nmax_queued_messages 100000\nuser root\nlog_dest none\n",
        folder.display()
    );
    fs::write(&config, lines).unwrap();
    let process = Process::start(Command::new("mosquitto").arg("-c").arg(&config));
    wait_until("mosquitto listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    process
}

/// The Python with the second implementations; `tests/run` makes it.
pub fn python() -> Command {
    let path = given("LINLI_TEST_PYTHON").unwrap_or_else(|| {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-python/bin/python")
    });
    assert!(path.exists(), "{} is missing: run tests/run, it makes it", path.display());
    Command::new(path)
}

/// A script of `peers/`.
pub fn peer(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/peers").join(script)
}

/// Modbus meters played by pymodbus; serves when this returns.
pub fn modbus_peer(arguments: &[&str]) -> Process {
    serving("modbus_peer.py", arguments)
}

/// DL/T 645 meters played by PyPI's dlt645; serves when this returns.
pub fn dlt645_peer(arguments: &[&str]) -> Process {
    serving("dlt645_meter.py", arguments)
}

fn serving(script: &str, arguments: &[&str]) -> Process {
    let mut command = python();
    command.arg(peer(script)).args(arguments).stdout(Stdio::piped());
    let mut process = Process::start(&mut command);
    assert_eq!(process.first_line().trim(), "ready");
    process
}

/// Energy plugs played by paho; prints how many messages the broker acknowledged.
pub fn mqtt_peer(port: u16, base: &str, seconds: u64) -> Process {
    let mut command = python();
    command
        .arg(peer("mqtt_peer.py"))
        .args([port.to_string(), base.to_owned(), seconds.to_string()])
        .stdout(Stdio::piped());
    Process::start(&mut command)
}

/// A pair of serial lines, connected; the paths are links in `folder`.
pub fn serial_pair(folder: &Path) -> (Process, PathBuf, PathBuf) {
    let (near, far) = (folder.join("line-near"), folder.join("line-far"));
    let end = |link: &Path| format!("pty,raw,echo=0,link={}", link.display());
    let process = Process::start(Command::new("socat").arg(end(&near)).arg(end(&far)));
    wait_until("socat made its lines", || near.exists() && far.exists());
    (process, near, far)
}

/// The daemon; its log goes to a file that the test can read.
pub fn linli(config: &Path, log: &Path) -> Process {
    daemon(&program(), config, log)
}

/// The same from this program.
pub fn daemon(program: &Path, config: &Path, log: &Path) -> Process {
    LOGS.with_borrow_mut(|logs| {
        if !logs.iter().any(|known| known == log) {
            logs.push(log.to_owned());
        }
    });
    let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    let mut command = Command::new(program);
    Process::start(command.args(["run", "--config"]).arg(config).stderr(Stdio::from(log)))
}

/// Asks the daemon's page.
pub fn ask(page: SocketAddr, path: &str) -> Option<serde_json::Value> {
    let mut stream = TcpStream::connect(page).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {page}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

/// A point with nothing special about it.
pub fn point(name: &str, unit: &str) -> Point {
    Point::new(name, Unit::parse(unit).unwrap(), Quantity::Instantaneous)
}

/// A device with nothing special about it, read every so many seconds.
pub fn device(id: &str, category: Category, every: u64, points: Vec<Point>) -> Device {
    Device::new(DeviceId::new(id).unwrap(), category, Duration::from_secs(every), points)
}

/// Writes the configuration of a gateway without an uplink, whose one meter is not there; returns
/// the file. The store lies in `at`/buffer, the page on `port`.
pub fn lonely_site(at: &Path, port: u16, name: &str) -> PathBuf {
    let text = format!(
        r#"
[gateway]
id = "lonely"
name = "{name}"
[clock]
trust = "system"
[buffer]
path = "{}/buffer"
keep_free = "1MiB"
[status]
listen = "127.0.0.1:{port}"
access = "open"
[stars]
every = "10s"
[[bus]]
id = "row"
tcp = "127.0.0.1:{}"
[[device]]
id = "meter"
profile = "eastron-sdm120"
bus = "row"
unit = 1
"#,
        at.display(),
        free_port()
    );
    let config = at.join("linli.toml");
    fs::write(&config, text).unwrap();
    config
}

/// Writes the evidence of a gateway without devices that looked once an hour, so many hours from
/// `begin` on (milliseconds since 1970).
pub fn watched(store: &Path, begin: i64, hours: u64) {
    const HOUR: u64 = 3_600_000;
    let store = Store::open(store, Limits::default()).unwrap();
    let gateway = GatewayId::new("lonely").unwrap();
    let estate = Estate::new(gateway, String::new(), EstateKind::New, Vec::new()).unwrap();
    let estate = Arc::new(estate);
    let start = Moment { boot_ms: HOUR };
    let snapshot = Snapshot::new(Arc::clone(&estate), start);
    let mut engine = Engine::new(RulePack::built_in(), estate, start);
    engine.keep(EvidenceChain::new(&store)).unwrap();
    for hour in 1..=hours {
        let now = start.plus(Duration::from_millis(hour * HOUR));
        let unix_ms = begin + i64::try_from(hour * HOUR).unwrap();
        engine.observe(&snapshot, now, Some(WallTime { unix_ms }), &GatewaySeen::default());
        engine.save(now, hour == hours).unwrap();
    }
    store.commit().unwrap();
}
