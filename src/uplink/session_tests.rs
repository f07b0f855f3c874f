//! The uplink against a broker that misbehaves.

#[path = "hostile_tests.rs"]
mod hostile;

use rumqttc::ConnectReturnCode;
use rumqttc::mqttbytes::v4::Publish;
use tokio::task::JoinSet;

use super::*;
use crate::broker::fake::FakeBroker;
use crate::buffer::{Block, Lane};
use crate::clock;
use crate::model::{EstateKind, GatewayId};
use crate::uplink::testing::{MemoryStore, block};
use crate::uplink::{Inventory, Presence, Status};

struct Rig {
    store: MemoryStore,
    status: watch::Receiver<UplinkStatus>,
    assessment: watch::Sender<Option<Arc<str>>>,
    stop: CancellationToken,
    task: JoinSet<()>,
}

fn rig(broker: &FakeBroker, change: impl FnOnce(&mut Config)) -> Rig {
    let trust = clock::Config { trust: clock::Trust::System, ..Default::default() };
    rig_at(Clock::new(trust), broker, change)
}

fn rig_at(clock: Clock, broker: &FakeBroker, change: impl FnOnce(&mut Config)) -> Rig {
    let mut config = Config {
        broker: broker.config(),
        reconnect_cap: Duration::from_millis(500),
        ..Config::default()
    };
    change(&mut config);
    let gateway = GatewayId::new("g1").unwrap();
    let estate = Estate::new(gateway, "Estate".into(), EstateKind::New, Vec::new()).unwrap();
    let assessment = watch::Sender::new(None);
    let store = MemoryStore::default();
    let (session, status) =
        Session::new(config, store.clone(), Arc::new(estate), clock, assessment.subscribe());
    let stop = CancellationToken::new();
    let mut task = JoinSet::new();
    task.spawn(session.run(stop.clone()));
    Rig { store, status, assessment, stop, task }
}

impl Rig {
    async fn fault(&mut self) -> String {
        let wait = self.status.wait_for(|status| status.fault.is_some());
        let status = tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap().unwrap();
        status.fault.clone().unwrap().en
    }

    async fn end(mut self) -> MemoryStore {
        self.stop.cancel();
        let join = tokio::time::timeout(Duration::from_secs(5), self.task.join_next()).await;
        join.expect("the uplink stops in time").unwrap().unwrap();
        self.store
    }
}

fn fill(store: &MemoryStore, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        store.put(block(seq, Lane::Telemetry));
    }
}

/// Distinct blocks among what arrived.
fn blocks(received: &[Publish]) -> std::collections::BTreeSet<Vec<u8>> {
    received
        .iter()
        .filter(|publish| publish.topic.contains("telemetry") || publish.topic.contains("event"))
        .map(|publish| publish.payload.to_vec())
        .collect()
}

