//! Base64 (RFC 4648, section 4), with padding: for the rows of the chain in JSON.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let six = (word >> (18 - 6 * place)) & 0x3F;
            let used = place <= chunk.len();
            text.push(if used { char::from(ALPHABET[six as usize]) } else { '=' });
        }
    }
    text
}

/// `None` for what [`encode`] does not write.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in text.as_bytes().chunks(4) {
        let mut word = 0u32;
        let mut used = 0;
        for &sign in chunk {
            word <<= 6;
            if sign != b'=' {
                word |= u32::try_from(ALPHABET.iter().position(|known| *known == sign)?).ok()?;
                used += 1;
            }
        }
        bytes.extend(word.to_be_bytes().get(1..used.max(1))?);
    }
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_hold_both_ways() {
        // RFC 4648, section 10.
        let examples = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in examples {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(encode(&[0xFB, 0xFF, 0xFE]), "+//+");
    }

    #[test]
    fn another_way_to_write_the_same_is_refused() {
        for text in ["Zg", "Zg=", "Zh==", "Zm9v\n", "Zm 9v", "====", "Z===", "Zg==Zg==", "-__-"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
