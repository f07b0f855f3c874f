//! The watch in paused time: what is told to the platform, what to the star level.

use super::*;
use crate::clock::{Config, Sample};
use crate::store::{Limits, Store};
use tokio::task::JoinSet;

/// 2026-12-01T00:00:00Z.
const RIGHT: i64 = 1_796_083_200_000;

struct Rig {
    clock: Clock,
    field: mpsc::Receiver<FieldMessage>,
    facts: mpsc::Receiver<Fact>,
    _task: JoinSet<()>,
    _folder: tempfile::TempDir,
}

fn rig(facts: usize) -> Rig {
    let clock =
        Clock::of_boot(Config { synchronised: Vec::new(), ..Config::default() }, "boot", 1_000);
    clock.judge();
    let (field_in, field) = mpsc::channel(256);
    let (facts_in, facts) = mpsc::channel(facts);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let tree = store.tree("clock");
    let watch = ClockWatch::new(clock.clone(), tree, field_in, facts_in, 300);
    let mut task = JoinSet::new();
    task.spawn(watch.run(CancellationToken::new()));
    Rig { clock, field, facts, _task: task, _folder: folder }
}

impl Rig {
    fn hear(&self, source: Source, offset_ms: i64) {
        self.clock.hear(&Sample { source, offset_ms, uncertainty_ms: 60 });
    }

    async fn events(&mut self) -> Vec<(Option<DeviceId>, EventKind)> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let mut events = Vec::new();
        while let Ok(FieldMessage::Event(event)) = self.field.try_recv() {
            events.push((event.device, event.kind));
        }
        events
    }

    fn offsets(&mut self) -> Vec<i64> {
        let mut offsets = Vec::new();
        while let Ok(fact) = self.facts.try_recv() {
            match fact.kind {
                FactKind::GatewayClock { offset_ms, .. } => offsets.push(offset_ms),
                FactKind::MeterClock { offset_s, .. } => offsets.push(offset_s),
                other => panic!("{other:?}"),
            }
        }
        offsets
    }
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_gives_the_time_is_told_and_compared_and_its_loss_too() {
    let mut rig = rig(64);
    rig.hear(Source::Platform, RIGHT);
    let events = rig.events().await;
    let state = |from: &str, to: &str, source: &str, uncertainty| EventKind::ClockState {
        from: from.into(),
        to: to.into(),
        source: Some(source.into()),
        uncertainty_ms: uncertainty,
    };
    let expected = state("untrusted", "synchronised", "platform", Some(60));
    assert!(events.contains(&(None, expected)), "{events:?}");
    assert_eq!(rig.offsets(), [0]);
    // It goes on to agree: every ten minutes at most, the worst since.
    for minute in 1..=30 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        rig.hear(Source::Platform, RIGHT + minute % 7);
    }
    assert_eq!(rig.events().await, []);
    assert_eq!(rig.offsets(), [-6, -6, -6]);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let lost = rig.events().await;
    let [(None, EventKind::ClockState { to, .. })] = &lost[..] else { panic!("{lost:?}") };
    assert_eq!(to, "holdover");
    rig.hear(Source::Platform, RIGHT + 5_000);
    let back = rig.events().await;
    let stepped = EventKind::ClockCorrected { step_ms: 5_000, source: "platform".into() };
    assert!(back.contains(&(None, stepped)), "{back:?}");
    assert_eq!(rig.offsets(), [-5_000], "evidence says at once how far it was off");
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_to_another_zone_and_one_from_1970_are_events_by_name() {
    let mut rig = rig(64);
    rig.hear(Source::System, 0);
    let events = rig.events().await;
    assert!(
        matches!(&events[..], [(None, EventKind::ClockRefused { source, .. })] if source == "system"),
        "{events:?}"
    );
    rig.hear(Source::Platform, RIGHT);
    rig.hear(Source::System, RIGHT + 8 * 3_600_000);
    let events = rig.events().await;
    let told = events.iter().find_map(|(_, kind)| match kind {
        EventKind::ClockDisagreement { source, follows, whole_hours, .. } => {
            Some((source.as_str(), follows.as_str(), *whole_hours))
        }
        _ => None,
    });
    assert_eq!(told, Some(("system", "platform", Some(8))));
}

#[tokio::test(start_paused = true)]
async fn a_meter_beyond_the_limit_is_an_event_once_a_day_and_a_fact_each_time() {
    let mut rig = rig(64);
    let meter = DeviceId::new("meter-1").unwrap();
    let read = |offset| rig.clock.meter_read(&meter, offset);
    read(Some(300));
    read(None);
    read(Some(-301));
    read(Some(-302));
    let off = |offset_s| (Some(meter.clone()), EventKind::MeterClockOff { offset_s, limit_s: 300 });
    let clock = rig.clock.clone();
    assert_eq!(rig.events().await, [off(-301)]);
    assert_eq!(rig.offsets(), [-302], "one that was not taken yet is replaced by the newest");
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    clock.meter_read(&meter, Some(-303));
    assert_eq!(rig.events().await, [off(-303)]);
    assert_eq!(rig.offsets(), [-303]);
}

#[tokio::test(start_paused = true)]
async fn a_star_level_that_cannot_take_facts_now_gets_them_added_up_later() {
    let mut rig = rig(1);
    rig.hear(Source::Platform, RIGHT);
    rig.events().await;
    for step in 1..=5 {
        rig.hear(Source::Platform, RIGHT + step * 10_000 * (step % 2));
        rig.events().await;
    }
    let meters = ["a", "b"].map(|id| DeviceId::new(id).unwrap());
    meters.iter().for_each(|meter| rig.clock.meter_read(meter, Some(7)));
    rig.events().await;
    let mut offsets = Vec::new();
    for _ in 0..20 {
        tokio::time::sleep(LOOK_EVERY).await;
        offsets.extend(rig.offsets());
    }
    assert_eq!(offsets, [0, -50_000, 7, 7]);
}
