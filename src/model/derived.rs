//! Points that follow from others of the same device by a few fixed rules.

use super::{Point, PointIndex, PointState, Quality, Reading, Reason, Value};

/// How the value follows from the inputs.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// All inputs added.
    Sum,
    /// The first less the second.
    Difference,
    /// The first over the second, times a factor.
    Ratio {
        /// 100 for a percentage.
        factor: f64,
    },
    /// The worst of the inputs.
    WorstOf(Worst),
    /// How many inputs pass the test.
    CountWhere(Test),
}

impl Rule {
    /// The word in profiles and in the inventory.
    pub fn word(&self) -> &'static str {
        match self {
            Rule::Sum => "sum",
            Rule::Difference => "difference",
            Rule::Ratio { .. } => "ratio",
            Rule::WorstOf(_) => "worst_of",
            Rule::CountWhere(_) => "count_where",
        }
    }
}

/// What is worse.
#[derive(Debug, Clone, PartialEq)]
pub enum Worst {
    /// The one that stands first in this list of codes.
    Order(Vec<f64>),
    /// The highest number; of flags, true.
    Highest,
    /// The lowest number.
    Lowest,
}

/// Which inputs are counted; a flag is 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Test {
    /// Those with this value.
    Equals(f64),
    /// Those above it.
    Above(f64),
    /// Those below it.
    Below(f64),
}

impl Test {
    fn passes(self, value: f64) -> bool {
        match self {
            Test::Equals(wanted) => (value - wanted).abs() < f64::EPSILON,
            Test::Above(limit) => value > limit,
            Test::Below(limit) => value < limit,
        }
    }
}

/// A point that is calculated, not read.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// The point.
    pub point: PointIndex,
    /// How it follows.
    pub rule: Rule,
    /// From which points, in their order; none of them is derived.
    pub of: Vec<PointIndex>,
    /// Its value is a flag.
    pub flag: bool,
}

impl Derived {
    /// The value as it follows from the present state of the inputs.
    ///
    /// `sum`, `difference` and `ratio` need all of them: one that is bad makes the result bad, and
    /// before all have been read once there is none. `worst_of` and `count_where` say what can be
    /// said: when an input is missing the result is uncertain.
    pub fn reading<'s>(
        &self,
        point: &Point,
        state: impl Fn(PointIndex) -> &'s PointState,
    ) -> Option<Reading> {
        let inputs = || self.of.iter().map(|&input| state(input));
        let (value, quality) = match &self.rule {
            Rule::WorstOf(worst) => known(inputs(), |values| worst_of(worst, values))?,
            Rule::CountWhere(test) => known(inputs(), |values| Some(count(*test, values)))?,
            Rule::Sum => all(inputs(), |values| Some(values.iter().sum()))?,
            Rule::Difference => all(inputs(), |values| Some(values.first()? - values.get(1)?))?,
            Rule::Ratio { factor } => all(inputs(), |values| {
                let ratio = values.first()? / values.get(1)? * factor;
                ratio.is_finite().then_some(ratio)
            })?,
        };
        let value = value.map(|value| match self.flag {
            true => Value::Flag(value != 0.0),
            false => Value::Number(rounded(value, point.decimals)),
        });
        Some(Reading { point: self.point, value, quality })
    }
}

type Outcome = (Option<f64>, Quality);

/// Needs every input.
fn all<'s>(
    inputs: impl Iterator<Item = &'s PointState>,
    rule: impl Fn(&[f64]) -> Option<f64>,
) -> Option<Outcome> {
    let mut values = Vec::new();
    let mut quality = Quality::Good;
    for input in inputs {
        match (input.quality?, input.value.as_ref().and_then(Value::number)) {
            (Quality::Bad(reason), _) => return Some((None, Quality::Bad(reason))),
            (_, None) => return Some((None, Quality::Bad(Reason::NotAvailable))),
            (Quality::Uncertain(reason), Some(value)) => {
                quality = Quality::Uncertain(reason);
                values.push(value);
            }
            (Quality::Good, Some(value)) => values.push(value),
        }
    }
    Some(match rule(&values) {
        Some(value) => (Some(value), quality),
        None => (None, Quality::Bad(Reason::NotAvailable)),
    })
}

/// Takes the inputs that are known.
fn known<'s>(
    inputs: impl Iterator<Item = &'s PointState>,
    rule: impl Fn(&[f64]) -> Option<f64>,
) -> Option<Outcome> {
    let mut values = Vec::new();
    let (mut doubt, mut bad, mut read) = (None, None, false);
    for input in inputs {
        read |= input.quality.is_some();
        match (input.quality, input.value.as_ref().and_then(Value::number)) {
            (Some(Quality::Good), Some(value)) => values.push(value),
            (Some(Quality::Uncertain(reason)), Some(value)) => {
                values.push(value);
                doubt = Some(reason);
            }
            (quality, _) => {
                let reason = quality.and_then(Quality::reason).unwrap_or(Reason::NotAvailable);
                bad.get_or_insert(reason);
            }
        }
    }
    if !read {
        return None;
    }
    match rule(&values) {
        Some(value) if !values.is_empty() => {
            let quality = bad.or(doubt).map_or(Quality::Good, Quality::Uncertain);
            Some((Some(value), quality))
        }
        _ => Some((None, Quality::Bad(bad.unwrap_or(Reason::NotAvailable)))),
    }
}

fn worst_of(worst: &Worst, values: &[f64]) -> Option<f64> {
    let values = values.iter().copied();
    match worst {
        Worst::Highest => values.reduce(f64::max),
        Worst::Lowest => values.reduce(f64::min),
        // A code without a place is as bad as the worst: it must not hide.
        Worst::Order(order) => values
            .min_by_key(|value| order.iter().position(|code| (code - value).abs() < f64::EPSILON)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a device has fewer than 65,536 points")]
fn count(test: Test, values: &[f64]) -> f64 {
    values.iter().filter(|value| test.passes(**value)).count() as f64
}

fn rounded(value: f64, decimals: u8) -> f64 {
    let scale = 10f64.powi(i32::from(decimals));
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests;
