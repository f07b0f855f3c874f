//! What people do stands in the trail.

use super::{Access, Site, site};
use crate::status::View;

#[tokio::test]
async fn who_acts_stands_in_the_trail_beside_the_name_in_the_form() {
    let site = site().await;
    let cookie = site.session("wang");
    let csrf = site.form_token(&cookie);
    let headers = format!("Cookie: {cookie}\r\n");
    let form = format!("by=%E5%BC%A0%E4%B8%89&csrf={csrf}");
    site.post("/devices/electricity_meter-0-0/exchange", &headers, &form).await;
    site.post("/stars/attest", &headers, &format!("kind=privacy&by=x&csrf={csrf}")).await;
    let bearer = format!("Authorization: Bearer {}\r\n", site.tokens[1]);
    site.get("/buses/line-1/frames.txt", &bearer).await;
    let viewer = format!("Cookie: {}\r\n", site.session("li"));
    site.post("/stars/withdraw", &viewer, "what=privacy").await;
    let told = site.trail().join("\n");
    for entry in [
        "wang|exchange|failed|electricity_meter-0-0|503 by=张三",
        "wang|attest|failed||503 by=x kind=privacy",
        "token:script-maintainer|frames|done|line-1|",
        "li|withdraw|refused||role",
    ] {
        assert!(told.contains(entry), "{entry}: {told}");
    }
    assert!(!told.contains(&csrf));
    assert_eq!(site.audit.trail().verify().unwrap().fault, None);
}

#[tokio::test]
async fn the_page_and_the_api_show_the_trail_in_both_languages() {
    let site = site().await;
    for _ in 0..60 {
        site.view.access.look(false);
        let deed =
            crate::audit::Deed::done("<b>", "10.0.0.1", crate::audit::Action::Scan, "line-1");
        site.audit.note_soon(deed);
    }
    let headers = format!("Cookie: {}\r\n", site.session("wang"));
    let zh = site.get("/audit", &headers).await.body;
    assert!(zh.contains("操作记录") && zh.contains("扫描总线") && zh.contains("更早"));
    assert!(zh.contains("&lt;b&gt;") && !zh.contains("<b>："));
    let en = site.get("/audit?lang=en&who=console", &headers).await.body;
    assert!(en.contains("user added") && !en.contains("bus scanned"));
    let page = site.get("/api/v1/audit?limit=2&who=%3Cb%3E", &headers).await.body;
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["entries"].as_array().unwrap().len(), 2);
    let before = page["next"].as_u64().unwrap();
    let next = site.get(&format!("/api/v1/audit?before={before}"), &headers).await.body;
    assert!(next.contains(&format!("\"number\":{}", before - 1)));
    for wrong in ["limit=0", "limit=x", "day=x", "before=x", "day=2026-13-01"] {
        assert_eq!(
            site.get(&format!("/api/v1/audit?{wrong}"), &headers).await.status,
            400,
            "{wrong}"
        );
    }
    let day = site.get("/api/v1/audit?day=2001-01-01", &headers).await.body;
    assert!(day.contains("\"entries\":[]"));
    let verified = site.get("/api/v1/audit/verify", &headers).await.body;
    assert!(verified.contains("\"entries\":64"), "{verified}");
}

#[tokio::test]
async fn an_open_page_notes_what_is_done_as_done_on_this_machine() {
    let site = site().await;
    let access = Access::open(site.view.clock.clone(), Some(site.audit.clone()));
    let view = View { access, ..site.view.clone() };
    let site = Site { view, ..site };
    site.post("/devices/electricity_meter-0-0/exchange", "", "by=x").await;
    assert!(site.trail().join("\n").contains("local|exchange|failed|electricity_meter-0-0"));
    let foreign = "Origin: http://evil.cn\r\n";
    assert_eq!(site.post("/stars/withdraw", foreign, "what=x").await.status, 403);
    assert_eq!(site.get("/login", "").await.status, 303);
    assert!(!site.get("/", "").await.body.contains("/logout"));
}

#[tokio::test]
async fn an_open_page_answers_to_no_name_that_somebody_else_gave_this_machine() {
    let site = site().await;
    let access = Access::open(site.view.clock.clone(), None);
    let site = Site { view: View { access, ..site.view.clone() }, ..site };
    for foreign in
        ["evil.cn", "evil.cn:8080", "localhost.evil.cn", "192.168.1.9", "[2001:db8::1]:80"]
    {
        let headers = format!("Host: {foreign}\r\n");
        assert_eq!(site.get("/api/v1/devices", &headers).await.status, 421, "{foreign}");
    }
    for own in ["localhost", "LOCALHOST:8080", "127.0.0.1:9", "127.1.2.3", "[::1]:8080"] {
        let headers = format!("Host: {own}\r\n");
        assert_eq!(site.get("/api/v1/devices", &headers).await.status, 200, "{own}");
    }
}
