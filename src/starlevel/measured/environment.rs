//! The verdicts on the environment: which parameters are measured, how many hours are valid.

use std::time::Duration;

use super::{NOTHING_YET, number};
use crate::model::{Category, Moment, Snapshot};
use crate::starlevel::assessment::{Bilingual, Outcome};
use crate::starlevel::engine::{Engine, Sight};
use crate::starlevel::environment::{Parameter, rank};
use crate::starlevel::metric::Metric;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::{Judged, Level, share, unknown};

/// A parameter of the environment counts when it brought a good value within this time.
const FRESH: Duration = Duration::from_secs(86_400);
/// So long after the start a missing parameter may still come.
const EARLY: Duration = Duration::from_secs(3600);

impl Engine {
    /// E1: the highest rank whose parameters all brought a good value lately.
    pub(super) fn environment(&self, check: &Check, needed: Measure, sight: &Sight<'_>) -> Judged {
        let fresh = fresh_parameters(sight.snapshot, sight.now);
        let found = rank(|parameter| fresh.contains(&parameter));
        let names: Vec<Bilingual> = found.wanted.iter().map(|wanted| wanted.names()).collect();
        let zh = names.iter().map(|name| name.zh.as_str()).collect::<Vec<_>>().join("、");
        let en = names.iter().map(|name| name.en.as_str()).collect::<Vec<_>>().join(", ");
        // At rank 2 any two of them make the next.
        let (two_zh, two_en) =
            if found.rank == 2 { ("任两项 ", "any two of ") } else { ("", "") };
        let reason = (!names.is_empty()).then(|| {
            Bilingual::new(
                format!("24 小时内无有效值：{two_zh}{zh}"),
                format!("no good value within 24 h: {two_en}{en}"),
            )
        });
        let judged =
            number(check, needed, Some(f64::from(found.rank)), reason.clone(), NOTHING_YET);
        let early = sight.now.since(self.started) < EARLY;
        match (judged.outcome, reason) {
            // Right after a start a value may not have come yet.
            (Outcome::NotMet, Some(reason)) if early => unknown(needed, reason),
            _ => judged,
        }
    }

    /// E2: hours with 45 minutes of valid data of every parameter that E1 asks for at the star,
    /// over all hours since there is a station.
    pub(super) fn environment_hours(
        &self,
        check: &Check,
        needed: Measure,
        level: &Level,
    ) -> Judged {
        let first = self.pack.checks().iter().find(|c| c.metric == Metric::EnvironmentRank);
        let rank = match first.and_then(|check| check.needed(level.star)) {
            Some(Measure::Number(rank)) => rank.clamp(1.0, 3.0) as u8,
            _ => 1,
        };
        let hours = self.book.environment_hours(rank);
        let measured = hours.and_then(|(valid, all)| share(valid, all));
        let reason = hours.map(|(valid, all)| {
            Bilingual::new(
                format!(
                    "{all} 小时中 {valid} 小时有效：E1 要求的各参数均有 45 分钟以上有效数据（可由不同设备\
                     提供）；网关未运行的小时不计为有效"
                ),
                format!(
                    "{valid} of {all} hours have 45 minutes of valid data of every parameter that E1 \
                     asks for, at one station each; hours in which the gateway was down are not valid"
                ),
            )
        });
        number(
            check,
            needed,
            measured,
            reason,
            ("尚无监测站的整小时", "no hour of a station has ended yet"),
        )
    }
}

/// Parameters that environment sensors measured lately.
fn fresh_parameters(snapshot: &Snapshot, now: Moment) -> Vec<Parameter> {
    let mut found = Vec::new();
    for (index, device) in snapshot.estate().indexed() {
        if device.category != Category::EnvironmentSensor {
            continue;
        }
        snapshot.with(index, |state| {
            for (point, state) in device.points.iter().zip(&state.points) {
                if state.good_at.is_some_and(|at| now.since(at) <= FRESH) {
                    found.extend(Parameter::of_point(&point.name));
                }
            }
        });
    }
    found
}
