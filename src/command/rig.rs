//! A core with three chargers, for the tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ring::signature::Ed25519KeyPair;

use super::config::Config;
use super::core::Core;
use super::input::{Effects, Input, Now, Told, Work, Write, WriteFault};
use super::target::Target;
use crate::model::{
    Category, CommandId, CommandOutcome, CommandReport, CommandRequest, CommandSource, Device,
    DeviceId, DeviceIndex, Estate, EstateKind, GatewayId, Health, Moment, PointIndex, Reading,
    Refusal, Snapshot, Value,
};
use crate::profile::{Profile, parse};
use crate::store::{Limits, Store, Tree};

const CHARGER: &str = r#"
category = "ev_charger"
title = { zh = "桩", en = "charger" }
products = [{ brand = "Acme", model = "C1" }]
sources = ["manual"]

[modbus]
baud = 9600
frame = "8N1"
table = "holding"
encoding = "u16"

[[points]]
name = "currentLimit"
unit = "A"
decimals = 1
factor = 0.1
address = 0

[[commands]]
name = "currentLimit"
zh = "电流上限"
en = "current limit"
kind = "number"
unit = "A"
range = [6, 32]
decimals = 1
factor = 0.1
address = 10
read_back = "currentLimit"
within = "5s"
safe = 6
keep_alive = "60s"

[[commands]]
name = "reset"
zh = "复位"
en = "reset"
kind = "trigger"
on = 0xFF
address = 500

[[commands]]
name = "factory"
zh = "恢复出厂"
en = "factory settings"
kind = "trigger"
on = 1
address = 501

[[examples]]
registers = [{ table = "holding", address = 0, words = [160] }]
readings = { currentLimit = 16 }
writes = [
  { command = "currentLimit", value = 16, registers = [{ table = "holding", address = 10, words = [160] }] },
  { command = "reset", registers = [{ table = "holding", address = 500, words = [255] }] },
  { command = "factory", registers = [{ table = "holding", address = 501, words = [1] }] },
]
"#;

/// 2026-11-28, milliseconds since 1970.
pub const TODAY: i64 = 1_795_824_000_000;

pub fn charger() -> Arc<Profile> {
    Arc::new(parse("c1.toml", CHARGER).expect("a good profile").profile)
}

/// Three chargers; the first two are online.
pub fn snapshot(profile: &Profile) -> Snapshot {
    let device = |name: &str| {
        let id = DeviceId::new(name).unwrap();
        Device::new(id, Category::EvCharger, Duration::from_secs(30), profile.points.clone())
    };
    let devices = ["c1", "c2", "c3"].map(device).to_vec();
    let gateway = GatewayId::new("estate-1").unwrap();
    let estate = Estate::new(gateway, String::new(), EstateKind::New, devices).unwrap();
    let snapshot = Snapshot::new(Arc::new(estate), Moment::default());
    for index in [0, 1] {
        snapshot.with(DeviceIndex(index), |state| state.health = Health::Online);
    }
    snapshot
}

pub fn targets(profile: &Arc<Profile>) -> Vec<Target> {
    let target = |(index, id): (u32, &str)| Target {
        index: DeviceIndex(index),
        id: DeviceId::new(id).unwrap(),
        profile: Arc::clone(profile),
        params: Vec::new(),
        commands: vec!["currentLimit".into(), "reset".into()],
        acts: Vec::new(),
        safe_after: None,
    };
    [(0, "c1"), (1, "c2"), (2, "c3")].map(target).to_vec()
}

