//! The task around the core: makes durable, answers, tells, writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::core::Core;
use super::input::{Effects, Input, Now, Told, Work, Write, WriteFault};
use super::router::{Ask, Counts, Ordered, Router};
use super::target::Target;
use super::way::{Order, Way};
use crate::audit::Audit;
use crate::clock::Clock;
use crate::model::{CommandId, CommandReport, CommandResult, FieldMessage, Moment, Snapshot};
use crate::store::{Changes, Store, StoreError, Tree};
use crate::uplink::CommandMessage;

/// Requests that wait for the desk.
pub const ASKS: usize = 256;
/// Inputs that share one commit.
const AT_ONCE: usize = 64;
/// Longest wait at the end for what is being written.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the desk is connected with.
#[derive(Debug)]
pub struct Ends {
    /// Whom commands go to, one for each device of the estate.
    pub ways: Vec<Way>,
    /// Events, in the flow.
    pub field: mpsc::Sender<FieldMessage>,
    /// The trail; `None` where there is none.
    pub audit: Option<Audit>,
    /// Messages of the platform.
    pub messages: mpsc::Receiver<CommandMessage>,
    /// Results, to the platform. What does not fit is not told there: the event is the record.
    pub results: mpsc::Sender<CommandResult>,
    /// Whether the link to the platform is up.
    pub link: watch::Receiver<bool>,
}

/// Whoever waits for a decision.
enum Waiting {
    Inside(oneshot::Sender<Ordered>),
    Platform(oneshot::Sender<()>),
}

/// The desk: owns all that is known about commands.
pub struct Desk {
    pub(super) core: Core,
    pub(super) ends: Ends,
    asks: mpsc::Receiver<Ask>,
    store: Store,
    tree: Tree,
    pub(super) clock: Clock,
    pub(super) counts: Arc<Counts>,
    waiting: BTreeMap<u64, Waiting>,
    ticket: u64,
    /// Whoever waits for the end of a command.
    pub(super) ends_of: BTreeMap<CommandId, Vec<oneshot::Sender<CommandReport>>>,
    writes: JoinSet<(Work, Result<(), WriteFault>)>,
    pub(super) spared: (Moment, u32),
    /// The store refused, and the log says so.
    store_fails: bool,
}

impl Desk {
    /// Goes on with what the store keeps. `targets` and the ways of `ends` have one entry for each
    /// device of the estate.
    ///
    /// # Errors
    /// What is kept cannot be read.
    pub fn open(
        config: Config,
        targets: Vec<Target>,
        snapshot: Snapshot,
        (store, clock): (Store, Clock),
        ends: Ends,
    ) -> Result<(Self, Router), StoreError> {
        let tree = store.tree("commands");
        let gateway = snapshot.estate().gateway.as_str().to_owned();
        let shared: Arc<[Target]> = targets.clone().into();
        let core = Core::load((gateway, config), targets, snapshot, &tree, clock.now())?;
        let (sender, asks) = mpsc::channel(ASKS);
        let counts = Arc::new(Counts::default());
        let router = Router { asks: sender, targets: shared, counts: Arc::clone(&counts) };
        let desk = Self {
            core,
            ends,
            asks,
            store,
            tree,
            clock,
            counts,
            waiting: BTreeMap::new(),
            ticket: 0,
            ends_of: BTreeMap::new(),
            writes: JoinSet::new(),
            spared: (Moment::default(), 0),
            store_fails: false,
        };
        Ok((desk, router))
    }

