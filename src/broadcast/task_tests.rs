//! The task with real clock, store and snapshot, against terminals that follow orders.
#![expect(clippy::disallowed_methods, reason = "the tests join their tasks")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::desk::{Order, OrderKind, Setup};
use super::ends::{BroadcastAnswer, BroadcastMessage, Delivered, Ends, Orders, Outcome, Points};
use super::handle::BroadcastDesk;
use super::task::Broadcast;
use super::zones::{Target, TargetKind, Zones};
use crate::clock::{self, Clock};
use crate::model::{
    Category, Device, DeviceId, DeviceIndex, Estate, EstateKind, EventKind, Fact, FactKind,
    FieldMessage, GatewayId, Point, PointIndex, Quantity, Reading, ReceiptState, Snapshot, Unit,
    Value, WarningId, WarningStatus, WarningStep,
};
use crate::store::{Limits, Store};

const TERMINALS: u32 = 3;
/// How long a message sounds.
const LENGTH: Duration = Duration::from_secs(5);

/// Terminals that play what they are told, and say so in the snapshot.
#[derive(Clone)]
struct Fleet {
    snapshot: Snapshot,
    clock: Clock,
    orders: Arc<Mutex<Vec<(u32, OrderKind)>>>,
}

impl Fleet {
    fn say(&self, device: DeviceIndex, playing: bool, message: &str) {
        let at = self.clock.now();
        self.snapshot.with(device, |state| {
            let readings = [Value::Flag(playing), Value::Text(message.into()), Value::Flag(false)];
            for (point, value) in (0u16..).map(PointIndex).zip(readings) {
                state.apply(at, &Reading::good(point, value));
            }
        });
    }
}

impl Orders for Fleet {
    fn order(&self, device: DeviceIndex, order: &Order) -> Outcome {
        let (fleet, kind) = (self.clone(), order.kind.clone());
        fleet.orders.lock().unwrap().push((device.0, kind.clone()));
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            match kind {
                OrderKind::Play(id) => {
                    fleet.say(device, true, id.as_str());
                    let playing = fleet.clone();
                    // The end of the message; the order's outcome does not wait for it.
                    tokio::spawn(async move {
                        tokio::time::sleep(LENGTH).await;
                        playing.say(device, false, id.as_str());
                    });
                }
                OrderKind::Stop => fleet.say(device, false, "stopped"),
                _ => {}
            }
            true
        })
    }
}

struct Site {
    fleet: Fleet,
    desk: BroadcastDesk,
    messages: mpsc::Sender<BroadcastMessage>,
    answers: mpsc::Receiver<BroadcastAnswer>,
    events: mpsc::Receiver<FieldMessage>,
    facts: mpsc::Receiver<Fact>,
    delivered: Arc<Mutex<Option<Delivered>>>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn estate() -> Arc<Estate> {
    let points: Arc<[Point]> = ["playing", "lastMessageId", "fault"]
        .map(|name| Point::new(name, Unit::ONE, Quantity::State))
        .into();
    let devices = (0..TERMINALS).map(|n| {
        let id = DeviceId::new(&format!("speaker-{n}")).unwrap();
        let every = Duration::from_secs(60);
        Device::new(id, Category::EmergencyBroadcast, every, Arc::clone(&points))
    });
    let gateway = GatewayId::new("g").unwrap();
    Arc::new(Estate::new(gateway, String::new(), EstateKind::New, devices.collect()).unwrap())
}

fn open(store: &Store, config: &Config) -> Site {
    let clock = Clock::of_boot(clock::Config::default(), "boot", 1_000_000);
    let estate = estate();
    let snapshot = Snapshot::new(Arc::clone(&estate), clock.now());
    let fleet = Fleet { snapshot: snapshot.clone(), clock: clock.clone(), orders: Arc::default() };
    let targets = estate.devices().iter().map(|device| Target {
        device: device.id.clone(),
        title: String::new(),
        place: String::new(),
        kind: TargetKind::Terminal,
        text_limit: 500,
        stops: true,
    });
    let setup = Setup {
        zones: Zones::new(None, Vec::new(), targets.collect()),
        texts: Arc::clone(&config.texts),
        keys: Vec::new(),
        require_signature: false,
        source: None,
    };
    let (messages, messages_out) = mpsc::channel(4);
    let (answers_in, answers) = mpsc::channel(16);
    let (field, events) = mpsc::channel(256);
    let (facts_in, facts) = mpsc::channel(64);
    let delivered: Arc<Mutex<Option<Delivered>>> = Arc::default();
    let seen = Arc::clone(&delivered);
    let points = (0..TERMINALS).map(|n| Points {
        device: DeviceIndex(n),
        playing: Some(PointIndex(0)),
        message: Some(PointIndex(1)),
        text: None,
        fault: Some(PointIndex(2)),
    });
    let ends = Ends {
        orders: Arc::new(fleet.clone()),
        messages: messages_out,
        answers: answers_in,
        field,
        facts: facts_in,
        delivered: Box::new(move || *seen.lock().unwrap()),
        points: points.collect(),
    };
    let drills = config.drills.clone();
    let (task, desk) = Broadcast::open(setup, drills, store, (clock, snapshot), ends).unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(task.run(stop.clone()));
    Site { fleet, desk, messages, answers, events, facts, delivered, stop, task }
}

impl Site {
    async fn send(&self, text: &str) {
        let (kept, told) = oneshot::channel();
        let message = BroadcastMessage { name: "m".into(), payload: text.into(), kept };
        self.messages.send(message).await.unwrap();
        told.await.unwrap();
    }

