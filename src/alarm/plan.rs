//! The rules compiled for an estate: what is looked at in which point of which device.
//!
//! A point without a rule costs one look into a table; the table holds a place for each point of
//! each device.

use std::collections::HashMap;
use std::sync::Arc;

use super::config::{Changed, Config};
use super::entry::Key;
use super::rule::{Kind, Rule};
use crate::model::{
    AlarmSignal, Category, Device, DeviceIndex, Estate, Point, PointIndex, Quantity,
};

/// Most rules after all changes: a signal names one with 16 bits.
const MOST: usize = u16::MAX as usize;

/// A rule that looks at one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watch {
    pub(super) rule: u16,
    pub(super) device: DeviceIndex,
    pub(super) point: PointIndex,
}

/// The rules of an estate.
#[derive(Debug, Clone)]
pub struct Plan {
    estate: Arc<Estate>,
    rules: Vec<Rule>,
    /// Those of one point stand together.
    watches: Vec<Watch>,
    /// Per device and point, the first of its watches and the one behind the last.
    points: Vec<Box<[(u32, u32)]>>,
    /// Per device, the rules that look at the device as a whole.
    devices: Vec<Box<[u16]>>,
    /// The rules about the gateway.
    gateway: Vec<u16>,
}

/// Which rules a device has, as places in the list of all.
struct Chosen {
    rules: Vec<Rule>,
    /// Places of the rules that are on, as all devices of a category have them.
    common: HashMap<Category, Arc<[u16]>>,
}

impl Chosen {
    fn push(&mut self, rule: Rule) -> Option<u16> {
        if self.rules.len() >= MOST {
            tracing::warn!(rule = &*rule.id, "too many changed rules: this one is not used");
            return None;
        }
        self.rules.push(rule);
        u16::try_from(self.rules.len() - 1).ok()
    }

    /// The rules of a device: those of its category, with what is changed for it alone.
    fn of(&mut self, category: Category, base: &[Rule], changed: &[Changed]) -> Arc<[u16]> {
        let common = self.common(category, base);
        if changed.is_empty() {
            return common;
        }
        let own = |id: &str| changed.iter().find(|one| one.rule == id).map(|one| &one.change);
        let mut places: Vec<u16> = Vec::new();
        places.extend(common.iter().filter(|at| own(&self.rules[usize::from(**at)].id).is_none()));
        let rules = base.iter().filter(|rule| rule.is_for(category));
        let changed: Vec<Rule> =
            rules.filter_map(|rule| Some(own(&rule.id)?.of(rule))).filter(|rule| rule.on).collect();
        places.extend(changed.into_iter().filter_map(|rule| self.push(rule)));
        places.into()
    }

    fn common(&mut self, category: Category, base: &[Rule]) -> Arc<[u16]> {
        if let Some(known) = self.common.get(&category) {
            return Arc::clone(known);
        }
        let on = (0u16..).zip(base).filter(|(_, rule)| rule.on && rule.is_for(category));
        let places: Arc<[u16]> = on.map(|(at, _)| at).collect();
        self.common.insert(category, Arc::clone(&places));
        places
    }
}

impl Plan {
    /// Compiles the rules; `own` has what each device changes, in the order of the estate.
    pub fn new(config: &Config, estate: &Arc<Estate>, own: &[&[Changed]]) -> Self {
        let mut base: Vec<Rule> = config.rules.all().to_vec();
        for Changed { rule: id, change, .. } in &config.changed {
            base.iter_mut()
                .filter(|rule| *rule.id == **id)
                .for_each(|rule| *rule = change.of(rule));
        }
        let mut chosen = Chosen { rules: base.clone(), common: HashMap::new() };
        let mut plan = Self {
            estate: Arc::clone(estate),
            rules: Vec::new(),
            watches: Vec::new(),
            points: Vec::with_capacity(estate.devices().len()),
            devices: Vec::with_capacity(estate.devices().len()),
            gateway: Vec::new(),
        };
        for (slot, (index, device)) in estate.indexed().enumerate() {
            let changed = own.get(slot).copied().unwrap_or_default();
            let places = chosen.of(device.category, &base, changed);
            plan.device(index, device, &places, &chosen.rules);
        }
        let on = (0u16..).zip(&base).filter(|(_, rule)| rule.on && rule.kind.is_gateway());
        plan.gateway = on.map(|(at, _)| at).collect();
        plan.rules = chosen.rules;
        plan
    }

