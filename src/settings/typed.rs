//! Gives a parsed TOML value to serde, as the `toml` crate's own deserializer does, with the same
//! words and places of faults. That one makes code for every shape of value for each type that is
//! read, three times over: a megabyte of it. Here a type asks for what it is, and each other shape is
//! refused in one place. A struct is a table only, never an array of its fields.

mod fields;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::value::CowStrDeserializer;
use serde::de::{
    self, Deserialize, Deserializer, Error as _, Expected, IntoDeserializer as _, Unexpected,
    Visitor,
};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use fields::{Fields, List, Variant};

/// What serde, or the reader of TOML, refused.
#[derive(Debug)]
pub struct Refused(Box<(String, Option<Range<usize>>)>);

impl Refused {
    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.0.0
    }

    /// Where, bytes of the text.
    pub fn span(&self) -> Option<Range<usize>> {
        self.0.1.clone()
    }

    /// The line of `text` that it stands in, from 1.
    pub fn line(&self, text: &str) -> usize {
        let offset = self.0.1.as_ref().map_or(0, |span| span.start);
        text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
    }

    /// The innermost place is the right one.
    fn at(mut self, span: &Range<usize>) -> Self {
        self.0.1.get_or_insert_with(|| span.clone());
        self
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Refused {}

impl From<toml::de::Error> for Refused {
    fn from(error: toml::de::Error) -> Self {
        Self(Box::new((error.message().to_owned(), error.span())))
    }
}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new((message.to_string(), None)))
    }
}

/// Reads a whole file.
///
/// # Errors
/// The first fault of syntax, or the first value that is not as the type wants it.
pub fn read_text<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Refused> {
    let root = DeTable::parse(text)?;
    let span = root.span();
    read_value(Spanned::new(span, DeValue::Table(root.into_inner())))
}

/// Reads one value.
///
/// # Errors
/// The first thing that is not as the type wants it.
pub fn read_value<T: for<'de> Deserialize<'de>>(value: Spanned<DeValue<'_>>) -> Result<T, Refused> {
    T::deserialize(Entry::from(value))
}

/// A value and where it stands.
struct Entry<'de> {
    value: DeValue<'de>,
    span: Range<usize>,
}

impl<'de> From<Spanned<DeValue<'de>>> for Entry<'de> {
    fn from(value: Spanned<DeValue<'de>>) -> Self {
        let span = value.span();
        Self { value: value.into_inner(), span }
    }
}

/// A whole number of TOML; none beyond what serde's widest readers take.
fn whole(value: &DeValue<'_>) -> Option<i128> {
    let number = value.as_integer()?;
    i128::from_str_radix(number.as_str(), number.radix()).ok()
}

/// A number with a fraction; none when it is too large.
fn real(value: &DeValue<'_>) -> Option<f64> {
    let text = value.as_float()?.as_str();
    let number: f64 = text.parse().ok()?;
    (number.is_finite() || text.contains("inf") || text.contains("nan")).then_some(number)
}