    async fn wait(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    fn plays(&self) -> usize {
        let orders = self.fleet.orders.lock().unwrap();
        orders.iter().filter(|(_, kind)| matches!(kind, OrderKind::Play(_))).count()
    }

    fn steps(&mut self) -> Vec<WarningStep> {
        let mut steps = Vec::new();
        while let Ok(message) = self.events.try_recv() {
            if let FieldMessage::Event(event) = message
                && let EventKind::Warning(news) = event.kind
            {
                steps.push(news.step);
            }
        }
        steps
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

const RED: &str =
    r#"{"v":1,"id":"red","severity":"red","zh":{"title":"火警"},"repeat":2,"pause_s":1}"#;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("s"), Limits::default()).unwrap();
    (folder, store)
}

#[tokio::test(start_paused = true)]
async fn a_message_is_played_told_answered_and_counted_when_the_platform_has_its_receipts() {
    let (_folder, store) = store();
    let mut site = open(&store, &Config::default());
    site.send(RED).await;
    site.wait(30).await;
    assert_eq!(site.plays(), 2 * TERMINALS as usize);
    assert!(site.answers.recv().await.unwrap().text.contains("taken"));
    let steps = site.steps();
    assert!(matches!(steps[0], WarningStep::Accepted { addressed: 3, .. }), "{steps:?}");
    assert!(matches!(steps.last(), Some(WarningStep::Finished { .. })), "{steps:?}");
    assert!(site.facts.try_recv().is_err(), "the platform has nothing yet");
    let seen = Delivered { next: 7, oldest: Some(5), commits: 1, sound: true };
    *site.delivered.lock().unwrap() = Some(seen);
    site.wait(10).await;
    assert!(site.facts.try_recv().is_err(), "a block of them is still here");
    *site.delivered.lock().unwrap() = Some(Delivered { oldest: Some(7), ..seen });
    site.wait(10).await;
    let Ok(Fact { kind: FactKind::Broadcast(life), .. }) = site.facts.try_recv() else { panic!() };
    assert!(life.returned && life.acknowledged == 3 && !life.drill, "{life:?}");
    assert!(life.started_after < Duration::from_secs(2), "{life:?}");
    let view = site.desk.view();
    assert_eq!(view.latency.count, 3);
    let one = site.desk.one(WarningId::new("red").unwrap()).await.unwrap().unwrap();
    assert!(one.receipts.iter().all(|receipt| receipt.state == ReceiptState::Finished));
    site.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_played_at_a_stop_goes_on_after_the_start_and_is_not_begun_anew() {
    let (_folder, store) = store();
    let site = open(&store, &Config::default());
    site.send(RED).await;
    site.wait(2).await;
    site.end().await;
    let site = open(&store, &Config::default());
    // The broker hands over what the terminals said last.
    for n in 0..TERMINALS {
        site.fleet.say(DeviceIndex(n), true, "red");
    }
    site.wait(3).await;
    assert_eq!(site.plays(), 0, "it plays: nothing is ordered");
    for n in 0..TERMINALS {
        site.fleet.say(DeviceIndex(n), false, "red");
    }
    site.wait(20).await;
    assert_eq!(site.plays(), 3, "the second play of each");
    let one = site.desk.one(WarningId::new("red").unwrap()).await.unwrap().unwrap();
    assert!(one.over_ms.is_some() && one.receipts.iter().all(|receipt| receipt.plays == 2));
    site.send(RED).await;
    site.wait(10).await;
    assert_eq!(site.plays(), 3, "the same message again is not played again");
    site.end().await;
}

#[tokio::test(start_paused = true)]
async fn staff_warn_by_a_template_and_cancel() {
    let (_folder, store) = store();
    let mut site = open(&store, &Config::default());
    let mut warning = site.desk.of_template("fire", WarningStatus::Actual).unwrap();
    warning.sender = "李".into();
    let preview = site.desk.preview(&warning).unwrap();
    assert_eq!((preview.terminals, preview.screens), (3, 0));
    assert!(preview.speech.starts_with("红色预警。火警"), "{}", preview.speech);
    let id = site.desk.compose(warning).await.unwrap().unwrap();
    site.wait(2).await;
    site.desk.cancel(id.clone(), "李").await.unwrap().unwrap();
    site.wait(2).await;
    let orders = site.fleet.orders.lock().unwrap().clone();
    assert!(orders.iter().any(|(_, kind)| matches!(kind, OrderKind::Stop)));
    let one = site.desk.one(id).await.unwrap().unwrap();
    assert_eq!(one.cancelled_by, "李");
    assert!(one.receipts.iter().all(|receipt| receipt.state == ReceiptState::Cancelled));
    assert!(site.steps().iter().any(|step| matches!(step, WarningStep::Cancelled { .. })));
    let id = WarningId::new("alarm-1").unwrap();
    let start = |template: &'static str| {
        let id = id.clone();
        site.desk.start(id, template, Vec::new(), "rule 1", ("in house 2", "2 号楼"))
    };
    assert_eq!(start("gas").await.unwrap(), Some(Ok(id.clone())));
    assert!(start("nothing").await.unwrap().is_none());
    site.wait(2).await;
    site.desk.cancel(id.clone(), "the rule").await.unwrap().unwrap();
    site.wait(2).await;
    let orders = site.fleet.orders.lock().unwrap().len();
    assert_eq!(start("gas").await.unwrap(), Some(Ok(id)), "taken before, not played again");
    site.wait(2).await;
    assert_eq!(site.fleet.orders.lock().unwrap().len(), orders);
    site.end().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_of_the_refused_when_the_store_is_opened_again() {
    let (_folder, store) = store();
    let site = open(&store, &Config::default());
    site.send("junk").await;
    site.wait(1).await;
    site.end().await;
    let site = open(&store, &Config::default());
    assert_eq!(site.desk.view().refused[0].begin, "junk");
    assert_eq!(site.desk.view().refused.len(), 1);
    site.end().await;
}
