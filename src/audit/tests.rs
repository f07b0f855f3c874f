//! The trail across restarts, its bounds, and what is done to it behind its back.

use std::time::Duration;

use super::{Action, Audit, Deed, Filter, MOST, Outcome, Trail};
use crate::clock::{self, Clock, Trust};
use crate::store::{Changes, Limits, Store};

fn clock(trust: Trust) -> Clock {
    Clock::new(clock::Config { trust, synchronised: Vec::new(), ..clock::Config::default() })
}

fn deed(who: &str) -> Deed {
    Deed::done(who, "192.168.1.7", Action::Exchange, "meter-1").more("wang")
}

#[tokio::test]
async fn what_was_noted_is_there_after_a_restart_and_numbers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    {
        let store = Store::open(&path, Limits::default()).unwrap();
        let audit = Audit::open(&store, clock(Trust::System)).unwrap();
        audit.note(deed("li")).await;
        audit.note(deed("zhang").ended(Outcome::Refused, "no counter")).await;
    }
    let store = Store::open(&path, Limits::default()).unwrap();
    let audit = Audit::open(&store, clock(Trust::Ntp)).unwrap();
    audit.note(deed("li")).await;
    let page = audit.trail().page(&Filter::default(), 10).unwrap();
    let numbers: Vec<u64> = page.entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(
        (page.entries[1].outcome, &*page.entries[1].detail),
        (Outcome::Refused, "no counter")
    );
    assert!(page.entries[2].trusted && !page.entries[0].trusted);
    assert_eq!(page.dropped, 0);
    let verified = audit.trail().verify().unwrap();
    assert_eq!((verified.entries, verified.fault), (3, None));
}

#[tokio::test]
async fn pages_filter_by_person_and_time_and_lead_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let audit = Audit::open(&store, clock(Trust::System)).unwrap();
    for n in 0..700 {
        audit.note_soon(deed(if n % 100 == 0 { "li" } else { "zhang" }));
    }
    let mut filter = Filter { who: Some("li".into()), ..Filter::default() };
    let first = audit.trail().page(&filter, 5).unwrap();
    assert_eq!(
        first.entries.iter().map(|e| e.number).collect::<Vec<_>>(),
        [601, 501, 401, 301, 201]
    );
    filter.before = first.next;
    let second = audit.trail().page(&filter, 5).unwrap();
    assert_eq!(second.entries.iter().map(|e| e.number).collect::<Vec<_>>(), [101, 1]);
    assert_eq!(second.next, None);
    let now = audit.trail().page(&Filter::default(), 1).unwrap().entries[0].at_ms;
    let later = Filter { from_ms: Some(now + 1000), ..Filter::default() };
    assert!(audit.trail().page(&later, 5).unwrap().entries.is_empty());
    let earlier = Filter { to_ms: Some(now - 86_400_000), ..Filter::default() };
    assert!(audit.trail().page(&earlier, 5).unwrap().entries.is_empty());
}

#[tokio::test]
async fn a_row_that_is_changed_left_out_or_put_in_later_shows() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let audit = Audit::open(&store, clock(Trust::System)).unwrap();
    for who in ["li", "zhang", "wang"] {
        audit.note(deed(who)).await;
    }
    let tree = store.tree("audit");
    let row = tree.get(&2u64.to_be_bytes()).unwrap().unwrap();
    let set = |row: Option<&[u8]>| {
        let mut changes = Changes::default();
        match row {
            Some(row) => changes.insert(&2u64.to_be_bytes(), row),
            None => changes.remove(&2u64.to_be_bytes()),
        }
        tree.apply(changes).unwrap();
        audit.trail().verify().unwrap().fault
    };
    let forged = String::from_utf8(row.clone()).unwrap().replace("zhang", "li");
    assert_eq!(set(Some(forged.as_bytes())).unwrap().split(' ').nth(1), Some("2"));
    assert!(set(None).unwrap().contains("entry 3 follows a gap"));
    assert!(set(Some(b"{}")).unwrap().contains("entry 2 cannot be read"));
    assert_eq!(set(Some(&row)), None);
}

