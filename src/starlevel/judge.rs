//! Judges a well-formed rule pack: what contradicts itself, and what would let a star pass unproven.

use std::collections::HashSet;

use super::evidence::{Zone, is_limit, limits};
use super::fault::PackFault;
use super::pack::{Check, Direction, Evaluation, File, Measure, Online, STARS};
use super::risk::time_of_day;
use crate::model::Category;

/// Collects what a well-formed file means wrongly.
pub(super) struct Judge<'a> {
    pub(super) name: &'a str,
    pub(super) faults: Vec<PackFault>,
}

impl Judge<'_> {
    fn say(&mut self, place: impl Into<String>, fault: impl Into<String>) {
        self.faults.push(PackFault::Meaning {
            name: self.name.to_owned(),
            place: place.into(),
            fault: fault.into(),
        });
    }

    pub(super) fn file(&mut self, file: &File) {
        for (key, star) in [("old_retrofit", file.targets.old_retrofit), ("new", file.targets.new)]
        {
            if !(1..=STARS).contains(&star) {
                self.say("[targets]", format!("`{key}` is {star}, allowed is 1 to {STARS}"));
            }
        }
        if file.pack.banner_zh.trim().is_empty() || file.pack.banner_en.trim().is_empty() {
            self.say("[pack]", "`banner_zh` and `banner_en` must not be empty");
        }
        self.evaluation(&file.evaluation);
        self.online(&file.online);
        self.categories(file);
        self.checks(&file.check);
    }

    fn evaluation(&mut self, rules: &Evaluation) {
        let place = "[evaluation]";
        if rules.rule != "cumulative" {
            self.say(place, format!("`rule` is `{}`, allowed is `cumulative`", rules.rule));
        }
        if rules.unknown_counts_as != "not_met" {
            let value = &rules.unknown_counts_as;
            self.say(place, format!("`unknown_counts_as` is `{value}`, allowed is `not_met`"));
        }
        if rules.outcomes != ["met", "not_met", "unknown", "not_applicable"] {
            self.say(place, "`outcomes` must be met, not_met, unknown, not_applicable");
        }
        if !(1..=400).contains(&rules.window_days) {
            let days = rules.window_days;
            self.say(place, format!("`window_days` is {days}, allowed is 1 to 400"));
        }
        if Zone::named(&rules.timezone).is_none() {
            let zone = &rules.timezone;
            self.say(place, format!("`timezone` is `{zone}`, allowed are `Asia/Shanghai`, `UTC`"));
        }
        if time_of_day(&rules.run_daily_at).is_none() {
            let at = &rules.run_daily_at;
            self.say(place, format!("`run_daily_at` is `{at}`, allowed is 00:00 to 23:59"));
        }
        if !rules.na_needs_attestation {
            self.say(place, "`na_needs_attestation` is false, allowed is `true`");
        }
        if !(1..=3660).contains(&rules.attestation_valid_days) {
            let days = rules.attestation_valid_days;
            self.say(place, format!("`attestation_valid_days` is {days}, allowed is 1 to 3660"));
        }
        if !(0.0..=0.5).contains(&rules.excused_max_share) {
            let share = rules.excused_max_share;
            self.say(place, format!("`excused_max_share` is {share}, allowed is 0 to 0.5"));
        }
    }

    fn online(&mut self, online: &Online) {
        for (key, factor) in
            [("factor_short", online.factor_short), ("factor_long", online.factor_long)]
        {
            if !(1.0..=100.0).contains(&factor) {
                self.say("[online]", format!("`{key}` is {factor}, allowed is 1 to 100"));
            }
        }
    }

    fn categories(&mut self, file: &File) {
        for &category in Category::ALL {
            let rules = file.category.iter().filter(|rule| rule.id == category).count();
            let wanted = usize::from(category != Category::Other);
            if rules != wanted {
                let place = format!("category {category}");
                self.say(place, format!("stands {rules} times, must stand {wanted} times"));
            }
        }
        for rule in &file.category {
            let place = format!("category {}", rule.id);
            if rule.reading_s.iter().any(|s| *s < 60 || 86_400 % s != 0) {
                let text = format!(
                    "`reading_s` is {:?}; allowed is 60 s and more, and periods that divide a day",
                    rule.reading_s
                );
                self.say(&place, text);
            }
            for (key, periods) in [("reading_s", rule.reading_s), ("upload_s", rule.upload_s)] {
                if periods.iter().any(|s| !(1..=31 * 86_400).contains(s)) {
                    let text = format!("`{key}` is {periods:?}, allowed is 1 s to 31 days each");
                    self.say(&place, text);
                } else if periods.windows(2).any(|pair| pair[1] > pair[0]) {
                    self.say(&place, format!("`{key}` is {periods:?}: a higher star asks less"));
                }
            }
        }
        for star in 1..=STARS {
            let sets = file.category_set.iter().filter(|set| set.star == star).count();
            if sets != 1 {
                self.say(format!("category_set of star {star}"), format!("stands {sets} times"));
            }
        }
        for set in &file.category_set {
            let place = format!("category_set of star {}", set.star);
            if !(1..=STARS).contains(&set.star) {
                self.say(&place, format!("allowed is 1 to {STARS}"));
            }
            if set.all_of.contains(&Category::Other)
                || set.any_of.iter().any(|list| list.contains(&Category::Other))
            {
                self.say(&place, "`other` is none of the twelve categories");
            }
            if set.any_of.iter().any(Vec::is_empty) {
                self.say(&place, "an empty list in `any_of` can never be met");
            }
        }
    }

    fn checks(&mut self, checks: &[Check]) {
        let mut seen = HashSet::new();
        let mut metrics = HashSet::new();
        for check in checks {
            let place = format!("check {}", check.id);
            if !check.id.starts_with(|c: char| c.is_ascii_uppercase()) {
                self.say(&place, "an identifier begins with the capital letter of its group");
            }
            if !seen.insert(&check.id) {
                self.say(&place, "stands twice");
            }
            if !metrics.insert(check.metric) {
                self.say(&place, format!("`{}` is measured by two checks", check.metric.word()));
            }
            if check.metric.is_flag() != (check.dir == Direction::True) {
                let word = check.metric.word();
                self.say(&place, format!("`dir` does not fit the metric `{word}`"));
            }
            if let Some(days) = check.window_days {
                if !check.metric.is_broadcast() {
                    self.say(&place, "`window_days` is allowed for checks of broadcasts only");
                } else if !(1..=400).contains(&days) {
                    self.say(&place, format!("`window_days` is {days}, allowed is 1 to 400"));
                }
            }
            self.thresholds(&place, check);
        }
        if checks.is_empty() {
            self.say("[[check]]", "there is none: every estate would have five stars");
        }
        for star in 1..=STARS {
            if !checks.is_empty() && checks.iter().all(|check| check.needed(star).is_none()) {
                self.say(format!("star {star}"), "no check is required for it");
            }
        }
    }

    fn thresholds(&mut self, place: &str, check: &Check) {
        let mut last: Option<f64> = None;
        let mut required = false;
        for key in check.levels.keys() {
            if !matches!(key.as_str(), "1" | "2" | "3" | "4" | "5") {
                self.say(place, format!("star `{key}` in `levels`, allowed is 1 to {STARS}"));
            }
        }
        for star in 1..=STARS {
            let Some(needed) = check.needed(star) else {
                if required {
                    self.say(place, format!("required below star {star} but not at it"));
                }
                continue;
            };
            required = true;
            match (check.dir, needed) {
                (Direction::True, Measure::Flag(true)) => {}
                (Direction::True, other) => {
                    self.say(place, format!("star {star} is {other:?}, allowed is `true`"));
                }
                (_, Measure::Flag(_)) => {
                    self.say(place, format!("star {star} is a truth value, a number is needed"));
                }
                (dir, Measure::Number(number)) => {
                    let share = check.unit.as_deref() == Some("share");
                    if !number.is_finite() || number < 0.0 || (share && number > 1.0) {
                        let most = if share { "1" } else { "any finite number" };
                        self.say(place, format!("star {star} is {number}, allowed is 0 to {most}"));
                    }
                    if check.metric.is_percentile() && !is_limit(number) {
                        let allowed: Vec<String> = limits().map(|s| s.to_string()).collect();
                        let allowed = allowed.join(", ");
                        self.say(place, format!("star {star} is {number} s, allowed is {allowed}"));
                    }
                    let easier = last.is_some_and(|before| match dir {
                        Direction::Le => number > before,
                        _ => number < before,
                    });
                    if easier {
                        self.say(place, format!("star {star} asks less than the star below"));
                    }
                    last = Some(number);
                }
            }
        }
        if !required {
            self.say(place, "no star requires it");
        }
    }
}
