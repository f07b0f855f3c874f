//! Terminals and screens that follow the conventions, around a desk.

use std::collections::BTreeMap;

use super::super::*;
use crate::broadcast::zones::{Target, TargetKind, Zone};
use crate::model::{
    BroadcastLife, BroadcastProof, DeviceId, FactKind, Severity, WarningSource, WarningStatus,
    WarningText,
};

/// Milliseconds of a step.
const STEP: u64 = 250;
/// 2 January 2026, 03:04:05 in China.
const BEGIN: i64 = 1_767_294_245_000;

/// A terminal.
#[derive(Debug, Clone, Default)]
pub struct Terminal {
    pub dead: bool,
    pub fault: bool,
    pub last: Option<String>,
    /// Until when it plays.
    pub until: Option<u64>,
    pub played: Vec<String>,
}

/// A screen.
#[derive(Debug, Clone)]
pub struct Screen {
    pub dead: bool,
    pub text: String,
}

/// All of it.
pub struct Rig {
    pub desk: Desk,
    pub now: Now,
    pub terminals: Vec<Terminal>,
    pub screens: Vec<Screen>,
    pub orders: Vec<(usize, OrderKind)>,
    pub told: Vec<WarningNews>,
    pub facts: Vec<FactKind>,
    pub answers: Vec<String>,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// How long a message sounds, milliseconds.
    pub length: u64,
}

pub fn warning(id: &str, severity: Severity) -> Warning {
    let text = |title: &str, body: &str| WarningText { title: title.into(), body: body.into() };
    Warning {
        id: WarningId::new(id).unwrap(),
        source: WarningSource::Json,
        sender: "city".into(),
        status: WarningStatus::Actual,
        severity,
        event: "fire".into(),
        sent_ms: None,
        start_ms: None,
        end_ms: None,
        zones: Vec::new(),
        zh: text("火警", "请离开"),
        en: text("Fire", "Leave"),
        repeat: 1,
        pause_s: 5,
    }
}

pub fn setup(terminals: usize, screens: usize) -> Setup {
    let target = |name: String, kind, text_limit| Target {
        device: DeviceId::new(&name).unwrap(),
        title: name,
        place: "1 号楼".into(),
        kind,
        text_limit,
        stops: true,
    };
    let targets = (0..terminals)
        .map(|n| target(format!("speaker-{n}"), TargetKind::Terminal, 600))
        .chain((0..screens).map(|n| target(format!("screen-{n}"), TargetKind::Screen, 200)));
    let first = Zone {
        name: "first".into(),
        codes: vec!["371002001005001".into()],
        devices: vec![DeviceId::new("speaker-0").unwrap()],
        ..Zone::default()
    };
    Setup {
        zones: Zones::new(Some("371002001005".into()), vec![first], targets.collect()),
        texts: Arc::new(Texts::built_in()),
        keys: Vec::new(),
        require_signature: false,
        source: Some("237100200000000009".into()),
    }
}

impl Rig {
    pub fn new(terminals: usize, screens: usize) -> Self {
        Self {
            desk: Desk::new(setup(terminals, screens)),
            now: Now { at: Moment { boot_ms: 1000 }, wall_ms: BEGIN, trusted: true },
            terminals: vec![Terminal::default(); terminals],
            screens: vec![Screen { dead: false, text: "欢迎".into() }; screens],
            orders: Vec::new(),
            told: Vec::new(),
            facts: Vec::new(),
            answers: Vec::new(),
            rows: BTreeMap::new(),
            length: 10_000,
        }
    }

    pub fn give(&mut self, input: Input<'_>) -> Result<Option<WarningId>, WarningRefusal> {
        let taken = self.desk.apply(input, self.now);
        self.follow();
        taken
    }

    pub fn payload(&mut self, name: &str, text: &str) {
        self.speak();
        self.give(Input::Message { name, payload: text.as_bytes() }).unwrap();
    }

    /// As our own JSON.
    pub fn json(warning: &Warning) -> String {
        let time = |ms: Option<i64>| {
            ms.map(|ms| jiff::Timestamp::from_millisecond(ms).unwrap().to_string())
        };
        serde_json::json!({
            "v": 1, "id": warning.id, "status": warning.status.word(),
            "severity": warning.severity.word(), "sender": warning.sender,
            "sent": time(warning.sent_ms), "start": time(warning.start_ms),
            "end": time(warning.end_ms), "zones": warning.zones, "zh": warning.zh,
            "en": warning.en, "repeat": warning.repeat, "pause_s": warning.pause_s,
        })
        .to_string()
    }

    pub fn send(&mut self, warning: &Warning) {
        self.payload(warning.id.as_str(), &Self::json(warning));
    }

