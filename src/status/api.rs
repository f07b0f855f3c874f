//! `/api/v1`: what the pages show, as JSON. Times are milliseconds since 1970 (`…_ms`; absent
//! while the clock is not trusted) beside ages in seconds (`…_s`), which are always right.

mod buses;
mod clock;
mod ready;
mod risk;

use serde::Serialize;

#[cfg(feature = "schema")]
pub(super) use buses::BusRow;
pub(super) use buses::buses;
#[cfg(feature = "schema")]
pub(super) use ready::Ready;
pub(super) use ready::ready;
#[cfg(feature = "schema")]
pub(super) use risk::Risk;
pub(super) use risk::risk;

use super::text::Lang;
use super::trouble::{self, Severity};
use super::view::View;
use crate::driver::mqtt::BrokerStatus;
use crate::model::{
    Cause, DeviceIndex, DeviceState, Group, Health, Moment, PointIndex, RiskGrade, Value,
};
use crate::starlevel::Bilingual;
use crate::uplink::UplinkStatus;

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Gateway {
    id: String,
    name: String,
    version: String,
    uptime_s: u64,
    clock_trusted: bool,
    clock: clock::ClockRow,
    now_ms: Option<i64>,
    devices: Devices,
    troubles: Vec<TroubleRow>,
    broker: Option<BrokerRow>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Devices {
    total: u64,
    online: u64,
    suspect: u64,
    offline: u64,
    unknown: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct TroubleRow {
    severity: Severity,
    title: Bilingual,
    cause: Bilingual,
    advice: Bilingual,
    for_s: Option<u64>,
    since_ms: Option<i64>,
    link: String,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct BrokerRow {
    for_s: u64,
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", schemars(with = "BrokerStatus"))]
    status: Plain,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct UplinkRow {
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", schemars(with = "UplinkStatus"))]
    status: Plain,
    for_s: u64,
    acknowledged_age_s: Option<u64>,
    acknowledged_ms: Option<i64>,
}

/// A status with its moments left out; the row around it carries ages instead.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Plain(serde_json::Value);

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct DeviceRow {
    id: String,
    name: String,
    place: String,
    owner: String,
    maintainer: String,
    category: &'static str,
    profile: String,
    product: String,
    connection: String,
    bus: Option<String>,
    health: Health,
    risk: Option<RiskGrade>,
    cause: Option<Cause>,
    for_s: u64,
    heard_age_s: Option<u64>,
    readings: u64,
    not_good: u64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct DeviceDetail {
    #[serde(flatten)]
    device: DeviceRow,
    /// What gave its risk grade.
    risk_detail: Option<risk::DeviceRow>,
    /// What its clock said, for a meter whose clock was read.
    clock: Option<clock::MeterClockRow>,
    points: Vec<PointRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<GroupRow>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PointRow {
    name: String,
    zh: String,
    en: String,
    unit: &'static str,
    value: Option<Value>,
    quality: Option<&'static str>,
    reason: Option<&'static str>,
    age_s: Option<u64>,
    at_ms: Option<i64>,
    good_age_s: Option<u64>,
    /// The rule by which the gateway calculates it; nothing for what is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    derived: Option<&'static str>,
}

/// Like things that a device has several of.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct GroupRow {
    name: String,
    zh: String,
    en: String,
    from: u32,
    count: u16,
}

/// Drops the fields that hold moments: a moment means nothing outside this boot.
fn plain(status: &impl Serialize, moments: &[&str]) -> Plain {
    let mut value = serde_json::to_value(status).expect("a status has text keys");
    if let Some(fields) = value.as_object_mut() {
        for moment in moments {
            fields.remove(*moment);
        }
    }
    Plain(value)
}

pub(super) fn gateway(view: &View) -> Gateway {
    let now = view.now();
    let tally = view.tally();
    let troubles = trouble::all(view).into_iter().map(|trouble| TroubleRow {
        severity: trouble.severity,
        title: trouble.title,
        cause: trouble.cause,
        advice: trouble.advice,
        for_s: trouble.since.map(|since| now.since(since).as_secs()),
        since_ms: trouble.since.and_then(|since| wall(view, since)),
        link: trouble.link,
    });
    let broker = view.broker.as_ref().map(|broker| {
        let status: BrokerStatus = broker.borrow().clone();
        BrokerRow { for_s: now.since(status.since).as_secs(), status: plain(&status, &["since"]) }
    });
    Gateway {
        id: view.estate.gateway.as_str().to_owned(),
        name: view.estate.name.clone(),
        version: view.version.clone(),
        uptime_s: now.since(view.started).as_secs(),
        clock_trusted: view.clock.trusted(),
        clock: clock::clock(view),
        now_ms: wall(view, now),
        devices: Devices {
            total: tally.total(),
            online: tally.online,
            suspect: tally.suspect,
            offline: tally.offline,
            unknown: tally.unknown,
        },
        troubles: troubles.collect(),
        broker,
    }
}

fn wall(view: &View, moment: Moment) -> Option<i64> {
    view.clock.wall(moment).map(|wall| wall.unix_ms)
}

pub(super) fn devices(view: &View) -> Vec<DeviceRow> {
    let rows = view
        .estate
        .indexed()
        .map(|(index, _)| view.snapshot.with(index, |state| row(view, index, state)));
    rows.collect()
}

fn row(view: &View, index: DeviceIndex, state: &DeviceState) -> DeviceRow {
    let (device, now) = (view.estate.device(index), view.now());
    DeviceRow {
        id: device.id.as_str().to_owned(),
        name: device.title().to_owned(),
        place: device.place.clone(),
        owner: device.owner.clone(),
        maintainer: device.maintainer.clone(),
        category: device.category.word(),
        profile: device.profile.clone(),
        product: device.product.clone(),
        connection: device.connection.clone(),
        bus: device.bus.as_ref().map(|bus| bus.as_str().to_owned()),
        health: state.health,
        risk: view.risk.device(index).and_then(|risk| risk.grade),
        cause: state.cause.clone(),
        for_s: now.since(state.since).as_secs(),
        heard_age_s: state.heard_at.map(|at| now.since(at).as_secs()),
        readings: state.readings,
        not_good: state.not_good,
    }
}

pub(super) fn device(view: &View, index: DeviceIndex) -> DeviceDetail {
    let now = view.now();
    let device = view.estate.device(index);
    let state = view.snapshot.device(index);
    let rule = |slot: u16| {
        let own = device.derived.iter().find(|derived| derived.point == PointIndex(slot));
        own.map(|derived| derived.rule.word())
    };
    let points = (0u16..).zip(device.points.iter()).zip(&state.points);
    let points = points.map(|((slot, point), last)| PointRow {
        derived: rule(slot),
        name: point.name.to_string(),
        zh: super::show::point_name(Lang::Zh, point).to_owned(),
        en: super::show::point_name(Lang::En, point).to_owned(),
        unit: point.unit.code(),
        value: last.value.clone(),
        quality: last.quality.map(crate::model::Quality::word),
        reason: last.quality.and_then(|q| q.reason()).map(crate::model::Reason::word),
        age_s: last.at.map(|at| now.since(at).as_secs()),
        at_ms: last.at.and_then(|at| wall(view, at)),
        good_age_s: last.good_at.map(|at| now.since(at).as_secs()),
    });
    let group = |group: &Group| GroupRow {
        name: group.name.to_string(),
        zh: group.zh.clone(),
        en: group.en.clone(),
        from: group.from,
        count: group.count,
    };
    DeviceDetail {
        risk_detail: risk::of_device(view, index),
        clock: clock::of_meter(view, &device.id),
        points: points.collect(),
        groups: device.groups.iter().map(group).collect(),
        device: row(view, index, &state),
    }
}

/// The uplink's status with ages in place of moments.
pub(super) fn uplink(view: &View) -> UplinkRow {
    let now = view.now();
    let status: UplinkStatus = view.uplink.borrow().clone();
    UplinkRow {
        status: plain(&status, &["since", "acknowledged_at"]),
        for_s: now.since(status.since).as_secs(),
        acknowledged_age_s: status.acknowledged_at.map(|at| now.since(at).as_secs()),
        acknowledged_ms: status.acknowledged_at.and_then(|at| wall(view, at)),
    }
}
