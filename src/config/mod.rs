//! The configuration of the gateway: composed of what each module reads for itself, checked as a
//! whole before anything is opened.
//!
//! ```text
//!  linli.toml, conf.d/*.toml ─► sections ─► devices × profiles ─► claims, budgets ─► Settings
//!                                  └───────────── faults, all of them ─────────────► Faults
//! ```
//! Drop-in files hold only `[[bus]]` and `[[device]]`. Relative paths count from the folder of the
//! file that names them.

mod alarms;
mod broadcast;
mod broker;
mod claims;
mod device;
pub mod edit;
mod estate;
mod library;
mod lines;
mod load;
mod machine;
mod migrate;
mod model;
mod page;
mod read;
mod stars;
#[cfg(test)]
mod tests;
mod time;
mod wired;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use broker::is_local;
use library::Profiles;
use machine::Machine;
pub use migrate::{Migrated, migrate};

use crate::driver::bus::Weight;
use crate::driver::{Act, BusAddress, BusConfig, LineSettings};
use crate::model::{DeviceId, EstateKind, GatewayId, Point};
use crate::profile::{Library, Profile};
use crate::settings::{Document, Fault, Faults, Place};
use crate::{alarm, buffer, clock, command, driver, history, starlevel, status, uplink};

/// Everything that the daemon needs to know, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// This gateway.
    pub gateway: GatewayId,
    /// Name of the estate, for people.
    pub name: String,
    /// New or retrofitted: decides the target star.
    pub estate_kind: EstateKind,
    /// The clock.
    pub clock: clock::Config,
    /// Folders with profiles beside those built in.
    pub profile_dirs: Vec<PathBuf>,
    /// The buses.
    pub buses: Vec<BusSettings>,
    /// The field broker, when devices publish.
    pub mqtt: Option<driver::mqtt::Config>,
    /// The devices; their place is their index in the estate.
    pub devices: Vec<DeviceSettings>,
    /// The buffer.
    pub buffer: buffer::Config,
    /// What the points of the last weeks were, for the page.
    pub history: history::Config,
    /// The platform; without it the gateway only collects.
    pub uplink: Option<uplink::Config>,
    /// Commands.
    pub commands: command::Config,
    /// The local page, when wanted.
    pub status: Option<status::Config>,
    /// The star-level check.
    pub starlevel: starlevel::Config,
    /// The alarms.
    pub alarms: alarm::Config,
    /// The emergency broadcast.
    pub broadcast: crate::broadcast::Config,
    /// The log.
    pub log: LogConfig,
    /// What is allowed but worth a look.
    pub notes: Vec<Fault>,
}

impl Settings {
    /// How the page of a running gateway is reached from this machine, when it has one.
    pub fn page(&self) -> Option<status::Page> {
        self.status.as_ref().map(|page| status::Page::of(page, &self.buffer.path))
    }
}

/// One bus.
#[derive(Debug, Clone, PartialEq)]
pub struct BusSettings {
    /// How it is reached.
    pub config: BusConfig,
    /// What the polls of its devices cost, estimated, and what would lighten them.
    pub weight: Weight,
    /// Its devices, the costliest first.
    pub devices: Vec<DeviceId>,
    /// Where it stands in the file.
    pub at: Place,
}

