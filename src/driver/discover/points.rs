//! Announced values as points of a profile: name, unit, kind, bounds.

use std::collections::{BTreeMap, BTreeSet};

use super::announced::{Entity, Kind, pointer};
use super::bounds::clean;
use super::units;
use super::vocabulary::{self, Word, camel, snake};
use crate::driver::scan::Text;

/// Flags that alarms look at.
const URGENT: &[&str] =
    &["smoke", "gas", "leak", "carbonMonoxideAlarm", "alarmTamper", "unsafe", "overTemperature"];
/// Longest word of a payload that is put into a profile, bytes.
const MAX_WORD: usize = 64;
/// What a counter may reach whose growth nobody knows.
const COUNTER_MAX: f64 = 1e12;

/// What a point is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Number { counter: bool },
    Flag { words: Words },
    Choice(Vec<String>),
    Text,
}

/// How true and false are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Words {
    /// As everybody does.
    Usual,
    /// In words of its own.
    Own { on: String, off: String },
    /// As numbers, or the other way round.
    Coded { on: String, off: String },
}

/// A point of a profile that is being made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub name: String,
    pub zh: String,
    pub en: String,
    pub shape: Shape,
    pub unit: &'static str,
    pub factor: f64,
    pub offset: f64,
    pub decimals: u8,
    pub range: Option<(f64, f64)>,
    pub dead_band: Option<f64>,
    pub max_rate: Option<f64>,
    pub counter_max: Option<f64>,
    pub urgent: bool,
    pub topic: String,
    pub json: bool,
    pub path: String,
    /// Something to know about it.
    pub caveat: Option<Text>,
}

/// Makes points of the values, with names of their own; `None` stands for one that cannot be
/// told, with the reason.
pub(super) fn points(entities: &[Entity]) -> Vec<Result<Point, Text>> {
    let has_battery = entities.iter().any(|entity| entity.word == "battery");
    let mut endpoints: Vec<&str> = Vec::new();
    for endpoint in entities.iter().filter_map(|entity| entity.endpoint.as_deref()) {
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    let mut points: Vec<Result<Point, Text>> =
        entities.iter().map(|entity| point(entity, has_battery)).collect();
    for (point, entity) in points.iter_mut().zip(entities) {
        let Ok(point) = point else { continue };
        let Some(endpoint) = entity.endpoint.as_deref() else { continue };
        if let (Some(at), true) =
            (endpoints.iter().position(|e| *e == endpoint), endpoints.len() > 1)
        {
            point.name = format!("channels.{}.{}", at + 1, point.name);
            point.zh = format!("{} {endpoint}", point.zh);
            point.en = format!("{} {endpoint}", point.en);
        }
    }
    tell_apart(&mut points, entities);
    points
}

/// Points of one name: the first keeps it, the others get what tells them apart.
fn tell_apart(points: &mut [Result<Point, Text>], entities: &[Entity]) {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, point) in points.iter().enumerate() {
        if let Ok(point) = point {
            by_name.entry(point.name.clone()).or_default().push(at);
        }
    }
    let mut taken: BTreeSet<String> = by_name.keys().cloned().collect();
    for (name, mut places) in by_name {
        // Of several counters the total is the one that is meant.
        places.sort_by_key(|at| !snake(&entities[*at].id).contains("total"));
        for at in places.into_iter().skip(1) {
            let suffix = camel(&entities[at].id);
            let suffix = if suffix.is_empty() { "other".to_owned() } else { suffix };
            let wanted = format!("{}.{suffix}", name.chars().take(30).collect::<String>());
            let numbered = (2u32..).map(|n| format!("{wanted}{n}"));
            let free = std::iter::once(wanted.clone()).chain(numbered);
            let Some(free) = free.into_iter().find(|name| !taken.contains(name)) else { continue };
            if let Ok(point) = &mut points[at] {
                let label = plain(&entities[at].name);
                if !point.en.contains(&label) {
                    point.zh = format!("{}（{label}）", point.zh);
                    point.en = format!("{} ({label})", point.en);
                }
                point.name.clone_from(&free);
            }
            taken.insert(free);
        }
    }
}

/// A text for a title: braces mean something else there.
fn plain(text: &str) -> String {
    clean(text).replace('{', "(").replace('}', ")")
}

