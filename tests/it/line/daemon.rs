//! The daemon on a simulated line: its configuration, its page, its files.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use linli::driver::{BusAddress, LineSettings, Parity};
use linli::profile::Library;
use linli::sim::Device;
use linli::sim::line::{Line, Slave};
use serde_json::Value;

use super::site::Served;
use crate::parts::{Process, ask, free_port, linli, program, wait_until};

pub const METER: LineSettings = LineSettings { baud: 9600, parity: Parity::Even, stop_bits: 1 };
pub const UNIT: LineSettings = LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };

/// An address of any protocol, as in the configuration.
pub fn at(text: &str) -> BusAddress {
    match text.len() {
        12 => BusAddress::Dlt645(text.parse().unwrap()),
        14 => BusAddress::Cjt188(text.parse().unwrap()),
        _ => BusAddress::Unit(text.parse().unwrap()),
    }
}

/// A slave of a built-in profile that answers quickly.
pub fn built_in(profile: &str, address: &str) -> Slave {
    let library = Library::load(&[]).unwrap();
    let profile = library.get(profile).unwrap();
    let address = at(address);
    let line = if matches!(address, BusAddress::Unit(_)) { UNIT } else { METER };
    let device = Device::new(Arc::clone(&profile), 7);
    Slave::of(&device, address, Some(line)).unwrap().delay(Duration::from_millis(5))
}

/// A folder with a configuration, and the line that it names.
pub struct Place {
    pub folder: PathBuf,
    pub page: SocketAddr,
    _temporary: tempfile::TempDir,
}

impl Place {
    /// The configuration of the gateway and of its one bus `line`; `more` is appended.
    pub fn new(more: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().to_owned();
        let page = SocketAddr::from(([127, 0, 0, 1], free_port()));
        fs::create_dir_all(folder.join("profiles")).unwrap();
        let text = format!(
            r#"
[gateway]
id = "lines"
name = "邻里"
profiles = ["{at}/profiles"]
[clock]
trust = "system"
[buffer]
path = "{at}/buffer"
keep_free = "1MiB"
[uplink]
host = "127.0.0.1"
port = {platform}
client_id = "lines"
[status]
listen = "{page}"
access = "open"
[[bus]]
id = "line"
serial = "{at}/line"
{more}"#,
            at = folder.display(),
            platform = free_port(),
        );
        fs::write(folder.join("linli.toml"), text).unwrap();
        Self { folder, page, _temporary: temporary }
    }

    pub fn config(&self) -> PathBuf {
        self.folder.join("linli.toml")
    }

    /// Where the line is reached.
    pub fn line(&self) -> PathBuf {
        self.folder.join("line")
    }

    /// A profile of this place's own.
    pub fn profile(&self, name: &str, text: &str) {
        fs::write(self.folder.join(format!("profiles/{name}.toml")), text).unwrap();
    }

    /// Serves a line under the name that the configuration has.
    pub fn serve(&self, line: &Line) -> Served {
        let (_, serving) = line.open_pty(Some(&self.line())).unwrap();
        Served::start(serving)
    }

    pub fn run(&self) -> Process {
        linli(&self.config(), &self.folder.join("log"))
    }

    /// One of the commands that print: what it said, and its exit code.
    pub fn command(&self, arguments: &[&str]) -> (i32, String) {
        let told = fs::File::create(self.folder.join("told")).unwrap();
        let mut command = Command::new(program());
        command.args(arguments).stdout(Stdio::piped()).stderr(told);
        let (code, text) = Process::start(&mut command).output();
        (code, text)
    }

    /// What the last command said beside.
    pub fn told(&self) -> String {
        fs::read_to_string(self.folder.join("told")).unwrap()
    }

    pub fn bus(&self) -> Value {
        ask(self.page, "/api/v1/buses").unwrap()[0].clone()
    }

    /// Good values of a device by point, once there are as many.
    pub fn values(&self, device: &str, count: usize) -> Vec<(String, Value)> {
        let mut values = Vec::new();
        wait_until(&format!("{device} has {count} values"), || {
            let path = format!("/api/v1/devices/{device}");
            let Some(answer) = ask(self.page, &path) else { return false };
            let rows = answer["points"].as_array().cloned().unwrap_or_default();
            let good = rows.into_iter().filter(|row| row["quality"] == "good");
            values = good
                .map(|row| (row["name"].as_str().unwrap().to_owned(), row["value"].clone()))
                .collect();
            values.len() >= count
        });
        values
    }

    pub fn online(&self, device: &str) -> bool {
        let path = format!("/api/v1/devices/{device}");
        ask(self.page, &path).is_some_and(|device| device["health"] == "online")
    }
}

/// The bytes of a resource of the page.
pub fn download(page: SocketAddr, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(page).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {page}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.0 200"), "{path}: {}", String::from_utf8_lossy(&answer));
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    answer.split_off(end + 4)
}

/// An entry of the configuration.
pub fn entry(id: &str, profile: &str, address: &str) -> String {
    let (key, frame) = match at(address) {
        BusAddress::Unit(_) => ("unit", "8N1"),
        _ => ("address", "8E1"),
    };
    let quoted = if key == "unit" { address.to_owned() } else { format!("\"{address}\"") };
    format!(
        "[[device]]\nid = \"{id}\"\nprofile = \"{profile}\"\nbus = \"line\"\n{key} = {quoted}\n\
         baud = 9600\nframe = \"{frame}\"\nperiod = \"2s\"\n"
    )
}
