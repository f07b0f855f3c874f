//! Reads TOML and collects everything that is wrong with it, instead of stopping at the first fault.
//!
//! A module reads its own [`Section`]: every getter names a key, says what is allowed and what the
//! default is. A value that is wrong is noted as a [`Fault`] with file, line and column, and the
//! default takes its place so that reading goes on. A key that nobody asked for is a fault when
//! the section is dropped, with the nearest right key as a hint. Whoever reads must look at
//! [`Document::into_faults`] before using what was read.

mod changes;
mod fault;
mod getters;
mod scalar;
#[cfg(test)]
mod tests;
mod typed;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use changes::{Became, CHANGES, Change};
pub use fault::{Fault, Faults, Place};
pub use scalar::{
    Wrong, check_endpoint, check_host, meant_key, meant_value, nearest, parse_duration, parse_size,
    show_duration, show_size, write_it,
};
pub use typed::{Refused, read_text, read_value};

/// Longest value that is repeated in a fault, in characters.
const SHOWN: usize = 60;

/// One configuration file, parsed, with what was found wrong so far.
#[derive(Debug)]
pub struct Document<'t> {
    name: Arc<str>,
    text: &'t str,
    /// Byte offset of the begin of each line.
    lines: Vec<usize>,
    folder: PathBuf,
    root: Spanned<DeTable<'t>>,
    faults: RefCell<Vec<Fault>>,
    /// Keys that were asked for (`bus.baud`), with their default as TOML.
    known: RefCell<BTreeMap<String, Option<String>>>,
    /// Those of them that name files or folders.
    paths: RefCell<BTreeSet<String>>,
    changes: &'static [Change],
}

impl<'t> Document<'t> {
    /// Parses the text of the file `name`. Relative paths in it count from `folder`.
    ///
    /// # Errors
    /// The first syntax error; keys and tables that appear twice are such.
    pub fn parse(name: &str, text: &'t str, folder: &Path) -> Result<Self, Box<Fault>> {
        let name: Arc<str> = name.into();
        let lines: Vec<usize> =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let root = DeTable::parse(text).map_err(|error| {
            let (line, column) = position(text, &lines, error.span().map_or(0, |span| span.start));
            let mut place = Place::of_file(&name);
            (place.line, place.column) = (line, column);
            let told = error.message().replace('\n', ", ");
            let problem = (format!("is not TOML: {told}"), format!("不符合 TOML 语法：{told}"));
            let fault = Fault::new(place, problem);
            // The usual way to write a number that begins with zeros, e.g. a meter's address.
            let numbered = told.contains("leading zero");
            Box::new(match numbered {
                true => fault.hint(("put the digits in quotes", "请把这串数字写在引号内")),
                false => fault,
            })
        })?;
        Ok(Self {
            name,
            text,
            lines,
            folder: folder.to_owned(),
            root,
            faults: RefCell::default(),
            known: RefCell::default(),
            paths: RefCell::default(),
            changes: CHANGES,
        })
    }

    /// The same with another table of what was renamed.
    #[cfg(test)]
    pub fn with_changes(self, changes: &'static [Change]) -> Self {
        Self { changes, ..self }
    }

    /// The whole file as a section.
    pub fn root(&self) -> Section<'_> {
        Section {
            document: self,
            table: self.root.get_ref(),
            span: 0..0,
            path: String::new(),
            pattern: String::new(),
            asked: Vec::new(),
            other_names: &[],
        }
    }

    /// Notes a fault that was found outside the getters.
    pub fn note(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    /// Every key that was asked for, without array positions (`bus.baud`), and its default as it
    /// would be written.
    pub fn known_keys(&self) -> BTreeMap<String, Option<String>> {
        self.known.borrow().clone()
    }

    /// Those of the [`known_keys`](Self::known_keys) that name files or folders.
    pub fn path_keys(&self) -> BTreeSet<String> {
        self.paths.borrow().clone()
    }

    /// Whether nothing wrong was found so far.
    pub fn is_clean(&self) -> bool {
        self.faults.borrow().is_empty()
    }

    /// What is wrong, in the order in which it was found.
    pub fn into_faults(self) -> Vec<Fault> {
        self.faults.into_inner()
    }

    fn place(&self, span: &Range<usize>, path: String, value: Option<String>) -> Place {
        let (line, column) = position(self.text, &self.lines, span.start);
        Place { file: self.name.clone(), line, column, path, value }
    }

    /// The text of a span on one line, shortened.
    fn written(&self, span: &Range<usize>) -> Option<String> {
        let text = self.text.get(span.clone())?;
        let line = text.lines().next().unwrap_or_default();
        let mut shown: String = line.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Some(shown)
    }
}

