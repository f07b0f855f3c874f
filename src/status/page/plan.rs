//! The plan of the estate: a box for each building, with what hangs there and how it is.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::model::{Category, Device, Health};
use crate::status::layout::{encode, pill};
use crate::status::text::{Lang, Text};
use crate::status::view::{Tally, View};

/// Kinds of device named in a box; the rest is a number.
const MOST_KINDS: usize = 4;

/// What hangs in one building.
#[derive(Debug, Default)]
struct Building {
    health: Tally,
    kinds: BTreeMap<Category, u64>,
}

impl Building {
    fn take(&mut self, device: &Device, health: Health) {
        self.health.count(health);
        *self.kinds.entry(device.category).or_default() += 1;
    }

    /// The worst that is said of it, with how many devices it is said of.
    fn word(&self) -> (&'static str, Text, Option<u64>) {
        let Tally { offline, suspect, unknown, .. } = self.health;
        if offline > 0 {
            ("crit", Text::Offline, Some(offline))
        } else if suspect > 0 {
            ("warn", Text::Suspect, Some(suspect))
        } else if unknown > 0 {
            ("off", Text::Unknown, Some(unknown))
        } else {
            ("ok", Text::AllOnline, None)
        }
    }
}

/// The buildings in the order of their numbers; nothing where the places name only one.
pub(super) fn plan(view: &View, lang: Lang) -> Markup {
    let mut buildings: BTreeMap<&str, Building> = BTreeMap::new();
    for (index, device) in view.estate.indexed() {
        let health = view.snapshot.with(index, |state| state.health);
        buildings.entry(device.building()).or_default().take(device, health);
    }
    if buildings.len() < 2 {
        return html! {};
    }
    let mut rows: Vec<(&str, Building)> = buildings.into_iter().collect();
    rows.sort_by(|(one, _), (other, _)| by_number(one, other));
    html! {
        h2 id="plan" { (lang.t(Text::Buildings)) " " span.soft.num { (rows.len()) } }
        ul.plan { @for (name, building) in &rows { li { (tile(lang, name, building)) } } }
    }
}

fn tile(lang: Lang, name: &str, building: &Building) -> Markup {
    let (class, word, count) = building.word();
    let title = if name.is_empty() { lang.t(Text::NoPlace) } else { name };
    let mut kinds: Vec<(Category, u64)> =
        building.kinds.iter().map(|(kind, count)| (*kind, *count)).collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let more: u64 = kinds.iter().skip(MOST_KINDS).map(|(_, count)| count).sum();
    html! {
        a.tile.(class) href={ "/devices?building=" (encode(&query_of(name))) } {
            div { b { (title) } " " span.soft.num { (building.health.total()) } }
            div {
                @match count {
                    Some(count) => (pill(class, &format!("{} {count}", lang.t(word)))),
                    None => (pill(class, lang.t(word))),
                }
            }
            div.small.soft {
                @for (place, (kind, count)) in kinds.iter().take(MOST_KINDS).enumerate() {
                    @if place > 0 { " · " }
                    (lang.pick(kind.zh(), kind.en())) " " (count)
                }
                @if more > 0 { " · +" (more) }
            }
        }
    }
}

/// How a building stands in the address of the list of devices; `-` is for devices without a place.
pub(super) fn query_of(building: &str) -> String {
    if building.is_empty() { "-".to_owned() } else { building.to_owned() }
}

/// `9号楼` before `10号楼`, numbered buildings before the rest, nameless ones last.
pub(super) fn by_number(one: &str, other: &str) -> Ordering {
    let key = |name: &str| {
        let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
        (name.is_empty(), digits.parse::<u64>().map_or(u64::MAX, |number| number))
    };
    key(one).cmp(&key(other)).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buildings_stand_in_the_order_of_their_numbers_and_the_nameless_last() {
        let mut names = vec!["", "北门", "10号楼", "2号楼", "2号楼A座", "Building 7"];
        names.sort_by(|one, other| by_number(one, other));
        assert_eq!(names, ["2号楼", "2号楼A座", "10号楼", "Building 7", "北门", ""]);
    }
}
