//! Tells the trail what became of changes of the configuration that were handed over: root leaves that
//! in a file, when whoever changed something has mostly left the page.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::Joints;
use crate::audit::{Action, Audit, Deed, Outcome};
use crate::status::{Files, HandedOver, View};
use crate::store::{Changes, Store, StoreError, Tree};
use crate::supervise::Part;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);
/// Name of the tree with what was told.
const TREE: &str = "handover";
/// Its key for the last outcome that was told.
const TOLD: &[u8] = b"told";

/// What was told, also by an earlier run.
pub(super) struct Handover {
    tree: Tree,
    told: Option<Vec<u8>>,
}

impl Handover {
    /// Called before the first commit.
    ///
    /// # Errors
    /// What was told before cannot be read.
    pub(super) fn load(store: &Store) -> anyhow::Result<Self> {
        let tree = store.tree(TREE);
        let told = tree.get(TOLD).context("which change of the configuration was told")?;
        Ok(Self { tree, told })
    }
}

impl Joints {
    /// Starts to look, where there is a configuration and a trail.
    pub(super) fn handover(&mut self, handover: Handover, view: &View) {
        let (Some(files), Some(audit)) = (view.files.clone(), view.access.audit().cloned()) else {
            return;
        };
        let watch = Watch { handover, files, audit, unsaved: false };
        let stop = self.supervisor.token(Part::Source);
        self.supervisor.spawn(Part::Source, "handover", watch.run(stop));
    }
}

/// The task.
struct Watch {
    handover: Handover,
    files: Arc<dyn Files>,
    audit: Audit,
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
                _ = ticks.tick() => self.look().await,
            }
        }
    }

    /// Looks once.
    async fn look(&mut self) {
        let files = Arc::clone(&self.files);
        let last = tokio::task::spawn_blocking(move || files.handed_over()).await;
        let last = last.unwrap_or_else(|error| {
            tracing::warn!(%error, "nobody can say what became of the last change");
            None
        });
        if let Some(last) = last
            && self.handover.told.as_deref() != Some(&*mark(&last))
        {
            self.audit.note(deed(&last)).await;
            // Noted after it was told: a crash between makes it come twice, never be lost.
            self.handover.told = Some(mark(&last));
            self.unsaved = true;
        }
        if self.unsaved {
            self.note();
        }
    }

    fn note(&mut self) {
        let Some(told) = &self.handover.told else { return };
        let mut changes = Changes::default();
        changes.insert(TOLD, told);
        match self.handover.tree.apply(changes) {
            Ok(()) => self.unsaved = false,
            // While the store is rebuilt.
            Err(error @ StoreError::Closed { .. }) => {
                tracing::info!(%error, "which change was told is not noted yet");
            }
            Err(error) => {
                self.unsaved = false;
                tracing::warn!(%error, "which change was told is not noted");
            }
        }
    }
}

/// By what an outcome is known.
fn mark(last: &HandedOver) -> Vec<u8> {
    last.at_ms.to_string().into_bytes()
}

fn deed(last: &HandedOver) -> Deed {
    let who = if last.who.is_empty() { "-" } else { &last.who };
    let deed = Deed::done(who, "linli-apply", Action::Configure, &last.file);
    match &last.refused {
        None => deed.more("installed"),
        Some(why) => {
            tracing::warn!(who, file = last.file, why = why.en, "a change was not installed");
            deed.ended(Outcome::Refused, &why.en)
        }
    }
}

#[cfg(test)]
#[path = "handover_tests.rs"]
mod tests;
