//! The days: charts and the table of them.

use maud::{Markup, html};

use super::chart::Chart;
use super::heading;
use crate::starlevel::evidence::{date, day_named};
use crate::starlevel::percent;
use crate::starlevel::report::document::{Report, ReportDay};

/// The natural days of the period, those without evidence too.
fn dates(report: &Report) -> Vec<String> {
    let Some(period) = &report.period else { return Vec::new() };
    let Some(first) = day_named(&period.first) else { return Vec::new() };
    // A file may claim any period; what is shown stays readable.
    (first..first.saturating_add(period.days.min(400))).map(date).collect()
}

/// A day on which the gateway never watched has nothing to show, even where an online time reached
/// into it.
fn is_observed(day: &ReportDay) -> bool {
    day.observed_share > 0.0
}

pub(super) fn charts(report: &Report) -> Markup {
    let dates = dates(report);
    let star = report.assessment.target;
    let of = |value: &dyn Fn(&ReportDay) -> Option<f64>| -> Vec<Option<f64>> {
        let observed = |date: &String| report.day(date).filter(|day| is_observed(day));
        dates.iter().map(|date| observed(date).and_then(value)).collect()
    };
    let line = |id, zh, en, wanted: Option<f64>, value: &dyn Fn(&ReportDay) -> Option<f64>| Chart {
        id,
        zh,
        en,
        dates: &dates,
        values: of(value),
        wanted: wanted.map(|wanted| (wanted, star)),
        shares: true,
    };
    let wants = &report.thresholds;
    #[expect(clippy::cast_precision_loss, reason = "readings of a day fit 53 bits")]
    let stored = of(&|day| Some(day.readings_stored as f64));
    html! {
        (heading("逐日情况", "Day by day"))
        @if dates.is_empty() {
            p { "尚无自然日" span.en { "No natural day yet" } }
        } @else {
            (line("online", "小区在线率（各类别平均）", "Online rate of the estate, mean of the categories", wants.online, &|day| day.online_rate).draw())
            (line("complete", "数据完整率", "Completeness of the data", wants.completeness, &|day| day.completeness).draw())
            (line("link", "平台链路可用率", "Availability of the link to the platform", wants.link, &|day| Some(day.link_share)).draw())
            (Chart { id: "readings", zh: "每日入库读数", en: "Readings stored a day", dates: &dates, values: stored, wanted: None, shares: false }.draw())
        }
    }
}

pub(super) fn table(report: &Report) -> Markup {
    html! {
        (heading("逐日数据", "Daily figures"))
        table.day {
            thead { tr {
                th { "自然日" span.en { "Day" } } th { "观测" span.en { "Observed" } }
                th { "链路" span.en { "Link" } } th { "在线率" span.en { "Online" } }
                th { "完整率" span.en { "Complete" } } th { "有效率" span.en { "Valid" } }
                th { "入库读数" span.en { "Readings" } } th { "数据块" span.en { "Blocks made" } }
                th { "平台确认" span.en { "acknowledged" } } th { "丢失" span.en { "lost" } }
            } }
            @for date in dates(report) {
                @if let Some(day) = report.day(&date) { (row(day)) }
                @else { tr.none { td { (date) } td colspan="9" { "无观测 not observed" } } }
            }
        }
    }
}

fn row(day: &ReportDay) -> Markup {
    let share = |share: Option<f64>| share.map_or_else(|| "—".to_owned(), percent);
    html! {
        tr {
            td { (day.date) }
            td { (percent(day.observed_share)) }
            td { (percent(day.link_share)) }
            td { (share(day.online_rate)) }
            td { (share(day.completeness)) }
            td { (share(day.valid_share)) }
            td { (day.readings_stored) }
            td { (day.blocks_created) }
            td { (day.blocks_acknowledged) }
            td { (day.blocks_lost) }
        }
    }
}
