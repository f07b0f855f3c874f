//! The site of the orders: brokers, a charger, a screen, the platform that orders.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use linli::model::{CommandId, CommandRequest, CommandSource, Value};
use linli::profile::Library;
use linli::sim::{Device, Framing, ModbusServer, MqttDevice, MqttFleet, Presence, Unit};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value as Json;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::parts::{Process, ask, free_port, linli, mosquitto, program, wait_until};

pub(super) const PREFIX: &str = "linli/v1/orders";

/// The daemon with its devices, and the platform's client.
pub(super) struct Site {
    pub(super) folder: tempfile::TempDir,
    pub(super) config: PathBuf,
    pub(super) page: SocketAddr,
    pub(super) daemon: Option<Process>,
    pub(super) _broker: Process,
    pub(super) runtime: Runtime,
    pub(super) client: AsyncClient,
    pub(super) results: Arc<Mutex<Vec<Json>>>,
    pub(super) charger: Arc<Mutex<Device>>,
    pub(super) screen: MqttDevice,
    pub(super) presence: Presence,
    pub(super) unit: Unit,
    pub(super) key: Ed25519KeyPair,
    pub(super) stop: CancellationToken,
}

pub(super) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn configuration(
    folder: &Path,
    ports: [u16; 4],
    (key, by_hand): (&str, &str),
) -> String {
    let [broker, modbus, line, page] = ports;
    format!(
        r#"
[gateway]
id = "orders"
[clock]
trust = "system"
[buffer]
path = "{folder}/buffer"
keep_free = "1MiB"
[uplink]
host = "127.0.0.1"
port = {broker}
reconnect_cap = "1s"
[commands]
public_keys = ["{key}", "{by_hand}"]
safe_after = "10s"
[mqtt]
host = "127.0.0.1"
port = {broker}
[status]
listen = "127.0.0.1:{page}"
access = "open"
[[bus]]
id = "row"
tcp = "127.0.0.1:{modbus}"
probe_cap = "1s"
timeout = "200ms"
[[device]]
id = "charger"
profile = "vestel-evc04"
bus = "row"
period = "1s"
allow = ["currentLimit"]
[[bus]]
id = "line"
rtu_over_tcp = "127.0.0.1:{line}"
timeout = "200ms"
[[device]]
id = "wallbox"
profile = "heidelberg-energy-control"
bus = "line"
unit = 1
period = "1s"
allow = ["currentLimit"]
[[device]]
id = "screen"
profile = "info-screen"
topic = "screens/1"
allow = ["on"]
"#,
        folder = folder.display()
    )
}

/// The key of whoever orders by hand.
pub(super) fn by_hand(folder: &Path) -> String {
    folder.join("by-hand.pk8").display().to_string()
}

