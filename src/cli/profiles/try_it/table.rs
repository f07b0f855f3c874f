//! The table of a round, for a terminal or for a file, and the same for scripts.

use serde_json::json;

use super::caught::Caught;
use super::verdict::Verdict;
use crate::model::{
    DeviceState, Label, Moment, Point, PointState, Quality, Quantity, Value, Words,
};
use crate::profile::Profile;

/// Everything that a round shows.
pub(super) struct State<'s> {
    pub profile: &'s Profile,
    pub params: &'s [f64],
    pub device: DeviceState,
    pub now: Moment,
    pub round: u32,
    pub connection: &'s str,
    pub caught: &'s Caught,
    pub line_down: Option<Words>,
}

/// Columns and rows of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    pub columns: usize,
    pub rows: usize,
}

impl Room {
    /// That of standard output.
    pub(super) fn of_terminal() -> Option<Self> {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
        let room = Self { columns: size.ws_col.into(), rows: size.ws_row.into() };
        (room.columns > 0 && room.rows > 0).then_some(room)
    }
}

/// Characters of a Chinese text stand in two columns.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// Cut where the terminal ends: a line that breaks would move all others.
fn cut(text: &str, columns: usize) -> String {
    let mut left = columns;
    let fits = |c: &char| {
        let own = width(c.encode_utf8(&mut [0; 4]));
        let fits = own <= left;
        left = left.saturating_sub(own);
        fits
    };
    text.chars().take_while(fits).collect()
}

fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The value with its digits and unit, a code with its meaning.
pub(super) fn value(point: &Point, state: &PointState) -> String {
    match &state.value {
        None => "-".to_owned(),
        Some(Value::Number(number)) if point.quantity == Quantity::State => {
            match label(&point.labels, *number) {
                Some(label) => format!("{number} {} {}", label.zh, label.en),
                None => number.to_string(),
            }
        }
        Some(Value::Number(number)) => {
            format!("{number:.*} {}", usize::from(point.decimals), point.unit.sign())
                .trim_end()
                .to_owned()
        }
        Some(Value::Flag(true)) => "true 是".to_owned(),
        Some(Value::Flag(false)) => "false 否".to_owned(),
        Some(Value::Text(text)) => format!("\"{text}\""),
    }
}

#[expect(clippy::cast_precision_loss, reason = "codes are small")]
fn label(labels: &[Label], code: f64) -> Option<&Label> {
    labels.iter().find(|label| label.code as f64 == code)
}

fn quality(state: &PointState) -> String {
    match state.quality {
        None => "nothing yet 尚无".to_owned(),
        Some(Quality::Good) => "good 正常".to_owned(),
        Some(quality) => {
            let mark = if matches!(quality, Quality::Bad(_)) { "!" } else { "?" };
            let (en, zh) = quality.reason().map_or(("", ""), |reason| (reason.en(), reason.zh()));
            format!("{mark} {en} {zh}")
        }
    }
}

fn age(state: &PointState, now: Moment) -> String {
    state.at.map_or_else(|| "-".to_owned(), |at| Words::of_span(now.since(at)).en)
}

fn head(state: &State<'_>) -> String {
    let profile = state.profile;
    let health = state.device.health;
    format!(
        "{}  {} / {}  {}  round 第 {} 轮  {} {}",
        profile.id,
        profile.zh,
        profile.en,
        state.connection,
        state.round,
        health.word(),
        health.zh(),
    )
}

/// The lines of a round. On a terminal with little room, points that are good give way.
pub(super) fn lines(state: &State<'_>, room: Option<Room>) -> Vec<String> {
    let points = state.profile.points.iter().zip(&state.device.points).enumerate();
    let titles = ["point 测点", "value 值", "quality 质量", "age 时间", "raw 原始", ""];
    let mut rows: Vec<(bool, [String; 6])> = Vec::with_capacity(state.profile.points.len());
    for (slot, (point, now)) in points {
        let raw = state.caught.raw(state.profile, slot).unwrap_or_default();
        let title = format!("{} / {}", point.zh, point.en);
        let good = now.quality == Some(Quality::Good);
        let cells = [
            point.name.to_string(),
            value(point, now),
            quality(now),
            age(now, state.now),
            raw,
            title,
        ];
        rows.push((good, cells));
    }
    let verdict = Verdict::of(state).lines();
    let mut more = 0;
    if let Some(room) = room {
        // Head, titles, an empty line, the verdict, the line of those left out.
        let left = room.rows.saturating_sub(verdict.len() + 5).max(3);
        if rows.len() > left {
            rows.sort_by_key(|(good, _)| *good);
            more = rows.len() - left;
            rows.truncate(left);
        }
    }
    let mut columns = titles.map(width);
    for (_, cells) in &rows {
        for (column, cell) in columns.iter_mut().zip(cells) {
            *column = (*column).max(width(cell));
        }
    }
    let join = |cells: &[String]| {
        let cells = cells.iter().zip(columns).map(|(cell, columns)| padded(cell, columns));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut out = vec![head(state), join(&titles.map(str::to_owned))];
    out.extend(rows.iter().map(|(_, cells)| join(cells)));
    if more > 0 {
        out.push(format!("… {more} more points, a taller window shows them / 另有 {more} 个测点"));
    }
    out.push(String::new());
    out.extend(verdict);
    match room {
        Some(room) => out.iter().map(|line| cut(line, room.columns)).collect(),
        None => out,
    }
}

/// The round for scripts: each point, then the round.
pub(super) fn json(state: &State<'_>) -> Vec<String> {
    let points = state.profile.points.iter().zip(&state.device.points).enumerate();
    let mut out: Vec<String> = points
        .map(|(slot, (point, now))| {
            json!({
                "round": state.round,
                "point": &*point.name,
                "value": now.value,
                "unit": point.unit.code(),
                "quality": now.quality.map(Quality::word),
                "reason": now.quality.and_then(Quality::reason).map(|reason| reason.word()),
                "age_ms": now.at.map(|at| state.now.since(at).as_millis()),
                "raw": state.caught.raw(state.profile, slot),
            })
            .to_string()
        })
        .collect();
    let verdict = Verdict::of(state);
    let round = json!({
        "round": state.round,
        "health": state.device.health.word(),
        "points": state.device.points.len(),
        "good": verdict.good,
        "advice": verdict.advice.iter().map(|words| &words.en).collect::<Vec<_>>(),
        "advice_zh": verdict.advice.iter().map(|words| &words.zh).collect::<Vec<_>>(),
    });
    out.push(round.to_string());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_takes_two_columns_and_a_line_is_cut_where_the_terminal_ends() {
        assert_eq!((width("电压 V"), width("good")), (6, 4));
        assert_eq!(cut("电压 V", 4), "电压");
        assert_eq!(cut("电压 V", 3), "电");
        assert_eq!(padded("电", 4), "电  ");
    }
}
