//! The serial lines of this machine, each by the name that stays.

use std::fs;
use std::path::{Path, PathBuf};

/// Names that stay: by the adapter's own number, else by the socket it is in.
const LASTING: [&str; 2] = ["dev/serial/by-id", "dev/serial/by-path"];
/// Drivers of serial lines; those that the service may open.
const DRIVERS: [&str; 5] = ["ttyS", "ttyUSB", "ttyACM", "ttyAMA", "ttymxc"];

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialPort {
    /// What the configuration should name.
    pub path: PathBuf,
    /// The device behind it.
    pub device: PathBuf,
}

/// The lines of the machine whose files begin at `root` (`/`), in the order of their devices.
pub fn serial_ports(root: &Path) -> Vec<SerialPort> {
    let mut ports: Vec<SerialPort> = Vec::new();
    for folder in LASTING {
        for path in entries(&root.join(folder)) {
            let Ok(device) = path.canonicalize() else { continue };
            if ports.iter().all(|port| port.device != device) {
                ports.push(SerialPort { path, device });
            }
        }
    }
    for device in entries(&root.join("dev")) {
        let name = device.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let known = ports.iter().any(|port| port.device == device);
        if !known && is_line(root, name) {
            ports.push(SerialPort { path: device.clone(), device });
        }
    }
    ports.sort_by(|one, other| one.device.cmp(&other.device));
    ports
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    // A machine without such adapters has no such folder.
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Whether there is hardware behind a device file: a PC has 32 `ttyS` and perhaps one UART.
fn is_line(root: &Path, name: &str) -> bool {
    let driver = DRIVERS.iter().any(|driver| {
        let rest = name.strip_prefix(driver);
        rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    });
    if !driver {
        return false;
    }
    let kind = root.join("sys/class/tty").join(name).join("type");
    match fs::read_to_string(kind) {
        // 0 = PORT_UNKNOWN of the kernel.
        Ok(kind) => kind.trim() != "0",
        // Only the kernel's own UARTs say.
        Err(_) => !name.starts_with("ttyS"),
    }
}
