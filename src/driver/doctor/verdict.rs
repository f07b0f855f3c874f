//! What ails the devices together. The worst explanation first: what it explains is not told again.

use super::chart::{Ailment, Chart, SILENT_MIN};
use super::signature::Signature;
use super::{Doctor, RECENT, STRANGERS, words};
use crate::driver::LineSettings;
use crate::model::{DeviceIndex, Diagnosis, Finding, Moment, Words};

/// Exchanges of a device before it counts as clean.
const CLEAN_MIN: u32 = 8;
/// Answers of others while a device was silent: then it is its own fault.
const OTHERS_MIN: u64 = 3;
/// Share of damaged exchanges of the line at which it is noisy, and below which it no longer is,
/// percent; and how many they must be.
const NOISY: (u32, u32, u32) = (10, 4, 10);

impl Doctor {
    /// All findings, in the order in which they are told.
    pub(super) fn verdict(&mut self, now: Moment) -> Vec<Finding> {
        let mut findings = Vec::new();
        let stranger = (self.strangers.len() >= STRANGERS.1)
            .then(|| self.strangers.front().copied())
            .flatten();
        if let Some(since) = stranger {
            let told = words::foreign_master(self.strangers.len(), self.broadcasts);
            findings.push(finding(Diagnosis::ForeignMaster, Vec::new(), since, told));
        }
        if let Some(nothing) = self.nothing_heard(stranger.is_some()) {
            findings.push(nothing);
            return findings;
        }
        let line_wrong = self.line_settings();
        let all_wrong = line_wrong.is_some();
        findings.extend(line_wrong);
        let noisy = self.noise(now, all_wrong);
        let is_noisy = noisy.is_some();
        findings.extend(noisy);
        for chart in &self.charts {
            findings.extend(self.own(chart, all_wrong, is_noisy));
        }
        if !is_noisy {
            findings.extend(self.damaged());
        }
        findings.extend(self.slower());
        findings
    }

    /// Every device was asked and none said anything.
    fn nothing_heard(&self, strangers: bool) -> Option<Finding> {
        let dead = |chart: &Chart| chart.ailment == Some(Ailment::Silent);
        // A device alone, or each of them.
        let all = !self.charts.is_empty() && self.charts.iter().all(dead);
        if !all || strangers {
            return None;
        }
        let since = self.charts.iter().filter_map(|chart| chart.since).max()?;
        let since = if self.answers == 0 {
            self.charts.iter().filter_map(|chart| chart.since).min()?
        } else {
            since
        };
        let asked: u32 = self.charts.iter().map(|chart| chart.silent_run).sum();
        let told = words::nothing_heard(self.charts.len(), asked, self.answers > 0);
        Some(finding(Diagnosis::NothingHeard, Vec::new(), since, told))
    }

    /// Bytes from devices, a frame from none.
    fn line_settings(&self) -> Option<Finding> {
        let wrong: Vec<_> = self.charts.iter().filter_map(|chart| not_understood(chart)).collect();
        let heard = self.charts.iter().filter(|chart| chart.silent_run < SILENT_MIN);
        if wrong.len() < 2 || heard.filter(|chart| chart.count > 0).count() != wrong.len() {
            return None;
        }
        let since = wrong.iter().filter_map(|(chart, _)| chart.since).min()?;
        let (chart, looks) = wrong[0];
        let told = words::line_settings(wrong.len(), chart.line, looks);
        Some(finding(Diagnosis::WrongLineSettings, Vec::new(), since, told))
    }

    /// Damage that is spread over the devices.
    fn noise(&mut self, now: Moment, all_wrong: bool) -> Option<Finding> {
        let fresh = |chart: &&Chart| {
            chart.answers > 0 && chart.silent_run < SILENT_MIN && now.since(chart.last) <= RECENT
        };
        let heard: Vec<&Chart> = self.charts.iter().filter(fresh).collect();
        let exchanges: u32 = heard.iter().map(|chart| chart.count).sum();
        let damaged: u32 = heard.iter().map(|chart| chart.damaged.count_ones()).sum();
        let hit = heard.iter().filter(|chart| chart.damaged != 0).count();
        let share = damaged * 100 / exchanges.max(1);
        let spread = heard.len() >= 2 && hit * 10 >= heard.len() * 6;
        let noisy = if self.noisy.is_some() {
            share >= NOISY.1 && spread
        } else {
            share >= NOISY.0 && damaged >= NOISY.2 && spread && evenly(&heard)
        };
        if !noisy || all_wrong {
            self.noisy = None;
            return None;
        }
        let since = heard.iter().filter_map(|chart| chart.since).min().unwrap_or(now);
        let since = *self.noisy.get_or_insert(since);
        let told = words::noisy_line(damaged, exchanges, hit, heard.len());
        Some(finding(Diagnosis::NoisyLine, Vec::new(), since, told))
    }

