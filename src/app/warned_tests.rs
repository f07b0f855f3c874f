//! Which alarms are played, and when they fall silent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Deed, FRESH, deeds};
use crate::alarm::{Alarm, Board, Book, Kept, Now};
use crate::app::alarms::{alarm_manner, alarm_plan};
use crate::broadcast::{BroadcastView, WarningRow};
use crate::config::parse;
use crate::model::{
    AlarmId, AlarmSignal, DeviceIndex, Epoch, Estate, Moment, PointIndex, WarningId,
};
use crate::profile::Library;
use crate::starlevel::RulePack;

/// A hall whose smoke alarm is played, and a cellar whose is not.
const SITE: &str = r#"
[gateway]
id = "gw"
[mqtt]
host = "127.0.0.1"
[[device]]
id = "hall"
profile = "zigbee2mqtt-smoke"
topic = "zigbee2mqtt/hall"
[device.alarms.smoke]
broadcast = "fire"
[[device]]
id = "cellar"
profile = "zigbee2mqtt-smoke"
topic = "zigbee2mqtt/cellar"
"#;

/// Three halls of two houses; so many detectors at once are a group.
const HOUSES: &str = r#"
[gateway]
id = "gw"
[mqtt]
host = "127.0.0.1"
[alarms.grouping]
size = 2
[alarms.rules.smoke]
broadcast = "fire"
[[device]]
id = "north-1"
profile = "zigbee2mqtt-smoke"
topic = "zigbee2mqtt/north-1"
[[device]]
id = "north-2"
profile = "zigbee2mqtt-smoke"
topic = "zigbee2mqtt/north-2"
[[device]]
id = "south"
profile = "zigbee2mqtt-smoke"
topic = "zigbee2mqtt/south"
"#;

/// The house of a device: what its identifier begins with.
fn house(alarm: &Alarm) -> Vec<String> {
    let device = alarm.key.device.as_ref().unwrap().as_str();
    vec![device.split('-').next().unwrap().to_owned()]
}

struct Rig {
    book: Book,
    now: Now,
    started: BTreeSet<AlarmId>,
    seen: BroadcastView,
}

impl Rig {
    fn new() -> Self {
        Self::of(SITE)
    }

    fn of(site: &str) -> Self {
        let settings = parse("linli.toml", site, &Library::load(&[]).unwrap()).unwrap();
        let estate: Arc<Estate> = Arc::new(settings.estate());
        let plan = Arc::new(alarm_plan(&settings, &estate));
        let manner = alarm_manner(&settings, &RulePack::built_in());
        let now = Now {
            moment: Moment { boot_ms: 3_600_000 },
            wall_ms: 1_767_225_600_000,
            trusted: true,
        };
        let book = Book::new(plan, manner, (Epoch(7), "boot"), Kept::default(), &[], &now);
        Self { book, now, started: BTreeSet::new(), seen: BroadcastView::default() }
    }

    fn smoke(&mut self, device: u32, on: bool) {
        let plan = Arc::clone(self.book.plan());
        // Of the two detectors of the first site one is played.
        let plays = device == 0 || plan.estate().devices().len() > 2;
        let rule = (0u16..).find(|at| {
            *plan.rule(*at).id == *"smoke" && plan.rule(*at).broadcast.is_some() == plays
        });
        let points = &plan.estate().device(DeviceIndex(device)).points;
        let point = points.iter().position(|point| &*point.name == "smoke").unwrap();
        let point = PointIndex(u16::try_from(point).unwrap());
        let signal = AlarmSignal {
            rule: rule.unwrap(),
            device: Some(DeviceIndex(device)),
            point: Some(point),
            about: String::new(),
            on,
            value: None,
            at: self.now.moment,
        };
        self.book.signal(&signal, &self.now);
    }

    fn pass(&mut self, span: Duration) {
        self.now.moment = self.now.moment.plus(span);
        self.now.wall_ms += i64::try_from(span.as_millis()).unwrap();
        self.book.tick(&self.now);
    }

    /// What is to be done, and is.
    fn look(&mut self) -> Vec<Deed> {
        let board = Board::of(&self.book, &Arc::from(""));
        let deeds = deeds(&board, &self.seen, &self.started, &self.now, house);
        for deed in &deeds {
            match deed {
                Deed::Start(id) => drop(self.started.insert(*id)),
                Deed::Cancel(id) => drop(self.started.remove(&id.alarm().unwrap())),
            }
        }
        deeds
    }

    fn id(&self) -> AlarmId {
        self.book.open().next().unwrap().id
    }
}

