//! Ends of upgrades in files, as `linli upgrade` leaves them.

use std::fs;
use std::path::Path;

use super::*;
use crate::audit::Filter;
use crate::store::Limits;

struct Rig {
    watch: Watch,
    told: mpsc::Receiver<FieldMessage>,
    stop: CancellationToken,
}

fn rig(folder: &Path) -> Rig {
    let store = Store::open(&folder.join("store"), Limits::default()).unwrap();
    let clock = Clock::of_boot(crate::clock::Config::default(), "boot", 1_000);
    let places = Places { folder: folder.join("upgrade"), ..Places::of_the_box(PathBuf::new()) };
    fs::create_dir_all(&places.folder).unwrap();
    let audit = Some(Audit::open(&store, clock.clone()).unwrap());
    let upgrades = Upgrades::of(places, &store).unwrap();
    let (out, told) = mpsc::channel(8);
    let watch = Watch { upgrades, audit, clock, out, fault: None, unsaved: false };
    Rig { watch, told, stop: CancellationToken::new() }
}

impl Rig {
    fn leave(&self, text: &str) {
        fs::write(self.watch.upgrades.places.ended(), text).unwrap();
    }

    /// Looks once; what the platform is told.
    async fn look(&mut self) -> Vec<EventKind> {
        assert!(self.watch.look(&self.stop).await);
        let mut events = Vec::new();
        while let Ok(FieldMessage::Event(event)) = self.told.try_recv() {
            events.push(event.kind);
        }
        events
    }

    /// Outcome, about, detail; the newest first.
    fn trail(&self) -> Vec<(Outcome, String, String)> {
        let trail = self.watch.audit.as_ref().unwrap().trail();
        let entries = trail.page(&Filter::default(), 10).unwrap().entries;
        entries.into_iter().map(|entry| (entry.outcome, entry.about, entry.detail)).collect()
    }
}

const GOOD: &str = r#"{"format": 1, "id": "a", "outcome": "installed", "from": "1.0.0-1",
    "to": "2.0.0-1", "why": null, "at_ms": 1796083200000}"#;
const BAD: &str = r#"{"format": 1, "id": "b", "outcome": "withdrawn", "from": "2.0.0-1",
    "to": "3.0.0-1", "why": {"en": "no good reading", "zh": "无有效读数"}, "at_ms": 1796083300000}"#;

#[tokio::test]
async fn each_end_is_told_once_while_the_gateway_runs_and_never_again() {
    let folder = tempfile::tempdir().unwrap();
    {
        let mut rig = rig(folder.path());
        assert_eq!(rig.look().await, [], "there was no upgrade");
        rig.leave(GOOD);
        let told = serde_json::to_value(rig.look().await).unwrap();
        let want = serde_json::json!([{ "kind": "upgrade_ended", "outcome": "installed",
            "from": "1.0.0-1", "to": "2.0.0-1", "ended_ms": 1_796_083_200_000_i64 }]);
        assert_eq!(told, want);
        assert_eq!(rig.look().await, [], "it was told");
        let want =
            (Outcome::Done, "1.0.0-1 → 2.0.0-1".into(), "the new version is installed".into());
        assert_eq!(rig.trail(), [want]);
    }
    let mut rig = rig(folder.path());
    assert_eq!(rig.look().await, [], "an earlier run told it");
    rig.leave(BAD);
    let told = serde_json::to_value(rig.look().await).unwrap();
    assert_eq!(
        (&told[0]["outcome"], &told[0]["why"]),
        (&"withdrawn".into(), &"no good reading".into())
    );
    assert_eq!(told[0]["why_zh"], "无有效读数");
    assert_eq!(rig.trail()[0].0, Outcome::Failed);
    assert_eq!(rig.trail()[0].2, "the old version runs on: no good reading");
}

#[tokio::test]
async fn what_a_later_version_left_is_named_in_the_log_and_told_when_it_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = rig(folder.path());
    rig.leave(r#"{"format": 9}"#);
    assert_eq!(rig.look().await, []);
    assert!(rig.watch.fault.as_ref().unwrap().contains("format 9"), "{:?}", rig.watch.fault);
    rig.leave(GOOD);
    assert_eq!(rig.look().await.len(), 1);
    assert_eq!(rig.watch.fault, None);
}

#[tokio::test]
async fn what_nobody_took_is_told_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    {
        let mut rig = rig(folder.path());
        rig.leave(GOOD);
        rig.stop.cancel();
        assert!(!rig.watch.look(&rig.stop).await);
    }
    assert_eq!(rig(folder.path()).look().await.len(), 1);
}
