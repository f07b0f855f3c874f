//! What profiles of a category offer, learned from those there are: names, titles, units, limits.

use std::collections::BTreeMap;

use crate::model::{Category, Point, Quantity};
use crate::profile::{Binding, Library, Profile};

/// Most names that are offered.
const MOST: usize = 24;

/// The points that profiles of a category share, the most common first.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    points: Vec<(Point, bool)>,
}

impl Expected {
    pub fn of(library: &Library, category: Category) -> Self {
        let profiles: Vec<_> = library
            .ids()
            .filter_map(|id| library.get(id))
            .filter(|profile| profile.category == category)
            .collect();
        let mut uses: BTreeMap<String, Vec<(Point, bool)>> = BTreeMap::new();
        for profile in &profiles {
            for (slot, point) in profile.points.iter().enumerate() {
                let used = uses.entry(point.name.to_string()).or_default();
                used.push((point.clone(), is_flag(profile, slot)));
            }
        }
        let mut points: Vec<(usize, (Point, bool))> = uses
            .into_values()
            .filter_map(|used| Some((used.len(), usual(&used)?)))
            .filter(|(count, _)| *count > 1 || profiles.len() < 4)
            .collect();
        points.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        Self { points: points.into_iter().map(|(_, point)| point).take(MOST).collect() }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.points.iter().map(|(point, _)| &*point.name)
    }

    /// The point of this name, and whether it is a flag.
    pub fn get(&self, name: &str) -> Option<(&Point, bool)> {
        self.points
            .iter()
            .find(|(point, _)| &*point.name == name)
            .map(|(point, flag)| (point, *flag))
    }
}

fn is_flag(profile: &Profile, slot: usize) -> bool {
    match &profile.binding {
        Binding::Modbus { sources, .. } => sources[slot].flag,
        Binding::Mqtt(model) => model.sources[slot].flag,
        Binding::Dlt645(model) => model.sources[slot].flag,
        Binding::Cjt188(model) => model.sources[slot].flag,
    }
}

/// The use whose unit and quantity are the most common; with the most decimals of those.
fn usual(used: &[(Point, bool)]) -> Option<(Point, bool)> {
    let alike = |a: &Point, b: &Point| a.unit == b.unit && a.quantity == b.quantity;
    let common = used
        .iter()
        .max_by_key(|(point, _)| used.iter().filter(|(other, _)| alike(point, other)).count())?;
    let decimals =
        used.iter().filter(|(other, _)| alike(&common.0, other)).map(|(p, _)| p.decimals).max();
    let (mut point, flag) = common.clone();
    point.decimals = decimals.unwrap_or(point.decimals);
    // A counter without a limit would be refused.
    if point.quantity == Quantity::Counter && point.max_rate.is_none() {
        point.max_rate = used.iter().find_map(|(other, _)| other.max_rate);
    }
    Some((point, flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_common_points_of_a_category_come_first_with_unit_and_limits() {
        let library = Library::built_in();
        let expected = Expected::of(&library, Category::ElectricityMeter);
        let names: Vec<&str> = expected.names().collect();
        assert!(
            names.len() <= MOST && names[..6].contains(&"totalActiveEnergyImport"),
            "{names:?}"
        );
        let (energy, flag) = expected.get("totalActiveEnergyImport").unwrap();
        assert_eq!((energy.unit.code(), energy.quantity), ("kW.h", Quantity::Counter));
        assert!(!flag && energy.max_rate.is_some() && !energy.zh.is_empty());
    }

    #[test]
    fn every_category_has_something_to_offer() {
        let library = Library::built_in();
        let used: Vec<Category> =
            library.ids().filter_map(|id| library.get(id)).map(|p| p.category).collect();
        for category in used {
            assert!(Expected::of(&library, category).names().next().is_some(), "{category}");
        }
    }
}
