//! What cannot wait: a warning that is on the air, and the open alarms; the gravest of them stand
//! among what is broken.

use maud::{Markup, html};

use super::alarms::clock;
use super::broadcast::{named, severity};
use crate::broadcast::WarningRow;
use crate::model::{AlarmLevel, WarningStatus};
use crate::status::alarms::now;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// Banners of the warnings that are on the air.
pub(super) fn on_the_air(view: &View, lang: Lang) -> Markup {
    let Some(desk) = &view.broadcast else { return html! {} };
    let seen = desk.view();
    html! {
        @for row in seen.warnings.iter().filter(|row| row.over_ms.is_none()) { (banner(lang, row)) }
    }
}

fn banner(lang: Lang, row: &WarningRow) -> Markup {
    let counts = &row.counts;
    html! {
        section.state.crit role="status" {
            h2.first {
                (severity(lang, row.severity)) " "
                @match row.status {
                    WarningStatus::Actual => { (lang.pick("正在播发预警", "A warning is on the air")) }
                    WarningStatus::Exercise => { (lang.pick("正在演练", "A drill is on the air")) }
                    WarningStatus::Test => { (lang.pick("正在测试广播设备", "The equipment is tested")) }
                }
                (lang.colon()) a href={ "/broadcast/" (row.id) } { (named(lang, row)) }
            }
            p.soft {
                (lang.pick("回执", "Receipts")) " " (counts.acknowledged) " / " (counts.addressed)
                @if counts.failed > 0 { " · " (lang.pick("失败", "failed")) " " (counts.failed) }
            }
        }
    }
}

/// How the worst open alarm colours the page; `None` when nobody is called.
pub(super) fn worst(view: &View) -> Option<(&'static str, u64)> {
    let board = view.alarms.as_ref()?.board();
    let first = board.called().next()?;
    let class = match first.level {
        AlarmLevel::Red | AlarmLevel::Orange => "crit",
        AlarmLevel::Yellow => "warn",
        AlarmLevel::Blue => "note",
    };
    Some((class, board.counts.total()))
}

/// How many alarms are open, and how long the most urgent one may still wait.
pub(super) fn tile(view: &View, lang: Lang) -> Markup {
    let Some(desk) = &view.alarms else { return html! {} };
    let board = desk.board();
    let now = now(view);
    let first = board.called().filter_map(|alarm| Some((board.left_ms(alarm, &now)?, alarm)));
    let first = first.min_by_key(|(left, _)| *left);
    html! {
        a.tile href="/alarms" {
            div.k { (lang.t(Text::Alarms)) " · " (lang.pick("未关闭", "open")) }
            div.v { (board.counts.total()) }
            div.small.soft {
                @match first {
                    Some((_, alarm)) => { (clock(lang, &board, alarm, &now)) }
                    None => { (lang.pick("没有待处理的报警", "nothing to deal with")) }
                }
            }
        }
    }
}
