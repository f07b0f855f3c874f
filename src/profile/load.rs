//! Reads a profile's file and says everything that is wrong with it at once.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::binding::{
    Availability, Binding, Limits, MqttModel, Param, PathStep, PayloadFormat, Product, Profile,
    RegisterSource, SerialDefaults, Table, TopicRule,
};
use super::check::{Example, read_example};
use super::entry::{by_key, entry, head};
use super::fault::{Faults, ProfileFault};
use super::identify::identify;
use super::points::{Source, Templates};
use super::schema::{ExampleFile, HeadFile, ModbusFile, MqttFile, PointFile};
use crate::model::{Category, Point};

/// Largest file, bytes.
const MAX_FILE: usize = 256 * 1024;
/// Most points of a model.
pub(super) const MAX_POINTS: usize = 1000;
const MAX_EXAMPLES: usize = 64;
const MAX_PARAMS: usize = 16;
const MAX_TOPICS: usize = 64;

/// A profile and the examples that prove it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What the model offers.
    pub profile: Profile,
    /// Raw registers or payloads, and the readings they give.
    pub examples: Vec<Example>,
}

/// Reads a profile. `name` is the file's name or path; its stem is the profile's identifier.
///
/// # Errors
/// Every fault that was found, in the order of the file.
pub fn parse(name: &str, text: &str) -> Result<Loaded, Vec<ProfileFault>> {
    let mut faults = Faults::new(name, text);
    let loaded = read(name, text, &mut faults);
    match loaded {
        Some(loaded) if faults.is_empty() => Ok(loaded),
        _ => Err(faults.into_list()),
    }
}

fn read(name: &str, text: &str, faults: &mut Faults<'_>) -> Option<Loaded> {
    let id = Path::new(name).file_stem()?.to_string_lossy().into_owned();
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if id.len() > 64 || !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.bytes().all(good) {
        faults.whole(format!(
            "`{id}` is no identifier of a profile: lower-case letters, digits and `-`, at most 64"
        ));
    }
    if text.len() > MAX_FILE {
        faults.whole(format!("{} bytes are too many, at most {MAX_FILE}", text.len()));
        return None;
    }
    let table = DeTable::parse(text).map_err(|error| faults.toml(&error)).ok()?;
    let span = table.span();
    let mut table = table.into_inner();
    let points = entries(&mut table, "points", MAX_POINTS, by_key, faults);
    let examples = entries(&mut table, "examples", MAX_EXAMPLES, entry, faults);
    let head = head(Spanned::new(span, DeValue::Table(table)), faults)?;
    assemble(id, head, points, examples, faults)
}

/// Takes an array of tables out of the file, so that one wrong entry does not hide the others.
fn entries<'t, T>(
    table: &mut DeTable<'t>,
    key: &str,
    most: usize,
    read: impl Fn(Spanned<DeValue<'t>>, &mut Faults<'_>) -> Option<T>,
    faults: &mut Faults<'_>,
) -> Vec<T> {
    let Some(value) = table.remove(key) else {
        faults.whole(format!("`[[{key}]]` is missing, at least one is needed"));
        return Vec::new();
    };
    let span = value.span();
    let DeValue::Array(array) = value.into_inner() else {
        faults.at(span, format!("`{key}` must be a list of tables, `[[{key}]]`"));
        return Vec::new();
    };
    if array.is_empty() || array.len() > most {
        faults.at(span, format!("{} entries of `{key}`, allowed are 1 to {most}", array.len()));
    }
    array.into_iter().take(most).filter_map(|value| read(value, faults)).collect()
}

