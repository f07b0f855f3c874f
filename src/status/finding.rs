//! Findings of the wiring doctor, in the words of the page.

use super::trouble::Severity;
use super::view::View;
use crate::model::{BusId, BusState, Cause, Diagnosis, Finding, Words};
use crate::starlevel::Bilingual;

/// Devices named in a title; more are counted.
const NAMED: usize = 3;

/// Every diagnosis.
pub(super) const ALL: [Diagnosis; 8] = [
    Diagnosis::NothingHeard,
    Diagnosis::WrongLineSettings,
    Diagnosis::NoisyLine,
    Diagnosis::AddressCollision,
    Diagnosis::DamagedReplies,
    Diagnosis::DeviceSilent,
    Diagnosis::ForeignMaster,
    Diagnosis::SlowerAnswers,
];

/// Its word in the API and the metrics.
pub(super) fn word(diagnosis: Diagnosis) -> &'static str {
    match diagnosis {
        Diagnosis::NothingHeard => "nothing_heard",
        Diagnosis::DeviceSilent => "device_silent",
        Diagnosis::WrongLineSettings => "wrong_line_settings",
        Diagnosis::AddressCollision => "address_collision",
        Diagnosis::DamagedReplies => "damaged_replies",
        Diagnosis::NoisyLine => "noisy_line",
        Diagnosis::SlowerAnswers => "slower_answers",
        Diagnosis::ForeignMaster => "foreign_master",
    }
}

/// Its name for people.
pub(super) fn name(diagnosis: Diagnosis) -> Bilingual {
    match diagnosis {
        Diagnosis::NothingHeard => Bilingual::new("全线无应答", "no device answers"),
        Diagnosis::DeviceSilent => Bilingual::new("不应答", "does not answer"),
        Diagnosis::WrongLineSettings => Bilingual::new("串口参数不符", "wrong line settings"),
        Diagnosis::AddressCollision => Bilingual::new("地址冲突", "two devices at one address"),
        Diagnosis::DamagedReplies => Bilingual::new("应答损坏", "damaged replies"),
        Diagnosis::NoisyLine => Bilingual::new("全线干扰", "noise on the whole line"),
        Diagnosis::SlowerAnswers => Bilingual::new("应答越来越慢", "answers get slower"),
        Diagnosis::ForeignMaster => Bilingual::new("线上另有主站", "another master on the line"),
    }
}

/// How bad it is.
pub(super) fn severity(finding: &Finding) -> Severity {
    match finding.diagnosis {
        Diagnosis::NothingHeard => Severity::Critical,
        Diagnosis::WrongLineSettings if finding.devices.is_empty() => Severity::Critical,
        Diagnosis::SlowerAnswers => Severity::Notice,
        _ => Severity::Warning,
    }
}

/// The findings of a bus, worst first, oldest first among equals.
pub(super) fn sorted(bus: &BusState) -> Vec<&Finding> {
    let mut list: Vec<&Finding> = bus.findings.iter().collect();
    list.sort_by_key(|finding| (severity(finding), finding.since.boot_ms));
    list
}

/// Whom it concerns, and what it is.
pub(super) fn title(view: &View, bus: &BusId, finding: &Finding) -> Bilingual {
    let what = name(finding.diagnosis);
    let (zh, en) = match finding.devices.as_slice() {
        [] => (format!("总线 {bus}"), format!("Bus {bus}")),
        [one] => {
            let device = view.estate.device(*one);
            let place = if device.place.is_empty() { "" } else { " · " };
            let place = format!("{place}{}", device.place);
            let title = device.title();
            return Bilingual::new(
                format!("{title}：{}{place}", what.zh),
                format!("{title}: {}{place}", what.en),
            );
        }
        several => {
            let names: Vec<&str> = several
                .iter()
                .take(NAMED)
                .map(|index| view.estate.device(*index).title())
                .collect();
            let (mut zh, mut en) = (names.join("、"), names.join(", "));
            if several.len() > NAMED {
                zh.push_str(&format!(" 等 {} 台", several.len()));
                en.push_str(&format!(" and {} more", several.len() - NAMED));
            }
            (zh, en)
        }
    };
    Bilingual::new(format!("{zh}：{}", what.zh), format!("{en}: {}", what.en))
}

/// Whether a device that fails for this cause fails because of the finding, if it is concerned.
pub(super) fn explains(diagnosis: Diagnosis, cause: Option<&Cause>) -> bool {
    match cause {
        Some(Cause::NoAnswer) => {
            !matches!(diagnosis, Diagnosis::SlowerAnswers | Diagnosis::ForeignMaster)
        }
        Some(Cause::DamagedReplies) => {
            !matches!(diagnosis, Diagnosis::SlowerAnswers | Diagnosis::DeviceSilent)
        }
        _ => false,
    }
}

/// One text for people, the page's way.
pub(super) fn both(words: &Words) -> Bilingual {
    Bilingual::new(words.zh.clone(), words.en.clone())
}
