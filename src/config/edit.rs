//! Changes single values of a configuration file; comments, order and everything else stay.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Key, Table, Value};

use crate::settings::{Fault, Place};

/// One file, being changed.
#[derive(Debug, Clone)]
pub struct Editor {
    document: DocumentMut,
    /// The lines end as an editor of Windows ends them.
    carriage: bool,
}

impl Editor {
    /// Reads the text of the file `name`.
    ///
    /// # Errors
    /// It is no TOML; [`examine_texts`](super::examine_texts) says where.
    pub fn new(name: &str, text: &str) -> Result<Self, Box<Fault>> {
        let carriage = text.contains("\r\n");
        let document = text.replace("\r\n", "\n").parse::<DocumentMut>().map_err(|error| {
            let told = error.message().replace('\n', ", ");
            let problem = (format!("is not TOML: {told}"), format!("不符合 TOML 语法：{told}"));
            Box::new(Fault::new(Place::of_file(name), problem))
        })?;
        Ok(Self { document, carriage })
    }

    /// The text with all changes.
    pub fn text(&self) -> String {
        let text = self.document.to_string();
        if self.carriage { text.replace('\n', "\r\n") } else { text }
    }

    /// Whether there is nothing but comments.
    pub fn is_empty(&self) -> bool {
        self.document.as_table().is_empty()
    }

    /// The text at a path through tables.
    pub fn get(&self, path: &[&str]) -> Option<&str> {
        self.item(path)?.as_str()
    }

    /// Whether there is something at a path through tables.
    pub fn has(&self, path: &[&str]) -> bool {
        self.item(path).is_some()
    }

    fn item(&self, path: &[&str]) -> Option<&Item> {
        path.iter().try_fold(self.document.as_item(), |item, key| item.get(key))
    }

    /// Puts a text, number or list at a path through tables, in the place of what is there; tables on
    /// the way are made. What stands behind the value on its line stays.
    pub fn set(&mut self, path: &[&str], value: impl Into<Value>) {
        let Some((key, tables)) = path.split_last() else { return };
        let Some(table) = self.table(tables) else { return };
        let mut value = value.into();
        match table.get_mut(key).and_then(Item::as_value_mut) {
            Some(old) => {
                if old.to_string().trim() != value.to_string().trim() {
                    *value.decor_mut() = old.decor().clone();
                    *old = value;
                }
            }
            None => {
                table.insert(key, Item::Value(value));
            }
        }
    }

    /// Makes an empty table there, when there is none.
    pub fn set_table(&mut self, path: &[&str]) {
        self.table(path);
    }

    /// The table at a path; made where there is none.
    fn table(&mut self, path: &[&str]) -> Option<&mut Table> {
        let mut table = self.document.as_table_mut();
        for name in path {
            let made = table.entry(name).or_insert_with(|| Item::Table(Table::new()));
            if !made.is_table() {
                // An inline table becomes one with a head, and anything else gives way: the checker
                // had refused it.
                let inner = std::mem::take(made).into_table().unwrap_or_default();
                *made = Item::Table(inner);
            }
            table = made.as_table_mut()?;
        }
        Some(table)
    }

    /// Puts a list of texts there.
    pub fn set_list<'t>(&mut self, path: &[&str], texts: impl IntoIterator<Item = &'t str>) {
        self.set(path, texts.into_iter().collect::<Array>());
    }

    /// Takes away what is at a path through tables; whether something was there.
    pub fn remove(&mut self, path: &[&str]) -> bool {
        let Some((key, tables)) = path.split_last() else { return false };
        let mut item = Some(self.document.as_item_mut());
        for name in tables {
            item = item.and_then(|item| item.get_mut(name));
        }
        let table = item.and_then(Item::as_table_like_mut);
        table.is_some_and(|table| table.remove(key).is_some())
    }

    /// Visits every table at a path without positions (`device.report.*`), with the path that it
    /// really has (`device[3].report.volume`).
    pub(super) fn visit(&mut self, path: &str, work: &mut dyn FnMut(Slot<'_>, &str)) {
        let steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
        descend(Slot::Table(self.document.as_table_mut()), &steps, "", work);
    }
}

