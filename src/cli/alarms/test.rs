//! Runs the rules over readings of the past.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::json;

use super::charted::Charted;
use super::past::{Exported, Past, Seen, Stored, seen};
use crate::alarm::{Rehearsal, Rehearsed};
use crate::app::{alarm_manner, alarm_plan};
use crate::cli::say;
use crate::config::Settings;
use crate::model::Estate;
use crate::starlevel::RulePack;

/// The whole country has one zone.
const CHINA: Offset = Offset::constant(8);

fn date(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map_or_else(
        |_| unix_ms.to_string(),
        |stamp| CHINA.to_datetime(stamp).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// First and last moment of the readings of blocks; `None` without any of trusted time.
fn span(past: &dyn Past) -> anyhow::Result<Option<(i64, i64)>> {
    let mut span: Option<(i64, i64)> = None;
    past.each(&mut |document| {
        if document.time.trust == crate::model::TimeTrust::SinceBoot {
            return;
        }
        let offsets = || document.devices.iter().flat_map(|device| &device.at);
        let wall = |offset: &i64| document.time.base.saturating_add(*offset);
        if let (Some(first), Some(last)) = (offsets().min(), offsets().max()) {
            let (first, last) = (wall(first), wall(last));
            span = Some(span.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        }
    })?;
    Ok(span)
}

/// What was looked at.
struct Looked {
    source: &'static str,
    zh: &'static str,
    from_ms: i64,
    to_ms: i64,
    values: u64,
}

/// Where the past comes from.
struct Sources<'s> {
    charts: Option<Charted<'s>>,
    /// Blocks, with the time of their first and last reading.
    blocks: Option<(Box<dyn Past + 's>, (i64, i64))>,
    /// Why there are no blocks.
    without: Option<String>,
}

impl<'s> Sources<'s> {
    /// A file by itself; else what the charts keep and, after that, what waits in the buffer.
    fn find(
        settings: &'s Settings,
        estate: &'s Estate,
        from: Option<&'s Path>,
    ) -> anyhow::Result<Self> {
        if let Some(file) = from {
            let file: Box<dyn Past> = Box::new(Exported(file));
            let blocks = span(&*file)?.map(|span| (file, span));
            return Ok(Self { charts: None, blocks, without: None });
        }
        let folder = settings.history.folder(&settings.buffer.path);
        let charts = Charted::at(&folder, estate);
        let charts = (folder.is_dir() && charts.newest()?.is_some()).then_some(charts);
        let stored: Box<dyn Past> = Box::new(Stored(&settings.buffer.path));
        match span(&*stored) {
            Ok(span) => Ok(Self { charts, blocks: span.map(|s| (stored, s)), without: None }),
            // The gateway runs, and holds its buffer: the charts are plain files.
            Err(error) if charts.is_some() => {
                Ok(Self { charts, blocks: None, without: Some(format!("{error:#}")) })
            }
            Err(error) => Err(error),
        }
    }

    /// The newest moment; the span counts back from it, so that old files work too.
    fn newest(&self) -> anyhow::Result<Option<i64>> {
        let charts = self.charts.as_ref().map_or(Ok(None), Charted::newest)?;
        Ok(charts.max(self.blocks.as_ref().map(|(_, (_, last))| *last)))
    }

    /// Shows everything since `begin_ms`.
    fn each(
        &self,
        (begin_ms, end_ms): (i64, i64),
        estate: &Estate,
        rehearsal: &mut Rehearsal,
    ) -> anyhow::Result<Vec<Looked>> {
        let mut looked = Vec::new();
        let cut = self.blocks.as_ref().map_or(end_ms, |(_, (first, _))| *first);
        if let Some(charts) = &self.charts {
            let values = charts.each((begin_ms, cut), |sample| rehearsal.reading(sample))?;
            let (source, zh) = ("history", "历史曲线");
            looked.push(Looked { source, zh, from_ms: begin_ms, to_ms: cut, values });
        }
        if let Some((blocks, (first, last))) = &self.blocks {
            let values = blocks_of(&**blocks, begin_ms, estate, rehearsal)?;
            let (from_ms, to_ms) = (begin_ms.max(*first), *last);
            looked.push(Looked { source: "blocks", zh: "数据块", from_ms, to_ms, values });
        }
        Ok(looked)
    }
}

/// Shows what blocks hold; how many readings.
fn blocks_of(
    source: &dyn Past,
    begin_ms: i64,
    estate: &Estate,
    rehearsal: &mut Rehearsal,
) -> anyhow::Result<u64> {
    let mut events = Vec::new();
    let mut readings = 0;
    // The urgent lane comes first in the source, and its events belong between the readings.
    source.each(&mut |document| {
        if document.devices.is_empty() {
            let of_it = seen(document, estate).into_iter();
            events.extend(of_it.filter(|one| one.at_ms() >= begin_ms));
        }
    })?;
    events.sort_by_key(Seen::at_ms);
    let mut events = events.into_iter().peekable();
    source.each(&mut |document| {
        if document.devices.is_empty() {
            return;
        }
        for one in seen(document, estate) {
            if one.at_ms() < begin_ms {
                continue;
            }
            while let Some(event) = events.next_if(|event| event.at_ms() <= one.at_ms()) {
                show(rehearsal, event);
            }
            readings += 1;
            show(rehearsal, one);
        }
    })?;
    events.for_each(|event| show(rehearsal, event));
    Ok(readings)
}

/// Runs them and prints what would have been raised.
pub(super) fn run(
    settings: &Settings,
    since: Duration,
    from: Option<&Path>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let estate = Arc::new(settings.estate());
    let sources = Sources::find(settings, &estate, from)?;
    let plan = Arc::new(alarm_plan(settings, &estate));
    let pack = match &settings.starlevel.rule_pack {
        Some(path) => RulePack::load(path).unwrap_or_else(|_| RulePack::built_in()),
        None => RulePack::built_in(),
    };
    let Some(end_ms) = sources.newest()? else {
        say("there are no readings with a trusted time / 没有带可信时间的读数");
        return Ok(ExitCode::SUCCESS);
    };
    let begin_ms = end_ms.saturating_sub(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    let mut rehearsal = Rehearsal::new(plan, alarm_manner(settings, &pack), begin_ms);
    let looked = sources.each((begin_ms, end_ms), &estate, &mut rehearsal)?;
    rehearsal.go_to(end_ms);
    let (found, counts) = rehearsal.end();
    if json {
        let rows: Vec<_> = found.iter().map(row).collect();
        let sources_of = |one: &Looked| {
            json!({
                "source": one.source, "from_ms": one.from_ms, "to_ms": one.to_ms,
                "values": one.values,
            })
        };
        let told = json!({
            "from_ms": begin_ms, "to_ms": end_ms,
            "sources": looked.iter().map(sources_of).collect::<Vec<_>>(),
            "without_buffer": sources.without,
            "alarms": rows, "by_rule": counts,
        });
        say(&told.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    explain(&looked, sources.without.as_deref());
    for one in &found {
        say(&line(one, end_ms));
    }
    for (rule, count) in counts {
        say(&format!("{count:6}  {rule}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What was looked at, and what that cannot tell.
fn explain(looked: &[Looked], without: Option<&str>) {
    for one in looked {
        let Looked { source, zh, values, .. } = one;
        let (from, to) = (date(one.from_ms), date(one.to_ms));
        say(&format!("{from} – {to}  {source}: {values} values / {zh}：{values} 个值"));
    }
    if looked.iter().any(|one| one.source == "history" && one.values > 0) {
        say(
            "The history has the lowest, highest and last value of every five minutes, and no events: \
             what lasts less, and devices that did not answer, it does not show. / \
             历史曲线仅有每五分钟的最低、最高、最后值，不含事件：更短的变化与设备离线无法体现。",
        );
    }
    if let Some(why) = without {
        say(&format!("Without the buffer / 未读取缓存：{why}"));
    }
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
