//! Conflicts: every part of the configuration declares what it claims for itself, and a second
//! claim on the same thing is a fault that names the first.

use std::collections::HashMap;
use std::fmt;

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
    /// A unit id on a bus.
    Unit(String, u8),
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

    fn hint(&self) -> &'static str {
        match self {
            Claim::Device(_) | Claim::Bus(_) => "give each its own name",
            Claim::SerialLine(_) | Claim::Endpoint(_) => {
                "declare it once, and put the devices of both on that bus"
            }
            Claim::Unit(..) => "give one of the devices another unit id, on its own panel",
            Claim::Topic(..) => "the second device would show the same readings; remove it",
            Claim::Port(_) => "choose another port",
            Claim::Client(..) => "a broker drops the older of two clients of one id: change one",
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
            Claim::Unit(bus, unit) => write!(f, "unit {unit} on bus `{bus}`"),
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
                let fault = Fault::new(place, format!("{claim} is taken at {first}"));
                Err(Box::new(fault.hint(hint)))
            }
            None => {
                self.0.insert(claim, place);
                Ok(())
            }
        }
    }
}
