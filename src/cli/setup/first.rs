//! Waits for what shows that the box works: the first good reading of a device, and the first block
//! that the platform acknowledged. Asks the gateway's own page.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::dialogue::Dialogue;
use crate::cli::page::page_of;
use crate::config::Settings;
use crate::status::{Page, fetch};

/// How often the page is asked.
const EVERY: Duration = Duration::from_secs(1);
/// A gateway that runs longer than we wait, by more than this, was not started for us.
const SLACK: Duration = Duration::from_secs(5);

/// What was seen.
#[derive(Debug, Default)]
struct Seen {
    running: bool,
    reading: bool,
    block: bool,
}

/// Waits; whether everything was seen that this configuration can show.
pub(super) async fn wait(settings: &Settings, limit: Duration, dialogue: &Dialogue) -> bool {
    let begun = Instant::now();
    let mut seen = Seen {
        reading: settings.devices.is_empty(),
        block: settings.uplink.is_none(),
        ..Seen::default()
    };
    if page_of(settings).is_none() {
        dialogue.tell((
            "the configuration has no page to ask; see: journalctl -u linli",
            "配置未启用页面，无法查询；请看 journalctl -u linli",
        ));
        return true;
    }
    if seen.reading {
        dialogue.tell((
            "no device is configured yet: `linli scan --help`",
            "尚未配置设备：见 `linli scan --help`",
        ));
    }
    if seen.block {
        dialogue.tell(("no platform is configured yet", "尚未配置平台"));
    }
    let mut troubles = Vec::new();
    let mut last = String::new();
    while begun.elapsed() < limit {
        // The token is new with each start.
        if let Some(page) = page_of(settings) {
            match look(&page, settings, begun.elapsed(), &mut seen, dialogue).await {
                Ok(now) => troubles = now,
                Err(error) => last = error.to_string(),
            }
        }
        if seen.running && seen.reading && seen.block {
            dialogue.tell(("the box works", "网关已正常工作"));
            return true;
        }
        sleep(EVERY).await;
    }
    missed(&seen, &troubles, &last, dialogue);
    false
}

/// Asks the page once; what is wrong now.
async fn look(
    page: &Page,
    settings: &Settings,
    waited: Duration,
    seen: &mut Seen,
    dialogue: &Dialogue,
) -> std::io::Result<Vec<Value>> {
    let gateway = get(page, "/api/v1/gateway").await?;
    let up = Duration::from_secs(gateway["uptime_s"].as_u64().unwrap_or(u64::MAX));
    if gateway["id"] != settings.gateway.as_str() || up > waited + SLACK {
        return Err(std::io::Error::other(
            "an older gateway answers there: restart it / 应答的是修改前启动的网关，请重新启动",
        ));
    }
    if !seen.running {
        seen.running = true;
        dialogue.tell((format!("the gateway runs: {page}"), format!("网关已运行：{page}")));
    }
    if !seen.reading {
        seen.reading = reading(page, dialogue).await?;
    }
    if !seen.block {
        seen.block = block(page, dialogue).await?;
    }
    Ok(gateway["troubles"].as_array().cloned().unwrap_or_default())
}

async fn get(page: &Page, path: &str) -> std::io::Result<Value> {
    serde_json::from_str(&fetch(page, path).await?).map_err(std::io::Error::other)
}

/// Shows the first good value of a device that answers.
async fn reading(page: &Page, dialogue: &Dialogue) -> std::io::Result<bool> {
    let devices = get(page, "/api/v1/devices").await?;
    let online = |row: &&Value| row["health"] == "online" && row["readings"].as_u64() > Some(0);
    for row in devices.as_array().into_iter().flatten().filter(online) {
        let Some(id) = row["id"].as_str() else { continue };
        let detail = get(page, &format!("/api/v1/devices/{id}")).await?;
        let good = |point: &&Value| point["quality"] == "good" && !point["value"].is_null();
        if let Some(point) = detail["points"].as_array().into_iter().flatten().find(good) {
            let (value, unit) = (&point["value"], point["unit"].as_str().unwrap_or_default());
            let text = |key: &str| point[key].as_str().unwrap_or_default().to_owned();
            let name = row["name"].as_str().unwrap_or(id);
            dialogue.tell((
                format!("first reading: {name} ({id}), {} = {value} {unit}", text("en")),
                format!("首个读数：{name}（{id}）{} = {value} {unit}", text("zh")),
            ));
            return Ok(true);
        }
    }
    Ok(false)
}

/// Shows the first block that the platform has.
async fn block(page: &Page, dialogue: &Dialogue) -> std::io::Result<bool> {
    let uplink = get(page, "/api/v1/uplink").await?;
    let blocks = uplink["acknowledged_blocks"].as_u64().unwrap_or(0);
    if blocks == 0 {
        return Ok(false);
    }
    let (readings, broker) = (&uplink["acknowledged_readings"], uplink["broker"].as_str());
    let broker = broker.unwrap_or_default();
    dialogue.tell((
        format!("first block acknowledged by {broker}: {blocks} blocks, {readings} readings"),
        format!("平台 {broker} 已确认首个数据块：{blocks} 块，{readings} 个读数"),
    ));
    Ok(true)
}

/// Says what did not come, and what the gateway itself says about it.
fn missed(seen: &Seen, troubles: &[Value], last: &str, dialogue: &Dialogue) {
    if !seen.running {
        dialogue.tell((
            format!("the gateway does not answer: {last}; see: journalctl -u linli"),
            format!("网关没有应答：{last}；请看 journalctl -u linli"),
        ));
        return;
    }
    if !seen.reading {
        dialogue
            .tell(("no device gave a good reading in time", "在限定时间内没有设备给出有效读数"));
    }
    if !seen.block {
        dialogue.tell((
            "the platform acknowledged nothing in time",
            "在限定时间内平台没有确认任何数据块",
        ));
    }
    for trouble in troubles {
        let text =
            |part: &str, lang: &str| trouble[part][lang].as_str().unwrap_or_default().to_owned();
        let told = |lang: &str| {
            format!("- {}: {}; {}", text("title", lang), text("cause", lang), text("advice", lang))
        };
        dialogue.tell((told("en"), told("zh")));
    }
    dialogue.tell((
        "the configuration is in its place; the gateway goes on trying",
        "配置已就位，网关会继续尝试",
    ));
}
