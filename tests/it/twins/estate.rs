//! One estate with a twin of every built-in profile.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linli::config::{self, Settings};
use linli::driver::{BusAddress, LineSettings, Parity};
use linli::model::Group;
use linli::profile::{BUILT_IN, Binding, Library, Profile};
use linli::sim::line::{Handle, Line, Slave};
use linli::sim::{Device, EmbeddedBroker, Framing, ModbusServer, MqttDevice, MqttFleet, Unit};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Twins behind one Modbus endpoint.
const UNITS: usize = 32;
/// The meters' line; faster than theirs, so that the test is.
const LINE: LineSettings = LineSettings { baud: 115_200, parity: Parity::Even, stop_bits: 1 };
/// Time between two messages of a twin.
const EVERY: Duration = Duration::from_secs(1);

/// A simulated device.
pub struct Twin {
    /// How it is reached, for people.
    pub over: &'static str,
    side: Side,
}

/// Where a Modbus twin answers.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    pub at: SocketAddr,
    pub framing: Framing,
    pub unit: u8,
}

enum Side {
    Modbus(Arc<Mutex<Device>>, Unit, Endpoint),
    Line(Arc<Mutex<Device>>, Handle),
    Mqtt(MqttDevice, String),
}

impl Twin {
    /// Looks at it, or changes it.
    pub fn with<R>(&self, work: impl FnOnce(&mut Device) -> R) -> R {
        match &self.side {
            Side::Modbus(device, ..) | Side::Line(device, _) => work(&mut device.lock().unwrap()),
            Side::Mqtt(device, _) => device.with(work),
        }
    }

    /// Where it answers, when it is a Modbus twin.
    pub fn endpoint(&self) -> Option<Endpoint> {
        match &self.side {
            Side::Modbus(_, _, endpoint) => Some(*endpoint),
            _ => None,
        }
    }

    /// Its base topic, when it publishes.
    pub fn base(&self) -> Option<&str> {
        match &self.side {
            Side::Mqtt(_, base) => Some(base),
            _ => None,
        }
    }

    /// Shows its present values; how many do not fit their places.
    pub fn refresh(&self) -> usize {
        match &self.side {
            Side::Modbus(device, unit, _) => {
                let mut device = device.lock().unwrap();
                unit.settle(&mut device);
                unit.refresh(&device)
            }
            Side::Line(device, handle) => handle.refresh(&device.lock().unwrap()),
            Side::Mqtt(..) => 0,
        }
    }
}

/// A model with the members that a twin has in its groups.
#[derive(Clone)]
struct Model {
    profile: Arc<Profile>,
    /// As a device says it; empty for the usual number.
    groups: String,
}

/// Every built-in model: with the usual number of members, with one, and with all.
fn models(library: &Library) -> Vec<Model> {
    let mut models = Vec::new();
    for (id, _) in BUILT_IN.iter() {
        let (usual, full) = (library.get(id).unwrap(), library.full(id).unwrap());
        let sized = |size: &dyn Fn(&Group) -> u16| {
            let sizes: Vec<u16> = full.groups.iter().map(size).collect();
            let names = full.groups.iter().map(|group| &*group.name).zip(&sizes);
            let said: Vec<String> = names.map(|(name, size)| format!("{name} = {size}")).collect();
            let groups = format!("groups = {{ {} }}\n", said.join(", "));
            Model { profile: Arc::new(full.sized(&sizes)), groups }
        };
        if !usual.groups.is_empty() && full.groups.iter().any(|group| group.max > group.count) {
            models.extend([sized(&|_| 1), sized(&|group| group.max)]);
        }
        models.push(Model { profile: usual, groups: String::new() });
    }
    models
}

/// All twins, served, and the settings that read them.
pub struct Twins {
    /// In the order of the settings' devices.
    pub all: Vec<Twin>,
    pub settings: Settings,
    /// Where the broker listens.
    pub broker: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _broker: EmbeddedBroker,
}