    /// What ails one device by itself.
    fn own(&self, chart: &Chart, all_wrong: bool, noisy: bool) -> Option<Finding> {
        let title = chart.patient.title.as_str();
        let (diagnosis, told) = match chart.ailment? {
            Ailment::Silent => {
                // When the whole line came back, those that just answered are well too.
                let back = chart.good_run > 0 && !self.told_of(Diagnosis::DeviceSilent, chart);
                if back || self.answers - chart.others_then < OTHERS_MIN {
                    return None;
                }
                let others = self.charts.iter().filter(|other| other.good_run > 0).count();
                let told = words::silent(title, chart.silent_run, others, chart.answers > 0);
                (Diagnosis::DeviceSilent, told)
            }
            Ailment::NotUnderstood(looks) => {
                let back = chart.good_run > 0 && !self.told_of(Diagnosis::WrongLineSettings, chart);
                if all_wrong || noisy || back {
                    return None;
                }
                let (same, works) = self.who_works(chart.line);
                let told = words::own_settings(title, chart.line, looks, same, works);
                (Diagnosis::WrongLineSettings, told)
            }
            // On a noisy line long answers are noise.
            Ailment::Clash if !noisy => {
                let (clashes, count) = (chart.clash.count_ones(), chart.count);
                let told = words::collision(title, chart.patient.address, clashes, count);
                (Diagnosis::AddressCollision, told)
            }
            Ailment::Clash | Ailment::Damaged => return None,
        };
        Some(finding(diagnosis, vec![chart.patient.index], chart.since?, told))
    }

    /// Whether this is among the present findings about a device.
    fn told_of(&self, diagnosis: Diagnosis, chart: &Chart) -> bool {
        let about = |one: &&Finding| one.devices.contains(&chart.patient.index);
        self.findings.iter().filter(about).any(|one| one.diagnosis == diagnosis)
    }

    /// Devices that answer at these settings, and those that answer at any.
    fn who_works(&self, line: Option<LineSettings>) -> (usize, usize) {
        let works = |chart: &&Chart| chart.good_run > 0;
        let same = self.charts.iter().filter(works).filter(|chart| chart.line == line).count();
        (same, self.charts.iter().filter(works).count())
    }

    /// Damaged replies of some devices while others are clean.
    fn damaged(&self) -> Option<Finding> {
        // When a noisy line got well, so did those whose last answers are good.
        let ill = |chart: &Chart| {
            chart.ailment == Some(Ailment::Damaged)
                && (chart.good_run < 5 || self.told_of(Diagnosis::DamagedReplies, chart))
        };
        let clean = |chart: &Chart| {
            chart.ailment.is_none() && chart.count >= CLEAN_MIN && chart.good_run > 0
        };
        let damaged: Vec<&Chart> = self.charts.iter().filter(|chart| ill(chart)).collect();
        let since = damaged.iter().filter_map(|chart| chart.since).min()?;
        let first = self.charts.iter().position(ill)?;
        // Only those from some place on, as they stand in the configuration.
        let (before, from) = self.charts.split_at(first);
        let heard = |chart: &&Chart| chart.ailment != Some(Ailment::Silent);
        let tail =
            damaged.len() >= 2 && before.iter().any(clean) && from.iter().filter(heard).all(ill);
        let last_clean = before.iter().rev().find(|chart| clean(chart));
        let figures = words::Damage {
            titles: damaged.iter().map(|chart| chart.patient.title.as_str()).collect(),
            damaged: damaged.iter().map(|chart| chart.damaged.count_ones()).sum(),
            exchanges: damaged.iter().map(|chart| chart.count).sum(),
            clean: self.charts.iter().filter(|chart| clean(chart)).count(),
            behind: last_clean.filter(|_| tail).map(|chart| chart.patient.title.as_str()),
        };
        let told = words::damaged(&figures);
        Some(finding(Diagnosis::DamagedReplies, indices(&damaged), since, told))
    }

    /// Answers that take longer than in the device's first hour.
    fn slower(&self) -> Option<Finding> {
        let slow: Vec<_> =
            self.charts.iter().filter_map(|chart| Some((chart, chart.slower()?))).collect();
        let &(worst, (base, present, _)) = slow.iter().max_by_key(|(_, speed)| speed.1)?;
        let since = slow.iter().map(|(_, speed)| speed.2).min()?;
        let devices: Vec<&Chart> = slow.iter().map(|(chart, _)| *chart).collect();
        let told = words::slower(&worst.patient.title, base, present, devices.len());
        Some(finding(Diagnosis::SlowerAnswers, indices(&devices), since, told))
    }
}

fn not_understood(chart: &Chart) -> Option<(&Chart, Signature)> {
    match chart.ailment {
        Some(Ailment::NotUnderstood(looks)) => Some((chart, looks)),
        _ => None,
    }
}

/// Whether no small part of the devices has all the damage: without the worst third of them the
/// line is still noisy.
fn evenly(heard: &[&Chart]) -> bool {
    let mut damage: Vec<_> = heard.iter().map(|chart| chart.damaged.count_ones()).collect();
    damage.sort_unstable();
    let total: u32 = damage.iter().sum();
    let rest: u32 = damage.iter().take(damage.len() * 2 / 3).sum();
    heard.len() < 3 || rest * 3 >= total
}

fn indices(charts: &[&Chart]) -> Vec<DeviceIndex> {
    charts.iter().map(|chart| chart.patient.index).collect()
}

fn finding(
    diagnosis: Diagnosis,
    devices: Vec<DeviceIndex>,
    since: Moment,
    (seen, check): (Words, Words),
) -> Finding {
    Finding { diagnosis, devices, since, seen, check }
}
