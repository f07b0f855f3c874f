//! The task around the core: who is answered, who is told, what is durable.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::desk::{Desk, Ends};
use super::rig::{charger, refusal, snapshot, targets};
use super::router::Router;
use super::way::Way;
use crate::audit::{Action, Audit, Filter};
use crate::clock::{self, Clock, Trust};
use crate::driver::bus::{BusRequest, RegisterWrite};
use crate::model::{
    CommandId, CommandOutcome, CommandRequest, CommandResult, CommandSource, DeviceIndex,
    EventKind, FieldMessage, PointIndex, Reading, Refusal, Snapshot, Value,
};
use crate::store::{Limits, Store};
use crate::uplink::CommandMessage;

struct Site {
    router: Router,
    clock: Clock,
    snapshot: Snapshot,
    audit: Audit,
    orders: mpsc::Receiver<BusRequest>,
    field: mpsc::Receiver<FieldMessage>,
    messages: mpsc::Sender<CommandMessage>,
    results: mpsc::Receiver<CommandResult>,
    link: watch::Sender<bool>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

fn site(store: &Store) -> Site {
    let profile = charger();
    let clock = Clock::new(clock::Config { trust: Trust::System, ..clock::Config::default() });
    let snapshot = snapshot(&profile);
    let (order, orders) = mpsc::channel(4);
    let (field_in, field) = mpsc::channel(64);
    let (messages, messages_out) = mpsc::channel(8);
    let (results_in, results) = mpsc::channel(64);
    let (link, link_out) = watch::channel(true);
    let audit = Audit::open(store, clock.clone()).unwrap();
    let way = Way::Bus { orders: order, requests: None, key: None };
    let ends = Ends {
        ways: vec![way; 3],
        field: field_in,
        audit: Some(audit.clone()),
        messages: messages_out,
        results: results_in,
        link: link_out,
    };
    let kept = (store.clone(), clock.clone());
    let known = snapshot.clone();
    let (desk, router) =
        Desk::open(Config::default(), targets(&profile), known, kept, ends).unwrap();
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(desk.run(stop.clone()));
    Site { router, clock, snapshot, audit, orders, field, messages, results, link, stop, tasks }
}

impl Site {
    fn request(&self, id: &str, device: &str, value: f64) -> CommandRequest {
        let now_ms = self.clock.best_wall(self.clock.now()).unix_ms;
        CommandRequest {
            id: CommandId::new(id).unwrap(),
            device: device.into(),
            command: "currentLimit".into(),
            value: Some(Value::Number(value)),
            issued_ms: now_ms,
            expires_ms: now_ms + 30_000,
            until_ms: None,
            by: "wang".into(),
            source: CommandSource::Page,
            signature: None,
        }
    }

    async fn write(&mut self) -> RegisterWrite {
        match self.orders.recv().await {
            Some(BusRequest::Write(write)) => write,
            other => panic!("no write: {other:?}"),
        }
    }

    /// The device takes what is written, and shows it.
    fn obey(&self, write: RegisterWrite) {
        let value = f64::from(write.words[0]) / 10.0;
        write.reply.send(Ok(())).unwrap();
        self.show(write.device, value);
    }

    fn show(&self, device: DeviceIndex, value: f64) {
        let reading = Reading::good(PointIndex(0), Value::Number(value));
        let at = self.clock.now().plus(Duration::from_secs(1));
        self.snapshot.with(device, |state| state.apply(at, &reading));
    }

    async fn event(&mut self) -> (String, CommandOutcome) {
        match self.field.recv().await {
            Some(FieldMessage::Event(event)) => match event.kind {
                EventKind::Command(report) => (report.id.to_string(), report.outcome),
                other => panic!("no command: {other:?}"),
            },
            other => panic!("no event: {other:?}"),
        }
    }

    async fn publish(&self, request: &CommandRequest) -> oneshot::Receiver<()> {
        let (kept, told) = oneshot::channel();
        let payload = serde_json::to_vec(&request.document("estate-1")).unwrap();
        let id = request.id.to_string();
        let message = CommandMessage { id, payload, retained: false, kept };
        self.messages.send(message).await.unwrap();
        told
    }
}

fn store(folder: &tempfile::TempDir) -> Store {
    Store::open(&folder.path().join("store"), Limits::default()).unwrap()
}

#[tokio::test]
async fn whoever_orders_hears_the_decision_and_the_end_and_so_do_the_flow_and_the_trail() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = site(&store(&folder));
    let ordered = site.router.order(site.request("a", "c1", 16.0)).await.unwrap();
    assert_eq!(ordered.decision.outcome, CommandOutcome::Accepted);
    assert_eq!(site.event().await, ("a".to_owned(), CommandOutcome::Accepted));
    let write = site.write().await;
    assert_eq!((write.address, &*write.words, write.by.as_str()), (10, &[160][..], "wang"));
    site.obey(write);
    let done = CommandOutcome::Done { read_back: Some(Value::Number(16.0)) };
    assert_eq!(ordered.end().await.unwrap().outcome, done);
    assert_eq!(site.event().await, ("a".to_owned(), done));
    let filter = Filter::default();
    let entries = site.audit.trail().page(&filter, 50).unwrap().entries;
    let lines: Vec<_> = entries.iter().filter(|e| e.action == Action::Command).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| line.who == "wang" && line.about == "c1 currentLimit = 16"));
    assert!(lines[0].detail.contains("read back 16"), "{}", lines[0].detail);
    let counts: Vec<_> = site.router.counts().filter(|(_, count)| *count > 0).collect();
    assert_eq!(counts, [("accepted", 1), ("done", 1)]);
}

