//! Charts as SVG: one value a natural day. A day that was not observed is a gap, never zero.

use maud::{Markup, html};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 26.0;

/// What a chart shows.
pub(super) struct Chart<'a> {
    /// Names it within the page.
    pub(super) id: &'a str,
    /// Title, Chinese.
    pub(super) zh: &'a str,
    /// Title, English.
    pub(super) en: &'a str,
    /// The days of the axis.
    pub(super) dates: &'a [String],
    /// A value a day; `None` for a day that was not observed.
    pub(super) values: Vec<Option<f64>>,
    /// The line that the target star wants, with its star.
    pub(super) wanted: Option<(f64, u8)>,
    /// Whether the values are shares, shown as a line; else counts, shown as bars.
    pub(super) shares: bool,
}

/// The vertical axis.
struct Axis {
    low: f64,
    high: f64,
    steps: u32,
}

impl Chart<'_> {
    pub(super) fn draw(&self) -> Markup {
        let axis = self.axis();
        let (zh, en) = self.summary();
        html! {
            figure {
                figcaption { (self.zh) span.en { (self.en) } }
                svg role="img" aria-labelledby={ (self.id) "-t " (self.id) "-d" }
                    viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } xmlns="http://www.w3.org/2000/svg" {
                    title id={ (self.id) "-t" } { (self.zh) " " (self.en) }
                    desc id={ (self.id) "-d" } { (zh) " " (en) }
                    (self.grid(&axis))
                    (self.gaps())
                    @if self.shares { (self.line(&axis)) } @else { (self.bars(&axis)) }
                    (self.threshold(&axis))
                }
            }
        }
    }

    fn axis(&self) -> Axis {
        let known = self.values.iter().flatten().copied();
        if !self.shares {
            let most = known.fold(0.0, f64::max);
            let step = nice(most / 4.0);
            return Axis { low: 0.0, high: step * 4.0, steps: 4 };
        }
        // Shares near the top would all lie on one line: the axis begins at a whole tenth below.
        let least = known.chain(self.wanted.map(|(wanted, _)| wanted)).fold(1.0, f64::min);
        let tenths = (least * 10.0 - 0.5).floor().clamp(0.0, 8.0);
        let steps = if tenths < 5.0 { 5 } else { 10 - tenths as u32 };
        let low = if tenths < 5.0 { 0.0 } else { tenths / 10.0 };
        Axis { low, high: 1.0, steps }
    }

    fn x(&self, slot: usize) -> f64 {
        let step = (WIDTH - LEFT - RIGHT) / number(self.dates.len().max(1));
        LEFT + step * (number(slot) + 0.5)
    }

    fn y(axis: &Axis, value: f64) -> f64 {
        let share = ((value - axis.low) / (axis.high - axis.low).max(1e-9)).clamp(0.0, 1.0);
        TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share)
    }

    fn grid(&self, axis: &Axis) -> Markup {
        let every = self.dates.len().div_ceil(8).max(1);
        html! {
            @for step in 0..=axis.steps {
                @let value = axis.low + (axis.high - axis.low) * f64::from(step) / f64::from(axis.steps);
                @let y = Self::y(axis, value);
                line x1=(LEFT) x2=(WIDTH - RIGHT) y1=(px(y)) y2=(px(y)) stroke="#d5dbe1" stroke-width="1" {}
                text x=(LEFT - 6.0) y=(px(y + 4.0)) text-anchor="end" { (self.tick(value)) }
            }
            @for (slot, date) in self.dates.iter().enumerate().filter(|(slot, _)| slot % every == 0) {
                text x=(px(self.x(slot))) y=(HEIGHT - 8.0) text-anchor="middle" { (date.get(5..).unwrap_or(date)) }
            }
        }
    }

    fn tick(&self, value: f64) -> String {
        if self.shares {
            return format!("{:.0} %", value * 100.0);
        }
        match value {
            0.0..10_000.0 => format!("{value:.0}"),
            10_000.0..1_000_000.0 => format!("{:.0} k", value / 1000.0),
            _ => format!("{:.1} M", value / 1_000_000.0),
        }
    }

    /// Days that were not observed: a hatched ground that says so.
    fn gaps(&self) -> Markup {
        let step = (WIDTH - LEFT - RIGHT) / number(self.dates.len().max(1));
        let high = HEIGHT - TOP - BOTTOM;
        html! {
            defs { pattern id={ (self.id) "-g" } width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                rect width="6" height="6" fill="#f1f4f7" {}
                line x1="0" x2="0" y1="0" y2="6" stroke="#c3cbd3" stroke-width="2" {}
            } }
            @for (first, count) in runs(&self.values, Option::is_none) {
                @let wide = step * number(count);
                rect x=(px(LEFT + step * number(first))) y=(TOP) width=(px(wide)) height=(high) fill={ "url(#" (self.id) "-g)" } {}
                @if wide > 80.0 {
                    text x=(px(LEFT + step * number(first) + wide / 2.0)) y=(TOP + high / 2.0)
                        text-anchor="middle" stroke="#ffffff" stroke-width="3" paint-order="stroke" { "无观测 not observed" }
                }
            }
        }
    }

    fn line(&self, axis: &Axis) -> Markup {
        let known = runs(&self.values, Option::is_some);
        html! {
            @for (first, count) in known {
                @let points: Vec<String> = (first..first + count)
                    .filter_map(|slot| Some(format!("{},{}", px(self.x(slot)), px(Self::y(axis, self.values[slot]?)))))
                    .collect();
                polyline points=(points.join(" ")) fill="none" stroke="#16202b" stroke-width="1.8" stroke-linejoin="round" {}
            }
            @for (slot, value) in self.values.iter().enumerate().filter_map(|(slot, v)| Some((slot, (*v)?))) {
                circle cx=(px(self.x(slot))) cy=(px(Self::y(axis, value))) r="2.4" fill="#16202b" {}
            }
        }
    }

    fn bars(&self, axis: &Axis) -> Markup {
        let wide = (WIDTH - LEFT - RIGHT) / number(self.dates.len().max(1)) * 0.7;
        html! {
            @for (slot, value) in self.values.iter().enumerate().filter_map(|(slot, v)| Some((slot, (*v)?))) {
                @let y = Self::y(axis, value);
                rect x=(px(self.x(slot) - wide / 2.0)) y=(px(y)) width=(px(wide)) height=(px(HEIGHT - BOTTOM - y)) fill="#3d5166" {}
            }
        }
    }

    fn threshold(&self, axis: &Axis) -> Markup {
        let Some((wanted, star)) = self.wanted else { return html! {} };
        let y = Self::y(axis, wanted);
        // The words stand below the line where there is no room above it.
        let words = if y < TOP + 14.0 { y + 13.0 } else { y - 4.0 };
        html! {
            line x1=(LEFT) x2=(WIDTH - RIGHT) y1=(px(y)) y2=(px(y)) stroke="#b3282d" stroke-width="1.6" stroke-dasharray="7 4" {}
            text x=(LEFT + 6.0) y=(px(words)) stroke="#ffffff" stroke-width="3" paint-order="stroke" {
                "★" (star) " ≥ " (crate::starlevel::percent(wanted))
            }
        }
    }

    /// The chart in a sentence.
    fn summary(&self) -> (String, String) {
        let known: Vec<f64> = self.values.iter().flatten().copied().collect();
        let (days, gaps) = (self.values.len(), self.values.len() - known.len());
        let show = |value: f64| {
            if self.shares { crate::starlevel::percent(value) } else { format!("{value:.0}") }
        };
        let least = known.iter().copied().fold(f64::INFINITY, f64::min);
        let most = known.iter().copied().fold(0.0, f64::max);
        if known.is_empty() {
            return (
                format!("{days} 天均无观测。"),
                format!("Not observed on any of {days} days."),
            );
        }
        (
            format!("{days} 天，其中 {gaps} 天无观测；最低 {}，最高 {}。", show(least), show(most)),
            format!(
                "{days} days, {gaps} not observed; lowest {}, highest {}.",
                show(least),
                show(most)
            ),
        )
    }
}

