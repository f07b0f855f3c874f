//! All profiles: those built in, and those of the operator's own folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::binding::{Binding, Profile};
use super::fault::{ProfileFault, nearest};
use super::load::{Loaded, parse};
use crate::model::Words;

macro_rules! built_in {
    ($($id:literal)*) => {
        /// Identifier and text of each built-in profile.
        pub const BUILT_IN: &[(&str, &str)] = &[
            $(($id, include_str!(concat!("../../config/profiles/", $id, ".toml"))),)*
        ];
    };
}

built_in! {
    "abb-b23"
    "abb-terra-ac"
    "acrel-adl3000"
    "acrel-adl400-primary"
    "acrel-adw300"
    "acrel-ddsy1352"
    "acrel-dtsd1352"
    "ai-on-the-edge-gas"
    "ai-on-the-edge-water"
    "alfen-ng9xx"
    "bender-cc612"
    "bg-etech-ds100"
    "book-machine"
    "calectro-ug-3"
    "carlo-gavazzi-em24"
    "carlo-gavazzi-em340"
    "chint-ddsu666"
    "chint-ddsu666-holding"
    "chint-dtsu666"
    "chint-dtsu666-unscaled"
    "chirpstack-axioma-qalcosonic-w1"
    "chirpstack-dragino-aqs01"
    "chirpstack-dragino-dds75-bin"
    "chirpstack-dragino-ds03a"
    "chirpstack-dragino-lht65n"
    "chirpstack-dragino-sw3l"
    "chirpstack-dragino-wl03a"
    "chirpstack-elvaco-cmi4110"
    "chirpstack-mclimate-flood"
    "chirpstack-milesight-am300"
    "chirpstack-milesight-ct10x"
    "chirpstack-milesight-em300-di-gas"
    "chirpstack-milesight-em300-di-water"
    "chirpstack-milesight-em300-leak"
    "chirpstack-milesight-em300-th"
    "chirpstack-milesight-em400-bin"
    "chirpstack-milesight-em500-swl"
    "chirpstack-milesight-gs101"
    "chirpstack-milesight-ws301"
    "chirpstack-milesight-ws302"
    "chirpstack-milesight-ws303"
    "cjt188-cooling"
    "cjt188-gas"
    "cjt188-heat"
    "cjt188-hot-water"
    "cjt188-water"
    "dlt645-1997-single-phase"
    "dlt645-1997-three-phase"
    "dlt645-2007-single-phase"
    "dlt645-2007-single-phase-tariff"
    "dlt645-2007-three-phase"
    "eastron-sdm120"
    "eastron-sdm630"
    "eletechsup-r4dcb08"
    "em2go"
    "em2go-duo"
    "emergency-broadcast-terminal"
    "esphome-energy-meter"
    "esphome-environment"
    "esphome-relay"
    "esphome-safety"
    "etek-ekepc2"
    "evcc-loadpoint"
    "evse-din"
    "go-echarger-modbus"
    "go-echarger-mqtt"
    "greenio-outdoor-air"
    "heidelberg-energy-control"
    "hiking-dds238-2"
    "hiking-dds238-2-sr"
    "icpdas-tm-p3r3"
    "inepro-pro380"
    "info-screen"
    "innogy-ebox"
    "janitza-b23"
    "json-electricity-meter"
    "json-environment-station"
    "json-ev-charger"
    "json-gas-meter"
    "json-heat-meter"
    "json-meter-cabinet"
    "json-water-meter"
    "juying-dam-0404"
    "juying-dam-0606"
    "juying-dam-0808"
    "keba-p30"
    "keba-p40"
    "kincony-sht30"
    "lc-103"
    "mennekes-amtron-compact"
    "openwb"
    "orno-we-516"
    "parcel-locker-cabinet"
    "phoenix-charx-sec"
    "phoenix-charx-sec-four"
    "phoenix-em-cp-pp-eth"
    "phoenix-ev-eth"
    "phoenix-ev-eth-wallbe"
    "phoenix-ev-ser"
    "pzem-016"
    "qdy30a-level"
    "renke-rs-byh-m"
    "renke-rs-fsjt-n01"
    "renke-rs-fxjt-n01"
    "renke-rs-ws-n01"
    "renke-umth4"
    "schneider-evlink-pro-ac"
    "schneider-iem3155"
    "shelly-gen1-1pm"
    "shelly-gen1-25"
    "shelly-gen1-3em"
    "shelly-gen1-door-window"
    "shelly-gen1-em"
    "shelly-gen1-flood"
    "shelly-gen1-gas"
    "shelly-gen1-ht"
    "shelly-gen1-relay"
    "shelly-gen1-smoke"
    "shelly-gen2-2pm"
    "shelly-gen2-em"
    "shelly-gen2-ht"
    "shelly-gen2-relay"
    "shelly-gen2-smoke"
    "shelly-gen4-flood"
    "shelly-i4"
    "shelly-plus-plug"
    "shelly-pm-mini"
    "shelly-pro-3em"
    "shelly-pro-4pm"
    "siemens-7kt1665"
    "siemens-qsa2700d"
    "sigenergy-evac"
    "solax-x3-evc"
    "sungrow-ac-charger"
    "tasmota-am2301"
    "tasmota-bme280-sds011"
    "tasmota-ds18b20"
    "tasmota-energy-plug"
    "tasmota-relay"
    "tasmota-relay-4"
    "tasmota-scd40"
    "tuf-2000m"
    "tuf-2000m-heat"
    "vending-machine"
    "vestel-evc04"
    "waste-bin"
    "waveshare-io-8"
    "waveshare-relay-8"
    "weather-station-500"
    "webasto-next"
    "wirenboard-wb-msw-v3"
    "wirenboard-wb-mwac-v2"
    "wmbusmeters-gas"
    "wmbusmeters-heat"
    "wmbusmeters-water"
    "xintai-ultrasonic-water"
    "xy-md02"
    "zigbee2mqtt-air-house-keeper"
    "zigbee2mqtt-button"
    "zigbee2mqtt-carbon-monoxide"
    "zigbee2mqtt-climate"
    "zigbee2mqtt-contact"
    "zigbee2mqtt-gas"
    "zigbee2mqtt-leak"
    "zigbee2mqtt-motion"
    "zigbee2mqtt-plug"
    "zigbee2mqtt-smoke"
    "zigbee2mqtt-three-phase-clamp"
    "zigbee2mqtt-vibration"
    "zigbee2mqtt-vindstyrka"
    "zigbee2mqtt-water-valve"
}