#[tokio::test]
async fn a_session_begins_with_birth_and_inventory_and_ends_with_a_farewell() {
    let broker = FakeBroker::start().await;
    let rig = rig(&broker, |_| {});
    broker.until("inventory", |state| state.received.len() == 2).await;
    rig.assessment.send_replace(Some("{\"star\":3}".into()));
    broker.until("assessment", |state| state.received.len() == 3).await;
    rig.end().await;
    broker.until("farewell", |state| state.disconnects == 1).await;
    broker.see(|state| {
        let topics: Vec<&str> = state.received.iter().map(|p| p.topic.as_str()).collect();
        let ours =
            ["status", "inventory", "assessment", "status"].map(|t| format!("linli/v1/g1/{t}"));
        assert_eq!(topics, ours);
        assert!(state.received.iter().all(|publish| publish.retain));
        let read =
            |slot: usize| serde_json::from_slice::<Status>(&state.received[slot].payload).unwrap();
        assert_eq!((read(0).state, read(0).next_seq), (Presence::Online, Some(1)));
        assert_eq!(
            (read(3).state, read(3).reason.as_deref()),
            (Presence::Offline, Some("stopped"))
        );
        serde_json::from_slice::<Inventory>(&state.received[1].payload).unwrap();
        let will = state.connects[0].last_will.as_ref().unwrap();
        let will: Status = serde_json::from_slice(&will.message).unwrap();
        assert_eq!(will.reason.as_deref(), Some("connection_lost"));
    });
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_deleted_unacknowledged_while_the_connection_keeps_breaking() {
    let broker = FakeBroker::start().await;
    broker.set(|state| state.cut_after = Some(12));
    let rig = rig(&broker, |config| config.reconnect_cap = Duration::from_millis(500));
    fill(&rig.store, 1..=40);
    broker.until("all blocks", |state| blocks(&state.received).len() == 40).await;
    broker.set(|state| state.cut_after = None);
    let mut status = rig.status.clone();
    let empty = status.wait_for(|status| status.acknowledged_blocks >= 40);
    tokio::time::timeout(Duration::from_secs(10), empty).await.unwrap().unwrap();
    let store = rig.end().await;
    assert_eq!(store.left(), 0);
    let mut acknowledged = store.acknowledged();
    acknowledged.sort_unstable();
    assert_eq!(acknowledged, (1..=40).collect::<Vec<_>>(), "each block once");
}

#[tokio::test]
async fn a_broker_that_takes_everything_and_acknowledges_nothing_is_left_and_loses_nothing() {
    let broker = FakeBroker::start().await;
    broker.set(|state| state.withhold = true);
    let mut rig = rig(&broker, |config| {
        config.ack_timeout = Duration::from_millis(100);
        config.window = 8;
    });
    fill(&rig.store, 1..=100);
    assert_eq!(rig.fault().await, "no acknowledgement within 100ms");
    assert_eq!(rig.store.left(), 100);
    broker.see(|state| assert!(blocks(&state.received).len() <= 8, "the window bounds"));
    broker.set(|state| state.withhold = false);
    broker.until("all blocks", |state| blocks(&state.received).len() == 100).await;
    assert_eq!(rig.end().await.left(), 0);
}

#[tokio::test]
async fn after_an_outage_live_readings_and_events_pass_the_backlog() {
    let broker = FakeBroker::start().await;
    broker.set(|state| state.refuse = Some(ConnectReturnCode::ServiceUnavailable));
    let mut rig = rig(&broker, |config| config.late_rate = 20_000);
    for seq in 1..=10 {
        let payload = vec![u8::try_from(seq).unwrap(); 4000].into();
        rig.store.put(Block { payload, ..block(seq, Lane::Telemetry) });
    }
    assert!(rig.fault().await.contains("service unavailable"));
    broker.set(|state| state.refuse = None);
    broker
        .until("late data", |state| state.received.iter().any(|p| p.topic.ends_with("/late")))
        .await;
    rig.store.put(block(11, Lane::Urgent));
    rig.store.put(block(12, Lane::Telemetry));
    broker.until("all blocks", |state| blocks(&state.received).len() == 12).await;
    let order: Vec<String> = broker.see(|state| {
        let names = state.received.iter().map(|p| p.topic.rsplit("g1/").next().unwrap().to_owned());
        names.skip(2).collect()
    });
    let place = |topic: &str| order.iter().position(|t| t == topic).unwrap();
    assert!(place("event") < place("telemetry"), "{order:?}");
    assert!(place("telemetry") < 8, "{order:?}");
    assert_eq!(order.iter().filter(|t| *t == "telemetry/late").count(), 10);
    rig.end().await;
}

#[tokio::test]
async fn what_answers_but_is_no_broker_is_named() {
    let broker = FakeBroker::start().await;
    broker.set(|state| state.garbage = true);
    let mut rig = rig(&broker, |_| {});
    let fault = rig.fault().await;
    assert!(fault.contains("127.0.0.1:"), "{fault}");
    assert!(!rig.status.borrow().connected);
    rig.end().await;
}

#[tokio::test]
async fn a_refusal_is_named_and_tried_again_with_back_off() {
    let broker = FakeBroker::start().await;
    broker.set(|state| state.refuse = Some(ConnectReturnCode::NotAuthorized));
    let mut rig = rig(&broker, |_| {});
    assert!(rig.fault().await.ends_with("not authorised"));
    broker.set(|state| state.refuse = None);
    broker.until("birth", |state| !state.received.is_empty()).await;
    rig.end().await;
}

#[tokio::test]
async fn a_password_file_that_is_missing_is_named_and_picked_up_once_it_is_there() {
    let broker = FakeBroker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let mut rig = rig(&broker, |config| {
        config.broker.username = Some("gateway".into());
        config.broker.password_file = Some(path.clone());
    });
    assert!(rig.fault().await.contains("password_file"));
    std::fs::write(&path, "secret\n").unwrap();
    broker.until("login", |state| !state.connects.is_empty()).await;
    let login = broker.see(|state| state.connects[0].login.clone().unwrap());
    assert_eq!((login.username.as_str(), login.password.as_str()), ("gateway", "secret"));
    rig.end().await;
}

#[tokio::test]
async fn thousands_of_live_blocks_pass_a_window_of_thirty_two() {
    let broker = FakeBroker::start().await;
    let rig = rig(&broker, |_| {});
    broker.until("birth", |state| state.received.len() == 2).await;
    let began = tokio::time::Instant::now();
    for seq in 1..=3000 {
        rig.store.put(Block { payload: vec![7; 4096].into(), ..block(seq, Lane::Telemetry) });
    }
    broker.until("all blocks", |state| state.received.len() == 3002).await;
    println!("3000 blocks of 4 KiB in {:?}", began.elapsed());
    assert_eq!(rig.end().await.left(), 0);
}

#[tokio::test]
async fn a_birth_without_wall_time_is_told_again_once_a_clock_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("synchronized");
    let trust = clock::Config {
        trust: clock::Trust::Ntp,
        synchronised: vec![marker.clone()],
        ..Default::default()
    };
    let clock = Clock::new(trust);
    let broker = FakeBroker::start().await;
    let rig = rig_at(clock.clone(), &broker, |_| {});
    let births = |state: &crate::broker::fake::State| -> Vec<Status> {
        let births = state.received.iter().filter(|p| p.topic.ends_with("/status"));
        births.map(|p| serde_json::from_slice(&p.payload).unwrap()).collect()
    };
    broker.until("a birth", |state| births(state).len() == 1).await;
    assert_eq!(broker.see(births)[0].since, None);
    std::fs::write(marker, "").unwrap();
    clock.judge();
    broker.until("another birth", |state| births(state).len() == 2).await;
    let told = broker.see(births);
    assert!(told[1].since.is_some() && told[1].next_seq == told[0].next_seq);
    rig.end().await;
}

