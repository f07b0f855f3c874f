//! The demo's world: brokers, devices, the line to the platform, the platform, and the script.
//! The daemon itself is not here: whoever runs the demo starts it with [`Demo::config_text`].

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::estate::{At, BUSES, DEVICES, MIXED_LINE, Row, Wire};
use super::line::{self, Handle, Line, Serving, Slave};
use super::script::{
    BACKWARD_METER, DEAD_METER, DOUBLE_METER, DROPPED_LOCKER, SCRIPT, Step, StepText,
};
use super::{
    BrokerFault, CutProxy, Device, EmbeddedBroker, Fault, Framing, ModbusServer, MqttDevice,
    MqttFleet, Ports, Presence, Unit, demo_config,
};
use crate::broker::BrokerConfig;
use crate::driver::BusAddress;
use crate::model::{Point, Value};
use crate::profile::{Binding, Library, Profile};
use crate::receiver::{self, Limits, ReceiverError, Summary, Verifier};

/// How often the devices move.
const TICK: Duration = Duration::from_millis(500);

/// Time between two messages of an MQTT device.
const PUBLISH_EVERY: Duration = Duration::from_secs(5);

/// How much later than the first the second meter of an address answers: the first is not done.
const SECOND_METER: Duration = Duration::from_millis(40);

/// Where the page listens.
const STATUS_PORT: u16 = 8080;

/// Topics of every gateway.
const PREFIX: &str = "linli/v1/+";

