//! Warnings over real HTTP: previewed, confirmed, sent, looked at, cancelled, refused.
#![expect(clippy::disallowed_methods, reason = "the tests join their tasks")]

use std::sync::Arc;

use tokio::sync::mpsc;

use super::*;
use crate::broadcast::{
    Broadcast, Config, Ends, Order, Orders, Outcome, Points, Setup, Target, TargetKind, Zone, Zones,
};
use crate::model::{DeviceId, DeviceIndex};
use crate::store::{Limits, Store};

/// Terminals that follow every order and say nothing.
struct Deaf;

impl Orders for Deaf {
    fn order(&self, _: DeviceIndex, _: &Order) -> Outcome {
        Box::pin(std::future::ready(true))
    }
}

struct Rig {
    view: View,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    _rest: Box<dyn std::any::Any>,
}

async fn rig() -> Rig {
    let Sample { mut view, buffer, uplink, broker } = sample(1, 0).await;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let target = |kind, text_limit| Target {
        device: view.estate.device(DeviceIndex(0)).id.clone(),
        title: "一号".into(),
        place: "1 号楼".into(),
        kind,
        text_limit,
        stops: true,
    };
    let targets = vec![target(TargetKind::Terminal, 600), target(TargetKind::Screen, 200)];
    let nowhere = Zone {
        name: "east".into(),
        devices: vec![DeviceId::new("gone").unwrap()],
        ..Zone::default()
    };
    let points =
        Points { device: DeviceIndex(0), playing: None, message: None, text: None, fault: None };
    let (answers, answers_out) = mpsc::channel(8);
    let (messages_in, messages) = mpsc::channel(8);
    let (field, events) = mpsc::channel(256);
    let (facts, facts_out) = mpsc::channel(8);
    let ends = Ends {
        orders: Arc::new(Deaf),
        messages,
        answers,
        field,
        facts,
        delivered: Box::new(|| None),
        points: vec![points; 2],
    };
    let setup = Setup {
        zones: Zones::new(None, vec![nowhere], targets),
        texts: Config::default().texts,
        keys: Vec::new(),
        require_signature: false,
        source: None,
    };
    let time = (view.clock.clone(), view.snapshot.clone());
    let (task, desk) = Broadcast::open(setup, Vec::new(), &store, time, ends).unwrap();
    view.broadcast = Some(desk);
    let stop = CancellationToken::new();
    let task = tokio::spawn(task.run(stop.clone()));
    let kept = (buffer, uplink, broker, folder, store);
    let rest = Box::new((kept, answers_out, messages_in, events, facts_out));
    Rig { view, stop, task, _rest: rest }
}

