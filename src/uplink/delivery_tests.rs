//! What the star level is told of deliveries: the real buffer, the real session, a broker that
//! fails.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::ConnectReturnCode;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Config, Session};
use crate::broker::fake::FakeBroker;
use crate::buffer::{self, Buffer};
use crate::clock::{self, Clock};
use crate::model::{
    Batch, Category, Delivered, Device, DeviceId, DeviceIndex, Estate, EstateKind, Event,
    EventKind, Fact, FactKind, GatewayId, Point, PointIndex, Quantity, Reading, Record, Unit,
    Value,
};

/// Longest wait; a machine may be slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sum of what was told of one kind.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Told {
    /// Records outside of outages, and of outages.
    live: u32,
    outage: u32,
    /// Of both, those whose age is not known or that never came.
    never: u32,
}

struct Rig {
    buffer: Buffer,
    clock: Clock,
    records: Option<mpsc::Sender<Record>>,
    facts: mpsc::Receiver<Fact>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

fn estate() -> Arc<Estate> {
    let point = |name: &str| Point::new(name, Unit::ONE, Quantity::State);
    let charger = Device::new(
        DeviceId::new("charger").unwrap(),
        Category::EvCharger,
        Duration::from_secs(1),
        [point("connectors.1.connectorStatus"), point("totalActivePower")],
    );
    let gateway = GatewayId::new("g1").unwrap();
    Arc::new(Estate::new(gateway, String::new(), EstateKind::New, vec![charger]).unwrap())
}

impl Rig {
    fn start(folder: &Path, broker: &FakeBroker) -> Self {
        let trust = clock::Config { trust: clock::Trust::System, ..Default::default() };
        let clock = Clock::new(trust);
        let estate = estate();
        let stored = buffer::Config {
            path: folder.join("buffer"),
            keep_free: 0,
            tick: Duration::from_millis(20),
            ..buffer::Config::default()
        };
        let (recorder, buffer) = buffer::open(&stored, Arc::clone(&estate), clock.clone()).unwrap();
        let (records, records_out) = mpsc::channel(16);
        let (facts_in, facts) = mpsc::channel(4096);
        buffer.tell(facts_in);
        let config = Config {
            broker: broker.config(),
            reconnect_cap: Duration::from_millis(500),
            ack_timeout: Duration::from_millis(300),
            ..Config::default()
        };
        let assessment = watch::Sender::new(None).subscribe();
        let (session, _) = Session::new(config, buffer.clone(), estate, clock.clone(), assessment);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let stopped = stop.clone();
        tasks.spawn(async move { session.run(stopped).await });
        tasks.spawn(async move { recorder.run(records_out).await.unwrap() });
        Self { buffer, clock, records: Some(records), facts, stop, tasks }
    }

    async fn record(&self, record: Record) {
        let before = *self.buffer.committed().borrow();
        self.records.as_ref().unwrap().send(record).await.unwrap();
        let mut committed = self.buffer.committed();
        let wait = committed.wait_for(|next| *next > before);
        tokio::time::timeout(PATIENCE, wait).await.unwrap().unwrap();
    }

    /// Status and power of the charger: two readings.
    async fn read(&self, status: f64) {
        let value = |point, n| Reading::good(PointIndex(point), Value::Number(n));
        let readings = vec![value(0, status), value(1, 7.0)];
        let (device, at) = (DeviceIndex(0), self.clock.now());
        self.record(Record::Readings(Batch {
            device,
            at,
            source_time: None,
            readings,
            receipt: None,
        }))
        .await;
    }

    async fn event(&self) {
        let kind = EventKind::GatewayStarted { version: String::new() };
        let (at, device) = (self.clock.now(), None);
        self.record(Record::Event(Event { at, device, kind })).await;
    }

    /// Facts until so many readings and events arrived.
    async fn until(&mut self, readings: u32, events: u32) -> [Told; 3] {
        let mut told = [Told::default(); 3];
        while told[0].live + told[0].outage < readings || told[1].live + told[1].outage < events {
            let fact = tokio::time::timeout(PATIENCE, self.facts.recv()).await;
            let fact = fact.unwrap_or_else(|_| panic!("not told in time; so far {told:?}"));
            note(&mut told, &fact.expect("the buffer tells"));
        }
        while let Ok(fact) = self.facts.try_recv() {
            note(&mut told, &fact);
        }
        told
    }

    async fn end(mut self) {
        self.stop.cancel();
        self.records = None;
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

fn note(told: &mut [Told; 3], fact: &Fact) {
    let FactKind::Delivered { what, age, count, after_outage } = fact.kind else {
        panic!("{fact:?}")
    };
    let slot = match what {
        Delivered::Telemetry => 0,
        Delivered::Event => 1,
        _ => 2,
    };
    let row = &mut told[slot];
    match after_outage {
        None => row.live += count,
        Some(_) => row.outage += count,
    }
    if age > PATIENCE * 10 || after_outage.is_some_and(|up| up > PATIENCE * 10) {
        row.never += count;
    }
}

fn live(count: u32) -> Told {
    Told { live: count, ..Told::default() }
}

fn outage(count: u32) -> Told {
    Told { outage: count, ..Told::default() }
}

#[tokio::test]
async fn blocks_of_an_outage_are_told_apart_also_those_that_its_beginning_left_and_after_a_restart()
{
    let folder = tempfile::tempdir().unwrap();
    let broker = FakeBroker::start().await;
    broker.set(|state| state.refuse = Some(ConnectReturnCode::ServiceUnavailable));
    let mut rig = Rig::start(folder.path(), &broker);
    // Before the first session: an outage. The first status is no change, the second is one.
    rig.read(1.0).await;
    rig.read(2.0).await;
    rig.event().await;
    broker.set(|state| state.refuse = None);
    assert_eq!(rig.until(4, 1).await, [outage(4), outage(1), outage(1)]);
    // A link that holds.
    rig.read(3.0).await;
    rig.read(3.0).await;
    rig.event().await;
    assert_eq!(rig.until(4, 1).await, [live(4), live(1), live(1)]);
    // The platform takes and does not acknowledge: the link is left, and what it left is late.
    let sessions = broker.see(|state| state.connects.len());
    broker.set(|state| state.withhold = true);
    rig.read(4.0).await;
    broker.until("another session", |state| state.connects.len() > sessions).await;
    broker.set(|state| state.withhold = false);
    assert_eq!(rig.until(2, 0).await, [outage(2), Told::default(), outage(1)]);
    // The gateway stops while it cannot deliver, and starts again.
    let sessions = broker.see(|state| state.connects.len());
    broker.set(|state| {
        state.refuse = Some(ConnectReturnCode::ServiceUnavailable);
        state.generation += 1;
    });
    broker.until("a refusal", |state| state.connects.len() > sessions).await;
    rig.read(1.0).await;
    rig.event().await;
    rig.end().await;
    broker.set(|state| state.refuse = None);
    let mut rig = Rig::start(folder.path(), &broker);
    assert_eq!(rig.until(2, 1).await, [outage(2), outage(1), outage(1)]);
    rig.end().await;
}