/// One device.
#[derive(Debug, Clone)]
pub struct DeviceSettings {
    /// Its identifier.
    pub id: DeviceId,
    /// What people call it; may be empty.
    pub name: String,
    /// Where it is; may be empty.
    pub place: String,
    /// Whom it belongs to: its own, else the estate's; may be empty.
    pub owner: String,
    /// Who maintains it: its own, else the estate's; may be empty.
    pub maintainer: String,
    /// Its model.
    pub profile: Arc<Profile>,
    /// How it is reached.
    pub connection: Connection,
    /// Values of the profile's parameters, in their order.
    pub params: Vec<f64>,
    /// Commands of its profile that may be ordered, by name.
    pub commands: Vec<Arc<str>>,
    /// File with what a DL/T 645 meter wants with a relay command: level, password, operator.
    pub key_file: Option<PathBuf>,
    /// How long the link to the platform may be silent before what it ordered ends; that of
    /// `[commands]` when `None`.
    pub safe_after: Option<Duration>,
    /// How often it is read; for MQTT, how often a message is expected.
    pub period: Duration,
    /// Rules of alarms that it changes for itself.
    pub alarms: Vec<alarm::Changed>,
    /// The profile's points; a list of its own where `[device.report]` changes one.
    pub points: Arc<[Point]>,
    /// Where it stands in the file, for faults that show later.
    pub at: Place,
}

/// How a device is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// On a bus.
    Bus {
        /// Index into [`Settings::buses`].
        bus: usize,
        /// Where it answers there.
        address: BusAddress,
        /// How its line is set: by the device, else by the bus, else by the model.
        line: LineSettings,
        /// What may be done to it.
        allow: Vec<Act>,
    },
    /// At the field broker.
    Mqtt {
        /// Base topic; patterns of the profile put it for `{base}`.
        base: String,
    },
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Fields to journald when it started us, else text.
    #[default]
    Auto,
    /// Text on standard error.
    Text,
    /// Fields to journald.
    Journald,
}

/// Settings of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// Least level that is written: `error`, `warn`, `info`, `debug`, `trace`.
    pub level: &'static str,
    /// How.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info", format: LogFormat::Auto }
    }
}

/// A configuration that is not accepted.
#[derive(Debug)]
pub struct Refused {
    /// What is wrong.
    pub faults: Faults,
    /// The buses as weighed, when they carry too much and nothing else is wrong; else none.
    pub buses: Vec<BusSettings>,
}

impl From<Faults> for Refused {
    fn from(faults: Faults) -> Self {
        Self { faults, buses: Vec::new() }
    }
}

/// Reads a configuration file, the drop-ins in `conf.d/` beside it and the profiles that it names,
/// and asks the machine about the paths in it. Opens no line, no port, no buffer.
///
/// # Errors
/// Everything that is wrong, all at once.
pub fn load(path: &Path) -> Result<Settings, Faults> {
    examine(path).map_err(|refused| refused.faults)
}

/// The same as [`load`]; one that is wrong only because its buses carry too much still shows them.
///
/// # Errors
/// Everything that is wrong, all at once.
pub fn examine(path: &Path) -> Result<Settings, Refused> {
    examine_files(&read_files(path, read_file(path)), Machine::Ask)
}

/// As [`examine`], without asking the machine about the paths: for users whose rights are not
/// those of the service.
///
/// # Errors
/// Everything that is wrong with the text, all at once.
pub fn examine_text(path: &Path) -> Result<Settings, Refused> {
    examine_files(&read_files(path, read_file(path)), Machine::Ignore)
}

/// As [`examine`], with `main` as the content of the main file, which need not lie there yet.
///
/// # Errors
/// Everything that is wrong, all at once.
pub fn examine_with(path: &Path, main: String) -> Result<Settings, Refused> {
    examine_files(&read_files(path, Ok(main)), Machine::Ask)
}

/// As [`examine`], of files that need not lie there yet: each path says where its text would.
///
/// # Errors
/// Everything that is wrong, all at once.
pub fn examine_texts(texts: &[(PathBuf, String)]) -> Result<Settings, Refused> {
    let files: Vec<_> = texts.iter().map(|(path, text)| (path.clone(), Ok(text.clone()))).collect();
    examine_files(&files, Machine::Ask)
}

/// As [`examine_texts`], where nobody may write what the gateway writes: everything else is asked.
///
/// # Errors
/// Everything that is wrong, all at once.
pub fn examine_texts_reading(texts: &[(PathBuf, String)]) -> Result<Settings, Refused> {
    let files: Vec<_> = texts.iter().map(|(path, text)| (path.clone(), Ok(text.clone()))).collect();
    examine_files(&files, Machine::AskReading)
}

