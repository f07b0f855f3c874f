//! A small estate with rules, for the tests of this module.

use std::sync::Arc;
use std::time::Duration;

use super::book::{Book, Clocks, Kept, Manner};
use super::config::{Changed, Config};
use super::plan::Plan;
use super::rules::Rules;
use super::timeline::Now;
use super::window::Window;
use crate::model::{
    AlarmSignal, Category, Device, DeviceId, DeviceIndex, Epoch, Estate, EstateKind, GatewayId,
    Moment, Point, PointIndex, Quantity, Unit, Value,
};

/// Rules: hot above 60, over at 50; full for ten minutes; bins offline; a clock.
pub(super) const RULES: &str = r#"
id = "test"
version = "1"
[[rule]]
id = "hot"
level = "red"
kind = "above"
of = ["waste_bin"]
points = ["temperature"]
limit = 60
clear = 50
zh = "高温"
en = "hot"
todo_zh = "查看"
todo_en = "look"
[[rule]]
id = "full"
level = "yellow"
kind = "above"
of = ["waste_bin"]
points = ["fillingLevel"]
limit = 85
hold = "10m"
closes_itself = "1h"
zh = "满溢"
en = "full"
todo_zh = "清运"
todo_en = "empty it"
[[rule]]
id = "offline"
level = "blue"
kind = "offline"
of = ["waste_bin"]
zh = "离线"
en = "offline"
todo_zh = "检查"
todo_en = "check"
[[rule]]
id = "clock"
level = "orange"
kind = "promise"
of = ["gateway"]
what = ["clock"]
zh = "时钟"
en = "clock"
todo_zh = "检查"
todo_en = "check"
"#;

pub(super) fn config() -> Config {
    Config { rules: Rules::parse("test.toml", RULES).unwrap(), ..Config::default() }
}

/// So many bins, each with a temperature and two levels.
pub(super) fn estate(bins: usize) -> Arc<Estate> {
    let points: Arc<[Point]> = ["temperature", "fillingLevel", "parts.2.fillingLevel"]
        .map(|name| Point::new(name, Unit::ONE, Quantity::Instantaneous))
        .into();
    let device = |n: usize| {
        let id = DeviceId::new(&format!("bin-{n}")).unwrap();
        Device::new(id, Category::WasteBin, Duration::from_secs(60), Arc::clone(&points))
    };
    let gateway = GatewayId::new("gw").unwrap();
    let devices = (0..bins).map(device).collect();
    Arc::new(Estate::new(gateway, String::new(), EstateKind::New, devices).unwrap())
}

pub(super) fn plan(config: &Config, bins: usize, own: &[&[Changed]]) -> Arc<Plan> {
    Arc::new(Plan::new(config, &estate(bins), own))
}

pub(super) fn manner(config: &Config) -> Manner {
    let clocks = |acknowledge: u64, close: u64| {
        Some(Clocks {
            acknowledge: Duration::from_secs(acknowledge),
            close: Duration::from_secs(close),
        })
    };
    Manner {
        clocks: [
            clocks(300, 14_400),
            clocks(900, 28_800),
            clocks(3600, 86_400),
            clocks(14_400, 259_200),
        ],
        flapping: config.flapping,
        grouping: config.grouping,
    }
}

/// So many seconds after a start whose wall time is known.
pub(super) fn at(seconds: u64) -> Now {
    Now {
        moment: Moment { boot_ms: seconds * 1000 },
        wall_ms: 1_800_000_000_000 + i64::try_from(seconds).unwrap() * 1000,
        trusted: true,
    }
}

pub(super) fn book(
    config: &Config,
    bins: usize,
    kept: Kept,
    windows: &[Window],
    now: &Now,
) -> Book {
    let id = (Epoch(7), "boot");
    Book::new(plan(config, bins, &[]), manner(config), id, kept, windows, now)
}

/// A signal of a rule by its place in [`RULES`].
pub(super) fn signal(rule: u16, device: Option<u32>, on: bool, now: &Now) -> AlarmSignal {
    AlarmSignal {
        rule,
        device: device.map(DeviceIndex),
        point: (rule < 2).then_some(PointIndex(rule)),
        about: String::new(),
        on,
        value: (rule < 2).then_some(Value::Number(70.0)),
        at: now.moment,
    }
}