    /// Takes commands until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut platform = true;
        let mut linked = true;
        let up = *self.ends.link.borrow_and_update();
        let mut inputs = vec![Input::Link { up }];
        let mut wake = Instant::now();
        loop {
            // Whoever only asks puts no look off, however often he asks.
            if !inputs.is_empty() {
                self.take(std::mem::take(&mut inputs)).await;
                wake = self.clock.instant(self.core.wake_at(self.clock.now()));
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(done) = self.writes.join_next() => inputs.extend(ended(done)),
                changed = self.ends.link.changed(), if linked => match changed {
                    Ok(()) => {
                        let up = *self.ends.link.borrow_and_update();
                        inputs.push(Input::Link { up });
                    }
                    Err(_gone) => {
                        linked = false;
                        inputs.push(Input::Link { up: false });
                    }
                },
                message = self.ends.messages.recv(), if platform => match message {
                    Some(message) => inputs.push(self.message(message)),
                    None => platform = false,
                },
                () = sleep_until(wake) => inputs.push(Input::Tick),
                Some(ask) = self.asks.recv() => inputs.extend(self.ask(ask)),
            }
            self.more(&mut inputs);
        }
        self.farewell().await;
    }

    /// What else waits: one commit for all.
    fn more(&mut self, inputs: &mut Vec<Input>) {
        while inputs.len() < AT_ONCE {
            if let Some(done) = self.writes.try_join_next() {
                inputs.extend(ended(done));
            } else if let Ok(message) = self.ends.messages.try_recv() {
                inputs.push(self.message(message));
            } else if let Ok(ask) = self.asks.try_recv() {
                inputs.extend(self.ask(ask));
            } else {
                return;
            }
        }
    }

    fn wait(&mut self, waiting: Waiting) -> u64 {
        self.ticket += 1;
        self.waiting.insert(self.ticket, waiting);
        self.ticket
    }

    fn message(&mut self, message: CommandMessage) -> Input {
        let CommandMessage { id, payload, retained, kept } = message;
        let ticket = self.wait(Waiting::Platform(kept));
        Input::Message { ticket, id, payload, retained }
    }

    fn ask(&mut self, ask: Ask) -> Option<Input> {
        match ask {
            Ask::Order { request, reply } => {
                let ticket = self.wait(Waiting::Inside(reply));
                return Some(Input::Order { ticket, request: *request });
            }
            // Who asked and went away has no use for it.
            Ask::Recent { before, device, most, reply } => {
                drop(reply.send(self.core.book.recent(before, device.as_deref(), most)));
            }
            Ask::One { id, reply } => drop(reply.send(self.core.book.get(&id).cloned())),
        }
        None
    }

    fn now(&self) -> Now {
        let at = self.clock.now();
        let wall_ms = self.clock.best_wall(at).unix_ms;
        Now { at, wall_ms, trusted: self.clock.trusted() }
    }

    /// Takes inputs, and does what follows.
    async fn take(&mut self, inputs: Vec<Input>) {
        let mut all = Effects::default();
        let mut kept = Ok(());
        for input in inputs {
            let effects = self.core.apply(input, self.now());
            all.merge(effects, |changes| kept = self.keep(changes, &kept));
        }
        if all.commit && kept.is_ok() {
            let store = self.store.clone();
            let committed = tokio::task::spawn_blocking(move || store.commit()).await;
            kept = match committed {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(error) => Err(error.to_string()),
            };
        }
        self.store_told(&kept);
        if kept.is_err() {
            self.take_back(&mut all);
        }
        self.answer(std::mem::take(&mut all.answers), &all.told);
        for told in all.told {
            self.tell(told).await;
        }
        for write in all.writes {
            self.begin(write);
        }
        for (device, point) in all.again {
            if let Some(way) = self.ends.ways.get(device.slot()) {
                way.read_again(device, point);
            }
        }
    }

    fn keep(&self, changes: Changes, before: &Result<(), String>) -> Result<(), String> {
        let applied = if changes.is_empty() { Ok(()) } else { self.tree.apply(changes) };
        before.clone().and(applied.map_err(|error| error.to_string()))
    }

    fn store_told(&mut self, kept: &Result<(), String>) {
        match kept {
            Ok(()) => self.store_fails = false,
            Err(error) => {
                if !std::mem::replace(&mut self.store_fails, true) {
                    tracing::warn!(error, "commands cannot be kept: none is accepted");
                }
            }
        }
    }

    /// What was to be kept could not be: nothing of it is done.
    fn take_back(&mut self, all: &mut Effects) {
        let accepted = std::mem::take(&mut all.accepted);
        all.told.retain(|told| !accepted.contains(&told.report.id));
        let is_lost = |work: &Work| matches!(work, Work::Order(id) if accepted.contains(id));
        all.writes.retain(|write| !is_lost(&write.work));
        let lost = accepted.clone();
        let now = self.now();
        let mut effects = self.core.apply(Input::NotKept { accepted }, now);
        // It is tried; what is told does not depend on it.
        if let Err(error) = self.keep(std::mem::take(&mut effects.changes), &Ok(())) {
            tracing::debug!(error, "refused commands are not remembered");
        }
        for (_, answer) in &mut all.answers {
            let Some(answer) = answer.as_mut().filter(|a| lost.contains(&a.report.id)) else {
                continue;
            };
            if let Some(told) = effects.told.iter().find(|t| t.report.id == answer.report.id) {
                answer.report = told.report.clone();
            }
        }
        all.told.append(&mut effects.told);
        all.writes.append(&mut effects.writes);
    }

    fn answer(&mut self, answers: Vec<(u64, Option<Told>)>, told: &[Told]) {
        for (ticket, answer) in answers {
            match (self.waiting.remove(&ticket), answer) {
                (Some(Waiting::Inside(reply)), Some(answer)) => {
                    let decision = answer.report;
                    // Its end may be among what is told next.
                    let end = (!decision.outcome.is_final()).then(|| {
                        let (sender, end) = oneshot::channel();
                        self.ends_of.entry(decision.id.clone()).or_default().push(sender);
                        end
                    });
                    drop(reply.send(Ordered { decision, end }));
                }
                (Some(Waiting::Platform(kept)), answer) => {
                    let ended = |answer: &Told| {
                        let same = |t: &&Told| t.report.id == answer.report.id && t.late;
                        told.iter().any(|t| same(&t))
                    };
                    if let Some(answer) = answer.filter(|answer| !ended(answer)) {
                        self.result(&answer);
                    }
                    if kept.send(()).is_err() {
                        tracing::debug!("the link that brought a command is gone");
                    }
                }
                _ => {}
            }
        }
    }

    fn begin(&mut self, write: Write) {
        let Write { work, device, what, deadline, by, read_back } = write;
        let way = self.ends.ways.get(device.slot()).cloned();
        let deadline: Instant = self.clock.instant(deadline);
        let order = Order { device, what, deadline, by, read_back };
        self.writes.spawn(async move {
            let result = match way {
                Some(way) => way.write(order).await,
                None => Err(WriteFault::Offline),
            };
            (work, result)
        });
    }

    /// What is being written gets a moment to end; what only waits for a point ends at once.
    async fn farewell(mut self) {
        self.asks.close();
        self.ends.messages.close();
        self.take(vec![Input::Stop]).await;
        let until = Instant::now() + FAREWELL;
        while let Ok(Some(done)) = timeout_at(until, self.writes.join_next()).await {
            let inputs = ended(done).into_iter().chain([Input::Stop]).collect();
            self.take(inputs).await;
        }
        self.writes.shutdown().await;
    }
}

type Done = Result<(Work, Result<(), WriteFault>), tokio::task::JoinError>;

fn ended(done: Done) -> Option<Input> {
    match done {
        Ok((work, result)) => Some(Input::Written { work, result }),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // Cut off at the end.
        Err(_cancelled) => None,
    }
}
