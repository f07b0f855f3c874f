//! Expands the entries of `[[points]]`, single points and runs, into points and their sources.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::binding::{Absent, Code, Encoding, MqttModel, MqttSource, Param, RegisterSource, Scale};
use super::category::CategoryModels;
use super::encoding::{encoding, is_point_name};
use super::fault::Faults;
use super::load::{MAX_POINTS, Models, pointer};
use super::load_modbus::first_address;
use super::meter::{ItemSource, MeterSource};
use super::plausible::{check_decimals, check_scale, name_place, register_place};
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
    pub source: Source,
    /// Where the file says which registers it takes.
    pub place: Range<usize>,
    /// Where the file names it.
    pub name: Range<usize>,
}

/// What the entries refer to, and what they have become so far.
pub(super) struct Templates<'a> {
    head: &'a HeadFile,
    params: &'a [Param],
    models: &'a Models,
    /// The line of each name.
    names: BTreeMap<String, usize>,
    read: Vec<Read>,
}

impl<'a> Templates<'a> {
    pub fn new(head: &'a HeadFile, params: &'a [Param], models: &'a Models) -> Self {
        Self { head, params, models, names: BTreeMap::new(), read: Vec::new() }
    }

    pub fn into_read(self) -> Vec<Read> {
        self.read
    }

    pub fn expand(&mut self, entry: &Spanned<PointFile>, faults: &mut Faults<'_>) {
        let span = entry.span();
        let file = &*complete(entry.get_ref(), self.models, &span, faults);
        let (Some(names), Some(template)) =
            (run_names(file, &span, faults), self.template(file, &span, faults))
        else {
            return faults.lose_point();
        };
        let codes = codes(file, &template.labels, faults);
        for (place, name) in (0u32..).zip(names) {
            if !is_point_name(&name) {
                faults.at(
                    span.clone(),
                    format!("`{name}` is no point name: parts of letters and digits joined by `.`, beginning with a lower-case letter, at most 64"),
                );
            }
            let named = name_place(file, place).unwrap_or_else(|| span.clone());
            if let Some(line) = self.names.get(&name) {
                let message = format!(
                    "point `{name}` is given twice, first in line {line}: call one otherwise (e.g. `{name}.L1` or `channels.1.{name}`), or leave one out"
                );
                faults.at(named.clone(), message);
            }
            let line = faults.line(&named);
            self.names.entry(name.clone()).or_insert(line);
            if self.read.len() == MAX_POINTS {
                faults.at(span, format!("more than {MAX_POINTS} points"));
                return;
            }
            let number = run_number(file, place, self.head.modbus.is_some()).to_string();
            // The total of a run that goes on by phases has no last part to tell.
            let last = name.rsplit_once('.').map_or("", |(_, last)| last);
            let title = |text: &Option<String>| {
                let text = text.as_deref().unwrap_or("").replace("{n}", &number);
                text.replace("{}", last).trim_end().to_owned()
            };
            let point = Point {
                name: Arc::from(name.as_str()),
                zh: title(&file.zh),
                en: title(&file.en),
                ..template.clone()
            };
            if self.head.dlt645.is_none() && self.head.cjt188.is_none() {
                refuse_meter_keys(file, &span, faults);
            }
            let at = (&span, place, name.as_str());
            let source = match (&self.head.modbus, self.models) {
                (Some(modbus), _) => self.register(modbus, file, place, &codes, &span, faults),
                (_, Models { dlt645: Some(model), .. }) => {
                    item(model.edition, file, at, faults).map(Source::Item)
                }
                (_, Models { cjt188: Some(model), .. }) => {
                    meter(model, file, at, faults).map(Source::Meter)
                }
                (_, Models { mqtt: Some(model), .. }) => {
                    self.message(model, file, &number, &codes, &span, faults)
                }
                _ => None,
            };
            if let Some(mut source) = source {
                self.mean(&mut source, file, &codes, faults);
                let period = file.period.map(|span| span.0);
                let place = register_place(file).unwrap_or_else(|| span.clone());
                self.read.push(Read {
                    point,
                    period,
                    urgent: file.urgent,
                    source,
                    place,
                    name: named,
                });
            } else {
                faults.lose_point();
            }
        }
    }

