//! One simulated device on a line of its own, or a recorded line: what `linli simulate` plays.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Fault, Line, Serving, Slave};
use crate::driver::record::Recording;
use crate::driver::{BusAddress, LineSettings};
use crate::profile::{Binding, Profile};
use crate::protocol::{cjt188, dlt645};
use crate::sim::Device;

/// Where the master meets the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A pseudo terminal under this name.
    Pty(PathBuf),
    /// One end of a pair that somebody else made.
    Device(PathBuf),
    /// A serial server in transparent mode, `host:port`.
    Listen(String),
}

impl Place {
    fn open(&self, line: &Line) -> io::Result<(String, Serving)> {
        Ok(match self {
            Self::Pty(link) => {
                let (path, serving) = line.open_pty(Some(link))?;
                (path.display().to_string(), serving)
            }
            Self::Device(path) => (path.display().to_string(), line.open_device(path)?),
            Self::Listen(address) => {
                let (bound, serving) = line.listen(address)?;
                (bound.to_string(), serving)
            }
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pty(path) | Self::Device(path) => path.display().fmt(out),
            Self::Listen(address) => address.fmt(out),
        }
    }
}

/// A device on a line.
#[derive(Debug, Clone)]
pub struct OneDevice {
    /// Where the master meets it.
    pub place: Place,
    /// Address as printed on the meter, or unit id; the default of the protocol when `None`.
    pub address: Option<String>,
    /// Its settings when they are not those of the model.
    pub line: Option<LineSettings>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
    /// Whether the adapter hears itself.
    pub echo: bool,
}

/// Why a line cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// An address that the protocol does not have.
    #[error("`{given}` is no address for profile `{profile}`: {allowed}")]
    Address {
        /// As given.
        given: String,
        /// The profile.
        profile: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A model that publishes.
    #[error("profile `{0}` is reached by MQTT, not over a line: use --broker and --base")]
    NoLine(String),
    /// It cannot be opened, or it broke.
    #[error("cannot use {place}")]
    Port {
        /// Where.
        place: String,
        /// The system's words.
        source: io::Error,
    },
}

impl OneDevice {
    /// The address of the device for its model.
    fn bus_address(&self, profile: &Profile) -> Result<BusAddress, LineError> {
        let given = self.address.as_deref();
        let (address, allowed) = match &profile.binding {
            Binding::Modbus { unit, .. } => {
                let unit = match given {
                    Some(text) => text.parse().ok().filter(|unit| (1..=247).contains(unit)),
                    None => Some(unit.unwrap_or(1)),
                };
                (unit.map(BusAddress::Unit), "a unit id, 1 to 247")
            }
            Binding::Dlt645(_) => {
                let address = given.unwrap_or("000000000001").parse::<dlt645::Address>();
                let plain = address.ok().filter(|address| address.is_plain());
                (plain.map(BusAddress::Dlt645), "12 digits, as printed on the meter")
            }
            Binding::Cjt188(_) => {
                let address = given.unwrap_or("00000000000001").parse::<cjt188::Address>();
                let plain = address.ok().filter(cjt188::Address::is_plain);
                (plain.map(BusAddress::Cjt188), "14 digits, as printed on the meter")
            }
            Binding::Mqtt(_) => return Err(LineError::NoLine(profile.id.clone())),
        };
        address.ok_or_else(|| LineError::Address {
            given: given.unwrap_or_default().to_owned(),
            profile: profile.id.clone(),
            allowed,
        })
    }

    /// The line with the device on it, its address, and how it is served. The text says where.
    ///
    /// # Errors
    /// The address is none of its protocol's, or the system's.
    pub fn open(
        &self,
        profile: &Arc<Profile>,
        device: &Device,
    ) -> Result<(Line, BusAddress, String, Serving), LineError> {
        let address = self.bus_address(profile)?;
        let slave = Slave::of(device, address, self.line)
            .ok_or_else(|| LineError::NoLine(profile.id.clone()))?;
        let mut builder = Line::builder().settings(slave.settings());
        if self.echo {
            builder = builder.echo();
        }
        let line = builder.slave(slave).build();
        if let Some(handle) = line.handle(address) {
            self.faults.iter().for_each(|&fault| handle.add_fault(fault));
        }
        let (at, serving) = self.place.open(&line).map_err(|source| self.port(source))?;
        Ok((line, address, at, serving))
    }

    /// A fault of its port, with its name.
    pub fn port(&self, source: io::Error) -> LineError {
        LineError::Port { place: self.place.to_string(), source }
    }
}

/// Plays a recorded line until `stop`. `ready` is told where, once.
///
/// # Errors
/// The system's.
pub async fn replay(
    recording: &Recording,
    place: &Place,
    ready: impl FnOnce(&str),
    stop: CancellationToken,
) -> Result<(), LineError> {
    let fault = |source| LineError::Port { place: place.to_string(), source };
    let line = Line::replay(recording);
    let (at, serving) = place.open(&line).map_err(fault)?;
    ready(&at);
    serving.run(stop).await.map_err(fault)
}
