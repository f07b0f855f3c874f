//! The desk over a real store.

use std::sync::Arc;

use super::*;
use crate::model::{Estate, EstateKind, GatewayId};
use crate::starlevel::tests::device;
use crate::starlevel::{
    AttestationDesk, AttestationSource, Deed, DeskError, Discovered, MOST_DEEDS, MOST_DISCOVERED,
    RulePack, Standing,
};
use crate::store::{Limits, Store, StoreError};

struct Rig {
    folder: tempfile::TempDir,
    store: Store,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
        Self { folder, store }
    }

    fn desk_of(
        &self,
        devices: Vec<crate::model::Device>,
        file: Vec<Attestation>,
    ) -> AttestationDesk {
        let gateway = GatewayId::new("g").unwrap();
        let estate = Estate::new(gateway, String::new(), EstateKind::New, devices).unwrap();
        AttestationDesk::open(&self.store, Arc::new(estate), RulePack::built_in(), file).unwrap()
    }

    fn desk(&self) -> AttestationDesk {
        self.desk_of(Vec::new(), Vec::new())
    }

    /// Closes the store as a power cut would, and opens it again: only what was committed counts.
    fn again(self) -> Self {
        let Self { folder, store } = self;
        drop(store);
        let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
        Self { folder, store }
    }
}

fn found(bus: &str, address: &str) -> Discovered {
    Discovered {
        bus: bus.into(),
        address: address.into(),
        protocol: "modbus".into(),
        category: None,
        first_seen_ms: Some(NEW_YEAR),
    }
}

fn held(desk: &AttestationDesk) -> Vec<(String, String)> {
    let attested = desk.attested().borrow().clone();
    attested.page.iter().map(|one| (one.subject.word(), one.by.clone())).collect()
}

#[test]
fn a_name_missing_a_wrong_expiry_and_an_untrusted_clock_are_refused_and_nothing_is_kept() {
    let rig = Rig::new();
    let desk = rig.desk();
    let give = |by: &str, until: &str, now| {
        desk.attest(vec![privacy("a")], by, until, "", now).unwrap_err().to_string()
    };
    assert_eq!(give("  ", "", at(NEW_YEAR)), "by: is empty");
    assert_eq!(give("王", "yesterday", at(NEW_YEAR)), "until: is no date");
    assert_eq!(
        give("王", "2025-12-31", at(NEW_YEAR)),
        "until: is before the day it was said, 2026-01-01"
    );
    assert_eq!(
        give("王", "2027-01-02", at(NEW_YEAR)),
        "until: is more than 365 days after 2026-01-01"
    );
    assert!(give("王", "", None).contains("clock is not trusted"));
    assert!(matches!(desk.withdraw("privacy", "王", None), Err(DeskError::NothingThere(_))));
    assert!(matches!(desk.withdraw("privacy", "", None), Err(DeskError::Wrong { .. })));
    assert!(desk.attested().borrow().page.is_empty() && desk.attested().borrow().deeds.is_empty());
}

#[test]
fn what_was_given_and_withdrawn_is_there_after_a_restart_with_who_did_it() {
    let rig = Rig::new();
    let desk = rig.desk();
    let two = vec![inventory(Category::WaterMeter, 6), inventory(Category::GasMeter, 3)];
    desk.attest(two, "王", "2026-06-30", "盘点", at(NEW_YEAR)).unwrap();
    desk.attest(vec![privacy("a")], "李", "", "", at(NEW_YEAR + 1)).unwrap();
    desk.attest(vec![privacy("b")], "赵", "", "", at(NEW_YEAR + 2)).unwrap();
    desk.withdraw("inventory/gas_meter", "钱", None).unwrap();
    drop(desk);
    let rig = rig.again();
    let desk = rig.desk();
    let owned = |word: &str, by: &str| (word.to_owned(), by.to_owned());
    assert_eq!(held(&desk), [owned("inventory/water_meter", "王"), owned("privacy", "赵")]);
    let attested = desk.attested().borrow().clone();
    assert_eq!(attested.page[0].until, day("2026-06-30"));
    assert_eq!(attested.page[1].until, day("2027-01-01"));
    let names: Vec<&str> = attested
        .deeds
        .iter()
        .map(|deed| match deed {
            Deed::Attested { attestation, .. } => attestation.by.as_str(),
            Deed::Withdrawn { by, .. } => by.as_str(),
        })
        .collect();
    assert_eq!(names, ["钱", "赵", "李", "王", "王"], "the newest first");
}

