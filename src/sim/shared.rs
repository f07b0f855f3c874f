//! Points that stand in the same place of the device, e.g. a distance and the filling level that
//! follows from it: one of them moves, the others say the same in their own way.

use std::collections::BTreeMap;

use crate::model::Value;
use crate::profile::{Absent, Binding, Code, Profile, Scale};

/// A point in the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Follower {
    pub(super) point: usize,
    pub(super) leader: usize,
}

/// What of a source says how its raw value becomes the point's.
struct Source<'s> {
    scale: &'s Scale,
    codes: &'s [Code],
    words: Option<&'s BTreeMap<String, bool>>,
    absent: &'s [Absent],
    flag: bool,
}

/// The place of a point, for comparison, and its source; nothing for a point that has none.
fn place(profile: &Profile, slot: usize) -> Option<(String, Source<'_>)> {
    Some(match &profile.binding {
        Binding::Modbus { sources, .. } => {
            let s = sources.get(slot)?;
            let place = format!("{:?} {} {:?} {:?}", s.table, s.address, s.encoding, s.order);
            (
                place,
                Source { scale: &s.scale, codes: &s.codes, words: None, absent: &[], flag: s.flag },
            )
        }
        Binding::Mqtt(model) => {
            let s = model.sources.get(slot)?;
            let (words, absent) = (Some(&s.flag_words), s.unavailable.as_slice());
            let place = format!("{} {:?}", s.topic, s.path);
            (place, Source { scale: &s.scale, codes: &s.codes, words, absent, flag: s.flag })
        }
        Binding::Dlt645(model) => {
            let s = model.sources.get(slot)?;
            let place = format!("{:?} {} {:?}", s.id, s.at, s.field);
            (
                place,
                Source { scale: &s.scale, codes: &s.codes, words: None, absent: &[], flag: s.flag },
            )
        }
        Binding::Cjt188(model) => {
            let s = model.sources.get(slot)?;
            let place = format!("{:?} {:?}", s.id, s.place);
            (
                place,
                Source { scale: &s.scale, codes: &s.codes, words: None, absent: &[], flag: s.flag },
            )
        }
    })
}

/// All points in the place of another. The one that is told apart finest leads: more codes, then
/// the narrower range.
pub(super) fn followers(profile: &Profile, params: &[f64]) -> Vec<Follower> {
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for slot in 0..profile.points.len() {
        if let Some((place, _)) = place(profile, slot) {
            places.entry(place).or_default().push(slot);
        }
    }
    let width = |slot: usize| {
        let (low, high) = profile.points[slot].range?;
        let (_, source) = place(profile, slot)?;
        Some((high - low) / source.scale.resolve(params).abs())
    };
    let codes = |slot: usize| place(profile, slot).map_or(0, |(_, source)| source.codes.len());
    let mut all = Vec::new();
    for slots in places.into_values().filter(|slots| slots.len() > 1) {
        let finest = slots.iter().copied().min_by(|&a, &b| {
            let (wide_a, wide_b) = (width(a).unwrap_or(f64::MAX), width(b).unwrap_or(f64::MAX));
            codes(b).cmp(&codes(a)).then(wide_a.total_cmp(&wide_b))
        });
        if let Some(leader) = finest {
            let others = slots.into_iter().filter(|&slot| slot != leader);
            all.extend(others.map(|point| Follower { point, leader }));
        }
    }
    all
}

impl Follower {
    /// What the point says while its leader holds `value`; nothing when it then says nothing.
    pub(super) fn value(&self, profile: &Profile, params: &[f64], value: &Value) -> Option<Value> {
        let (_, leader) = place(profile, self.leader)?;
        let (_, own) = place(profile, self.point)?;
        let raw = raw(&leader, params, value)?;
        if own.absent.iter().any(|absent| absent.word() == raw) {
            return None;
        }
        let number: Option<f64> = raw.parse().ok();
        if !own.codes.is_empty() {
            let same = |code: &&Code| {
                code.raw == raw || code.raw.parse().ok() == number && number.is_some()
            };
            let code = own.codes.iter().find(same)?.code;
            return Some(super::habits::flag_or_code(code, own.flag));
        }
        if own.flag {
            let word = own.words.and_then(|words| words.get(&raw)).copied();
            let plain = || number.map(|number| number != 0.0).or_else(|| raw.parse().ok());
            return word.or_else(plain).map(Value::Flag);
        }
        match (number, value) {
            (Some(number), _) => {
                let scaled = number * own.scale.resolve(params) + own.scale.offset;
                let tens = 10f64.powi(i32::from(profile.points[self.point].decimals));
                Some(Value::Number((scaled * tens).round() / tens))
            }
            (None, _) => Some(Value::Text(raw.into())),
        }
    }
}

/// What stands in the place while the leader holds `value`.
fn raw(leader: &Source<'_>, params: &[f64], value: &Value) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "codes are small, the loader refuses others")]
    let code = leader.codes.iter().find(|code| match value {
        Value::Flag(flag) => (code.code != 0) == *flag,
        Value::Number(number) => code.code as f64 == *number,
        Value::Text(_) => false,
    });
    if let Some(code) = code {
        return Some(code.raw.clone());
    }
    match value {
        Value::Text(text) => Some(text.to_string()),
        Value::Flag(flag) => {
            let mut words = leader.words.into_iter().flatten();
            let word = words.find(|(_, means)| *means == flag).map(|(word, _)| word.clone());
            Some(word.unwrap_or_else(|| u8::from(*flag).to_string()))
        }
        Value::Number(number) => {
            let raw = (number - leader.scale.offset) / leader.scale.resolve(params);
            raw.is_finite().then(|| raw.to_string())
        }
    }
}
