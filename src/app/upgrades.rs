//! Tells the platform and the trail how upgrades of the program end: `linli upgrade` leaves that in a
//! file, mostly when the new version runs already.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Joints;
use crate::audit::{Action, Audit, Deed, Outcome};
use crate::clock::Clock;
use crate::model::{Event, EventKind, FieldMessage};
use crate::store::{Changes, Store, StoreError, Tree};
use crate::supervise::Part;
use crate::upgrade::{Desk, Ended, Places};

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(5);
/// Name of the tree with what was told.
const TREE: &str = "upgrade";
/// Its key for the last upgrade whose end was told.
const TOLD: &[u8] = b"told";

/// What was told, and where the ends of upgrades stand.
pub(super) struct Upgrades {
    places: Places,
    tree: Tree,
    /// Which upgrade was told last, also by an earlier run.
    told: Option<Vec<u8>>,
}

impl Upgrades {
    /// Called before the first commit.
    ///
    /// # Errors
    /// What was told before cannot be read.
    pub(super) fn load(store: &Store) -> anyhow::Result<Self> {
        Self::of(Places::of_the_box(PathBuf::new()), store)
    }

    fn of(places: Places, store: &Store) -> anyhow::Result<Self> {
        let tree = store.tree(TREE);
        let told = tree.get(TOLD).context("which upgrade was told")?;
        Ok(Self { places, tree, told })
    }
}

impl Joints {
    /// Starts to look.
    pub(super) fn upgrades(&mut self, upgrades: Upgrades, audit: Option<&Audit>) {
        let watch = Watch {
            upgrades,
            audit: audit.cloned(),
            clock: self.clock.clone(),
            out: self.field.clone(),
            fault: None,
            unsaved: false,
        };
        let stop = self.supervisor.token(Part::Source);
        self.supervisor.spawn(Part::Source, "upgrades", watch.run(stop));
    }
}

/// The task.
struct Watch {
    upgrades: Upgrades,
    audit: Option<Audit>,
    clock: Clock,
    out: mpsc::Sender<FieldMessage>,
    /// Why the file cannot be read, as the log was told.
    fault: Option<String>,
    /// What was told is not noted yet.
    unsaved: bool,
}

impl Watch {
    async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if !self.look(&stop).await {
                return;
            }
        }
    }

    /// Looks once; false when the daemon is stopping.
    async fn look(&mut self, stop: &CancellationToken) -> bool {
        if let Some(ended) = self.news().await
            && !self.tell(ended, stop).await
        {
            return false;
        }
        if self.unsaved {
            self.note();
        }
        true
    }

    /// The last upgrade, when nobody was told how it ended.
    async fn news(&mut self) -> Option<Ended> {
        let places = self.upgrades.places.clone();
        let read = tokio::task::spawn_blocking(move || Desk::last(&places)).await;
        let (ended, fault) = match read {
            Ok(Ok(ended)) => (ended, None),
            Ok(Err(fault)) => (None, Some(fault.to_string())),
            Err(error) => (None, Some(error.to_string())),
        };
        if fault != self.fault {
            if let Some(fault) = &fault {
                tracing::warn!(fault, "nobody can say how the last upgrade ended");
            }
            self.fault = fault;
        }
        ended.filter(|ended| self.upgrades.told.as_deref() != Some(ended.id.as_bytes()))
    }

    /// False when the daemon is stopping.
    async fn tell(&mut self, ended: Ended, stop: &CancellationToken) -> bool {
        let words = ended.outcome.words();
        let (why, why_zh) = ended.why.map(|why| (why.en, why.zh)).unzip();
        let (from, to, outcome) = (&ended.from, &ended.to, &words.en);
        tracing::info!(%from, %to, %outcome, why, "an upgrade ended");
        let deed = Deed::done("console", "console", Action::Upgrade, &format!("{from} → {to}"));
        let deed = match &why {
            Some(why) => deed.ended(Outcome::Failed, &format!("{outcome}: {why}")),
            None => deed.ended(Outcome::Done, outcome),
        };
        let kind = EventKind::UpgradeEnded {
            outcome: ended.outcome.word().into(),
            from: ended.from,
            to: ended.to,
            ended_ms: ended.at_ms,
            why,
            why_zh,
        };
        let event = Event { at: self.clock.now(), device: None, kind };
        tokio::select! {
            biased;
            () = stop.cancelled() => return false,
            sent = self.out.send(FieldMessage::Event(event)) => if sent.is_err() { return false },
        }
        if let Some(audit) = &self.audit {
            audit.note(deed).await;
        }
        // Noted after it was told: a crash between makes it come twice, never be lost.
        self.upgrades.told = Some(ended.id.into_bytes());
        self.unsaved = true;
        true
    }

    fn note(&mut self) {
        let Some(told) = &self.upgrades.told else { return };
        let mut changes = Changes::default();
        changes.insert(TOLD, told);
        match self.upgrades.tree.apply(changes) {
            Ok(()) => self.unsaved = false,
            // While the store is rebuilt.
            Err(error @ StoreError::Closed { .. }) => {
                tracing::info!(%error, "which upgrade was told is not noted yet");
            }
            Err(error) => {
                self.unsaved = false;
                tracing::warn!(%error, "which upgrade was told is not noted");
            }
        }
    }
}

#[cfg(test)]
#[path = "upgrades_tests.rs"]
mod tests;
