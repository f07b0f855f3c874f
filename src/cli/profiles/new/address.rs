//! Register addresses as datasheets print them: `16`, `0x10`, `10H`, `40017`, `4x0017`.

use super::answers::Counting;

/// An address in the count of the file, the table that it tells, and what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub table: Option<&'static str>,
    pub number: u32,
    /// Said to who gave it, when it was changed.
    pub note: Option<String>,
}

/// Reads an address.
pub(super) fn address(text: &str, counting: Counting) -> Result<Address, String> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    // 4x0017, as operator panels write it.
    let marked = lower
        .split_once('x')
        .filter(|(table, digits)| matches!(*table, "1" | "3" | "4") && digits.len() >= 4)
        .map(|(table, digits)| format!("{table}{digits}"));
    if let Some(number) = marked {
        return modicon(text, &number);
    }
    let hex = lower.strip_prefix("0x").or_else(|| lower.strip_suffix('h'));
    let number = match hex {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if lower.bytes().all(|b| b.is_ascii_digit()) => lower.parse().ok(),
        None => None,
    };
    let Some(number) = number else {
        return Err(format!(
            "`{text}` is no address: 16, 0x10, 10H or 40017 / 不是寄存器地址，可写 16、0x10、10H、40017"
        ));
    };
    let like_modicon =
        hex.is_none() && matches!(lower.len(), 5 | 6) && lower.starts_with(['3', '4']);
    match counting {
        Counting::Modicon if hex.is_none() => return modicon(text, &lower),
        Counting::Auto if like_modicon && modicon(text, &lower).is_ok() => {
            return modicon(text, &lower);
        }
        Counting::One if number == 0 => {
            return Err(format!(
                "`{text}`: the datasheet counts from 1, so there is no 0 / 手册从 1 开始编号，没有 0"
            ));
        }
        _ => {}
    }
    let last = if counting == Counting::One { 65_536 } else { 65_535 };
    if number > last {
        return Err(format!("`{text}` lies beyond the last register {last} / 超出最后一个寄存器"));
    }
    Ok(Address { table: None, number, note: None })
}

/// 40017: table 4 (holding), the 17th register, address 16 on the wire.
fn modicon(text: &str, digits: &str) -> Result<Address, String> {
    let rule = || {
        format!(
            "`{text}` is no Modicon number: 00001 coils, 10001 discrete inputs, 30001 input, \
             40001 holding registers / 不是 Modicon 编号"
        )
    };
    let number: Option<u32> = digits.get(1..).and_then(|rest| rest.parse().ok());
    let number = number.filter(|n| matches!(digits.len(), 5 | 6) && (1..=65_536).contains(n));
    let (Some(number), Some(first)) = (number, digits.chars().next()) else { return Err(rule()) };
    let table = match first {
        '0' => "coil",
        '1' => "discrete_input",
        '3' => "input",
        '4' => "holding",
        _ => return Err(rule()),
    };
    let number = number - 1;
    let note = format!(
        "{text} is a Modicon number: table {table}, address {number} (0x{number:04X}) / \
         {text} 是 Modicon 编号：{table} 表，地址 {number}（0x{number:04X}）"
    );
    Ok(Address { table: Some(table), number, note: Some(note) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, counting: Counting) -> (Option<&'static str>, u32) {
        let address = address(text, counting).unwrap();
        (address.table, address.number)
    }

    #[test]
    fn decimal_and_hexadecimal_addresses_are_read_as_datasheets_print_them() {
        for text in ["16", "0x10", "0X10", "10H", "10h", "0010H", " 16 "] {
            assert_eq!(read(text, Counting::Auto), (None, 16), "{text}");
        }
        assert_eq!(read("0x9C41", Counting::Auto), (None, 40_001));
    }

    #[test]
    fn modicon_numbers_tell_their_table_and_begin_at_one() {
        for (text, table, number) in [
            ("40001", "holding", 0),
            ("30013", "input", 12),
            ("400017", "holding", 16),
            ("4x0017", "holding", 16),
            ("3X0001", "input", 0),
        ] {
            assert_eq!(read(text, Counting::Auto), (Some(table), number), "{text}");
        }
        assert_eq!(read("00001", Counting::Modicon), (Some("coil"), 0));
        assert_eq!(read("10008", Counting::Modicon), (Some("discrete_input"), 7));
        let note = address("40001", Counting::Auto).unwrap().note.unwrap();
        assert!(note.contains("Modicon") && note.contains("holding"), "{note}");
    }

    #[test]
    fn a_count_that_is_said_leaves_large_numbers_alone() {
        assert_eq!(read("40001", Counting::Zero), (None, 40_001));
        assert_eq!(read("40001", Counting::One), (None, 40_001));
        assert_eq!(read("10008", Counting::Auto), (None, 10_008));
        assert_eq!(read("65536", Counting::One), (None, 65_536));
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_is_one() {
        for (text, counting) in [
            ("", Counting::Auto),
            ("abc", Counting::Auto),
            ("0x", Counting::Auto),
            ("-1", Counting::Zero),
            ("65536", Counting::Zero),
            ("0", Counting::One),
            ("17", Counting::Modicon),
            ("20001", Counting::Modicon),
            ("40000", Counting::Modicon),
        ] {
            assert!(address(text, counting).is_err(), "{text}");
        }
    }
}