/// Line and column (in characters) of a byte offset, both from 1.
fn position(text: &str, lines: &[usize], offset: usize) -> (usize, usize) {
    let line = lines.partition_point(|start| *start <= offset).max(1);
    let before = text.get(lines[line - 1]..offset).unwrap_or_default();
    (line, before.chars().count() + 1)
}

/// One table of a [`Document`]. Dropping it checks for keys that nobody asked for.
#[derive(Debug)]
pub struct Section<'d> {
    document: &'d Document<'d>,
    table: &'d DeTable<'d>,
    span: Range<usize>,
    path: String,
    pattern: String,
    asked: Vec<&'static str>,
    other_names: &'static [(&'static str, &'static str)],
}

impl<'d> Section<'d> {
    /// Wrong names that people are likely to use, each with the right one.
    pub fn other_names(&mut self, names: &'static [(&'static str, &'static str)]) {
        self.other_names = names;
    }

    /// Whether the key is there.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A text exactly as it stands, checked for nothing and noting no fault: for the names of
    /// things whose own section may be faulty.
    pub fn peek(&self, key: &str) -> Option<&'d str> {
        self.table.get(key).and_then(|value| value.get_ref().as_str())
    }

    /// The folder from which relative paths count.
    pub fn folder(&self) -> &'d Path {
        &self.document.folder
    }

    /// Where a key's value stands; where the section begins when the key is absent.
    pub fn place(&self, key: &str) -> Place {
        match self.table.get(key) {
            Some(value) => {
                let written = self.document.written(&value.span());
                self.document.place(&value.span(), join(&self.path, key), written)
            }
            None => self.document.place(&self.span, join(&self.path, key), None),
        }
    }

    /// Where the section begins.
    pub fn head(&self) -> Place {
        self.document.place(&self.span, self.path.clone(), None)
    }

    /// Notes a fault of the section that no getter finds.
    pub fn note(&self, fault: Fault) {
        self.document.note(fault);
    }

    /// A fault unless the key is there. `what` says what belongs there.
    pub fn require(&mut self, key: &'static str, what: &str) {
        if !self.has(key) {
            self.note(
                Fault::new(self.place(key), ("is missing", format!("缺少 `{key}`"))).allowed(what),
            );
        }
    }

    /// A key that must not be there, e.g. a secret in clear. Its value is not repeated.
    pub fn refuse(&mut self, key: &'static str, problem: (&str, &str), hint: (&str, &str)) {
        self.asked.push(key);
        if self.has(key) {
            let place = Place { value: Some("(hidden)".into()), ..self.place(key) };
            self.note(Fault::new(place, problem).hint(hint));
        }
    }

    /// The values under this key name files or folders.
    pub fn names_files(&self, key: &'static str) {
        self.document.paths.borrow_mut().insert(join(&self.pattern, key));
    }

    /// Opens the table under a key.
    pub fn section(&mut self, key: &'static str) -> Option<Section<'d>> {
        let value = self.ask(key, None)?;
        let inner = self.open(join(&self.path, key), join(&self.pattern, key), value);
        if inner.is_none() {
            self.wrong_kind(key, value, &format!("a table: [{}]", join(&self.pattern, key)));
        }
        inner
    }

    /// Opens every table of a list of tables.
    pub fn sections(&mut self, key: &'static str) -> Vec<Section<'d>> {
        let Some(value) = self.ask(key, None) else { return Vec::new() };
        let pattern = join(&self.pattern, key);
        let allowed = format!("tables: [[{pattern}]]");
        let Some(list) = value.get_ref().as_array() else {
            self.wrong_kind(key, value, &allowed);
            return Vec::new();
        };
        let mut found = Vec::with_capacity(list.len());
        for (slot, element) in list.iter().enumerate() {
            let path = format!("{}[{slot}]", join(&self.path, key));
            match self.open(path, pattern.clone(), element) {
                Some(section) => found.push(section),
                None => self.wrong_kind(key, element, &allowed),
            }
        }
        found
    }

    /// Opens every table under a table of freely chosen names.
    pub fn named_sections(&mut self, key: &'static str) -> Vec<(String, Section<'d>)> {
        let Some(mut outer) = self.section(key) else { return Vec::new() };
        let pattern = join(&outer.pattern, "*");
        let mut found = Vec::new();
        for (name, value) in outer.table {
            let name = name.get_ref().to_string();
            match outer.open(join(&outer.path, &name), pattern.clone(), value) {
                Some(section) => found.push((name, section)),
                None => outer.wrong_kind(&name, value, "a table"),
            }
        }
        outer.table = empty();
        found
    }

    fn open(
        &self,
        path: String,
        pattern: String,
        value: &'d Spanned<DeValue<'d>>,
    ) -> Option<Section<'d>> {
        let table = value.get_ref().as_table()?;
        Some(Section {
            document: self.document,
            table,
            span: value.span(),
            path,
            pattern,
            asked: Vec::new(),
            other_names: &[],
        })
    }

    /// A fault for a value that has another name by now.
    pub fn renamed_value(&self, key: &str, value: &str) -> Option<Fault> {
        let changes = self.document.changes;
        let change = changes::of_value(changes, &join(&self.pattern, key), value)?;
        let (problem, hint) = change.told();
        Some(Fault::new(self.place(key), problem).hint(hint))
    }

    /// Marks a key as known and looks it up.
    fn ask(
        &mut self,
        key: &'static str,
        default: Option<String>,
    ) -> Option<&'d Spanned<DeValue<'d>>> {
        self.asked.push(key);
        let mut known = self.document.known.borrow_mut();
        let slot = known.entry(join(&self.pattern, key)).or_default();
        if default.is_some() {
            *slot = default;
        }
        self.table.get(key)
    }

    fn wrong_kind(&self, key: &str, value: &Spanned<DeValue<'_>>, allowed: &str) {
        let kind = match value.get_ref() {
            DeValue::String(_) => ("is a text", "是文本，类型不对"),
            DeValue::Integer(_) => ("is a whole number", "是整数，类型不对"),
            DeValue::Float(_) => ("is a number with a fraction", "是小数，类型不对"),
            DeValue::Boolean(_) => ("is true or false", "是真假值，类型不对"),
            DeValue::Datetime(_) => ("is a date", "是日期，类型不对"),
            DeValue::Array(_) => ("is a list", "是列表，类型不对"),
            DeValue::Table(_) => ("is a table", "是表，类型不对"),
        };
        self.fault_at(key, value, Wrong::new(kind), allowed);
    }

    fn fault_at(&self, key: &str, value: &Spanned<DeValue<'_>>, wrong: Wrong, allowed: &str) {
        let span = value.span();
        let place = self.document.place(&span, join(&self.path, key), self.document.written(&span));
        self.note(Fault::new(place, wrong.problem).allowed(allowed).maybe_hint(wrong.hint));
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let right = self
                .other_names
                .iter()
                .find(|(wrong, _)| *wrong == name)
                .map(|(_, right)| *right)
                .or_else(|| nearest(name, self.asked.iter().copied()));
            let place = self.document.place(&key.span(), join(&self.path, name), None);
            let changes = self.document.changes;
            if let Some(change) = changes::of_key(changes, &join(&self.pattern, name)) {
                let (problem, hint) = change.told();
                self.note(Fault::new(place, problem).hint(hint));
                continue;
            }
            let problem =
                (format!("there is no key `{name}` here"), format!("此处没有名为 `{name}` 的项"));
            self.note(
                Fault::new(place, problem)
                    .allowed(self.asked.join(", "))
                    .maybe_hint(right.map(meant_key)),
            );
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A table without keys: nothing in it can be unknown.
fn empty<'d>() -> &'d DeTable<'d> {
    static NOTHING: std::sync::LazyLock<DeTable<'static>> = std::sync::LazyLock::new(DeTable::new);
    &NOTHING
}
