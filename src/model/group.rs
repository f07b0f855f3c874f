//! Like things that a device has several of: the cells of a locker, the connectors of a charger.

use std::sync::Arc;

/// A group of like things in one device; its points are called `<name>.<number>.<point>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// First part of the names of its points, e.g. `cells`.
    pub name: Arc<str>,
    /// Title of a member, Chinese, with `{n}` for its number.
    pub zh: String,
    /// Title of a member, English, with `{n}` for its number.
    pub en: String,
    /// Number of the first member.
    pub from: u32,
    /// How many members the device has.
    pub count: u16,
    /// Most members that a device of the model may have.
    pub max: u16,
}

impl Group {
    /// The number of the member in this place, counted from 0.
    pub fn number(&self, place: u16) -> u32 {
        self.from.saturating_add(u32::from(place))
    }

    /// Title of the member in this place, Chinese.
    pub fn zh(&self, place: u16) -> String {
        self.zh.replace("{n}", &self.number(place).to_string())
    }

    /// Title of the member in this place, English.
    pub fn en(&self, place: u16) -> String {
        self.en.replace("{n}", &self.number(place).to_string())
    }

    /// The member's place and the rest of the name, when the point is one of the group.
    pub fn place_of<'p>(&self, point: &'p str) -> Option<(u16, &'p str)> {
        let rest = point.strip_prefix(&*self.name)?.strip_prefix('.')?;
        let (number, rest) = rest.split_once('.')?;
        let place = number.parse::<u32>().ok()?.checked_sub(self.from)?;
        let place = u16::try_from(place).ok().filter(|place| *place < self.count)?;
        Some((place, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_of_a_group_tells_its_member_and_others_do_not() {
        let group = Group {
            name: "cells".into(),
            zh: "{n} 号格口".into(),
            en: "cell {n}".into(),
            from: 1,
            count: 20,
            max: 200,
        };
        assert_eq!(group.place_of("cells.20.door"), Some((19, "door")));
        assert_eq!(group.place_of("cells.21.door"), None);
        assert_eq!(group.place_of("cells.0.door"), None);
        assert_eq!(group.place_of("cellsize.1.door"), None);
        assert_eq!(group.place_of("cells.3.current.L1"), Some((2, "current.L1")));
        assert_eq!((group.zh(2), group.en(2)), ("3 号格口".into(), "cell 3".into()));
    }
}
