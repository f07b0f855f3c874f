//! Reports of made-up estates.

mod days;
mod key;
mod sections;
mod tampered;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::{
    Category, DeviceIndex, Epoch, Estate, EstateKind, GatewayId, Health, Moment, PointIndex,
    Quality, Reading, Reason, Seq, Snapshot, Value, WallTime,
};
use crate::starlevel::tests::device;
use crate::starlevel::{
    Assessment, BufferSeen, Engine, EvidenceChain, GatewaySeen, LinkEvidence, RulePack, Season,
};
use crate::store::{Limits, Store};

/// 2026-01-01T00:00 in Shanghai.
pub(super) const MIDNIGHT: i64 = 1_767_196_800_000;
pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// A gateway with a store whose time the test plays.
pub(super) struct Play {
    pub(super) folder: tempfile::TempDir,
    pub(super) pack: RulePack,
    pub(super) estate: Arc<Estate>,
    store: Store,
    engine: Engine,
    snapshot: Snapshot,
    now: Moment,
    /// Wall milliseconds at boot.
    offset: i64,
    readings: u64,
    link_up: bool,
    season: Option<Season>,
}

impl Play {
    /// Begins at `MIDNIGHT`.
    pub(super) fn new(devices: &[(&str, Category)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let devices = devices.iter().map(|(id, category)| device(id, *category)).collect();
        let gateway = GatewayId::new("weihai-0631").unwrap();
        let kind = EstateKind::OldRetrofit;
        let estate = Estate::new(gateway, "海景<花园>".into(), kind, devices).unwrap();
        let estate = Arc::new(estate);
        let now = Moment { boot_ms: 60_000 };
        let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
        let pack = RulePack::built_in();
        let mut engine = Engine::new(pack.clone(), Arc::clone(&estate), now);
        engine.keep(EvidenceChain::new(&store)).unwrap();
        let snapshot = Snapshot::new(Arc::clone(&estate), now);
        let offset = MIDNIGHT - 60_000;
        Self {
            folder,
            pack,
            estate,
            store,
            engine,
            snapshot,
            now,
            offset,
            readings: 0,
            link_up: true,
            season: None,
        }
    }

    pub(super) fn wall(&self) -> WallTime {
        WallTime { unix_ms: self.offset + i64::try_from(self.now.boot_ms).unwrap() }
    }

    fn hear(&mut self, index: u32, good: bool) {
        let mut reading = Reading::good(PointIndex(0), Value::Number(1.0));
        if !good {
            reading.quality = Quality::Bad(Reason::NoAnswer);
        }
        self.readings += 1;
        self.snapshot.with(DeviceIndex(index), |state| {
            state.apply(self.now, &reading);
            state.health = Health::Online;
        });
    }

    /// Looks every `step` for so long; the `heard` bring a good reading at each look.
    pub(super) fn run(&mut self, ms: i64, step: i64, heard: &[u32]) {
        let end = self.wall().unix_ms + ms;
        while self.wall().unix_ms < end {
            let step = step.min(end - self.wall().unix_ms);
            self.now = self.now.plus(Duration::from_millis(u64::try_from(step).unwrap()));
            for index in heard {
                self.hear(*index, true);
            }
            let buffer = BufferSeen {
                epoch: Epoch(7),
                next: Seq(self.readings / 10),
                oldest: None,
                blocks: 0,
                lost: 0,
                readings: self.readings,
                capacity_hours: Some(200.0),
            };
            let seen = GatewaySeen {
                link_up: self.link_up,
                acknowledged: self.readings / 10,
                buffer: Some(buffer),
            };
            self.engine.observe(&self.snapshot, self.now, Some(self.wall()), &seen);
            // As the daemon does: what the checks gave is a row of the day too.
            if self.now.boot_ms.is_multiple_of(u64::try_from(HOUR).unwrap()) {
                self.engine.note(&self.assessment(), Some(self.wall()));
            }
            self.engine.save(self.now, false).unwrap();
        }
    }

    /// The gateway is off for so long.
    pub(super) fn off(&mut self, ms: i64) {
        self.engine.save(self.now, true).unwrap();
        self.offset += ms;
    }

    pub(super) fn assessment(&self) -> Assessment {
        let link =
            LinkEvidence { connected: true, authenticated: true, acknowledged_at: Some(self.now) };
        self.engine.assess(&self.snapshot, &link, self.now, Some(self.wall()))
    }

    pub(super) fn reporter(&self) -> Reporter {
        let key = SigningKey::beside(self.store.path());
        let evidence = EvidenceChain::new(&self.store);
        Reporter::new(self.pack.clone(), Arc::clone(&self.estate), evidence, self.season, key)
    }

    pub(super) fn file(&self, form: Form) -> String {
        self.reporter().make(&self.assessment(), form, &[], Some(self.wall())).unwrap()
    }

    pub(super) fn report(&self) -> Report {
        super::seal::open(self.file(Form::Json).as_bytes()).unwrap().report
    }

    pub(super) fn key(&self) -> SigningKey {
        SigningKey::beside(self.store.path()).unwrap()
    }
}

pub(super) fn faults(found: &Verified) -> String {
    found.faults.iter().map(|fault| format!("{} / {}\n", fault.en, fault.zh)).collect()
}

/// Another box's key.
pub(super) fn stranger(folder: &Path) -> SigningKey {
    SigningKey::open_or_make(&folder.join("stranger.pk8")).unwrap()
}

/// Three closed days of a charger and a meter.
pub(super) fn three_days() -> Play {
    let mut play = Play::new(&[("c", Category::EvCharger), ("w", Category::WaterMeter)]);
    play.run(3 * DAY + HOUR, 60_000, &[0, 1]);
    play
}

#[test]
fn both_forms_hold_the_same_report_and_verify_against_the_key() {
    let play = three_days();
    let (key, report) = (*play.key().public(), play.report());
    for form in [Form::Html, Form::Json] {
        let file = play.file(form);
        let found = verify(file.as_bytes(), Some(&key));
        assert!(found.good, "{form:?}: {}", faults(&found));
        assert_eq!((found.days, found.key_matches), (3, Some(true)));
        assert_eq!(found.built_in_rules, Some(true));
        assert_eq!(found.head.as_deref(), report.chain.head.as_deref());
        assert_eq!(super::seal::open(file.as_bytes()).unwrap().report, report);
        assert!(found.notes.is_empty(), "{:?}", found.notes);
    }
    let stored = EvidenceChain::new(&play.store).verify().unwrap();
    assert_eq!((stored.head, stored.days), (report.chain.head.clone(), 3));
    assert_eq!(report.assessment, play.assessment());
}

#[test]
fn a_report_before_any_day_ended_verifies_too_and_shows_no_day() {
    let mut play = Play::new(&[("c", Category::EvCharger)]);
    play.run(HOUR, 60_000, &[0]);
    for form in [Form::Html, Form::Json] {
        let found = verify(play.file(form).as_bytes(), None);
        assert!(found.good, "{}", faults(&found));
        assert_eq!((found.days, found.head), (0, None));
    }
}

#[test]
fn the_page_shows_the_star_the_gaps_and_every_check_of_the_assessment_in_both_languages() {
    let play = three_days();
    let (page, result) = (play.file(Form::Html), play.assessment());
    assert!(!result.missing.is_empty());
    let mut rest = page.as_str();
    for id in &result.missing {
        let check = result.check(id).unwrap();
        let title = format!("<b>{id} {}</b>", check.title.zh);
        (_, rest) = rest.split_once(&title).unwrap_or_else(|| panic!("{title} in its order"));
    }
    for check in &result.checks {
        let name = maud::html! { (check.title.en) }.into_string();
        assert!(page.contains(&name), "{}", check.id);
    }
    for part in [
        "自评结果",
        "not an official rating",
        "Where the result is weak".to_lowercase().as_str(),
        "Drills can be staged",
        "All star boundaries are proposals",
        play.pack.sha256(),
        &play.key().public_hex(),
        &fingerprint(play.key().public()),
        "linli stars verify FILE --key",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn what_an_estate_is_called_is_never_markup_and_nothing_comes_from_elsewhere() {
    let play = three_days();
    let page = play.file(Form::Html);
    assert!(!page.contains("<花园>") && page.contains("海景&lt;花园&gt;"));
    assert_eq!(page.matches("<script").count(), 1, "only the report's own text");
    for outside in ["src=", "href=", "@import", "url(http", "<link", "<img"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn a_report_of_500_devices_and_30_days_stays_small() {
    let names: Vec<String> = (0..500).map(|n| format!("parcel_locker-{n:03}")).collect();
    let twelve = &Category::ALL[..12];
    let devices: Vec<(&str, Category)> =
        names.iter().enumerate().map(|(n, id)| (id.as_str(), twelve[n % 12])).collect();
    let mut play = Play::new(&devices);
    let all: Vec<u32> = (0..500).collect();
    play.run(31 * DAY, HOUR, &all);
    for (form, most) in [(Form::Html, 3 << 20), (Form::Json, 3 << 20)] {
        let file = play.file(form);
        let found = verify(file.as_bytes(), None);
        assert!(found.good && found.days == 30, "{}", faults(&found));
        println!("report: {} of 500 devices and 30 days: {} bytes", form.word(), file.len());
        assert!(file.len() < most, "{}", file.len());
    }
}

#[test]
fn only_one_report_is_made_at_a_time() {
    let play = three_days();
    let reporter = play.reporter();
    let held = reporter.hold();
    let made = reporter.clone().make(&play.assessment(), Form::Json, &[], None);
    assert!(matches!(made, Err(ReportFault::Busy)), "{made:?}");
    drop(held);
    assert!(reporter.make(&play.assessment(), Form::Json, &[], None).is_ok());
}
