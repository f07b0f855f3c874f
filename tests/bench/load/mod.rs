//! The load: Modbus TCP servers whose registers change at every read, and MQTT publishers.

pub mod alarms;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A process that ends with its handle.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A Mosquitto with a window as the package's drop-in sets it.
pub fn mosquitto(folder: &Path, port: u16) -> Process {
    let config = folder.join(format!("mosquitto-{port}.conf"));
    let lines = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 1000\n\
         max_queued_messages 100000\nlog_dest none\n"
    );
    fs::write(&config, lines).unwrap();
    let child =
        Command::new("taskset").args(["-c", "1", "mosquitto", "-c"]).arg(&config).spawn().unwrap();
    let process = Process(child);
    let listens = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    assert!(listens, "mosquitto does not listen on {port}");
    process
}

/// The body of a resource of the daemon's page.
pub fn get(page: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(page).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {page}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

/// Asks the daemon's page for one number.
pub fn ask(page: SocketAddr, path: &str, pointer: &str) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_str(&get(page, path)?).ok()?;
    value.pointer(pointer).and_then(serde_json::Value::as_u64)
}

/// Running servers and publishers.
pub struct Load {
    ports: Vec<u16>,
    stop: Arc<AtomicBool>,
    publisher: Option<JoinHandle<()>>,
}

impl Load {
    /// `endpoints` servers, and `sensors` MQTT devices that publish 8 fields each second.
    pub fn start(endpoints: usize, _points: usize, broker: u16, sensors: usize) -> Self {
        pin_to_second_core();
        let stop = Arc::new(AtomicBool::new(false));
        let mut ports = Vec::new();
        for _ in 0..endpoints {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            ports.push(listener.local_addr().unwrap().port());
            std::thread::spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    std::thread::spawn(move || serve(stream));
                }
            });
        }
        let publisher = {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || publish(broker, sensors, &stop))
        };
        Self { ports, stop, publisher: Some(publisher) }
    }

    pub fn modbus_ports(&self) -> &[u16] {
        &self.ports
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(publisher) = self.publisher.take() {
            publisher.join().unwrap();
        }
    }
}

/// Threads that are started from here on share the core with the brokers.
fn pin_to_second_core() {
    let id = std::process::id().to_string();
    let done = Command::new("taskset").args(["-a", "-cp", "1", &id]).output().unwrap();
    assert!(done.status.success());
}

/// Numbers that do not compress: a xorshift generator.
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: u16) -> u16 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u16::try_from(self.0 % u64::from(limit)).unwrap()
    }
}

/// Answers function 3 with registers that differ at every read.
fn serve(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let mut noise = Noise(stream.peer_addr().unwrap().port().into());
    let mut request = [0u8; 12];
    let mut reply = Vec::with_capacity(260);
    while stream.read_exact(&mut request).is_ok() {
        let quantity = u16::from_be_bytes([request[10], request[11]]);
        let bytes = u8::try_from(quantity * 2).unwrap();
        reply.clear();
        reply.extend_from_slice(&request[..4]);
        reply.extend_from_slice(&(u16::from(bytes) + 3).to_be_bytes());
        reply.extend_from_slice(&[request[6], request[7], bytes]);
        for _ in 0..quantity {
            // Around 230.0 V, the last digit and a half in motion.
            reply.extend_from_slice(&(2270 + noise.below(64)).to_be_bytes());
        }
        if stream.write_all(&reply).is_err() {
            return;
        }
    }
}

/// One MQTT connection that publishes for all sensors with QoS 1, once a second.
fn publish(port: u16, sensors: usize, stop: &AtomicBool) {
    use rumqttc::{Client, MqttOptions, QoS};
    let mut options = MqttOptions::new("bench-load", "127.0.0.1", port);
    options.set_inflight(1000);
    let (client, mut connection) = Client::new(options, 2000);
    let events = std::thread::spawn(move || {
        for event in connection.iter() {
            if event.is_err() {
                return;
            }
        }
    });
    let mut noise = Noise(1);
    while !stop.load(Ordering::Relaxed) {
        for sensor in 0..sensors {
            let mut payload = String::from("{");
            for field in 0..8u32 {
                let value = f64::from(noise.below(64)) / 10.0 + 15.0;
                let comma = if field == 0 { "" } else { "," };
                payload += &format!("{comma}\"value{field}\":{value:.1}");
            }
            payload.push('}');
            if client.publish(format!("bench/{sensor}"), QoS::AtLeastOnce, false, payload).is_err()
            {
                return;
            }
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    if client.disconnect().is_ok() {
        events.join().unwrap();
    }
}
