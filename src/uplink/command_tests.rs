//! Commands on the link, against a broker that is watched.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{CommandMessage, CommandPort, Config, Session};
use crate::broker::fake::FakeBroker;
use crate::clock::{self, Clock};
use crate::model::{
    CommandId, CommandOutcome, CommandReport, CommandResult, Estate, EstateKind, GatewayId,
};
use crate::uplink::testing::MemoryStore;

const FILTER: &str = "linli/v1/g1/command/+";

struct Link {
    messages: mpsc::Receiver<CommandMessage>,
    results: mpsc::Sender<CommandResult>,
    stop: CancellationToken,
    task: JoinSet<()>,
}

fn link(broker: &FakeBroker, room: usize) -> Link {
    let trust = clock::Config { trust: clock::Trust::System, ..Default::default() };
    let broker = broker.config();
    let reconnect_cap = Duration::from_millis(500);
    let config = Config { broker, reconnect_cap, ..Config::default() };
    let gateway = GatewayId::new("g1").unwrap();
    let estate = Estate::new(gateway, "Estate".into(), EstateKind::New, Vec::new()).unwrap();
    let assessment = watch::Sender::new(None);
    let clock = Clock::new(trust);
    let (session, _) = Session::new(
        config,
        MemoryStore::default(),
        Arc::new(estate),
        clock,
        assessment.subscribe(),
    );
    let (sender, messages) = mpsc::channel(room);
    let (results, told) = mpsc::channel(8);
    let session = session.commands(CommandPort { messages: sender, results: told });
    let stop = CancellationToken::new();
    let mut task = JoinSet::new();
    task.spawn(session.run(stop.clone()));
    Link { messages, results, stop, task }
}

impl Link {
    async fn end(mut self) {
        self.stop.cancel();
        self.task.join_next().await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_command_is_acknowledged_only_when_it_is_kept() {
    let broker = FakeBroker::start().await;
    let mut link = link(&broker, 4);
    broker.until("the subscription", |state| state.filters.contains(FILTER)).await;
    let first = broker.send("linli/v1/g1/command/a", "one");
    let second = broker.send("linli/v1/g1/command/b", "two");
    let (one, two) = (link.messages.recv().await.unwrap(), link.messages.recv().await.unwrap());
    assert_eq!((&*one.id, &*one.payload, one.retained), ("a", &b"one"[..], false));
    // Kept in the other order, acknowledged in that of their coming.
    two.kept.send(()).unwrap();
    assert!(broker.see(|state| state.acks.is_empty()));
    one.kept.send(()).unwrap();
    broker.until("both are acknowledged", |state| state.acks == [first, second]).await;
    // Nobody kept it: the broker keeps it.
    let third = broker.send("linli/v1/g1/command/c", "three");
    drop(link.messages.recv().await.unwrap());
    broker.see(|state| assert!(state.queue.contains_key(&third)));
    link.end().await;
}

#[tokio::test]
async fn what_became_of_it_is_published_under_its_id() {
    let broker = FakeBroker::start().await;
    let link = link(&broker, 4);
    let id = CommandId::new("a").unwrap();
    let report = CommandReport::unread(id, CommandOutcome::Unknown);
    let result =
        CommandResult { v: 1, gateway: "g1".into(), device: "d".into(), at_ms: None, report };
    link.results.send(result.clone()).await.unwrap();
    let topic = "linli/v1/g1/command/a/result";
    broker.until("the result", |state| state.received.iter().any(|p| p.topic == topic)).await;
    broker.see(|state| {
        let told = state.received.iter().find(|p| p.topic == topic).unwrap();
        assert!(!told.retain);
        assert_eq!(serde_json::from_slice::<CommandResult>(&told.payload).unwrap(), result);
    });
    link.end().await;
}

#[tokio::test]
async fn a_flood_is_refused_and_acknowledged_and_the_link_goes_on() {
    let broker = FakeBroker::start().await;
    let mut link = link(&broker, 1);
    broker.until("the subscription", |state| state.filters.contains(FILTER)).await;
    broker.send("linli/v1/g1/command/a", "{}");
    let flood = broker.send("linli/v1/g1/command/b", "{}");
    broker
        .until("the second is refused", |state| {
            let busy = |p: &rumqttc::mqttbytes::v4::Publish| {
                p.topic.ends_with("/b/result")
                    && String::from_utf8_lossy(&p.payload).contains("busy")
            };
            state.received.iter().any(busy) && state.acks.contains(&flood)
        })
        .await;
    assert_eq!(link.messages.recv().await.unwrap().id, "a");
    link.end().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_read_costs_the_commands_and_not_the_link() {
    let broker = FakeBroker::start().await;
    let link = link(&broker, 4);
    for strikes in 1..=3usize {
        broker.until("a connection", |state| state.connects.len() == strikes).await;
        broker.until("the subscription", |state| state.filters.contains(FILTER)).await;
        // A packet that says to be longer than anything that is taken.
        broker.set(|state| {
            state.filters.clear();
            state.raw = Some(vec![0x32, 0xff, 0xff, 0xff, 0x7f]);
        });
    }
    broker.until("one more connection", |state| state.connects.len() == 4).await;
    broker
        .until("its birth", |state| {
            state.received.iter().filter(|p| p.topic.ends_with("/inventory")).count() == 4
        })
        .await;
    assert!(broker.see(|state| state.filters.is_empty()), "not subscribed any more");
    link.end().await;
}