/// A table in either notation.
pub(super) enum Slot<'d> {
    /// With a head of its own, or the whole file.
    Table(&'d mut Table),
    /// On one line.
    Inline(&'d mut InlineTable),
}

impl Slot<'_> {
    /// Whether the key is there.
    pub fn has(&self, key: &str) -> bool {
        match self {
            Slot::Table(table) => table.contains_key(key),
            Slot::Inline(table) => table.contains_key(key),
        }
    }

    /// Gives a key another name; it keeps its place and its comments.
    pub fn rename(&mut self, from: &str, to: &str) {
        let renamed = |key: Key| match key.get() == from {
            false => key,
            true => Key::new(to)
                .with_leaf_decor(key.leaf_decor().clone())
                .with_dotted_decor(key.dotted_decor().clone()),
        };
        // Put in anew one after the other: that keeps the order.
        match self {
            Slot::Table(table) => {
                let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
                let all: Vec<_> = keys.iter().filter_map(|key| table.remove_entry(key)).collect();
                for (key, item) in all {
                    table.insert_formatted(&renamed(key), item);
                }
            }
            Slot::Inline(table) => {
                let keys: Vec<String> = table.iter().map(|(key, _)| key.to_owned()).collect();
                let all: Vec<_> = keys.iter().filter_map(|key| table.remove_entry(key)).collect();
                for (key, value) in all {
                    table.insert_formatted(&renamed(key), value);
                }
            }
        }
    }

    /// Takes a key away with its line.
    pub fn remove(&mut self, key: &str) {
        match self {
            Slot::Table(table) => drop(table.remove(key)),
            Slot::Inline(table) => drop(table.remove(key)),
        }
    }

    /// The value of a key.
    pub fn value(&mut self, key: &str) -> Option<&mut Value> {
        match self {
            Slot::Table(table) => table.get_mut(key)?.as_value_mut(),
            Slot::Inline(table) => table.get_mut(key),
        }
    }
}

fn descend(slot: Slot<'_>, steps: &[&str], at: &str, work: &mut dyn FnMut(Slot<'_>, &str)) {
    let Some((step, rest)) = steps.split_first() else { return work(slot, at) };
    let below = |key: &str| match at {
        "" => key.to_owned(),
        _ => format!("{at}.{key}"),
    };
    let wanted = |key: &str| *step == "*" || *step == key;
    match slot {
        Slot::Table(table) => {
            for (key, item) in table.iter_mut().filter(|(key, _)| wanted(key.get())) {
                let at = below(key.get());
                match item {
                    Item::Table(inner) => descend(Slot::Table(inner), rest, &at, work),
                    Item::ArrayOfTables(list) => {
                        for (place, inner) in list.iter_mut().enumerate() {
                            descend(Slot::Table(inner), rest, &format!("{at}[{place}]"), work);
                        }
                    }
                    Item::Value(value) => descend_value(value, rest, &at, work),
                    Item::None => {}
                }
            }
        }
        Slot::Inline(table) => {
            for (key, value) in table.iter_mut().filter(|(key, _)| wanted(key.get())) {
                descend_value(value, rest, &below(key.get()), work);
            }
        }
    }
}

fn descend_value(value: &mut Value, rest: &[&str], at: &str, work: &mut dyn FnMut(Slot<'_>, &str)) {
    match value {
        Value::InlineTable(inner) => descend(Slot::Inline(inner), rest, at, work),
        Value::Array(list) => {
            for (place, value) in list.iter_mut().enumerate() {
                if let Value::InlineTable(inner) = value {
                    descend(Slot::Inline(inner), rest, &format!("{at}[{place}]"), work);
                }
            }
        }
        _ => {}
    }
}
