//! The page, the API and the metrics on a made-up estate, over real sockets.

mod alarms;
mod attest;
mod broadcast;
mod buses;
mod clock;
mod history;
mod report;
mod risk;

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use super::config::{Config, Protection};
use super::limits::Guests;
use super::listener::Peer;
use super::sample::buses::findings;
use super::sample::{Sample, sample};
use super::server::outside;
use super::text::{Said as _, Text};
use super::tls::PageTls;
use super::{View, serve};
use crate::model::{Cause, DeviceIndex, Health, Quality, Reason};

#[tokio::test]
#[ignore = "serves a made-up estate on port 18080 until killed, to look at the page"]
async fn look() {
    let sample = sample(3, 2).await;
    let now = sample.view.now();
    sample.view.buses.with(0, |bus| bus.findings = findings(now));
    let listener = TcpListener::bind("127.0.0.1:18080").await.unwrap();
    serve(listener, sample.view, CancellationToken::new()).await.unwrap();
}

/// Status line with headers, and body.
pub(super) async fn request(view: &View, line: &str, headers: &str) -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let client = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let text =
            format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        stop.cancel();
        answer
    };
    let (served, answer) = tokio::join!(serve(listener, view.clone(), stop.clone()), client);
    served.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

pub(super) async fn get(view: &View, path: &str) -> (String, String) {
    request(view, &format!("GET {path}"), "").await
}

async fn json(view: &View, path: &str) -> serde_json::Value {
    let (head, body) = get(view, path).await;
    assert!(head.contains("application/json"), "{path}: {head}");
    serde_json::from_str(&body).unwrap()
}

fn position(text: &str, part: &str) -> usize {
    text.find(part).unwrap_or_else(|| panic!("`{part}` is not in the page"))
}

#[tokio::test]
async fn the_broken_device_comes_first_with_its_cause_in_both_languages() {
    let sample = sample(1, 0).await;
    let (_, zh) = get(&sample.view, "/").await;
    let (_, en) = get(&sample.view, "/?lang=en").await;
    assert!(position(&zh, "1号楼热量表离线") < position(&zh, "1号楼售卖机时有时无"));
    assert!(zh.contains("无应答：检查供电") && zh.contains("处理建议") && zh.contains("68 分钟"));
    assert!(en.contains("no answer: check power") && en.contains("What to do"));
    assert!(en.contains("lang=\"en\"") && zh.contains("lang=\"zh-CN\""));
    let (_, list) = get(&sample.view, "/devices").await;
    assert!(position(&list, "1号楼热量表") < position(&list, "1号楼电表"));
}

#[tokio::test]
async fn what_a_device_says_is_never_markup() {
    let sample = sample(1, 0).await;
    sample.view.snapshot.with(DeviceIndex(3), |state| {
        state.cause = Some(Cause::LineDown("<img src=x onerror=alert(1)>".into()));
    });
    for path in ["/", "/devices", "/devices/heat_meter-0-3", "/devices/parcel_locker-0-5", "/stars"]
    {
        let (head, body) = get(&sample.view, path).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(!body.contains("<img") && !body.contains("<script>alert"), "{path}");
    }
    let (_, body) = get(&sample.view, "/devices?category=%22%3E%3Cu%3E&state=%3Ci%3E").await;
    assert!(!body.contains("<u>") && !body.contains("<i>"));
}

#[tokio::test]
async fn like_things_stand_in_boxes_of_their_own_and_not_in_the_list_of_points() {
    let sample = sample(1, 0).await;
    sample.view.snapshot.with(DeviceIndex(5), |state| {
        state.points[3].quality = Some(Quality::Bad(Reason::NotAvailable));
    });
    let (_, zh) = get(&sample.view, "/devices/parcel_locker-0-5").await;
    let (_, en) = get(&sample.view, "/devices/parcel_locker-0-5?lang=en").await;
    for number in 1..=8 {
        assert!(zh.contains(&format!("<h3>{number} 号格口</h3>")), "{number}");
        assert!(en.contains(&format!("<h3>cell {number}</h3>")), "{number}");
    }
    // Titles of members are not repeated in their boxes, names of points not in the list.
    assert!(!zh.contains("号格口 门开") && !zh.contains(">cells.1.door<"));
    assert!(zh.contains("设备无此值") && en.contains("not available"));
    assert!(position(&zh, "柜体故障") < position(&zh, "1 号格口"));
    let api = json(&sample.view, "/api/v1/devices/parcel_locker-0-5").await;
    assert_eq!(
        (&api["groups"][0]["name"], &api["groups"][0]["count"]),
        (&"cells".into(), &8.into())
    );
    // In the list of devices the whole cabinet speaks before its cells.
    let (_, list) = get(&sample.view, "/devices").await;
    assert!(list.contains("柜体故障"));
}

