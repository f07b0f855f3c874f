//! The verdict on each check that the days' evidence and the estate's register can answer.

mod attested;
mod charging;
mod drills;
mod environment;
#[cfg(test)]
mod gateway_tests;
mod latency;
mod logs;
mod register;
mod risk;
mod self_test;
#[cfg(test)]
mod tests;

pub(in crate::starlevel) use attested::{exempt, inventory_of};
pub(in crate::starlevel) use register::lacks;

use crate::model::{Category, Device, DeviceIndex};
use crate::starlevel::assessment::{Bilingual, Outcome};
use crate::starlevel::engine::{Engine, Sight};
use crate::starlevel::evidence::KEEP_DAYS;
use crate::starlevel::metric::Metric;
use crate::starlevel::pack::{Check, Direction, Measure};
use crate::starlevel::verdict::{Judged, Level, names, round4, share, unknown};

impl Engine {
    /// The verdict on a check that needs the evidence of days, or the register.
    pub(in crate::starlevel) fn judge_measured(
        &self,
        check: &Check,
        needed: Measure,
        level: &Level,
        sight: &Sight<'_>,
    ) -> Judged {
        let counts = |device: &Device| {
            device.category != Category::Other && !sight.exempt.contains(&device.category)
        };
        match check.metric {
            Metric::OnlineRateWorst => self.worst(check, needed, level, sight),
            Metric::DataCompleteness => {
                let rates = self
                    .by_category(&sight.exempt, |index| self.book.completeness(index, level.star));
                number(check, needed, mean(&rates), None, NO_PERIOD)
            }
            Metric::ValidShare => {
                let devices = self.estate.indexed().filter(|(_, device)| counts(device));
                let (all, valid) = devices.fold((0, 0), |(all, valid), (index, _)| {
                    let (more, good) = self.book.readings(index);
                    (all + more, valid + good)
                });
                number(check, needed, share(valid, all), None, NO_READING)
            }
            Metric::DailyReads => self.daily_reads(check, needed, sight),
            Metric::PlatformAvailability => {
                let reason = Bilingual::new(
                    "按平台会话（含心跳）的时间计；网关未运行或时钟未可信的时间不计为可用",
                    "time with a session at the platform, kept alive by its heartbeat; time in which \
                     the gateway was down or its clock not trusted is not available time",
                );
                number(check, needed, self.book.link(), Some(reason), NOTHING_YET)
            }
            Metric::DeliveryCompleteness => self.delivery(check, needed),
            Metric::BufferHours => {
                let hours = self.book.capacity_hours().map(f64::floor);
                number(check, needed, hours, None, NO_RATE)
            }
            Metric::EvidenceRetention => self.retention(check, needed),
            Metric::EnvironmentRank => self.environment(check, needed, sight),
            Metric::EnvironmentHours => self.environment_hours(check, needed, level),
            Metric::InventoryShare => self.inventory(check, needed, level, sight),
            Metric::AssetRegister => self.register(check, needed),
            Metric::RiskGrade => self.risk_days(check, needed),
            Metric::ChargeOrders => self.charge_orders(check, needed),
            Metric::SecurityTest => self.security(check, needed),
            Metric::LogRetention => self.log_retention(check, needed),
            Metric::TelemetryLatency
            | Metric::AlarmLatency
            | Metric::ConnectorPush
            | Metric::ScreenPublish
            | Metric::EnvironmentLag
            | Metric::ClockOffset => self.judge_latency(check, needed),
            Metric::BackfillSuccess => self.judge_backfill(check, needed),
            Metric::MeterClocks => self.judge_meter_clocks(check, needed, sight),
            Metric::AlarmAcknowledged | Metric::AlarmClosed | Metric::AlarmEscalated => {
                self.judge_alarms(check, needed)
            }
            Metric::BroadcastDrills
            | Metric::BroadcastStart
            | Metric::BroadcastAck
            | Metric::BroadcastPriority
            | Metric::BroadcastReceipt => self.judge_broadcasts(check, needed),
            _ => unfed(check, needed),
        }
    }

    /// The mean of a value per category, applicable ones only.
    pub(in crate::starlevel) fn by_category(
        &self,
        exempt: &[Category],
        value: impl Fn(DeviceIndex) -> Option<f64>,
    ) -> Vec<(Category, f64)> {
        let mut sums = [(0.0, 0u32); Category::ALL.len()];
        for (index, device) in self.estate.indexed() {
            if let Some(value) = value(index) {
                let (sum, count) = &mut sums[device.category as usize];
                *sum += value;
                *count += 1;
            }
        }
        let open = Category::ALL.iter().filter(|category| !exempt.contains(category));
        open.filter_map(|&category| match sums[category as usize] {
            (_, 0) => None,
            (sum, count) => Some((category, sum / f64::from(count))),
        })
        .collect()
    }

