//! Attestations over real HTTP: given, shown, withdrawn, refused.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::*;
use crate::model::EventKind;
use crate::pipeline::Act;
use crate::starlevel::{AttestationDesk, AttestationResult, Discovered, RulePack};
use crate::store::{Limits, Store};

struct Rig {
    view: View,
    acts: mpsc::Receiver<Act>,
    store: Store,
    folder: tempfile::TempDir,
    _sample: Rest,
}

/// Keeps the channels of the sample open.
type Rest = Box<dyn std::any::Any>;

impl Rig {
    async fn new() -> Self {
        let Sample { mut view, buffer, uplink, broker } = sample(1, 0).await;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
        let (acts_in, acts) = mpsc::channel(16);
        view.acts = acts_in;
        view.desk = Some(open(&view, &store));
        Self { view, acts, store, folder, _sample: Box::new((buffer, uplink, broker)) }
    }

    fn events(&mut self) -> Vec<EventKind> {
        let mut events = Vec::new();
        while let Ok(act) = self.acts.try_recv() {
            let Act::Kept(kind) = act else { panic!("{act:?}") };
            events.push(kind);
        }
        events
    }
}

fn open(view: &View, store: &Store) -> AttestationDesk {
    let estate = Arc::clone(&view.estate);
    AttestationDesk::open(store, estate, RulePack::built_in(), Vec::new()).unwrap()
}

pub(super) const OURS: &str = "Origin: http://localhost\r\n";

