//! Which model a device is. A register that identifies a model decides; without one the values that
//! the model would have are read and weighed, and nothing is certain.

use super::event::Candidate;
use super::machine::{Found, Models, ScanProbe, Speaks};
use super::plan::ScanPlan;
use super::values::{meter_values, register_value};
use super::weigh;
use crate::driver::bus::plan::Read;
use crate::driver::bus::{Answer, Ask, Fault, Heard, ask_for};
use crate::driver::{BusAddress, LineSettings, Parity};
use crate::profile::{Binding, IdRegister, Profile, SerialDefaults};
use crate::protocol::cjt188::{DiOrder, MeterType};
use std::sync::Arc;
use std::time::Duration;

/// Values of a Modbus model that are read.
const SAMPLES: usize = 5;
/// Identifiers of a meter's model that are read.
const ITEMS: usize = 6;
/// A model is out after so much against it.
const ENOUGH: f64 = -1.5;
/// What a guess without an identifying register is worth at most.
const MOST: f64 = 0.9;
/// What it says for a model that the meter tells its type: cold water and hot water differ in
/// nothing else.
const OWN_TYPE: f64 = 0.3;
/// A guess of less is none.
const LEAST: f64 = 0.25;
/// How many are told.
const TOLD: usize = 3;
/// Longest wait for an answer of a device that is known to be there.
const PATIENCE: Duration = Duration::from_millis(600);
/// The driver tries again, the guess too: one lost answer must not decide.
const ATTEMPTS: u8 = 2;

/// What one read gave.
#[derive(Debug, Clone)]
pub(super) enum Said {
    Answer(Answer),
    /// Refused, or nothing that can be used.
    Nothing,
}

/// What is looked at of one model.
#[derive(Debug, Clone)]
enum Look {
    Id(IdRegister),
    /// A point, by its place.
    Point(usize),
    /// All points of an identifier of a meter.
    Item(Read),
}

#[derive(Debug)]
struct Trial {
    profile: Arc<Profile>,
    looks: Vec<Look>,
    at: usize,
    weight: f64,
    /// Looks that gave a value.
    gave: usize,
    certain: bool,
    /// A meter of CJ/T 188 tells its type, and this is the model's.
    own_type: bool,
    out: bool,
}

/// The guess of one device.
#[derive(Debug)]
pub(super) struct Guess {
    device: usize,
    address: BusAddress,
    line: LineSettings,
    order: DiOrder,
    /// Type that a meter of CJ/T 188 told: most answer no other.
    told_type: Option<MeterType>,
    trials: Vec<Trial>,
    at: usize,
    said: Vec<(Read, Said)>,
    asked: Option<(Read, u8)>,
}

impl Guess {
    pub(super) fn new(device: usize, found: &Found, models: &Models) -> Self {
        let profiles: Vec<&Arc<Profile>> =
            models.all().iter().filter(|profile| speaks(profile, found.speaks)).collect();
        let trial = |profile: &Arc<Profile>| Trial {
            looks: looks(profile, &profiles),
            profile: Arc::clone(profile),
            at: 0,
            weight: 0.0,
            gave: 0,
            certain: false,
            own_type: own_type(profile, found.speaks),
            out: false,
        };
        let (order, told_type) = match found.speaks {
            Speaks::Cjt188 { order, meter_type } => (order, Some(meter_type)),
            _ => (DiOrder::HighFirst, None),
        };
        Self {
            device,
            address: found.address,
            line: found.line,
            order,
            told_type,
            trials: profiles.iter().map(|profile| trial(profile)).collect(),
            at: 0,
            said: Vec::new(),
            asked: None,
        }
    }

    /// Which device, by its place.
    pub(super) fn device(&self) -> usize {
        self.device
    }

    /// The next question; what was read for one model is not read again for another.
    pub(super) fn next(&mut self, plan: &ScanPlan) -> Option<ScanProbe> {
        loop {
            let trial = self.trials.get_mut(self.at)?;
            let look = trial.looks.get(trial.at).filter(|_| !trial.out);
            let Some(look) = look.cloned() else {
                self.at += 1;
                continue;
            };
            let read = read_of(&trial.profile, &look);
            if let Some((_, said)) = self.said.iter().find(|(known, _)| *known == read) {
                trial.weigh(&look, said);
                trial.at += 1;
                continue;
            }
            if self.asked.is_none_or(|(asked, _)| asked != read) {
                self.asked = Some((read, 0));
            }
            let mut ask = ask_for(read, self.address, &trial.profile, self.order, 1);
            if let (Ask::Cjt188 { frame }, Some(told)) = (&mut ask, self.told_type) {
                frame.meter_type = told;
            }
            let patience = plan.patience.unwrap_or(PATIENCE);
            return Some(ScanProbe { line: self.line, ask, patience, listen: Duration::ZERO });
        }
    }

