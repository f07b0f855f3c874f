//! Reads the sections in their order and checks them against each other.

use std::path::PathBuf;

use super::claims::{Claim, Claims};
use super::device::{Buses, read_devices};
use super::library::{Profiles, folders, take_library};
use super::lines::check_lines;
use super::load::weigh_buses;
use super::machine::{Files, Machine};
use super::model::Models;
use super::page;
use super::{
    BusSettings, LogConfig, LogFormat, Refused, Settings, alarms, broadcast, broker, stars,
};
use crate::broker::BrokerConfig;
use crate::driver::bus::weigh;
use crate::driver::{BusConfig, Transport};
use crate::model::{EstateKind, GatewayId};
use crate::profile::ProfileFault;
use crate::settings::{self, Document, Fault, Faults, Place, Section};
use crate::{alarm, buffer, clock, command, driver, history, starlevel, status, uplink};

/// What people call our sections.
const OTHER_SECTIONS: &[(&str, &str)] = &[
    ("devices", "device"),
    ("meter", "device"),
    ("buses", "bus"),
    ("modbus", "bus"),
    ("serial", "bus"),
    ("broker", "mqtt"),
    ("field", "mqtt"),
    ("platform", "uplink"),
    ("cloud", "uplink"),
    ("storage", "buffer"),
    ("store", "buffer"),
    ("charts", "history"),
    ("web", "status"),
    ("http", "status"),
    ("starlevel", "stars"),
    ("alarm", "alarms"),
    ("warnings", "alarms"),
    ("broadcasts", "broadcast"),
    ("emergency", "broadcast"),
    ("logging", "log"),
    ("command", "commands"),
    ("control", "commands"),
];

/// What is gathered on the way.
#[derive(Default)]
pub(super) struct Context<'s> {
    pub claims: Claims,
    pub faults: Vec<Fault>,
    pub notes: Vec<Fault>,
    pub profiles: Option<&'s dyn Profiles>,
    pub models: Models,
    /// Files that devices name.
    pub keys: Files,
}

impl Context<'_> {
    /// Claims a thing for the place; a fault when it is taken.
    pub fn claim(&mut self, claim: Claim, place: Place) {
        if let Err(fault) = self.claims.take(claim, place) {
            self.faults.push(*fault);
        }
    }
}

/// What was found while reading, when that is no configuration.
#[derive(Debug)]
pub(super) struct Wrong {
    faults: Vec<Fault>,
    buses: Vec<BusSettings>,
}

impl Wrong {
    fn all(faults: Vec<Fault>) -> Self {
        Self { faults, buses: Vec::new() }
    }

    /// With the faults of single values, which stayed in the documents.
    pub fn with<'d>(mut self, documents: impl IntoIterator<Item = Document<'d>>) -> Refused {
        self.faults.extend(documents.into_iter().flat_map(Document::into_faults));
        Refused { faults: Faults::new(self.faults), buses: self.buses }
    }
}

struct Gateway {
    id: Option<GatewayId>,
    name: String,
    owner: String,
    maintainer: String,
    kind: EstateKind,
    profile_dirs: Vec<PathBuf>,
}

/// Reads the main document and its drop-ins. Faults of single values stay in the documents; those
/// found here are returned.
pub(super) fn settings<'s>(
    documents: &[Document<'_>],
    machine: Machine,
    library: impl FnOnce(&[PathBuf]) -> Result<&'s dyn Profiles, Vec<ProfileFault>>,
) -> Result<Settings, Wrong> {
    let mut roots: Vec<Section<'_>> = documents.iter().map(Document::root).collect();
    let Some((root, _)) = roots.split_first_mut() else {
        return Err(Wrong::all(Vec::new()));
    };
    root.other_names(OTHER_SECTIONS);
    root.require("gateway", "a table [gateway] with at least `id`");
    let gateway = root.section("gateway").map(|mut section| read_gateway(&mut section, machine));
    let dirs = gateway.as_ref().map_or(&[][..], |gateway| &gateway.profile_dirs);
    let mut context = Context::default();
    take_library(library(dirs), &mut context);
    let mut files = Files::default();
    let gateway_id = gateway.as_ref().and_then(|gateway| gateway.id.as_ref());
    let id_text = gateway_id.map_or("", GatewayId::as_str).to_owned();
    let mut parts = read_parts(root, &id_text, &mut context, &mut files);
    let mut buses = Vec::new();
    let mut names = Vec::new();
    for root in &mut roots {
        read_buses(root, &mut context, &mut files, &mut buses, &mut names);
    }
    let silent_after = parts.mqtt.as_ref().map(|mqtt| mqtt.silent_after);
    let of_all = |text: fn(&Gateway) -> &str| gateway.as_ref().map_or("", text);
    let (owner, maintainer) = (of_all(|g| &g.owner), of_all(|g| &g.maintainer));
    let known = Buses { buses: &buses, names: &names, silent_after, owner, maintainer };
    let mut devices = Vec::new();
    for root in &mut roots {
        devices.extend(read_devices(root, &known, &mut context));
    }
    files.readable.append(&mut context.keys.readable);
    let sound = context.faults.is_empty();
    weigh_buses(&mut buses, &devices, &mut context);
    let carried = context.faults.is_empty();
    check_lines(&buses, &devices, &mut context);
    super::time::check(&parts.clock, &devices, &mut context);
    let nobody = || Fault::new(roots[0].head(), ("no device is configured", "没有配置任何设备"));
    context.notes.extend(devices.is_empty().then(nobody));
    machine.leave_out(&mut files);
    if machine.is_asked() {
        ask(&files, &buses, &mut parts, &mut context);
    }
    alarms::settle(&mut parts.alarms, &devices, machine, &mut context);
    check_warnings(&parts, &devices, machine, &mut context);
    drop(roots);
    let written = documents.iter().all(Document::is_clean);
    let Some((id, gateway)) = gateway
        .and_then(|gateway| Some((gateway.id.clone()?, gateway)))
        .filter(|_| written && context.faults.is_empty())
    else {
        // Figures of a part of the devices would mislead.
        let buses = if written && sound && !carried { buses } else { Vec::new() };
        return Err(Wrong { faults: context.faults, buses });
    };
    Ok(Settings {
        gateway: id,
        name: gateway.name,
        estate_kind: gateway.kind,
        clock: parts.clock,
        profile_dirs: gateway.profile_dirs,
        buses,
        mqtt: parts.mqtt,
        devices,
        buffer: parts.buffer,
        history: parts.history,
        uplink: parts.uplink,
        commands: parts.commands,
        status: parts.status,
        starlevel: parts.starlevel,
        alarms: parts.alarms,
        broadcast: parts.broadcast,
        log: parts.log,
        notes: context.notes,
    })
}

