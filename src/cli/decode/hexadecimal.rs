//! Bytes from text, however a tool wrote them: bare digits, `0x01`, `01H`, `\x01`, dumps with
//! offsets and characters beside the bytes.

/// Longest input, bytes: a capture of a line for minutes; more is no frame that a person reads.
pub(super) const MOST_BYTES: usize = 64 * 1024;

/// Reads the bytes.
///
/// # Errors
/// What is wrong, in both languages.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let without_offsets = dump(text);
    let text = without_offsets.as_deref().unwrap_or(text);
    // As C and Python write a byte.
    let text = text.replace("\\x", " ");
    let mut bytes = Vec::new();
    for word in text.split(between).filter(|word| !word.is_empty()) {
        read(word, &mut bytes)?;
        if bytes.len() > MOST_BYTES {
            return Err(format!("more than {MOST_BYTES} bytes / 超过 {MOST_BYTES} 字节"));
        }
    }
    if bytes.is_empty() {
        return Err("no bytes were given / 没有输入字节".to_owned());
    }
    Ok(bytes)
}

fn between(c: char) -> bool {
    c.is_whitespace() || ",:-;，：；、_[](){}<>\"'“”【】".contains(c)
}

/// One word: whole bytes, or a single digit where a tool leaves the leading zero out.
fn read(word: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    let digits = word.strip_prefix("0x").or(word.strip_prefix("0X")).unwrap_or(word);
    let digits = match digits.strip_suffix(['H', 'h']) {
        Some(short) if short.len() <= 2 => short,
        _ => digits,
    };
    if let Some(bad) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
        let (shown, en, zh) = if word.chars().any(|c| c.is_control() || c == '\u{FFFD}') {
            let how = "raw bytes? pipe them through `xxd -p` first";
            (String::new(), how, "若为二进制数据，请先经 `xxd -p` 转换")
        } else {
            (format!("`{bad}` in `{word}`: "), "no hexadecimal digit", "不是十六进制数字")
        };
        return Err(format!("{shown}{en} / {zh}"));
    }
    if digits.is_empty() || (digits.len() > 1 && digits.len() % 2 != 0) {
        return Err(format!(
            "`{word}`: an odd number of hexadecimal digits ({}), two make a byte / \
             十六进制位数为奇数，两位为一字节",
            digits.len()
        ));
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0);
    for pair in digits.as_bytes().chunks(2) {
        let value = pair.iter().fold(0, |value, &byte| value << 4 | digit(byte));
        bytes.push(u8::try_from(value).expect("two digits"));
    }
    Ok(())
}

/// The bytes of a dump (`xxd`, `hexdump -C`, `od`, Wireshark's) without its offsets and
/// characters; `None` when the text is none: a dump begins at offset 0 of four digits and more,
/// which stands apart from the bytes.
fn dump(text: &str) -> Option<String> {
    let offset = |line: &str| {
        let digits = line.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (number, rest) = line.split_at(digits);
        let apart = rest.is_empty() || rest.starts_with(':') || rest.starts_with("  ");
        // `od` writes seven digits, with one space behind.
        let apart = apart || (digits == 7 && rest.starts_with(' '));
        ((4..=8).contains(&digits) && apart).then(|| (number.to_owned(), rest.to_owned()))
    };
    let mut lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty());
    let (first, rest) = offset(lines.clone().next()?)?;
    if first.bytes().any(|digit| digit != b'0') || rest.is_empty() {
        return None;
    }
    let mut out = String::new();
    for (_, rest) in lines.by_ref().map_while(offset) {
        let (bytes, gap) = match rest.strip_prefix(':') {
            Some(bytes) => (bytes, "  "),
            None => (rest.as_str(), "   "),
        };
        let bytes = bytes.trim_start();
        let characters = bytes.find(gap).into_iter().chain(bytes.find('|')).min();
        out.extend(bytes.get(..characters.unwrap_or(bytes.len())));
        out.push('\n');
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: [u8; 20] = [
        0x68, 0x12, 0x90, 0x78, 0x56, 0x34, 0x12, 0x68, 0x91, 0x08, 0x33, 0x33, 0x34, 0x33, 0x89,
        0x67, 0x45, 0x33, 0x54, 0x16,
    ];

    #[test]
    fn bytes_are_read_as_tools_write_them() {
        for text in [
            "01 03 00 00 00 02 C4 0B",
            "010300000002c40b",
            "0x01,0x03,0x0,0x0,0x0,0x2,0xC4,0xB",
            "01H 03H 00H 00H 00H 02H C4H 0BH",
            "1 3 0 0 0 2 c4 b",
            r"b'\x01\x03\x00\x00\x00\x02\xc4\x0b'".trim_start_matches('b'),
            "[01, 03, 00, 00, 00, 02, C4, 0B]",
            "01：03，00、00 00 02 “C4 0B”",
            "01:03-00-00;00 02 C4_0B",
        ] {
            let read = bytes(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(read, [1, 3, 0, 0, 0, 2, 0xC4, 0x0B], "{text}");
        }
    }

    #[test]
    fn dumps_are_read_without_their_offsets_and_characters() {
        for text in [
            "00000000: 6812 9078 5634 1268 9108 3333 3433 8967  h..xV4.h..3343.g\n\
             00000010: 4533 5416                                E3T.\n",
            "00000000  68 12 90 78 56 34 12 68  91 08 33 33 34 33 89 67  |h..xV4.h..3343.g|\n\
             00000010  45 33 54 16                                       |E3T.|\n00000014\n",
            "0000000 68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67\n\
             0000020 45 33 54 16\n0000024\n",
            "0000  68 12 90 78 56 34 12 68 91 08 33 33 34 33 89 67   h..xV4.h..3343.g\n\
             0010  45 33 54 16                                       E3T.\n",
        ] {
            assert_eq!(bytes(text).unwrap(), FRAME, "{text}");
        }
        // The begin of a Modbus TCP frame in words is no offset.
        assert_eq!(bytes("0000 0000 0006 0103").unwrap().len(), 8);
    }

    #[test]
    fn what_is_no_hexadecimal_is_said_with_the_next_thing_to_do() {
        for (text, told) in [
            ("", "没有输入"),
            ("zz", "`z` in `zz`"),
            ("123", "odd number"),
            ("0x", "odd number"),
            ("h\u{FFFD}\u{1}", "xxd -p"),
        ] {
            let why = bytes(text).unwrap_err();
            assert!(why.contains(told), "{text:?}: {why}");
        }
        assert!(bytes(&"00".repeat(MOST_BYTES + 1)).unwrap_err().contains("超过"));
    }
}
