//! Reads `[modbus] identify`: registers that tell a model from all others.

use super::binding::{IdRegister, Table};
use super::fault::Faults;
use super::load_modbus::first_address;
use super::schema::ModbusFile;

/// Most registers of one entry.
const MOST_WORDS: usize = 16;
/// Most entries.
const MOST: usize = 8;

/// The entries that can be; the others are noted.
pub(super) fn identify(file: &ModbusFile, faults: &mut Faults<'_>) -> Vec<IdRegister> {
    let mut registers = Vec::new();
    if file.identify.len() > MOST {
        faults.whole(format!("{} entries of `identify`, at most {MOST}", file.identify.len()));
    }
    let usual = file.table.map_or(Table::Holding, |word| word.table());
    for entry in &file.identify {
        let (span, id) = (entry.span(), entry.get_ref());
        let table = id.table.map_or(usual, |word| word.table());
        let address = id.address.checked_sub(first_address(file));
        let Some(address) = address.and_then(|address| u16::try_from(address).ok()) else {
            faults.at(span, format!("address {} lies beyond the registers", id.address));
            continue;
        };
        let problem = match (id.words.len(), id.range) {
            _ if table.is_bits() => Some("bits identify nothing: `holding` or `input`".to_owned()),
            (0, None) => Some("neither `words` nor `range`: one is needed".to_owned()),
            (1.., Some(_)) => Some("both `words` and `range`: only one is allowed".to_owned()),
            (count, _) if count > MOST_WORDS => {
                Some(format!("{count} words, at most {MOST_WORDS}"))
            }
            (_, Some([low, high])) if low > high => {
                Some(format!("range [{low}, {high}]: the first must be the lower"))
            }
            _ => None,
        };
        match problem {
            Some(problem) => faults.at(span, problem),
            None => registers.push(IdRegister {
                table,
                address,
                words: id.words.clone(),
                mask: id.mask.unwrap_or(u16::MAX),
                range: id.range.map(|[low, high]| (low, high)),
            }),
        }
    }
    registers
}

#[cfg(test)]
mod tests {
    use super::super::{Binding, parse};
    use super::*;

    const MODEL: &str = r#"
category = "environment_sensor"
title = { zh = "传感器", en = "sensor" }
products = [{ brand = "Maker", model = "M1" }]
sources = ["https://maker.example/m1.pdf"]

[modbus]
table = "holding"
first_address = 1
identify = [IDENTIFY]

[[points]]
name = "temperature"
unit = "Cel"
address = 1
encoding = "i16"

[[examples]]
registers = [{ table = "holding", address = 1, words = [21] }]
readings = { temperature = 21 }
"#;

    fn read(identify: &str) -> Result<Vec<IdRegister>, String> {
        let text = MODEL.replace("IDENTIFY", identify);
        match parse("m1.toml", &text) {
            Ok(loaded) => match loaded.profile.binding {
                Binding::Modbus { limits, .. } => Ok(limits.identify),
                _ => panic!("modbus"),
            },
            Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn fixed_words_and_ranges_are_read_with_the_makers_count_of_addresses() {
        let registers = read(
            "{ address = 100, words = [0x1234], mask = 0xFF00 }, \
             { table = \"input\", address = 1, range = [3, 5] }",
        )
        .unwrap();
        let words = IdRegister {
            table: Table::Holding,
            address: 99,
            words: vec![0x1234],
            mask: 0xFF00,
            range: None,
        };
        let range = IdRegister {
            table: Table::Input,
            address: 0,
            words: Vec::new(),
            mask: u16::MAX,
            range: Some((3, 5)),
        };
        assert_eq!(registers, [words, range]);
    }

    #[test]
    fn an_entry_that_identifies_nothing_is_refused_with_its_place() {
        for (wrong, told) in [
            ("{ address = 1 }", "neither"),
            ("{ address = 1, words = [1], range = [1, 2] }", "both"),
            ("{ address = 1, range = [2, 1] }", "lower"),
            ("{ address = 0, words = [1] }", "beyond"),
            ("{ table = \"coil\", address = 1, words = [1] }", "bits"),
        ] {
            let fault = read(wrong).unwrap_err();
            assert!(fault.contains(told) && fault.contains("m1.toml:10"), "{fault}");
        }
    }
}
