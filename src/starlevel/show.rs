//! How shares, values and bounds of checks are written for people, on every page.

use super::assessment::{Bilingual, CheckResult, Outcome};
use super::pack::{Direction, Measure, Scope};

/// `98.7 %`, rounded down: what is shown never claims more than was measured.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", (share * 1000.0 + 1e-9).floor() / 10.0)
}

impl Outcome {
    /// The word for people.
    pub fn words(self) -> Bilingual {
        let (zh, en) = match self {
            Outcome::Met => ("达标", "Met"),
            Outcome::NotMet => ("未达标", "Not met"),
            Outcome::Unknown => ("证据不足", "Unknown"),
            Outcome::NotApplicable => ("不适用", "Not applicable"),
        };
        Bilingual::new(zh, en)
    }
}

impl CheckResult {
    /// A value in the check's unit: `98.7 %`, `30 秒`.
    pub fn value_words(&self, value: Measure) -> Bilingual {
        let same = |text: String| Bilingual::new(text.clone(), text);
        match (value, self.unit.as_deref()) {
            (Measure::Flag(true), _) => Bilingual::new("是", "yes"),
            (Measure::Flag(false), _) => Bilingual::new("否", "no"),
            (Measure::Number(share), Some("share")) => same(percent(share)),
            (Measure::Number(n), Some("s")) => Bilingual::new(format!("{n} 秒"), format!("{n} s")),
            (Measure::Number(n), Some("h")) => {
                Bilingual::new(format!("{n} 小时"), format!("{n} h"))
            }
            (Measure::Number(n), Some("d")) => {
                Bilingual::new(format!("{n} 天"), format!("{n} days"))
            }
            (Measure::Number(number), _) => same(number.to_string()),
        }
    }

    /// A value that is needed: `≥ 95.0 %`.
    pub fn bound_words(&self, needed: Measure) -> Bilingual {
        let sign = match self.dir {
            Direction::Ge => "≥ ",
            Direction::Le => "≤ ",
            Direction::True => "",
        };
        let value = self.value_words(needed);
        Bilingual::new(format!("{sign}{}", value.zh), format!("{sign}{}", value.en))
    }

    /// The clause that it serves; what the pack's author found in no clause says so.
    pub fn source_words(&self) -> Bilingual {
        source_words(&self.source)
    }

    /// The English title may be a whole definition; its first clause names the check.
    pub fn short_en(&self) -> &str {
        first_clause(&self.title.en)
    }
}

impl Scope {
    /// Which meters count; a word of another pack as it stands there.
    pub fn meters_words(&self) -> Bilingual {
        match self.meters.as_str() {
            "public_area_and_bulk" => {
                Bilingual::new("公共区域与总表", "public areas and bulk meters")
            }
            other => Bilingual::new(other, other),
        }
    }
}

/// The pack writes of the local standard, its seed: `7.5.1; Table A.1 …`, `none in seed`.
fn source_words(source: &str) -> Bilingual {
    match source {
        "none in seed" => {
            Bilingual::new("地方标准无对应条文", "in no clause of the local standard")
        }
        clause => Bilingual::new(clause.replace("Table ", "表 "), clause),
    }
}

fn first_clause(title: &str) -> &str {
    let clause = title.split([':', ';']).next().unwrap_or_default();
    match clause.split_once('(') {
        // What stands in the brackets of `p95 of (a - b)` is no remark but all that is said.
        Some((before, _)) if !before.trim_end().ends_with(" of") => before.trim(),
        _ => clause.trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_english_title_is_cut_to_what_names_the_check() {
        for (title, short) in [
            ("Device online rate, mean of categories", "Device online rate, mean of categories"),
            ("Data completeness (VDR), mean", "Data completeness"),
            ("Self test: no default password", "Self test"),
            ("p95 of (ack - due); outages apart", "p95 of (ack - due)"),
        ] {
            assert_eq!(first_clause(title), short);
        }
    }

    #[test]
    fn a_source_is_told_in_the_reader_s_language() {
        let words = source_words("none in seed");
        assert!(!words.zh.contains("seed") && !words.en.contains("seed"));
        let words = source_words("7.5.1; Table A.1 服务智慧化");
        assert_eq!(words.zh, "7.5.1; 表 A.1 服务智慧化");
        assert_eq!(words.en, "7.5.1; Table A.1 服务智慧化");
    }
}
