//! The desk against simulated terminals and screens, in a time of its own.

mod faults;
mod rig;

use super::entry::Share;
use super::*;
use crate::model::{BroadcastProof, ReceiptState, Severity, WarningStatus, WarningStep};
use rig::{Rig, warning};

fn states(rig: &Rig, id: &str) -> Vec<ReceiptState> {
    rig.entry(id).shares.iter().map(Share::state).collect()
}

#[test]
fn a_warning_is_given_played_as_often_as_asked_and_its_receipts_are_complete() {
    let mut rig = Rig::new(3, 0);
    let mut red = warning("a", Severity::Red);
    (red.repeat, red.pause_s) = (2, 5);
    rig.send(&red);
    rig.run(1.0);
    assert_eq!(states(&rig, "a"), [ReceiptState::Playing; 3]);
    rig.run(60.0);
    let entry = rig.entry("a");
    assert_eq!(entry.life, Life::Finished);
    for share in &entry.shares {
        assert_eq!((share.state(), share.receipt.plays), (ReceiptState::Finished, 2));
        let times = [share.receipt.ordered_ms, share.receipt.playing_ms, share.receipt.ended_ms];
        assert!(times.iter().all(Option::is_some) && times.is_sorted(), "{times:?}");
    }
    assert_eq!(rig.steps("a"), ["accepted", "playing", "receipts", "finished"]);
    assert_eq!(rig.played(0), ["a", "a"]);
    assert!(rig.orders.iter().any(|(_, kind)| matches!(kind, OrderKind::Message(text)
        if text.starts_with("a 1 红色预警。火警"))));
    assert_eq!(rig.lives(), [], "the platform does not have the receipts yet");
    rig.give(Input::Returned(1)).unwrap();
    let lives = rig.lives();
    assert_eq!((lives[0].addressed, lives[0].acknowledged, lives[0].returned), (3, 3, true));
    assert!(lives[0].started_after < Duration::from_secs(1), "{lives:?}");
}

#[test]
fn red_interrupts_yellow_which_goes_on_afterwards() {
    let mut rig = Rig::new(2, 0);
    rig.send(&warning("yellow", Severity::Yellow));
    rig.run(2.0);
    rig.send(&warning("red", Severity::Red));
    rig.run(1.0);
    assert_eq!(states(&rig, "yellow"), [ReceiptState::Interrupted; 2]);
    assert_eq!(states(&rig, "red"), [ReceiptState::Playing; 2]);
    rig.run(60.0);
    for id in ["yellow", "red"] {
        assert_eq!(states(&rig, id), [ReceiptState::Finished; 2], "{id}");
    }
    assert_eq!(rig.played(0), ["yellow", "red", "yellow"]);
    assert!(rig.proofs().is_empty(), "only drills prove");
}

#[test]
fn lower_ones_queue_by_level_and_arrival() {
    let mut rig = Rig::new(1, 0);
    for (id, level) in [
        ("blue", Severity::Blue),
        ("yellow-1", Severity::Yellow),
        ("yellow-2", Severity::Yellow),
        ("orange", Severity::Orange),
    ] {
        rig.send(&warning(id, level));
        rig.run(0.5);
    }
    rig.run(120.0);
    assert_eq!(rig.played(0), ["blue", "orange", "yellow-1", "yellow-2"]);
}

#[test]
fn a_drill_never_interrupts_what_is_meant_and_a_red_drill_proves_that_it_interrupts() {
    let mut rig = Rig::new(1, 0);
    let drill = |id, level| Warning { status: WarningStatus::Exercise, ..warning(id, level) };
    rig.send(&drill("low", Severity::Yellow));
    rig.run(1.0);
    rig.send(&drill("high", Severity::Red));
    rig.run(1.0);
    assert_eq!(rig.proofs(), [BroadcastProof::PreEmption]);
    rig.send(&warning("real", Severity::Blue));
    rig.run(1.0);
    assert_eq!(states(&rig, "real"), [ReceiptState::Playing], "what is meant goes before drills");
    rig.send(&drill("red", Severity::Red));
    rig.run(1.0);
    assert_eq!(states(&rig, "real"), [ReceiptState::Playing]);
    rig.run(100.0);
    assert_eq!(rig.played(0), ["low", "high", "real", "high", "red", "low"]);
}