#[tokio::test]
async fn the_language_follows_switch_then_cookie_then_browser_and_is_chinese_otherwise() {
    let view = sample(1, 0).await.view;
    let is_english = async |path: &str, headers: &str| {
        request(&view, &format!("GET {path}"), headers).await.1.contains("<html lang=\"en\"")
    };
    assert!(!is_english("/", "").await);
    assert!(is_english("/", "Accept-Language: en-GB,zh;q=0.5\r\n").await);
    assert!(!is_english("/", "Accept-Language: zh-CN,en\r\n").await);
    assert!(is_english("/", "Cookie: a=b; linli_lang=en\r\nAccept-Language: zh\r\n").await);
    assert!(!is_english("/?lang=zh", "Cookie: linli_lang=en\r\n").await);
    let (head, _) = get(&view, "/?lang=en").await;
    assert!(head.contains("linli_lang=en"));
}

#[tokio::test]
async fn every_answer_forbids_framing_foreign_content_and_caching_and_only_reading_is_allowed() {
    let view = sample(1, 0).await.view;
    for path in ["/", "/metrics", "/api/v1/buses", "/nothing"] {
        let (head, _) = get(&view, path).await;
        let head = head.to_lowercase();
        for part in ["default-src 'none'", "x-frame-options: deny", "no-store", "nosniff"] {
            assert!(head.contains(part), "{path} lacks {part}: {head}");
        }
    }
    let (head, _) = request(&view, "POST /devices", "Content-Length: 0\r\n").await;
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
}

#[tokio::test]
async fn no_page_holds_a_script_or_a_style_and_the_files_that_it_names_are_kept_by_browsers() {
    let view = sample(1, 0).await.view;
    let pages = [
        "/",
        "/devices",
        "/devices/heat_meter-0-3",
        "/buses",
        "/buses/line-1",
        "/delivery",
        "/stars",
        "/nothing",
    ];
    for path in pages {
        let (head, body) = get(&view, path).await;
        for forbidden in ["unsafe-inline", "unsafe-hashes", "unsafe-eval"] {
            assert!(!head.contains(forbidden), "{path}: {head}");
        }
        assert!(!body.contains(" style=") && !body.contains("<style"), "{path} holds a style");
        assert!(!body.contains("<script>") && !body.contains(" onclick"), "{path} holds a script");
        let of = |start: &str| {
            let (_, rest) = body.split_once(start).unwrap_or_else(|| panic!("{path}: {start}"));
            rest.split_once('"').unwrap().0.to_owned()
        };
        for (file, kind) in
            [(of("stylesheet\" href=\""), "text/css"), (of("src=\""), "text/javascript")]
        {
            let (head, body) = get(&view, &file).await;
            let head = head.to_lowercase();
            assert!(head.starts_with("http/1.1 200") && head.contains(kind), "{file}: {head}");
            assert!(head.contains("immutable") && !head.contains("no-store"), "{file}: {head}");
            assert!(!body.is_empty());
        }
    }
}

#[tokio::test]
async fn browsers_are_bound_to_tls_only_by_a_certificate_that_somebody_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let own = Config { protection: Protection::OwnCertificate, ..Config::at(listen) };
    let store = folder.path().join("buffer");
    let made = PageTls::open(&own, "weihai-0631", &store).unwrap().unwrap();
    let cert_file = made.certificate().file;
    let key_file = cert_file.with_file_name("page-key.pem");
    let files = Config { protection: Protection::Files { cert_file, key_file }, ..own };
    let kept = PageTls::open(&files, "weihai-0631", &store).unwrap().unwrap();
    for (tls, strict) in [(None, false), (Some(made), false), (Some(kept), true)] {
        let mut router = outside(Router::new(), &Guests::default(), tls.as_ref());
        let request =
            Request::builder().extension(ConnectInfo(Peer::here())).body(Body::empty()).unwrap();
        let answer = router.call(request).await.unwrap();
        let told = answer.headers().contains_key("strict-transport-security");
        assert_eq!(told, strict, "{tls:?}");
    }
}

