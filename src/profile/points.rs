//! Expands the entries of `[[points]]`, single points and runs, into points and their sources.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::binding::{Code, Member, Param, RegisterSource, Scale};
use super::category::CategoryModels;
use super::encoding::is_point_name;
use super::fault::Faults;
use super::group::GroupRead;
use super::load::{MAX_POINTS, Models};
use super::meter::{ItemSource, MeterSource};
use super::mqtt::MqttSource;
use super::plausible::{check_decimals, name_place, register_place};
use super::points_meter::{complete, item, meter, refuse_meter_keys};
use super::runs::{codes, run_names, run_number};
use super::schema::{HeadFile, ModbusFile, PointFile, QuantityWord};
use crate::model::{Label, Point, Quantity, ReportRule, Unit};

/// Where one point comes from.
pub(super) enum Source {
    Register(RegisterSource),
    Message(MqttSource),
    Item(ItemSource),
    Meter(MeterSource),
}

/// One point as it was read.
pub(super) struct Read {
    pub point: Point,
    pub period: Option<Duration>,
    pub urgent: bool,
    pub member: Option<Member>,
    pub source: Source,
    /// Where the file says which registers it takes.
    pub place: Range<usize>,
}

/// Which point of an entry: its member of a group, its place in the run, where the entry stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'s> {
    pub member: Option<Member>,
    pub place: u32,
    pub span: &'s Range<usize>,
}

/// What the entries refer to, and what they have become so far.
pub(super) struct Templates<'a> {
    head: &'a HeadFile,
    pub(super) params: &'a [Param],
    models: &'a Models,
    pub(super) groups: &'a [GroupRead],
    /// Line and column of each name.
    names: BTreeMap<String, (usize, usize)>,
    read: Vec<Read>,
}

impl<'a> Templates<'a> {
    pub fn new(
        head: &'a HeadFile,
        params: &'a [Param],
        models: &'a Models,
        groups: &'a [GroupRead],
    ) -> Self {
        Self { head, params, models, groups, names: BTreeMap::new(), read: Vec::new() }
    }

    pub fn read(&self) -> &[Read] {
        &self.read
    }

    /// `[modbus]` of the file, if it is of that kind.
    pub fn modbus(&self) -> Option<&ModbusFile> {
        self.head.modbus.as_ref()
    }

    /// Whether the model publishes by MQTT.
    pub fn publishes(&self) -> bool {
        self.models.mqtt.is_some()
    }

    /// The parameters when a device sets none.
    pub fn usual_params(&self) -> Vec<f64> {
        self.params.iter().map(|param| param.default).collect()
    }

    /// The points, and line and column of each name.
    pub fn into_read(self) -> (Vec<Read>, BTreeMap<String, (usize, usize)>) {
        (self.read, self.names)
    }

    pub fn expand(&mut self, entry: &Spanned<PointFile>, faults: &mut Faults<'_>) {
        let span = entry.span();
        let file = &*complete(entry.get_ref(), self.models, &span, faults);
        let group = self.group(file, &span, faults);
        let names = run_names(file, &span, faults);
        let template = self.template(file, &span, faults);
        let (Some(group), Some(names), Some(template)) = (group, names, template) else {
            return faults.lose_entry();
        };
        let codes = codes(file, &template.labels, faults);
        if self.head.dlt645.is_none() && self.head.cjt188.is_none() {
            refuse_meter_keys(file, &span, faults);
        }
        let members = group.map_or(1, |slot| self.groups[slot].group.max);
        for member in 0..members {
            let member = group.map(|group| Member { group, place: member });
            for (place, name) in (0u32..).zip(&names) {
                let at = Place { member, place, span: &span };
                if !self.one(file, at, name, &template, &codes, faults) {
                    return;
                }
            }
        }
    }

