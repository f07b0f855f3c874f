//! What the points were on the page and for scripts; streams of what changes.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{Sample, get, json, position, request, sample, serve};
use crate::history::{Config, History};
use crate::model::{DeviceIndex, PointIndex, Reading, Value, WallTime};

const METER: &str = "electricity_meter-0-0";

/// A day of the meter: its power rises by 10 W every five minutes, its energy by 1 kWh.
async fn with_history(folder: &std::path::Path) -> Sample {
    let mut sample = sample(1, 0).await;
    let view = &mut sample.view;
    let config = Config { keep_free: 0, ..Config::default() };
    let (history, mut writer) =
        History::new(&config, folder, Arc::clone(&view.estate), view.clock.clone());
    let now = view.clock.best_wall(view.clock.now()).unix_ms;
    for step in 0..288i64 {
        let wall = WallTime { unix_ms: now - (287 - step) * 300_000 };
        let tell = |point, value| history.tell(DeviceIndex(0), PointIndex(point), wall, value);
        tell(0, 48_000.0 + step as f64);
        tell(1, 500.0 + 10.0 * step as f64);
        tell(1, 507.0 + 10.0 * step as f64);
        if step % 10 == 0 {
            writer.turn(Some(wall), crate::history::Turn::Regular);
        }
    }
    view.history = Some(history);
    sample
}

#[tokio::test]
async fn the_history_as_json_has_a_step_a_place_and_refuses_what_it_does_not_know() {
    let place = tempfile::tempdir().unwrap();
    let sample = with_history(place.path()).await;
    let path = format!("/api/v1/devices/{METER}/history");
    let day = json(&sample.view, &path).await;
    assert_eq!((&day["step_s"], &day["device"]), (&300.into(), &METER.into()));
    let power = &day["points"][1];
    assert_eq!((&power["name"], &power["unit"]), (&"totalActivePower".into(), &"W".into()));
    assert_eq!(power["begin_s"].as_array().unwrap().len(), 288);
    assert_eq!((&power["min"][287], &power["max"][287]), (&3370.0.into(), &3377.0.into()));
    assert_eq!(day["points"][2]["last"].as_array().unwrap().len(), 0, "never told");
    let hours =
        json(&sample.view, &format!("{path}?span=7d&step=1h&points=totalActivePower")).await;
    let last = hours["points"][0]["last"].as_array().unwrap();
    assert!((24..=25).contains(&last.len()), "{}", last.len());
    for (query, part) in [
        ("?step=7m", "`step` = `7m`"),
        ("?from=2026-01-01&to=2026-01-01", "not before"),
        ("?from=yesterday", "no time"),
        ("?from=2020-01-01&step=5m", "at most 12000"),
        ("?points=totalActivePowr", "`totalActivePower`"),
        ("?form=2026-01-01", "`from`"),
        ("?span=2d", "24h, 7d, 30d"),
    ] {
        let (head, body) = get(&sample.view, &format!("{path}{query}")).await;
        assert!(head.starts_with("HTTP/1.1 400") && body.contains(part), "{query}: {head} {body}");
    }
    let (head, _) = get(&sample.view, "/api/v1/devices/nobody/history").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
}

#[tokio::test]
async fn the_table_for_spreadsheets_has_a_mark_names_with_units_and_every_step() {
    let place = tempfile::tempdir().unwrap();
    let sample = with_history(place.path()).await;
    let path = format!("/api/v1/devices/{METER}/history.csv");
    let (head, body) = get(&sample.view, &path).await;
    assert!(head.contains("text/csv; charset=utf-8"), "{head}");
    assert!(head.contains(&format!("filename=\"{METER}.csv\"")), "{head}");
    let text = unchunked(&body);
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "\u{feff}时间 (+08:00),正向有功总电能 [kWh],总有功功率 最低 [W],总有功功率 最高 [W],\
         总有功功率 最后 [W],A相电压 最低 [V],A相电压 最高 [V],A相电压 最后 [V]"
    );
    assert_eq!(lines.len(), 1 + 288 + 1, "a head, the steps, the last end of a line");
    assert!(lines[288].ends_with(",48287.00,3370,3377,3377,,,"), "{}", lines[288]);
    assert!(lines.iter().skip(1).take(288).is_sorted());
    let (_, en) = get(&sample.view, &format!("{path}?lang=en&points=phaseVoltage")).await;
    assert!(unchunked(&en).starts_with("\u{feff}time (+08:00),Voltage L1 lowest [V],"), "{en}");
}