fn point(entity: &Entity, has_battery: bool) -> Result<Point, Text> {
    let shape = shape(entity)?;
    let (word, phase) = word(entity, &shape, has_battery);
    let called = plain(&entity.name);
    let mut point = Point {
        name: String::new(),
        zh: called.clone(),
        en: called.clone(),
        unit: "1",
        factor: 1.0,
        offset: 0.0,
        decimals: 0,
        range: None,
        dead_band: None,
        max_rate: None,
        counter_max: None,
        urgent: false,
        topic: entity.topic.clone(),
        json: entity.place.json,
        path: pointer(&entity.place.path),
        caveat: None,
        shape,
    };
    let mut word = word;
    if let Shape::Number { counter } = point.shape {
        word = number(&mut point, entity, word, counter);
    } else if entity.place.factor != 1.0 || entity.place.offset != 0.0 {
        return Err(("its template computes with words", "其模板对文字做运算").into());
    }
    match word {
        Some(word) => {
            // Which pump it is that runs.
            let (zh, en) = match word.is_said_by(&called) || phase.is_some() {
                true => (String::new(), String::new()),
                false => (format!("（{called}）"), format!(" ({called})")),
            };
            point.zh = format!("{}{zh}", word.zh);
            point.en = format!("{}{en}", word.en);
            point.name = word.name.to_owned();
            point.urgent = URGENT.contains(&word.name) && matches!(point.shape, Shape::Flag { .. });
        }
        None => point.name = own_name(entity),
    }
    if let Some(phase) = phase.filter(|_| word.is_some()) {
        let bare = point.name.strip_prefix("total").map(camel);
        let bare = bare.unwrap_or_else(|| point.name.clone());
        point.name = format!("{bare}.L{phase}");
        point.zh = format!("{} L{phase}", point.zh);
        point.en = format!("{} L{phase}", point.en);
    }
    if point.zh.is_empty() {
        point.zh.clone_from(&point.name);
        point.en.clone_from(&point.name);
    }
    Ok(point)
}

/// Unit, factor and bounds of a number; the word, when it is one of this dimension.
fn number(
    point: &mut Point,
    entity: &Entity,
    word: Option<&'static Word>,
    counter: bool,
) -> Option<&'static Word> {
    let written = entity.unit.as_deref().unwrap_or("");
    let (code, factor, offset) = units::ucum(written).unwrap_or_else(|| {
        let en = format!("{}: the unit `{written}` is not known here", entity.name);
        let zh = format!("{}：未知单位 `{written}`，数值保持原样", entity.name);
        point.caveat = Some((en, zh).into());
        ("1", 1.0, 0.0)
    });
    let wanted = word.map_or("", |word| word.unit);
    let between = if wanted.is_empty() { Some(1.0) } else { units::between(code, wanted) };
    // A name of ours promises its unit: without one it is not given.
    let word = word.filter(|_| between.is_some());
    if code == "1" && between.is_none() && point.caveat.is_none() {
        let en = format!("{}: the announcement does not say its unit", entity.name);
        point.caveat = Some((en, format!("{}：公告未说明单位", entity.name)).into());
    }
    let between = between.unwrap_or(1.0);
    point.unit = if between == 1.0 || wanted.is_empty() { code } else { wanted };
    let unit = factor * between;
    let offset = offset * between;
    point.factor = tidy(entity.place.factor * unit);
    point.offset = tidy(entity.place.offset * unit + offset);
    point.decimals = entity.place.decimals.unwrap_or(word.map_or(3, |word| word.decimals));
    let own = entity.range.map(|(low, high)| (low * unit + offset, high * unit + offset));
    let usual = word.filter(|word| word.unit.is_empty() || word.unit == point.unit);
    point.range = own.or_else(|| usual.and_then(|word| word.range));
    point.range = point.range.filter(|(low, high)| {
        low < high && low.is_finite() && high.is_finite() && high.abs().max(low.abs()) < 1e12
    });
    if counter {
        point.range = None;
        point.max_rate =
            usual.and_then(|word| word.max_rate).or_else(|| vocabulary::max_rate(point.unit));
        point.counter_max = point.max_rate.is_none().then_some(COUNTER_MAX);
    } else {
        point.dead_band = usual.and_then(|word| word.dead_band);
    }
    word
}