#[test]
fn the_record_of_deeds_is_bounded_and_what_holds_outlives_it() {
    let rig = Rig::new();
    let desk = rig.desk();
    desk.attest(vec![inventory(Category::WaterMeter, 6)], "王", "", "", at(NEW_YEAR)).unwrap();
    let all: Vec<Subject> = (0..=MOST_DEEDS).map(|n| privacy(&n.to_string())).collect();
    // Many at once: one commit.
    desk.attest(all, "李", "", "", at(NEW_YEAR)).unwrap();
    let attested = desk.attested().borrow().clone();
    assert_eq!((attested.deeds.len(), attested.page.len()), (MOST_DEEDS, 2));
    desk.withdraw("privacy", "赵", at(NEW_YEAR)).unwrap();
    drop(desk);
    let rig = rig.again();
    let attested = rig.desk().attested().borrow().clone();
    assert_eq!((attested.deeds.len(), attested.page.len()), (MOST_DEEDS, 1));
    assert!(matches!(&attested.deeds[0], Deed::Withdrawn { by, .. } if by == "赵"));
}

#[test]
fn a_store_that_fails_is_an_error_and_nothing_of_it_shows_up_later() {
    let rig = Rig::new();
    let desk = rig.desk();
    desk.attest(vec![privacy("kept")], "王", "", "", at(NEW_YEAR)).unwrap();
    let path = rig.store.path().to_owned();
    let aside = rig.folder.path().join("aside");
    // The files cannot be opened: a file is where their folder was.
    std::fs::rename(&path, &aside).unwrap();
    std::fs::write(&path, "").unwrap();
    rig.store.reopen().unwrap_err();
    let error = desk.attest(vec![privacy("lost")], "李", "", "", at(NEW_YEAR)).unwrap_err();
    assert!(matches!(error, DeskError::Store(StoreError::Closed { .. })), "{error}");
    assert!(error.to_string().starts_with("it is not kept: "), "{error}");
    assert!(matches!(desk.withdraw("privacy", "李", None), Err(DeskError::Store(_))));
    assert_eq!(held(&desk), [("privacy".to_owned(), "王".to_owned())]);
    assert_eq!(desk.attested().borrow().deeds.len(), 1);
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(&aside, &path).unwrap();
    rig.store.reopen().unwrap();
    desk.attest(vec![inventory(Category::WaterMeter, 1)], "赵", "", "", at(NEW_YEAR)).unwrap();
    drop(desk);
    let rig = rig.again();
    let names: Vec<String> = held(&rig.desk()).into_iter().map(|(_, by)| by).collect();
    assert_eq!(names, ["赵", "王"]);
}

#[test]
fn an_attestation_holds_through_the_last_moment_of_its_last_day_in_shanghai() {
    let rig = Rig::new();
    let file = vec![word(privacy("a"), "王", "2026-01-01", "2026-01-31")];
    let desk = rig.desk_of(Vec::new(), file);
    let begin = NEW_YEAR;
    let end = NEW_YEAR + 31 * 86_400_000;
    let judge = |now| {
        let judged = desk.judged(now);
        (judged[0].state, judged[0].days_left)
    };
    assert_eq!(judge(at(begin - 1)), (Standing::NotYetValid, None));
    assert_eq!(judge(at(begin)), (Standing::Valid, Some(30)));
    assert_eq!(judge(at(end - 1)), (Standing::Valid, Some(0)));
    assert_eq!(judge(at(end)), (Standing::Expired, None));
    assert_eq!(judge(None), (Standing::ClockNotTrusted, None));
    let why = desk.judged(at(end))[0].why_not().unwrap();
    assert!(
        why.en.contains("王") && why.en.contains("expired at the end of 2026-01-31"),
        "{why:?}"
    );
    assert!(why.zh.contains("2026-01-31 日终到期"), "{why:?}");
    let why = desk.judged(None)[0].why_not().unwrap();
    assert!(why.en.contains("clock is not trusted"), "{why:?}");
}