    /// The point as all of a run have it, but for name and titles.
    fn template(
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

    fn labels(&self, file: &PointFile, faults: &mut Faults<'_>) -> Vec<Label> {
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

    fn scale(&self, file: &PointFile, faults: &mut Faults<'_>) -> Scale {
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

    fn register(
        &self,
        modbus: &ModbusFile,
        file: &PointFile,
        place: u32,
        codes: &[Code],
        span: &Range<usize>,
        faults: &mut Faults<'_>,
    ) -> Option<Source> {
        if file.topic.is_some() || file.path.is_some() || !file.words.is_empty() {
            faults.at(span.clone(), "`topic`, `path` and `words` belong to MQTT models");
        }
        let Some(table) = file.table.or(modbus.table).map(|table| table.table()) else {
            faults.at(span.clone(), "`table` is missing, here or in `[modbus]`");
            return None;
        };
        let encoding = encoding(modbus, file, span, faults)?;
        if table.is_bits() != (encoding == Encoding::Bit) {
            faults.at(span.clone(), "encoding `bit` goes with the tables `coil` and `discrete_input`, and only with them");
        }
        let is_text = matches!(encoding, Encoding::Ascii(_) | Encoding::Utf16(_));
        if is_text != (file.quantity == Some(QuantityWord::Text)) && codes.is_empty() {
            faults.at(
                span.clone(),
                "encodings `ascii` and `utf16` go with quantity `text` or with `codes`",
            );
        }
        for raw in file.codes.keys().filter(|raw| !is_text && raw.get_ref().parse::<i64>().is_err())
        {
            faults.at(raw.span(), format!("raw code `{}` is no whole number", raw.get_ref()));
        }
        let scale = self.scale(file, faults);
        let numeric = codes.is_empty() && file.quantity != Some(QuantityWord::Flag);
        if numeric && scale.factor.is_finite() {
            check_scale(file, encoding, &scale, self.params, span, faults);
        }
        let step = u32::from(file.step.unwrap_or_else(|| encoding.width()));
        let Some(given) = &file.address else {
            faults.at(span.clone(), "`address` is missing");
            return None;
        };
        let address = given
            .get_ref()
            .checked_sub(first_address(modbus))
            .map(|a| a.saturating_add(place.saturating_mul(step)));
        let address = address
            .filter(|first| first.saturating_add(u32::from(encoding.width())) <= 65_536)
            .and_then(|first| u16::try_from(first).ok());
        let Some(address) = address else {
            let (address, width, first) =
                (given.get_ref(), encoding.width(), first_address(modbus));
            let message = format!(
                "`address` = {address}: the point would end beyond the last register; registers go from {first} to {}, and it takes {width}{}",
                first.saturating_add(65_535),
                if place == 0 {
                    String::new()
                } else {
                    format!(", {} times after it {step} on", place)
                }
            );
            faults.at(given.span(), message);
            return None;
        };
        let mut unavailable = Vec::new();
        for sentinel in &file.unavailable {
            match sentinel.get_ref().bits() {
                Some(bits) => unavailable.push(bits),
                None => faults.at(
                    sentinel.span(),
                    format!(
                        "`{}` is no register value: a positive number or \"0x…\"",
                        sentinel.get_ref().0
                    ),
                ),
            }
        }
        Some(Source::Register(RegisterSource {
            table,
            address,
            encoding,
            order: file.order.or(modbus.order).map(|order| order.order()).unwrap_or_default(),
            scale,
            unavailable,
            codes: codes.to_vec(),
            flag: file.quantity == Some(QuantityWord::Flag),
            decimals: file.decimals.as_ref().map_or(0, |decimals| *decimals.get_ref()),
        }))
    }

    fn message(
        &self,
        model: &MqttModel,
        file: &PointFile,
        number: &str,
        codes: &[Code],
        span: &Range<usize>,
        faults: &mut Faults<'_>,
    ) -> Option<Source> {
        if file.address.is_some() || file.encoding.is_some() || file.table.is_some() {
            faults.at(span.clone(), "`table`, `address` and `encoding` belong to Modbus models");
        }
        let topic = match &file.topic {
            Some(topic) => {
                let known = || model.topics.iter().map(|rule| rule.pattern.as_str());
                let found = known().position(|pattern| pattern == topic.get_ref());
                if found.is_none() {
                    let message =
                        format!("`{}` is none of the topics in `[mqtt]`", topic.get_ref());
                    faults.word(topic.span(), message, topic.get_ref(), known());
                }
                found?
            }
            None if model.topics.len() == 1 => 0,
            None => {
                faults.at(span.clone(), "`topic` is missing: the model has several");
                return None;
            }
        };
        let path = match &file.path {
            Some(path) => pointer(&path.get_ref().replace("{n}", number), &path.span(), faults)?,
            None => Vec::new(),
        };
        Some(Source::Message(MqttSource {
            topic,
            path,
            scale: self.scale(file, faults),
            unavailable: file
                .unavailable
                .iter()
                .map(|word| Absent::new(&word.get_ref().0))
                .collect(),
            codes: codes.to_vec(),
            flag_words: file.words.clone(),
            flag: file.quantity == Some(QuantityWord::Flag),
            text: file.quantity == Some(QuantityWord::Text),
            decimals: file.decimals.as_ref().map_or(0, |decimals| *decimals.get_ref()),
        }))
    }
}
