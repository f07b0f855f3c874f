//! What is asked next and what the answers mean. Knows no line and no clock.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::agenda::{Step, agenda};
use super::event::{Candidate, FoundDevice, Remark, RemarkKind, Text};
use super::guess::Guess;
use super::plan::{Kind, ScanPlan};
use crate::driver::bus::{Ask, Heard};
use crate::driver::{BusAddress, LineSettings, doctor};
use crate::profile::{Library, Profile};
use crate::protocol::cjt188::{DiOrder, MeterType};
use crate::protocol::dlt645::Edition;

/// Most devices of one scan: a line carries 32 to 247.
const MOST_FOUND: usize = 512;
/// Bytes of a disturbance that are kept to look at.
const NOISE_KEPT: usize = 64;

/// The profiles among which a model is guessed; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Models(Arc<[Arc<Profile>]>);

impl Models {
    /// These profiles.
    pub fn new(profiles: impl IntoIterator<Item = Arc<Profile>>) -> Self {
        Self(profiles.into_iter().collect())
    }

    /// The built-in profiles and those of these folders.
    ///
    /// # Errors
    /// What is wrong with a profile.
    pub fn load(dirs: &[PathBuf]) -> Result<Self, String> {
        let library = Library::load(dirs).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            faults.join("; ")
        })?;
        Ok(Self::new(library.ids().filter_map(|id| library.get(id))))
    }

    pub(super) fn all(&self) -> &[Arc<Profile>] {
        &self.0
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanProbe {
    /// How the line is set for it.
    pub line: LineSettings,
    /// What is asked.
    pub ask: Ask,
    /// Longest time to the answer, beside the time on the wire.
    pub patience: Duration,
    /// When something came, others may answer as well within this time.
    pub listen: Duration,
}

/// How a device speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// Modbus.
    Modbus,
    /// DL/T 645.
    Dlt645(Edition),
    /// CJ/T 188.
    Cjt188 {
        /// Its type.
        meter_type: MeterType,
        /// Its order of identifiers.
        order: DiOrder,
    },
}

/// A device that answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Where.
    pub address: BusAddress,
    /// At which setting.
    pub line: LineSettings,
    /// How.
    pub speaks: Speaks,
    /// Identifier in the configuration.
    pub known: Option<String>,
    /// It answers at every unit id.
    pub every_unit: bool,
    /// Which models it may be, likeliest first.
    pub candidates: Vec<Candidate>,
}

/// What an answer leads to.
#[derive(Debug)]
pub(super) enum Effect {
    /// A device.
    Found { address: BusAddress, speaks: Speaks, line: LineSettings },
    /// Two devices with one address.
    Shared { line: LineSettings, address: BusAddress },
    /// The endpoint is one device at every unit id.
    EveryUnit { line: LineSettings },
    /// Bytes that are no frame.
    Noise { line: LineSettings, bytes: Vec<u8> },
}

#[derive(Debug)]
struct Noise {
    line: LineSettings,
    times: u32,
    bytes: Vec<u8>,
}

/// How far the scan is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Questions asked.
    pub done: u64,
    /// Questions in all, as far as known.
    pub expected: u64,
    /// Time of those that are left, when nobody answers them.
    pub time_left: Duration,
    /// What is tried now.
    pub now: Text,
}

/// News since the last look.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum News {
    /// Place in [`Scan::found`].
    Found(usize),
    Remark(Remark),
}

/// One scan of one line.
#[derive(Debug)]
pub struct Scan {
    plan: ScanPlan,
    models: Models,
    steps: VecDeque<Step>,
    asked: Option<ScanProbe>,
    done: u64,
    found: Vec<Found>,
    noise: Vec<Noise>,
    heard_bytes: bool,
    news: VecDeque<News>,
    finished: bool,
}

