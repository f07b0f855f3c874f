//! What profiles of a category should offer: names and meaning from the model of the category,
//! limits from the profiles that there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Category, Point, Quantity, ReportRule};
use crate::profile::{CategoryModels, Library, Nature, Property};

/// Three phases come as parts of these.
const PHASES: [&str; 3] = ["L1", "L2", "L3"];

/// The points that profiles of a category should offer, those that would be missed first.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    offered: Vec<String>,
    /// Names of which one is enough.
    enough: Vec<Vec<String>>,
    /// As the profiles that there are have them, by the property that the name tells.
    usual: BTreeMap<String, Point>,
}

/// A point as it is known before anything is said of it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub point: Point,
    pub nature: Nature,
    /// Set of codes of the category models.
    pub labels: Option<&'static str>,
}

impl Expected {
    pub fn of(library: &Library, category: Category) -> Self {
        let models = CategoryModels::built_in();
        let (mut offered, mut enough) = (Vec::<String>::new(), Vec::new());
        if let Some(model) = models.categories.get(&category) {
            enough = model.should.iter().map(|any| any.0.clone()).collect();
            let should = model.should.iter().flat_map(|any| &any.0);
            for name in should.chain(&model.may) {
                if !offered.contains(name) {
                    offered.push(name.clone());
                }
            }
        }
        let mut uses: BTreeMap<String, Vec<Point>> = BTreeMap::new();
        let profiles = library.iter().filter(|profile| profile.category == category);
        for point in profiles.flat_map(|profile| profile.points.iter()) {
            let Some((parts, _)) = models.property(&point.name) else { continue };
            uses.entry(parts.property.to_owned()).or_default().push(point.clone());
        }
        let usual = uses.into_iter().filter_map(|(name, used)| Some((name, usual(&used)?)));
        Self { offered, enough, usual: usual.collect() }
    }

    /// Whether another point that was given says the same already: one of which one is enough, or
    /// the whole of its parts.
    pub fn is_told(&self, name: &str, given: &[&str]) -> bool {
        let whole = |name: &str| name.split('.').next().unwrap_or(name).to_owned();
        let same = |other: &&str| {
            let (one, other) = (whole(name), whole(other));
            let sisters = |any: &&Vec<String>| any.contains(&one) && any.contains(&other);
            one != other && self.enough.iter().any(|any| sisters(&any))
        };
        given.iter().any(same) || (name.contains('.') && given.contains(&whole(name).as_str()))
    }

    /// Names that are asked for; what comes by phase, by phase.
    pub fn names(&self) -> Vec<String> {
        let phases = |name: &String| match name.as_str() {
            "phaseVoltage" | "current" => {
                let parts = PHASES.iter().map(|phase| format!("{name}.{phase}"));
                std::iter::once(name.clone()).chain(parts).collect()
            }
            _ => vec![name.clone()],
        };
        self.offered.iter().flat_map(phases).collect()
    }

    /// What is known of a point by its name.
    pub fn get(&self, name: &str) -> Option<Known> {
        let (parts, property) = CategoryModels::built_in().property(name)?;
        let unit = property.units[0];
        let usual = self.usual.get(parts.property);
        let same = usual.filter(|point| property.units.contains(&point.unit));
        let point = same.cloned().unwrap_or_else(|| plain(property));
        let with = |title: &str, number: &str| match parts.part {
            Some(part) => format!("{number}{title} {part}"),
            None => format!("{number}{title}"),
        };
        let (zh, en) = parts.member.map_or_else(Default::default, |(_, number)| {
            (format!("{number} 号"), format!("{number} "))
        });
        Some(Known {
            point: Point {
                name: Arc::from(name),
                zh: with(&property.zh, &zh),
                en: with(&property.en, &en),
                unit: same.map_or(unit, |point| point.unit),
                quantity: quantity(property.nature),
                ..point
            },
            nature: property.nature,
            labels: property.labels.as_deref(),
        })
    }
}

fn quantity(nature: Nature) -> Quantity {
    match nature {
        Nature::Instantaneous => Quantity::Instantaneous,
        Nature::Counter => Quantity::Counter,
        Nature::State | Nature::Flag => Quantity::State,
        Nature::Text => Quantity::Text,
    }
}

/// A point of which nothing but its property is known.
fn plain(property: &Property) -> Point {
    Point {
        name: Arc::from(""),
        zh: String::new(),
        en: String::new(),
        unit: property.units[0],
        quantity: quantity(property.nature),
        decimals: if property.nature == Nature::Instantaneous { 2 } else { 0 },
        range: None,
        max_rate: None,
        counter_max: None,
        labels: Vec::new(),
        report: ReportRule::default(),
    }
}

/// The use whose unit and quantity are the most common; with the most decimals of those.
fn usual(used: &[Point]) -> Option<Point> {
    let alike = |a: &Point, b: &Point| a.unit == b.unit && a.quantity == b.quantity;
    let common =
        used.iter().max_by_key(|point| used.iter().filter(|other| alike(point, other)).count())?;
    let same = || used.iter().filter(|other| alike(common, other));
    let mut point = common.clone();
    point.decimals = same().map(|other| other.decimals).max().unwrap_or(point.decimals);
    // The widest: another model may be larger.
    point.range =
        same().filter_map(|other| other.range).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    point.max_rate = same().filter_map(|other| other.max_rate).reduce(f64::max);
    Some(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_category_would_miss_comes_first_with_unit_and_limits() {
        let library = Library::built_in();
        let expected = Expected::of(&library, Category::ElectricityMeter);
        let names = expected.names();
        assert_eq!(names[0], "totalActiveEnergyImport");
        assert!(names.iter().any(|name| name == "phaseVoltage.L2"), "{names:?}");
        let energy = expected.get("totalActiveEnergyImport").unwrap();
        assert_eq!((energy.point.unit.code(), energy.nature), ("kW.h", Nature::Counter));
        assert!(energy.point.max_rate.is_some() && !energy.point.zh.is_empty());
    }

    #[test]
    fn what_is_told_by_another_point_is_not_asked() {
        let expected = Expected::of(&Library::built_in(), Category::ElectricityMeter);
        assert!(expected.is_told("totalActiveEnergy", &["totalActiveEnergyImport"]));
        assert!(expected.is_told("phaseVoltage.L1", &["phaseVoltage"]));
        assert!(!expected.is_told("phaseVoltage.L2", &["phaseVoltage.L1"]));
        assert!(!expected.is_told("powerFactor", &["totalActiveEnergyImport"]));
        assert!(!expected.is_told("current.L1", &["phaseVoltage"]));
    }

    #[test]
    fn a_part_or_a_member_of_a_group_is_known_by_its_property() {
        let expected = Expected::of(&Library::built_in(), Category::ElectricityMeter);
        let phase = expected.get("phaseVoltage.L2").unwrap().point;
        assert_eq!((phase.zh.as_str(), phase.en.as_str()), ("电压 L2", "voltage L2"));
        let circuit = expected.get("channels.3.current").unwrap().point;
        assert_eq!((circuit.zh.as_str(), circuit.en.as_str()), ("3 号电流", "3 current"));
        assert!(expected.get("nobodyKnowsIt").is_none());
    }

    #[test]
    fn every_category_but_other_has_something_that_would_be_missed() {
        for category in Category::ALL {
            let expected = Expected::of(&Library::built_in(), *category);
            assert!(!expected.names().is_empty(), "{category}");
        }
    }
}
