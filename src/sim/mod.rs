//! Simulated devices on real sockets: for `linli demo` and `linli simulate`, for tests, for load.
//!
//! A simulated device is a profile plus a behaviour for each of its points ([`Device`]); what it
//! holds is offered as registers ([`ModbusServer`]), published as messages ([`MqttFleet`]), or
//! asked for on a serial line that it shares with others ([`mod@line`]).

#[cfg(feature = "demo")]
mod broker;
#[cfg(feature = "demo")]
mod demo;
#[cfg(feature = "demo")]
mod estate;
mod frame;
mod habits;
pub mod line;
mod modbus;
mod model;
mod mqtt;
mod orders;
mod payload;
mod player;
mod proxy;
mod registers;
#[cfg(feature = "demo")]
mod script;
mod shared;
mod simulate;
mod usual;

#[cfg(feature = "demo")]
pub use broker::{BrokerFault, EmbeddedBroker};
#[cfg(feature = "demo")]
pub use demo::{Demo, SimError};
#[cfg(feature = "demo")]
pub use estate::{Ports, demo_config};
pub use frame::Framing;
pub use modbus::{Fault, ModbusServer, Unit};
pub use model::Device;
pub use mqtt::{MqttDevice, MqttFleet, Presence};
pub use orders::Order;
pub use payload::{Message, messages};
pub use proxy::CutProxy;
pub use registers::{Refusal, RegisterImage};
#[cfg(feature = "demo")]
pub use script::{Step, StepText};
pub use simulate::{Served, SimulateError, SimulateOptions, simulate};

#[cfg(test)]
#[cfg(feature = "demo")]
mod demo_tests;
#[cfg(test)]
mod plausible_tests;
#[cfg(test)]
mod tests;