impl Scan {
    /// Plans the questions, those that most lines answer first.
    pub fn new(plan: ScanPlan, models: Models) -> Self {
        let steps = agenda(&plan);
        Self {
            plan,
            models,
            steps,
            asked: None,
            done: 0,
            found: Vec::new(),
            noise: Vec::new(),
            heard_bytes: false,
            news: VecDeque::new(),
            finished: false,
        }
    }

    /// The next question; `None` when the scan is over.
    #[expect(clippy::should_implement_trait, reason = "each question wants its answer first")]
    pub fn next(&mut self) -> Option<ScanProbe> {
        loop {
            let probe = match self.steps.front_mut() {
                None => {
                    self.finish();
                    return None;
                }
                Some(Step::Wild(wild)) => wild.next(&self.plan),
                Some(Step::Units(units)) => units.next(&self.plan, &self.found),
                Some(Step::Guess(guess)) => guess.next(&self.plan),
            };
            if probe.is_some() {
                self.asked.clone_from(&probe);
                return probe;
            }
            if let Some(Step::Guess(guess)) = self.steps.pop_front() {
                let device = guess.device();
                self.found[device].candidates = guess.candidates();
                self.news.push_back(News::Found(device));
            }
        }
    }

    /// What came of the question.
    pub fn heard(&mut self, heard: &Heard) {
        let Some(asked) = self.asked.take() else { return };
        self.done += 1;
        self.heard_bytes |= heard.outcome.is_ok() || !heard.bytes.is_empty();
        let mut effects = Vec::new();
        match self.steps.front_mut() {
            Some(Step::Wild(wild)) => wild.heard(&asked.ask, heard, &self.found, &mut effects),
            Some(Step::Units(units)) => units.heard(heard, &self.plan, &mut effects),
            Some(Step::Guess(guess)) => guess.heard(heard),
            None => {}
        }
        for effect in effects {
            self.apply(effect);
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Found { address, speaks, line } => self.add(address, speaks, line),
            Effect::Shared { line, address } => self.shared(line, address),
            Effect::EveryUnit { line } => self.every_unit(line),
            Effect::Noise { line, mut bytes } => {
                bytes.truncate(NOISE_KEPT);
                match self.noise.iter_mut().find(|noise| noise.line == line) {
                    Some(noise) => noise.times += 1,
                    None => self.noise.push(Noise { line, times: 1, bytes }),
                }
            }
        }
    }

    fn add(&mut self, address: BusAddress, speaks: Speaks, line: LineSettings) {
        // A meter is known by its address at whatever setting it answers; a unit id is not.
        let unit = matches!(address, BusAddress::Unit(_));
        let same = |one: &Found| one.address == address && (!unit || one.line == line);
        if self.found.iter().any(same) || self.found.len() >= MOST_FOUND {
            return;
        }
        let known = self.plan.known.get(&address.to_string()).cloned();
        let device = self.found.len();
        if known.is_some() {
            self.news.push_back(News::Found(device));
        }
        let found =
            Found { address, line, speaks, known, every_unit: false, candidates: Vec::new() };
        if found.known.is_none() {
            let guess = Step::Guess(Guess::new(device, &found, &self.models));
            // An endpoint may turn out to be one device at every id: it is guessed after that.
            let place = usize::from(self.plan.kind == Kind::Mbap).min(self.steps.len());
            self.steps.insert(place, guess);
        }
        self.found.push(found);
    }

    fn every_unit(&mut self, line: LineSettings) {
        self.found.truncate(1);
        self.steps.retain(|step| !matches!(step, Step::Guess(guess) if guess.device() > 0));
        self.news.retain(|news| !matches!(news, News::Found(device) if *device > 0));
        let Some(found) = self.found.first_mut().filter(|found| found.line == line) else { return };
        found.every_unit = true;
        // Whatever id the configuration uses, it is this device.
        if found.known.is_none()
            && let Some(id) = self.plan.known.values().next()
        {
            found.known = Some(id.clone());
            self.steps.retain(|step| !matches!(step, Step::Guess(_)));
            self.news.push_back(News::Found(0));
        }
    }

