//! Runs the rules over readings of the past.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::json;

use super::past::{Exported, Past, Seen, Stored, seen};
use crate::alarm::{Rehearsal, Rehearsed};
use crate::app::{alarm_manner, alarm_plan};
use crate::cli::say;
use crate::config::Settings;
use crate::starlevel::RulePack;

/// The whole country has one zone.
const CHINA: Offset = Offset::constant(8);

fn date(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map_or_else(
        |_| unix_ms.to_string(),
        |stamp| CHINA.to_datetime(stamp).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// The newest moment of the source; the span counts back from it, so that an old file works too.
fn newest(past: &dyn Past) -> anyhow::Result<Option<i64>> {
    let mut newest = None;
    past.each(&mut |document| {
        let offsets = document.devices.iter().filter_map(|device| device.at.last());
        if let Some(last) = offsets.max()
            && document.time.trust != crate::model::TimeTrust::SinceBoot
        {
            newest = newest.max(Some(document.time.base.saturating_add(*last)));
        }
    })?;
    Ok(newest)
}

/// Runs them and prints what would have been raised.
pub(super) fn run(
    settings: &Settings,
    since: Duration,
    from: Option<&Path>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let source: Box<dyn Past> = match from {
        Some(file) => Box::new(Exported(file)),
        None => Box::new(Stored(&settings.buffer.path)),
    };
    let estate = Arc::new(settings.estate());
    let plan = Arc::new(alarm_plan(settings, &estate));
    let pack = match &settings.starlevel.rule_pack {
        Some(path) => RulePack::load(path).unwrap_or_else(|_| RulePack::built_in()),
        None => RulePack::built_in(),
    };
    let Some(end_ms) = newest(&*source)? else {
        say("there are no readings with a trusted time / 没有带可信时间的读数");
        return Ok(ExitCode::SUCCESS);
    };
    let begin_ms = end_ms.saturating_sub(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let mut events = Vec::new();
    let mut readings = 0u64;
    // The urgent lane comes first in the source, and its events belong between the readings.
    source.each(&mut |document| {
        if document.devices.is_empty() {
            let of_it = seen(document, &estate).into_iter();
            events.extend(of_it.filter(|one| one.at_ms() >= begin_ms));
        }
    })?;
    events.sort_by_key(Seen::at_ms);
    let mut events = events.into_iter().peekable();
    let mut rehearsal = Rehearsal::new(plan, alarm_manner(settings, &pack), begin_ms);
    source.each(&mut |document| {
        if document.devices.is_empty() {
            return;
        }
        for one in seen(document, &estate) {
            if one.at_ms() < begin_ms {
                continue;
            }
            while let Some(event) = events.next_if(|event| event.at_ms() <= one.at_ms()) {
                show(&mut rehearsal, event);
            }
            readings += 1;
            show(&mut rehearsal, one);
        }
    })?;
    events.for_each(|event| show(&mut rehearsal, event));
    rehearsal.go_to(end_ms);
    let (found, counts) = rehearsal.end();
    if json {
        let rows: Vec<_> = found.iter().map(row).collect();
        let told = json!({
            "from_ms": begin_ms, "to_ms": end_ms, "readings": readings,
            "alarms": rows, "by_rule": counts,
        });
        say(&told.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{} – {}  {readings} readings / 条读数", date(begin_ms), date(end_ms)));
    for one in &found {
        say(&line(one, end_ms));
    }
    for (rule, count) in counts {
        say(&format!("{count:6}  {rule}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(rehearsal: &mut Rehearsal, one: Seen) {
    match one {
        Seen::Reading(sample) => rehearsal.reading(&sample),
        Seen::Event(at_ms, event) => rehearsal.event(at_ms, &event),
    }
}

fn row(one: &Rehearsed) -> serde_json::Value {
    json!({
        "rule": one.key.rule,
        "device": one.key.device.as_ref().map(|id| id.as_str()),
        "point": one.key.point,
        "about": one.key.about,
        "level": one.level,
        "title": one.title.en,
        "title_zh": one.title.zh,
        "from_ms": one.from_ms,
        "to_ms": one.to_ms,
        "times": one.times,
    })
}

fn line(one: &Rehearsed, end_ms: i64) -> String {
    let whom = one.key.device.as_ref().map_or("gateway", |id| id.as_str());
    let point = one.key.point.as_deref().unwrap_or(&one.key.about);
    let seconds = (one.to_ms.unwrap_or(end_ms) - one.from_ms) / 1000;
    let holds = if one.to_ms.is_none() { "+" } else { "" };
    format!(
        "{}  {:7} {:22} {whom} {point}  {} / {}  {seconds}{holds} s  {}×",
        date(one.from_ms),
        one.level.word(),
        one.key.rule,
        one.title.en,
        one.title.zh,
        one.times
    )
}
