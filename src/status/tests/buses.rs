//! What the page, the API and the metrics say about the wiring.

use super::*;
use crate::model::{Diagnosis, Finding, Moment};

/// The sample with its findings: its fourth device is silent, its sixth slow.
async fn wired() -> View {
    let view = sample(1, 0).await.view;
    let now = view.now();
    view.buses.with(0, |bus| bus.findings = findings(now));
    view
}

fn whole_line(diagnosis: Diagnosis) -> Finding {
    Finding {
        diagnosis,
        devices: Vec::new(),
        since: Moment::default(),
        seen: ("seen <b>", "所见 <b>").into(),
        check: ("check", "检查").into(),
    }
}

#[tokio::test]
async fn a_finding_is_a_trouble_with_its_advice_in_place_of_the_device_that_it_explains() {
    let view = wired().await;
    let (_, zh) = get(&view, "/").await;
    let (_, en) = get(&view, "/?lang=en").await;
    assert!(zh.contains("1号楼热量表：不应答") && !zh.contains("1号楼热量表离线"), "{zh}");
    assert!(zh.contains("在其端子处测 A/B 线") && en.contains("then A and B at its terminals"));
    assert!(en.contains("href=\"/buses/line-1\""));
    let troubles = json(&view, "/api/v1/gateway").await["troubles"].clone();
    let troubles = troubles.as_array().unwrap();
    assert_eq!(troubles.len(), 3, "silent, slow, and the suspect device on MQTT: {troubles:?}");
    assert_eq!(troubles[0]["severity"], "warning");
}

#[tokio::test]
async fn a_finding_of_the_whole_line_speaks_for_all_its_devices_and_degrades_readiness() {
    let view = wired().await;
    for slot in 0..6 {
        view.snapshot.with(DeviceIndex(slot), |state| {
            state.health = Health::Offline;
            state.cause = Some(Cause::NoAnswer);
        });
    }
    view.buses.with(0, |bus| bus.findings = vec![whole_line(Diagnosis::NothingHeard)]);
    let troubles = json(&view, "/api/v1/gateway").await["troubles"].clone();
    assert_eq!(troubles.as_array().unwrap().len(), 2, "{troubles}");
    assert_eq!(troubles[0]["severity"], "critical");
    assert_eq!(troubles[0]["title"]["zh"], "总线 line-1：全线无应答");
    let ready = json(&view, "/readyz").await;
    assert_eq!(
        (&ready["ready"], &ready["degraded"][0]),
        (&true.into(), &"bus line-1: no device answers: seen <b>".into())
    );
    let (_, page) = get(&view, "/buses").await;
    assert!(!page.contains("seen <b>") && page.contains("所见 &lt;b&gt;"));
    // A line that is down was named as such; what was found before is not repeated.
    view.buses.with(0, |bus| {
        bus.open = false;
        bus.fault = Some(("No such device", "文件或设备不存在").into());
    });
    let (_, page) = get(&view, "/").await;
    assert!(page.contains("文件或设备不存在") && !page.contains("全线无应答"));
}

#[tokio::test]
async fn a_finding_about_one_device_does_not_hide_that_another_is_offline() {
    let view = wired().await;
    view.snapshot.with(DeviceIndex(1), |state| {
        state.health = Health::Offline;
        state.cause = Some(Cause::NoAnswer);
    });
    // Slower answers explain no silence either.
    view.snapshot.with(DeviceIndex(5), |state| {
        state.health = Health::Offline;
        state.cause = Some(Cause::NoAnswer);
    });
    let troubles = json(&view, "/api/v1/gateway").await["troubles"].clone();
    let title = |trouble: &serde_json::Value| trouble["title"]["zh"].as_str().unwrap().to_owned();
    let titles: Vec<String> = troubles.as_array().unwrap().iter().map(title).collect();
    let offline = titles.iter().filter(|title| title.contains("离线 · 1号楼"));
    assert_eq!(offline.count(), 2, "{titles:?}");
}

#[tokio::test]
async fn the_api_gives_budgets_devices_and_findings_of_a_bus() {
    let view = wired().await;
    let bus = json(&view, "/api/v1/buses").await[0].clone();
    assert_eq!(bus["planned"]["sweep_s"], 11.4);
    assert_eq!(bus["planned"]["sweep_with_dead_s"], 14.0);
    assert_eq!(bus["measured"]["sweep_s"], 12.25);
    assert_eq!(bus["units"][3]["device"], "heat_meter-0-3");
    assert_eq!(
        (&bus["units"][0]["answer_ms"], &bus["units"][3]["answer_ms"]),
        (&38.0.into(), &serde_json::Value::Null)
    );
    let silent = &bus["findings"][1];
    assert_eq!(silent["diagnosis"], "device_silent");
    assert_eq!(silent["devices"][0], "heat_meter-0-3");
    assert!(silent["check"]["zh"].is_string() && silent["check"]["en"].is_string());
    assert!(silent["for_s"].as_u64().unwrap() >= 4100);
}

#[tokio::test]
async fn the_words_of_diagnoses_are_those_of_the_model_and_all_differ() {
    let mut seen = std::collections::HashSet::new();
    for diagnosis in crate::status::finding::ALL {
        let word = crate::status::finding::word(diagnosis);
        assert_eq!(serde_json::to_value(diagnosis).unwrap(), word);
        assert!(seen.insert(word));
    }
}

