//! The retained documents of the stream: what they say, as JSON. Blocks have their own format in
//! [`Document`](crate::model::Document).

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::model::{
    Category, Device, Epoch, Estate, EstateKind, Group, Moment, Point, Quantity, Seq,
};

/// Version of these documents.
pub const MESSAGE_VERSION: u8 = 1;

/// Documents above this size are compressed.
const COMPRESS_ABOVE: usize = 4096;

/// Whether the gateway is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Birth.
    Online,
    /// Last will, or a clean stop.
    Offline,
}

/// Retained under `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Status {
    /// Version of the document.
    pub v: u8,
    /// Birth or last will.
    pub state: Presence,
    /// The gateway.
    pub gateway: String,
    /// The life of its buffer, 16 hex digits.
    pub epoch: String,
    /// Version of the program.
    pub version: String,
    /// The run of the system since its last power-on.
    pub boot: String,
    /// Begin of the session, milliseconds since 1970-01-01T00:00:00Z; absent while no clock is
    /// trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// At birth, the position that the next block gets: blocks below it are late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_seq: Option<u64>,
    /// When offline: `stopped` (clean) or `connection_lost` (last will).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Status {
    /// Birth.
    pub fn online(estate: &Estate, epoch: Epoch, clock: &Clock, now: Moment, next: Seq) -> Self {
        let since = clock.wall(now).map(|wall| wall.unix_ms);
        let next_seq = Some(next.0);
        Self { since, next_seq, ..Self::new(Presence::Online, estate, epoch, clock) }
    }

    /// Last will, or farewell when `stopped`.
    pub fn offline(estate: &Estate, epoch: Epoch, clock: &Clock, stopped: bool) -> Self {
        let reason = if stopped { "stopped" } else { "connection_lost" };
        Self { reason: Some(reason.into()), ..Self::new(Presence::Offline, estate, epoch, clock) }
    }

    fn new(state: Presence, estate: &Estate, epoch: Epoch, clock: &Clock) -> Self {
        Self {
            v: MESSAGE_VERSION,
            state,
            gateway: estate.gateway.as_str().into(),
            epoch: epoch.to_string(),
            version: env!("CARGO_PKG_VERSION").into(),
            boot: clock.boot().to_string(),
            since: None,
            next_seq: None,
            reason: None,
        }
    }
}

/// What a code of a state means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InventoryLabel {
    /// The code in the stream.
    pub code: i64,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// One value that a model offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InventoryPoint {
    /// Name in the stream.
    pub name: String,
    /// For people, Chinese.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zh: String,
    /// For people, English.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub en: String,
    /// UCUM code.
    pub unit: String,
    /// `instantaneous`, `counter`, `state` or `text`.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub quantity: Quantity,
    /// Digits after the decimal point that mean something.
    pub decimals: u8,
    /// Meaning of codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<InventoryLabel>,
    /// The rule by which the gateway calculates it from others of the device: `sum`, `difference`,
    /// `ratio`, `worst_of` or `count_where`; absent for what is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
}

/// Like things that a model has several of; their points are called `<name>.<number>.<point>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InventoryGroup {
    /// First part of the names of its points.
    pub name: String,
    /// Title of a member, Chinese, with `{n}` for its number.
    pub zh: String,
    /// Title of a member, English, with `{n}` for its number.
    pub en: String,
    /// Number of the first member.
    pub from: u32,
    /// How many members.
    pub count: u16,
}

/// The points of one model, named once however many devices have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InventoryModel {
    /// The profile.
    pub profile: String,
    /// What it offers.
    pub points: Vec<InventoryPoint>,
    /// Like things that it has several of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<InventoryGroup>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InventoryDevice {
    /// Its identifier.
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// Whom it belongs to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// Who maintains it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub maintainer: String,
    /// One of the twelve categories of the standard, or `other`.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub category: Category,
    /// Brand and model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product: String,
    /// Index into `models`.
    pub model: u32,
    /// Seconds within which a fresh reading is expected.
    pub expected_every_s: u64,
}

/// Retained under `inventory`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Inventory {
    /// Version of the document.
    pub v: u8,
    /// The gateway.
    pub gateway: String,
    /// Name of the estate.
    pub estate: String,
    /// `new` or `old_retrofit`.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub kind: EstateKind,
    /// The key that signs the gateway's star-level reports: Ed25519, 64 lower-case hex digits; to
    /// be pinned by the platform. Absent when the gateway has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<String>,
    /// The models in use.
    pub models: Vec<InventoryModel>,
    /// The devices.
    pub devices: Vec<InventoryDevice>,
}

impl Inventory {
    /// The estate as configured.
    pub fn new(estate: &Estate) -> Self {
        let mut seen: Vec<&Device> = Vec::new();
        let mut devices = Vec::with_capacity(estate.devices().len());
        for device in estate.devices() {
            let known = seen
                .iter()
                .position(|known| known.profile == device.profile && known.points == device.points);
            let model = known.unwrap_or_else(|| {
                seen.push(device);
                seen.len() - 1
            });
            devices.push(InventoryDevice {
                id: device.id.as_str().into(),
                name: device.name.clone(),
                place: device.place.clone(),
                owner: device.owner.clone(),
                maintainer: device.maintainer.clone(),
                category: device.category,
                product: device.product.clone(),
                model: u32::try_from(model).unwrap_or(u32::MAX),
                expected_every_s: device.expected_every.as_secs(),
            });
        }
        let models = seen.into_iter().map(InventoryModel::new).collect();
        Self {
            v: MESSAGE_VERSION,
            gateway: estate.gateway.as_str().into(),
            estate: estate.name.clone(),
            kind: estate.kind,
            signing_key: None,
            models,
            devices,
        }
    }
}

impl InventoryModel {
    fn new(device: &Device) -> Self {
        let mut points: Vec<InventoryPoint> =
            device.points.iter().map(InventoryPoint::new).collect();
        for derived in device.derived.iter() {
            points[derived.point.slot()].derived = Some(derived.rule.word().into());
        }
        let group = |group: &Group| InventoryGroup {
            name: group.name.to_string(),
            zh: group.zh.clone(),
            en: group.en.clone(),
            from: group.from,
            count: group.count,
        };
        Self {
            profile: device.profile.clone(),
            points,
            groups: device.groups.iter().map(group).collect(),
        }
    }
}

impl InventoryPoint {
    fn new(point: &Point) -> Self {
        Self {
            name: point.name.as_ref().into(),
            zh: point.zh.clone(),
            en: point.en.clone(),
            unit: point.unit.code().into(),
            quantity: point.quantity,
            decimals: point.decimals,
            labels: point
                .labels
                .iter()
                .map(|label| InventoryLabel {
                    code: label.code,
                    zh: label.zh.clone(),
                    en: label.en.clone(),
                })
                .collect(),
            derived: None,
        }
    }
}

/// The document as JSON.
pub(super) fn encode(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("documents have string keys and no fallible fields")
}

/// Large documents go compressed: some brokers take no packet above 128 KiB.
pub(super) fn compress(json: Vec<u8>) -> Vec<u8> {
    if json.len() <= COMPRESS_ABOVE {
        return json;
    }
    zstd::bulk::compress(&json, 3).unwrap_or(json)
}
