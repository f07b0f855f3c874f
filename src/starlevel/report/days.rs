//! What the closed days amount to, from their rows: the one place where a report's days are summed,
//! when it is made and when it is verified.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{DayCategory, ReportDay, ReportEstate};
use crate::model::Category;
use crate::starlevel::evidence::{ClosedDay, DeviceTally, date, month_and_day};
use crate::starlevel::season::Season;
use crate::starlevel::verdict::{round4, share};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// The days at a star (1..=5). A device that had a row before and has none counts as there and
/// silent: a gateway that was down the whole day writes rows only for who stayed online.
///
/// # Errors
/// The date of a day whose rows this program cannot read.
pub(super) fn sum(
    days: &[ClosedDay],
    estate: &ReportEstate,
    star: u8,
) -> Result<Vec<ReportDay>, String> {
    let level = usize::from(star.clamp(1, 5)) - 1;
    let season = estate.heating_season.as_deref().and_then(|text| Season::parse(text).ok());
    let devices: BTreeMap<&str, Category> =
        estate.devices.iter().map(|d| (d.id.as_str(), d.category)).collect();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut rows = Vec::with_capacity(days.len());
    for day in days {
        let (gateway, tallies) = day.tally().ok_or_else(|| date(day.day))?;
        let periods = expected(estate, season, day.day);
        let mut sums: BTreeMap<Category, Sums> = BTreeMap::new();
        let mut silent = seen.clone();
        for tally in tallies {
            let Some(category) = devices.get(tally.device.as_str()) else { continue };
            silent.remove(&tally.device);
            if let Some(period) = periods.get(category) {
                sums.entry(*category).or_default().add(&tally, level, *period);
            }
            seen.insert(tally.device);
        }
        for device in silent {
            let category = devices[device.as_str()];
            if periods.contains_key(&category) {
                sums.entry(category).or_default().silent();
            }
        }
        let part = |ms: u64| share(ms, DAY_MS).unwrap_or(0.0);
        let (valid, readings) =
            sums.values().fold((0, 0), |(v, r), sum| (v + sum.valid, r + sum.readings));
        let categories: Vec<(Category, Sums)> = sums.into_iter().collect();
        rows.push(ReportDay {
            date: date(day.day),
            observed_share: round4(part(gateway.observed_ms)),
            link_share: round4(part(gateway.link_ms)),
            readings_stored: gateway.stored,
            blocks_created: gateway.created,
            blocks_acknowledged: gateway.acknowledged,
            blocks_lost: gateway.lost,
            online_rate: mean(categories.iter().filter_map(|(_, sum)| sum.online())).map(round4),
            completeness: mean(categories.iter().filter_map(|(_, sum)| sum.complete())).map(round4),
            valid_share: share(valid, readings).map(round4),
            categories: categories.iter().map(|(category, sum)| sum.row(*category)).collect(),
        });
    }
    Ok(rows)
}

/// The categories of which something is expected on a day, with milliseconds of a reading's period.
fn expected(estate: &ReportEstate, season: Option<Season>, day: u32) -> BTreeMap<Category, u64> {
    let (month, date) = month_and_day(day);
    let asleep = season.is_some_and(|season| !season.holds(month, date));
    let awake = estate.categories.iter().filter(|category| !(category.seasonal && asleep));
    awake.map(|c| (c.category, c.reading_s.saturating_mul(1000))).collect()
}

/// The devices of one category on one day.
#[derive(Debug, Default)]
struct Sums {
    devices: u32,
    online: Vec<f64>,
    complete: Vec<f64>,
    readings: u64,
    valid: u64,
}

impl Sums {
    fn add(&mut self, tally: &DeviceTally, level: usize, period_ms: u64) {
        self.devices += 1;
        let there = tally.exists_ms.saturating_sub(tally.excused_ms);
        self.online.extend(share(tally.online_ms[level].min(there), there));
        let expected = tally.exists_ms / period_ms.max(1);
        self.complete.extend(share(tally.covered[level].min(expected), expected));
        self.readings += tally.readings;
        self.valid += tally.valid;
    }

    fn silent(&mut self) {
        self.devices += 1;
        self.online.push(0.0);
        self.complete.push(0.0);
    }

    fn online(&self) -> Option<f64> {
        mean(self.online.iter().copied())
    }

    fn complete(&self) -> Option<f64> {
        mean(self.complete.iter().copied())
    }

    fn row(&self, category: Category) -> DayCategory {
        DayCategory {
            category,
            devices: self.devices,
            online_rate: self.online().map(round4),
            completeness: self.complete().map(round4),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
