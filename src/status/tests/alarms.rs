//! Alarms over real HTTP: seen, acknowledged, closed, silenced.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::attest::{OURS, post};
use super::*;
use crate::alarm::{
    Book, Clocks, Config as Alarms, Desk, DeskEnds, Keep, Kept, Lapse, Manner, Now, Plan,
};
use crate::model::{
    AlarmSignal, AlarmSignals, DeviceId, Epoch, Event, EventKind, Fact, Moment, Record,
};
use crate::store::{Limits, Store};

struct Rig {
    view: View,
    plan: Arc<Plan>,
    signals: mpsc::Sender<AlarmSignals>,
    raised: mpsc::Receiver<Event>,
    _held: Box<dyn std::any::Any>,
}

/// The sample with a desk of alarms, whose recorder confirms everything at once.
async fn rig() -> Rig {
    let Sample { mut view, buffer, uplink, broker } = sample(1, 0).await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let config = Alarms::default();
    let plan = Arc::new(Plan::new(&config, &view.estate, &[]));
    let (keep, kept): (Keep, Kept) = Keep::open(store.tree("alarms")).unwrap();
    let clocks =
        Some(Clocks { acknowledge: Duration::from_secs(300), close: Duration::from_secs(3600) });
    let (flapping, grouping) = (config.flapping, config.grouping);
    let manner = Manner { clocks: [clocks; 4], flapping, grouping };
    let moment = view.now();
    let now = Now { moment, wall_ms: view.clock.best_wall(moment).unix_ms, trusted: true };
    let book = Book::new(Arc::clone(&plan), manner, (Epoch(7), "boot"), kept, &[], &now);
    let (signals, heard) = mpsc::channel(16);
    let (told, mut records) = mpsc::channel(16);
    let (facts, mut counted) = mpsc::channel::<Fact>(64);
    let ends = DeskEnds { signals: heard, records: told, facts, stored: Box::new(|| (0, false)) };
    let lapse = Lapse::new(Arc::clone(&plan), moment, []);
    let seen = (view.snapshot.clone(), view.clock.clone());
    let (desk, handle) = Desk::new(book, keep, seen, lapse, "值班室 1234", ends, 4);
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(desk.run());
    let (out, raised) = mpsc::channel(64);
    tasks.spawn(async move {
        loop {
            tokio::select! {
                record = records.recv() => match record {
                    Some(Record::Readings(batch)) => batch.receipt.unwrap().confirm(),
                    Some(Record::Event(event)) => out.send(event).await.unwrap(),
                    None => return,
                },
                Some(_) = counted.recv() => {}
            }
        }
    });
    view.alarms = Some(handle);
    Rig { view, plan, signals, raised, _held: Box::new((buffer, uplink, broker, folder, tasks)) }
}