#[tokio::test]
async fn whoever_asks_without_end_puts_no_look_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = site(&store(&folder));
    let ordered = site.router.order(site.request("a", "c1", 16.0)).await.unwrap();
    let write = site.write().await;
    site.obey(write);
    let router = site.router.clone();
    let asks = async {
        loop {
            router.recent(None, None, 5).await.unwrap();
        }
    };
    let end = tokio::select! {
        end = tokio::time::timeout(Duration::from_secs(30), ordered.end()) => end,
        () = asks => unreachable!("it asks for ever"),
    };
    let done = CommandOutcome::Done { read_back: Some(Value::Number(16.0)) };
    assert_eq!(end.expect("it is looked").unwrap().outcome, done);
}

#[tokio::test]
async fn orders_of_the_broadcast_are_told_by_its_receipts_and_not_once_more_each() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = site(&store(&folder));
    let source = CommandSource::Broadcast;
    let request = CommandRequest { source, ..site.request("w-1", "c1", 16.0) };
    let ordered = site.router.order(request).await.unwrap();
    let write = site.write().await;
    site.obey(write);
    let done = CommandOutcome::Done { read_back: Some(Value::Number(16.0)) };
    assert_eq!(ordered.end().await.unwrap().outcome, done);
    assert!(site.field.try_recv().is_err(), "no event");
    let entries = site.audit.trail().page(&Filter::default(), 50).unwrap().entries;
    assert!(entries.iter().all(|entry| entry.action != Action::Command), "{entries:?}");
    let kept = site.router.recent(None, None, 5).await.unwrap();
    assert_eq!(
        kept[0].report.outcome,
        CommandOutcome::Done { read_back: Some(Value::Number(16.0)) }
    );
}

#[tokio::test]
async fn many_devices_are_ordered_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = site(&store(&folder));
    let requests = [
        site.request("a", "c1", 16.0),
        site.request("b", "c2", 20.0),
        site.request("c", "c3", 20.0),
    ];
    let router = site.router.clone();
    let mut all = JoinSet::new();
    all.spawn(async move { router.order_all(requests).await });
    // Both are being written at the same time; the answers come in the other order.
    let (one, two) = (site.write().await, site.write().await);
    site.obey(two);
    site.obey(one);
    let ends = all.join_next().await.unwrap().unwrap();
    let word = |at: usize| ends[at].as_ref().unwrap().outcome.word();
    assert_eq!((word(0), word(1)), ("done", "done"));
    assert_eq!(refusal(ends[2].as_ref().unwrap()), Refusal::Offline);
}

#[tokio::test]
async fn the_platform_is_acknowledged_when_it_is_kept_and_told_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let mut site = site(&store);
    let request =
        CommandRequest { source: CommandSource::Platform, ..site.request("a", "c1", 16.0) };
    let kept = site.publish(&request).await;
    let write = site.write().await;
    kept.await.unwrap();
    let row = store.tree("commands").get(b"id/a").unwrap().unwrap();
    assert!(String::from_utf8(row).unwrap().contains("accepted"));
    let result = site.results.recv().await.unwrap();
    assert_eq!((result.device.as_str(), result.report.outcome.word()), ("c1", "accepted"));
    site.obey(write);
    assert_eq!(site.results.recv().await.unwrap().report.outcome.word(), "done");
    // Once more: the same answer, nothing done.
    site.publish(&request).await.await.unwrap();
    assert_eq!(site.results.recv().await.unwrap().report.outcome.word(), "done");
    assert!(site.orders.try_recv().is_err());
}

#[tokio::test]
async fn what_is_under_way_at_the_end_is_told_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let mut first = site(&store);
    let ordered = first.router.order(first.request("a", "c1", 16.0)).await.unwrap();
    let write = first.write().await;
    first.stop.cancel();
    drop(write);
    first.tasks.join_next().await.unwrap().unwrap();
    let last = first.request("b", "c1", 16.0);
    drop(ordered);
    assert!(first.router.order(last).await.is_err());
    drop(first.link);
    let mut second = site(&store);
    let mut told = first.field;
    let mut outcomes = Vec::new();
    while let Ok(FieldMessage::Event(event)) = told.try_recv() {
        if let EventKind::Command(report) = event.kind {
            outcomes.push(report.outcome.word());
        }
    }
    // The answer was lost while it stopped: told there, and not again.
    assert_eq!(outcomes, ["accepted", "unknown"]);
    let row = second.router.find(CommandId::new("a").unwrap()).await.unwrap().unwrap();
    assert_eq!(row.report.outcome, CommandOutcome::Unknown);
    let recent = second.router.recent(None, Some("c1".into()), 10).await.unwrap();
    assert_eq!(recent.len(), 1);
    assert!(second.orders.try_recv().is_err() && second.field.try_recv().is_err());
}

#[tokio::test]
async fn refusals_that_anybody_can_cause_do_not_flood_the_flow() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = site(&store(&folder));
    for number in 0..40 {
        let (kept, told) = oneshot::channel();
        let (id, payload) = (format!("x{number}"), b"{}".to_vec());
        site.messages.send(CommandMessage { id, payload, retained: false, kept }).await.unwrap();
        told.await.unwrap();
        let result = site.results.recv().await.unwrap();
        assert_eq!(refusal(&result.report), Refusal::Malformed, "each is answered");
    }
    let mut events = 0;
    while site.field.try_recv().is_ok() {
        events += 1;
    }
    assert_eq!(events, 10);
}
