//! What a TOML value holds, one after the other, as serde asks for it.

use std::borrow::Cow;

use serde::de::{self, DeserializeSeed, Error as _, IntoDeserializer as _, VariantAccess, Visitor};
use toml::de::{DeArray, DeTable, DeValue};

use super::{Entry, Refused};

/// The items of an array.
pub(super) struct List<'de>(pub(super) <DeArray<'de> as IntoIterator>::IntoIter);

impl<'de> de::SeqAccess<'de> for List<'de> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refused> {
        self.0.next().map(|value| seed.deserialize(Entry::from(value))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The entries of everything that serde takes for a map.
pub(super) enum Fields<'de> {
    Table {
        rest: <DeTable<'de> as IntoIterator>::IntoIter,
        value: Option<Entry<'de>>,
    },
    /// A value with its place.
    Place {
        names: [&'static str; 3],
        step: usize,
        entry: Option<Entry<'de>>,
    },
    Date {
        name: &'static str,
        written: Option<String>,
    },
}

impl<'de> Fields<'de> {
    pub(super) fn of(table: DeTable<'de>) -> Self {
        Self::Table { rest: table.into_iter(), value: None }
    }

    /// The next key.
    fn key(&mut self) -> Option<Entry<'de>> {
        let name = match self {
            Self::Table { rest, value } => {
                let (key, next) = rest.next()?;
                *value = Some(next.into());
                let span = key.span();
                return Some(Entry { value: DeValue::String(key.into_inner()), span });
            }
            Self::Place { names, step, .. } => names.get(*step).copied()?,
            Self::Date { name, written } => written.as_ref().map(|_| *name)?,
        };
        Some(Entry { value: DeValue::String(Cow::Borrowed(name)), span: 0..0 })
    }
}

impl<'de> de::MapAccess<'de> for Fields<'de> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        self.key().map(|key| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refused> {
        let entry = match self {
            Self::Table { value, .. } => value.take(),
            Self::Place { step, entry, .. } => {
                *step += 1;
                let first = *step == 1;
                if *step < 3 {
                    let span = entry.as_ref().map_or(0..0, |entry| entry.span.clone());
                    let place = if first { span.start } else { span.end };
                    return seed.deserialize(place.into_deserializer());
                }
                entry.take()
            }
            Self::Date { written, .. } => written
                .take()
                .map(|text| Entry { value: DeValue::String(Cow::Owned(text)), span: 0..0 }),
        };
        seed.deserialize(entry.ok_or_else(|| Refused::custom("a value without a key"))?)
    }

    fn size_hint(&self) -> Option<usize> {
        match self {
            Self::Table { rest, .. } => Some(rest.len()),
            _ => None,
        }
    }
}

/// An enum's variant with content: a table of one entry.
pub(super) struct Variant<'de>(pub(super) DeTable<'de>);

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = Refused;
    type Variant = Entry<'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Entry<'de>), Refused> {
        let entry = self.0.into_iter().next();
        let (key, value) = entry.ok_or_else(|| Refused::custom("wanted exactly 1 element"))?;
        let span = key.span();
        let key = Entry { value: DeValue::String(key.into_inner()), span };
        Ok((seed.deserialize(key)?, value.into()))
    }
}

impl<'de> VariantAccess<'de> for Entry<'de> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        match &self.value {
            DeValue::Table(table) if table.is_empty() => Ok(()),
            _ => Err(self.refuse(&"an empty table")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refused> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.list(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.table(visitor)
    }
}