impl Rig {
    /// Lets the condition of a rule begin or end; returns the alarm's identifier.
    async fn signal(&mut self, rule: &str, device: &str, on: bool) -> String {
        let estate = Arc::clone(&self.view.estate);
        let device = estate.find(&DeviceId::new(device).unwrap()).unwrap();
        let rule = (0u16..).find(|at| *self.plan.rule(*at).id == *rule).unwrap();
        let (point, about, value) = (None, String::new(), None);
        // Held for an hour already.
        let at = Moment { boot_ms: self.view.now().boot_ms.saturating_sub(3_600_000) };
        let signal = AlarmSignal { rule, device: Some(device), point, about, on, value, at };
        self.signals.send(AlarmSignals { list: vec![signal], receipt: None }).await.unwrap();
        match self.raised.recv().await.unwrap().kind {
            EventKind::Alarm(change) => change.id.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_stream_tells_of_an_alarm_what_becomes_of_it_and_once_that_it_is_closed() {
    let mut rig = rig().await;
    let mut calls = crate::status::history::Calls::default();
    assert_eq!(calls.look(&rig.view), None);
    let id = rig.signal("device-alarm", "parcel_locker-0-5", true).await;
    let told = calls.look(&rig.view).unwrap();
    assert!(told.starts_with("event: alarms\ndata: [{") && told.contains(&id), "{told}");
    assert!(told.contains("\"state\":\"raised\"") && told.contains("parcel_locker-0-5"), "{told}");
    assert_eq!(calls.look(&rig.view), None, "nothing changed");
    let (_, once) = get(&rig.view, "/api/v1/events?once").await;
    assert!(once.contains("event: health") && once.contains(&id), "{once}");
    post(&rig.view, &format!("/alarms/{id}/acknowledge"), OURS, "by=li").await;
    let told = calls.look(&rig.view).unwrap();
    assert!(told.contains("\"state\":\"acknowledged\""), "{told}");
    post(&rig.view, &format!("/alarms/{id}/close"), OURS, "by=li&reason=done").await;
    let told = calls.look(&rig.view).unwrap();
    assert!(told.contains("\"state\":\"closed\",\"active\":false"), "{told}");
    assert_eq!(calls.look(&rig.view), None);
}

#[tokio::test]
async fn the_board_shows_what_is_open_in_both_languages_and_forms_acknowledge_and_close_it() {
    let mut rig = rig().await;
    let (_, empty) = get(&rig.view, "/alarms").await;
    assert!(empty.contains("没有未关闭的报警") && empty.contains("值班室 1234"));
    let id = rig.signal("device-alarm", "parcel_locker-0-5", true).await;
    let (_, zh) = get(&rig.view, "/alarms").await;
    let (_, en) = get(&rig.view, "/alarms?lang=en").await;
    assert!(zh.contains("设备报警") && zh.contains(">橙色<") && zh.contains("到现场查看"), "{zh}");
    assert!(en.contains("The device raises an alarm") && en.contains(">orange<"), "{en}");
    assert!(en.contains("overdue to acknowledge"), "it holds for an hour: {en}");
    let (_, none) = get(&rig.view, "/alarms?level=blue").await;
    assert!(none.contains("没有未关闭的报警"));
    assert!(zh.contains("<span class=\"count\">1</span>"), "the menu counts: {zh}");

    let path = format!("/alarms/{id}/acknowledge");
    let (head, _) = post(&rig.view, &path, "Origin: http://evil\r\n", "by=x").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    let (head, body) = post(&rig.view, &path, OURS, "by=李工&from=board").await;
    assert!(
        head.starts_with("HTTP/1.1 303") && head.contains("location: /alarms\r"),
        "{head} {body}"
    );
    let (head, body) = post(&rig.view, &path, OURS, "by=李工").await;
    assert!(head.starts_with("HTTP/1.1 409") && body.contains("李工 已确认"), "{head} {body}");

    let path = format!("/alarms/{id}/close");
    let (head, _) = post(&rig.view, &path, OURS, "by=李工&reason=").await;
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    let (head, _) = post(&rig.view, &path, OURS, "by=李工&reason=误报").await;
    assert!(head.starts_with("HTTP/1.1 303"), "{head}");
    let (_, past) = get(&rig.view, "/alarms?state=closed").await;
    assert!(past.contains("误报") && past.contains("李工"), "{past}");
    let (_, one) = get(&rig.view, &format!("/alarms/{id}")).await;
    for step in ["触发", "确认", "关闭"] {
        assert!(one.contains(step), "{step} in {one}");
    }
    let (head, _) = get(&rig.view, "/alarms/0000000000000007-99").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
}

#[tokio::test]
async fn the_first_page_the_api_and_the_metrics_tell_of_grave_alarms() {
    let mut rig = rig().await;
    let id = rig.signal("device-alarm", "parcel_locker-0-5", true).await;
    let (_, first) = get(&rig.view, "/").await;
    assert!(first.contains(&format!("/alarms/{id}")), "{first}");
    let rows = json(&rig.view, "/api/v1/alarms").await;
    assert_eq!(
        (&rows["alarms"][0]["id"], &rows["open"]["orange"]),
        (&id.clone().into(), &1.into())
    );
    let one = json(&rig.view, &format!("/api/v1/alarms/{id}")).await;
    assert_eq!(one["ledger"][0]["step"], "raised");
    let (_, metrics) = get(&rig.view, "/metrics").await;
    assert!(metrics.contains("linli_alarms_open{level=\"orange\"} 1\n"), "{metrics}");
    assert!(metrics.contains("linli_alarms_raised_total{level=\"orange\"} 1\n"));
    for wrong in ["?state=x", "?level=x", "?limit=0", "?before=x"] {
        let (head, _) = get(&rig.view, &format!("/api/v1/alarms{wrong}")).await;
        assert!(head.starts_with("HTTP/1.1 400"), "{wrong}: {head}");
    }
}

#[tokio::test]
async fn a_maintenance_window_is_planned_by_form_silences_and_is_ended_by_form() {
    let mut rig = rig().await;
    let form = "name=检修&by=王工&begin=&to=&hours=2&devices=parcel_locker-0-5&places=&category=";
    let (head, body) = post(&rig.view, "/maintenance", OURS, form).await;
    assert!(head.starts_with("HTTP/1.1 303"), "{head} {body}");
    rig.signal("device-alarm", "parcel_locker-0-5", true).await;
    let (_, board) = get(&rig.view, "/alarms").await;
    assert!(board.contains("没有未关闭的报警") && board.contains("检修"), "{board}");
    assert!(board.contains("维护静默"));
    let windows = json(&rig.view, "/api/v1/maintenance").await;
    assert_eq!((&windows[0]["name"], &windows[0]["open"]), (&"检修".into(), &true.into()));
    let (head, _) = post(&rig.view, "/maintenance/1/end", OURS, "by=王工").await;
    assert!(head.starts_with("HTTP/1.1 303"), "{head}");
    let (_, board) = get(&rig.view, "/alarms").await;
    assert!(board.contains("设备报警"), "it holds still: {board}");
    let (head, _) = post(&rig.view, "/maintenance/1/end", OURS, "by=王工").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
}