/// Whether zones, drills and alarm rules fit the devices and the templates; not by templates of a file
/// that is not read.
fn check_warnings(
    parts: &Parts,
    devices: &[super::DeviceSettings],
    machine: Machine,
    context: &mut Context<'_>,
) {
    broadcast::check(&parts.broadcast, parts.broadcast_at.as_ref(), devices, context);
    if machine.is_asked() || parts.broadcast.texts_file.is_none() {
        alarms::check_templates(&parts.alarms, &parts.broadcast.texts, devices, context);
    }
}

/// Asks the machine about the paths, and reads the files that are part of the configuration.
fn ask(files: &Files, buses: &[BusSettings], parts: &mut Parts, context: &mut Context<'_>) {
    files.check(&mut context.faults, &mut context.notes);
    same_line_twice(buses, &mut context.faults);
    stars::read_files(&mut parts.starlevel, context);
    broadcast::read_files(&mut parts.broadcast, context);
}

fn read_gateway(section: &mut Section<'_>, machine: Machine) -> Gateway {
    section.other_names(&[
        ("profile_dirs", "profiles"),
        ("estate", "name"),
        ("estate_kind", "kind"),
    ]);
    section.require("id", "the gateway's name at the platform, e.g. \"jinan-lixia-0107\"");
    let kinds = [EstateKind::New, EstateKind::OldRetrofit].map(|kind| (kind.word(), kind));
    let profile_dirs = folders(section, machine);
    Gateway {
        id: section.parsed("id", "lower-case letters, digits, `.`, `_` and `-`", |text| {
            GatewayId::new(text).map_err(|_| settings::Wrong::no_identifier())
        }),
        name: section.text_or("name", ""),
        owner: section.text_or("owner", ""),
        maintainer: section.text_or("maintainer", ""),
        kind: section.word_or("kind", &kinds, EstateKind::default()),
        profile_dirs,
    }
}

struct Parts {
    clock: clock::Config,
    log: LogConfig,
    mqtt: Option<driver::mqtt::Config>,
    buffer: buffer::Config,
    history: history::Config,
    uplink: Option<uplink::Config>,
    commands: command::Config,
    status: Option<status::Config>,
    starlevel: starlevel::Config,
    alarms: alarm::Config,
    broadcast: crate::broadcast::Config,
    broadcast_at: Option<Place>,
}

