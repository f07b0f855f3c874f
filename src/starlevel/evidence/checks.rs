//! What the checks gave on a day, and since when one does not pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Book;
use crate::starlevel::STARS;
use crate::starlevel::assessment::{Assessment, CheckResult};
use crate::starlevel::pack::Measure;

/// Version of the row.
pub(super) const CHECKS_ROW: u8 = 1;

/// Since when a check does not pass for each star, milliseconds since 1970; by identifier.
pub(super) type Unmet = BTreeMap<String, [Option<i64>; STARS as usize]>;

/// The last assessment of a day.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(in crate::starlevel) struct CheckDay {
    /// Version of the row.
    pub(super) v: u8,
    /// The star that was reached, 0 for none.
    pub(in crate::starlevel) star: u8,
    /// By check: the highest star that it allows by itself, 0..=5, and what was measured by the
    /// definition of the estate's target star.
    pub(in crate::starlevel) checks: BTreeMap<String, (u8, Option<Measure>)>,
}

impl CheckDay {
    fn of(assessment: &Assessment) -> Self {
        let rows = assessment.checks.iter().map(|check| {
            let at = |star| check.levels.iter().find(|level| level.star == star);
            let measured = at(assessment.target).and_then(|level| level.measured);
            (check.id.clone(), (allowed(check), measured))
        });
        Self { v: CHECKS_ROW, star: assessment.star, checks: rows.collect() }
    }
}

/// The highest star that the check allows by itself.
fn allowed(check: &CheckResult) -> u8 {
    let failed = check.levels.iter().find(|level| !level.outcome.passes());
    failed.map_or(STARS, |level| level.star - 1)
}

impl Book {
    /// Notes what an assessment at `wall` (milliseconds since 1970) gave.
    pub(in crate::starlevel) fn note(&mut self, assessment: &Assessment, wall: i64) {
        let Some(frontier) = self.kept.frontier else { return };
        for check in &assessment.checks {
            let unmet = self.unmet.entry(check.id.clone()).or_default();
            let mut now = [None; STARS as usize];
            for level in check.levels.iter().filter(|level| !level.outcome.passes()) {
                let Some(slot) = usize::from(level.star).checked_sub(1) else { continue };
                // A clock that was ahead leaves no time that has not come yet.
                now[slot] = Some(unmet[slot].map_or(wall, |since| since.min(wall)));
            }
            *unmet = now;
        }
        let day = self.zone.day(frontier);
        if let Some(row) = self.open_row(day) {
            row.checks = Some(CheckDay::of(assessment));
        }
    }

    /// Since when a check does not pass for `star` (1..=5), milliseconds since 1970.
    pub(in crate::starlevel) fn unmet_since(&self, check: &str, star: u8) -> Option<i64> {
        let slot = usize::from(star).checked_sub(1)?;
        *self.unmet.get(check)?.get(slot)?
    }
}
