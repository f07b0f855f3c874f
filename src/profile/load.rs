//! Reads a profile's file and says everything that is wrong with it at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::binding::{Binding, Member, Product, Profile, RegisterSource, Table, Verified};
use super::command::{CommandFile, commands};
use super::derive::{DerivedFile, derived};
use super::entry::{Stage, by_key, entry, head};
use super::example::{Example, read_example};
use super::fault::{Faults, ProfileFault};
use super::group::{GroupFile, GroupRead, check_used, groups};
use super::load_meter::{cjt188_model, dlt645_model};
use super::load_modbus::{check_forbidden, first_address, modbus_model};
use super::load_mqtt::mqtt_model;
use super::meter::{Cjt188Model, Dlt645Model};
use super::mqtt::MqttModel;
use super::names::settle;
use super::params::params;
use super::plausible::check_overlaps;
use super::points::{Read, Source, Templates};
use super::schema::{ExampleFile, HeadFile, PointFile};
use crate::model::{Category, Derived, Point};

/// Largest file, bytes.
const MAX_FILE: usize = 256 * 1024;
/// Most points of a model.
pub(super) const MAX_POINTS: usize = 2000;
const MAX_EXAMPLES: usize = 64;
const MAX_DERIVED: usize = 100;
const MAX_COMMANDS: usize = 64;
const MAX_GROUPS: usize = 8;

/// A profile and the examples that prove it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// What the model offers, its groups with the members that they usually have.
    pub profile: Profile,
    /// The same with as many members as a device may have.
    pub full: Profile,
    /// Raw registers or payloads, and the readings they give.
    pub examples: Vec<Example>,
    /// Line and column of the name of each point of `full`.
    pub places: BTreeMap<String, (usize, usize)>,
}

/// Reads a profile. `name` is the file's name or path; its stem is the profile's identifier.
///
/// # Errors
/// Every fault that was found, in the order of the file.
pub fn parse(name: &str, text: &str) -> Result<Loaded, Vec<ProfileFault>> {
    parse_as(name, text, Stage::Whole)
}

/// Reads a profile that may have no examples yet, to try it or to simulate it.
///
/// # Errors
/// As [`parse`].
pub fn parse_draft(name: &str, text: &str) -> Result<Loaded, Vec<ProfileFault>> {
    parse_as(name, text, Stage::Draft)
}

fn parse_as(name: &str, text: &str, stage: Stage) -> Result<Loaded, Vec<ProfileFault>> {
    let mut faults = Faults::new(name, text);
    let loaded = read(name, text, stage, &mut faults);
    match loaded {
        Some(loaded) if faults.is_empty() => Ok(loaded),
        _ => Err(faults.into_list()),
    }
}

fn read(name: &str, text: &str, stage: Stage, faults: &mut Faults<'_>) -> Option<Loaded> {
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
    let table = DeTable::parse(text).map_err(|error| faults.toml(&error.into())).ok()?;
    let span = table.span();
    let mut table = table.into_inner();
    let lists = Lists {
        points: entries(&mut table, "points", MAX_POINTS, by_key, faults),
        examples: match stage {
            Stage::Draft => optional(&mut table, "examples", MAX_EXAMPLES, entry, faults),
            Stage::Whole => entries(&mut table, "examples", MAX_EXAMPLES, entry, faults),
        },
        groups: optional(&mut table, "groups", MAX_GROUPS, entry, faults),
        derived: optional(&mut table, "derived", MAX_DERIVED, entry, faults),
        commands: optional(&mut table, "commands", MAX_COMMANDS, entry, faults),
    };
    let head = head(Spanned::new(span, DeValue::Table(table)), faults)?;
    assemble(id, head, lists, faults)
}

/// The lists of a file.
struct Lists {
    points: Vec<Spanned<PointFile>>,
    examples: Vec<Spanned<ExampleFile>>,
    groups: Vec<Spanned<GroupFile>>,
    derived: Vec<Spanned<DerivedFile>>,
    commands: Vec<Spanned<CommandFile>>,
}

/// As [`entries`], of a list that may be left out.
fn optional<'t, T>(
    table: &mut DeTable<'t>,
    key: &str,
    most: usize,
    read: impl Fn(Spanned<DeValue<'t>>, &mut Faults<'_>) -> Option<T>,
    faults: &mut Faults<'_>,
) -> Vec<T> {
    if table.contains_key(key) { entries(table, key, most, read, faults) } else { Vec::new() }
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
    let read = |value| {
        let entry = read(value, faults);
        if entry.is_none() && key != "examples" {
            faults.lose_entry();
        }
        entry
    };
    array.into_iter().take(most).filter_map(read).collect()
}

