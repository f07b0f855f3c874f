//! Holds a profile against the model of its category. A pure function: nothing is read or said.

use super::{AnyOf, CategoryModels, Nature, Property};
use crate::model::{Label, Point, Quantity, Unit, Words};
use crate::profile::binding::{Binding, Profile};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Two profiles would mean different things by one name.
    Fault,
    /// Something that people will miss.
    Note,
    /// For those who want to know everything.
    Detail,
}

/// One difference between a profile and the model of its category.
#[derive(Debug, Clone, PartialEq)]
pub enum Compliance {
    /// None of these points is there.
    Missing(AnyOf, Words),
    /// A known name in another unit.
    Unit {
        /// The point.
        point: String,
        /// As it is.
        unit: Unit,
        /// As it may be.
        allowed: Vec<Unit>,
    },
    /// A known name of another nature.
    Nature {
        /// The point.
        point: String,
        /// As it is.
        nature: Nature,
        /// As it should be.
        right: Nature,
    },
    /// A code that the shared codes do not have, or that they call differently.
    Code {
        /// The point.
        point: String,
        /// The code as the profile calls it.
        label: Label,
        /// The code as it is shared, when it is.
        right: Option<Label>,
        /// The shared codes.
        set: String,
        /// All of them.
        codes: Vec<i64>,
    },
    /// A state whose codes are shared, without labels.
    NoLabels {
        /// The point.
        point: String,
        /// The shared codes.
        set: String,
    },
    /// A name of parts, without a part.
    Whole {
        /// The point.
        point: String,
        /// What the whole is called.
        whole: String,
    },
    /// A known name that is not usual in the category.
    Unusual(String),
    /// A name of the profile's own.
    OwnName(String),
}

impl Compliance {
    /// How much it weighs.
    pub fn weight(&self) -> Weight {
        match self {
            Compliance::Unit { .. }
            | Compliance::Nature { .. }
            | Compliance::Code { .. }
            | Compliance::NoLabels { .. }
            | Compliance::Whole { .. } => Weight::Fault,
            Compliance::Missing(..) => Weight::Note,
            Compliance::Unusual(_) | Compliance::OwnName(_) => Weight::Detail,
        }
    }

    /// The point that differs; none when points are missing.
    pub fn point(&self) -> Option<&str> {
        match self {
            Compliance::Missing(..) => None,
            Compliance::Unit { point, .. }
            | Compliance::Nature { point, .. }
            | Compliance::Code { point, .. }
            | Compliance::NoLabels { point, .. }
            | Compliance::Whole { point, .. }
            | Compliance::Unusual(point)
            | Compliance::OwnName(point) => Some(point),
        }
    }

    /// For people.
    pub fn told(&self) -> Words {
        match self {
            Compliance::Missing(any, title) => {
                let names = listed(any.0.iter().map(String::as_str));
                let (some, one) = if any.0.len() > 1 { ("one of ", "之一") } else { ("", "") };
                (
                    format!("lacks {some}{names} ({})", title.en),
                    format!("缺少 {names}{one}（{}）", title.zh),
                )
                    .into()
            }
            Compliance::Unit { point, unit, allowed } => {
                let ratio = allowed.first().and_then(|right| unit.ratio(*right));
                let (by, by_zh) = ratio.map_or_else(Default::default, |ratio| {
                    (format!(" ({ratio} times as much)"), format!("（乘以 {ratio}）"))
                });
                let allowed = listed(allowed.iter().map(|unit| unit.code()));
                (
                    format!("`{point}` is in `{unit}`, by this name it is in {allowed} everywhere: convert it by `factor`{by}, or call it otherwise"),
                    format!("`{point}` 的单位是 `{unit}`，此名称的统一单位是 {allowed}：请用 `factor` 换算{by_zh}，或改用其他名称"),
                )
                    .into()
            }
            Compliance::Nature { point, nature, right } => {
                let (nature, right) = (nature.word(), right.word());
                (
                    format!("`{point}` has quantity `{nature}`, by this name it is `{right}` everywhere: set `quantity`, or call it otherwise"),
                    format!("`{point}` 的类型是 `{nature}`，此名称的统一类型是 `{right}`：请改 `quantity`，或改用其他名称"),
                )
                    .into()
            }
            Compliance::Code { point, label, right, set, codes } => {
                told_code(point, label, right.as_ref(), set, codes)
            }
            Compliance::NoLabels { point, set } => (
                format!("`{point}` has no labels: write `labels = \"{set}\"`, and `codes` where the device says others"),
                format!("`{point}` 没有代码含义：请写 `labels = \"{set}\"`，设备代码不同时用 `codes` 对应"),
            )
                .into(),
            Compliance::Whole { point, whole } => (
                format!("`{point}` is a name of parts (`{point}.L1`); the whole is called `{whole}`"),
                format!("`{point}` 只用于分项（`{point}.L1`）；总量名称是 `{whole}`"),
            )
                .into(),
            Compliance::Unusual(point) => (
                format!("`{point}` is not usual in this category"),
                format!("`{point}` 在此类设备中不常见"),
            )
                .into(),
            Compliance::OwnName(point) => (
                format!("`{point}` is a name of its own, in no category"),
                format!("`{point}` 是自有名称，不在统一词汇中"),
            )
                .into(),
        }
    }
}

