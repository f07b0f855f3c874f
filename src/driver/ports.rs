//! The serial lines of this machine, each by the name that stays.

use std::fs;
use std::path::{Path, PathBuf};

/// Names that stay: by the adapter's own number, else by the socket it is in.
const LASTING: [&str; 2] = ["dev/serial/by-id", "dev/serial/by-path"];
/// Drivers of serial lines: those whose devices the unit that comes with the program may open.
pub const SERIAL_DRIVERS: [&str; 13] = [
    "ttyS",
    "ttyUSB",
    "ttyACM",
    "ttyAMA",
    "ttymxc",
    "ttySTM",
    "ttyLP",
    "ttyO",
    "ttyAML",
    "ttySC",
    "ttyXRUSB",
    "ttyCH343USB",
    "ttyCH9344USB",
];

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
    let driver = SERIAL_DRIVERS.iter().any(|driver| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_lines_are_offered_by_their_lasting_names_and_without_empty_ones() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().canonicalize().unwrap().join(name);
        for folder in
            ["dev/serial/by-id", "dev/serial/by-path", "sys/class/tty/ttyS0", "sys/class/tty/ttyS1"]
        {
            fs::create_dir_all(path(folder)).unwrap();
        }
        for device in ["ttyS0", "ttyS1", "ttyUSB0", "ttyUSB1", "tty1", "ttyUSBx", "null"] {
            fs::write(path("dev").join(device), "").unwrap();
        }
        fs::write(path("sys/class/tty/ttyS0/type"), "0\n").unwrap();
        fs::write(path("sys/class/tty/ttyS1/type"), "4\n").unwrap();
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(path(to), path(name)).unwrap();
        link("dev/ttyUSB0", "dev/serial/by-id/usb-FTDI_1");
        link("dev/ttyUSB0", "dev/serial/by-path/port-1");
        link("dev/ttyUSB1", "dev/serial/by-path/port-2");
        link("dev/ttyUSB9", "dev/serial/by-id/usb-gone");
        let found = serial_ports(&path(""));
        let found: Vec<PathBuf> = found.into_iter().map(|port| port.path).collect();
        let wanted = ["dev/ttyS1", "dev/serial/by-id/usb-FTDI_1", "dev/serial/by-path/port-2"];
        assert_eq!(found, wanted.map(path));
    }

    #[test]
    fn the_unit_lets_the_service_open_what_is_offered() {
        let unit = include_str!("../../systemd/linli.service");
        let allowed: Vec<&str> = unit
            .lines()
            .filter_map(|line| line.strip_prefix("DeviceAllow=char-")?.strip_suffix(" rw"))
            .collect();
        assert_eq!(allowed, SERIAL_DRIVERS);
    }
}