/// The content of an answer in chunks.
fn unchunked(body: &str) -> String {
    let (mut rest, mut text) = (body.as_bytes(), Vec::new());
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return String::from_utf8(text).unwrap();
        }
        text.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
    }
}

#[tokio::test]
async fn the_page_has_places_for_charts_and_a_table_without_scripts_in_both_languages() {
    let place = tempfile::tempdir().unwrap();
    let sample = with_history(place.path()).await;
    let path = format!("/devices/{METER}");
    let (_, zh) = get(&sample.view, &path).await;
    assert_eq!(zh.matches("data-chart=").count(), 3);
    assert!(zh.contains("24 小时") && zh.contains("下载 CSV") && zh.contains("需要 JavaScript"));
    assert!(position(&zh, "data-point=\"totalActivePower\"") < position(&zh, "id=\"history\""));
    let (_, en) = get(&sample.view, &format!("{path}?lang=en&span=7d")).await;
    assert!(
        en.contains("30 days")
            && en.contains("data-span=\"7d\"")
            && en.contains("data-step=\"1800\"")
    );
    // No script and no style within the page, but files of it.
    assert!(!en.contains("<style") && !en.contains(" style=") && !en.contains("<script>"));
    let (_, table) = get(&sample.view, &format!("{path}?lang=en&as=table")).await;
    assert!(table.contains("3377 W") && table.contains("48287.00 kWh"), "the newest hour");
    assert!(!table.contains("data-chart=") && !table.contains("Voltage L1</th>"));
    // A state is a band with what its codes mean.
    let (_, screen) = get(&sample.view, "/devices/info_screen-0-9").await;
    assert!(screen.contains("data-band=\"state\"") && screen.contains("空闲"), "{screen}");
}

#[tokio::test]
async fn without_a_history_the_page_shows_none_and_the_interface_says_so() {
    let sample = sample(1, 0).await;
    let (_, page) = get(&sample.view, &format!("/devices/{METER}")).await;
    assert!(!page.contains("id=\"history\""));
    let (head, body) = get(&sample.view, &format!("/api/v1/devices/{METER}/history")).await;
    assert!(head.starts_with("HTTP/1.1 404") && body.contains("enabled = false"), "{body}");
}

#[tokio::test]
async fn scripts_get_one_look_and_everything_that_is_known() {
    let sample = sample(1, 0).await;
    let (head, body) =
        get(&sample.view, &format!("/api/v1/devices/{METER}/live?once&lang=en")).await;
    assert!(head.contains("text/event-stream"), "{head}");
    assert!(body.contains("event: values") && body.contains("totalActiveEnergyImport"), "{body}");
    let (_, body) = get(&sample.view, "/api/v1/events?once").await;
    let line = "\"device\":\"heat_meter-0-3\",\"health\":\"offline\"";
    assert!(body.contains("event: health") && body.contains(line), "{body}");
}

async fn open(address: std::net::SocketAddr) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let line =
        format!("GET /api/v1/devices/{METER}/live?lang=en HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(line.as_bytes()).await.unwrap();
    BufReader::new(stream)
}

/// The next line of data.
async fn next(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    while !line.starts_with("data: ") {
        line.clear();
        let read = timeout(Duration::from_secs(20), stream.read_line(&mut line)).await;
        assert!(read.unwrap().unwrap() > 0, "the stream ended");
    }
    line
}

#[tokio::test]
async fn a_stream_tells_what_changes_is_bounded_in_number_and_ends_with_the_page() {
    let sample = sample(1, 0).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let view = sample.view.clone();
    let client = async {
        let mut streams = Vec::new();
        for _ in 0..6 {
            let mut stream = open(address).await;
            assert!(next(&mut stream).await.contains("phaseVoltage"), "first all of them");
            streams.push(stream);
        }
        let line = format!("GET /api/v1/devices/{METER}/live");
        let (head, body) = request(&view, &line, "").await;
        assert!(head.starts_with("HTTP/1.1 503"), "{head}");
        assert!(body.contains("too many live streams"), "{body}");
        view.snapshot.with(DeviceIndex(0), |state| {
            state.apply(view.now(), &Reading::good(PointIndex(1), Value::Number(77.0)));
        });
        let changed = next(&mut streams[0]).await;
        assert!(changed.contains("77 W") && !changed.contains("phaseVoltage"), "{changed}");
        stop.cancel();
        let mut rest = Vec::new();
        streams[0].read_to_end(&mut rest).await.unwrap();
        assert!(rest.ends_with(b"0\r\n\r\n"), "it ends in order and is not cut");
    };
    let (served, ()) = tokio::join!(serve(listener, sample.view.clone(), stop.clone()), client);
    served.unwrap();
}
