//! The field side against a broker that misbehaves.

#[path = "hostile_tests.rs"]
mod hostile;

use std::sync::atomic::{AtomicUsize, Ordering};

use rumqttc::mqttbytes::v4::ConnectReturnCode;
use tokio::task::JoinSet;

use super::super::testing::estate;
use super::*;
use crate::broker::fake::FakeBroker;
use crate::clock;
use crate::model::Batch;

struct Rig {
    readings: mpsc::Receiver<FieldMessage>,
    status: watch::Receiver<BrokerStatus>,
    hurried: Arc<AtomicUsize>,
    stop: CancellationToken,
    task: JoinSet<()>,
}

async fn rig(broker: &FakeBroker) -> Rig {
    rig_with(Config { broker: broker.config(), ..Config::default() })
}

fn rig_with(config: Config) -> Rig {
    let (estate, devices) = estate(&["a", "b"]);
    let clock = Clock::new(clock::Config { trust: clock::Trust::System, ..Default::default() });
    let (out, readings) = mpsc::channel(64);
    let hurried = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&hurried);
    let hurry = Arc::new(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let (driver, status) = Driver::new(config, devices, estate, clock, out, hurry);
    let stop = CancellationToken::new();
    let mut task = JoinSet::new();
    task.spawn(driver.run(stop.clone()));
    Rig { readings, status, hurried, stop, task }
}

impl Rig {
    async fn next(&mut self) -> FieldMessage {
        let wait = tokio::time::timeout(Duration::from_secs(10), self.readings.recv());
        wait.await.expect("a message in time").expect("the driver lives")
    }

    async fn batch(&mut self) -> Batch {
        loop {
            if let FieldMessage::Readings(batch) = self.next().await {
                return batch;
            }
        }
    }

    async fn end(mut self) {
        self.stop.cancel();
        self.readings.close();
        let join = tokio::time::timeout(Duration::from_secs(5), self.task.join_next()).await;
        join.expect("the driver stops in time").unwrap().unwrap();
    }
}

fn confirm(batch: Batch) {
    batch.receipt.expect("a QoS 1 message has a receipt").confirm();
}

#[tokio::test]
async fn a_message_is_acknowledged_only_after_its_readings_are_durable() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker).await;
    broker.until("subscription", |state| state.filters.len() == 4).await;
    assert!(!broker.see(|state| state.connects[0].clean_session));
    let (first, second) = (broker.send("z/a", r#"{"t":1}"#), broker.send("z/b", r#"{"t":2}"#));
    let (one, two) = (rig.batch().await, rig.batch().await);
    confirm(two);
    assert!(broker.see(|state| state.acks.is_empty()));
    confirm(one);
    broker.until("both acks", |state| state.acks == [first, second]).await;
    rig.end().await;
    broker.until("goodbye", |state| state.disconnects == 1).await;
}

#[tokio::test]
async fn what_was_not_durable_at_a_disconnect_comes_again_and_is_not_taken_twice() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker).await;
    let id = broker.send("z/a", r#"{"t":1}"#);
    let batch = rig.batch().await;
    broker.cut();
    broker.until("second session", |state| state.connects.len() == 2).await;
    confirm(batch);
    broker.until("ack", |state| state.acks == [id]).await;
    let after = broker.send("z/a", r#"{"t":9}"#);
    let next = rig.batch().await;
    assert_eq!(next.readings[0].value, Some(crate::model::Value::Number(9.0)), "no repeat");
    confirm(next);
    broker.until("ack", |state| state.acks == [id, after]).await;
    rig.end().await;
}

#[tokio::test]
async fn readings_dropped_on_the_way_to_the_disk_are_delivered_again() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker).await;
    let id = broker.send("z/a", r#"{"t":1}"#);
    drop(rig.batch().await);
    confirm(rig.batch().await);
    broker.until("ack", |state| state.acks == [id]).await;
    rig.end().await;
}

#[tokio::test]
async fn refused_payloads_and_foreign_topics_are_acknowledged_so_that_they_block_nobody() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker).await;
    let foreign = broker.send("z/removed", "x");
    let wrong = broker.send("z/a/availability", "perhaps");
    let good = broker.send("z/a", r#"{"t":1}"#);
    confirm(rig.batch().await);
    broker.until("acks", |state| state.acks == [foreign, wrong, good]).await;
    broker.until("unsubscribed", |state| state.unsubscribed == ["z/removed"]).await;
    rig.end().await;
}