fn told_code(point: &str, label: &Label, right: Option<&Label>, set: &str, codes: &[i64]) -> Words {
    let Label { code, zh, en } = label;
    match right {
        Some(right) => (
            format!("`{point}` calls code {code} `{en}`, among the shared codes `{set}` it is `{}`: map what the device says by `codes`", right.en),
            format!("`{point}` 的代码 {code} 写作“{zh}”，在统一代码 `{set}` 中是“{}”：请用 `codes` 对应", right.zh),
        )
            .into(),
        None => {
            let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
            let codes = codes.join(" ");
            (
                format!("`{point}` has code {code} (`{en}`), the shared codes `{set}` are {codes}: map what the device says by `codes`"),
                format!("`{point}` 有代码 {code}（{zh}），统一代码 `{set}` 为 {codes}：请用 `codes` 对应"),
            )
                .into()
        }
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Everything in which a profile differs from the model of its category, the gravest first.
pub fn comply(profile: &Profile, models: &CategoryModels) -> Vec<Compliance> {
    let mut found = Vec::new();
    let mut offered = Vec::new();
    for (slot, point) in profile.points.iter().enumerate() {
        let name = point.name.to_string();
        let Some((parts, property)) = models.property(&name) else {
            found.push(Compliance::OwnName(name));
            continue;
        };
        offered.push(parts.property.to_owned());
        if !models.is_usual(parts.property, profile.category) {
            found.push(Compliance::Unusual(name.clone()));
        }
        if let (None, Some(whole)) = (parts.part, &property.whole) {
            found.push(Compliance::Whole { point: name.clone(), whole: whole.clone() });
        }
        found.extend(differs(point, is_flag(profile, slot), property, models));
    }
    let should = models.categories.get(&profile.category).map_or(&[][..], |model| &model.should);
    for any in should {
        if !any.0.iter().any(|name| offered.contains(name)) {
            let of = |name: &String| models.properties.get(name);
            let titles: Vec<&Property> = any.0.iter().filter_map(of).collect();
            let en: Vec<&str> = titles.iter().map(|property| property.en.as_str()).collect();
            let zh: Vec<&str> = titles.iter().map(|property| property.zh.as_str()).collect();
            let title = (en.join("; "), zh.join("；")).into();
            found.push(Compliance::Missing(any.clone(), title));
        }
    }
    found.sort_by_key(Compliance::weight);
    found
}

/// In what a point differs from what its name means.
fn differs(
    point: &Point,
    is_flag: bool,
    property: &Property,
    models: &CategoryModels,
) -> Vec<Compliance> {
    let mut found = Vec::new();
    let name = || point.name.to_string();
    if !property.units.contains(&point.unit) {
        let allowed = property.units.clone();
        found.push(Compliance::Unit { point: name(), unit: point.unit, allowed });
    }
    let nature = match point.quantity {
        Quantity::Instantaneous => Nature::Instantaneous,
        Quantity::Counter => Nature::Counter,
        Quantity::State if is_flag => Nature::Flag,
        Quantity::State => Nature::State,
        Quantity::Text => Nature::Text,
    };
    if nature != property.nature {
        found.push(Compliance::Nature { point: name(), nature, right: property.nature });
        return found;
    }
    let Some((set, shared)) =
        property.labels.as_ref().and_then(|set| models.labels.get_key_value(set))
    else {
        return found;
    };
    if point.labels.is_empty() {
        found.push(Compliance::NoLabels { point: name(), set: set.clone() });
    }
    for label in &point.labels {
        let right = shared.iter().find(|right| right.code == label.code);
        if right.is_some_and(|right| means_the_same(label, right)) {
            continue;
        }
        found.push(Compliance::Code {
            point: name(),
            label: label.clone(),
            right: right.cloned(),
            set: set.clone(),
            codes: shared.iter().map(|label| label.code).collect(),
        });
    }
    found
}

/// Either language is enough: people may word the other better.
fn means_the_same(label: &Label, right: &Label) -> bool {
    label.zh.trim() == right.zh || label.en.trim().eq_ignore_ascii_case(&right.en)
}

/// Whether a point is true or false.
fn is_flag(profile: &Profile, slot: usize) -> bool {
    if let Some(derived) = profile.derived.iter().find(|derived| derived.point.slot() == slot) {
        return derived.flag;
    }
    match &profile.binding {
        Binding::Modbus { sources, .. } => sources.get(slot).is_some_and(|source| source.flag),
        Binding::Mqtt(model) => model.sources.get(slot).is_some_and(|source| source.flag),
        Binding::Dlt645(model) => model.sources.get(slot).is_some_and(|source| source.flag),
        Binding::Cjt188(model) => model.sources.get(slot).is_some_and(|source| source.flag),
    }
}
