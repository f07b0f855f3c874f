//! Which attestations count, and whether they hold today.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::day::Day;
use super::desk::Attested;
use super::subject::{Attestation, Subject};
use crate::model::{Category, Estate};
use crate::starlevel::assessment::Bilingual;

/// So many days before its end an attestation asks for its renewal.
const SOON: i64 = 30;

/// Where an attestation was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttestationSource {
    /// In the attestations file of the configuration.
    File,
    /// On the gateway's page.
    Page,
}

/// Whether an attestation holds. All but `valid` count as if nobody had said anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It holds.
    Valid,
    /// Its first day has not come.
    NotYetValid,
    /// Its last day is over.
    Expired,
    /// Nobody can say while the clock is not trusted.
    ClockNotTrusted,
    /// It says that a category does not apply, and there is a device of that category.
    Contradicted,
}

/// An attestation that counts for its subject, judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttestationResult {
    /// What was said, by whom, when.
    #[serde(flatten)]
    pub attestation: Attestation,
    /// Where.
    pub source: AttestationSource,
    /// Whether it holds.
    pub state: Standing,
    /// Days until its last day, 0 on that day; only while it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_left: Option<i64>,
}

impl Attestation {
    /// Whether it holds on a day; `None` while the clock is not trusted.
    pub fn validity(&self, today: Option<Day>) -> Standing {
        match today {
            None => Standing::ClockNotTrusted,
            Some(today) if today < self.on => Standing::NotYetValid,
            Some(today) if today > self.until => Standing::Expired,
            Some(_) => Standing::Valid,
        }
    }
}

impl AttestationResult {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.state == Standing::Valid
    }

    /// Whether it holds but not for long: its renewal is due.
    pub fn is_ending(&self) -> bool {
        self.holds() && self.days_left.is_some_and(|days| days <= SOON)
    }

    /// The word of its state, with the days that are left.
    pub fn state_words(&self) -> Bilingual {
        let (zh, en) = match (self.state, self.days_left) {
            (Standing::Valid, Some(0)) => ("今日到期", "expires today"),
            (Standing::Valid, Some(days)) if self.is_ending() => {
                let (zh, en) = (format!("还有 {days} 天到期"), format!("expires in {days} days"));
                return Bilingual::new(zh, en);
            }
            (Standing::Valid, Some(days)) => {
                let (zh, en) =
                    (format!("有效，还有 {days} 天"), format!("valid, {days} days left"));
                return Bilingual::new(zh, en);
            }
            (Standing::Valid, None) => ("有效", "valid"),
            (Standing::NotYetValid, _) => ("尚未生效", "not yet valid"),
            (Standing::Expired, _) => ("已过期", "expired"),
            (Standing::ClockNotTrusted, _) => ("时钟未校时", "clock not trusted"),
            (Standing::Contradicted, _) => ("与现有设备矛盾", "contradicted by a device"),
        };
        Bilingual::new(zh, en)
    }

    /// Why it counts as missing, and since when; `None` when it holds.
    pub fn why_not(&self) -> Option<Bilingual> {
        let Attestation { by, on, until, .. } = &self.attestation;
        match self.state {
            Standing::Valid => None,
            Standing::NotYetValid => Some(Bilingual::new(
                format!("{by} 的签认自 {on} 起生效，尚未生效"),
                format!("what {by} attested holds only from {on}"),
            )),
            Standing::Expired => Some(Bilingual::new(
                format!("{by} 于 {on} 的签认已于 {until} 日终到期"),
                format!("what {by} attested on {on} expired at the end of {until}"),
            )),
            Standing::ClockNotTrusted => Some(Bilingual::new(
                format!("时钟未校时，无法判断 {by} 于 {on} 的签认（至 {until}）是否有效"),
                format!(
                    "the clock is not trusted: whether what {by} attested on {on} until {until} \
                     holds cannot be judged"
                ),
            )),
            Standing::Contradicted => Some(Bilingual::new(
                format!("{by} 于 {on} 签认该类别不适用，但现有该类别的设备"),
                format!("{by} attested on {on} that it does not apply, but such a device is here"),
            )),
        }
    }
}

impl Attested {
    /// The attestation that counts for each subject, judged by the day; `None` while the clock is
    /// not trusted.
    pub(in crate::starlevel) fn judge(
        &self,
        today: Option<Day>,
        estate: &Estate,
    ) -> Vec<AttestationResult> {
        let here = |category: Category| {
            estate.devices().iter().any(|device| device.category == category)
                || self.found.iter().any(|device| device.category == Some(category))
        };
        let file = self.file.iter().map(|one| (one, AttestationSource::File));
        let page = self.page.iter().map(|one| (one, AttestationSource::Page));
        let mut best: BTreeMap<String, (&Attestation, AttestationSource)> = BTreeMap::new();
        // What is dated ahead must not hide what holds today.
        let rank = |(one, source): (&Attestation, AttestationSource)| {
            (today.is_none_or(|today| one.on <= today), one.on, source)
        };
        for candidate in file.chain(page) {
            let slot = best.entry(candidate.0.subject.word()).or_insert(candidate);
            if rank(candidate) > rank(*slot) {
                *slot = candidate;
            }
        }
        let judged = best.into_values().map(|(attestation, source)| {
            let mut state = attestation.validity(today);
            if let Subject::NotApplicable { category, .. } = &attestation.subject
                && state == Standing::Valid
                && here(*category)
            {
                state = Standing::Contradicted;
            }
            let left = today.map(|today| today.days_to(attestation.until));
            AttestationResult {
                attestation: attestation.clone(),
                source,
                state,
                days_left: left.filter(|_| state == Standing::Valid),
            }
        });
        let mut judged: Vec<AttestationResult> = judged.collect();
        judged.sort_by(|a, b| a.attestation.subject.order().cmp(&b.attestation.subject.order()));
        judged
    }
}