#[tokio::test]
async fn the_gateway_is_not_ready_when_nothing_is_durable_and_only_degraded_without_uplink() {
    let Sample { view, buffer, uplink, broker } = sample(1, 0).await;
    assert_eq!(json(&view, "/readyz").await["ready"], true);
    uplink.send_modify(|status| {
        status.connected = false;
        status.fault = Some(("connection refused", "连接被拒绝").into());
    });
    broker.send_modify(|status| status.connected = false);
    let ready = json(&view, "/readyz").await;
    assert_eq!(ready["ready"], true);
    assert_eq!(ready["degraded"][0], "uplink down: connection refused");
    for (lang, fault) in [("zh", "连接被拒绝"), ("en", "connection refused")] {
        for page in ["/", "/delivery"] {
            let (_, body) = get(&view, &format!("{page}?lang={lang}")).await;
            assert!(body.contains(fault), "{page} {lang}");
        }
    }
    buffer.send_modify(|status| status.fault = Some("disk full".into()));
    let (head, body) = get(&view, "/readyz").await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(body.contains("buffer not durable: disk full"));
    let (_, page) = get(&view, "/?lang=en").await;
    assert!(position(&page, "Nothing is stored durably") < position(&page, "offline ·"));
    assert!(get(&view, "/healthz").await.0.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_dead_bus_is_one_trouble_and_not_one_per_device() {
    let view = sample(1, 0).await.view;
    view.buses.with(0, |bus| {
        bus.open = false;
        bus.fault = Some(("No such device", "文件或设备不存在").into());
    });
    for slot in 0..6 {
        view.snapshot.with(DeviceIndex(slot), |state| {
            state.health = Health::Offline;
            state.cause = Some(Cause::LineDown("No such device".into()));
        });
    }
    let troubles = json(&view, "/api/v1/gateway").await["troubles"].as_array().unwrap().len();
    assert_eq!(troubles, 2, "the bus, and the suspect device on MQTT");
}

#[tokio::test]
async fn metrics_name_each_family_once_and_every_line_is_well_formed() {
    let view = sample(1, 0).await.view;
    let (_, body) = get(&view, "/metrics").await;
    let mut families = std::collections::HashSet::new();
    let mut current = String::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned()), "{name} stands twice");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{rest}");
            assert_eq!(current, name, "HELP comes first");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            current = rest.split(' ').next().unwrap().to_owned();
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
            assert_eq!(series.split('{').next().unwrap(), current, "{line}");
            assert!(series == current || series.ends_with("\"}"), "{line}");
        }
    }
    for line in
        ["linli_devices{health=\"offline\"} 1", "linli_bus_timeouts_total{bus=\"line-1\"} 470"]
    {
        assert!(body.lines().any(|l| l == line), "{line}");
    }
    assert!(body.contains("linli_build_info{version=\"0.1.0\"} 1"));
}

#[tokio::test]
async fn the_api_has_its_documented_shapes() {
    let view = sample(1, 0).await.view;
    let gateway = json(&view, "/api/v1/gateway").await;
    assert_eq!(gateway["id"], "weihai-0631");
    assert_eq!(gateway["devices"]["total"], 11);
    assert_eq!(gateway["troubles"][0]["severity"], "warning");
    assert_eq!(gateway["broker"]["messages"], 18_233);
    let devices = json(&view, "/api/v1/devices").await;
    assert_eq!(devices[3]["health"], "offline");
    assert_eq!(devices[3]["cause"]["code"], "no_answer");
    assert!(devices[3]["for_s"].as_u64().unwrap() >= 4100);
    let device = json(&view, "/api/v1/devices/electricity_meter-0-0").await;
    assert_eq!(device["category"], "electricity_meter");
    assert_eq!(device["points"][0]["unit"], "kW.h");
    assert_eq!(device["points"][0]["quality"], "good");
    assert_eq!(json(&view, "/api/v1/buses").await[0]["timeouts"], 470);
    assert_eq!(json(&view, "/api/v1/buffer").await["hours_left"], 197.0);
    let uplink = json(&view, "/api/v1/uplink").await;
    assert!(uplink["acknowledged_age_s"].as_u64().unwrap() >= 2 && uplink["since"].is_null());
    assert_eq!(json(&view, "/api/v1/stars").await["target"], 3);
    for path in ["/api/v1/devices/nobody", "/api/v1/nothing"] {
        assert!(get(&view, path).await.0.starts_with("HTTP/1.1 404"));
        assert!(json(&view, path).await["error"].is_string());
    }
    assert!(get(&view, "/devices/nobody").await.0.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn the_star_page_says_that_it_is_no_official_rating_and_names_what_is_missing() {
    let view = sample(1, 0).await.view;
    let (_, zh) = get(&view, "/stars").await;
    assert!(
        zh.contains("非官方星级评定") && zh.contains("临时结果") && zh.contains("升至下一星级尚缺")
    );
    let (_, en) = get(&view, "/stars?lang=en").await;
    assert!(en.contains("not an official rating") && en.contains("Provisional"));
    assert!(en.contains("no evidence yet: needs"));
}

#[tokio::test]
async fn who_connects_and_says_nothing_is_let_go_after_a_minute() {
    let view = sample(1, 0).await.view;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::time::pause();
    let stop = CancellationToken::new();
    let client = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let begin = tokio::time::Instant::now();
        let mut nothing = Vec::new();
        stream.read_to_end(&mut nothing).await.unwrap();
        assert!(nothing.is_empty());
        assert!(begin.elapsed() < Duration::from_secs(62));
        stop.cancel();
    };
    let (served, ()) = tokio::join!(serve(listener, view, stop.clone()), client);
    served.unwrap();
}

#[test]
fn every_text_stands_in_both_languages() {
    for text in Text::ALL {
        let (zh, en) = text.both();
        assert!(!zh.is_empty() && !en.is_empty(), "{text:?}");
    }
}