impl Rig {
    async fn post(&self, path: &str, kind: &str, body: &str) -> (String, String) {
        let head = format!(
            "Origin: http://localhost\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n",
            body.len()
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let client = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let text = format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{head}\r\n{body}"
            );
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            stop.cancel();
            answer
        };
        let (served, answer) =
            tokio::join!(serve(listener, self.view.clone(), stop.clone()), client);
        served.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    async fn form(&self, path: &str, form: &str) -> (String, String) {
        self.post(path, "application/x-www-form-urlencoded", form).await
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

const FORM: &str = "status=exercise&severity=red&title_en=Fire&body_en=Leave+<b>&repeat=2&pause_s=5&\
                    minutes=&by=li&event=fire";

#[tokio::test]
async fn a_warning_is_previewed_confirmed_and_shown_with_its_receipts_in_both_languages() {
    let rig = rig().await;
    let (head, page) = rig.form("/broadcast/preview?lang=en", FORM).await;
    assert!(head.contains("200 OK"), "{head}\n{page}");
    assert!(page.contains("[DRILL] RED WARNING. Fire. Leave &lt;b&gt;"), "{page}");
    assert!(page.contains("name=\"confirm\"") && page.contains("name=\"title_en\" value=\"Fire\""));
    assert_eq!(json(&rig.view, "/api/v1/broadcast").await["warnings"], serde_json::json!([]));
    let (head, _) = rig.form("/broadcast/send", FORM).await;
    assert!(head.contains("400"), "without the confirmation nothing is sent: {head}");
    let (head, _) = rig.form("/broadcast/send", &format!("{FORM}&confirm=yes")).await;
    assert!(head.contains("303"), "{head}");
    let place = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned();
    for (lang, words) in
        [("zh", ["演练", "终端与信息屏回执"]), ("en", ["drill", "Receipts of terminals"])]
    {
        let (_, page) = get(&rig.view, &format!("{place}?lang={lang}")).await;
        for word in words {
            assert!(page.contains(word), "{word}: {page}");
        }
        let (_, page) = get(&rig.view, &format!("/broadcast?lang={lang}")).await;
        assert!(page.contains("Fire") && page.contains("/broadcast/preview"), "{page}");
    }
    let id = place.strip_prefix("/broadcast/").unwrap();
    let row = json(&rig.view, &format!("/api/v1/broadcast/{id}")).await;
    assert_eq!((row["receipts"].as_array().unwrap().len(), &row["sender"]), (2, &"li".into()));
    let (head, _) = rig.form(&format!("{place}/cancel"), "by=wang").await;
    assert!(head.contains("303"), "{head}");
    let row = json(&rig.view, &format!("/api/v1/broadcast/{id}")).await;
    assert_eq!((&row["life"], &row["cancelled_by"]), (&"cancelled".into(), &"wang".into()));
    let (_, metrics) = get(&rig.view, "/metrics").await;
    assert!(metrics.contains("linli_warning_receipts{state=\"addressed\"} 2"), "{metrics}");
    rig.end().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_warning_is_told_and_nothing_is_sent() {
    let rig = rig().await;
    for (from, to, part) in [
        ("severity=red", "severity=pink", "severity"),
        ("status=exercise", "status=joke", "status"),
        ("repeat=2", "repeat=101", "repeat"),
        ("repeat=2", "repeat=0", "repeat"),
        ("minutes=", "minutes=9999", "minutes"),
        ("by=li", "by=", "name"),
        ("title_en=Fire&body_en=Leave+<b>", "title_en=", "says nothing"),
    ] {
        let form = format!("{}&confirm=yes", FORM.replace(from, to));
        let (head, body) = rig.form("/broadcast/send", &form).await;
        assert!(head.contains("400") && body.contains(part), "{to}: {head}\n{body}");
    }
    let (_, page) = rig.form("/broadcast/preview", &format!("{FORM}&zone.east=on")).await;
    assert!(page.contains("没有可播发的终端或屏幕"), "{page}");
    for body in ["{}", r#"{"severity":"red","more":1}"#, r#"{"severity":"red","by":"li"}"#] {
        let (head, _) = rig.post("/api/v1/broadcast", "application/json", body).await;
        assert!(head.contains(" 4"), "{body}: {head}");
    }
    let body = r#"{"severity":"red","zh":{"title":"火警"},"by":"li","zones":["south"]}"#;
    let (head, body) = rig.post("/api/v1/broadcast", "application/json", body).await;
    assert!(head.contains("409") && body.contains("other_area"), "{head}\n{body}");
    for path in ["/broadcast/nothing", "/api/v1/broadcast/nothing"] {
        assert!(get(&rig.view, path).await.0.contains("404"), "{path}");
    }
    assert_eq!(json(&rig.view, "/api/v1/broadcast").await["warnings"], serde_json::json!([]));
    rig.end().await;
}

#[tokio::test]
async fn without_terminals_the_page_says_what_to_do() {
    let sample = sample(0, 0).await;
    let (_, page) = get(&sample.view, "/broadcast?lang=en").await;
    assert!(page.contains("No terminal and no screen may be ordered"), "{page}");
    assert!(get(&sample.view, "/api/v1/broadcast").await.0.contains("404"));
}
