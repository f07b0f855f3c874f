//! Maintenance windows: while one is open, what it covers raises no alarm; what still holds at its
//! end does then.

use serde::{Deserialize, Serialize};

use crate::model::{Category, Device, Words};

/// Most names in one list: a row of the store must hold all.
const MOST_NAMES: usize = 30;
/// Longest name, in bytes.
const LONGEST: usize = 64;

/// What a window covers; with nothing named, everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scope {
    /// Devices by identifier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Devices whose place begins so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
    /// Devices by category.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}

impl Scope {
    /// Whether it covers everything, the gateway's own alarms too.
    pub fn is_all(&self) -> bool {
        self.devices.is_empty() && self.places.is_empty() && self.categories.is_empty()
    }

    /// Whether it covers a device; `None` is the gateway itself.
    pub fn covers(&self, device: Option<&Device>) -> bool {
        if self.is_all() {
            return true;
        }
        device.is_some_and(|device| {
            self.devices.iter().any(|id| id == device.id.as_str())
                || self.categories.iter().any(|word| word == device.category.word())
                || self.places.iter().any(|place| device.place.starts_with(place.as_str()))
        })
    }

    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), Words> {
        let lists = [&self.devices, &self.places, &self.categories];
        let count: usize = lists.iter().map(|list| list.len()).sum();
        if count > MOST_NAMES {
            return Err((
                format!("names {count} things, allowed are {MOST_NAMES}"),
                format!("共列出 {count} 项，最多 {MOST_NAMES} 项"),
            )
                .into());
        }
        if lists.iter().any(|list| list.iter().any(|n| n.trim().is_empty() || n.len() > LONGEST)) {
            return Err(
                ("a name is empty or longer than 64 bytes", "名称为空或超过 64 字节").into()
            );
        }
        match self.categories.iter().find(|word| Category::from_word(word).is_none()) {
            Some(word) => {
                Err((format!("`{word}` is no category"), format!("`{word}` 不是设备类别")).into())
            }
            None => Ok(()),
        }
    }
}

/// One window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Window {
    /// Its number.
    pub number: u32,
    /// It stands in the configuration.
    #[serde(default)]
    pub configured: bool,
    /// What is done.
    pub name: String,
    /// Who is responsible.
    pub by: String,
    /// When it begins, milliseconds since 1970.
    pub from_ms: i64,
    /// When it ends, milliseconds since 1970.
    pub to_ms: i64,
    /// What it covers.
    pub scope: Scope,
    /// Who ended it before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// It is over: a clock that goes back does not open it again.
    #[serde(default)]
    pub over: bool,
}

impl Window {
    /// One of the configuration.
    pub fn configured(
        name: String,
        by: String,
        (from_ms, to_ms): (i64, i64),
        scope: Scope,
    ) -> Self {
        Self {
            number: 0,
            configured: true,
            name,
            by,
            from_ms,
            to_ms,
            scope,
            ended_by: None,
            over: false,
        }
    }

    /// Whether it is open at this time.
    pub fn is_open(&self, wall_ms: i64) -> bool {
        !self.over && self.from_ms <= wall_ms && wall_ms < self.to_ms
    }

    /// Whether both are the same window of the configuration.
    pub fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && self.from_ms == other.from_ms && self.to_ms == other.to_ms
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::DeviceId;

    #[test]
    fn a_window_covers_by_name_place_or_category_and_everything_when_it_names_nothing() {
        let id = DeviceId::new("bin-1").unwrap();
        let mut device = Device::new(id, Category::WasteBin, Duration::from_secs(60), []);
        device.place = "3号楼1单元".into();
        let scope = |devices: &[&str], places: &[&str], categories: &[&str]| {
            let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            Scope { devices: own(devices), places: own(places), categories: own(categories) }
        };
        let covered = scope(&["bin-1"], &[], &[]).covers(Some(&device))
            && scope(&[], &["3号楼"], &[]).covers(Some(&device))
            && scope(&[], &[], &["waste_bin"]).covers(Some(&device))
            && Scope::default().covers(Some(&device));
        assert!(covered);
        assert!(!scope(&["bin-2"], &["4号楼"], &["gas_meter"]).covers(Some(&device)));
        assert!(Scope::default().covers(None) && !scope(&["bin-1"], &[], &[]).covers(None));
        assert!(scope(&[], &[], &["moon"]).check().unwrap_err().en.contains("moon"));
    }

    #[test]
    fn a_window_that_is_over_stays_so_when_the_clock_goes_back() {
        let names = ("w".to_owned(), "li".to_owned());
        let mut window = Window::configured(names.0, names.1, (100, 200), Scope::default());
        assert!(!window.is_open(99) && window.is_open(100) && !window.is_open(200));
        window.over = true;
        assert!(!window.is_open(150));
    }
}
