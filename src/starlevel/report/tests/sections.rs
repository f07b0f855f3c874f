//! What every section of the page shows, in both languages, and that it is signed with the rest.

use super::*;
use crate::model::{RiskCause, RiskCounts, RiskGrade};
use crate::starlevel::{
    Attestation, AttestationResult, AttestationSource, Bilingual, Day, DeviceCause, Outcome,
    RiskReport, RiskVisit, SelfTestItem, Standing, Subject,
};

/// A name as people may give one.
const NAME: &str = "3号楼<东>&泵房";
/// The same as the page must write it.
const WRITTEN: &str = "3号楼&lt;东&gt;&amp;泵房";

fn both(zh: &str, en: &str) -> Bilingual {
    Bilingual::new(zh, en)
}

fn said(subject: Subject, state: Standing, days_left: Option<i64>) -> AttestationResult {
    let attestation = Attestation {
        subject,
        by: "王<丽>".into(),
        on: Day::parse("2025-06-01").unwrap(),
        until: Day::parse("2026-01-20").unwrap(),
        note: "物业 & 居委会".into(),
    };
    AttestationResult { attestation, source: AttestationSource::Page, state, days_left }
}

fn attested() -> Vec<AttestationResult> {
    let inventory = Subject::Inventory { category: Category::WaterMeter, devices: 412 };
    let grading = Subject::SecurityGrading {
        document: "威公备-77".into(),
        issuer: "测评<中心>".into(),
    };
    let reason = "无集中供暖".into();
    let none = Subject::NotApplicable { category: Category::HeatMeter, reason };
    vec![
        said(inventory, Standing::Valid, Some(17)),
        said(none, Standing::Contradicted, None),
        said(grading, Standing::Expired, None),
    ]
}

fn visit(grade: RiskGrade, causes: Vec<RiskCause>) -> RiskVisit {
    RiskVisit {
        device: "pump-3".into(),
        name: NAME.into(),
        grade,
        since_ms: Some(MIDNIGHT + HOUR),
        causes,
        advice: Some(both("现场查看供电", "check the power")),
    }
}

fn risk() -> RiskReport {
    let (zh, en) = ("离线 5 小时".into(), "offline for 5 h".into());
    let cause = RiskCause { code: "offline".into(), zh, en };
    RiskReport {
        rules: "linli-risk 9.9".into(),
        grade: RiskGrade::Medium,
        counts: RiskCounts { low: 301, medium: 32, high: 7, unknown: 4 },
        devices: vec![visit(RiskGrade::High, vec![cause]), visit(RiskGrade::Medium, Vec::new())],
        more: 37,
    }
}

fn self_test() -> Vec<SelfTestItem> {
    let item = |id: &str, zh: &str, en: &str, outcome, todo| SelfTestItem {
        id: id.into(),
        title: both(zh, en),
        outcome,
        seen: both("明文 1883", "plain 1883"),
        todo,
    };
    let todo = Some(both("请启用 TLS", "turn TLS on"));
    vec![
        item("platform_tls", "平台链路加密", "Uplink encrypted", Outcome::NotMet, todo),
        item("page", "页面仅限本机", "Page on loopback", Outcome::Met, None),
    ]
}

/// An assessment in which every part has something to say.
fn full() -> (Play, Assessment) {
    let play = three_days();
    let mut result = play.assessment();
    result.attestations = attested();
    result.risk = Some(risk());
    result.self_test = self_test();
    result.found_unknown = 6;
    result.advisory[0].value = Some(0.873);
    result.advisory[0].outcome = Outcome::Met;
    let row = result.categories.iter_mut().find(|row| row.category == Category::WaterMeter);
    let row = row.unwrap();
    (row.inventory, row.connected, row.found) = (Some(412), 388, 23);
    let row = result.categories.iter_mut().find(|row| row.category == Category::HeatMeter);
    row.unwrap().out_of_season = true;
    let id = result.missing[0].clone();
    let check = result.checks.iter_mut().find(|check| check.id == id).unwrap();
    check.since_ms = Some(MIDNIGHT + 2 * HOUR);
    check.devices = vec![DeviceCause {
        device: "pump-3".into(),
        name: NAME.into(),
        health: Health::Online,
        cause: None,
        for_s: None,
        since_ms: Some(MIDNIGHT),
        online_rate: 0.5,
        share: None,
        lacks: Some(both("缺维护单位", "lacks maintainer")),
    }];
    (play, result)
}

fn page(play: &Play, result: &Assessment) -> String {
    play.reporter().make(result, Form::Html, &[], Some(play.wall())).unwrap()
}

/// The page from a section's heading up to the next one.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("<h2>{heading}")).expect(heading);
    rest.split("<h2>").next().unwrap()
}

#[track_caller]
fn shows(section: &str, parts: &[&str]) {
    for part in parts {
        assert!(section.contains(part), "{part}: {section}");
    }
}

#[test]
fn attestations_show_what_by_whom_from_when_until_when_and_whether_they_hold() {
    let (play, result) = full();
    let page = page(&play, &result);
    let part = section(&page, "负责人签认");
    shows(part, &["Attestations", "设备清单：水表 412 台", "Inventory: Water meter × 412"]);
    shows(part, &["王&lt;丽&gt;", "2025-06-01", "2026-01-20", "物业 &amp; 居委会"]);
    shows(part, &["还有 17 天到期", "expires in 17 days", "已过期", "expired"]);
    shows(part, &["与现有设备矛盾", "contradicted by a device", "测评&lt;中心&gt;"]);
    shows(part, &["网关页面", "gateway's page"]);
    assert_eq!((part.matches("✓").count(), part.matches("✗").count()), (1, 2));
}