    /// What came of it.
    pub(super) fn heard(&mut self, heard: &Heard) {
        let Some((read, attempts)) = self.asked else { return };
        let said = match &heard.outcome {
            Ok(Answer::Exception(_)) => Said::Nothing,
            Ok(answer) => Said::Answer(answer.clone()),
            // Some models are silent where others refuse: only damage is worth another attempt.
            Err(Fault::Damaged | Fault::Foreign) if attempts + 1 < ATTEMPTS => {
                self.asked = Some((read, attempts + 1));
                return;
            }
            // Some meters tell another type than they listen to.
            Err(Fault::Silent) if self.told_type.take().is_some() => return,
            Err(_) => Said::Nothing,
        };
        self.said.push((read, said));
        self.asked = None;
    }

    /// Questions left, about.
    pub(super) fn left(&self) -> usize {
        // Most models are out after their first or second value.
        self.trials.len().saturating_sub(self.at)
    }

    /// The models that the device may be, likeliest first.
    pub(super) fn candidates(self) -> Vec<Candidate> {
        let (address, line) = (self.address, self.line);
        let mut ranked: Vec<(f64, &Trial)> = self
            .trials
            .iter()
            .filter(|trial| !trial.out)
            .map(|trial| (trial.confidence(address, line), trial))
            .filter(|(confidence, _)| *confidence >= LEAST)
            .collect();
        ranked
            .sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.profile.id.cmp(&b.1.profile.id)));
        ranked.truncate(TOLD);
        ranked.into_iter().map(|(confidence, trial)| trial.candidate(confidence)).collect()
    }
}

impl Trial {
    fn weigh(&mut self, look: &Look, said: &Said) {
        let weight = match look {
            Look::Id(id) => {
                self.certain =
                    matches!(said, Said::Answer(Answer::Words(words)) if fits(id, words));
                self.out = !self.certain;
                return;
            }
            Look::Point(slot) => {
                let value = register_value(&self.profile, *slot, said);
                self.gave += usize::from(value.is_ok());
                weigh::value(&self.profile.points[*slot], &value)
            }
            Look::Item(read) => {
                let values = meter_values(&self.profile, *read, said);
                self.gave += usize::from(values.iter().any(|(_, value)| value.is_ok()));
                let sum: f64 = values
                    .iter()
                    .map(|(slot, value)| weigh::value(&self.profile.points[*slot], value))
                    .sum();
                sum / values.len().max(1) as f64
            }
        };
        self.weight += weight;
        self.out = self.weight <= ENOUGH;
    }

    fn confidence(&self, address: BusAddress, line: LineSettings) -> f64 {
        if self.certain {
            return 1.0;
        }
        let looks = self.looks.len() as f64;
        // More values that fit say more than few.
        let of_values = self.weight.max(0.0) / (looks + 0.5);
        let (serial, unit) = defaults(&self.profile.binding);
        let as_made = serial.is_some_and(|serial| serial.baud == line.baud)
            && serial.is_some_and(|serial| serial.frame[1] == letter(line.parity));
        let at_home = unit.is_some_and(|unit| address == BusAddress::Unit(unit));
        let bonus = f64::from(u8::from(as_made)) * 0.04
            + f64::from(u8::from(at_home)) * 0.04
            + f64::from(u8::from(self.own_type)) * OWN_TYPE;
        if of_values == 0.0 { 0.0 } else { (of_values + bonus).min(MOST) }
    }

    fn candidate(&self, confidence: f64) -> Candidate {
        let (gave, looks) = (self.gave, self.looks.len());
        let why = if self.certain {
            ("its identification register says so".to_owned(), "标识寄存器吻合".to_owned())
        } else {
            (
                format!("{gave} of the {looks} values tried fit"),
                format!("试读 {looks} 个值，{gave} 个相符"),
            )
        };
        let Profile { id, zh, en, .. } = &*self.profile;
        Candidate {
            profile: id.clone(),
            title: (en.as_str(), zh.as_str()).into(),
            // Two digits are more than it means.
            confidence: (confidence * 100.0).round() / 100.0,
            certain: self.certain,
            why: why.into(),
        }
    }
}

fn letter(parity: Parity) -> u8 {
    match parity {
        Parity::None => b'N',
        Parity::Even => b'E',
        Parity::Odd => b'O',
    }
}

