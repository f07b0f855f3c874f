//! Each promise breaks by its own fault, and every place says so.

use super::*;
use crate::model::Seq;
use crate::status::sample::{Sample, sample};
use crate::status::{api, metrics, trouble};

const DAY_MS: i64 = 86_400_000;

/// Senders of what the sample does not hold itself.
struct Ends {
    configuration: watch::Sender<Option<Refusal>>,
    certificates: watch::Sender<Vec<Expiry>>,
    memory: watch::Sender<Memory>,
}

async fn rig() -> (Sample, Ends) {
    let mut sample = sample(1, 0).await;
    let (configuration, configuration_seen) = watch::channel(None);
    let (certificates, certificates_seen) = watch::channel(Vec::new());
    let (memory, memory_seen) = watch::channel(Memory::default());
    sample.view.promises = Pledges {
        configuration: configuration_seen,
        certificates: certificates_seen,
        memory: memory_seen,
    };
    (sample, Ends { configuration, certificates, memory })
}

/// The broken promises, by name with their reason.
fn broken(view: &View) -> Vec<(Promise, Words)> {
    standing(view).into_iter().filter_map(|one| Some((one.promise, one.why?))).collect()
}

/// The one broken promise; the metrics and `/readyz` say the same.
fn only(view: &View, promise: Promise) -> Words {
    let all = broken(view);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].0, promise);
    let page = metrics::render(view);
    for one in Promise::ALL {
        let line = format!(
            "linli_promise_kept{{promise=\"{}\"}} {}\n",
            one.word(),
            u8::from(one != promise)
        );
        assert!(page.contains(&line), "{line}");
    }
    let ready = serde_json::to_value(api::ready(view)).unwrap();
    assert_eq!(ready["ready"], promise != Promise::Durable, "{ready}");
    let row = ready["promises"].as_array().unwrap().iter().find(|row| row["kept"] == false);
    assert_eq!(row.unwrap()["promise"], promise.word());
    all[0].1.clone()
}

fn titles(view: &View) -> String {
    let list = trouble::all(view);
    let words = |one: &trouble::Trouble| {
        format!("{} {} {} {}\n", one.title.en, one.title.zh, one.cause.en, one.cause.zh)
    };
    list.iter().map(words).collect()
}

#[tokio::test]
async fn in_a_healthy_gateway_every_promise_is_kept() {
    let (sample, _ends) = rig().await;
    assert_eq!(broken(&sample.view), []);
}

#[tokio::test]
async fn a_disk_that_takes_nothing_breaks_the_promise_that_makes_us_not_ready() {
    let (sample, _ends) = rig().await;
    sample.buffer.send_modify(|status| status.fault = Some("disk full".into()));
    assert_eq!(only(&sample.view, Promise::Durable).en, "disk full");
}

#[tokio::test]
async fn an_outage_its_backlog_and_lost_blocks_break_the_delivery() {
    let (sample, ends) = rig().await;
    let view = &sample.view;
    sample.uplink.send_modify(|status| {
        status.connected = false;
        status.fault = Some(("no route", "无路由").into());
    });
    assert_eq!(only(view, Promise::Delivered), ("no route", "无路由").into());
    // Back, and what was stored meanwhile still goes out.
    let oldest = view.buffer.borrow().oldest_seq.expect("the sample has blocks");
    sample.uplink.send_modify(|status| {
        status.connected = true;
        status.fault = None;
        status.late_below = Some(oldest.next());
    });
    assert!(only(view, Promise::Delivered).en.contains("still on their way"));
    assert!(titles(view).contains("数据尚未全部送达平台"));
    sample.uplink.send_modify(|status| status.late_below = Some(Seq(0)));
    assert_eq!(broken(view), []);
    ends.memory.send_modify(|memory| memory.lost = true);
    assert!(only(view, Promise::Delivered).en.contains("deleted within the last hour"));
    ends.memory.send_modify(|memory| memory.lost = false);
    sample.uplink.send_modify(|status| status.configured = false);
    assert_eq!(only(view, Promise::Delivered).en, "no platform is configured");
}

#[tokio::test]
async fn a_certificate_is_told_thirty_days_ahead_and_louder_when_it_has_expired() {
    let (sample, ends) = rig().await;
    let view = &sample.view;
    let now = view.clock.wall(view.now()).unwrap();
    let expires = |days: i64| {
        let what = "uplink.cert_file".to_owned();
        // In the middle of a day, so that the test's own seconds change nothing.
        let expires_ms = now.unix_ms + days * DAY_MS + DAY_MS / 2;
        ends.certificates.send_replace(vec![Expiry { what, source: "a.pem".into(), expires_ms }]);
    };
    expires(30);
    assert_eq!(broken(view), []);
    expires(29);
    let why = only(view, Promise::Certificate);
    assert_eq!(why.en, "uplink.cert_file (a.pem) expires in 29 days");
    assert!(titles(view).contains("证书即将过期"));
    let line = "linli_certificate_expires_seconds{what=\"uplink.cert_file\"} 2548";
    assert!(metrics::render(view).contains(line), "{}", metrics::render(view));
    expires(-3);
    assert_eq!(only(view, Promise::Certificate).zh, "uplink.cert_file（a.pem）已过期 3 天");
    let first = trouble::all(view).into_iter().next().unwrap();
    assert_eq!(first.title.en, "A certificate has expired");
    assert_eq!(first.severity, trouble::Severity::Critical);
}

#[tokio::test]
async fn renewed_files_that_are_wrong_are_told_while_the_connection_goes_on() {
    let (sample, _ends) = rig().await;
    let fault: Words = ("key_file `k` is wrong", "密钥文件有误").into();
    sample.uplink.send_modify(|status| status.credentials = Some(fault.clone()));
    assert_eq!(only(&sample.view, Promise::Certificate), fault);
    assert!(titles(&sample.view).contains("更换的证书或密码有误"));
}

#[tokio::test]
async fn a_refused_configuration_is_a_trouble_with_its_first_faults_until_a_good_one_runs() {
    let (sample, ends) = rig().await;
    let faults = vec![("line 3: no", "第 3 行：错").into(), ("line 9: no", "第 9 行：错").into()];
    let refusal = Refusal { since: sample.view.now(), faults, count: 4 };
    ends.configuration.send_replace(Some(refusal));
    assert!(only(&sample.view, Promise::Configuration).en.contains("line 3: no"));
    let told = titles(&sample.view);
    assert!(told.contains("line 3: no; line 9: no; and 2 more"), "{told}");
    assert!(told.contains("第 3 行：错；第 9 行：错；另有 2 处"), "{told}");
    ends.configuration.send_replace(None);
    assert_eq!(broken(&sample.view), []);
}

#[tokio::test]
async fn a_field_broker_or_a_line_that_is_down_breaks_the_collection() {
    let (sample, _ends) = rig().await;
    sample.broker.send_modify(|status| status.connected = false);
    assert!(only(&sample.view, Promise::Collected).en.starts_with("the field broker"));
    sample.broker.send_modify(|status| status.connected = true);
    sample.view.buses.with(0, |bus| {
        bus.open = false;
        bus.fault = Some(("gone", "不见").into());
    });
    assert!(only(&sample.view, Promise::Collected).zh.contains("不见"));
}
