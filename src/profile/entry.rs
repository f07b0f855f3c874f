//! Reads the tables of a profile's file so that one wrong key does not hide the others.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Faults;
use super::schema::{HeadFile, ModbusFile, MqttFile, ProductFile, TitleFile};
use super::schema_meter::{Cjt188File, Dlt645File};
use crate::settings::read_value;

/// How far the work on a profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Without examples.
    Draft,
    /// With examples that prove it.
    Whole,
}

/// Reads one table; says the first thing that is wrong with it.
pub(super) fn entry<T: for<'de> Deserialize<'de>>(
    value: Spanned<DeValue<'_>>,
    faults: &mut Faults<'_>,
) -> Option<T> {
    let span = value.span();
    read_value(value)
        .map_err(|error| match error.span() {
            Some(_) => faults.toml(&error),
            None => faults.at(span, error.message().to_owned()),
        })
        .ok()
}

/// Reads one table all of whose keys may be left out; says what is wrong with each key.
pub(super) fn by_key<T: for<'de> Deserialize<'de>>(
    value: Spanned<DeValue<'_>>,
    faults: &mut Faults<'_>,
) -> Option<T> {
    if let Ok(whole) = read_value(value.clone()) {
        return Some(whole);
    }
    let span = value.span();
    match value.into_inner() {
        DeValue::Table(table) => {
            for (key, value) in table {
                let mut one = DeTable::new();
                one.insert(key, value);
                drop(entry::<T>(Spanned::new(span.clone(), DeValue::Table(one)), faults));
            }
        }
        other => drop(entry::<T>(Spanned::new(span, other), faults)),
    }
    None
}

/// Reads what is neither points nor examples.
pub(super) fn head(value: Spanned<DeValue<'_>>, faults: &mut Faults<'_>) -> Option<HeadFile> {
    if let Some(head) = entry(value.clone(), faults) {
        return Some(head);
    }
    let DeValue::Table(table) = value.into_inner() else { return None };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "title" => drop(entry::<TitleFile>(value, faults)),
            "products" => drop(entry::<Vec<ProductFile>>(value, faults)),
            "modbus" => drop(by_key::<ModbusFile>(value, faults)),
            "dlt645" => drop(by_key::<Dlt645File>(value, faults)),
            "cjt188" => drop(by_key::<Cjt188File>(value, faults)),
            "mqtt" => drop(entry::<MqttFile>(value, faults)),
            _ => {}
        }
    }
    None
}