/// Without the dust of binary fractions: 0.1 and not 0.10000000000000001.
fn tidy(number: f64) -> f64 {
    let short: f64 = format!("{number:.12e}").parse().unwrap_or(number);
    if short == 0.0 { 0.0 } else { short }
}

fn shape(entity: &Entity) -> Result<Shape, Text> {
    let bad = || Text::from(("its words cannot be told", "其取值文字无法表达"));
    let good = |word: &String| word.len() <= MAX_WORD && clean(word) == *word;
    Ok(match &entity.kind {
        Kind::Number => Shape::Number { counter: entity.counter },
        Kind::Text | Kind::Unknown => Shape::Text,
        Kind::Choice(words) => {
            let mut seen = BTreeSet::new();
            let own: Vec<String> = words.iter().filter(|w| seen.insert(*w)).cloned().collect();
            match own.as_slice() {
                [] => Shape::Text,
                own if own.iter().all(good) => Shape::Choice(own.to_vec()),
                _ => return Err(bad()),
            }
        }
        Kind::Flag { on, off } => {
            let (mut on, mut off) = (on.clone(), off.clone());
            if entity.word == "contact" && on.eq_ignore_ascii_case("true") {
                // The contact is closed: the door is not open.
                std::mem::swap(&mut on, &mut off);
            }
            if on == off || !good(&on) || !good(&off) || on.is_empty() || off.is_empty() {
                return Err(bad());
            }
            Shape::Flag { words: words(on, off) }
        }
    })
}

fn words(on: String, off: String) -> Words {
    let is = |word: &str, one: &str, other: &str| word.eq_ignore_ascii_case(one) || word == other;
    let (yes, no) = (|word: &str| is(word, "true", "1"), |word: &str| is(word, "false", "0"));
    let number = |word: &str| word.parse::<f64>().is_ok();
    if yes(&on) && no(&off) {
        Words::Usual
    } else if (no(&on) && yes(&off)) || (number(&on) && number(&off)) {
        Words::Coded { on: on.to_lowercase(), off: off.to_lowercase() }
    } else {
        Words::Own { on, off }
    }
}

/// What we call a value, and which phase it is of.
fn word(
    entity: &Entity,
    shape: &Shape,
    has_battery: bool,
) -> (Option<&'static Word>, Option<usize>) {
    let called = snake(&entity.word);
    let (called, phase) = phase(&called);
    match shape {
        Shape::Number { .. } => {
            let unit = entity.unit.as_deref().unwrap_or("");
            let called = match called {
                "voltage" if has_battery => "battery_voltage",
                // The pressure of the air comes in these.
                "pressure" if matches!(unit, "hPa" | "mbar") => "atmospheric_pressure",
                called => called,
            };
            let path = pointer(&entity.place.path);
            let last = snake(path.rsplit('/').next().unwrap_or(""));
            let name = snake(&entity.name);
            let found =
                [called, last.as_str(), name.as_str()].into_iter().find_map(vocabulary::number);
            (found, phase)
        }
        Shape::Flag { .. } => (vocabulary::flag(called), phase),
        Shape::Choice(_) | Shape::Text => (vocabulary::other(called), phase),
    }
}

/// Takes the phase off a name: `power_phase_b` is the power of the second.
fn phase(called: &str) -> (&str, Option<usize>) {
    const ENDINGS: [[&str; 2]; 3] = [["_phase_a", "_l1"], ["_phase_b", "_l2"], ["_phase_c", "_l3"]];
    for (at, endings) in ENDINGS.iter().enumerate() {
        if let Some(bare) = endings.iter().find_map(|ending| called.strip_suffix(ending)) {
            return (bare, Some(at + 1));
        }
    }
    (called, None)
}

fn own_name(entity: &Entity) -> String {
    let path = pointer(&entity.place.path);
    let last = path.rsplit('/').next().unwrap_or("").to_owned();
    let candidates = [&entity.word, &entity.name, &last, &entity.id];
    let name = candidates.into_iter().map(|text| camel(text)).find(|name| !name.is_empty());
    name.unwrap_or_else(|| "value".to_owned())
}