    /// One point of the run; `false` when there are too many.
    fn one(
        &mut self,
        file: &PointFile,
        at: Place<'_>,
        name: &str,
        template: &Point,
        codes: &[Code],
        faults: &mut Faults<'_>,
    ) -> bool {
        let group = at.member.map(|member| &self.groups[member.group].group);
        let modbus = self.head.modbus.is_some();
        let number = match (group, at.member) {
            (Some(group), Some(member)) => group.number(member.place),
            _ => run_number(file, at.place, modbus),
        };
        let whole = match group {
            Some(group) => format!("{}.{number}.{name}", group.name),
            None => name.to_owned(),
        };
        let named = name_place(file, at.place).unwrap_or_else(|| at.span.clone());
        if !self.take_name(&whole, &named, faults) {
            return false;
        }
        // The total of a run that goes on by phases has no last part to tell.
        let last = name.rsplit_once('.').map_or("", |(_, last)| last);
        let title = |text: &Option<String>, of_group: Option<&str>| {
            let text = text.as_deref().unwrap_or("").replace("{}", last);
            let text = format!("{} {text}", of_group.unwrap_or(""));
            text.replace("{n}", &number.to_string()).trim().to_owned()
        };
        let point = Point {
            name: Arc::from(whole.as_str()),
            zh: title(&file.zh, group.map(|group| group.zh.as_str())),
            en: title(&file.en, group.map(|group| group.en.as_str())),
            ..template.clone()
        };
        let source = match (&self.head.modbus, self.models) {
            (Some(modbus), _) => self.register(modbus, file, at, codes, faults),
            (_, Models { dlt645: Some(model), .. }) => {
                item(model.edition, file, (at.span, at.place, name), faults).map(Source::Item)
            }
            (_, Models { cjt188: Some(model), .. }) => {
                meter(model, file, (at.span, at.place, name), faults).map(Source::Meter)
            }
            (_, Models { mqtt: Some(model), .. }) => {
                self.message(model, file, (at, &number.to_string()), codes, faults)
            }
            _ => None,
        };
        if let Some(mut source) = source {
            self.mean(&mut source, file, codes, faults);
            let period = file.period.map(|span| span.0);
            let member = at.member;
            let place = register_place(file).unwrap_or_else(|| at.span.clone());
            self.read.push(Read { point, period, urgent: file.urgent, member, source, place });
        } else {
            faults.lose_entry();
        }
        true
    }

    /// Notes a point's name; `false` when there are too many points.
    pub fn take_name(&mut self, name: &str, span: &Range<usize>, faults: &mut Faults<'_>) -> bool {
        if !is_point_name(name) {
            faults.at(
                span.clone(),
                format!("`{name}` is no point name: parts of letters and digits joined by `.`, beginning with a lower-case letter, at most 64"),
            );
        }
        if let Some((line, _)) = self.names.insert(name.to_owned(), faults.place(span.start)) {
            let message = format!(
                "point `{name}` is given twice, first in line {line}: call one otherwise (e.g. `{name}.L1` or `channels.1.{name}`), or leave one out"
            );
            faults.at(span.clone(), message);
        }
        if self.names.len() > MAX_POINTS {
            faults
                .at(span.clone(), format!("more than {MAX_POINTS} points, groups at their `max`"));
            return false;
        }
        true
    }

    /// The group that the entry names, if any; `None` when it cannot be in it.
    fn group(
        &self,
        file: &PointFile,
        span: &Range<usize>,
        faults: &mut Faults<'_>,
    ) -> Option<Option<usize>> {
        let Some(name) = &file.group else { return Some(None) };
        if self.head.dlt645.is_some() || self.head.cjt188.is_some() {
            faults.at(name.span(), "groups belong to Modbus and MQTT models");
            return None;
        }
        if file.count.is_some() || file.from.is_some() {
            faults.at(
                span.clone(),
                "`count` and `from` of a point in a group are those of the group; leave them out",
            );
            return None;
        }
        let known = || self.groups.iter().map(|read| &*read.group.name);
        let found = known().position(|known| known == name.get_ref());
        match found {
            None => {
                let message = format!("there is no group `{}` in this file", name.get_ref());
                faults.word(name.span(), message, name.get_ref(), known());
            }
            Some(slot) if self.head.modbus.is_some() && self.groups[slot].step.is_none() => {
                let message = format!(
                    "group `{}` needs `step`: registers from one member to the next",
                    name.get_ref()
                );
                faults.at(self.groups[slot].span.clone(), message);
            }
            Some(slot) if self.head.mqtt.is_some() && self.groups[slot].step.is_some() => {
                faults.at(
                    self.groups[slot].span.clone(),
                    "`step` of a group belongs to Modbus models",
                );
            }
            Some(_) => return Some(found),
        }
        None
    }