fn defaults(binding: &Binding) -> (Option<SerialDefaults>, Option<u8>) {
    match binding {
        Binding::Modbus { serial, unit, .. } => (Some(*serial), *unit),
        Binding::Dlt645(model) => (Some(model.manners.serial), None),
        Binding::Cjt188(model) => (Some(model.manners.serial), None),
        Binding::Mqtt(_) => (None, None),
    }
}

fn speaks(profile: &Profile, speaks: Speaks) -> bool {
    match (&profile.binding, speaks) {
        (Binding::Modbus { .. }, Speaks::Modbus) => true,
        (Binding::Dlt645(model), Speaks::Dlt645(edition)) => model.edition == edition,
        (Binding::Cjt188(model), Speaks::Cjt188 { meter_type, .. }) => {
            model.meter_type.kind() == meter_type.kind()
        }
        _ => false,
    }
}

fn own_type(profile: &Profile, speaks: Speaks) -> bool {
    match (&profile.binding, speaks) {
        (Binding::Cjt188(model), Speaks::Cjt188 { meter_type, .. }) => {
            model.meter_type == meter_type
        }
        _ => false,
    }
}

/// What is looked at of a model: its identification, else the points that tell most.
fn looks(profile: &Profile, all: &[&Arc<Profile>]) -> Vec<Look> {
    match &profile.binding {
        Binding::Modbus { limits, sources, .. } => {
            if !limits.identify.is_empty() {
                return limits.identify.iter().cloned().map(Look::Id).collect();
            }
            let mut slots: Vec<usize> = (0..sources.len()).collect();
            slots.sort_by_key(|&slot| {
                std::cmp::Reverse(weigh::telling(&profile.points[slot], &sources[slot]))
            });
            // Three voltages tell little more than one.
            let unit =
                |slot: usize| (profile.points[slot].unit.code(), profile.points[slot].quantity);
            let mut chosen: Vec<usize> = Vec::new();
            for &slot in &slots {
                if chosen.len() < SAMPLES && chosen.iter().all(|&other| unit(other) != unit(slot)) {
                    chosen.push(slot);
                }
            }
            for &slot in &slots {
                if chosen.len() < SAMPLES && !chosen.contains(&slot) {
                    chosen.push(slot);
                }
            }
            chosen.into_iter().map(Look::Point).collect()
        }
        Binding::Dlt645(_) | Binding::Cjt188(_) => items(profile, all),
        Binding::Mqtt(_) => Vec::new(),
    }
}

/// Identifiers of a meter's model: those first that few other models have.
fn items(profile: &Profile, all: &[&Arc<Profile>]) -> Vec<Look> {
    let mut reads = reads(profile);
    let shared = |read: &Read| all.iter().filter(|other| self::reads(other).contains(read)).count();
    reads.sort_by_key(shared);
    reads.truncate(ITEMS);
    reads.into_iter().map(Look::Item).collect()
}

fn reads(profile: &Profile) -> Vec<Read> {
    let mut reads = Vec::new();
    let mut add = |read: Read| {
        if !reads.contains(&read) {
            reads.push(read);
        }
    };
    match &profile.binding {
        Binding::Dlt645(model) => {
            model.sources.iter().for_each(|s| add(Read::Item { id: s.id, block: false }));
        }
        Binding::Cjt188(model) => model.sources.iter().for_each(|s| add(Read::Meter { id: s.id })),
        Binding::Modbus { .. } | Binding::Mqtt(_) => {}
    }
    reads
}

fn read_of(profile: &Profile, look: &Look) -> Read {
    match (look, &profile.binding) {
        (Look::Id(id), _) => Read::Registers {
            table: id.table,
            address: id.address,
            quantity: u16::try_from(id.words.len()).unwrap_or(1).max(1),
        },
        (Look::Point(slot), Binding::Modbus { sources, .. }) => {
            let source = &sources[*slot];
            let (table, address) = (source.table, source.address);
            Read::Registers { table, address, quantity: source.encoding.width() }
        }
        (Look::Item(read), _) => *read,
        (Look::Point(_), _) => unreachable!("only Modbus models are looked at by point"),
    }
}

fn fits(id: &IdRegister, words: &[u16]) -> bool {
    if let Some((low, high)) = id.range {
        return words.first().is_some_and(|word| (low..=high).contains(&(word & id.mask)));
    }
    words.len() == id.words.len()
        && words.iter().zip(&id.words).all(|(got, wanted)| got & id.mask == wanted & id.mask)
}