/// A clock that nobody sets, and asks over this link.
fn waiting(platform: clock::AskPlatform) -> Clock {
    Clock::new(clock::Config { platform, synchronised: Vec::new(), ..Default::default() })
}

fn questions(state: &crate::broker::fake::State) -> Vec<crate::model::TimeRequest> {
    let asked = state.received.iter().filter(|p| p.topic.ends_with("/time/request"));
    asked.map(|p| serde_json::from_slice(&p.payload).unwrap()).collect()
}

/// 2026-12-01T00:00:00Z.
const RIGHT: i64 = 1_796_083_200_000;

fn answer(broker: &FakeBroker, id: &str, retain: bool) {
    let text = format!("{{\"v\":1,\"id\":\"{id}\",\"unix_ms\":{RIGHT}}}");
    let mut publish =
        Publish::new("linli/v1/g1/time", rumqttc::mqttbytes::QoS::AtMostOnce, text.into_bytes());
    publish.retain = retain;
    broker.set(|state| state.loose.push(publish));
}

#[tokio::test]
async fn the_platform_gives_the_time_and_the_acknowledgements_still_find_their_blocks() {
    let broker = FakeBroker::start().await;
    let clock = waiting(clock::AskPlatform::Always);
    let rig = rig_at(clock.clone(), &broker, |_| {});
    for seq in 1..=200 {
        rig.store.put(block(seq, if seq % 7 == 0 { Lane::Urgent } else { Lane::Telemetry }));
    }
    broker.until("a question", |state| !questions(state).is_empty()).await;
    let first = broker.see(questions).remove(0);
    assert_eq!((&*first.gateway, &*first.boot), ("g1", &*clock.boot().0));
    answer(&broker, "0000000000000000", false);
    answer(&broker, &first.id, true);
    answer(&broker, &first.id, false);
    let trusted = async {
        while !clock.trusted() {
            clock.news().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), trusted).await.unwrap();
    let status = clock.status();
    assert_eq!(status.source, Some(clock::Source::Platform));
    let ours = clock.wall(clock.now()).unwrap().unix_ms;
    assert!((0..30_000).contains(&(ours - RIGHT)), "{}", ours - RIGHT);
    // The second question of the round goes out while blocks are in flight.
    for seq in 201..=400 {
        rig.store.put(block(seq, Lane::Telemetry));
    }
    broker.until("another question", |state| questions(state).len() >= 2).await;
    for seq in 401..=500 {
        rig.store.put(block(seq, Lane::Telemetry));
    }
    broker
        .until("all blocks", |state| {
            state.received.iter().filter(|p| p.payload.starts_with(b"block")).count() == 500
        })
        .await;
    let asked = broker.see(|state| state.received.iter().filter(|p| p.pkid == 0).count());
    assert!(asked >= 2, "questions take no packet id");
    let store = rig.end().await;
    assert_eq!(store.left(), 0);
    let mut acknowledged = store.acknowledged();
    acknowledged.sort_unstable();
    assert_eq!(acknowledged, (1..=500).collect::<Vec<_>>(), "each once");
}

#[tokio::test]
async fn without_tls_the_platform_is_not_asked_and_a_refusal_leaves_the_delivery_alone() {
    for (platform, forbidden) in [
        (clock::AskPlatform::OverTls, None),
        (clock::AskPlatform::Always, Some("linli/v1/g1/time")),
    ] {
        let broker = FakeBroker::start().await;
        broker.set(|state| state.forbidden = forbidden.map(str::to_owned));
        let rig = rig_at(waiting(platform), &broker, |_| {});
        for seq in 1..=50 {
            rig.store.put(block(seq, Lane::Telemetry));
        }
        let blocks = |state: &crate::broker::fake::State| {
            state.received.iter().filter(|p| p.payload.starts_with(b"block")).count()
        };
        broker.until("all blocks", |state| blocks(state) == 50).await;
        assert_eq!(broker.see(questions).len(), 0);
        assert_eq!(rig.end().await.left(), 0);
    }
}

#[tokio::test]
async fn a_broker_that_ends_the_connection_on_the_question_is_soon_not_asked_any_more() {
    let broker = FakeBroker::start().await;
    broker.set(|state| state.cut_on = Some("/time/request".into()));
    let rig = rig_at(waiting(clock::AskPlatform::Always), &broker, |_| {});
    broker.until("a fourth session", |state| state.connects.len() == 4).await;
    rig.store.put(block(1, Lane::Telemetry));
    broker
        .until("the block", |state| state.received.iter().any(|p| p.payload.starts_with(b"block")))
        .await;
    assert_eq!(broker.see(questions).len(), 3);
    assert_eq!(rig.end().await.left(), 0);
}