/// Reads everything but buses and devices.
fn read_parts(
    root: &mut Section<'_>,
    gateway: &str,
    context: &mut Context<'_>,
    files: &mut Files,
) -> Parts {
    let clock =
        root.section("clock").map_or_else(Default::default, |mut s| clock::Config::read(&mut s));
    let log = root.section("log").map_or_else(Default::default, |mut s| read_log(&mut s));
    let buffer_at = root.place("buffer");
    let (buffer, buffer_at) = match root.section("buffer") {
        Some(mut section) => (buffer::Config::read(&mut section), section.place("path")),
        None => (buffer::Config::default(), buffer_at),
    };
    files.writable.push((buffer.path.clone(), buffer_at));
    let history = root.section("history").map_or_else(Default::default, |mut section| {
        let config = history::Config::read(&mut section);
        files.writable.extend(config.path.clone().map(|path| (path, section.place("path"))));
        config
    });
    let mqtt = root.section("mqtt").map(|mut section| {
        let default = driver::mqtt::Config::default().broker;
        let broker = broker::read(&mut section, gateway, &default, files, &mut context.notes);
        claim_client(&section, &broker, context);
        if broker::is_local(&broker.host) {
            context.claim(Claim::Port(broker.port), section.place("port"));
        }
        driver::mqtt::Config::read(&mut section, broker)
    });
    let uplink = root.section("uplink").map(|mut section| {
        section.require("host", "the platform's broker");
        // One id for all gateways would make the platform's broker drop one for the other.
        let default =
            BrokerConfig { client_id: "linli-{gateway}".into(), ..BrokerConfig::default() };
        let broker = broker::read(&mut section, gateway, &default, files, &mut context.notes);
        claim_client(&section, &broker, context);
        uplink::Config::read(&mut section, broker)
    });
    let status = root.section("status").map(|mut section| {
        let status = page::read(&mut section, files, &mut context.notes);
        context.claim(Claim::Port(status.listen.port()), section.place("listen"));
        status
    });
    let starlevel = root.section("stars").map_or_else(Default::default, |mut section| {
        let config = starlevel::Config::read(&mut section);
        for (key, path) in
            [("rule_pack", &config.rule_pack), ("attestations", &config.attestations)]
        {
            files.readable.extend(path.clone().map(|path| (path, section.place(key))));
        }
        config
    });
    let commands = root
        .section("commands")
        .map_or_else(Default::default, |mut section| command::Config::read(&mut section));
    let alarms = root.section("alarms").map_or_else(Default::default, |mut section| {
        let config = alarm::Config::read(&mut section);
        files.readable.extend(config.file.clone().map(|path| (path, section.place("rules_file"))));
        config
    });
    let (broadcast, broadcast_at) = broadcast::read(root, files);
    Parts {
        clock,
        log,
        mqtt,
        buffer,
        history,
        uplink,
        commands,
        status,
        starlevel,
        alarms,
        broadcast,
        broadcast_at,
    }
}

fn claim_client(section: &Section<'_>, broker: &BrokerConfig, context: &mut Context<'_>) {
    let host = if broker::is_local(&broker.host) { "127.0.0.1" } else { &broker.host };
    let claim = Claim::Client(host.to_lowercase(), broker.port, broker.client_id.clone());
    context.claim(claim, section.place("client_id"));
}

fn read_log(section: &mut Section<'_>) -> LogConfig {
    let default = LogConfig::default();
    let levels = ["error", "warn", "info", "debug", "trace"].map(|level| (level, level));
    let formats =
        [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("journald", LogFormat::Journald)];
    LogConfig {
        level: section.word_or("level", &levels, default.level),
        format: section.word_or("format", &formats, default.format),
    }
}

/// Reads `[[bus]]`. `names` also gets the names of buses whose section is faulty, so that their
/// devices are not called faulty too.
fn read_buses(
    root: &mut Section<'_>,
    context: &mut Context<'_>,
    files: &mut Files,
    buses: &mut Vec<BusSettings>,
    names: &mut Vec<String>,
) {
    for mut section in root.sections("bus") {
        let config = BusConfig::read(&mut section);
        if let Some(name) = section.peek("id") {
            names.push(name.to_owned());
            context.claim(Claim::Bus(name.to_owned()), section.place("id"));
        }
        let Some(config) = config else { continue };
        match &config.transport {
            Transport::Serial { path, .. } => {
                context.claim(Claim::serial(path), section.place("serial"));
                files.devices.push((path.into(), section.place("serial")));
            }
            Transport::Tcp { address } => claim_endpoint(context, address, section.place("tcp")),
            Transport::RtuOverTcp { address } => {
                claim_endpoint(context, address, section.place("rtu_over_tcp"));
            }
        }
        let weight = weigh(&config, &[]);
        buses.push(BusSettings { config, weight, devices: Vec::new(), at: section.head() });
    }
}

fn claim_endpoint(context: &mut Context<'_>, address: &str, place: Place) {
    let address = address.to_lowercase();
    if let Some((host, port)) = address.rsplit_once(':')
        && broker::is_local(host)
        && let Ok(port) = port.parse()
    {
        context.claim(Claim::Port(port), place.clone());
    }
    context.claim(Claim::Endpoint(address), place);
}

/// Two device files may be links to one line; only the machine knows.
fn same_line_twice(buses: &[BusSettings], faults: &mut Vec<Fault>) {
    let mut seen = Claims::default();
    for bus in buses {
        if let Transport::Serial { path, .. } = &bus.config.transport
            && let Ok(real) = std::fs::canonicalize(path)
            && let Err(fault) =
                seen.take(Claim::serial(&real.display().to_string()), bus.at.clone())
        {
            faults.push(*fault);
        }
    }
}