#[tokio::test]
async fn the_oldest_give_way_and_their_number_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let trust = clock(Trust::System);
    {
        // As if so many had been noted before.
        let audit = Audit::open(&store, trust.clone()).unwrap();
        audit.note(deed("li")).await;
        audit.keep().next = MOST + 1;
        audit.note(deed("li")).await;
    }
    let page = Trail::of(&store).page(&Filter::default(), 5).unwrap();
    assert_eq!((page.entries.len(), page.entries[0].number, page.dropped), (1, MOST + 1, MOST));
}

#[tokio::test(start_paused = true)]
async fn entries_of_more_than_a_year_ago_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let audit = Audit::open(&store, clock(Trust::System)).unwrap();
    audit.note_blocking(deed("li")).unwrap();
    tokio::time::advance(Duration::from_secs(367 * 86_400)).await;
    audit.note_blocking(deed("zhang")).unwrap();
    let page = audit.trail().page(&Filter::default(), 5).unwrap();
    assert_eq!((page.entries.len(), page.dropped), (1, 1));
}

#[tokio::test]
async fn whatever_is_typed_fits_a_row_and_moves_no_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let audit = Audit::open(&store, clock(Trust::System)).unwrap();
    let long = "\u{1b}[2J换表".repeat(2000);
    audit.note_blocking(Deed::done(&long, &long, Action::Attest, &long).more(&long)).unwrap();
    let entry = &audit.trail().page(&Filter::default(), 1).unwrap().entries[0];
    assert!(entry.who.chars().count() <= 64 && !entry.about.contains('\u{1b}'));
}

#[test]
fn every_action_has_words_of_its_own_in_both_languages() {
    let mut seen = std::collections::BTreeSet::new();
    for action in Action::ALL {
        let words = action.words();
        assert!(!words.en.is_empty() && !words.zh.is_empty());
        assert!(seen.insert(words.zh), "{action:?}");
    }
}

/// A row as a later version would write it: an action and a field of its own, `chain` last.
fn later_row(number: u64, before: &str) -> (Vec<u8>, String) {
    let row = |chain: &str| {
        format!(
            "{{\"number\":{number},\"boot\":\"b\",\"boot_ms\":1,\"at_ms\":2,\"trusted\":true,\
             \"who\":\"li\",\"from\":\"console\",\"action\":\"teleport\",\"outcome\":\"done\",\
             \"place\":\"gate\",\"chain\":\"{chain}\"}}"
        )
    };
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(before.as_bytes());
    context.update(row("").as_bytes());
    let chain: String =
        context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    (row(&chain).into_bytes(), chain)
}

#[tokio::test]
async fn what_the_next_version_noted_is_shown_holds_and_is_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let first = Audit::open(&store, clock(Trust::System)).unwrap();
    first.note(deed("zhang")).await;
    let before = first.trail().page(&Filter::default(), 1).unwrap().entries[0].chain.clone();
    let put = |number: u64, row: &[u8]| {
        let mut changes = Changes::default();
        changes.insert(&number.to_be_bytes(), row);
        store.tree("audit").apply(changes).unwrap();
    };
    let (row, chain) = later_row(2, &before);
    put(2, &row);
    let audit = Audit::open(&store, clock(Trust::System)).unwrap();
    audit.note(deed("wang")).await;
    let verified = audit.trail().verify().unwrap();
    assert_eq!((verified.entries, verified.fault), (3, None));
    let page = audit.trail().page(&Filter::default(), 10).unwrap();
    assert_eq!((page.entries[1].action, &*page.entries[1].chain), (Action::Other, &*chain));
    // A field that this version does not know is held by the chain as any other.
    let changed = String::from_utf8(row.clone()).unwrap().replace("gate", "roof");
    put(2, changed.as_bytes());
    assert!(audit.trail().verify().unwrap().fault.is_some());
    let longer = String::from_utf8(row).unwrap().replace("\"}", "\",\"note\":\"x\"}");
    put(2, longer.as_bytes());
    assert!(audit.trail().verify().unwrap().fault.is_some(), "nothing stands behind the digest");
}
