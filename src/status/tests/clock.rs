//! The time on the page, in the API and in the metrics.

use super::*;
use crate::clock::{Sample as TimeSample, Source};

#[tokio::test]
async fn a_wrong_time_zone_and_who_gives_the_time_are_shown_everywhere() {
    let sample = sample(1, 0).await;
    let view = &sample.view;
    assert_eq!(json(view, "/api/v1/gateway").await["clock"]["source"], "system");
    view.clock.judge();
    let now = view.now();
    let offset = view.clock.best_wall(now).unix_ms - i64::try_from(now.boot_ms).unwrap();
    view.clock.hear(&TimeSample {
        source: Source::Platform,
        offset_ms: offset + 8 * 3_600_000,
        uncertainty_ms: 40,
    });
    let clock = json(view, "/api/v1/gateway").await["clock"].clone();
    assert_eq!((&clock["state"], &clock["source"]), (&"synchronised".into(), &"platform".into()));
    assert_eq!(clock["uncertainty_ms"], 40);
    assert_eq!(clock["disagreements"][0]["whole_hours"], -8);
    let (_, zh) = get(view, "/settings").await;
    assert!(zh.contains("已同步") && zh.contains("上级平台") && zh.contains("时区"));
    let (_, en) = get(view, "/?lang=en").await;
    assert!(en.contains("Two sources of time disagree") && en.contains("its time zone"), "{en}");
    let (_, metrics) = get(view, "/metrics").await;
    for line in [
        "linli_clock_state{state=\"synchronised\"} 1",
        "linli_clock_state{state=\"holdover\"} 0",
        "linli_clock_disagreements 1",
        "linli_clock_uncertainty_seconds 0.04",
    ] {
        assert!(metrics.contains(line), "{line}");
    }
}

#[tokio::test]
async fn a_meter_whose_clock_is_off_is_a_trouble_and_shown_on_its_page() {
    let sample = sample(1, 0).await;
    let view = &sample.view;
    let device = view.estate.devices()[0].id.clone();
    let path = format!("/api/v1/devices/{device}");
    assert!(json(view, &path).await["clock"].is_null(), "not read yet");
    view.clock.meter_read(&device, Some(-400));
    assert_eq!(json(view, &path).await["clock"]["offset_s"], -400);
    let (_, page) = get(view, &format!("/devices/{device}?lang=en")).await;
    assert!(page.contains("-400.0 s"));
    let (_, troubles) = get(view, "/").await;
    assert!(troubles.contains(&format!("电表 {device} 的时钟不准")));
    let (_, metrics) = get(view, "/metrics").await;
    assert!(
        metrics.contains(&format!("linli_meter_clock_offset_seconds{{device=\"{device}\"}} -400"))
    );
    view.clock.meter_read(&device, None);
    let (_, page) = get(view, &format!("/devices/{device}?lang=en")).await;
    assert!(page.contains("the meter does not tell"));
}
