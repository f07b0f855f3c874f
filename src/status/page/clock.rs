//! The time: how good it is, who gives it, which meters are off.

use maud::{Markup, html};

use crate::clock::TrustState;
use crate::model::DeviceId;
use crate::status::clock;
use crate::status::layout::{facts, pill};
use crate::status::show;
use crate::status::text::{Lang, Text};
use crate::status::view::View;

/// The section of the page "settings".
pub(in crate::status) fn section(view: &View, lang: Lang) -> Markup {
    let status = view.clock.status();
    let class = match status.state {
        TrustState::Synchronised => "ok",
        TrustState::Holdover => "note",
        TrustState::Untrusted => "warn",
    };
    let now = view.now();
    let none = || "—".to_owned();
    let rows = [
        (
            Text::ClockSource,
            status.source.as_ref().map_or_else(none, |it| lang.of(&clock::source(it)).to_owned()),
        ),
        (
            Text::ClockUncertainty,
            status.uncertainty_ms.map_or_else(none, |ms| {
                let text = clock::signed(i64::try_from(ms).unwrap_or(i64::MAX));
                format!("±{}", text.trim_start_matches('+'))
            }),
        ),
        (Text::ClockOffset, status.offset_ms.map_or_else(none, clock::signed)),
        (
            Text::ClockSynchronised,
            status
                .synchronised_at
                .map_or_else(|| lang.t(Text::Never).to_owned(), |at| show::ago(lang, now, at)),
        ),
    ];
    html! {
        h2 id="clock" {
            (lang.t(Text::Clock)) " " (pill(class, lang.of(&clock::state(status.state))))
        }
        @for found in &status.disagreements { p.warn { (lang.of(&clock::disagreement(found))) } }
        (facts(&rows, lang))
    }
}

/// What a meter's clock said last, for the device's page; `None` when it was not read.
pub(super) fn of_meter(view: &View, lang: Lang, device: &DeviceId) -> Option<String> {
    let seen = view.clock.meter(device)?;
    let said = match seen.offset_s {
        Some(offset) => clock::signed(offset.saturating_mul(1000)),
        None => lang.t(Text::MeterClockSilent).to_owned(),
    };
    Some(format!("{said} · {}", show::ago(lang, view.now(), seen.at)))
}