#[test]
fn a_cancel_in_the_middle_silences_every_terminal_and_leaves_receipts() {
    let mut rig = Rig::new(4, 1);
    rig.send(&warning("a", Severity::Red));
    rig.run(2.0);
    assert!(rig.sounding() == 4);
    rig.payload("cancel", r#"{"v":1,"cancel":["a"],"sender":"city"}"#);
    rig.run(1.0);
    assert_eq!(rig.sounding(), 0);
    assert_eq!(states(&rig, "a"), [ReceiptState::Cancelled; 5]);
    assert_eq!(rig.entry("a").cancelled_by, "city");
    assert_eq!(rig.steps("a"), ["accepted", "playing", "cancelled", "receipts"]);
    rig.run(10.0);
    assert_eq!(rig.screens[0].text, "欢迎", "the screen has its text back");
    assert!(!rig.desk.is_busy());
}

#[test]
fn an_update_takes_its_predecessor_away() {
    let mut rig = Rig::new(1, 0);
    rig.send(&warning("old", Severity::Yellow));
    rig.run(1.0);
    rig.payload(
        "n",
        r#"{"v":1,"id":"new","severity":"yellow","zh":{"title":"新"},"replaces":["old"]}"#,
    );
    rig.run(20.0);
    assert_eq!(rig.entry("old").cancelled_by, "update new");
    assert_eq!(states(&rig, "new"), [ReceiptState::Finished]);
}

#[test]
fn screens_show_the_most_urgent_and_get_their_text_back() {
    let mut rig = Rig::new(1, 2);
    rig.send(&warning("yellow", Severity::Yellow));
    rig.run(2.0);
    assert!(rig.screens[0].text.starts_with("黄色预警：火警 请离开"), "{}", rig.screens[0].text);
    rig.send(&warning("red", Severity::Red));
    rig.run(2.0);
    assert!(rig.screens[1].text.starts_with("红色预警"), "{}", rig.screens[1].text);
    rig.run(90.0);
    assert!(rig.screens[0].text.starts_with("黄色预警"), "{}", rig.screens[0].text);
    rig.run(120.0);
    assert_eq!(rig.screens[0].text, "欢迎");
    assert_eq!(rig.entry("yellow").counts().acknowledged, 3);
    assert!(rig.facts.iter().any(|fact| matches!(fact, FactKind::ScreenShown { .. })));
    assert!(!rig.desk.is_busy());
}

#[test]
fn a_screen_changes_to_the_higher_level_while_terminals_wait_for_the_end() {
    let mut rig = Rig::new(1, 1);
    rig.send(&warning("blue", Severity::Blue));
    rig.run(2.0);
    rig.send(&warning("orange", Severity::Orange));
    rig.run(2.0);
    assert_eq!(states(&rig, "orange"), [ReceiptState::Waiting, ReceiptState::Playing]);
    assert!(rig.screens[0].text.starts_with("橙色预警"), "{}", rig.screens[0].text);
    rig.run(240.0);
    assert_eq!(rig.screens[0].text, "欢迎");
    assert_eq!(rig.entry("blue").counts().acknowledged, 2);
}

#[test]
fn a_warning_with_an_end_stands_on_screens_until_then_and_is_over() {
    let mut rig = Rig::new(1, 1);
    let mut long = warning("a", Severity::Orange);
    long.end_ms = Some(rig.now.wall_ms + 600_000);
    rig.send(&long);
    rig.run(590.0);
    assert!(rig.screens[0].text.starts_with("橙色预警"));
    assert!(rig.steps("a").contains(&"receipts"), "the receipts do not wait for the screen");
    rig.run(15.0);
    assert_eq!((rig.screens[0].text.as_str(), rig.entry("a").life), ("欢迎", Life::Finished));
}

#[test]
fn a_warning_for_later_waits_for_its_start() {
    let mut rig = Rig::new(1, 0);
    let mut later = warning("a", Severity::Red);
    later.start_ms = Some(rig.now.wall_ms + 60_000);
    rig.send(&later);
    rig.run(59.0);
    assert_eq!(states(&rig, "a"), [ReceiptState::Waiting]);
    rig.run(3.0);
    assert_eq!(states(&rig, "a"), [ReceiptState::Playing]);
    assert!(rig.entry("a").counts().first_after_ms.unwrap() < 2000, "counted from its start");
}

#[test]
fn own_warnings_have_ebm_numbers_where_we_have_a_source() {
    let mut rig = Rig::new(1, 0);
    let one = rig.give(Input::Compose(Box::new(warning("x", Severity::Blue)))).unwrap().unwrap();
    assert_eq!(one.as_str(), "237100200000000009202601020001");
    assert!(one.is_ebm());
    rig.desk.setup.source = None;
    let two = rig.give(Input::Compose(Box::new(warning("x", Severity::Blue)))).unwrap().unwrap();
    assert_eq!(two.as_str(), "local-20260102-2");
    let unknown = WarningId::new("unknown").unwrap();
    let refused = rig.give(Input::Cancel { id: &unknown, by: "li" });
    assert_eq!(refused.unwrap_err(), WarningRefusal::UnknownReference);
    rig.give(Input::Cancel { id: &two, by: "li" }).unwrap();
    assert_eq!(rig.entry(two.as_str()).cancelled_by, "li");
}

#[test]
fn after_a_restart_what_played_goes_on_and_what_ended_stays_ended() {
    let mut rig = Rig::new(3, 1);
    rig.send(&warning("done", Severity::Blue));
    rig.run(80.0);
    let mut three = warning("on", Severity::Yellow);
    (three.repeat, three.pause_s) = (3, 5);
    rig.send(&three);
    rig.run(3.0);
    rig.restart();
    assert_eq!(rig.entry("done").life, Life::Finished);
    rig.run(1.0);
    assert_eq!(states(&rig, "on")[..3], [ReceiptState::Playing; 3]);
    rig.run(150.0);
    assert_eq!(rig.entry("on").life, Life::Finished);
    assert!(rig.entry("on").shares[..3].iter().all(|share| share.receipt.plays == 3));
    assert_eq!(rig.played(0), ["done", "on", "on", "on"], "no play was given twice");
    assert_eq!(rig.screens[0].text, "欢迎", "also what the screen showed before was kept");
    assert_eq!(rig.lives().len(), 0);
    rig.give(Input::Returned(2)).unwrap();
    assert_eq!(rig.lives().len(), 1);
}

#[test]
fn two_hundred_terminals_play_within_the_time_and_all_answer() {
    let mut rig = Rig::new(200, 10);
    rig.send(&warning("a", Severity::Red));
    rig.run(3.0);
    let counts = rig.entry("a").counts();
    assert_eq!((counts.addressed, counts.acknowledged), (210, 210));
    assert!(counts.p95_after_ms.unwrap() <= 10_000, "{counts:?}");
    assert_eq!(rig.desk.latencies().count, 200);
    assert_eq!(rig.desk.latencies().percentile(95), counts.p95_after_ms);
    rig.run(90.0);
    let receipts: usize = rig
        .told
        .iter()
        .filter_map(|news| match &news.step {
            WarningStep::Receipts { receipts, .. } => {
                assert!(serde_json::to_vec(news).unwrap().len() < 4096);
                Some(receipts.len())
            }
            _ => None,
        })
        .sum();
    assert_eq!(receipts, 210);
}
