//! `[[derived]]`: points that follow from others by a few fixed rules, each checked for sense.

use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::fault::Faults;
use super::points::{Read, Source, Templates};
use super::schema::{PointFile, QuantityWord};
use super::span::Span;
use crate::model::{Derived, Point, PointIndex, Quantity, Rule, Test, Unit, Worst};

/// One entry of `[[derived]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [[derived]]")]
pub(super) struct DerivedFile {
    pub name: Spanned<String>,
    pub zh: Option<String>,
    pub en: Option<String>,
    pub rule: Spanned<RuleWord>,
    /// Names of points; `group.*.name` for all members of a group.
    pub of: Vec<Spanned<String>>,
    /// `count_where`: one of these three.
    pub equals: Option<Spanned<Wanted>>,
    pub above: Option<f64>,
    pub below: Option<f64>,
    /// `worst_of`: codes, the worst first; or the highest or lowest number.
    pub order: Option<Spanned<Vec<i64>>>,
    #[serde(default)]
    pub highest: bool,
    #[serde(default)]
    pub lowest: bool,
    /// `ratio`: 100 for a percentage.
    pub factor: Option<Spanned<f64>>,
    pub unit: Option<Spanned<String>>,
    pub quantity: Option<QuantityWord>,
    pub decimals: Option<Spanned<u8>>,
    pub range: Option<Spanned<[f64; 2]>>,
    pub max_rate: Option<Spanned<f64>>,
    pub counter_max: Option<Spanned<f64>>,
    pub labels: Option<Spanned<String>>,
    pub dead_band: Option<Spanned<f64>>,
    pub at_least_every: Option<Span>,
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RuleWord {
    Sum,
    Difference,
    Ratio,
    WorstOf,
    CountWhere,
}

/// A number or a flag.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "a number, true or false")]
pub(super) enum Wanted {
    Flag(bool),
    Number(f64),
}

/// What can be said wrong in an entry.
struct Entry<'e> {
    file: &'e DerivedFile,
    span: Range<usize>,
    /// What it follows from.
    of: Vec<&'e Read>,
}

/// Reads the derived points; they stand behind those that are read.
pub(super) fn derived(
    files: &[Spanned<DerivedFile>],
    templates: &mut Templates<'_>,
    faults: &mut Faults<'_>,
) -> Vec<(Derived, Point)> {
    let mut found = Vec::new();
    for file in files {
        let (span, file) = (file.span(), file.get_ref());
        if !templates.take_name(file.name.get_ref(), &file.name.span(), faults) {
            break;
        }
        let Some(of) = inputs(file, templates, faults) else {
            faults.lose_entry();
            continue;
        };
        let Some(template) = templates.template(&point_file(file), &span, faults) else { continue };
        let read = templates.read();
        let entry = Entry { file, span, of: of.iter().map(|slot| &read[*slot]).collect() };
        let Some(rule) = entry.rule(&template, faults) else { continue };
        let slot = |slot: usize| u16::try_from(slot).ok().map(PointIndex);
        let point = Point {
            name: Arc::from(file.name.get_ref().as_str()),
            zh: file.zh.clone().unwrap_or_default(),
            en: file.en.clone().unwrap_or_default(),
            ..template
        };
        if let Some(place) = slot(read.len() + found.len()) {
            let of = of.into_iter().filter_map(slot).collect();
            let flag = file.quantity == Some(QuantityWord::Flag);
            found.push((Derived { point: place, rule, of, flag }, point));
        }
    }
    found
}

/// The keys that every point has.
fn point_file(file: &DerivedFile) -> PointFile {
    PointFile {
        unit: file.unit.clone(),
        quantity: file.quantity,
        decimals: file.decimals.clone(),
        range: file.range.clone(),
        max_rate: file.max_rate.clone(),
        counter_max: file.counter_max.clone(),
        labels: file.labels.clone(),
        dead_band: file.dead_band.clone(),
        at_least_every: file.at_least_every,
        ..PointFile::default()
    }
}