/// Posts a form; pairs as `key=value`, names in Chinese are encoded by the browser.
pub(super) async fn post(view: &View, path: &str, origin: &str, form: &str) -> (String, String) {
    let form: String = form.bytes().fold(String::new(), |mut out, byte| {
        match byte.is_ascii() {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
        out
    });
    // What stands after the empty line is the body.
    let headers = format!(
        "{origin}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    request(view, &format!("POST {path}"), &headers).await
}

#[tokio::test]
async fn what_a_person_attests_is_durable_shown_in_both_languages_and_told_to_the_platform() {
    let mut rig = Rig::new().await;
    let form =
        "kind=inventory&electricity_meter=24&water_meter=&gas_meter=3&by=王建国&until=&note=盘点";
    let (head, body) = post(&rig.view, "/stars/attest", OURS, form).await;
    assert!(
        head.starts_with("HTTP/1.1 303") && head.contains("/stars#attestations"),
        "{head} {body}"
    );
    let events = rig.events();
    assert_eq!(events.len(), 2, "a category left empty is not attested");
    let EventKind::Attested { what, said, by, until, .. } = &events[0] else { panic!() };
    assert_eq!((what.as_str(), by.as_str()), ("inventory/electricity_meter", "王建国"));
    assert!(said.contains("24") && until.starts_with("20"), "{said} {until}");
    let (_, zh) = get(&rig.view, "/stars").await;
    let (_, en) = get(&rig.view, "/stars?lang=en").await;
    assert!(zh.contains("设备清单：电表 24 台") && zh.contains("有效，还有 365 天"), "{zh}");
    assert!(
        en.contains("Inventory: Electricity meter × 24") && en.contains("valid, 365 days left")
    );
    assert!(zh.contains("王建国") && zh.contains("盘点") && zh.contains("撤回"));
    // Already durable: another store on the same files has it.
    drop(rig.view.desk.take());
    let path = rig.store.path().to_owned();
    drop(rig.store);
    let store = Store::open(&path, Limits::default()).unwrap();
    assert_eq!(open(&rig.view, &store).attested().borrow().page.len(), 2);
}

#[tokio::test]
async fn it_is_withdrawn_by_name_and_the_record_says_who() {
    let mut rig = Rig::new().await;
    post(&rig.view, "/stars/attest", OURS, "kind=privacy&document=说明&by=李敏").await;
    let (head, _) = post(&rig.view, "/stars/withdraw", OURS, "what=privacy&by=").await;
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    let (head, _) = post(&rig.view, "/stars/withdraw", OURS, "what=privacy&by=赵").await;
    assert!(head.starts_with("HTTP/1.1 303"), "{head}");
    let events = rig.events();
    let withdrawn = EventKind::AttestationWithdrawn { what: "privacy".into(), by: "赵".into() };
    assert_eq!(events[1], withdrawn);
    let (_, page) = get(&rig.view, "/stars").await;
    assert!(page.contains("尚无签认"));
    assert!(position(&page, "<span>赵</span>") < position(&page, "<span>李敏</span>"));
    let (head, body) = post(&rig.view, "/stars/withdraw", OURS, "what=privacy&by=赵").await;
    assert!(head.starts_with("HTTP/1.1 404") && body.contains("此处没有这项签认"), "{head} {body}");
}

#[tokio::test]
async fn forms_of_other_sites_and_wrong_values_are_refused_and_nothing_is_kept() {
    let mut rig = Rig::new().await;
    let good = "kind=privacy&document=a&by=王";
    for origin in ["Origin: http://evil\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n"]
    {
        for path in ["/stars/attest", "/stars/withdraw"] {
            let (head, _) = post(&rig.view, path, origin, good).await;
            assert!(head.starts_with("HTTP/1.1 403"), "{path} {origin} {head}");
        }
    }
    for (form, told) in [
        ("kind=privacy&document=a&by=+", "by：为空 / by: is empty"),
        ("kind=privacy&document=a", "by：为空"),
        ("kind=privacy&document=&by=王", "document：为空"),
        ("kind=privacy&document=a&by=王&until=2199-01-01", "until：超过签认日期"),
        ("kind=privacy&document=a&by=王&until=soon", "until：不是日期"),
        ("kind=inventory&by=王", "devices：未填写任何数量"),
        ("kind=inventory&water_meter=2.5&by=王", "water_meter：不是 0 至 100000 的整数"),
        ("kind=inventory&water_meter=x&by=王", "water_meter：不是"),
        ("kind=not_applicable&category=other&reason=a&by=王", "category：不是十二类之一"),
        ("kind=not_applicable&category=gas_meter&by=王", "reason：为空"),
        ("kind=security_grading&document=a&by=王", "issuer：为空"),
        ("kind=advisory&item=SD9&percent=1&origin=a&by=王", "item：不在规则包之列"),
        ("kind=advisory&item=SD1&percent=101&origin=a&by=王", "percent：不是 0 至 100 的数"),
        ("kind=star&by=王", "kind：不是可签认的事项"),
    ] {
        let (head, body) = post(&rig.view, "/stars/attest", OURS, form).await;
        assert!(head.starts_with("HTTP/1.1 400") && body.contains(told), "{form}: {head} {body}");
    }
    assert_eq!(rig.events(), []);
    let attested = rig.view.desk.as_ref().unwrap().attested().borrow().clone();
    assert!(attested.page.is_empty() && attested.deeds.is_empty());
    let (head, _) = get(&rig.view, "/stars").await;
    assert!(head.contains("same-origin"), "a form must name its origin: {head}");
}

#[tokio::test]
async fn a_store_that_refuses_shows_on_the_page_and_nothing_is_told_as_kept() {
    let mut rig = Rig::new().await;
    let path = rig.store.path().to_owned();
    std::fs::rename(&path, rig.folder.path().join("aside")).unwrap();
    std::fs::write(&path, "").unwrap();
    rig.store.reopen().unwrap_err();
    let (head, body) =
        post(&rig.view, "/stars/attest", OURS, "kind=privacy&document=a&by=王").await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(body.contains("未能保存") && body.contains("it is not kept"), "{body}");
    assert_eq!(rig.events(), []);
    assert!(get(&rig.view, "/stars").await.1.contains("尚无签认"));
}

#[tokio::test]
async fn what_people_and_devices_say_is_never_markup_and_found_devices_are_listed() {
    let rig = Rig::new().await;
    let desk = rig.view.desk.as_ref().unwrap();
    let device = Discovered {
        bus: "line-1".into(),
        address: "000023669245".into(),
        protocol: "dlt645-2007".into(),
        category: Some(crate::model::Category::ElectricityMeter),
        first_seen_ms: Some(1_767_196_800_000),
    };
    assert!(desk.discover(&device).unwrap());
    let form = "kind=security_grading&document=<img src=x>&issuer=<i>&by=<b>x&note=<u>";
    let (head, _) = post(&rig.view, "/stars/attest", OURS, form).await;
    assert!(head.starts_with("HTTP/1.1 303"), "{head}");
    for lang in ["zh", "en"] {
        let (_, page) = get(&rig.view, &format!("/stars?lang={lang}")).await;
        for part in ["<img", "<i>&", "<b>x", "<u>"] {
            assert!(!page.contains(part), "{part}");
        }
        assert!(page.contains("line-1 000023669245") && page.contains("2026-01-01 00:00:00"));
    }
}

#[tokio::test]
async fn a_word_that_ended_or_soon_will_is_told_on_the_first_page() {
    let mut view = sample(1, 0).await.view;
    let mut assessment = (**view.assessment.borrow().as_ref().unwrap()).clone();
    let said = |state: &str, days: Option<i64>| -> AttestationResult {
        serde_json::from_value(serde_json::json!({
            "kind": "privacy", "document": "D-1", "by": "李敏", "on": "2026-01-01",
            "until": "2026-12-31", "source": "file", "state": state, "days_left": days,
        }))
        .unwrap()
    };
    let words = [said("expired", None), said("valid", Some(30)), said("valid", Some(31))];
    assessment.attestations = words.to_vec();
    view.assessment = watch::channel(Some(Arc::new(assessment))).1;
    let troubles = json(&view, "/api/v1/gateway").await["troubles"].clone();
    let titles: Vec<&str> = troubles
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|trouble| trouble["title"]["en"].as_str())
        .filter(|title| title.contains("attestation"))
        .collect();
    assert_eq!(titles, ["An attestation has expired", "An attestation expires in 30 days"]);
    let (_, zh) = get(&view, "/").await;
    assert!(zh.contains("签认还有 30 天到期") && zh.contains("/stars#attestations"));
}

/// Posts JSON, as programs do.
async fn post_json(view: &View, path: &str, body: &str) -> (String, String) {
    let headers =
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    request(view, &format!("POST {path}"), &headers).await
}

#[tokio::test]
async fn programs_attest_and_withdraw_as_forms_do_and_are_told_which_value_is_wrong() {
    let mut rig = Rig::new().await;
    let attest = "/api/v1/stars/attest";
    for (body, status, told) in [
        (r#"{"subject":{"kind":"privacy","document":" "},"by":"王"}"#, "400", "document"),
        (
            r#"{"subject":{"kind":"privacy","document":"a"},"by":"王","until":"soon"}"#,
            "400",
            "until",
        ),
        (
            r#"{"subject":{"kind":"inventory","category":"other","devices":1},"by":"王"}"#,
            "400",
            "category",
        ),
        (
            r#"{"subject":{"kind":"inventory","category":"gas_meter","devices":100001},"by":"王"}"#,
            "400",
            "devices",
        ),
        (
            r#"{"subject":{"kind":"advisory","item":"SD1","share":1.5,"origin":"a"},"by":"王"}"#,
            "400",
            "share",
        ),
        (
            r#"{"subject":{"kind":"advisory","item":"SD9","share":1,"origin":"a"},"by":"王"}"#,
            "400",
            "item",
        ),
        (r#"{"subject":{"kind":"star"},"by":"王"}"#, "422", "star"),
        (r#"{"subject":{"kind":"privacy","document":"a"},"buy":"王"}"#, "422", "buy"),
        ("no JSON", "400", ""),
    ] {
        let (head, said) = post_json(&rig.view, attest, body).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{body}: {head} {said}");
        assert!(said.contains("\"error\"") && said.contains(told), "{body}: {said}");
    }
    assert_eq!(rig.events(), []);
    let good = r#"{"subject":{"kind":"privacy","document":"说明"},"by":"王","note":"网上"}"#;
    let (head, said) = post_json(&rig.view, attest, good).await;
    assert!(head.starts_with("HTTP/1.1 200") && said == r#"{"done":true}"#, "{head} {said}");
    let withdraw = "/api/v1/stars/withdraw";
    let (head, said) = post_json(&rig.view, withdraw, r#"{"what":"privacy","by":"李"}"#).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head} {said}");
    let (head, said) = post_json(&rig.view, withdraw, r#"{"what":"privacy","by":"李"}"#).await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head} {said}");
    let kinds = rig.events();
    let withdrawn = EventKind::AttestationWithdrawn { what: "privacy".into(), by: "李".into() };
    assert!(matches!(&kinds[0], EventKind::Attested { by, .. } if by == "王"), "{kinds:?}");
    assert_eq!(kinds[1], withdrawn);
}

#[tokio::test]
async fn a_program_records_that_a_meter_was_exchanged() {
    let mut rig = Rig::new().await;
    let path = "/api/v1/devices/electricity_meter-0-0/exchange";
    let long = format!(r#"{{"by":"{}"}}"#, "x".repeat(65));
    let (head, said) = post_json(&rig.view, path, &long).await;
    assert!(head.starts_with("HTTP/1.1 400") && said.contains("64"), "{head} {said}");
    let answered = async {
        let Some(Act::MeterExchanged { device, by, reply }) = rig.acts.recv().await else {
            panic!("no exchange");
        };
        assert_eq!((device.as_str(), by.as_str()), ("electricity_meter-0-0", "王"));
        reply.send(Ok(())).unwrap();
    };
    let (answer, ()) = tokio::join!(post_json(&rig.view, path, r#"{"by":"王"}"#), answered);
    assert!(answer.0.starts_with("HTTP/1.1 200"), "{answer:?}");
}