    /// The point as all of a run have it, but for name and titles.
    pub fn template(
        &self,
        file: &PointFile,
        span: &Range<usize>,
        faults: &mut Faults<'_>,
    ) -> Option<Point> {
        let unit = match &file.unit {
            Some(unit) => Unit::parse(unit.get_ref())
                .map_err(|error| faults.at(unit.span(), error.to_string()))
                .ok()?,
            None => Unit::ONE,
        };
        let quantity = match file.quantity.unwrap_or(QuantityWord::Instantaneous) {
            QuantityWord::Instantaneous => Quantity::Instantaneous,
            QuantityWord::Counter => Quantity::Counter,
            QuantityWord::State | QuantityWord::Flag => Quantity::State,
            QuantityWord::Text => Quantity::Text,
        };
        if quantity == Quantity::Counter && file.max_rate.is_none() && file.counter_max.is_none() {
            let name = file.name.as_ref().map_or("", |name| name.get_ref().as_str());
            let message = format!(
                "counter `{name}` needs `max_rate`, the most it counts in a second, in its unit (or `counter_max`, where it starts again at 0)"
            );
            faults.at(name_place(file, 0).unwrap_or_else(|| span.clone()), message);
        }
        let positive = [
            ("max_rate", &file.max_rate, true),
            ("counter_max", &file.counter_max, true),
            ("dead_band", &file.dead_band, false),
        ];
        for (key, value, above_zero) in positive {
            if let Some(value) = value {
                let n = *value.get_ref();
                if !n.is_finite() || n < 0.0 || (above_zero && n == 0.0) {
                    faults.at(value.span(), format!("`{key}` = {n}, it must be positive"));
                }
            }
        }
        let range = file.range.as_ref().map(|range| {
            let [low, high] = *range.get_ref();
            if low.is_nan() || high.is_nan() || low >= high {
                faults.at(range.span(), format!("range [{low}, {high}]: the first must be lower"));
            }
            (low, high)
        });
        let decimals = file.decimals.as_ref().map_or(0, |decimals| {
            if *decimals.get_ref() > 9 {
                let message = format!("`decimals` = {}, allowed are 0 to 9", decimals.get_ref());
                faults.at(decimals.span(), message);
            }
            *decimals.get_ref()
        });
        check_decimals(file, faults);
        let default = ReportRule::default();
        Some(Point {
            name: Arc::from(""),
            zh: String::new(),
            en: String::new(),
            unit,
            quantity,
            decimals,
            range,
            max_rate: file.max_rate.as_ref().map(|rate| *rate.get_ref()),
            counter_max: file.counter_max.as_ref().map(|most| *most.get_ref()),
            labels: self.labels(file, faults),
            report: ReportRule {
                dead_band: file
                    .dead_band
                    .as_ref()
                    .map_or(default.dead_band, |band| *band.get_ref()),
                at_least_every: file.at_least_every.map_or(default.at_least_every, |span| span.0),
            },
        })
    }

    pub fn labels(&self, file: &PointFile, faults: &mut Faults<'_>) -> Vec<Label> {
        let Some(set) = &file.labels else { return Vec::new() };
        let Some(rows) = self.head.labels.get(set.get_ref()) else {
            let shared = &CategoryModels::built_in().labels;
            if let Some(labels) = shared.get(set.get_ref()) {
                return labels.clone();
            }
            let message = format!(
                "there is no `[labels.{}]` in this file, and no shared codes of this name",
                set.get_ref()
            );
            let known = self.head.labels.keys().chain(shared.keys()).map(String::as_str);
            faults.word(set.span(), message, set.get_ref(), known);
            return Vec::new();
        };
        let mut labels = Vec::new();
        for (code, [zh, en]) in rows {
            match code.get_ref().parse() {
                Ok(code) => labels.push(Label { code, zh: zh.clone(), en: en.clone() }),
                Err(_) => faults
                    .at(code.span(), format!("`{}` is no code, a whole number is", code.get_ref())),
            }
        }
        labels.sort_by_key(|label| label.code);
        labels
    }

    /// What a meter's source makes of its raw value.
    fn mean(
        &self,
        source: &mut Source,
        file: &PointFile,
        of_codes: &[Code],
        faults: &mut Faults<'_>,
    ) {
        let (scale, codes, flag, decimals) = match source {
            Source::Item(item) => {
                (&mut item.scale, &mut item.codes, &mut item.flag, &mut item.decimals)
            }
            Source::Meter(meter) => {
                (&mut meter.scale, &mut meter.codes, &mut meter.flag, &mut meter.decimals)
            }
            Source::Register(_) | Source::Message(_) => return,
        };
        *scale = self.scale(file, faults);
        *codes = of_codes.to_vec();
        *flag = file.quantity == Some(QuantityWord::Flag);
        *decimals = file.decimals.as_ref().map_or(0, |decimals| *decimals.get_ref());
    }

    pub fn scale(&self, file: &PointFile, faults: &mut Faults<'_>) -> Scale {
        let mut scale = Scale::default();
        for (key, value) in [("factor", &file.factor), ("offset", &file.offset)] {
            if let Some(value) = value
                && (!value.get_ref().is_finite() || (key == "factor" && *value.get_ref() == 0.0))
            {
                faults.at(value.span(), format!("`{key}` = {} is no use", value.get_ref()));
            }
        }
        scale.factor = file.factor.as_ref().map_or(1.0, |factor| *factor.get_ref());
        scale.offset = file.offset.as_ref().map_or(0.0, |offset| *offset.get_ref());
        for name in &file.by {
            match self.params.iter().position(|param| param.name == *name.get_ref()) {
                Some(param) => scale.by.push(param),
                None => {
                    let message = format!("there is no param `{}` in this file", name.get_ref());
                    let known = self.params.iter().map(|param| param.name.as_str());
                    faults.word(name.span(), message, name.get_ref(), known);
                }
            }
        }
        scale
    }
}