/// Why the demo does not run.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A port cannot be bound.
    #[error("cannot bind a port for `{what}`: {source}")]
    Bind {
        /// For what.
        what: &'static str,
        /// The system's words.
        source: io::Error,
    },
    /// A broker.
    #[error(transparent)]
    Broker(#[from] BrokerFault),
    /// The estate names a profile that is not built in.
    #[error("profile `{0}` of the demo estate is not built in")]
    Profile(&'static str),
    /// The profile is of the other protocol than the estate thinks.
    #[error("device `{0}` of the demo estate is reached another way than its profile says")]
    Kind(&'static str),
    /// The receiving platform.
    #[error(transparent)]
    Receiver(#[from] ReceiverError),
}

/// Everything around the daemon, bound and not yet moving.
#[derive(Debug)]
pub struct Demo {
    /// The daemon's configuration.
    pub config_text: String,
    /// Why the mixed line is missing, where the system has no pseudo terminal to give.
    pub no_line: Option<io::Error>,
    /// What the platform received.
    pub summary: watch::Receiver<Summary>,
    /// What happened so far, oldest first.
    pub steps: watch::Receiver<Vec<StepText>>,
    /// What the platform's side publishes its summary through.
    summary_out: watch::Sender<Summary>,
    steps_out: watch::Sender<Vec<StepText>>,
    servers: Vec<ModbusServer>,
    line: Option<Serving>,
    fleet: MqttFleet,
    proxy: CutProxy,
    world: World,
    /// Kept while the demo runs: dropping one stops it.
    platform: EmbeddedBroker,
    field: EmbeddedBroker,
}

/// What the script reaches.
#[derive(Debug)]
struct World {
    units: BTreeMap<&'static str, (Device, Unit)>,
    /// Devices of the mixed line.
    wired: BTreeMap<&'static str, (Device, Handle)>,
    messengers: BTreeMap<&'static str, (MqttDevice, Presence)>,
    link: watch::Sender<bool>,
    /// Where the counter stood before it fell back.
    before: Option<Value>,
}

impl Demo {
    /// What every device shows now, as numbers by the names of its points.
    pub fn present(&self) -> BTreeMap<String, Vec<(Arc<str>, f64)>> {
        let numbers = |device: &Device| -> Vec<(Arc<str>, f64)> {
            let points = device.profile().points.iter().zip(device.values());
            let number =
                |(point, value): (&Point, &Value)| Some((Arc::clone(&point.name), value.number()?));
            points.filter_map(number).collect()
        };
        let world = &self.world;
        let units = world.units.iter().map(|(id, (device, _))| (*id, numbers(device)));
        let wired = world.wired.iter().map(|(id, (device, _))| (*id, numbers(device)));
        let told =
            world.messengers.iter().map(|(id, (one, _))| (*id, one.with(|device| numbers(device))));
        units.chain(wired).chain(told).map(|(id, values)| (id.to_owned(), values)).collect()
    }

    /// Binds everything on loopback; `dir` is where the daemon will keep its buffer.
    ///
    /// # Errors
    /// [`SimError`] names the part.
    pub async fn start(dir: &Path, seed: u64) -> Result<Self, SimError> {
        let field = EmbeddedBroker::start("field-broker", 0).await?;
        let platform = EmbeddedBroker::start("platform-broker", 1).await?;
        let bind = |what| move |source| SimError::Bind { what, source };
        let (proxy, link) = CutProxy::bind("127.0.0.1:0", platform.address())
            .await
            .map_err(bind("line to the platform"))?;
        let (mut world, mixed) = World::settle(link, seed)?;
        // Nothing else needs a pseudo terminal, so the demo goes on without this line.
        let (line, line_c, no_line) = match mixed.open_pty(None) {
            Ok((path, serving)) => (Some(serving), Some(path), None),
            Err(error) => (None, None, Some(error)),
        };
        if no_line.is_some() {
            world.wired.clear();
        }
        let mut servers = Vec::with_capacity(BUSES.len());
        let mut ports = [0; BUSES.len()];
        for ((bus, transport), port) in BUSES.into_iter().zip(&mut ports) {
            let framing = if transport == "tcp" { Framing::Tcp } else { Framing::Rtu };
            let mut server = ModbusServer::bind("127.0.0.1:0", framing).await.map_err(bind(bus))?;
            for row in DEVICES {
                if let At::Unit(on, id) = row.at
                    && on == bus
                {
                    server.add(id, world.units[row.id].1.clone());
                }
            }
            *port = server.address().map_err(bind(bus))?.port();
            servers.push(server);
        }
        let [chargers, meters, line_a, line_b] = ports;
        let ports = Ports {
            chargers,
            meters,
            line_a,
            line_b,
            line_c,
            field: field.address().port(),
            platform: proxy.address().map_err(bind("line to the platform"))?.port(),
            status: STATUS_PORT,
        };
        let fleet = MqttFleet {
            host: Ipv4Addr::LOCALHOST.to_string(),
            port: ports.field,
            devices: world.messengers.values().map(|(device, _)| device.clone()).collect(),
        };
        let (summary_out, summary) = watch::channel(Summary::default());
        let (steps_out, steps) = watch::channel(Vec::new());
        let config_text = demo_config(&ports, dir);
        Ok(Self {
            config_text,
            no_line,
            summary,
            steps,
            summary_out,
            steps_out,
            servers,
            line,
            fleet,
            proxy,
            world,
            platform,
            field,
        })
    }

    /// Lets the world move until `stop`, and tells what the platform verified. Stop the daemon
    /// first, so that its last blocks still arrive.
    ///
    /// # Errors
    /// The receiving platform cannot go on.
    pub async fn run(self, stop: CancellationToken) -> Result<Verifier, SimError> {
        let Self {
            platform,
            field,
            servers,
            line,
            fleet,
            proxy,
            world,
            summary_out,
            steps_out,
            ..
        } = self;
        let config = receiver::Config {
            broker: BrokerConfig {
                host: Ipv4Addr::LOCALHOST.to_string(),
                port: platform.address().port(),
                client_id: "demo-platform".into(),
                ..BrokerConfig::default()
            },
            prefix: PREFIX.into(),
            persistent: true,
            until_idle: None,
            expect_seq: None,
            answer_time: true,
        };
        let verifier = Verifier::new(PREFIX, false, Limits::default());
        let receive = receiver::run(config, verifier, summary_out, |_, _| Ok(()), stop.clone());
        let serve = async {
            if let Some(line) = line
                && let Err(error) = line.run(stop.clone()).await
            {
                tracing::error!(%error, line = MIXED_LINE, "the simulated line ended");
            }
        };
        let (outcome, _, (), (), (), ()) = tokio::join!(
            receive,
            join_all(servers.into_iter().map(|server| server.run(stop.clone()))),
            serve,
            fleet.run(stop.clone()),
            proxy.run(stop.clone()),
            world.run(steps_out, stop.clone()),
        );
        // Their threads end here, off the runtime's own.
        let ended = tokio::task::spawn_blocking(move || drop((platform, field))).await;
        if let Err(error) = ended {
            tracing::debug!(%error, "embedded brokers did not end well");
        }
        Ok(outcome?.verifier)
    }
}

/// The model of a row, its groups as large as the row says.
fn model(library: &Library, row: &Row) -> Option<Arc<Profile>> {
    let usual = library.get(row.profile)?;
    let Some((name, members)) = row.size else { return Some(usual) };
    let mut sizes = usual.sizes();
    usual.resize(&mut sizes, name, members).ok()?;
    Some(Arc::new(library.full(row.profile)?.sized(&sizes)))
}

impl World {
    /// Everybody, and the mixed line with its slaves.
    fn settle(link: watch::Sender<bool>, seed: u64) -> Result<(Self, Line), SimError> {
        let (mut units, mut messengers) = (BTreeMap::new(), BTreeMap::new());
        let (mut pair, mut on_pair) = (Line::builder().seed(seed), Vec::new());
        let library = Library::built_in();
        for (row, seed) in DEVICES.into_iter().zip(seed..) {
            let profile = model(&library, &row).ok_or(SimError::Profile(row.profile))?;
            let device = Device::new(profile, seed);
            match (row.at, Unit::of(&device)) {
                (At::Unit(..), Some(unit)) => {
                    units.insert(row.id, (device, unit));
                }
                (At::Topic(topic), None) => {
                    messengers.insert(row.id, MqttDevice::new(device, topic, PUBLISH_EVERY));
                }
                (At::Wire(wire), _) => {
                    let (address, slave) = wire.slave(&device).ok_or(SimError::Kind(row.id))?;
                    pair = pair.slave(slave);
                    on_pair.push((row.id, device, address));
                }
                _ => return Err(SimError::Kind(row.id)),
            }
        }
        let line = pair.build();
        let wired = on_pair
            .into_iter()
            .filter_map(|(id, device, address)| Some((id, (device, line.handle(address)?))))
            .collect();
        Ok((Self { units, wired, messengers, link, before: None }, line))
    }

    async fn run(mut self, steps: watch::Sender<Vec<StepText>>, stop: CancellationToken) {
        let start = Instant::now();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut script = SCRIPT.into_iter().peekable();
        loop {
            let next = script.peek().map(|(at, _)| start + Duration::from_secs(*at));
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => self.step(),
                () = sleep_until(next.unwrap_or(start)), if next.is_some() => {
                    if let Some((at, step)) = script.next() {
                        self.take(step);
                        let (zh, en) = step.text();
                        let at = Duration::from_secs(at);
                        steps.send_modify(|taken| taken.push(StepText { at, step, zh, en }));
                    }
                }
            }
        }
    }

    fn step(&mut self) {
        let seconds = TICK.as_secs_f64();
        for (device, unit) in self.units.values_mut() {
            device.step(seconds);
            let misfits = unit.refresh(device);
            if misfits > 0 {
                tracing::trace!(misfits, "values that do not fit their registers");
            }
        }
        for (device, handle) in self.wired.values_mut() {
            device.step(seconds);
            let misfits = handle.refresh(device);
            if misfits > 0 {
                tracing::trace!(misfits, "values that do not fit their fields");
            }
        }
        for (device, _) in self.messengers.values() {
            device.with(|device| device.step(seconds));
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::MeterDies => self.units[DEAD_METER].1.set_fault(Fault::Silent),
            Step::MeterReturns => self.units[DEAD_METER].1.set_fault(Fault::None),
            Step::CounterFallsBack => self.fall_back(),
            Step::CounterGoesOn => self.go_on(),
            Step::LockerGoes => {
                self.messengers[DROPPED_LOCKER].1.send_replace(false);
            }
            Step::LockerReturns => {
                self.messengers[DROPPED_LOCKER].1.send_replace(true);
            }
            Step::LinkCut => {
                self.link.send_replace(false);
            }
            Step::LinkMended => {
                self.link.send_replace(true);
            }
            Step::SecondMeter => self.at_the_shed(|meter| {
                meter.fault(line::Fault::Twin(SECOND_METER));
            }),
            Step::SecondMeterGoes => self.at_the_shed(Handle::mend),
            Step::End => {}
        }
    }

    /// Not there where the line could not be opened.
    fn at_the_shed(&self, work: impl FnOnce(&Handle)) {
        if let Some((_, handle)) = self.wired.get(DOUBLE_METER) {
            work(handle);
        }
    }

    fn fall_back(&mut self) {
        let Some((device, unit)) = self.units.get_mut(BACKWARD_METER) else { return };
        if let Some(counter) = device.counter()
            && let Some(now) = device.values()[counter].number()
        {
            self.before = Some(Value::Number(now));
            device.set(counter, Value::Number(now * 0.9));
            unit.refresh(device);
        }
    }

    fn go_on(&mut self) {
        let Some((device, unit)) = self.units.get_mut(BACKWARD_METER) else { return };
        if let (Some(counter), Some(before)) = (device.counter(), self.before.take()) {
            device.set(counter, before);
            unit.refresh(device);
        }
    }
}

impl Wire {
    /// The device as a slave of the line, tuned as the daemon believes it to be.
    fn slave(&self, device: &Device) -> Option<(BusAddress, Slave)> {
        let address = match &device.profile().binding {
            Binding::Modbus { .. } => BusAddress::Unit(self.unit()?),
            Binding::Dlt645(_) => BusAddress::Dlt645(self.address.parse().ok()?),
            Binding::Cjt188(_) => BusAddress::Cjt188(self.address.parse().ok()?),
            Binding::Mqtt(_) => return None,
        };
        Some((address, Slave::of(device, address, self.set)?))
    }
}