/// Runs of neighbours that are alike: where they begin and how many.
fn runs(values: &[Option<f64>], alike: impl Fn(&Option<f64>) -> bool) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for slot in (0..values.len()).filter(|slot| alike(&values[*slot])) {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == slot => *count += 1,
            _ => runs.push((slot, 1)),
        }
    }
    runs
}

/// One, two or five times a power of ten, not below.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= step).unwrap_or(power)
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

#[expect(clippy::cast_precision_loss, reason = "days of a window")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart<'a>(dates: &'a [String], values: &[Option<f64>]) -> Chart<'a> {
        let values = values.to_vec();
        Chart {
            id: "x",
            zh: "图",
            en: "chart",
            dates,
            values,
            wanted: Some((0.9, 3)),
            shares: true,
        }
    }

    #[test]
    fn a_day_that_was_not_observed_breaks_the_line_and_is_not_zero() {
        let dates: Vec<String> = (1..=5).map(|day| format!("2026-01-0{day}")).collect();
        let values = [Some(1.0), Some(0.95), None, Some(0.97), Some(0.99)];
        let svg = chart(&dates, &values).draw().into_string();
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains("5 days, 1 not observed; lowest 95.0 %, highest 100.0 %."), "{svg}");
    }

    #[test]
    fn a_day_of_zero_is_drawn_as_zero() {
        let dates = vec!["2026-01-01".to_owned()];
        let svg = chart(&dates, &[Some(0.0)]).draw().into_string();
        assert!(svg.contains("<circle") && svg.contains("lowest 0.0 %"), "{svg}");
    }

    #[test]
    fn the_axis_of_counts_ends_at_a_round_number_above_the_highest() {
        for (most, high) in
            [(0.0, 4.0), (3.0, 4.0), (4.1, 8.0), (950.0, 2000.0), (12_345.0, 20_000.0)]
        {
            let dates = vec!["2026-01-01".to_owned()];
            let chart = Chart { shares: false, wanted: None, ..chart(&dates, &[Some(most)]) };
            assert!((chart.axis().high - high).abs() < 1e-6, "{most}: {}", chart.axis().high);
        }
    }
}
