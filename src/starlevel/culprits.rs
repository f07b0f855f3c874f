//! Which devices keep a check from being met, worst first.

use super::assessment::{Bilingual, DeviceCause};
use super::engine::Engine;
use super::measured::lacks;
use super::metric::Metric;
use super::pack::{Check, Measure};
use super::verdict::round4;
use crate::model::{Category, DeviceIndex, Health, Moment, Snapshot, WallTime};

/// Most devices named per check; the document is retained by the broker and stays small.
const MOST_DEVICES: usize = 20;

impl Engine {
    /// Devices whose own value of the check is below what `star` needs, worst first, and how many
    /// more there are.
    pub(super) fn culprits(
        &self,
        check: &Check,
        star: u8,
        snapshot: &Snapshot,
        now: Moment,
        wall: Option<WallTime>,
    ) -> (Vec<DeviceCause>, u32) {
        let least = match (check.metric, check.needed(star)) {
            (Metric::CategoriesCovered | Metric::CategorySet, _) => self.online_threshold(star),
            (_, Some(Measure::Number(least))) => Some(least),
            _ => None,
        };
        let least = least.unwrap_or(1.0);
        let mut worst: Vec<(f64, DeviceIndex)> = self
            .estate
            .indexed()
            .filter_map(|(index, _)| Some((self.own_value(check.metric, star, index)?, index)))
            .filter(|(value, _)| *value < least)
            .collect();
        worst.sort_by(|a, b| a.0.total_cmp(&b.0));
        let more = worst.len().saturating_sub(MOST_DEVICES);
        let named = worst.into_iter().take(MOST_DEVICES);
        let online = matches!(
            check.metric,
            Metric::CategoriesCovered
                | Metric::CategorySet
                | Metric::OnlineRate
                | Metric::OnlineRateWorst
                | Metric::InventoryShare
        );
        let named = named.map(|(value, index)| {
            let cause = self.cause(index, star, snapshot, now, wall);
            let register = check.metric == Metric::AssetRegister;
            DeviceCause {
                share: (!online && !register).then(|| round4(value)),
                lacks: register.then(|| lacks(self.estate.device(index))).flatten(),
                ..cause
            }
        });
        (named.collect(), u32::try_from(more).unwrap_or(u32::MAX))
    }

    /// The value of one device, for checks that have one for each.
    fn own_value(&self, metric: Metric, star: u8, index: DeviceIndex) -> Option<f64> {
        let device = self.estate.device(index);
        match metric {
            Metric::CategoriesCovered | Metric::CategorySet | Metric::OnlineRate => {
                self.book.rate(index, star)
            }
            Metric::OnlineRateWorst => {
                let set = self.pack.set(star)?;
                let required = set.all_of.contains(&device.category)
                    || set.any_of.iter().any(|list| list.contains(&device.category));
                required.then(|| self.book.rate(index, star)).flatten()
            }
            Metric::DataCompleteness => self.book.completeness(index, star),
            Metric::ValidShare => {
                let (all, valid) = self.book.readings(index);
                #[expect(clippy::cast_precision_loss, reason = "counts fit 53 bits")]
                (all > 0).then(|| valid as f64 / all as f64)
            }
            Metric::DailyReads => {
                self.pack.is_meter(device.category).then(|| self.book.daily_reads(&[index]))?
            }
            Metric::MeterClocks => {
                let clock = self.book.meter_clocks(std::iter::once(index));
                let counts = self.pack.is_meter(device.category) && clock.all > 0;
                counts.then_some(if clock.good > 0 { 1.0 } else { 0.0 })
            }
            Metric::InventoryShare => {
                let counts = device.category != Category::Other && !self.is_connected(index);
                counts.then_some(0.0)
            }
            Metric::AssetRegister => lacks(device).map(|_| 0.0),
            _ => None,
        }
    }

    fn cause(
        &self,
        index: DeviceIndex,
        star: u8,
        snapshot: &Snapshot,
        now: Moment,
        wall: Option<WallTime>,
    ) -> DeviceCause {
        let device = self.estate.device(index);
        let (health, cause, since) = snapshot.with(index, |s| (s.health, s.cause.clone(), s.since));
        let known = (health != Health::Unknown).then(|| now.since(since));
        DeviceCause {
            device: device.id.as_str().to_owned(),
            name: device.title().to_owned(),
            health,
            cause: cause.map(|cause| Bilingual::new(cause.zh(), cause.en())),
            for_s: known.map(|span| span.as_secs()),
            since_ms: known.zip(wall).map(|(span, wall)| {
                wall.unix_ms - i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
            }),
            online_rate: round4(self.book.rate(index, star).unwrap_or(0.0)),
            share: None,
            lacks: None,
        }
    }
}