fn assemble(
    id: String,
    head: HeadFile,
    points: Vec<Spanned<PointFile>>,
    examples: Vec<Spanned<ExampleFile>>,
    faults: &mut Faults<'_>,
) -> Option<Loaded> {
    let category = category(&head.category, faults);
    if head.products.is_empty() {
        faults.whole("`products` is empty, at least one brand and model is needed");
    }
    if head.sources.is_empty() {
        faults.whole("`sources` is empty: say where the facts come from");
    }
    let params = params(&head, faults);
    let mqtt = head.mqtt.as_ref().map(|mqtt| mqtt_model(mqtt, faults));
    let mut templates = Templates::new(&head, &params, mqtt.as_ref());
    for point in &points {
        templates.expand(point, faults);
    }
    let read = templates.into_read();
    let (mut offered, mut periods) = (Vec::<Point>::new(), Vec::new());
    let (mut registers, mut places) = (Vec::new(), Vec::new());
    for (point, period, source) in read {
        offered.push(point);
        periods.push(period);
        match source {
            Source::Register(source) => registers.push(source),
            Source::Message(source) => places.push(source),
        }
    }
    let binding = match (&head.modbus, mqtt) {
        (Some(modbus), None) => {
            let (serial, unit, limits) = modbus_model(modbus, faults);
            check_forbidden(&offered, &registers, &limits, faults);
            Binding::Modbus { serial, unit, limits, sources: registers }
        }
        (None, Some(model)) => Binding::Mqtt(MqttModel { sources: places, ..model }),
        (Some(_), Some(_)) => {
            faults.whole("both `[modbus]` and `[mqtt]` are given, allowed is one");
            return None;
        }
        (None, None) => {
            faults.whole("`[modbus]` or `[mqtt]` is missing: how is it reached?");
            return None;
        }
    };
    let first = head.modbus.as_ref().map_or(0, first_address);
    let profile = Profile {
        id,
        category: category?,
        zh: head.title.zh,
        en: head.title.en,
        products: head
            .products
            .into_iter()
            .map(|product| Product { brand: product.brand, model: product.model })
            .collect(),
        sources: head.sources,
        caveats: head.caveats,
        params,
        binding,
        points: Arc::from(offered),
        periods,
        urgent: Vec::new(),
    };
    let examples = examples
        .into_iter()
        .filter_map(|example| read_example(example, &profile, first, faults))
        .collect();
    Some(Loaded { profile, examples })
}

fn check_forbidden(
    points: &[Point],
    sources: &[RegisterSource],
    limits: &Limits,
    faults: &mut Faults<'_>,
) {
    for (point, source) in points.iter().zip(sources) {
        let last = source.address.saturating_add(source.encoding.width() - 1);
        let hit = |(from, to): &&(u16, u16)| source.address <= *to && last >= *from;
        if let Some((from, to)) = limits.forbidden.iter().find(hit) {
            faults
                .whole(format!("`{}` lies in the forbidden addresses {from} to {to}", point.name));
        }
        if source.encoding.width() > limits.max_registers {
            faults.whole(format!(
                "`{}` takes {} registers, more than one read may hold ({})",
                point.name,
                source.encoding.width(),
                limits.max_registers
            ));
        }
    }
}

fn category(word: &Spanned<String>, faults: &mut Faults<'_>) -> Option<Category> {
    let found = Category::from_word(word.get_ref());
    if found.is_none() {
        let words: Vec<&str> = Category::ALL.iter().map(|category| category.word()).collect();
        let message =
            format!("`{}` is no category; allowed are {}", word.get_ref(), words.join(" "));
        faults.word(word.span(), message, word.get_ref(), words);
    }
    found
}

fn params(head: &HeadFile, faults: &mut Faults<'_>) -> Vec<Param> {
    let mut names = BTreeSet::new();
    let mut params = Vec::new();
    for spanned in head.params.iter().take(MAX_PARAMS + 1) {
        let (span, param) = (spanned.span(), spanned.get_ref());
        if params.len() == MAX_PARAMS {
            faults.at(span, format!("more than {MAX_PARAMS} params"));
            break;
        }
        if !names.insert(&param.name) {
            faults.at(span, format!("param `{}` is given twice", param.name));
        } else if !(param.min <= param.default && param.default <= param.max) {
            faults.at(
                span,
                format!(
                    "default {} of param `{}` lies outside {} to {}",
                    param.default, param.name, param.min, param.max
                ),
            );
        }
        params.push(Param {
            name: param.name.clone(),
            default: param.default,
            range: (param.min, param.max),
            about: param.about.clone(),
        });
    }
    params
}

pub(super) fn first_address(modbus: &ModbusFile) -> u32 {
    modbus.first_address.as_ref().map_or(0, |first| *first.get_ref())
}

fn checked<T: Copy + PartialOrd + std::fmt::Display>(
    value: Option<&Spanned<T>>,
    default: T,
    (least, most): (T, T),
    key: &str,
    faults: &mut Faults<'_>,
) -> T {
    let Some(value) = value else { return default };
    let given = *value.get_ref();
    if given < least || given > most {
        faults.at(value.span(), format!("`{key}` = {given}, allowed are {least} to {most}"));
    }
    given
}

