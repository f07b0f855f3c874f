//! Outcomes as root leaves them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::*;
use crate::audit::Filter;
use crate::clock::Clock;
use crate::proposal::Waiting;
use crate::settings::Fault;
use crate::status::Writing;
use crate::store::Limits;

/// Only the outcome is there.
#[derive(Debug, Default)]
struct Told(Mutex<Option<HandedOver>>);

impl Files for Told {
    fn texts(&self) -> Result<Vec<(PathBuf, String)>, Vec<Fault>> {
        Ok(Vec::new())
    }

    fn examine(&self, _: &[(PathBuf, String)]) -> Vec<Fault> {
        Vec::new()
    }

    fn writing(&self, _: &Path) -> Writing {
        Writing::HandedOver
    }

    fn write(&self, _: &Path, _: &str) -> io::Result<PathBuf> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn hand_over(&self, _: &Path, _: &str, _: &str, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn handed_over(&self) -> Option<HandedOver> {
        self.0.lock().unwrap().clone()
    }

    fn waiting(&self) -> Option<Waiting> {
        None
    }

    fn earlier(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }

    fn reload(&self) -> bool {
        true
    }
}

/// The gateway runs, looks some times, and ends; what the trail holds, the newest first.
async fn run(folder: &Path, files: &Arc<Told>) -> Vec<(Outcome, String, String, String)> {
    let store = Store::open(&folder.join("store"), Limits::default()).unwrap();
    let clock = Clock::of_boot(crate::clock::Config::default(), "boot", 1_000);
    let audit = Audit::open(&store, clock).unwrap();
    let handover = Handover::load(&store).unwrap();
    let files = Arc::clone(files) as Arc<dyn Files>;
    let mut watch = Watch { handover, files, audit, unsaved: false };
    for _ in 0..3 {
        watch.look().await;
    }
    assert!(!watch.unsaved);
    let entries = watch.audit.trail().page(&Filter::default(), 10).unwrap().entries;
    let row = |entry: crate::audit::Entry| {
        assert_eq!((entry.action, &*entry.from), (Action::Configure, "linli-apply"));
        (entry.outcome, entry.who, entry.about, entry.detail)
    };
    entries.into_iter().map(row).collect()
}

fn outcome(refused: Option<(&str, &str)>, at_ms: i64) -> HandedOver {
    let refused = refused.map(Into::into);
    HandedOver { file: "linli.toml".into(), who: "li".into(), refused, at_ms }
}

#[tokio::test]
async fn a_change_that_was_refused_and_one_that_was_installed_each_stand_once_in_the_trail() {
    let folder = tempfile::tempdir().unwrap();
    let files = Arc::new(Told::default());
    assert_eq!(run(folder.path(), &files).await, [], "nothing was handed over");
    *files.0.lock().unwrap() = Some(outcome(Some(("not that", "不行")), 7));
    let refused = (Outcome::Refused, "li".into(), "linli.toml".into(), "not that".into());
    let once = std::slice::from_ref(&refused);
    assert_eq!(run(folder.path(), &files).await, once);
    assert_eq!(run(folder.path(), &files).await, once, "an earlier run told it");
    *files.0.lock().unwrap() = Some(outcome(None, 8));
    let done = (Outcome::Done, "li".into(), "linli.toml".into(), "installed".into());
    assert_eq!(run(folder.path(), &files).await, [done, refused]);
}