#[test]
fn the_later_word_counts_on_a_tie_the_pages_and_one_dated_ahead_waits() {
    let rig = Rig::new();
    let file = vec![
        word(privacy("old"), "file", "2025-12-01", "2026-11-30"),
        word(privacy("ahead"), "file", "2026-02-01", "2027-02-01"),
        word(inventory(Category::WaterMeter, 9), "file", "2026-01-01", "2026-12-31"),
        word(inventory(Category::GasMeter, 9), "file", "2026-01-02", "2026-12-31"),
    ];
    let desk = rig.desk_of(Vec::new(), file);
    let counts = |now: i64| -> Vec<(String, String)> {
        let judged = desk.judged(at(now)).into_iter().map(|one| {
            let source = if one.source == AttestationSource::Page { "page " } else { "file " };
            let told = one.attestation.subject.told().en;
            (
                one.attestation.subject.word(),
                format!("{source}{}", told.rsplit(' ').next().unwrap()),
            )
        });
        judged.collect()
    };
    let says = |now: i64, what: &str| {
        counts(now).into_iter().find(|(word, _)| word == what).map(|(_, told)| told).unwrap()
    };
    assert_eq!(says(NEW_YEAR, "privacy"), "file old");
    let today =
        vec![privacy("page"), inventory(Category::WaterMeter, 7), inventory(Category::GasMeter, 7)];
    desk.attest(today, "page", "", "", at(NEW_YEAR)).unwrap();
    assert_eq!(says(NEW_YEAR, "privacy"), "page page");
    assert_eq!(says(NEW_YEAR, "inventory/water_meter"), "page 7", "a tie");
    let next_day = NEW_YEAR + 86_400_000;
    assert_eq!(says(NEW_YEAR, "inventory/gas_meter"), "page 7", "the file's begins tomorrow");
    assert_eq!(says(next_day, "inventory/gas_meter"), "file 9");
    assert_eq!(says(NEW_YEAR + 31 * 86_400_000, "privacy"), "file ahead");
    desk.withdraw("inventory/water_meter", "page", None).unwrap();
    assert_eq!(says(NEW_YEAR, "inventory/water_meter"), "file 9", "withdrawn");
}

#[test]
fn found_devices_are_kept_once_until_one_is_registered_there() {
    let rig = Rig::new();
    let desk = rig.desk();
    assert!(desk.discover(&found("line-1", "#3")).unwrap());
    let later = Discovered { first_seen_ms: None, ..found("line-1", "#3") };
    assert!(!desk.discover(&later).unwrap(), "found before");
    assert!(desk.discover(&found("line-2", "#3")).unwrap());
    assert_eq!(desk.attested().borrow().found[0].first_seen_ms, Some(NEW_YEAR));
    // Whoever commits next makes it durable.
    rig.store.commit().unwrap();
    drop(desk);
    let rig = rig.again();
    let mut registered = device("a", Category::EvCharger);
    registered.connection = "line-1 #3".into();
    let desk = rig.desk_of(vec![registered], Vec::new());
    let places: Vec<String> =
        desk.attested().borrow().found.iter().map(Discovered::place).collect();
    assert_eq!(places, ["line-2 #3"]);
    assert!(!desk.discover(&found("line-1", "#3")).unwrap(), "it is registered");
}

#[test]
fn more_found_devices_than_are_kept_are_left_out() {
    let rig = Rig::new();
    let desk = rig.desk();
    let all: Vec<Discovered> =
        (0..MOST_DISCOVERED).map(|n| found("line-1", &format!("{n:012}"))).collect();
    all.iter().for_each(|device| assert!(desk.discover(device).unwrap()));
    assert!(!desk.discover(&found("line-1", "one more")).unwrap());
    assert_eq!(desk.attested().borrow().found.len(), MOST_DISCOVERED);
}