#[test]
fn the_advisory_list_stands_apart_with_all_its_items_and_says_that_no_star_depends_on_it() {
    let (play, result) = full();
    let page = page(&play, &result);
    let part = section(&page, "参考指标（不计入星级）");
    shows(part, &["never part of the star", "SD1", "SD2", "SD3", "SD4", "SD5", "87.3 %"]);
    assert_eq!(part.matches("证据不足").count(), 4);
    for item in &result.advisory {
        shows(part, &[&item.title.zh, &item.title.en]);
    }
    assert!(!section(&page, "全部检查项").contains("SD1"));
}

#[test]
fn categories_show_inventory_connected_found_and_what_is_out_of_season() {
    let (play, result) = full();
    let page = page(&play, &result);
    let part = section(&page, "十二类设备");
    shows(part, &["清单", "Inventory", "已接入", "Connected", "未登记", "Found only"]);
    shows(part, &["非供暖季", "out of season", "类别不明的未登记设备 6 台"]);
    let (_, water) = part.split_once("水表").unwrap();
    let water = water.split("</tr>").next().unwrap();
    let numbers: Vec<&str> = water
        .split("<td class=\"n\">")
        .skip(1)
        .map(|cell| cell.split('<').next().unwrap())
        .collect();
    assert_eq!(numbers[..4], ["412", "1", "388", "23"]);
}

#[test]
fn the_risk_shows_devices_by_grade_and_whom_to_visit_with_causes_and_advice() {
    let (play, result) = full();
    let page = page(&play, &result);
    let part = section(&page, "设备风险");
    shows(part, &["Equipment risk", "301 台", "32 台", "7 台", "4 台", "linli-risk 9.9"]);
    shows(part, &[WRITTEN, "pump-3", "离线 5 小时", "offline for 5 h", "2026-01-01 01:00"]);
    shows(part, &["现场查看供电", "check the power", "另有 37 台", "and 37 more"]);
    shows(part, &["现状已好转", "the grade falls after it has held"]);
    assert!(!part.contains(NAME));
}

#[test]
fn the_self_test_shows_each_item_what_was_seen_and_what_to_do() {
    let (play, result) = full();
    let page = page(&play, &result);
    let part = section(&page, "网关安全自检");
    shows(part, &["G2", "1 of 2 items pass", "平台链路加密", "Uplink encrypted", "未达标"]);
    shows(part, &["Not met", "明文 1883", "plain 1883", "请启用 TLS", "turn TLS on", "达标"]);
    shows(part, &["页面仅限本机", "Page on loopback"]);
}

#[test]
fn a_check_that_is_missing_says_since_when_and_what_the_register_lacks() {
    let (play, result) = full();
    let page = page(&play, &result);
    let part = section(&page, &format!("升至 {} 星尚缺", result.next.unwrap()));
    shows(part, &["自 2026-01-01 02:00", "起未通过", "Not passed since 2026-01-01 02:00"]);
    shows(part, &["缺维护单位", "lacks maintainer", WRITTEN]);
}

#[test]
fn what_another_star_wants_says_in_the_table_why_it_does_not_pass() {
    let (play, mut result) = full();
    let later = result
        .checks
        .iter_mut()
        .find(|check| !check.outcome.passes() && !result.missing.contains(&check.id))
        .unwrap();
    later.reason = Some(both("无人测过", "nobody measured it"));
    later.since_ms = Some(MIDNIGHT + 3 * HOUR);
    let page = page(&play, &result);
    let part = section(&page, "全部检查项");
    shows(part, &["无人测过", "nobody measured it", "not passed since 2026-01-01 03:00"]);
}

#[test]
fn a_page_with_every_section_verifies_and_a_changed_sign_in_each_of_them_does_not() {
    let (play, result) = full();
    let page = page(&play, &result);
    let key = *play.key().public();
    let found = verify(page.as_bytes(), Some(&key));
    assert!(found.good, "{}", faults(&found));
    assert_eq!(super::super::seal::open(page.as_bytes()).unwrap().report.assessment, result);
    assert!(!page.contains(NAME), "neither as markup nor in the element of the data");
    for (was, now) in [
        ("expires in 17 days", "expires in 97 days"),
        ("87.3 %", "97.3 %"),
        ("<td class=\"n\">388</td>", "<td class=\"n\">412</td>"),
        ("offline for 5 h", "offline for 1 h"),
        ("turn TLS on", "turn TLS up"),
        ("lacks maintainer", "lacks nothing at"),
        (WRITTEN, "4号楼&lt;东&gt;&amp;泵房"),
    ] {
        assert!(page.contains(was), "{was}");
        let changed = page.replacen(was, now, 1);
        assert!(!verify(changed.as_bytes(), Some(&key)).good, "{was}");
    }
}

#[test]
fn parts_without_anything_to_say_are_not_there() {
    let play = three_days();
    let mut result = play.assessment();
    result.risk = None;
    result.self_test.clear();
    result.advisory.clear();
    let page = page(&play, &result);
    for heading in ["设备风险", "网关安全自检", "参考指标（不计入星级）"] {
        assert!(!page.contains(&format!("<h2>{heading}")), "{heading}");
    }
    shows(section(&page, "负责人签认"), &["尚无签认", "Nothing is attested"]);
}