/// The places of the points that `of` names.
fn inputs(
    file: &DerivedFile,
    templates: &Templates<'_>,
    faults: &mut Faults<'_>,
) -> Option<Vec<usize>> {
    let mut places = Vec::new();
    let mut whole = true;
    for name in &file.of {
        let wanted = name.get_ref();
        let before = places.len();
        let read = templates.read().iter().enumerate();
        match wanted.split_once(".*.") {
            None => places.extend(read.filter(|(_, r)| *r.point.name == **wanted).map(|(s, _)| s)),
            Some((group, rest)) => places.extend(
                read.filter(|(_, read)| {
                    read.member.is_some_and(|member| {
                        let group_of = &templates.groups[member.group].group;
                        *group_of.name == *group
                            && group_of.place_of(&read.point.name).is_some_and(|(_, r)| r == rest)
                    })
                })
                .map(|(slot, _)| slot),
            ),
        }
        if places.len() == before {
            whole = false;
            if faults.entries_lost() {
                continue;
            }
            let known = templates.read().iter().map(|read| &*read.point.name);
            let message = format!(
                "`of`: `{wanted}` is no point that is read in this file; all members of a group are written `group.*.name`"
            );
            faults.word(name.span(), message, wanted, known);
        }
    }
    if file.of.is_empty() {
        faults.at(file.name.span(), "`of` is empty: from which points does it follow?");
        whole = false;
    }
    whole.then_some(places)
}