    /// Online rate of the worst category that the star requires: all of its set, and of each list
    /// of alternatives the best. A required category without a device has no rate: unknown.
    fn worst(&self, check: &Check, needed: Measure, level: &Level, sight: &Sight<'_>) -> Judged {
        let Some(set) = self.pack.set(level.star) else {
            return unknown(needed, Bilingual::new("规则未列类别", "the rules name no set"));
        };
        let rate = |category: &Category| {
            level.rates.iter().find(|(c, _)| c == category).map(|(_, rate)| *rate)
        };
        let applies = |category: &&Category| {
            !sight.exempt.contains(category) && !level.dormant.contains(category)
        };
        let mut worst: Option<(f64, Category)> = None;
        let mut lacking: Vec<Category> = Vec::new();
        let mut take = |found: Option<(f64, Category)>, otherwise: &[Category]| match found {
            Some(found) if worst.is_none_or(|worst| found.0 < worst.0) => worst = Some(found),
            Some(_) => {}
            None => lacking.extend(otherwise),
        };
        for category in set.all_of.iter().filter(applies) {
            take(rate(category).map(|rate| (rate, *category)), &[*category]);
        }
        let asleep = |list: &&Vec<Category>| list.iter().any(|c| level.dormant.contains(c));
        for list in set.any_of.iter().filter(|list| !asleep(list)) {
            let open: Vec<Category> = list.iter().filter(applies).copied().collect();
            let rates = open.iter().filter_map(|c| Some((rate(c)?, *c)));
            take(rates.max_by(|a, b| a.0.total_cmp(&b.0)), &open);
        }
        let named = |zh: &str, en: &str, categories: &[Category]| {
            let (names_zh, names_en) = names(categories);
            Bilingual::new(format!("{zh}{names_zh}"), format!("{en}{names_en}"))
        };
        let judged = worst.map(|(rate, category)| {
            let reason = named("最低：", "the worst: ", &[category]);
            number(check, needed, Some(rate), Some(reason), NOTHING_YET)
        });
        match judged {
            Some(judged) if judged.outcome == Outcome::NotMet || lacking.is_empty() => judged,
            _ => unknown(needed, named("无设备的必备类别：", "required, no device: ", &lacking)),
        }
    }

    fn daily_reads(&self, check: &Check, needed: Measure, sight: &Sight<'_>) -> Judged {
        let meters: Vec<DeviceIndex> = self
            .estate
            .indexed()
            .filter(|(_, device)| self.pack.is_meter(device.category))
            .filter(|(_, device)| !sight.exempt.contains(&device.category))
            .map(|(index, _)| index)
            .collect();
        if meters.is_empty() {
            return unknown(needed, Bilingual::new("未配置计量装置", "no meter is configured"));
        }
        let share = self.book.daily_reads(&meters);
        number(check, needed, share, None, NO_DAY)
    }

    fn delivery(&self, check: &Check, needed: Measure) -> Judged {
        let balance = self.book.delivery();
        let measured = balance.and_then(|b| share(b.created - b.lacking, b.created));
        let reason = balance.map(|balance| {
            let (created, lacking) = (balance.created, balance.lacking);
            Bilingual::new(
                format!("按数据块计：满 72 小时的 {created} 块，平台至多缺 {lacking} 块"),
                format!(
                    "counted in blocks: of {created} older than 72 h the platform lacks at most \
                     {lacking}"
                ),
            )
        });
        number(check, needed, measured, reason, NO_RECORD)
    }

    fn retention(&self, check: &Check, needed: Measure) -> Judged {
        let held = self.book.days_held();
        match self.book.chain_holds() {
            None => unknown(needed, Bilingual::new("证据未存盘", "the evidence is in no store")),
            Some(true) => {
                let reason = Bilingual::new(
                    format!("保留 {KEEP_DAYS} 天，哈希成链；目前已有 {held} 天"),
                    format!("kept for {KEEP_DAYS} days in a hash chain; {held} days so far"),
                );
                number(check, needed, Some(f64::from(KEEP_DAYS)), Some(reason), NOTHING_YET)
            }
            Some(false) => {
                let reason = Bilingual::new(
                    "证据链断裂：运行 linli stars verify 查看是哪一日",
                    "the chain is broken: `linli stars verify` names the day",
                );
                number(check, needed, Some(0.0), Some(reason), NOTHING_YET)
            }
        }
    }
}

fn mean(rates: &[(Category, f64)]) -> Option<f64> {
    let count = f64::from(u32::try_from(rates.len()).unwrap_or(u32::MAX));
    (count > 0.0).then(|| rates.iter().map(|(_, rate)| rate).sum::<f64>() / count)
}

/// Nothing measures the check; the reason names what would.
fn unfed(check: &Check, needed: Measure) -> Judged {
    let (zh, en) = check.metric.feeder();
    let zh = format!("尚无证据：需要{zh}");
    unknown(needed, Bilingual::new(zh, format!("no evidence yet: needs {en}")))
}

/// Why there is no number yet: Chinese, English.
const NOTHING_YET: (&str, &str) = ("尚无证据", "no evidence yet");
const NO_PERIOD: (&str, &str) = ("尚无结束的采集周期", "no period of a reading has ended yet");
const NO_READING: (&str, &str) = ("尚未采到读数", "no reading was obtained yet");
const NO_RATE: (&str, &str) = ("缓存速率尚不清楚", "the buffer's rate is not known yet");
const NO_RECORD: (&str, &str) =
    ("尚无满 72 小时的整日记录", "no record of a whole day is 72 h old yet");
const NO_DAY: (&str, &str) = ("尚无完整的自然日", "no whole day has ended yet");
const NO_DEVICE: (&str, &str) = ("未配置设备", "no device is configured");

/// A measured number against what is needed; `otherwise` says why there is none.
fn number(
    check: &Check,
    needed: Measure,
    measured: Option<f64>,
    reason: Option<Bilingual>,
    otherwise: (&str, &str),
) -> Judged {
    let Measure::Number(limit) = needed else {
        return unknown(needed, Bilingual::new("规则错误", "the rule is wrong"));
    };
    let Some(measured) = measured else {
        return unknown(needed, Bilingual::new(otherwise.0, otherwise.1));
    };
    let good = match check.dir {
        Direction::Le => measured <= limit,
        Direction::Ge | Direction::True => measured >= limit,
    };
    Judged {
        outcome: if good { Outcome::Met } else { Outcome::NotMet },
        measured: Some(Measure::Number(round4(measured))),
        needed,
        reason,
    }
}
