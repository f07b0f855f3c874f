//! What is refused, what fails, and what is believed all the same.

use proptest::prelude::*;

use super::rig::{Rig, setup, warning};
use super::*;

fn reason(rig: &Rig) -> WarningRefusal {
    rig.desk.refused().next().unwrap().reason
}

#[test]
fn a_message_that_comes_twice_plays_once_and_another_content_is_refused() {
    let mut rig = Rig::new(1, 0);
    let one = warning("a", Severity::Red);
    rig.send(&one);
    rig.run(30.0);
    rig.send(&one);
    rig.run(30.0);
    assert_eq!(rig.played(0), ["a"]);
    assert!(rig.answers[1].contains(r#""result":"taken""#), "{}", rig.answers[1]);
    rig.send(&Warning { severity: Severity::Blue, ..one });
    assert_eq!(reason(&rig), WarningRefusal::Changed);
    rig.restart();
    rig.send(&warning("a", Severity::Red));
    rig.run(30.0);
    assert_eq!(rig.played(0), ["a"], "also across a restart");
}

#[test]
fn late_foreign_and_unsigned_messages_are_refused_kept_and_proven() {
    let mut rig = Rig::new(1, 0);
    let day = 24 * 3_600_000;
    rig.send(&Warning { end_ms: Some(rig.now.wall_ms - 1), ..warning("a", Severity::Red) });
    rig.send(&Warning { sent_ms: Some(rig.now.wall_ms - day - 1), ..warning("b", Severity::Red) });
    rig.send(&Warning { zones: vec!["371003000000".into()], ..warning("c", Severity::Red) });
    rig.desk.setup.require_signature = true;
    rig.send(&warning("d", Severity::Red));
    rig.payload("junk", "\u{0}<<");
    let reasons: Vec<_> = rig.desk.refused().map(|evidence| evidence.reason).collect();
    use WarningRefusal::{Expired, Malformed, OtherArea, Unsigned};
    assert_eq!(reasons, [Malformed, Unsigned, OtherArea, Expired, Expired]);
    assert_eq!(
        rig.proofs()[1..],
        [
            BroadcastProof::RefusedExpired,
            BroadcastProof::RefusedArea,
            BroadcastProof::RefusedUnsigned
        ]
    );
    assert_eq!(rig.told.len(), 5, "each is reported");
    let evidence = rig.desk.refused().nth(1).unwrap();
    assert_eq!(evidence.id.as_ref().unwrap().as_str(), "d");
    assert!(evidence.begin.starts_with('{') && evidence.sha256.len() == 64);
    rig.run(10.0);
    assert!(rig.played(0).is_empty());
    rig.restart();
    assert_eq!(rig.desk.refused().count(), 5, "evidence survives a restart");
}

#[test]
fn without_a_trusted_clock_nothing_is_too_late() {
    let mut rig = Rig::new(1, 0);
    rig.now.trusted = false;
    rig.send(&Warning { end_ms: Some(rig.now.wall_ms - 1), ..warning("a", Severity::Red) });
    rig.run(1.0);
    assert_eq!(rig.sounding(), 1);
}

#[test]
fn a_cancel_that_overtakes_its_warning_keeps_it_from_playing() {
    let mut rig = Rig::new(1, 0);
    rig.payload("c", r#"{"v":1,"cancel":["a"]}"#);
    assert_eq!(reason(&rig), WarningRefusal::UnknownReference);
    rig.send(&warning("a", Severity::Red));
    assert_eq!(reason(&rig), WarningRefusal::Expired);
    rig.run(5.0);
    assert!(rig.played(0).is_empty());
}

#[test]
fn a_dead_terminal_is_tried_again_and_fails_while_the_others_play() {
    let mut rig = Rig::new(2, 1);
    rig.terminals[1].dead = true;
    rig.screens[0].dead = true;
    rig.send(&warning("a", Severity::Red));
    rig.run(20.0);
    assert_eq!(rig.played(0), ["a"]);
    rig.run(400.0);
    let entry = rig.entry("a");
    assert_eq!(entry.shares[1].state(), ReceiptState::Failed);
    assert_eq!(entry.shares[1].receipt.retries, MOST_RETRIES + 1);
    assert_eq!((entry.life, entry.counts().failed), (Life::Finished, 2));
    assert!(rig.steps("a").contains(&"receipts"));
}

#[test]
fn a_terminal_that_comes_back_in_time_plays() {
    let mut rig = Rig::new(1, 0);
    rig.terminals[0].dead = true;
    rig.send(&warning("a", Severity::Red));
    rig.run(8.0);
    rig.terminals[0].dead = false;
    rig.run(60.0);
    assert_eq!(states(&rig, "a"), [ReceiptState::Finished]);
}

#[test]
fn a_terminal_that_cannot_be_heard_has_failed() {
    let mut rig = Rig::new(1, 0);
    rig.terminals[0].fault = true;
    rig.send(&warning("a", Severity::Red));
    rig.run(2.0);
    assert_eq!(states(&rig, "a"), [ReceiptState::Failed]);
}

#[test]
fn what_the_broadcast_platform_plays_itself_cuts_in_and_ours_goes_on_later() {
    let mut rig = Rig::new(1, 0);
    rig.send(&warning("a", Severity::Yellow));
    rig.run(2.0);
    rig.terminals[0].last = Some("from-above".into());
    rig.run(1.0);
    assert_eq!(states(&rig, "a"), [ReceiptState::Interrupted]);
    rig.run(90.0);
    assert_eq!(states(&rig, "a"), [ReceiptState::Finished]);
}

#[test]
fn too_many_warnings_and_a_flood_of_junk_are_bounded() {
    let mut rig = Rig::new(1, 0);
    for number in 0..=MOST_OPEN {
        rig.send(&warning(&format!("w{number}"), Severity::Blue));
    }
    assert_eq!(reason(&rig), WarningRefusal::TooMany);
    let told = rig.told.len();
    for number in 0..300 {
        rig.payload("junk", &format!("junk {number}"));
    }
    assert!(rig.told.len() - told <= 30, "a flood does not fill the urgent lane");
    assert_eq!(rig.desk.refused().count(), refused::MOST_EVIDENCE);
}

#[test]
fn old_warnings_are_forgotten_with_their_rows() {
    let mut rig = Rig::new(1, 0);
    rig.length = 600;
    for number in 0..MOST_KEPT + 20 {
        rig.send(&warning(&format!("w{number}"), Severity::Blue));
        rig.run(2.0);
    }
    assert_eq!(rig.desk.entries().count(), MOST_KEPT);
    rig.restart();
    assert_eq!(rig.desk.entries().count(), MOST_KEPT);
}

#[test]
fn the_longest_warning_fits_into_rows_and_comes_back() {
    let mut rig = Rig::new(0, 1);
    let long = |n| "\\\"预".repeat(n);
    let mut most = warning(&"x".repeat(64), Severity::Red);
    most.zh.title = long(48);
    most.zh.body = long(480);
    most.en = most.zh.clone();
    most.zones = (0..63).map(|n| format!("{n}{}", "\"".repeat(80))).collect();
    most.zones.push("371002000000".into());
    rig.send(&most);
    rig.restart();
    assert_eq!(rig.entry(&"x".repeat(64)).warning.zones.len(), 64);
}

#[test]
fn a_row_that_is_damaged_is_left_out_and_named() {
    let now = Rig::new(0, 0).now;
    let rows = [
        (b"h\0\0\0\0\0\0\0\x01\0".to_vec(), b"{".to_vec()),
        (b"s\0\0\0\0\0\0\0\x01\0\0\0\0".to_vec(), b"x".to_vec()),
        (b"z".to_vec(), Vec::new()),
    ];
    let (desk, faults) = Desk::restore(setup(1, 0), rows, now);
    assert_eq!((desk.entries().count(), faults.len()), (0, 3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever comes in whatever order: in the end nothing sounds, every share is settled, screens
    /// show what they showed before, and no terminal played two messages at once.
    #[test]
    fn in_the_end_all_is_settled(
        script in prop::collection::vec((0u8..6, 0usize..6, 0u64..12, 0u16..3), 1..14)
    ) {
        let mut rig = Rig::new(3, 2);
        for (what, which, wait, repeat) in script {
            let level = Severity::ALL[which];
            match what {
                0..=2 => {
                    let status = [WarningStatus::Actual, WarningStatus::Exercise][which % 2];
                    let one = Warning { status, repeat: repeat + 1, ..warning(&format!("w{which}"), level) };
                    rig.send(&one);
                }
                3 => rig.payload("c", &format!(r#"{{"v":1,"cancel":["w{which}"]}}"#)),
                4 => rig.restart(),
                _ => rig.terminals[which % 3].dead = !rig.terminals[which % 3].dead,
            }
            rig.run(wait as f64);
        }
        rig.terminals.iter_mut().for_each(|terminal| terminal.dead = false);
        rig.run(2400.0);
        prop_assert!(!rig.desk.is_busy());
        prop_assert_eq!(rig.sounding(), 0);
        for entry in rig.desk.entries() {
            prop_assert!(entry.life != Life::Open);
            prop_assert!(entry.shares.iter().all(|share| share.state().is_settled()));
        }
        for screen in &rig.screens {
            prop_assert_eq!(screen.text.as_str(), "欢迎");
        }
    }
}
