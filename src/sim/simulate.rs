//! `linli simulate`: one simulated device for as long as it is wanted.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::line::{LineError, OneDevice};
use super::{Device, Framing, ModbusServer, MqttDevice, MqttFleet, Unit};
use crate::profile::{Binding, Profile};

/// How often a simulated device moves.
const TICK: Duration = Duration::from_millis(500);

/// How the device is reached.
#[derive(Debug, Clone)]
pub enum Served {
    /// As a Modbus server.
    Modbus {
        /// `host:port`; port 0 takes a free one.
        listen: String,
        /// TCP or RTU framing.
        framing: Framing,
        /// Unit id.
        unit: u8,
    },
    /// On a serial line.
    Line(OneDevice),
    /// As a client of a broker.
    Mqtt {
        /// Host of the broker.
        host: String,
        /// Its port.
        port: u16,
        /// Base topic.
        base: String,
        /// Time between two messages.
        every: Duration,
    },
}

/// What to simulate.
#[derive(Debug, Clone)]
pub struct SimulateOptions {
    /// The model.
    pub profile: Arc<Profile>,
    /// How it is reached.
    pub served: Served,
    /// Seed of chance.
    pub seed: u64,
}

/// Why there is nothing to simulate.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// Modbus options for an MQTT model, or the reverse.
    #[error("profile `{profile}` is reached by {by}: use {options}")]
    WrongKind {
        /// The profile.
        profile: String,
        /// Its protocol.
        by: &'static str,
        /// The options that fit.
        options: &'static str,
    },
    /// The line cannot be played.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The port cannot be used.
    #[error("cannot listen on {listen}")]
    Listen {
        /// As asked.
        listen: String,
        /// The system's words.
        source: io::Error,
    },
}

/// Simulates until `stop`. `ready` is told where it can be reached, once; nothing when it calls
/// itself.
///
/// # Errors
/// The model does not fit the options, or the port cannot be used.
pub async fn simulate(
    options: SimulateOptions,
    ready: impl FnOnce(Option<&str>),
    stop: CancellationToken,
) -> Result<(), SimulateError> {
    let device = Device::new(options.profile.clone(), options.seed);
    let wrong = |by, options_that_fit| SimulateError::WrongKind {
        profile: options.profile.id.clone(),
        by,
        options: options_that_fit,
    };
    match options.served {
        Served::Modbus { listen, framing, unit } => {
            let (by, fitting) = match options.profile.binding {
                Binding::Mqtt(_) => ("MQTT", "--broker and --base"),
                Binding::Dlt645(_) => ("DL/T 645", "--pty, --serial, or --listen with --rtu"),
                _ => ("CJ/T 188", "--pty, --serial, or --listen with --rtu"),
            };
            let shared = Unit::of(&device).ok_or_else(|| wrong(by, fitting))?;
            let fault = |source| SimulateError::Listen { listen: listen.clone(), source };
            let mut server = ModbusServer::bind(&listen, framing).await.map_err(fault)?;
            ready(Some(&server.address().map_err(fault)?.to_string()));
            server.add(unit, shared.clone());
            tokio::join!(server.run(stop.clone()), move_unit(device, shared, stop));
        }
        Served::Line(one) => {
            let (line, address, at, serving) = one.open(&options.profile, &device)?;
            ready(Some(&at));
            let mut device = device;
            let step = || {
                let handle = line.handle(address);
                if let Some(handle) = &handle {
                    handle.settle(&mut device);
                }
                device.step(TICK.as_secs_f64());
                if let Some(handle) = &handle {
                    handle.refresh(&device);
                }
            };
            tokio::select! {
                ended = serving.run(stop.clone()) => ended.map_err(|source| one.port(source))?,
                () = each_tick(step, CancellationToken::new()) => {}
            }
        }
        Served::Mqtt { host, port, base, every } => {
            if !matches!(options.profile.binding, Binding::Mqtt(_)) {
                return Err(wrong("Modbus", "--listen and --unit"));
            }
            ready(None);
            let (device, _presence) = MqttDevice::new(device, &base, every);
            let moved = device.clone();
            let fleet = MqttFleet { host, port, devices: vec![device] };
            let step = || moved.with(|device| device.step(TICK.as_secs_f64()));
            tokio::join!(fleet.run(stop.clone()), each_tick(step, stop));
        }
    }
    Ok(())
}

async fn move_unit(mut device: Device, unit: Unit, stop: CancellationToken) {
    let step = || {
        unit.settle(&mut device);
        device.step(TICK.as_secs_f64());
        let misfits = unit.refresh(&device);
        if misfits > 0 {
            tracing::trace!(misfits, "values that do not fit their registers");
        }
    };
    each_tick(step, stop).await;
}

async fn each_tick(mut step: impl FnMut(), stop: CancellationToken) {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => step(),
        }
    }
}