fn modbus_model(
    file: &ModbusFile,
    faults: &mut Faults<'_>,
) -> (SerialDefaults, Option<u8>, Limits) {
    let default = Limits::default();
    let mut frame = *b"8N1";
    if let Some(given) = &file.frame {
        match given.get_ref().as_bytes() {
            [b'8', parity @ (b'N' | b'E' | b'O'), stop @ (b'1' | b'2')] => {
                frame = [b'8', *parity, *stop];
            }
            _ => faults.at(
                given.span(),
                format!("frame `{}`, allowed are 8N1 8E1 8O1 8N2 8E2 8O2", given.get_ref()),
            ),
        }
    }
    checked(file.first_address.as_ref(), 0, (0, 1), "first_address", faults);
    let unit = checked(file.unit.as_ref(), 1, (1, 255), "unit", faults);
    let timeout = file.timeout.map_or(default.timeout, |span| span.0);
    if timeout.is_zero() {
        faults.whole("`timeout` is 0, it must be longer");
    }
    let mut forbidden = Vec::new();
    for range in &file.forbidden {
        let [from, to] = *range.get_ref();
        let first = first_address(file);
        let ends = from.checked_sub(first).zip(to.checked_sub(first));
        match ends.map(|(from, to)| (u16::try_from(from), u16::try_from(to))) {
            Some((Ok(from), Ok(to))) if from <= to => forbidden.push((from, to)),
            _ => faults.at(
                range.span(),
                format!("[{from}, {to}] is no range of addresses: [first, last], at most 65535"),
            ),
        }
    }
    let limits = Limits {
        max_registers: checked(file.max_registers.as_ref(), 125, (1, 125), "max_registers", faults),
        max_bits: checked(file.max_bits.as_ref(), 2000, (1, 2000), "max_bits", faults),
        max_gap: file.max_gap.unwrap_or(default.max_gap),
        one_by_one: file.one_by_one,
        forbidden,
        pause: file.pause.map_or(Duration::ZERO, |span| span.0),
        pause_on_switch: file.pause_on_switch.map_or(Duration::ZERO, |span| span.0),
        timeout,
        identify: identify(file, faults),
    };
    let baud = checked(file.baud.as_ref(), 9600, (300, 921_600), "baud", faults);
    (SerialDefaults { baud, frame }, file.unit.as_ref().map(|_| unit), limits)
}

fn mqtt_model(file: &MqttFile, faults: &mut Faults<'_>) -> MqttModel {
    if file.topics.is_empty() || file.topics.len() > MAX_TOPICS {
        faults.whole(format!("{} topics, allowed are 1 to {MAX_TOPICS}", file.topics.len()));
    }
    let mut topics: Vec<TopicRule> = Vec::new();
    for spanned in &file.topics {
        let (span, topic) = (spanned.span(), spanned.get_ref());
        check_pattern(&topic.pattern, span.clone(), faults);
        if topics.iter().any(|known| known.pattern == topic.pattern) {
            faults.at(span.clone(), format!("topic `{}` is given twice", topic.pattern));
        }
        let format = topic.format.map_or(PayloadFormat::Json, |format| format.format());
        let time = topic.time.as_deref().and_then(|path| pointer(path, &span, faults));
        topics.push(TopicRule { pattern: topic.pattern.clone(), format, time });
    }
    let availability = file.availability.as_ref().map(|spanned| {
        let (span, file) = (spanned.span(), spanned.get_ref());
        check_pattern(&file.pattern, span.clone(), faults);
        Availability {
            pattern: file.pattern.clone(),
            path: pointer(&file.path, &span, faults).unwrap_or_default(),
            online: file.online.clone(),
            offline: file.offline.clone(),
        }
    });
    let silent_after = file.silent_after.map(|span| span.0);
    MqttModel { topics, availability, sources: Vec::new(), silent_after }
}

fn check_pattern(pattern: &str, span: Range<usize>, faults: &mut Faults<'_>) {
    let levels = || pattern.split('/');
    if levels().filter(|level| *level == "{base}").count() != 1
        || pattern.contains('#')
        || levels().any(|level| level != "+" && level.contains('+'))
        || levels().any(|level| level != "{base}" && level.contains(['{', '}']))
        || pattern.len() > 256
    {
        faults.at(
            span,
            format!(
                "topic `{pattern}`: `{{base}}` must be one level of it, `+` may be, `#` may not"
            ),
        );
    }
}

/// Reads a JSON pointer (RFC 6901).
pub(super) fn pointer(
    path: &str,
    span: &Range<usize>,
    faults: &mut Faults<'_>,
) -> Option<Vec<PathStep>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    let Some(steps) = path.strip_prefix('/') else {
        faults.at(span.clone(), format!("path `{path}` is no JSON pointer: it begins with `/`"));
        return None;
    };
    let step = |step: &str| match step.parse() {
        Ok(index) if step == "0" || !step.starts_with(['0', '+']) => PathStep::Index(index),
        _ => PathStep::Key(step.replace("~1", "/").replace("~0", "~")),
    };
    Some(steps.split('/').map(step).collect())
}

/// `holding`, `input`, `coil` or `discrete_input`.
pub(super) fn table_word(table: Table) -> &'static str {
    match table {
        Table::Coil => "coil",
        Table::DiscreteInput => "discrete_input",
        Table::Holding => "holding",
        Table::Input => "input",
    }
}

#[cfg(test)]
mod tests;