/// `linli command` with these words; what it prints.
pub(super) fn command(words: &[&str]) -> Json {
    let output = std::process::Command::new(program()).arg("command").args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

impl Site {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, page) = (free_port(), free_port());
        let broker = mosquitto(folder.path(), port);
        let runtime = Runtime::new().unwrap();
        let library = Library::built_in();
        let model = |name: &str| library.get(name).unwrap();
        let stop = CancellationToken::new();

        let wallbox = Device::new(model("heidelberg-energy-control"), 3);
        let (_, line) = serve(&runtime, wallbox, (Framing::Rtu, 1), &stop);
        let device = Device::new(model("vestel-evc04"), 1);
        let ((charger, unit), modbus) = serve(&runtime, device, (Framing::Tcp, 255), &stop);

        let screen = Device::new(model("info-screen"), 2);
        let (screen, presence) = MqttDevice::new(screen, "screens/1", Duration::from_secs(1));
        let fleet = MqttFleet { host: "127.0.0.1".into(), port, devices: vec![screen.clone()] };
        runtime.spawn(fleet.run(stop.clone()));

        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public = hex(key.public_key().as_ref());
        let made = command(&["key", "--json", &by_hand(folder.path())]);
        let made = made["public_key"].as_str().unwrap();
        let text = configuration(folder.path(), [port, modbus, line, page], (&public, made));
        let config = folder.path().join("linli.toml");
        fs::write(&config, text).unwrap();

        let results = Arc::new(Mutex::new(Vec::new()));
        let client = platform(&runtime, port, Arc::clone(&results));
        let page = SocketAddr::from(([127, 0, 0, 1], page));
        let mut site = Self {
            folder,
            config,
            page,
            daemon: None,
            _broker: broker,
            runtime,
            client,
            results,
            charger,
            screen,
            presence,
            unit,
            key,
            stop,
        };
        site.run();
        site
    }

    /// Starts the daemon; ready when it is linked and both devices are online.
    pub(super) fn run(&mut self) {
        self.daemon = Some(linli(&self.config, &self.folder.path().join("log")));
        let page = self.page;
        wait_until("all is connected", || {
            let linked = ask(page, "/api/v1/uplink").is_some_and(|link| link["connected"] == true);
            linked && ["charger", "screen", "wallbox"].iter().all(|id| self.health(id) == "online")
        });
    }

    pub(super) fn health(&self, device: &str) -> String {
        let told = ask(self.page, &format!("/api/v1/devices/{device}"));
        told.map_or_else(String::new, |told| told["health"].as_str().unwrap().to_owned())
    }

    pub(super) fn order(
        &self,
        id: &str,
        device: &str,
        command: &str,
        value: Value,
    ) -> CommandRequest {
        CommandRequest {
            id: CommandId::new(id).unwrap(),
            device: device.into(),
            command: command.into(),
            value: Some(value),
            issued_ms: now_ms(),
            expires_ms: now_ms() + 30_000,
            until_ms: None,
            by: "duty officer".into(),
            source: CommandSource::Platform,
            signature: None,
        }
    }

    pub(super) fn limit(&self, id: &str, value: f64) -> CommandRequest {
        self.order(id, "charger", "currentLimit", Value::Number(value))
    }

    pub(super) fn signed(&self, request: &CommandRequest) -> CommandRequest {
        let signature = self.key.sign(&request.signed_bytes("orders"));
        CommandRequest { signature: Some(hex(signature.as_ref())), ..request.clone() }
    }

    pub(super) fn publish(&self, request: &CommandRequest, retained: bool) {
        let text = serde_json::to_string(&request.document("orders")).unwrap();
        let topic = format!("{PREFIX}/command/{}", request.id);
        let sent = self.client.publish(topic, QoS::AtLeastOnce, retained, text);
        self.runtime.block_on(sent).unwrap();
    }

    /// Publishes what a command line printed.
    pub(super) fn send(&self, signed: &Json) {
        let (topic, text) = (signed["topic"].as_str().unwrap(), signed["payload"].to_string());
        let sent = self.client.publish(topic, QoS::AtLeastOnce, false, text);
        self.runtime.block_on(sent).unwrap();
    }

    pub(super) fn results(&self, id: &str) -> Vec<Json> {
        let all = self.results.lock().unwrap();
        all.iter().filter(|result| result["id"] == id).cloned().collect()
    }

    pub(super) fn outcomes(&self, id: &str) -> Vec<String> {
        let word = |result: &Json| result["outcome"].as_str().unwrap().to_owned();
        self.results(id).iter().map(word).collect()
    }

    /// Publishes a signed order and waits for so many results.
    pub(super) fn ordered(&self, request: &CommandRequest, results: usize) -> Json {
        let id = request.id.as_str();
        self.publish(&self.signed(request), false);
        wait_until(&format!("{results} results of {id}"), || self.results(id).len() >= results);
        self.results(id).pop().unwrap()
    }

    pub(super) fn shown(&self) -> f64 {
        let device = self.charger.lock().unwrap();
        let points = &device.profile().points;
        let slot = points.iter().position(|point| &*point.name == "currentLimit").unwrap();
        device.values()[slot].number().unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A device behind an endpoint, which follows what is written; its port.
pub(super) fn serve(
    runtime: &Runtime,
    device: Device,
    (framing, id): (Framing, u8),
    stop: &CancellationToken,
) -> ((Arc<Mutex<Device>>, Unit), u16) {
    let unit = Unit::of(&device).unwrap();
    let device = Arc::new(Mutex::new(device));
    let mut server = runtime.block_on(ModbusServer::bind("127.0.0.1:0", framing)).unwrap();
    let port = server.address().unwrap().port();
    server.add(id, unit.clone());
    runtime.spawn(server.run(stop.clone()));
    let (held, registers, end) = (Arc::clone(&device), unit.clone(), stop.clone());
    runtime.spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while !end.is_cancelled() {
            ticks.tick().await;
            let mut device = held.lock().unwrap();
            registers.settle(&mut device);
            registers.refresh(&device);
        }
    });
    ((device, unit), port)
}

/// The platform: hears every result.
pub(super) fn platform(
    runtime: &Runtime,
    port: u16,
    results: Arc<Mutex<Vec<Json>>>,
) -> AsyncClient {
    let mut options = MqttOptions::new("platform", "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let _guard = runtime.enter();
    let (client, mut events) = AsyncClient::new(options, 64);
    let subscriber = client.clone();
    runtime.spawn(async move {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    let topic = format!("{PREFIX}/command/+/result");
                    subscriber.subscribe(topic, QoS::AtLeastOnce).await.unwrap();
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    let result = serde_json::from_slice(&publish.payload).unwrap();
                    results.lock().unwrap().push(result);
                }
                Ok(_) => {}
                Err(_broker_not_there_yet) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    });
    client
}
