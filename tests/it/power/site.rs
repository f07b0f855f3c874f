//! What is around the box and never loses power: Mosquitto in the field and at the platform,
//! pymodbus, a publisher with QoS 1, the line to the platform, and who receives there.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use linli::sim::CutProxy;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::parts::{
    Process, free_port, let_run, modbus_peer, mosquitto, mosquitto_with, wait_until,
};

/// The gateway's identifier.
pub const GATEWAY: &str = "trial";
/// Pause between two messages of the field.
const PUBLISH_EVERY: Duration = Duration::from_millis(200);
/// Whole numbers that the field counts, in the unit of the point.
pub const COUNTS_PER_UNIT: f64 = 1000.0;

/// Everything around the box.
pub struct Site {
    folder: PathBuf,
    ports: Ports,
    line: Line,
    publisher: Option<Publisher>,
    watcher: Option<Process>,
    receiver: Option<Process>,
    _modbus: Process,
    _field: Process,
    _platform: Process,
}

struct Ports {
    field: u16,
    platform: u16,
    modbus: u16,
}

impl Site {
    /// Starts all of it; nothing is published yet.
    pub fn new(folder: &Path) -> Self {
        let ports = Ports { field: free_port(), platform: free_port(), modbus: free_port() };
        let field = mosquitto_with(folder, ports.field, "max_inflight_messages 1000\n");
        let platform = mosquitto(folder, ports.platform);
        let modbus = modbus_peer(&["tcp", &ports.modbus.to_string(), "1,2"]);
        let line = Line::new(ports.platform);
        let mut site = Self {
            folder: folder.to_owned(),
            ports,
            line,
            publisher: None,
            watcher: None,
            receiver: None,
            _modbus: modbus,
            _field: field,
            _platform: platform,
        };
        site.watcher = Some(site.watch());
        site.receiver = Some(site.receive(&[]));
        let sessions = || fs::metadata(site.folder.join("receiver.log")).is_ok();
        wait_until("the receiver runs", sessions);
        // Both sessions exist at the broker before the first block.
        let_run(Duration::from_secs(1));
        site
    }

    /// The gateway's configuration: how it reaches the site, where its store lies, where its
    /// profiles. The clock is trusted once `synchronised` lies beside the store.
    pub fn config(&self, host: &str, data: &str, etc: &str, page: u16) -> String {
        format!(
            r#"
[gateway]
id = "{GATEWAY}"
name = "试验小区"
profiles = ["{etc}/profiles"]
[clock]
synchronised = ["{data}/synchronised"]
[buffer]
path = "{data}/buffer"
budget = "16MiB"
keep_free = "1MiB"
[uplink]
host = "{host}"
port = {platform}
client_id = "trial"
reconnect_cap = "2s"
ack_timeout = "5s"
hold_unstamped = "2s"
[mqtt]
host = "{host}"
port = {field}
client_id = "trial-field"
max_rate = 2000
[status]
listen = "127.0.0.1:{page}"
access = "open"
[stars]
every = "10s"
[[bus]]
id = "row"
tcp = "{host}:{modbus}"
[[device]]
id = "plug"
profile = "tasmota-energy-plug"
topic = "plug"
[[device]]
id = "clock"
profile = "clock-register"
bus = "row"
unit = 1
period = "1s"
[[device]]
id = "meter"
profile = "eastron-sdm120"
bus = "row"
unit = 2
period = "1s"
"#,
            platform = self.line.port,
            field = self.ports.field,
            modbus = self.ports.modbus,
        )
    }

    /// The field begins to count.
    pub fn publish(&mut self) {
        self.publisher = Some(Publisher::new(self.ports.field));
    }

    /// Cuts or mends the line to the platform.
    pub fn link(&self, whole: bool) {
        self.line.switch.send(whole).unwrap();
    }

    /// The plug goes or comes: an urgent event for the gateway.
    pub fn presence(&self, there: bool) {
        let word = if there { "Online" } else { "Offline" };
        let status = Command::new("mosquitto_pub")
            .args(["-p", &self.ports.field.to_string(), "-q", "1", "-r"])
            .args(["-t", "tele/plug/LWT", "-m", word])
            .status();
        assert!(status.unwrap().success());
    }

