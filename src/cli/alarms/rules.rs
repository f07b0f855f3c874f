//! The rules that hold for each device.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;

use crate::alarm::{Plan, Rule};
use crate::app::alarm_plan;
use crate::cli::say;
use crate::config::Settings;
use crate::model::Point;
use crate::settings::show_duration;

fn row(device: &str, rule: &Rule, point: Option<&Point>) -> serde_json::Value {
    json!({
        "device": device,
        "rule": &*rule.id,
        "level": rule.level,
        "kind": rule.kind.word(),
        "point": point.map(|point| &*point.name),
        "unit": point.map(|point| point.unit.code()),
        "limit": rule.limit,
        "clear": rule.clear,
        "hold": show_duration(rule.hold),
        "title": rule.title.en,
        "title_zh": rule.title.zh,
        "source": rule.source,
    })
}

fn line(rule: &Rule, point: Option<&Point>) -> String {
    let point_name = point.map_or("", |point| &*point.name);
    let unit = point.map_or("", |point| point.unit.sign());
    let limit = rule.limit.map_or(String::new(), |limit| format!(" {limit} {unit}"));
    let clear = rule.clear.map_or(String::new(), |clear| format!(" (clear {clear})"));
    let hold = if rule.hold.is_zero() {
        String::new()
    } else {
        format!(" for {}", show_duration(rule.hold))
    };
    format!(
        "  {:7} {:22} {:10} {point_name}{}{clear}{hold}  {} / {}",
        rule.level.word(),
        rule.id,
        rule.kind.word(),
        limit.trim_end(),
        rule.title.en,
        rule.title.zh
    )
}

/// Prints them.
pub(super) fn show(
    settings: &Settings,
    only: Option<&str>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let estate = Arc::new(settings.estate());
    let plan: Plan = alarm_plan(settings, &estate);
    let mut rows = Vec::new();
    let mut found = only.is_none();
    if only.is_none_or(|only| only == "gateway") {
        found = true;
        if !json {
            say(&format!("gateway / 网关  ({})", settings.alarms.rules.title()));
        }
        for rule in plan.rules_of_gateway() {
            if json { rows.push(row("gateway", rule, None)) } else { say(&line(rule, None)) }
        }
    }
    for (index, device) in estate.indexed() {
        if only.is_some_and(|only| only != device.id.as_str()) {
            continue;
        }
        found = true;
        if !json {
            say(&format!("{} {} ({})", device.id, device.name, device.category));
        }
        for (rule, point) in plan.rules_of(index) {
            if json {
                rows.push(row(device.id.as_str(), rule, point));
            } else {
                say(&line(rule, point));
            }
        }
    }
    anyhow::ensure!(found, "there is no such device / 没有这台设备: {}", only.unwrap_or_default());
    if json {
        say(&serde_json::Value::Array(rows).to_string());
    }
    Ok(ExitCode::SUCCESS)
}