/// The core over a store in a folder of its own.
pub struct Rig {
    pub core: Core,
    pub config: Config,
    pub tree: Tree,
    pub now: Now,
    _folder: tempfile::TempDir,
    ticket: u64,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&path(&folder), Limits::default()).unwrap();
        let tree = store.tree("commands");
        let now = Now { at: Moment { boot_ms: 1_000_000 }, wall_ms: TODAY, trusted: true };
        let core = core(&config, &tree, now.at);
        Self { core, config, tree, now, _folder: folder, ticket: 0 }
    }

    /// The daemon is killed and starts again; nothing but the store is left. The platform's link
    /// is down, as it is then.
    pub fn restart(&mut self) {
        self.core = core(&self.config, &self.tree, self.now.at);
    }

    pub fn pass(&mut self, span: Duration) {
        self.now.at = self.now.at.plus(span);
        self.now.wall_ms += i64::try_from(span.as_millis()).unwrap();
    }

    /// Takes an input and keeps what is to be kept.
    pub fn apply(&mut self, input: Input) -> Effects {
        let mut effects = self.core.apply(input, self.now);
        self.tree.apply(std::mem::take(&mut effects.changes)).unwrap();
        effects
    }

    /// Time goes on, second by second; everything that followed.
    pub fn run(&mut self, span: Duration) -> Effects {
        let mut all = Effects::default();
        for _ in 0..span.as_secs() {
            self.pass(Duration::from_secs(1));
            let effects = self.apply(Input::Tick);
            all.merge(effects, |_| ());
        }
        all
    }

    /// Orders; the answer and what follows.
    pub fn order(&mut self, request: CommandRequest) -> (CommandReport, Effects) {
        self.ticket += 1;
        let ticket = self.ticket;
        let effects = self.apply(Input::Order { ticket, request });
        (answer(&effects, ticket), effects)
    }

    /// The platform publishes.
    pub fn message(
        &mut self,
        id: &str,
        payload: &[u8],
        retained: bool,
    ) -> (CommandReport, Effects) {
        self.ticket += 1;
        let (ticket, id, payload) = (self.ticket, id.to_owned(), payload.to_vec());
        let effects = self.apply(Input::Message { ticket, id, payload, retained });
        (answer(&effects, ticket), effects)
    }

    pub fn limit(&self, id: &str, value: f64) -> CommandRequest {
        CommandRequest {
            id: CommandId::new(id).unwrap(),
            device: "c1".into(),
            command: "currentLimit".into(),
            value: Some(Value::Number(value)),
            issued_ms: self.now.wall_ms,
            expires_ms: self.now.wall_ms + 60_000,
            until_ms: None,
            by: "duty officer".into(),
            source: CommandSource::Platform,
            signature: None,
        }
    }

    pub fn written(&mut self, work: &Work, result: Result<(), WriteFault>) -> Effects {
        let work = work.clone();
        self.apply(Input::Written { work, result })
    }

    /// The point shows a value from now on.
    pub fn show(&mut self, device: u32, value: f64) {
        let reading = Reading::good(PointIndex(0), Value::Number(value));
        let at = self.now.at;
        self.core.snapshot.with(DeviceIndex(device), |state| state.apply(at, &reading));
    }

    pub fn health(&mut self, device: u32, health: Health) {
        self.core.snapshot.with(DeviceIndex(device), |state| state.health = health);
    }

    /// A limit that the device took and shows.
    pub fn done(&mut self, id: &str, value: f64) {
        let request = self.limit(id, value);
        let (report, effects) = self.order(request);
        assert_eq!(report.outcome, CommandOutcome::Accepted);
        self.written(&effects.writes[0].work, Ok(()));
        self.show(0, value);
        let told = self.apply(Input::Tick).told;
        assert!(matches!(told[0].report.outcome, CommandOutcome::Done { .. }), "{told:?}");
    }
}

fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("store")
}

fn core(config: &Config, tree: &Tree, now: Moment) -> Core {
    let profile = charger();
    let known = ("estate-1".to_owned(), config.clone());
    Core::load(known, targets(&profile), snapshot(&profile), tree, now).unwrap()
}

fn answer(effects: &Effects, ticket: u64) -> CommandReport {
    let found = effects.answers.iter().find(|(to, _)| *to == ticket);
    found.and_then(|(_, told)| told.clone()).expect("everybody is answered").report
}

pub fn refusal(report: &CommandReport) -> Refusal {
    match &report.outcome {
        CommandOutcome::Refused { reason, .. } => *reason,
        other => panic!("not refused: {other:?}"),
    }
}

/// What was written, for a look.
pub fn words(write: &Write) -> Vec<u16> {
    use crate::profile::Written;
    match &write.what {
        super::target::What::Written(Written::Registers { words, .. }) => words.clone(),
        other => panic!("no registers: {other:?}"),
    }
}

/// Id and outcome of each.
pub fn outcomes(told: &[Told]) -> Vec<(String, &'static str)> {
    told.iter().map(|told| (told.report.id.to_string(), told.report.outcome.word())).collect()
}

/// A key to sign with, and its public half in hex.
pub fn key(seed: u8) -> (Ed25519KeyPair, String) {
    use ring::signature::KeyPair as _;
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let public = hex(pair.public_key().as_ref());
    (pair, public)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Signs a request for this gateway.
pub fn sign(request: &mut CommandRequest, pair: &Ed25519KeyPair) {
    request.signature = Some(hex(pair.sign(&request.signed_bytes("estate-1")).as_ref()));
}