#[test]
fn an_alarm_is_played_once_if_its_rule_says_so_and_falls_silent_when_it_is_over() {
    let mut rig = Rig::new();
    assert!(rig.look().is_empty());
    rig.smoke(1, true);
    assert!(rig.look().is_empty(), "the rule of the cellar says nothing of it");
    rig.smoke(0, true);
    let id = rig.book.open().map(|alarm| alarm.id).max().unwrap();
    assert_eq!(rig.look(), [Deed::Start(id)]);
    assert!(rig.look().is_empty(), "once");
    rig.pass(Duration::from_secs(60));
    assert!(rig.look().is_empty());
    rig.smoke(0, false);
    rig.pass(Duration::from_secs(60));
    assert_eq!(rig.look(), [Deed::Cancel(WarningId::from(id))]);
    assert!(rig.look().is_empty());
}

#[test]
fn what_began_long_ago_is_not_played_and_a_warning_whose_alarm_is_gone_is_cancelled_after_a_restart()
 {
    let mut rig = Rig::new();
    rig.smoke(0, true);
    rig.pass(FRESH + Duration::from_secs(1));
    assert!(rig.look().is_empty(), "nobody should be frightened by what is old");
    // Another run: the broadcast still plays what an alarm started that is closed by now.
    let mut rig = Rig::new();
    rig.smoke(0, true);
    let id = rig.id();
    let gone = AlarmId { number: 99, ..id };
    rig.seen = BroadcastView { warnings: vec![row(id), row(gone)], ..BroadcastView::default() };
    let deeds = rig.look();
    assert!(deeds.contains(&Deed::Cancel(WarningId::from(gone))), "{deeds:?}");
    assert!(!deeds.contains(&Deed::Cancel(WarningId::from(id))), "that one holds: {deeds:?}");
}

/// The deeds, by the devices whose alarms they are about.
fn about(rig: &Rig, deeds: &[Deed]) -> Vec<String> {
    let device = |id: AlarmId| {
        let alarm = rig.book.open().find(|alarm| alarm.id == id).unwrap();
        alarm.key.device.as_ref().unwrap().to_string()
    };
    let mut told: Vec<String> = deeds
        .iter()
        .map(|deed| match deed {
            Deed::Start(id) => format!("start {}", device(*id)),
            Deed::Cancel(id) => format!("cancel {}", device(id.alarm().unwrap())),
        })
        .collect();
    told.sort();
    told
}

#[test]
fn of_a_storm_every_house_hears_once_and_until_its_last_detector_is_still() {
    let mut rig = Rig::of(HOUSES);
    (0..3).for_each(|device| rig.smoke(device, true));
    assert!(rig.book.open().any(|alarm| alarm.members == Some(3)), "they are a group");
    let deeds = rig.look();
    assert_eq!(about(&rig, &deeds), ["start north-1", "start south"], "all at once");
    assert!(rig.look().is_empty(), "once");
    rig.smoke(0, false);
    assert!(rig.look().is_empty(), "the other detector of the house still sees smoke");
    rig.smoke(1, false);
    let deeds = rig.look();
    assert_eq!(about(&rig, &deeds), ["cancel north-1"], "the south is still to be warned");
    rig.smoke(2, false);
    let deeds = rig.look();
    assert_eq!(about(&rig, &deeds), ["cancel south"]);
}

#[test]
fn a_house_that_joins_a_storm_is_warned_and_after_a_restart_none_is_warned_again() {
    let mut rig = Rig::of(HOUSES);
    rig.smoke(0, true);
    let deeds = rig.look();
    assert_eq!(about(&rig, &deeds), ["start north-1"]);
    rig.smoke(1, true);
    assert!(rig.look().is_empty(), "it is one group with the first, in one house");
    rig.smoke(2, true);
    let deeds = rig.look();
    assert_eq!(about(&rig, &deeds), ["start south"]);
    // Another run knows only what the broadcast has kept.
    rig.seen.warnings = rig.started.iter().map(|id| row(*id)).collect();
    rig.started.clear();
    assert!(rig.look().is_empty());
}

#[test]
fn an_alarm_that_comes_and_goes_is_not_played_again() {
    let mut rig = Rig::new();
    rig.smoke(0, true);
    let id = rig.id();
    assert_eq!(rig.look(), [Deed::Start(id)]);
    rig.smoke(0, false);
    assert_eq!(rig.look(), [Deed::Cancel(id.into())]);
    rig.seen.warnings = vec![WarningRow { over_ms: Some(1), ..row(id) }];
    for _ in 0..3 {
        rig.smoke(0, true);
        assert!(rig.look().is_empty());
        rig.smoke(0, false);
        assert!(rig.look().is_empty());
    }
}

/// A warning that is on the air.
fn row(alarm: AlarmId) -> WarningRow {
    let text = serde_json::json!({
        "id": WarningId::from(alarm), "source": "alarm", "sender": "r", "status": "actual",
        "severity": "red", "event": "", "zones": [], "zh": {}, "en": {}, "repeat": 1,
        "accepted_ms": 0, "end_ms": 1, "life": "open", "cancelled_by": "",
        "counts": { "addressed": 0, "acknowledged": 0, "finished": 0, "failed": 0 },
        "receipts": [],
    });
    serde_json::from_value(text).unwrap()
}