fn assemble(id: String, head: HeadFile, lists: Lists, faults: &mut Faults<'_>) -> Option<Loaded> {
    let category = category(&head.category, faults);
    if head.products.is_empty() {
        faults.whole("`products` is empty, at least one brand and model is needed");
    }
    if head.sources.get_ref().is_empty() {
        faults.at(
            head.sources.span(),
            "`sources` is empty: say where the facts come from, e.g. [\"https://maker.example/manual.pdf\"]",
        );
    }
    let params = params(&head, faults);
    let groups = groups(lists.groups, faults);
    let models = Models::read(&head, &groups, faults);
    let mut templates = Templates::new(&head, &params, &models, &groups);
    for point in &lists.points {
        templates.expand(point, faults);
    }
    let derived = derived(&lists.derived, &mut templates, faults);
    let commands = commands(lists.commands, &templates, faults);
    let mut offered = Offered::default();
    let (read, names) = templates.into_read();
    read.into_iter().for_each(|read| offered.take(read));
    check_used(&groups, &offered.members, faults);
    let binding =
        models.binding(&head, &offered.points, std::mem::take(&mut offered.sources), faults)?;
    let first = head.modbus.as_ref().map_or(0, first_address);
    if let Binding::Modbus { sources, .. } = &binding {
        check_overlaps(&offered.points, sources, &offered.places, first, faults);
    }
    let (follow, of_derived): (Vec<Derived>, Vec<Point>) = derived.into_iter().unzip();
    offered.points.extend(of_derived);
    offered.periods.resize(offered.points.len(), None);
    let usual: Vec<u16> = groups.iter().map(|read| read.usual).collect();
    let mut full = Profile {
        id,
        category: category?,
        zh: head.title.zh,
        en: head.title.en,
        products: head
            .products
            .into_iter()
            .map(|product| Product { brand: product.brand, model: product.model })
            .collect(),
        sources: head.sources.into_inner(),
        caveats: head.caveats,
        verified: head.verified.map_or_else(Verified::default, |file| Verified {
            level: file.level,
            against: file.against,
        }),
        params,
        binding,
        points: Arc::from(offered.points),
        periods: offered.periods,
        urgent: if offered.urgent.contains(&true) { offered.urgent } else { Vec::new() },
        members: if groups.is_empty() { Vec::new() } else { offered.members },
        groups: groups.into_iter().map(|read| read.group).collect(),
        derived: follow,
        commands,
    };
    let examples: Vec<Example> = lists
        .examples
        .into_iter()
        .filter_map(|example| read_example(example, &full, &usual, first, faults))
        .collect();
    settle(&mut full, &examples);
    Some(Loaded { profile: full.sized(&usual), full, examples, places: names })
}

/// What was read of all entries, a list for each kind.
#[derive(Default)]
struct Offered {
    points: Vec<Point>,
    periods: Vec<Option<Duration>>,
    urgent: Vec<bool>,
    members: Vec<Option<Member>>,
    sources: Vec<Source>,
    /// Where the file says which registers each takes.
    places: Vec<Range<usize>>,
}

impl Offered {
    fn take(&mut self, read: Read) {
        self.points.push(read.point);
        self.periods.push(read.period);
        self.urgent.push(read.urgent);
        self.members.push(read.member);
        self.sources.push(read.source);
        self.places.push(read.place);
    }
}

/// What the section of the protocol says, the points' sources left out.
#[derive(Default)]
pub(super) struct Models {
    pub mqtt: Option<MqttModel>,
    pub dlt645: Option<Dlt645Model>,
    pub cjt188: Option<Cjt188Model>,
}

impl Models {
    fn read(head: &HeadFile, groups: &[GroupRead], faults: &mut Faults<'_>) -> Self {
        Self {
            mqtt: head.mqtt.as_ref().map(|file| mqtt_model(file, groups, faults)),
            dlt645: head.dlt645.as_ref().map(|file| dlt645_model(file, faults)),
            cjt188: head.cjt188.as_ref().map(|file| cjt188_model(file, faults)),
        }
    }

    fn binding(
        self,
        head: &HeadFile,
        points: &[Point],
        sources: Vec<Source>,
        faults: &mut Faults<'_>,
    ) -> Option<Binding> {
        let sections = [
            ("`[modbus]`", head.modbus.is_some()),
            ("`[mqtt]`", head.mqtt.is_some()),
            ("`[dlt645]`", head.dlt645.is_some()),
            ("`[cjt188]`", head.cjt188.is_some()),
        ];
        let given: Vec<&str> =
            sections.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
        if given.len() > 1 {
            faults.whole(format!("{} are given, allowed is one", given.join(" and ")));
            return None;
        }
        let sources = sources.into_iter();
        Some(match (&head.modbus, self) {
            (Some(modbus), _) => {
                let (serial, unit, limits) = modbus_model(modbus, faults);
                let sources: Vec<RegisterSource> = take(sources, |source| match source {
                    Source::Register(source) => Some(source),
                    _ => None,
                });
                check_forbidden(points, &sources, &limits, faults);
                Binding::Modbus { serial, unit, limits, sources }
            }
            (_, Models { mqtt: Some(model), .. }) => {
                let sources = take(sources, |source| match source {
                    Source::Message(source) => Some(source),
                    _ => None,
                });
                Binding::Mqtt(MqttModel { sources, ..model })
            }
            (_, Models { dlt645: Some(model), .. }) => {
                let sources = take(sources, |source| match source {
                    Source::Item(source) => Some(source),
                    _ => None,
                });
                Binding::Dlt645(Dlt645Model { sources, ..model })
            }
            (_, Models { cjt188: Some(model), .. }) => {
                let sources = take(sources, |source| match source {
                    Source::Meter(source) => Some(source),
                    _ => None,
                });
                Binding::Cjt188(Cjt188Model { sources, ..model })
            }
            _ => {
                faults.whole(
                    "`[modbus]`, `[mqtt]`, `[dlt645]` or `[cjt188]` is missing: how is it reached?",
                );
                return None;
            }
        })
    }
}

/// The sources of the protocol; each entry became one of it.
fn take<S>(sources: impl Iterator<Item = Source>, of: impl Fn(Source) -> Option<S>) -> Vec<S> {
    sources.filter_map(of).collect()
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

pub(super) fn checked<T: Copy + PartialOrd + std::fmt::Display>(
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
mod meter_tests;
#[cfg(test)]
mod tests;