#[tokio::test]
async fn a_broker_that_waits_for_us_makes_the_recorder_hurry() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker).await;
    let mut batches = Vec::new();
    for _ in 0..12 {
        broker.send("z/a", r#"{"t":1}"#);
        batches.push(rig.batch().await);
    }
    let hurried = Arc::clone(&rig.hurried);
    let waited = tokio::time::timeout(Duration::from_secs(5), async {
        while hurried.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("hurry");
    rig.end().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_framed_does_not_block_for_ever() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker).await;
    broker.until("subscription", |state| state.filters.len() == 4).await;
    // The fixed header of a PUBLISH of 200 MB.
    let oversized = || Some(vec![0x30, 0xff, 0xff, 0xff, 0x5f, 0, 0, 0]);
    for sessions in 2..=3 {
        broker.set(|state| state.raw = oversized());
        broker.until("another session", |state| state.connects.len() >= sessions).await;
    }
    broker.until("a clean session", |state| state.connects.iter().any(|c| c.clean_session)).await;
    broker
        .until("a persistent one after it", |state| {
            state.connects.last().is_some_and(|connect| !connect.clean_session)
        })
        .await;
    let id = broker.send("z/a", r#"{"t":1}"#);
    confirm(rig.batch().await);
    broker.until("ack", |state| state.acks == [id]).await;
    rig.end().await;
}

fn retained(topic: &str, bytes: usize) -> Publish {
    let mut publish = Publish::new(topic, QoS::AtMostOnce, vec![b'x'; bytes]);
    publish.retain = true;
    publish
}

#[tokio::test]
async fn a_large_message_is_refused_by_name_and_the_connection_goes_on() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker).await;
    broker.until("subscription", |state| state.filters.len() == 4).await;
    let large = broker.send("z/a", vec![b'x'; 3 << 20]);
    let id = broker.send("z/b", r#"{"t":1}"#);
    let refused = rig.batch().await;
    assert!(refused.readings.iter().all(|reading| reading.value.is_none()));
    confirm(refused);
    confirm(rig.batch().await);
    broker.until("acks", |state| state.acks == [large, id] && state.connects.len() == 1).await;
    rig.end().await;
}

#[tokio::test]
async fn a_retained_message_that_cannot_be_read_silences_its_own_topic_only() {
    let broker = FakeBroker::start().await;
    broker.set(|state| state.retained.push(retained("z/a", 5 << 20)));
    let mut rig = rig(&broker).await;
    let named = |status: &BrokerStatus| {
        status.connected && status.fault.as_ref().is_some_and(|text| text.en.ends_with(": z/a"))
    };
    let wait = rig.status.wait_for(named);
    drop(tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap().unwrap());
    broker.set(|state| state.filters.clear());
    let sessions = broker.see(|state| state.connects.len());
    let id = broker.send("z/b", r#"{"t":1}"#);
    confirm(rig.batch().await);
    broker.until("ack", |state| state.acks == [id]).await;
    assert_eq!(broker.see(|state| state.connects.len()), sessions);
    assert!(broker.see(|state| !state.filters.contains("z/a")));
    rig.end().await;
}

#[tokio::test]
async fn a_refused_session_and_a_refused_subscription_are_named() {
    let broker = FakeBroker::start().await;
    broker.set(|state| {
        state.refuse = Some(ConnectReturnCode::BadUserNamePassword);
        state.forbidden = Some("z/b".into());
    });
    let mut rig = rig(&broker).await;
    let fault = |word: &'static str| {
        move |status: &BrokerStatus| {
            status.fault.as_ref().is_some_and(|text| text.en.contains(word))
        }
    };
    let wait = rig.status.wait_for(fault("wrong user name or password"));
    drop(tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap().unwrap());
    broker.set(|state| state.refuse = None);
    let wait = rig.status.wait_for(fault("refuses to deliver: z/b"));
    assert!(tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap().unwrap().connected);
    rig.end().await;
}