impl Entry<'_> {
    /// The rule, when it makes sense for the inputs and the point.
    fn rule(&self, point: &Point, faults: &mut Faults<'_>) -> Option<Rule> {
        let word = *self.file.rule.get_ref();
        self.refuse_strange_keys(word, faults);
        if let Some(text) = self.of.iter().find(|read| read.point.quantity == Quantity::Text) {
            let message = format!("`{}` is a text, nothing follows from it", text.point.name);
            faults.at(self.span.clone(), message);
            return None;
        }
        match word {
            RuleWord::Sum | RuleWord::Difference => {
                self.same_units(Some(point.unit), faults)?;
                self.measured(point, faults)?;
                if word == RuleWord::Sum {
                    return Some(Rule::Sum);
                }
                self.two(faults)?;
                Some(Rule::Difference)
            }
            RuleWord::Ratio => {
                self.measured(point, faults)?;
                self.two(faults)?;
                let factor = self.file.factor.as_ref().map_or(1.0, |factor| *factor.get_ref());
                if !factor.is_finite() || factor == 0.0 {
                    faults.at(self.span.clone(), format!("`factor` = {factor} is no use"));
                }
                Some(Rule::Ratio { factor })
            }
            RuleWord::WorstOf => self.worst(point, faults).map(Rule::WorstOf),
            RuleWord::CountWhere => self.test(point, faults).map(Rule::CountWhere),
        }
    }

    /// Keys that another rule has.
    fn refuse_strange_keys(&self, word: RuleWord, faults: &mut Faults<'_>) {
        let file = self.file;
        let keys = [
            ("equals", file.equals.is_some(), RuleWord::CountWhere, "count_where"),
            ("above", file.above.is_some(), RuleWord::CountWhere, "count_where"),
            ("below", file.below.is_some(), RuleWord::CountWhere, "count_where"),
            ("order", file.order.is_some(), RuleWord::WorstOf, "worst_of"),
            ("highest", file.highest, RuleWord::WorstOf, "worst_of"),
            ("lowest", file.lowest, RuleWord::WorstOf, "worst_of"),
            ("factor", file.factor.is_some(), RuleWord::Ratio, "ratio"),
        ];
        for (key, _, _, of) in keys.iter().filter(|(_, given, rule, _)| *given && *rule != word) {
            faults.at(self.file.rule.span(), format!("`{key}` belongs to the rule `{of}`"));
        }
    }

    /// All inputs have one unit; of a sum it is the point's own.
    fn same_units(&self, own: Option<Unit>, faults: &mut Faults<'_>) -> Option<()> {
        let wanted = own.or_else(|| self.of.first().map(|read| read.point.unit))?;
        let other = self.of.iter().find(|read| read.point.unit != wanted);
        if let Some(other) = other {
            let message = format!(
                "`{}` is in `{}`, this point in `{wanted}`: they cannot be added or compared",
                other.point.name, other.point.unit
            );
            faults.at(self.span.clone(), message);
            return None;
        }
        Some(())
    }

    /// Numbers become a number.
    fn measured(&self, point: &Point, faults: &mut Faults<'_>) -> Option<()> {
        let counts = |quantity| matches!(quantity, Quantity::Instantaneous | Quantity::Counter);
        let state = self.of.iter().find(|read| !counts(read.point.quantity));
        if let Some(state) = state {
            let message =
                format!("`{}` is a state: use `worst_of` or `count_where`", state.point.name);
            faults.at(self.span.clone(), message);
            return None;
        }
        if !counts(point.quantity) {
            let message = "numbers make a number: `quantity` is `instantaneous` or `counter`";
            faults.at(self.span.clone(), message);
            return None;
        }
        Some(())
    }

    fn two(&self, faults: &mut Faults<'_>) -> Option<()> {
        let many = self.of.len();
        if many != 2 {
            let message = format!("this rule takes two points, `of` names {many}");
            faults.at(self.span.clone(), message);
        }
        (many == 2).then_some(())
    }

    fn worst(&self, point: &Point, faults: &mut Faults<'_>) -> Option<Worst> {
        let file = self.file;
        self.same_units(Some(point.unit), faults)?;
        let flags = self.of.iter().all(|read| is_flag(&read.source));
        match (&file.order, file.highest, file.lowest) {
            (None, false, false) if flags => Some(Worst::Highest),
            (None, true, false) => Some(Worst::Highest),
            (None, false, true) => Some(Worst::Lowest),
            (Some(order), false, false) => {
                for read in &self.of {
                    for label in &read.point.labels {
                        if !order.get_ref().contains(&label.code) {
                            let message = format!(
                                "code {} of `{}` has no place in `order`",
                                label.code, read.point.name
                            );
                            faults.at(order.span(), message);
                        }
                    }
                }
                if point.quantity != Quantity::State {
                    faults.at(self.span.clone(), "a worst code is a state: `quantity = \"state\"`");
                    return None;
                }
                #[expect(clippy::cast_precision_loss, reason = "codes are small")]
                let codes = order.get_ref().iter().map(|code| *code as f64).collect();
                Some(Worst::Order(codes))
            }
            _ => {
                let message = "`worst_of` needs one of `order` (codes, the worst first), `highest = true` or `lowest = true`; only flags need none";
                faults.at(self.span.clone(), message);
                None
            }
        }
    }

    fn test(&self, point: &Point, faults: &mut Faults<'_>) -> Option<Test> {
        let file = self.file;
        if point.unit != Unit::ONE || point.quantity != Quantity::Instantaneous {
            let message =
                "a count has no unit and is `instantaneous`: leave `unit` and `quantity` out";
            faults.at(self.span.clone(), message);
        }
        match (&file.equals, file.above, file.below) {
            (Some(wanted), None, None) => match *wanted.get_ref() {
                Wanted::Flag(flag) => {
                    if let Some(other) = self.of.iter().find(|read| !is_flag(&read.source)) {
                        let message = format!("`{}` is no flag", other.point.name);
                        faults.at(wanted.span(), message);
                    }
                    Some(Test::Equals(f64::from(u8::from(flag))))
                }
                Wanted::Number(number) => Some(Test::Equals(number)),
            },
            (None, Some(limit), None) => Some(Test::Above(limit)),
            (None, None, Some(limit)) => Some(Test::Below(limit)),
            _ => {
                faults
                    .at(self.span.clone(), "`count_where` needs one of `equals`, `above`, `below`");
                None
            }
        }
    }
}

fn is_flag(source: &Source) -> bool {
    match source {
        Source::Register(source) => source.flag,
        Source::Message(source) => source.flag,
        Source::Item(source) => source.flag,
        Source::Meter(source) => source.flag,
    }
}