    fn device(&mut self, index: DeviceIndex, device: &Device, places: &[u16], rules: &[Rule]) {
        let (of_points, of_device): (Vec<u16>, Vec<u16>) =
            places.iter().partition(|at| rules[usize::from(**at)].kind.reads_points());
        let mut ranges = Vec::with_capacity(device.points.len());
        for (slot, point) in (0u16..).zip(device.points.iter()) {
            let first = self.watches.len();
            for at in &of_points {
                let rule = &rules[usize::from(*at)];
                if rule.reads(&point.name) && fits(rule, point) {
                    let point = PointIndex(slot);
                    self.watches.push(Watch { rule: *at, device: index, point });
                }
            }
            let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            ranges.push((place(first), place(self.watches.len())));
        }
        let watched = ranges.iter().any(|(first, end)| first < end);
        // Devices that no rule reads share the empty list.
        self.points.push(if watched { ranges.into() } else { Box::default() });
        self.devices.push(of_device.into());
    }

    /// The estate that it is for.
    pub fn estate(&self) -> &Arc<Estate> {
        &self.estate
    }

    /// The rule at a place.
    pub fn rule(&self, at: u16) -> &Rule {
        &self.rules[usize::from(at)]
    }

    pub(super) fn watches(&self) -> &[Watch] {
        &self.watches
    }

    /// The watches of a point, as places.
    pub(super) fn range(&self, device: DeviceIndex, point: PointIndex) -> std::ops::Range<usize> {
        let ranges = &self.points[device.slot()];
        match ranges.get(point.slot()) {
            Some((first, end)) => *first as usize..*end as usize,
            None => 0..0,
        }
    }

    /// The rules of a kind that look at a device as a whole.
    pub(super) fn of_device(
        &self,
        device: DeviceIndex,
        kind: Kind,
    ) -> impl Iterator<Item = (u16, &Rule)> {
        self.devices[device.slot()]
            .iter()
            .map(|at| (*at, self.rule(*at)))
            .filter(move |(_, rule)| rule.kind == kind)
    }

    /// The rules of a kind about the gateway.
    pub(super) fn of_gateway(&self, kind: Kind) -> impl Iterator<Item = (u16, &Rule)> {
        let rules = self.gateway.iter().map(|at| (*at, self.rule(*at)));
        rules.filter(move |(_, rule)| rule.kind == kind)
    }

    /// The rule that a key is about, when that is configured.
    pub fn rule_of(&self, key: &Key) -> Option<&Rule> {
        self.place(key).map(|(at, ..)| self.rule(at))
    }

    /// Every rule that a device has, with the point where it reads one.
    pub fn rules_of(&self, device: DeviceIndex) -> Vec<(&Rule, Option<&Point>)> {
        let whole = self.devices[device.slot()].iter().map(|at| (self.rule(*at), None));
        let watches = self.watches.iter().filter(|watch| watch.device == device);
        let read = watches
            .map(|watch| (self.rule(watch.rule), Some(self.estate.point(device, watch.point))));
        read.chain(whole).collect()
    }

    /// The rules about the gateway itself.
    pub fn rules_of_gateway(&self) -> impl Iterator<Item = &Rule> {
        self.gateway.iter().map(|at| self.rule(*at))
    }

    /// What a signal is about.
    pub fn key(&self, signal: &AlarmSignal) -> Key {
        let device = signal.device.map(|index| self.estate.device(index));
        let point = signal.point.zip(device);
        let point = point.map(|(at, device)| device.points[at.slot()].name.to_string());
        Key {
            rule: self.rule(signal.rule).id.to_string(),
            device: device.map(|device| device.id.clone()),
            point,
            about: signal.about.clone(),
        }
    }

    /// Where a key stands now: rule, device, point. `None` when its rule, device or point is not
    /// configured any more.
    pub(super) fn place(
        &self,
        key: &Key,
    ) -> Option<(u16, Option<DeviceIndex>, Option<PointIndex>)> {
        let Some(id) = &key.device else {
            let at = self.gateway.iter().find(|at| *self.rule(**at).id == *key.rule)?;
            return Some((*at, None, None));
        };
        let index = self.estate.find(id)?;
        let device = self.estate.device(index);
        let place = match &key.point {
            Some(name) => {
                let slot = device.points.iter().position(|point| *point.name == **name)?;
                Some(PointIndex(u16::try_from(slot).ok()?))
            }
            None => None,
        };
        let watched = place.and_then(|point| {
            let watches = &self.watches[self.range(index, point)];
            watches.iter().map(|watch| watch.rule).find(|at| *self.rule(*at).id == *key.rule)
        });
        let whole = || {
            let mut rules = self.devices[index.slot()].iter().copied();
            rules.find(|at| *self.rule(*at).id == *key.rule)
        };
        Some((watched.or_else(whole)?, Some(index), place))
    }
}

/// Whether a rule can say anything about a point.
fn fits(rule: &Rule, point: &Point) -> bool {
    match rule.kind {
        Kind::Flag => point.quantity != Quantity::Text,
        Kind::State => !(rule.codes.is_empty() && point.quantity != Quantity::Text),
        _ => point.quantity != Quantity::Text,
    }
}
