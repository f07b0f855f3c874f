//! The desk with a store: kept before told, across restarts.

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;
use crate::alarm::testing::{config, manner, plan, signal};
use crate::alarm::{Filter, Plan};
use crate::clock;
use crate::model::{AlarmChange, AlarmStep, Epoch, EventKind};
use crate::store::{Limits, Store};

struct Site {
    folder: TempDir,
    clock: Clock,
}

/// A running desk.
struct Running {
    handle: DeskHandle,
    signals: mpsc::Sender<AlarmSignals>,
    records: mpsc::Receiver<Record>,
    facts: mpsc::Receiver<Fact>,
    task: JoinSet<()>,
    active: usize,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, clock: Clock::of_boot(clock::Config::default(), "boot", 1000) }
    }

    fn start(&self) -> Running {
        let store = Store::open(&self.folder.path().join("store"), Limits::default()).unwrap();
        let plan: Arc<Plan> = plan(&config(), 3, &[]);
        let (keep, kept) = Keep::open(store.tree("alarms")).unwrap();
        store.commit().unwrap();
        let moment = self.clock.now();
        let now = Now { moment, wall_ms: 1_800_000_000_000, trusted: false };
        let id = (Epoch(7), "boot");
        let book = Book::new(Arc::clone(&plan), manner(&config()), id, kept, &[], &now);
        let active = book.active().len();
        let snapshot = Snapshot::new(Arc::clone(plan.estate()), moment);
        let lapse = Lapse::new(Arc::clone(&plan), moment, &book.active());
        let (signals, heard) = mpsc::channel(4);
        let (told, records) = mpsc::channel(16);
        let (fact, facts) = mpsc::channel(64);
        let stored = Box::new(|| (0, false));
        let ends = DeskEnds { signals: heard, records: told, facts: fact, stored };
        let seen = (snapshot, self.clock.clone());
        let (desk, handle) = Desk::new(book, keep, seen, lapse, "值班室", ends, 4);
        let mut task = JoinSet::new();
        task.spawn(desk.run());
        Running { handle, signals, records, facts, task, active }
    }
}

impl Running {
    async fn raise(&self, rule: u16, device: u32, on: bool, receipt: Option<Receipt>) {
        let now = crate::alarm::testing::at(2);
        let list = vec![signal(rule, Some(device), on, &now)];
        self.signals.send(AlarmSignals { list, receipt }).await.unwrap();
    }

    async fn change(&mut self) -> AlarmChange {
        match self.records.recv().await.unwrap() {
            Record::Event(event) => match event.kind {
                EventKind::Alarm(change) => *change,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    /// Confirms the receipt that comes next, as the recorder does after its commit.
    async fn confirm(&mut self) {
        match self.records.recv().await.unwrap() {
            Record::Readings(batch) => batch.receipt.unwrap().confirm(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_raised_alarm_is_in_the_store_when_it_is_told_and_found_again_after_a_kill() {
    let site = Site::new();
    let mut desk = site.start();
    let (receipt, mut confirmed) = oneshot::channel();
    let receipt = Receipt::new(move || receipt.send(()).unwrap());
    desk.raise(0, 1, true, Some(receipt)).await;
    let change = desk.change().await;
    assert_eq!((change.id.number, change.step, change.number), (1, AlarmStep::Raised, 1));
    let kept = desk.handle.history().find(change.id).unwrap().expect("kept before it is told");
    assert!(kept.active);
    assert!(confirmed.try_recv().is_err(), "not before the commit");
    desk.confirm().await;
    confirmed.try_recv().unwrap();
    // Killed.
    desk.task.shutdown().await;
    drop((desk.handle, desk.signals, desk.records, desk.facts));
    let mut desk = site.start();
    assert_eq!((desk.active, desk.handle.board().counts.open), (1, [1, 0, 0, 0]));
    let FactKind::Alarm(life) = desk.facts.recv().await.unwrap().kind else { panic!() };
    assert_eq!(life.id, change.id.to_string(), "the star level hears of it again");
    desk.raise(0, 2, true, None).await;
    let next = desk.change().await;
    assert!(next.id.number > 1, "no identifier comes twice");
}

#[tokio::test(start_paused = true)]
async fn what_a_person_does_is_answered_after_its_commit_and_stands_in_the_history() {
    let site = Site::new();
    let mut desk = site.start();
    desk.raise(0, 1, true, None).await;
    let id = desk.change().await.id;
    let handle = desk.handle.clone();
    let mut asked = JoinSet::new();
    asked.spawn(async move { handle.act(Act::Close(id, "李工".into(), "已处理".into())).await });
    assert_eq!(desk.change().await.step, AlarmStep::Closed);
    assert!(asked.try_join_next().is_none(), "not before the commit");
    desk.confirm().await;
    assert_eq!(asked.join_next().await.unwrap().unwrap(), Ok(()));
    let page = desk.handle.history().page(&Filter::default(), 10).unwrap();
    assert_eq!((page.alarms.len(), page.alarms[0].reason.as_deref()), (1, Some("已处理")));
    let steps: Vec<AlarmStep> =
        desk.handle.history().ledger(id).unwrap().into_iter().map(|entry| entry.step).collect();
    assert_eq!(steps, [AlarmStep::Raised, AlarmStep::Closed]);
    let again = desk.handle.act(Act::Acknowledge(id, "李工".into())).await;
    assert_eq!(again, Err(ActFault::Unknown));
}

#[tokio::test(start_paused = true)]
async fn an_overdue_alarm_escalates_while_nothing_else_happens() {
    let site = Site::new();
    let mut desk = site.start();
    desk.raise(0, 1, true, None).await;
    desk.change().await;
    let begun = site.clock.now();
    let change = desk.change().await;
    assert_eq!((change.step, change.escalation), (AlarmStep::Escalated, Some(1)));
    let waited = site.clock.now().since(begun).as_secs();
    assert!((295..=305).contains(&waited), "{waited} s");
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_pipeline_and_keeps_the_history_in_pages() {
    let site = Site::new();
    let mut desk = site.start();
    for _ in 0..5 {
        desk.raise(0, 1, true, None).await;
        let id = desk.change().await.id;
        let handle = desk.handle.clone();
        let mut asked = JoinSet::new();
        asked.spawn(async move { handle.act(Act::Close(id, "x".into(), "y".into())).await });
        desk.change().await;
        desk.confirm().await;
        asked.join_next().await.unwrap().unwrap().unwrap();
        desk.raise(0, 1, false, None).await;
    }
    drop(desk.signals);
    desk.task.join_next().await.unwrap().unwrap();
    let history = desk.handle.history();
    let first = history.page(&Filter::default(), 2).unwrap();
    let numbers = |page: &crate::alarm::Page| -> Vec<u64> {
        page.alarms.iter().map(|alarm| alarm.id.number).collect()
    };
    assert_eq!((numbers(&first), first.next), (vec![5, 4], Some(4)));
    let last = history.page(&Filter { before: Some(2), ..Filter::default() }, 2).unwrap();
    assert_eq!((numbers(&last), last.next), (vec![1], None));
}