impl<'de> Entry<'de> {
    /// That the value has another shape than what was asked for.
    fn refuse(&self, wanted: &dyn Expected) -> Refused {
        let found = match &self.value {
            DeValue::String(text) => Unexpected::Str(text),
            DeValue::Boolean(flag) => Unexpected::Bool(*flag),
            DeValue::Array(_) => Unexpected::Seq,
            DeValue::Table(_) => Unexpected::Map,
            DeValue::Datetime(_) => Unexpected::Other("date"),
            DeValue::Integer(number) => match whole(&self.value).map(i64::try_from) {
                Some(Ok(number)) => Unexpected::Signed(number),
                _ => Unexpected::Other(number.as_str()),
            },
            DeValue::Float(_) => match real(&self.value) {
                Some(number) => Unexpected::Float(number),
                None => return Refused::custom("floating-point number overflowed").at(&self.span),
            },
        };
        Refused::invalid_type(found, wanted).at(&self.span)
    }

    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let span = self.span.clone();
        match whole(&self.value) {
            None => return Err(self.refuse(&visitor)),
            Some(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => visitor.visit_i64(number),
                (_, Ok(number)) => visitor.visit_u64(number),
                _ => Err(Refused::custom("integer number overflowed")),
            },
        }
        .map_err(|error: Refused| error.at(&span))
    }

    fn float<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match real(&self.value) {
            Some(number) => {
                visitor.visit_f64(number).map_err(|error: Refused| error.at(&self.span))
            }
            None => self.number(visitor),
        }
    }

    fn text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let Self { value, span } = self;
        match value {
            DeValue::String(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            DeValue::String(Cow::Owned(text)) => visitor.visit_string(text),
            value => return Err(Self { value, span }.refuse(&visitor)),
        }
        .map_err(|error: Refused| error.at(&span))
    }

    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let Self { value, span } = self;
        match value {
            DeValue::Array(items) => visitor.visit_seq(List(items.into_iter())),
            value => return Err(Self { value, span }.refuse(&visitor)),
        }
        .map_err(|error: Refused| error.at(&span))
    }

    fn table<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let Self { value, span } = self;
        match value {
            DeValue::Table(table) => visitor.visit_map(Fields::of(table)),
            value => return Err(Self { value, span }.refuse(&visitor)),
        }
        .map_err(|error: Refused| error.at(&span))
    }
}

/// One function each, so that a type makes code for its own shape only.
macro_rules! shapes {
    ($($name:ident => $shape:ident,)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.$shape(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Entry<'de> {
    type Error = Refused;

    shapes! {
        deserialize_i8 => number, deserialize_i16 => number, deserialize_i32 => number,
        deserialize_i64 => number, deserialize_u8 => number, deserialize_u16 => number,
        deserialize_u32 => number, deserialize_u64 => number, deserialize_f32 => float,
        deserialize_f64 => float, deserialize_str => text, deserialize_string => text,
        deserialize_char => text, deserialize_identifier => text, deserialize_seq => list,
        deserialize_map => table,
    }

    /// For types that take more than one shape.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match &self.value {
            DeValue::String(_) => self.text(visitor),
            DeValue::Integer(_) => self.number(visitor),
            DeValue::Float(_) => self.float(visitor),
            DeValue::Boolean(_) => self.deserialize_bool(visitor),
            DeValue::Array(_) => self.list(visitor),
            DeValue::Table(_) => self.table(visitor),
            DeValue::Datetime(_) => Err(self.refuse(&visitor)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.value {
            DeValue::Boolean(flag) => visitor.visit_bool(flag),
            _ => Err(self.refuse(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.list(visitor)
    }

    /// [`Spanned`] and TOML's dates ask for a struct with a name that no file can have.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if !name.starts_with("$__") {
            return self.table(visitor);
        }
        let span = self.span.clone();
        let special = match (fields, &self.value) {
            ([start, end, value], _) => {
                Fields::Place { names: [*start, *end, *value], step: 0, entry: Some(self) }
            }
            ([date], DeValue::Datetime(written)) => {
                Fields::Date { name: date, written: Some(written.to_string()) }
            }
            _ => return Err(self.refuse(&visitor)),
        };
        visitor.visit_map(special).map_err(|error: Refused| error.at(&span))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let Self { value, span } = self;
        match value {
            DeValue::String(word) => {
                let word: CowStrDeserializer<'de, Refused> = word.into_deserializer();
                visitor.visit_enum(word)
            }
            DeValue::Table(table) if table.len() == 1 => visitor.visit_enum(Variant(table)),
            DeValue::Table(_) => Err(Refused::custom("wanted exactly 1 element")),
            _ => Err(Refused::custom("wanted string or table")),
        }
        .map_err(|error: Refused| error.at(&span))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct }
}
