//! The scan over the page's API, with an owner of the bus that is made up.

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::sample::sample;
use super::{BusLine, Lines, Page, View, serve};
use crate::driver::BusAddress;
use crate::driver::bus::{Answer, BusRequest, Fault, Heard};
use crate::driver::record::FrameLog;
use crate::driver::scan::ScanEvent;
use crate::model::{BusId, Estate, EstateKind};
use crate::starlevel::{AttestationDesk, Discovered, RulePack};
use crate::store::{Limits, Store};

/// Unit 9 answers; other units are silent; a question for meters is never brought to an end.
async fn owner(mut orders: mpsc::Receiver<BusRequest>, count: &std::cell::Cell<usize>) {
    let mut held = Vec::new();
    while let Some(order) = orders.recv().await {
        let BusRequest::Probe(probe) = order else { panic!("a scan only probes") };
        count.set(count.get() + 1);
        if let Some(BusAddress::Dlt645(_)) = probe.ask.address() {
            held.push(probe);
            continue;
        }
        let outcome = match probe.ask.address() {
            Some(BusAddress::Unit(9)) => Ok(Answer::Exception(2)),
            _ => Err(Fault::Silent),
        };
        // Who asked may be gone.
        drop(probe.reply.send(Heard { outcome, bytes: Vec::new(), answer_time: None }));
    }
}

fn with_owner(mut view: View) -> (View, mpsc::Receiver<BusRequest>) {
    let (order, orders) = mpsc::channel(1);
    let id = BusId::new("line-1").unwrap();
    view.lines = vec![BusLine { id: id.clone(), order, log: FrameLog::new(id, false) }];
    (view, orders)
}

const PATH: &str = "/api/v1/buses/line-1/scan";
const OPTIONS: &str =
    r#"{"baud":[9600],"frame":["8N1"],"units":["8-10"],"protocol":["modbus"],"patience_ms":50}"#;

async fn events(page: &Page, options: &str) -> Vec<ScanEvent> {
    let mut lines = Lines::post(page, PATH, options).await.unwrap();
    let mut events = Vec::new();
    while let Some(line) = lines.next().await.unwrap() {
        events.push(serde_json::from_str(&line).unwrap());
    }
    events
}

/// Runs `client` against a page whose bus has an owner.
async fn against<T>(client: impl AsyncFnOnce(Page) -> T) -> (T, usize) {
    served(sample(1, 0).await.view, client).await
}

async fn served<T>(view: View, client: impl AsyncFnOnce(Page) -> T) -> (T, usize) {
    let (view, orders) = with_owner(view);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let page = Page::from(listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let count = std::cell::Cell::new(0);
    let served = async {
        tokio::select! {
            served = serve(listener, view, stop.clone()) => served.unwrap(),
            () = owner(orders, &count) => {}
        }
    };
    let asked = async {
        let outcome = client(page).await;
        stop.cancel();
        outcome
    };
    let ((), outcome) = tokio::join!(served, asked);
    (outcome, count.get())
}

#[tokio::test]
async fn a_scan_asks_the_owner_of_the_bus_and_streams_what_it_finds() {
    let (events, asked) = against(async |page| events(&page, OPTIONS).await).await;
    let found = events.iter().find_map(|event| match event {
        ScanEvent::Found(device) => Some(device.clone()),
        _ => None,
    });
    let found = found.expect("a device");
    assert_eq!((found.unit, found.baud), (Some(9), Some(9600)));
    assert!(matches!(events[0], ScanEvent::Progress { .. }), "{events:?}");
    assert!(matches!(events.last(), Some(ScanEvent::Done { found: 1 })), "{events:?}");
    assert!(asked > 3, "{asked}");
}

#[tokio::test]
async fn wrong_options_and_unknown_buses_are_refused_with_the_reason() {
    let refused = async |page: Page| {
        let options = Lines::post(&page, PATH, r#"{"baud":[1]}"#).await.unwrap_err().to_string();
        let bus =
            Lines::post(&page, "/api/v1/buses/none/scan", "{}").await.unwrap_err().to_string();
        (options, bus)
    };
    let ((options, bus), asked) = against(refused).await;
    assert!(options.contains("400") && options.contains("allowed are"), "{options}");
    assert!(bus.contains("404"), "{bus}");
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn a_bus_is_scanned_once_at_a_time_and_is_free_when_the_client_went_away() {
    let twice = async |page: Page| {
        let mut first = Lines::post(&page, PATH, r#"{"protocol":["dlt645"]}"#).await.unwrap();
        first.next().await.unwrap().expect("progress");
        let second = Lines::post(&page, PATH, OPTIONS).await.unwrap_err().to_string();
        drop(first);
        // The page notices the end of the connection in its own time.
        for _ in 0..500 {
            if let Ok(lines) = Lines::post(&page, PATH, OPTIONS).await {
                drop(lines);
                return second;
            }
            tokio::task::yield_now().await;
        }
        panic!("the bus stays taken");
    };
    let (second, _) = against(twice).await;
    assert!(second.contains("409"), "{second}");
}

#[tokio::test]
async fn what_a_scan_finds_and_nobody_registered_is_kept_against_the_inventory() {
    let mut view = sample(1, 0).await.view;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    // The sample has a device at unit 9; this estate has none.
    let none = Estate::new(view.estate.gateway.clone(), String::new(), EstateKind::New, Vec::new());
    let estate = std::sync::Arc::new(none.unwrap());
    let desk = AttestationDesk::open(&store, estate, RulePack::built_in(), Vec::new()).unwrap();
    view.desk = Some(desk.clone());
    for _ in 0..2 {
        served(view.clone(), async |page| events(&page, OPTIONS).await).await;
    }
    let found = desk.attested().borrow().found.clone();
    let places: Vec<String> = found.iter().map(Discovered::place).collect();
    assert_eq!(places, ["line-1 #9"]);
    assert_eq!((found[0].protocol.as_str(), found[0].category), ("modbus", None));
    assert!(found[0].first_seen_ms.is_some());
}