    /// Does what the desk says; devices follow at once.
    fn follow(&mut self) {
        loop {
            let effects = self.desk.take_effects();
            if effects.is_empty() {
                break;
            }
            for effect in effects {
                match effect {
                    Effect::Order(order) => self.obey(order),
                    Effect::Tell(news) => self.told.push(*news),
                    Effect::Fact(fact) => self.facts.push(fact),
                    Effect::Answer { text, .. } => self.answers.push(text),
                    Effect::Receipts(_) => {}
                }
            }
        }
        for (key, value) in self.desk.changes() {
            match value {
                Some(value) => {
                    assert!(value.len() <= 4096, "a row of {} bytes", value.len());
                    self.rows.insert(key, value);
                }
                None => drop(self.rows.remove(&key)),
            }
        }
        self.desk.kept();
    }

    fn obey(&mut self, order: Order) {
        let Order { ticket, target, kind, .. } = order;
        self.orders.push((target, kind.clone()));
        let ms = self.now.at.boot_ms;
        let done = if let Some(terminal) = self.terminals.get_mut(target) {
            match &kind {
                _ if terminal.dead => {}
                OrderKind::Play(id) => {
                    terminal.last = Some(id.to_string());
                    terminal.until = Some(ms + self.length);
                    terminal.played.push(id.to_string());
                }
                OrderKind::Stop => terminal.until = None,
                _ => {}
            }
            !terminal.dead
        } else {
            let screen = &mut self.screens[target - self.terminals.len()];
            if let (OrderKind::Text(text), false) = (&kind, screen.dead) {
                assert!(text.len() <= 200);
                screen.text.clone_from(text);
            }
            !screen.dead
        };
        self.desk.apply(Input::Outcome { target, ticket, done }, self.now).unwrap();
    }

    fn speak(&mut self) {
        let ms = self.now.at.boot_ms;
        for slot in 0..self.terminals.len() + self.screens.len() {
            let at = self.now.at;
            let said = match self.terminals.get_mut(slot) {
                Some(terminal) if terminal.dead => continue,
                Some(terminal) => {
                    if terminal.until.is_some_and(|until| until <= ms) {
                        terminal.until = None;
                    }
                    Said {
                        at,
                        playing: Some(terminal.until.is_some()),
                        message: terminal.last.clone(),
                        text: None,
                        fault: terminal.fault,
                    }
                }
                None => {
                    let screen = &self.screens[slot - self.terminals.len()];
                    if screen.dead {
                        continue;
                    }
                    Said { at, text: Some(screen.text.clone()), ..Said::default() }
                }
            };
            self.desk.apply(Input::Said { target: slot, said }, self.now).unwrap();
        }
    }

    pub fn run(&mut self, seconds: f64) {
        let steps = (seconds * 1000.0) as u64 / STEP;
        for _ in 0..steps {
            self.now.at = Moment { boot_ms: self.now.at.boot_ms + STEP };
            self.now.wall_ms += STEP as i64;
            self.speak();
            self.give(Input::Tick).unwrap();
        }
    }

    /// The gateway stops and starts again in a new boot; the devices go on.
    pub fn restart(&mut self) {
        let setup = self.desk.setup().clone();
        let rows: Vec<_> = self.rows.clone().into_iter().collect();
        let (desk, faults) = Desk::restore(setup, rows, self.now);
        assert!(faults.is_empty(), "{faults:?}");
        self.desk = desk;
    }

    pub fn entry(&self, id: &str) -> &Entry {
        self.desk.entries().find(|entry| entry.warning.id.as_str() == id).unwrap()
    }

    pub fn played(&self, terminal: usize) -> Vec<&str> {
        self.terminals[terminal].played.iter().map(String::as_str).collect()
    }

    pub fn sounding(&self) -> usize {
        self.terminals.iter().filter(|terminal| terminal.until.is_some()).count()
    }

    /// The steps of a warning that were told, each once.
    pub fn steps(&self, id: &str) -> Vec<&'static str> {
        let ours = self.told.iter().filter(|n| n.id.as_ref().is_some_and(|i| i.as_str() == id));
        let mut steps: Vec<&str> = ours
            .map(|news| match news.step {
                WarningStep::Accepted { .. } => "accepted",
                WarningStep::Playing { .. } => "playing",
                WarningStep::Receipts { .. } => "receipts",
                WarningStep::Finished { .. } => "finished",
                WarningStep::Cancelled { .. } => "cancelled",
                WarningStep::Refused { .. } => "refused",
                WarningStep::Planned { .. } => "planned",
                WarningStep::DrillMissed { .. } => "missed",
            })
            .collect();
        steps.dedup();
        steps
    }

    pub fn lives(&self) -> Vec<BroadcastLife> {
        let lives = self.facts.iter().filter_map(|fact| match fact {
            FactKind::Broadcast(life) => Some(life.clone()),
            _ => None,
        });
        lives.collect()
    }

    pub fn proofs(&self) -> Vec<BroadcastProof> {
        let proofs = self.facts.iter().filter_map(|fact| match fact {
            FactKind::BroadcastProof(proof) => Some(*proof),
            _ => None,
        });
        proofs.collect()
    }
}

use crate::model::WarningStep;