impl Profile {
    /// The word of the section that says how it is reached.
    pub fn protocol(&self) -> &'static str {
        match self.binding {
            Binding::Modbus { .. } => "modbus",
            Binding::Mqtt(_) => "mqtt",
            Binding::Dlt645(_) => "dlt645",
            Binding::Cjt188(_) => "cjt188",
        }
    }
}

/// A profile of a folder that stands in for another of its identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The identifier.
    pub id: String,
    /// The file that counts.
    pub file: String,
    /// The file that it replaces; none for the profile that is built in.
    pub replaced: Option<String>,
}

impl Override {
    /// For people.
    pub fn told(&self) -> Words {
        let Self { id, file, replaced } = self;
        match replaced {
            None => (
                format!("profile `{id}`: {file} replaces the one that is built in"),
                format!("设备型号 `{id}`：{file} 替换内置型号"),
            ),
            Some(other) => (
                format!("profile `{id}`: {file} replaces {other}"),
                format!("设备型号 `{id}`：{file} 替换 {other}"),
            ),
        }
        .into()
    }
}

/// The profiles by identifier.
#[derive(Debug, Clone, Default)]
pub struct Library {
    profiles: BTreeMap<String, Arc<Profile>>,
    /// The files of those that are not built in.
    files: BTreeMap<String, String>,
    overrides: Vec<Override>,
    /// Models with groups that can be larger than usual, as large as they may be.
    full: BTreeMap<String, Arc<Profile>>,
}

/// The folder of an estate's own profiles when none is configured.
pub const SITE_FOLDER: &str = "/etc/linli/profiles";

