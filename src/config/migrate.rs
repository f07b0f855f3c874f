//! Writes a configuration of an earlier version as this one has it, by the table
//! [`CHANGES`](crate::settings::CHANGES). Comments and order stay.

use std::collections::HashSet;
use std::path::PathBuf;

use toml_edit::Value;

use super::edit::{Editor, Slot};
use crate::model::Words;
use crate::settings::{Became, Change, Fault};

/// One file, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The file.
    pub file: PathBuf,
    /// As it is.
    pub before: String,
    /// As it would be.
    pub after: String,
    /// What was changed, with its place.
    pub done: Vec<Words>,
    /// What a person must decide.
    pub open: Vec<Words>,
}

/// What the changes make of the files of a configuration. `refused` is what the checker says about
/// them: a value that it takes is left alone, for a folder may hold a profile of an old name.
///
/// # Errors
/// A file is no TOML.
pub fn migrate(
    texts: &[(PathBuf, String)],
    changes: &[Change],
    refused: &[Fault],
) -> Result<Vec<Migrated>, Box<Fault>> {
    let mut all = Vec::with_capacity(texts.len());
    for (file, before) in texts {
        let name = file.display().to_string();
        let wrong: HashSet<&str> = refused
            .iter()
            .filter(|fault| *fault.place.file == *name)
            .map(|fault| fault.place.path.as_str())
            .collect();
        let mut editor = Editor::new(&name, before)?;
        let mut migrated = Migrated {
            file: file.clone(),
            before: before.clone(),
            after: String::new(),
            done: Vec::new(),
            open: Vec::new(),
        };
        for change in changes {
            let (table, _) = change.split();
            editor.visit(table, &mut |slot, at| apply(change, slot, at, &wrong, &mut migrated));
        }
        // What nothing is done to stays byte for byte.
        migrated.after = if migrated.done.is_empty() { before.clone() } else { editor.text() };
        all.push(migrated);
    }
    Ok(all)
}

fn apply(
    change: &Change,
    mut slot: Slot<'_>,
    at: &str,
    wrong: &HashSet<&str>,
    migrated: &mut Migrated,
) {
    let (_, key) = change.split();
    if !slot.has(key) {
        return;
    }
    let path = if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
    match change.what {
        Became::Key(to) if slot.has(to) => {
            let text = (
                format!("{path}: `{key}` and `{to}` are both there: remove one of them"),
                format!("{path}：`{key}` 与 `{to}` 同时存在，请删除其一"),
            );
            return migrated.open.push(text.into());
        }
        Became::Key(to) => slot.rename(key, to),
        Became::Gone(..) => slot.remove(key),
        Became::Value { from, to } => {
            let value = slot.value(key).filter(|value| value.as_str() == Some(from));
            let Some(value) = value.filter(|_| wrong.contains(path.as_str())) else { return };
            let decor = value.decor().clone();
            *value = Value::from(to);
            *value.decor_mut() = decor;
        }
    }
    let (told, _) = change.told();
    let (en, zh) = (format!("{path}: {}", told.en), format!("{path}：{}", told.zh));
    migrated.done.push((en, zh).into());
}
