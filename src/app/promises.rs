//! The task that watches over the promises: remembers since when each is broken, and tells the
//! platform of those that stay broken for a while, and of their end.

mod judge;

use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::certificates::Certificates;
use super::{Joints, Opening};
use crate::config::Settings;
use crate::model::{Event, EventKind, FieldMessage, WallTime};
use crate::status::View;
use crate::status::promises::{Expiry, Memory, Pledges, Refusal, standing};
use crate::store::{Store, StoreError, Tree};
use crate::supervise::Part;
use judge::Judge;

/// How often the promises are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Name of the tree with what was told.
const TOLD: &str = "promises";
/// Its key for when the platform was last told of certificates, milliseconds since 1970.
const CERTIFICATES: &[u8] = b"certificates told";

/// Where the task tells what it knows.
pub(super) struct Keeper {
    opening: Opening,
    tree: Tree,
    /// As an earlier run left it.
    judge: Judge,
    /// When an earlier run told of certificates.
    told_at: Option<WallTime>,
    memory: watch::Sender<Memory>,
    expiries: watch::Sender<Vec<Expiry>>,
}

/// What the page judges the promises by, and the other ends of it. Called before the first commit.
///
/// # Errors
/// What was told before cannot be read.
pub(super) fn pledges(opening: Opening, store: &Store) -> anyhow::Result<(Pledges, Keeper)> {
    let tree = store.tree(TOLD);
    let judge = Judge::load(&tree).context("what was told of the promises")?;
    let told_at = tree.get(CERTIFICATES).context("when certificates were told of")?;
    let told_at = told_at.and_then(|bytes| bytes.try_into().ok()).map(i64::from_be_bytes);
    let told_at = told_at.map(|unix_ms| WallTime { unix_ms });
    let (memory, memory_seen) = watch::channel(Memory::default());
    let (expiries, certificates) = watch::channel(Vec::new());
    let configuration = opening.configuration.clone();
    let pledges = Pledges { configuration, certificates, memory: memory_seen };
    Ok((pledges, Keeper { opening, tree, judge, told_at, memory, expiries }))
}

impl Joints {
    /// Starts the watch over the promises.
    pub(super) fn promises(&mut self, settings: &Settings, keeper: Keeper, view: &View) {
        let presented = std::mem::take(&mut self.presented);
        let mut certificates = Certificates::new(settings, presented, keeper.told_at);
        certificates.add_page(settings);
        let watch = Watch {
            certificates,
            view: view.clone(),
            keeper,
            out: self.field.clone(),
            unsaved: false,
        };
        let stop = self.supervisor.token(Part::Source);
        self.supervisor.spawn(Part::Source, "promises", watch.run(stop));
    }
}

/// The task.
struct Watch {
    certificates: Certificates,
    view: View,
    keeper: Keeper,
    out: mpsc::Sender<FieldMessage>,
    /// The last note was refused, and the log says so.
    unsaved: bool,
}

impl Watch {
    async fn run(mut self, stop: CancellationToken) {
        let mut configuration = self.keeper.opening.configuration.clone();
        configuration.mark_unchanged();
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut news = std::mem::take(&mut self.keeper.opening.news);
        loop {
            for kind in news.drain(..) {
                let at = self.view.clock.now();
                if !self.tell(Event { at, device: None, kind }, &stop).await {
                    return;
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Ok(()) = configuration.changed() => {
                    news.extend(configuration.borrow_and_update().as_ref().map(refused));
                }
                _ = ticks.tick() => if !self.look(&stop).await { return },
            }
        }
    }

    /// Looks once; false when the daemon is stopping.
    async fn look(&mut self, stop: &CancellationToken) -> bool {
        let now = self.view.clock.now();
        let wall = self.view.clock.wall(now);
        let due = self.certificates.look(now, wall).await;
        let list = self.certificates.all().to_vec();
        self.keeper.expiries.send_if_modified(|held| {
            let news = *held != list;
            *held = list;
            news
        });
        let losses = {
            let buffer = self.view.buffer.borrow();
            buffer.evicted_blocks + buffer.damaged_blocks
        };
        self.keeper.judge.count_losses(losses, now);
        let standing = standing(&self.view);
        let events = self.keeper.judge.look(&standing, now);
        let memory = self.keeper.judge.memory(now);
        self.keeper.memory.send_if_modified(|held| {
            let news = *held != memory;
            *held = memory;
            news
        });
        let told = !events.is_empty() || !due.is_empty();
        let due = due.into_iter().map(|kind| Event { at: now, device: None, kind });
        for event in events.into_iter().chain(due) {
            if !self.tell(event, stop).await {
                return false;
            }
        }
        if told {
            // Noted after it was sent: a crash between makes it come twice, never be lost.
            self.note();
        }
        true
    }

    /// Into the flow, where the readings go; false when the daemon is stopping.
    async fn tell(&self, event: Event, stop: &CancellationToken) -> bool {
        tokio::select! {
            biased;
            () = stop.cancelled() => false,
            sent = self.out.send(FieldMessage::Event(event)) => sent.is_ok(),
        }
    }

    fn note(&mut self) {
        let mut changes = self.keeper.judge.changes();
        if let Some(at) = self.certificates.told_at() {
            changes.insert(CERTIFICATES, &at.unix_ms.to_be_bytes());
        }
        match self.keeper.tree.apply(changes) {
            Ok(()) => self.unsaved = false,
            // While the store is rebuilt; the next change notes everything.
            Err(error @ StoreError::Closed { .. }) => {
                tracing::info!(%error, "what was told of the promises is not noted yet");
            }
            Err(error) => {
                if !std::mem::replace(&mut self.unsaved, true) {
                    tracing::warn!(%error, "what was told of the promises is not noted");
                }
            }
        }
    }
}

/// The event about a configuration that was not applied.
pub(super) fn refused(refusal: &Refusal) -> EventKind {
    EventKind::ConfigurationRefused {
        faults: refusal.faults.iter().map(|fault| fault.en.clone()).collect(),
        faults_zh: refusal.faults.iter().map(|fault| fault.zh.clone()).collect(),
        count: refusal.count,
    }
}
