//! Registers as numbers of more than 16 bits, for who knows what a device sends.

use std::str::FromStr;

use serde_json::{Value, json};

/// How registers are to be read, e.g. `float32_be` or `i32_word_swapped`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    base: Base,
    /// The low word comes first.
    swapped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    I16,
    U32,
    I32,
    U64,
    I64,
    Float32,
    Float64,
}

const BASES: [(&str, Base); 7] = [
    ("i16", Base::I16),
    ("u32", Base::U32),
    ("i32", Base::I32),
    ("u64", Base::U64),
    ("i64", Base::I64),
    ("float32_be", Base::Float32),
    ("float64_be", Base::Float64),
];
const SWAPPED: &str = "_word_swapped";

/// A name that is no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no type: i16, u32, i32, u64, i64, float32_be, float64_be are, and all but i16 with \
     `_word_swapped` behind when the low word comes first"
)]
pub struct UnknownType(pub String);

impl FromStr for Numbers {
    type Err = UnknownType;

    fn from_str(name: &str) -> Result<Self, UnknownType> {
        let (base, swapped) = match name.strip_suffix(SWAPPED) {
            Some(base) => (base, true),
            None => (name, false),
        };
        match BASES.iter().find(|(known, _)| *known == base) {
            Some((_, Base::I16)) if swapped => Err(UnknownType(name.to_owned())),
            Some((_, base)) => Ok(Self { base: *base, swapped }),
            None => Err(UnknownType(name.to_owned())),
        }
    }
}

impl Numbers {
    /// Its name.
    pub fn name(self) -> String {
        let known = BASES.iter().find(|(_, base)| *base == self.base);
        let name = known.map_or("", |(name, _)| name);
        format!("{name}{}", if self.swapped { SWAPPED } else { "" })
    }

    fn words(self) -> usize {
        match self.base {
            Base::I16 => 1,
            Base::U32 | Base::I32 | Base::Float32 => 2,
            Base::U64 | Base::I64 | Base::Float64 => 4,
        }
    }

    /// The numbers in the registers; registers at the end that make none are left out. No number
    /// (NaN, infinity) is `null`.
    pub fn read(self, registers: &[u16]) -> Vec<Value> {
        registers.chunks_exact(self.words()).map(|words| self.number(words)).collect()
    }

    fn number(self, words: &[u16]) -> Value {
        let push = |bits: u64, word: &u16| bits << 16 | u64::from(*word);
        let bits = match self.swapped {
            true => words.iter().rev().fold(0, push),
            false => words.iter().fold(0, push),
        };
        let low32 = (bits & 0xFFFF_FFFF) as u32;
        match self.base {
            Base::I16 => json!(low32 as u16 as i16),
            Base::U32 => json!(low32),
            Base::I32 => json!(low32 as i32),
            Base::U64 => json!(bits),
            Base::I64 => json!(bits as i64),
            Base::Float64 => json!(f64::from_bits(bits)),
            // By its shortest decimal: 230.2 and not the double beside it.
            Base::Float32 => {
                let text = f32::from_bits(low32).to_string();
                text.parse::<f64>().map_or(Value::Null, |number| json!(number))
            }
        }
    }
}
