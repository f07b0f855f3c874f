//! The verdicts that stand on a person's word: the inventory (C3), security grading (G3), privacy
//! (G6), categories that do not apply, and the advisory list.
//!
//! *Connected* is a configured device of a covered category that brought a valid reading in the
//! window. A category's denominator is what is attested for it, or all devices known now if they
//! are more: configured ones and those that a scan found and nobody registered. A found device of
//! unknown category counts to the whole estate only: the sum of the denominators is at least all
//! devices known of the covered categories and all of unknown category.

use super::{NO_DEVICE, number, unfed};
use crate::model::{Category, DeviceIndex, WallTime};
use crate::starlevel::assessment::{AdvisoryResult, Bilingual, Outcome};
use crate::starlevel::attest::{AttestationResult, Subject, today};
use crate::starlevel::engine::{Engine, Sight};
use crate::starlevel::metric::Metric;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::{Judged, Level, round4, unknown};

impl Engine {
    /// The attestation that counts for each subject, with its validity.
    pub(in crate::starlevel) fn said(&self, wall: Option<WallTime>) -> Vec<AttestationResult> {
        let day = wall.map(|wall| today(&self.pack, wall));
        self.attested.judge(day, &self.estate)
    }

    /// Devices of a category that are here: configured, or found and not registered.
    fn known(&self, category: Category) -> u32 {
        self.configured(category) + self.discovered(Some(category))
    }

    pub(in crate::starlevel) fn configured(&self, category: Category) -> u32 {
        count(self.estate.devices().iter().filter(|device| device.category == category))
    }

    /// Found and not registered; `None` for those of unknown category.
    pub(in crate::starlevel) fn discovered(&self, category: Option<Category>) -> u32 {
        count(self.attested.found.iter().filter(|device| device.category == category))
    }

    /// Whether a configured device brought a valid reading in the window.
    pub(in crate::starlevel) fn is_connected(&self, device: DeviceIndex) -> bool {
        self.book.readings(device).1 > 0
    }

    pub(in crate::starlevel) fn connected(&self, category: Category) -> u32 {
        let devices = self.estate.indexed().filter(|(_, device)| device.category == category);
        count(devices.filter(|(index, _)| self.is_connected(*index)))
    }

    /// Connected devices over the attested inventory, over the covered categories (C3).
    pub(in crate::starlevel) fn inventory(
        &self,
        check: &Check,
        needed: Measure,
        level: &Level,
        sight: &Sight<'_>,
    ) -> Judged {
        if level.covered.is_empty() {
            let reason = Bilingual::new(
                "没有已覆盖的类别，无从计算接入率",
                "no category is covered, so there is nothing to count over",
            );
            return unknown(needed, reason);
        }
        let (mut connected, mut whole, mut known) = (0, 0, self.discovered(None));
        let mut lacking = Vec::new();
        for &category in &level.covered {
            match inventory_of(&sight.attested, category) {
                Ok(attested) => {
                    connected += self.connected(category);
                    whole += attested.max(self.known(category));
                    known += self.known(category);
                }
                Err(why) => lacking.push((category, why)),
            }
        }
        if !lacking.is_empty() {
            return unknown(needed, no_inventory(&lacking));
        }
        let whole = whole.max(known);
        let strangers = count(self.attested.found.iter());
        let scope = self.pack.scope().meters_words();
        let (mut zh, mut en) = (
            format!(
                "已覆盖类别：接入 {connected} 台 / 清单与现有设备 {whole} 台（范围：{}）",
                scope.zh
            ),
            format!("covered categories: {connected} connected of {whole} (scope: {})", scope.en),
        );
        if strangers > 0 {
            zh.push_str(&format!("；扫描发现而未登记 {strangers} 台"));
            en.push_str(&format!("; {strangers} found by scans and not registered"));
        }
        let share = (whole > 0).then(|| f64::from(connected) / f64::from(whole));
        number(check, needed, share, Some(Bilingual::new(zh, en)), NO_DEVICE)
    }

