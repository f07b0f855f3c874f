//! Metrics of alarms, commands, warnings and of the history.

use std::fmt::Write as _;

use super::{INFALLIBLE, Page, label};
use crate::model::AlarmLevel;
use crate::status::view::View;

pub(super) fn broadcast(page: &mut Page, view: &View) {
    let Some(desk) = &view.broadcast else { return };
    let seen = desk.view();
    let open = seen.warnings.iter().filter(|row| row.over_ms.is_none()).count();
    page.gauge("linli_warnings_open", "Warnings that are on or wait.", open);
    #[expect(clippy::cast_precision_loss, reason = "a span for people")]
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let latency = seen.latency;
    let help = "From the acceptance of a warning to the word of a terminal that it plays.";
    let quantile =
        |name: &str, ms: Option<u64>| ms.map(|ms| (label("quantile", name), seconds(ms)));
    let samples = [quantile("0.5", latency.p50_ms), quantile("0.95", latency.p95_ms)];
    let name = "linli_warning_to_playing_seconds";
    page.family(name, "summary", help, samples.into_iter().flatten());
    if latency.count > 0 {
        writeln!(page.0, "{name}_sum {}", seconds(latency.sum_ms)).expect(INFALLIBLE);
        writeln!(page.0, "{name}_count {}", latency.count).expect(INFALLIBLE);
    }
    let newest = seen.warnings.first().map(|row| row.counts).unwrap_or_default();
    let states = [
        ("addressed", newest.addressed),
        ("acknowledged", newest.acknowledged),
        ("finished", newest.finished),
        ("failed", newest.failed),
    ];
    let samples = states.map(|(state, count)| (label("state", state), count));
    let help = "Terminals and screens of the newest warning.";
    page.family("linli_warning_receipts", "gauge", help, samples);
    page.gauge(
        "linli_warnings_refused",
        "Refused messages of the last ones kept.",
        seen.refused.len(),
    );
}

pub(super) fn alarms(page: &mut Page, view: &View) {
    let Some(desk) = &view.alarms else { return };
    let board = desk.board();
    let by_level = |counts: [u64; 4]| {
        let levels = AlarmLevel::ALL.iter().map(|level| label("level", level.word()));
        levels.zip(counts).collect::<Vec<_>>()
    };
    let (counts, totals) = (board.counts, board.totals);
    let open = "Alarms that are not closed; neither members of groups nor silenced ones.";
    page.family("linli_alarms_open", "gauge", open, by_level(counts.open));
    let active = "Alarms whose condition holds.";
    page.family("linli_alarms_active", "gauge", active, by_level(counts.active));
    page.gauge("linli_alarms_silenced", "Alarms in maintenance windows.", counts.silenced);
    let raised = "Alarms raised since the start.";
    page.family("linli_alarms_raised_total", "counter", raised, by_level(totals.raised));
    let escalated = "Clocks of alarms that ran out since the start.";
    page.family("linli_alarms_escalated_total", "counter", escalated, by_level(totals.escalated));
}

pub(super) fn commands(page: &mut Page, view: &View) {
    let Some(router) = &view.commands else { return };
    let samples = router.counts().map(|(outcome, count)| (label("outcome", outcome), count));
    page.family("linli_commands_total", "counter", "Commands by what became of them.", samples);
}

pub(super) fn history(page: &mut Page, view: &View) {
    let Some(history) = &view.history else { return };
    let status = history.status();
    page.gauge("linli_history_days", "Days of which there are files.", status.days);
    page.gauge("linli_history_bytes", "Bytes of the files.", status.bytes);
    let fault = u8::from(status.fault.is_some());
    page.gauge("linli_history_fault", "1 when the history cannot be written.", fault);
    let help = "Five-minute values given up because nothing could be written for long.";
    page.counter("linli_history_lost_total", help, status.lost);
    let help = "Readings left out because no clock was trusted.";
    page.counter("linli_history_untimed_total", help, status.untimed);
}
