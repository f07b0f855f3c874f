//! Which encoding an entry of `[[points]]` means, and whether its names are names.

use std::ops::Range;

use super::binding::Encoding;
use super::fault::Faults;
use super::schema::{EncodingWord, ModbusFile, PointFile};

/// Parts of letters and digits joined by `.`, beginning with a lower-case letter.
pub(super) fn is_point_name(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('.').all(part)
}

/// The encoding of a point, from its own keys or the model's default.
pub(super) fn encoding(
    modbus: &ModbusFile,
    file: &PointFile,
    span: &Range<usize>,
    faults: &mut Faults<'_>,
) -> Option<Encoding> {
    if let Some(bits) = &file.bits {
        let [low, len] = *bits.get_ref();
        if len == 0 || u16::from(low) + u16::from(len) > 16 || file.encoding.is_some() {
            faults.at(
                bits.span(),
                format!(
                    "bits [{low}, {len}]: [lowest, how many] of one register, instead of `encoding`"
                ),
            );
            return None;
        }
        return Some(Encoding::Bits { low, len });
    }
    let Some(word) = file.encoding.as_ref().map(|word| *word.get_ref()).or(modbus.encoding) else {
        faults.at(span.clone(), "`encoding` is missing, here or in `[modbus]`");
        return None;
    };
    let length = file.length.as_ref().map(|length| *length.get_ref());
    let is_text = matches!(word, EncodingWord::Ascii | EncodingWord::Utf16);
    if is_text != length.is_some() || length.is_some_and(|length| length == 0 || length > 125) {
        faults.at(
            span.clone(),
            "`length`, 1 to 125 registers, goes with `ascii` and `utf16`, and only with them",
        );
        return None;
    }
    let length = length.unwrap_or(1);
    Some(match word {
        EncodingWord::Bit => Encoding::Bit,
        EncodingWord::U16 => Encoding::Unsigned(1),
        EncodingWord::U32 => Encoding::Unsigned(2),
        EncodingWord::U64 => Encoding::Unsigned(4),
        EncodingWord::I16 => Encoding::Signed(1),
        EncodingWord::I32 => Encoding::Signed(2),
        EncodingWord::I64 => Encoding::Signed(4),
        EncodingWord::F32 => Encoding::Float(2),
        EncodingWord::F64 => Encoding::Float(4),
        EncodingWord::Bcd16 => Encoding::Bcd(1),
        EncodingWord::Bcd32 => Encoding::Bcd(2),
        EncodingWord::Bcd64 => Encoding::Bcd(4),
        EncodingWord::Ascii => Encoding::Ascii(length),
        EncodingWord::Utf16 => Encoding::Utf16(length),
        EncodingWord::OffsetSign => Encoding::OffsetSign,
        EncodingWord::Bcd | EncodingWord::BcdSigned | EncodingWord::Bits | EncodingWord::Digits => {
            faults.at(
                span.clone(),
                "encodings `bcd`, `bcd_signed`, `bits` and `digits` belong to meters of DL/T 645 and CJ/T 188; registers have `bcd16`, `bcd32`, `bcd64` and the key `bits`",
            );
            return None;
        }
    })
}