/// The folders of profiles: those that are configured, else `default` when it is there.
pub fn profile_folders(configured: Option<Vec<PathBuf>>, default: &Path) -> Vec<PathBuf> {
    match configured {
        Some(folders) => folders,
        None if default.is_dir() => vec![default.to_owned()],
        None => Vec::new(),
    }
}

impl Library {
    /// The built-in profiles only.
    ///
    /// # Panics
    /// Never: a test reads them all.
    pub fn built_in() -> Self {
        Self::load(&[]).expect("the built-in profiles are tested")
    }

    /// The built-in profiles and every `*.toml` of these folders, in their order; a later file
    /// replaces an earlier one of the same identifier.
    ///
    /// # Errors
    /// The faults of all files, and folders that cannot be read.
    pub fn load(extra_dirs: &[PathBuf]) -> Result<Self, Vec<ProfileFault>> {
        let mut library = Self::default();
        let mut faults = Vec::new();
        for (id, text) in BUILT_IN {
            library.add(None, &format!("{id}.toml"), text, &mut faults);
        }
        for dir in extra_dirs {
            let unreadable = |what: &Path, error: std::io::Error| ProfileFault {
                file: what.display().to_string(),
                place: None,
                message: format!("cannot be read: {error}"),
                nearest: None,
            };
            let entries = match std::fs::read_dir(dir) {
                Ok(entries) => entries,
                Err(error) => {
                    faults.push(unreadable(dir, error));
                    continue;
                }
            };
            let mut files: Vec<PathBuf> = entries
                .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
                .collect();
            files.sort();
            for file in files {
                match std::fs::read_to_string(&file) {
                    Ok(text) => {
                        let name = file.display().to_string();
                        library.add(Some(&name), &name, &text, &mut faults);
                    }
                    Err(error) => faults.push(unreadable(&file, error)),
                }
            }
        }
        if faults.is_empty() { Ok(library) } else { Err(faults) }
    }

    /// This profile and no other.
    pub fn of(loaded: Loaded) -> Self {
        let mut library = Self::default();
        library.insert(loaded);
        library
    }

    /// Takes a profile in; the one that it replaces.
    fn insert(&mut self, loaded: Loaded) -> Option<Arc<Profile>> {
        let id = loaded.profile.id.clone();
        self.full.remove(&id);
        if !loaded.full.groups.is_empty() {
            self.full.insert(id.clone(), Arc::new(loaded.full));
        }
        self.profiles.insert(id, Arc::new(loaded.profile))
    }

    fn add(&mut self, file: Option<&str>, name: &str, text: &str, faults: &mut Vec<ProfileFault>) {
        let loaded = match parse(name, text) {
            Ok(loaded) => loaded,
            Err(more) => return faults.extend(more),
        };
        let id = loaded.profile.id.clone();
        let before = self.insert(loaded);
        let Some(file) = file else { return };
        let replaced = self.files.insert(id.clone(), file.to_owned());
        if before.is_some() {
            self.overrides.retain(|told| told.id != id);
            self.overrides.push(Override { id, file: file.to_owned(), replaced });
        }
    }

    /// The profiles of folders that replaced others, by identifier; of several the one that counts.
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// The file of a profile; none when it is built in.
    pub fn file(&self, id: &str) -> Option<&str> {
        self.files.get(id).map(String::as_str)
    }

    /// All profiles, by identifier.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.profiles.values()
    }

    /// The profile of this identifier, its groups as large as they may be; the same as
    /// [`Library::get`] when it has none.
    pub fn full(&self, id: &str) -> Option<Arc<Profile>> {
        self.full.get(id).cloned().or_else(|| self.get(id))
    }

    /// The profile of this identifier, its groups as large as they usually are.
    pub fn get(&self, id: &str) -> Option<Arc<Profile>> {
        self.profiles.get(id).cloned()
    }

    /// All identifiers, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// The identifier most like a wrong one.
    pub fn nearest(&self, id: &str) -> Option<&str> {
        nearest(id, self.ids())
    }
}

#[cfg(test)]
mod guide_tests;
#[cfg(test)]
mod meter_tests;
#[cfg(test)]
mod tests;