    /// What holds when a person says so (G3, G6).
    pub(in crate::starlevel) fn word(&self, check: &Check, sight: &Sight<'_>) -> Judged {
        let needed = Measure::Flag(true);
        let wanted = |subject: &Subject| match check.metric {
            Metric::SecurityGrading => matches!(subject, Subject::SecurityGrading { .. }),
            _ => matches!(subject, Subject::Privacy { .. }),
        };
        let mut said = sight.attested.iter();
        let Some(said) = said.find(|said| wanted(&said.attestation.subject)) else {
            return unfed(check, needed);
        };
        if let Some(why) = said.why_not() {
            return unknown(needed, why);
        }
        let (told, word) = (said.attestation.subject.told(), &said.attestation);
        let reason = Bilingual::new(
            format!("{}；{} 签认，{} 至 {}", told.zh, word.by, word.on, word.until),
            format!("{}; attested by {}, {} to {}", told.en, word.by, word.on, word.until),
        );
        let reason = Some(reason);
        Judged { outcome: Outcome::Met, measured: Some(Measure::Flag(true)), needed, reason }
    }

    /// The advisory list, which is never part of the star.
    pub(in crate::starlevel) fn advisory(&self, said: &[AttestationResult]) -> Vec<AdvisoryResult> {
        let results = self.pack.advisories().iter().map(|advisory| {
            let found = said.iter().find_map(|said| match &said.attestation.subject {
                Subject::Advisory { item, share, .. } if *item == advisory.id => {
                    Some((said, *share))
                }
                _ => None,
            });
            let valid = found.filter(|(said, _)| said.holds()).map(|(_, share)| share);
            let reason = match found {
                None => Some(Bilingual::new("尚无人签认", "nobody attested it")),
                Some((said, _)) => said.why_not(),
            };
            let en = if advisory.en.is_empty() { &advisory.zh } else { &advisory.en };
            AdvisoryResult {
                id: advisory.id.clone(),
                title: Bilingual::new(&advisory.zh, en),
                threshold: advisory.threshold,
                value: valid.map(round4),
                outcome: match valid {
                    None => Outcome::Unknown,
                    Some(share) if share >= advisory.threshold => Outcome::Met,
                    Some(_) => Outcome::NotMet,
                },
                reason,
            }
        });
        results.collect()
    }
}

/// Categories that a valid attestation takes out of the count.
pub(in crate::starlevel) fn exempt(said: &[AttestationResult]) -> Vec<Category> {
    let valid = said.iter().filter(|said| said.holds());
    valid
        .filter_map(|said| match said.attestation.subject {
            Subject::NotApplicable { category, .. } => Some(category),
            _ => None,
        })
        .collect()
}

/// The attested count of a category, or why there is none that holds.
pub(in crate::starlevel) fn inventory_of(
    said: &[AttestationResult],
    wanted: Category,
) -> Result<u32, Option<Bilingual>> {
    let found = said.iter().find_map(|said| match said.attestation.subject {
        Subject::Inventory { category, devices } if category == wanted => Some((said, devices)),
        _ => None,
    });
    match found {
        None => Err(None),
        Some((said, devices)) => match said.why_not() {
            None => Ok(devices),
            why => Err(why),
        },
    }
}

fn no_inventory(lacking: &[(Category, Option<Bilingual>)]) -> Bilingual {
    let (mut zh, mut en) = (Vec::new(), Vec::new());
    for (category, why) in lacking {
        let (name_zh, name_en) = (category.zh(), category.en().to_lowercase());
        match why {
            None => (zh.push(name_zh.to_owned()), en.push(name_en)),
            Some(why) => (
                zh.push(format!("{name_zh}（{}）", why.zh)),
                en.push(format!("{name_en} ({})", why.en)),
            ),
        };
    }
    Bilingual::new(
        format!("尚无证据：需要经签认的设备清单：{}", zh.join("、")),
        format!(
            "no evidence yet: needs an inventory that a named person attests: {}",
            en.join(", ")
        ),
    )
}

fn count<T>(things: impl Iterator<Item = T>) -> u32 {
    u32::try_from(things.count()).unwrap_or(u32::MAX)
}