    fn shared(&mut self, line: LineSettings, address: BusAddress) {
        let text = (
            format!(
                "{address} at {line}: answers arrive damaged while others are clear: two devices \
                 with this address? disconnect one and scan again"
            ),
            format!(
                "{address}（{line}）：其他设备应答正常，唯独它的应答损坏：可能有两台设备地址相同，\
                 请断开其中一台后重新扫描"
            ),
        );
        self.remark(RemarkKind::SharedAddress, text);
    }

    fn remark(&mut self, kind: RemarkKind, text: impl Into<Text>) {
        let remark = Remark { kind, text: text.into() };
        self.news.push_back(News::Remark(remark));
    }

    /// What the noise and the silence of the whole scan say.
    fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) || self.plan.kind == Kind::Mbap {
            return;
        }
        let noise = std::mem::take(&mut self.noise);
        let unexplained = noise
            .iter()
            .filter(|noise| !self.found.iter().any(|one| one.line.baud == noise.line.baud))
            .max_by_key(|noise| noise.times);
        if let Some(noise) = unexplained {
            let seen: Vec<String> =
                noise.bytes.iter().take(16).map(|byte| format!("{byte:02X}")).collect();
            let (line, times, seen) = (noise.line, noise.times, seen.join(" "));
            let looks = doctor::signature(&noise.bytes).words().unwrap_or_default();
            let (en, zh) = match looks.en.is_empty() {
                true => (String::new(), String::new()),
                false => (format!(", {}", looks.en), format!("，{}", looks.zh)),
            };
            let text = (
                format!(
                    "bytes came at {line} ({times} times: {seen}){en}, but never a frame: \
                     somebody speaks at another setting, or the wires are disturbed; \
                     try --baud and --frame"
                ),
                format!(
                    "在 {line} 收到数据（{times} 次：{seen}）{zh}，但没有完整的帧：有设备以其他\
                     参数通信，或线路受干扰；请试 --baud 和 --frame"
                ),
            );
            self.remark(RemarkKind::OtherSettings, text);
        }
        if !self.heard_bytes && self.done > 0 {
            let text = (
                "not one byte came: check power of the devices, A and B for a swap, and that \
                 this is the right port",
                "没有收到任何数据：请检查设备供电、A/B 线是否接反，以及串口是否正确",
            );
            self.remark(RemarkKind::NothingHeard, text);
        }
    }

    /// The next thing that happened.
    pub(super) fn take_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let left: usize = self.steps.iter().map(Step::left).sum();
        let time_left = self.steps.iter().map(|step| step.time_left(&self.plan)).sum();
        let now = self.asked.as_ref().map_or_else(Text::default, |probe| self.now(probe));
        Progress { done: self.done, expected: self.done + left as u64, time_left, now }
    }

    fn now(&self, probe: &ScanProbe) -> Text {
        let whom = probe.ask.address().map_or_else(String::new, |address| address.to_string());
        let protocol = match probe.ask {
            Ask::Registers { .. } | Ask::Write { .. } => "Modbus",
            Ask::Dlt645 { .. } => "DL/T 645",
            Ask::Cjt188 { .. } => "CJ/T 188",
            Ask::Tell { .. } => "",
        };
        let line = match self.plan.kind {
            Kind::Serial => format!("{} ", probe.line),
            Kind::Fixed | Kind::Mbap => String::new(),
        };
        let what = format!("{line}{protocol} {whom}");
        if matches!(self.steps.front(), Some(Step::Guess(_))) {
            return (format!("{what} model?"), format!("{what} 型号？")).into();
        }
        (what.clone(), what).into()
    }

    /// All devices so far.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    /// A device as it is told.
    pub(super) fn device(&self, place: usize) -> FoundDevice {
        FoundDevice::of(&self.found[place], self.plan.kind == Kind::Serial)
    }
}