/// The files of a configuration with their content: the main file, then its drop-ins by name.
///
/// # Errors
/// Every file that cannot be read.
pub fn texts(path: &Path) -> Result<Vec<(PathBuf, String)>, Faults> {
    let mut texts = Vec::new();
    let mut faults = Vec::new();
    for (path, read) in read_files(path, read_file(path)) {
        match read {
            Ok(text) => texts.push((path, text)),
            Err(fault) => faults.push(*fault),
        }
    }
    if faults.is_empty() { Ok(texts) } else { Err(Faults::new(faults)) }
}

/// A file with its content, or why it cannot be read.
type File = (PathBuf, Result<String, Box<Fault>>);

/// The main file, of which `main` is known, then its drop-ins.
fn read_files(path: &Path, main: Result<String, Box<Fault>>) -> Vec<File> {
    let mut files = vec![(path.to_owned(), main)];
    let folder = path.parent().unwrap_or(Path::new("")).join("conf.d");
    match drop_ins(&folder) {
        Ok(paths) => files.extend(paths.into_iter().map(|path| {
            let text = read_file(&path);
            (path, text)
        })),
        Err(fault) => files.push((folder, Err(fault))),
    }
    files
}

fn examine_files(files: &[File], machine: Machine) -> Result<Settings, Refused> {
    let mut faults = Vec::new();
    let mut documents = Vec::with_capacity(files.len());
    for (path, text) in files {
        let folder = path.parent().unwrap_or(Path::new(""));
        let parsed = text
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|text| Document::parse(&path.display().to_string(), text, folder));
        match parsed {
            Ok(document) => documents.push(document),
            Err(fault) => faults.push(*fault),
        }
    }
    // Without one of its files, or with one that is no TOML, the rest would only raise echoes.
    if !faults.is_empty() {
        return Err(Faults::new(faults).into());
    }
    let mut library = Err(Vec::new());
    read::settings(&documents, machine, |dirs| {
        library = Library::load(dirs);
        match &library {
            Ok(library) => Ok(library as &dyn Profiles),
            Err(wrong) => Err(wrong.clone()),
        }
    })
    .map_err(|wrong| wrong.with(documents))
}

/// Reads one text as the file `name`, with these profiles. Asks the machine about nothing.
///
/// # Errors
/// Everything that is wrong, all at once.
pub fn parse(name: &str, text: &str, library: &Library) -> Result<Settings, Faults> {
    parse_with(name, text, library)
}

fn parse_with(name: &str, text: &str, profiles: &dyn Profiles) -> Result<Settings, Faults> {
    let document =
        Document::parse(name, text, Path::new("")).map_err(|fault| Faults::new(vec![*fault]))?;
    let documents = [document];
    read::settings(&documents, Machine::Ignore, |_| Ok(profiles))
        .map_err(|wrong| wrong.with(documents).faults)
}

fn read_file(path: &Path) -> Result<String, Box<Fault>> {
    std::fs::read(path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| {
            String::from_utf8(bytes)
                .map_err(|error| format!("byte {} is not UTF-8", error.utf8_error().valid_up_to()))
        })
        .map_err(|problem| {
            let place = Place::of_file(&path.display().to_string());
            let problem = (format!("cannot be read: {problem}"), format!("无法读取：{problem}"));
            Box::new(Fault::new(place, problem))
        })
}

/// The drop-in files of a configuration, in the order of their names.
fn drop_ins(folder: &Path) -> Result<Vec<PathBuf>, Box<Fault>> {
    let wrong = |error: std::io::Error| {
        let place = Place::of_file(&folder.display().to_string());
        let problem = (format!("cannot be listed: {error}"), format!("无法列出其内容：{error}"));
        Box::new(Fault::new(place, problem))
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