    /// So many messages at once, which take room in the store.
    pub fn burst(&self, messages: u32) {
        let mut command = Command::new("mosquitto_pub");
        command.args(["-p", &self.ports.field.to_string(), "-q", "1", "-l"]);
        command.args(["-t", "tele/plug/SENSOR"]).stdin(Stdio::piped());
        let mut process = Process::start(&mut command);
        let mut lines = process.input();
        let mut noise = fastrand::Rng::with_seed(1);
        for _ in 0..messages {
            let mut value = |most: f64| (noise.f64() * most * 1000.0).round() / 1000.0;
            let (volts, amperes, watts) = (value(400.0), value(90.0), value(9e9));
            let energy =
                serde_json::json!({ "Voltage": volts, "Current": amperes, "Power": watts });
            writeln!(lines, "{{\"ENERGY\":{energy}}}").unwrap();
        }
        drop(lines);
        assert_eq!(process.wait(), 0, "the burst failed");
    }

    /// The field ends; returns how many messages its broker acknowledged.
    pub fn end_of_publishing(&mut self) -> u64 {
        self.publisher.take().unwrap().end()
    }

    /// Every message that reached the platform so far, as `topic hex`, repetitions too.
    pub fn arrived(&self) -> PathBuf {
        self.folder.join("arrived")
    }

    fn watch(&self) -> Process {
        let out = fs::File::create(self.arrived()).unwrap();
        Process::start(
            Command::new("stdbuf")
                .args(["-oL", "mosquitto_sub", "-p", &self.ports.platform.to_string()])
                .args(["-i", "watcher", "-c", "-q", "1", "-F", "%t %x"])
                .args(["-t", &format!("linli/v1/{GATEWAY}/telemetry/#")])
                .args(["-t", &format!("linli/v1/{GATEWAY}/event/#")])
                .stdout(Stdio::from(out)),
        )
    }

    fn receive(&self, more: &[&str]) -> Process {
        let log = fs::File::create(self.folder.join("receiver.log")).unwrap();
        Process::start(
            Command::new(env!("CARGO_BIN_EXE_linli-receiver"))
                .args(["--broker", &format!("127.0.0.1:{}", self.ports.platform)])
                .args(["--client-id", "platform", "--verify", "--json"])
                .arg("--state")
                .arg(self.folder.join("receiver.state"))
                .args(more)
                .stdout(Stdio::from(fs::File::create(self.folder.join("receiver.out")).unwrap()))
                .stderr(Stdio::from(log)),
        )
    }

    /// Once nothing comes any more: what the receiver of the project says, which must be that the
    /// stream is whole.
    pub fn verdict(&mut self) -> serde_json::Value {
        let receiver = self.receiver.take().unwrap();
        let id = receiver.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let code = receiver.wait();
        let out = fs::read_to_string(self.folder.join("receiver.out")).unwrap();
        let last = out.lines().last().unwrap_or_default();
        assert_eq!(code, 0, "linli-receiver --verify: {last}");
        serde_json::from_str(last).unwrap()
    }
}

/// The line between gateway and platform.
struct Line {
    port: u16,
    switch: watch::Sender<bool>,
    _runtime: tokio::runtime::Runtime,
}

impl Line {
    fn new(platform: u16) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let target = ([127, 0, 0, 1], platform).into();
        let (proxy, switch) = runtime.block_on(CutProxy::bind("127.0.0.1:0", target)).unwrap();
        let port = proxy.address().unwrap().port();
        runtime.spawn(proxy.run(CancellationToken::new()));
        Self { port, switch, _runtime: runtime }
    }
}

/// mosquitto_pub with QoS 1: a total that climbs by one with each message.
struct Publisher {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    writer: JoinHandle<()>,
    process: Process,
}

impl Publisher {
    fn new(port: u16) -> Self {
        let mut process = Process::start(
            Command::new("mosquitto_pub")
                .args(["-p", &port.to_string(), "-q", "1", "-i", "plug", "-l"])
                .args(["-t", "tele/plug/SENSOR"])
                .stdin(Stdio::piped()),
        );
        let mut lines = process.input();
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (stop.clone(), written.clone());
        let writer = std::thread::spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                let number = count.load(Ordering::Acquire) + 1;
                let total = number as f64 / COUNTS_PER_UNIT;
                writeln!(lines, "{{\"ENERGY\":{{\"Total\":{total:.3}}}}}").unwrap();
                count.store(number, Ordering::Release);
                let_run(PUBLISH_EVERY);
            }
        });
        Self { stop, written, writer, process }
    }

    /// Ends when the broker has acknowledged every message.
    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Release);
        self.writer.join().unwrap();
        assert!(self.process.wait() == 0, "the publisher failed");
        self.written.load(Ordering::Acquire)
    }
}
