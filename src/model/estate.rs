//! The estate as configured: its devices and their points. Made once from configuration and
//! profiles, then shared and never changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    BusId, Category, Derived, DeviceId, DeviceIndex, EstateKind, GatewayId, Group, PointIndex, Unit,
};

/// What a value is by nature; it decides which checks apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Measured now: power, temperature, level.
    Instantaneous,
    /// Only counts upwards: energy, volume, sales.
    Counter,
    /// A state by code or flag: connector state, door, alarm bit.
    State,
    /// A text: serial number, message id.
    Text,
}

/// What a state's code means, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The code, as it stands in the stream.
    pub code: i64,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// When a reading is worth storing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReportRule {
    /// Smallest change, in the point's unit, that is reported; 0 reports every change.
    pub dead_band: f64,
    /// A reading is stored at least this often, changed or not.
    pub at_least_every: Duration,
}

impl Default for ReportRule {
    fn default() -> Self {
        Self { dead_band: 0.0, at_least_every: Duration::from_secs(900) }
    }
}

/// One value that a device offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Smart Data Models property name where one exists, e.g. `totalActiveEnergyImport`.
    pub name: Arc<str>,
    /// For people, Chinese; the name when empty.
    pub zh: String,
    /// For people, English; the name when empty.
    pub en: String,
    /// Unit of the value.
    pub unit: Unit,
    /// What kind of value.
    pub quantity: Quantity,
    /// Digits after the decimal point that mean something, 0..=9.
    pub decimals: u8,
    /// Lowest and highest plausible value, inclusive.
    pub range: Option<(f64, f64)>,
    /// Greatest plausible change per second, in the point's unit: for a counter the most that the
    /// meter can count in a second.
    pub max_rate: Option<f64>,
    /// Where a counter wraps to zero.
    pub counter_max: Option<f64>,
    /// Meaning of codes, for states.
    pub labels: Vec<Label>,
    /// When it is worth storing.
    pub report: ReportRule,
}

impl Point {
    /// A point with neither texts, digits, limits nor labels, and the usual report rule.
    pub fn new(name: &str, unit: Unit, quantity: Quantity) -> Self {
        Self {
            name: name.into(),
            zh: String::new(),
            en: String::new(),
            unit,
            quantity,
            decimals: 0,
            range: None,
            max_rate: None,
            counter_max: None,
            labels: Vec::new(),
            report: ReportRule::default(),
        }
    }
}

/// One device of the estate.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its identifier.
    pub id: DeviceId,
    /// What people call it; the identifier when empty.
    pub name: String,
    /// Where it is, e.g. `3号楼1单元`.
    pub place: String,
    /// Whom it belongs to (产权/责任人); may be empty.
    pub owner: String,
    /// Who maintains it (维护单位); may be empty.
    pub maintainer: String,
    /// What kind of thing it is.
    pub category: Category,
    /// Its profile's identifier.
    pub profile: String,
    /// Brand and model.
    pub product: String,
    /// How it is reached, for people: `line-1 #3`, `mqtt zigbee2mqtt/hall`.
    pub connection: String,
    /// The bus it hangs on; `None` for MQTT.
    pub bus: Option<BusId>,
    /// How often a fresh reading is expected.
    pub expected_every: Duration,
    /// What it offers.
    pub points: Arc<[Point]>,
    /// Like things that it has several of.
    pub groups: Arc<[Group]>,
    /// Which of the points follow from others, in the order of `points`.
    pub derived: Arc<[Derived]>,
}

impl Device {
    /// A device without texts, on no bus, with neither groups nor derived points.
    pub fn new(
        id: DeviceId,
        category: Category,
        expected_every: Duration,
        points: impl Into<Arc<[Point]>>,
    ) -> Self {
        Self {
            id,
            name: String::new(),
            place: String::new(),
            owner: String::new(),
            maintainer: String::new(),
            category,
            profile: String::new(),
            product: String::new(),
            connection: String::new(),
            bus: None,
            expected_every,
            points: points.into(),
            groups: Arc::new([]),
            derived: Arc::new([]),
        }
    }

    /// The group whose member has the point, if one has.
    pub fn group_of(&self, point: &Point) -> Option<&Group> {
        self.groups.iter().find(|group| group.place_of(&point.name).is_some())
    }

    /// The building or the yard that it belongs to: what stands in its place before the first `/`;
    /// without one up to the first word for a building (`3号楼` of `3号楼1单元`), else the whole place.
    /// Empty without a place.
    pub fn building(&self) -> &str {
        let place = self.place.trim();
        if let Some((building, _)) = place.split_once('/') {
            return building.trim_end();
        }
        let end = ["号楼", "栋", "幢", "座"]
            .iter()
            .filter_map(|word| Some((place.find(word)?, word.len())))
            .filter(|(at, _)| *at > 0)
            .min()
            .map_or(place.len(), |(at, length)| at + length);
        place.get(..end).unwrap_or(place)
    }

    /// Name for people.
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }
}

/// The whole estate.
#[derive(Debug, Clone, PartialEq)]
pub struct Estate {
    /// This gateway.
    pub gateway: GatewayId,
    /// Name of the estate, for people.
    pub name: String,
    /// New or retrofitted: decides the target star.
    pub kind: EstateKind,
    devices: Vec<Device>,
    by_id: HashMap<DeviceId, DeviceIndex>,
}

/// Why a list of devices is not an estate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EstateError {
    /// Two devices of one name.
    #[error("two devices are called `{0}`")]
    Duplicate(DeviceId),
    /// More than 65,535 points.
    #[error("device `{0}` has more than 65535 points")]
    TooManyPoints(DeviceId),
}

impl Estate {
    /// Puts the devices in order; their place is their [`DeviceIndex`].
    ///
    /// # Errors
    /// Two devices of one name, or a device with too many points.
    pub fn new(
        gateway: GatewayId,
        name: String,
        kind: EstateKind,
        devices: Vec<Device>,
    ) -> Result<Self, EstateError> {
        let mut by_id = HashMap::with_capacity(devices.len());
        for (slot, device) in (0u32..).zip(&devices) {
            if device.points.len() > usize::from(u16::MAX) {
                return Err(EstateError::TooManyPoints(device.id.clone()));
            }
            if by_id.insert(device.id.clone(), DeviceIndex(slot)).is_some() {
                return Err(EstateError::Duplicate(device.id.clone()));
            }
        }
        Ok(Self { gateway, name, kind, devices, by_id })
    }

    /// All devices, in order of their index.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// Devices with their index.
    pub fn indexed(&self) -> impl Iterator<Item = (DeviceIndex, &Device)> {
        (0u32..).map(DeviceIndex).zip(&self.devices)
    }

    /// The device at an index of this estate.
    pub fn device(&self, index: DeviceIndex) -> &Device {
        &self.devices[index.slot()]
    }

    /// Finds a device by name.
    pub fn find(&self, id: &DeviceId) -> Option<DeviceIndex> {
        self.by_id.get(id).copied()
    }

    /// The point at an index of a device.
    pub fn point(&self, device: DeviceIndex, point: PointIndex) -> &Point {
        &self.devices[device.slot()].points[point.slot()]
    }
}