/// What is put together.
struct Site {
    text: String,
    all: Vec<Twin>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Site {
    fn bus(&mut self, id: &str, key: &str, at: SocketAddr) {
        let line = if key == "tcp" { "" } else { "baud = 115200\nframe = \"8E1\"\n" };
        writeln!(self.text, "[[bus]]\nid = \"{id}\"\n{key} = \"{at}\"\n{line}").unwrap();
    }

    fn device(&mut self, model: &Model, reached: &str, over: &'static str, side: Side) {
        let id = format!("d{}", self.all.len());
        let Model { profile, groups } = model;
        let named = format!("[[device]]\nid = \"{id}\"\nprofile = \"{}\"\n", profile.id);
        writeln!(self.text, "{named}{groups}{reached}\n").unwrap();
        self.all.push(Twin { over, side });
    }

    async fn modbus(&mut self, models: &[Model], framing: Framing) {
        let (key, over) = match framing {
            Framing::Tcp => ("tcp", "Modbus TCP"),
            Framing::Rtu => ("rtu_over_tcp", "Modbus RTU"),
        };
        for (number, some) in models.chunks(UNITS).enumerate() {
            let bus = format!("{}-{number}", key.replace('_', "-"));
            let mut server = ModbusServer::bind("127.0.0.1:0", framing).await.unwrap();
            let at = server.address().unwrap();
            self.bus(&bus, key, at);
            for (id, model) in (1u8..).zip(some) {
                let device = Device::new(Arc::clone(&model.profile), u64::from(id));
                let unit = Unit::of(&device).unwrap();
                server.add(id, unit.clone());
                let reached = format!("bus = \"{bus}\"\nunit = {id}\nperiod = \"1h\"");
                let endpoint = Endpoint { at, framing, unit: id };
                let side = Side::Modbus(Arc::new(Mutex::new(device)), unit, endpoint);
                self.device(model, &reached, over, side);
            }
            let stop = self.stop.clone();
            self.tasks.spawn(server.run(stop));
        }
    }

    fn meters(&mut self, models: &[Model]) {
        for (number, model) in models.iter().enumerate() {
            let (digits, address, over) = match &model.profile.binding {
                Binding::Dlt645(_) => {
                    let digits = format!("{:012}", number + 1);
                    let address = BusAddress::Dlt645(digits.parse().unwrap());
                    (digits, address, "DL/T 645")
                }
                _ => {
                    let digits = format!("{:014}", number + 1);
                    let address = BusAddress::Cjt188(digits.parse().unwrap());
                    (digits, address, "CJ/T 188")
                }
            };
            let device = Device::new(Arc::clone(&model.profile), 7);
            let slave = Slave::of(&device, address, Some(LINE)).unwrap().delay(Duration::ZERO);
            let line = Line::builder().settings(LINE).slave(slave).build();
            let handle = line.handle(address).unwrap();
            let (at, serving) = line.listen("127.0.0.1:0").unwrap();
            let bus = format!("line-{number}");
            self.bus(&bus, "rtu_over_tcp", at);
            let reached = format!("bus = \"{bus}\"\naddress = \"{digits}\"\nperiod = \"1h\"");
            let side = Side::Line(Arc::new(Mutex::new(device)), handle);
            self.device(model, &reached, over, side);
            let stop = self.stop.clone();
            self.tasks.spawn(async move { serving.run(stop).await.unwrap() });
        }
    }

    fn messengers(&mut self, models: &[Model], port: u16) {
        let mut devices = Vec::new();
        let mut presences = Vec::new();
        for (number, model) in models.iter().enumerate() {
            let base = format!("twin/{number}");
            let mut device = Device::new(Arc::clone(&model.profile), 7);
            device.keep_still();
            let (device, presence) = MqttDevice::new(device, &base, EVERY);
            devices.push(device.clone());
            presences.push(presence);
            let reached = format!("topic = \"{base}\"");
            self.device(model, &reached, "MQTT", Side::Mqtt(device, base));
        }
        let fleet = MqttFleet { host: "127.0.0.1".into(), port, devices };
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            fleet.run(stop).await;
            drop(presences);
        });
    }
}

impl Twins {
    pub async fn start() -> Self {
        let broker = EmbeddedBroker::start("twins", 40).await.unwrap();
        let port = broker.address().port();
        let text =
            format!("[gateway]\nid = \"twins\"\n[mqtt]\nhost = \"127.0.0.1\"\nport = {port}\n\n");
        let (stop, tasks) = (CancellationToken::new(), JoinSet::new());
        let mut site = Site { text, all: Vec::new(), stop, tasks };
        let library = Library::load(&[]).unwrap();
        let all = models(&library);
        let of = |wanted: fn(&Binding) -> bool| -> Vec<Model> {
            all.iter().filter(|model| wanted(&model.profile.binding)).cloned().collect()
        };
        let modbus = of(|binding| matches!(binding, Binding::Modbus { .. }));
        site.modbus(&modbus, Framing::Tcp).await;
        site.modbus(&modbus, Framing::Rtu).await;
        site.meters(&of(|binding| matches!(binding, Binding::Dlt645(_) | Binding::Cjt188(_))));
        site.messengers(&of(|binding| matches!(binding, Binding::Mqtt(_))), port);
        let Site { text, all, stop, tasks } = site;
        let settings =
            config::parse("twins.toml", &text, &library).unwrap_or_else(|wrong| panic!("{wrong}"));
        let at = broker.address();
        Self { all, settings, broker: at, stop, tasks, _broker: broker }
    }

    /// The twins whose values do not fit their places.
    pub fn misfits(&self) -> Vec<String> {
        let mut told = Vec::new();
        for twin in &self.all {
            let misfits = twin.refresh();
            if misfits > 0 {
                twin.with(|held| told.push(format!("{}: {misfits}", held.profile().id)));
            }
        }
        told
    }

    /// Every twin keeps one of its points back, the one in the middle; which. The valve of a meter
    /// of CJ/T 188 is part of its status and cannot be kept back: there it is the first one.
    pub fn withhold(&self) -> Vec<usize> {
        let keep_back = |twin: &Twin| {
            let slot = twin.with(|device| {
                let profile = device.profile();
                let meter = matches!(profile.binding, Binding::Cjt188(_));
                let slot = if meter { 0 } else { profile.points.len() / 2 };
                device.withhold(slot);
                slot
            });
            twin.refresh();
            slot
        };
        self.all.iter().map(keep_back).collect()
    }

    /// Lets time pass for all of them.
    pub fn step(&self, seconds: f64) {
        for twin in &self.all {
            twin.with(|device| device.step(seconds));
            twin.refresh();
        }
    }

    /// Ends them.
    pub async fn end(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}
