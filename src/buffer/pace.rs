//! Looks at the wear of the medium once a minute, and keeps what was measured.

use std::time::Duration;

use crate::model::{Event, EventKind, Moment};
use crate::store::{Changes, Store, StoreError, Tree};

use super::config::Config;
use super::ledger::Ledger;
use super::status::WearStatus;
use super::wear::{Change, Wear, written};

/// Name of the tree.
const TREE: &str = "wear";
const KEY: &[u8] = b"w";
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// What was measured since then is lost with a kill: no more than it costs to keep it.
const KEEP_EVERY: Duration = Duration::from_secs(3600);

/// The wear, and where it is kept.
pub(super) struct Pace {
    pub wear: Wear,
    tree: Tree,
    years: u32,
    looked: Option<Moment>,
    kept: Option<Moment>,
}

impl Pace {
    /// Takes up what was measured before.
    pub fn open(config: &Config, store: &Store) -> Result<Self, StoreError> {
        let tree = store.tree(TREE);
        let size = store.total_bytes().ok().filter(|size| *size > 0);
        let mut wear = Wear::new(config.tick, config.loss_bound, config.medium, size);
        if let Some(kept) = tree.get(KEY)? {
            wear.resume(&kept);
        }
        Ok(Self { wear, tree, years: config.medium.years, looked: None, kept: None })
    }

    /// What is shown of it.
    pub fn status(&self) -> WearStatus {
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        WearStatus {
            tick_ms: ms(self.wear.tick()),
            loss_bound_ms: ms(self.wear.bound()),
            written_bytes: self.wear.since_start(),
            written_per_day: self.wear.per_day(),
            budget_per_day: self.wear.budget(),
            years_left: self.wear.years_left(self.years),
        }
    }
}

impl Ledger {
    /// Measures, at most once a minute. A change of the tick is an event.
    pub(super) fn look_at_wear(&mut self, events: &mut Vec<Event>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let pace = &mut self.pace;
        if pace.looked.is_some_and(|looked| now.since(looked) < LOOK_EVERY) {
            return Ok(());
        }
        pace.looked = Some(now);
        let Some(written) = written() else { return Ok(()) };
        if let Some(change) = pace.wear.apply(written, now) {
            let Change { before, after, pace, budget } = change;
            tracing::info!(
                ?before,
                ?after,
                bytes_per_day = pace,
                budget_per_day = budget,
                "the time between two commits changed, to spare the medium"
            );
            let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
            let kind = EventKind::CommitIntervalChanged {
                tick_ms: ms(after),
                before_ms: ms(before),
                bytes_per_day: pace,
                budget_per_day: budget,
            };
            events.push(Event { at: now, device: None, kind });
        }
        let pace = &mut self.pace;
        if now.since(*pace.kept.get_or_insert(now)) >= KEEP_EVERY {
            pace.kept = Some(now);
            let mut changes = Changes::default();
            changes.insert(KEY, &pace.wear.encode());
            pace.tree.apply(changes)?;
        }
        Ok(())
    }
}
