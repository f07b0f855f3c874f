//! What the pages, the API and the metrics say about the risk grades and the self-test.

use super::*;

#[tokio::test]
async fn who_is_to_be_visited_stands_on_the_first_page_with_cause_and_advice_in_both_languages() {
    let view = sample(1, 0).await.view;
    let (_, zh) = get(&view, "/").await;
    let (_, en) = get(&view, "/?lang=en").await;
    let (zh, en) =
        (zh.split_at(position(&zh, "id=\"risk\"")).1, en.split_at(position(&en, "id=\"risk\"")).1);
    assert!(zh.contains("优先巡检") && en.contains("To be visited first"));
    assert!(zh.contains(">中风险</span>") && en.contains(">Medium</span>"));
    assert!(zh.contains("1号楼热量表") && zh.contains("离线 68 分钟"), "{zh}");
    assert!(en.contains("offline for 68 min") && en.contains("check power, wiring"));
    assert!(!zh.contains("1号楼电表"), "a low one is no visit");
}

#[tokio::test]
async fn each_device_shows_its_grade_and_the_list_can_be_of_those_to_be_visited() {
    let view = sample(1, 0).await.view;
    let (_, all) = get(&view, "/devices").await;
    assert!(all.contains("低风险") && all.contains("中风险"));
    let (_, visits) = get(&view, "/devices?risk=visit").await;
    assert!(visits.contains("1号楼热量表") && !visits.contains("1号楼电表"));
    let (_, broken) = get(&view, "/devices/heat_meter-0-3?lang=en").await;
    assert!(broken.contains("Medium risk") && broken.contains("offline for 68 min"));
    let (_, well) = get(&view, "/devices/electricity_meter-0-0?lang=en").await;
    assert!(well.contains("Low risk") && !well.contains("What to do"));
}

#[tokio::test]
async fn the_api_and_the_metrics_count_devices_by_grade() {
    let view = sample(1, 0).await.view;
    let risk = json(&view, "/api/v1/risk").await;
    assert_eq!(risk["devices"][0]["device"], "heat_meter-0-3");
    assert_eq!(risk["devices"][0]["grade"], "medium");
    assert_eq!(risk["devices"][0]["causes"][0]["code"], "offline");
    assert_eq!((&risk["counts"]["low"], &risk["counts"]["medium"]), (&10.into(), &1.into()));
    assert_eq!(json(&view, "/api/v1/devices").await[3]["risk"], "medium");
    let device = json(&view, "/api/v1/devices/heat_meter-0-3").await;
    assert_eq!(device["risk_detail"]["points"], 60.0);
    let (_, metrics) = get(&view, "/metrics").await;
    assert!(metrics.contains("linli_risk_devices{grade=\"medium\"} 1\n"));
    let stars = json(&view, "/api/v1/stars").await;
    assert_eq!(stars["risk"]["devices"][0]["device"], "heat_meter-0-3");
}

#[tokio::test]
async fn the_star_page_lists_the_self_test_with_what_to_do() {
    let view = sample(1, 0).await.view;
    let (_, zh) = get(&view, "/stars").await;
    let (_, en) = get(&view, "/stars?lang=en").await;
    assert!(zh.contains("网关安全自检") && zh.contains("签名升级"));
    let en = en.split_at(position(&en, "Security self-test of the gateway")).1;
    assert!(en.contains("no platform is configured") && en.contains("configure [uplink]"));
}
