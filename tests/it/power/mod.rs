//! Power cuts, kills and failing disks, with real parts.
//!
//! | module | work |
//! |---|---|
//! | `vm`, `disk`, `guest.sh` | the box: a virtual machine on a disk that forgets what was not flushed |
//! | `site` | what is around it: brokers, devices, the line to the platform |
//! | `stream` | what the platform got, judged |
//! | `oracle` | what was promised before a cut, and what is left of it afterwards |
//! | `trial` | these four together, over many lives of one gateway; the table |
//! | `cuts`, `kills`, `faults` | the campaigns and the single faults |
//!
//! `tests/power` runs hundreds; without it these are a few, so that the test command stays short.

mod cuts;
mod disk;
mod faults;
mod kills;
mod oracle;
mod site;
mod stream;
mod trial;
mod vm;

use std::path::Path;
use std::time::SystemTime;

/// Days of evidence that lie in the store from the start.
const WATCHED_DAYS: u64 = 3;

/// A number from the environment, which `tests/power` sets.
fn ordered(name: &str, few: u64) -> u64 {
    std::env::var(name).map_or(few, |text| text.parse().unwrap())
}

/// A folder for a campaign, which stays after a failure.
struct Folder(Option<tempfile::TempDir>);

impl Folder {
    fn new() -> Self {
        Self(Some(tempfile::tempdir().unwrap()))
    }

    fn path(&self) -> &Path {
        self.0.as_ref().expect("present until dropped").path()
    }
}

impl Drop for Folder {
    #[expect(clippy::print_stdout, reason = "for whoever looks why it failed")]
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.0.take()
        {
            println!("what is left lies in {}", folder.keep().display());
        }
    }
}

/// The wall clock of this machine, milliseconds since 1970.
fn unix_ms() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Makes a store with closed days of evidence, so that there is a chain to keep.
fn with_evidence(folder: &Path) {
    const DAY: i64 = 86_400_000;
    let begin = (unix_ms() / DAY - i64::try_from(WATCHED_DAYS).unwrap() - 2) * DAY;
    crate::parts::watched(&folder.join("buffer"), begin, (WATCHED_DAYS + 1) * 24);
}

/// Makes the store's file so large that the daemon rebuilds it with its next commit: sled keeps
/// the space of what was deleted.
fn bloat(buffer: &Path) {
    use linli::store::{Changes, Limits, MAX_VALUE, Store};
    const VALUES: u32 = 1500;
    let store = Store::open(buffer, Limits::default()).unwrap();
    let tree = store.tree("bloat");
    let mut noise = fastrand::Rng::with_seed(1);
    for round in 0..VALUES / 100 {
        let mut changes = Changes::default();
        for key in round * 100..(round + 1) * 100 {
            let value: Vec<u8> = std::iter::repeat_with(|| noise.u8(..)).take(MAX_VALUE).collect();
            changes.insert(&key.to_be_bytes(), &value);
        }
        tree.apply(changes).unwrap();
        store.commit().unwrap();
    }
    let mut changes = Changes::default();
    (0..VALUES).for_each(|key| changes.remove(&key.to_be_bytes()));
    tree.apply(changes).unwrap();
    store.commit().unwrap();
}
