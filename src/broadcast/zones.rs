//! Who hears and sees a warning: zones by name and by area code.
//!
//! An area code is an administrative division code (GB/T 2260: two digits each of province, city and
//! county, then three each of street and community), with further digits below. Trailing levels of
//! zeros stand for everything inside: `371002000000` is the whole county `371002`.

use std::collections::BTreeSet;

use crate::model::{DeviceId, WarningRefusal};

/// Where the levels of an area code end.
const LEVELS: [usize; 5] = [2, 4, 6, 9, 12];

/// What a device is to the broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// It plays.
    Terminal,
    /// It shows a text.
    Screen,
}

/// One device that plays or shows warnings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Which device.
    pub device: DeviceId,
    /// What people call it.
    pub title: String,
    /// Where it is; may be empty.
    pub place: String,
    /// What it is.
    pub kind: TargetKind,
    /// Most bytes of the text that it takes: of a screen what it shows, of a terminal what it speaks;
    /// 0 for a terminal that plays only what it has.
    pub text_limit: usize,
    /// It can be told to be silent.
    pub stops: bool,
}

/// A zone of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone {
    /// What messages call it.
    pub name: String,
    /// For people, Chinese; the name when empty.
    pub zh: String,
    /// For people, English; the name when empty.
    pub en: String,
    /// Its area codes.
    pub codes: Vec<String>,
    /// Its devices.
    pub devices: Vec<DeviceId>,
    /// Beginnings of the places whose devices belong to it.
    pub places: Vec<String>,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zones {
    area: Option<String>,
    zones: Vec<Zone>,
    targets: Vec<Target>,
    members: Vec<BTreeSet<usize>>,
}

/// The digits of a code down to the last level that is not all zeros.
fn significant(code: &str) -> &str {
    let meant = code.trim_end_matches('0').len();
    let end = LEVELS.into_iter().find(|level| *level >= meant).unwrap_or(meant);
    code.get(..end.min(code.len())).unwrap_or(code)
}

/// Whether everything of `inner` lies in `outer`.
fn covers(outer: &str, inner: &str) -> bool {
    significant(inner).starts_with(significant(outer))
}

impl Zones {
    /// Of an estate with this area code, these zones and devices.
    pub fn new(area: Option<String>, zones: Vec<Zone>, targets: Vec<Target>) -> Self {
        let belongs = |zone: &Zone, target: &Target| {
            let there = |place: &String| target.place.starts_with(place.as_str());
            zone.devices.contains(&target.device) || zone.places.iter().any(there)
        };
        let members = zones
            .iter()
            .map(|zone| {
                let all = targets.iter().enumerate();
                all.filter(|(_, target)| belongs(zone, target)).map(|(slot, _)| slot).collect()
            })
            .collect();
        Self { area, zones, targets, members }
    }

    /// The devices.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Each zone with how many devices it has.
    pub fn sizes(&self) -> impl Iterator<Item = (&Zone, usize)> {
        self.zones.iter().zip(self.members.iter().map(BTreeSet::len))
    }

    /// The devices that a message addresses which names these zones; all when it names none.
    ///
    /// # Errors
    /// [`WarningRefusal::OtherArea`] when none of them is of this estate,
    /// [`WarningRefusal::NobodyReached`] when nothing stands there.
    pub fn addressed(&self, asked: &[String]) -> Result<BTreeSet<usize>, WarningRefusal> {
        let all = || (0..self.targets.len()).collect::<BTreeSet<usize>>();
        let mut found = BTreeSet::new();
        let mut ours = asked.is_empty();
        if ours {
            found = all();
        }
        for zone in asked {
            if let Some(members) = self.of(zone, all) {
                ours = true;
                found.extend(members);
            }
        }
        match (ours, found.is_empty()) {
            (false, _) => Err(WarningRefusal::OtherArea),
            (true, true) => Err(WarningRefusal::NobodyReached),
            (true, false) => Ok(found),
        }
    }

    /// The devices of one name or code; `None` when it is none of ours.
    fn of(&self, asked: &str, all: impl Fn() -> BTreeSet<usize>) -> Option<BTreeSet<usize>> {
        if let Some(slot) = self.zones.iter().position(|zone| zone.name == asked) {
            return Some(self.members[slot].clone());
        }
        if asked.is_empty() || !asked.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match &self.area {
            // Nobody said where the estate is: the platform that sent it here must know.
            None if self.zones.iter().all(|zone| zone.codes.is_empty()) => return Some(all()),
            Some(area) if covers(asked, area) => return Some(all()),
            _ => {}
        }
        let meant = |zone: &Zone| zone.codes.iter().any(|code| covers(asked, code));
        let mut found = None;
        for (zone, members) in self.zones.iter().zip(&self.members) {
            if meant(zone) {
                found.get_or_insert_with(BTreeSet::new).extend(members);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones() -> Zones {
        let target = |name: &str, place: &str| Target {
            device: DeviceId::new(name).unwrap(),
            title: name.into(),
            place: place.into(),
            kind: TargetKind::Terminal,
            text_limit: 0,
            stops: true,
        };
        let zone = |name: &str, code: &str, place: &str| Zone {
            name: name.into(),
            codes: vec![code.into()],
            places: vec![place.into()],
            ..Zone::default()
        };
        let mut empty = zone("empty", "371002001005003", "9");
        empty.devices = vec![DeviceId::new("gone").unwrap()];
        Zones::new(
            Some("371002001005".into()),
            vec![
                zone("north", "371002001005001", "1"),
                zone("south", "371002001005002", "2"),
                empty,
            ],
            vec![target("a", "1 号楼"), target("b", "2 号楼"), target("c", "2 号楼 3 层")],
        )
    }

    fn asked(names: &[&str]) -> Result<Vec<usize>, WarningRefusal> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        zones().addressed(&names).map(|found| found.into_iter().collect())
    }

    #[test]
    fn names_and_codes_find_their_devices() {
        assert_eq!(asked(&[]), Ok(vec![0, 1, 2]));
        assert_eq!(asked(&["north"]), Ok(vec![0]));
        assert_eq!(asked(&["371002001005002"]), Ok(vec![1, 2]));
        assert_eq!(asked(&["north", "371002001005002"]), Ok(vec![0, 1, 2]));
        for whole in ["371002001005", "371002001000", "371002000000", "370000000000", "371002"] {
            assert_eq!(asked(&[whole]), Ok(vec![0, 1, 2]), "{whole}");
        }
    }

    #[test]
    fn another_area_is_not_ours_and_an_empty_zone_reaches_nobody() {
        for other in ["371003000000", "371002001006", "371002001005009", "east", ""] {
            assert_eq!(asked(&[other]), Err(WarningRefusal::OtherArea), "{other}");
        }
        assert_eq!(asked(&["empty"]), Err(WarningRefusal::NobodyReached));
        assert_eq!(asked(&["371003000000", "north"]), Ok(vec![0]), "one of them is ours");
    }

    #[test]
    fn without_an_area_code_a_code_means_the_estate() {
        let open = Zones::new(None, Vec::new(), zones().targets().to_vec());
        assert_eq!(open.addressed(&["371003000000".into()]).unwrap().len(), 3);
    }
}