#[tokio::test]
async fn the_metrics_hold_sweeps_answer_times_and_every_diagnosis_and_no_device() {
    let view = wired().await;
    let (_, body) = get(&view, "/metrics").await;
    for line in [
        "linli_bus_sweep_seconds{bus=\"line-1\",kind=\"planned\"} 11.4",
        "linli_bus_sweep_seconds{bus=\"line-1\",kind=\"measured\"} 12.25",
        "linli_bus_sweep_seconds{bus=\"line-1\",kind=\"with_dead\"} 14",
        "linli_bus_wanted_seconds{bus=\"line-1\"} 60",
        "linli_bus_answer_seconds{bus=\"line-1\",kind=\"max\"} 0.72",
        "linli_bus_findings{bus=\"line-1\",diagnosis=\"device_silent\"} 1",
        "linli_bus_findings{bus=\"line-1\",diagnosis=\"noisy_line\"} 0",
    ] {
        assert!(body.lines().any(|l| l == line), "{line} is not in:\n{body}");
    }
    assert!(!body.contains("heat_meter"));
}

#[tokio::test]
async fn the_page_of_the_buses_puts_findings_before_figures() {
    let view = wired().await;
    let (_, zh) = get(&view, "/buses").await;
    assert!(position(&zh, "下一步检查") < position(&zh, "<table"));
    assert!(position(&zh, "1号楼热量表：不应答") < position(&zh, "应答越来越慢"), "worst first");
    assert!(zh.contains("12.2 秒") || zh.contains("12.3 秒"), "{zh}");
    assert!(zh.contains("计划 11.4 秒") && zh.contains("要求周期 60 秒"));
    let (_, en) = get(&view, "/buses?lang=en").await;
    assert!(en.contains("planned 11.4 s") && en.contains("Check next"));
}

#[tokio::test]
async fn the_page_of_a_bus_lists_its_devices_in_the_order_of_the_wire_and_its_last_frames() {
    let view = wired().await;
    let (_, page) = get(&view, "/buses/line-1?lang=en").await;
    let places: Vec<usize> = [0, 1, 2, 3, 4, 5]
        .map(|slot| position(&page, view.estate.device(DeviceIndex(slot)).id.as_str()))
        .to_vec();
    assert!(places.is_sorted(), "{places:?}");
    assert!(page.contains("99.9 %") && page.contains("94.7 %") && page.contains("0.0 %"));
    for part in ["01 03 00 00 00 02 C4 0B", "9600 8N1", "2400 8E1", "no whole frame", "modbus-rtu"]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.contains("stay in memory") && page.contains("heat_meter-0-3 went offline"));
    let (_, zh) = get(&view, "/buses/line-1").await;
    assert!(zh.contains("只存在内存中") && zh.contains("heat_meter-0-3 离线"));
    let (head, _) = get(&view, "/buses/nothing").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
}

#[tokio::test]
async fn the_recorder_shows_one_device_when_asked_with_what_came_after_its_requests() {
    let view = wired().await;
    let (_, all) = get(&view, "/buses/line-1?lang=en").await;
    assert!(all.contains("04 03 00 00") && all.contains("01 03 00 00"));
    let first = view.estate.device(DeviceIndex(0)).id.clone();
    let (_, one) = get(&view, &format!("/buses/line-1?lang=en&device={first}")).await;
    assert!(!one.contains("04 03 00 00") && one.contains("01 03 00 00"), "{one}");
    assert!(one.contains("01 03 04 00 01") && one.contains("Frames of all devices"), "{one}");
}

#[tokio::test]
async fn frames_are_downloaded_as_text_and_pcapng_the_recent_and_the_kept() {
    let view = wired().await;
    let (head, recent) = get(&view, "/buses/line-1/frames.txt?lang=en").await;
    assert!(head.contains("attachment; filename=\"line-1-") && head.contains("text/plain"));
    assert_eq!(recent.lines().filter(|line| line.contains(" > ")).count(), 6, "{recent}");
    let kept = view.lines[0].log.kept()[0].at.boot_ms;
    let (_, fault) = get(&view, &format!("/buses/line-1/frames.txt?kept={kept}")).await;
    assert_eq!(fault.lines().filter(|line| line.contains(" > ")).count(), 3, "{fault}");
    let loaded = crate::driver::record::load(fault.as_bytes()).unwrap();
    assert_eq!((loaded.bus.as_str(), loaded.frames.len()), ("line-1", 5));
    let (_, page) = get(&view, &format!("/buses/line-1?lang=en&kept={kept}")).await;
    assert!(page.contains(&format!("frames.pcapng?kept={kept}")) && !page.contains("2400 8E1"));
    for path in ["/buses/line-1/frames.txt?kept=1", "/buses/nothing/frames.pcapng"] {
        assert!(get(&view, path).await.0.starts_with("HTTP/1.1 404"), "{path}");
    }
    let (head, _) = request(&view, "POST /buses/line-1/frames.txt", "Content-Length: 0\r\n").await;
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
    let answer = bytes(&view, "/buses/line-1/frames.pcapng").await;
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(crate::driver::record::load(&answer[body..]).unwrap().frames.len(), 11);
}

/// The whole answer, which need not be text.
async fn bytes(view: &View, path: &str) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let client = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let text = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        stop.cancel();
        answer
    };
    let (served, answer) = tokio::join!(serve(listener, view.clone(), stop.clone()), client);
    served.unwrap();
    answer
}
