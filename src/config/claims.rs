//! Conflicts: every part of the configuration declares what it claims for itself, and a second
//! claim on the same thing is a fault that names the first.

use std::collections::HashMap;
use std::fmt;

use crate::driver::BusAddress;
use crate::settings::{Fault, Place};

/// Something that only one part may have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Claim {
    /// The name of a device.
    Device(String),
    /// The name of a bus.
    Bus(String),
    /// A serial line, by its device file.
    SerialLine(String),
    /// A TCP endpoint of the field.
    Endpoint(String),
    /// A unit id or a meter's address on a bus.
    Unit(String, BusAddress),
    /// A base topic, by profile: two models may publish below one base.
    Topic(String, String),
    /// A TCP port of this machine.
    Port(u16),
    /// A client id at a broker.
    Client(String, u16, String),
}

impl Claim {
    /// The claim on a device file, told apart by its text only.
    pub fn serial(path: &str) -> Self {
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." {
                parts.pop();
            } else {
                parts.push(part);
            }
        }
        Self::SerialLine(format!("/{}", parts.join("/")))
    }

    fn hint(&self) -> (&'static str, &'static str) {
        match self {
            Claim::Device(_) | Claim::Bus(_) => ("give each its own name", "请各取其名"),
            Claim::SerialLine(_) | Claim::Endpoint(_) => (
                "declare it once, and put the devices of both on that bus",
                "只声明一次，把两处的设备都挂在该总线上",
            ),
            Claim::Unit(..) => (
                "give one of the devices another unit id or address, on its own panel",
                "请在其中一台设备的面板上改站号或通信地址",
            ),
            Claim::Topic(..) => (
                "the second device would show the same readings; remove it",
                "第二台设备的读数会与第一台相同，请删除",
            ),
            Claim::Port(_) => ("choose another port", "请换一个端口"),
            Claim::Client(..) => (
                "a broker drops the older of two clients of one id: change one",
                "两个客户端标识相同时，消息代理会断开先连的那个，请改其一",
            ),
        }
    }

    fn zh(&self) -> String {
        match self {
            Claim::Device(id) => format!("设备名 `{id}`"),
            Claim::Bus(id) => format!("总线名 `{id}`"),
            Claim::SerialLine(path) => format!("串口 {path}"),
            Claim::Endpoint(address) => format!("地址 {address}"),
            Claim::Unit(bus, BusAddress::Unit(unit)) => format!("总线 `{bus}` 上的站号 {unit}"),
            Claim::Unit(bus, address) => format!("总线 `{bus}` 上的通信地址 {address}"),
            Claim::Topic(profile, base) => format!("{profile} 的主题 `{base}`"),
            Claim::Port(port) => format!("本机端口 {port}"),
            Claim::Client(host, port, id) => format!("{host}:{port} 上的客户端标识 `{id}`"),
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claim::Device(id) => write!(f, "the device name `{id}`"),
            Claim::Bus(id) => write!(f, "the bus name `{id}`"),
            Claim::SerialLine(path) => write!(f, "the serial line {path}"),
            Claim::Endpoint(address) => write!(f, "the endpoint {address}"),
            Claim::Unit(bus, BusAddress::Unit(unit)) => write!(f, "unit {unit} on bus `{bus}`"),
            Claim::Unit(bus, address) => write!(f, "address {address} on bus `{bus}`"),
            Claim::Topic(profile, base) => write!(f, "the topic `{base}` of {profile}"),
            Claim::Port(port) => write!(f, "port {port} of this machine"),
            Claim::Client(host, port, id) => write!(f, "client id `{id}` at {host}:{port}"),
        }
    }
}

/// What is claimed so far, and where.
#[derive(Debug, Default)]
pub(super) struct Claims(HashMap<Claim, Place>);

impl Claims {
    /// Claims a thing; a fault when it is taken.
    pub fn take(&mut self, claim: Claim, place: Place) -> Result<(), Box<Fault>> {
        match self.0.get(&claim) {
            Some(first) => {
                let hint = claim.hint();
                let zh = format!("{} 已被 {first} 占用", claim.zh());
                let fault = Fault::new(place, (format!("{claim} is taken at {first}"), zh));
                Err(Box::new(fault.hint(hint)))
            }
            None => {
                self.0.insert(claim, place);
                Ok(())
            }
        }
    }
}
