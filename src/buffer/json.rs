//! Writes JSON into a byte vector, without values in between.

/// Whole numbers below this have all their digits in a double, and need no exponent.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes items with commas between.
pub(super) fn list<I: IntoIterator>(
    out: &mut Vec<u8>,
    items: I,
    mut each: impl FnMut(&mut Vec<u8>, I::Item),
) {
    for (n, item) in items.into_iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        each(out, item);
    }
}

/// Writes a number, a whole one without a decimal point. What JSON cannot say is `null`.
pub(super) fn number(out: &mut Vec<u8>, n: f64) {
    if n.fract() == 0.0 && n.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        signed(out, n as i64);
    } else if n.is_finite() {
        write(out, &n);
    } else {
        out.extend_from_slice(b"null");
    }
}

/// Writes a whole number.
pub(super) fn signed(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    unsigned(out, n.unsigned_abs());
}

/// Writes a whole number.
pub(super) fn unsigned(out: &mut Vec<u8>, mut n: u64) {
    let mut digits = [0u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(n % 10).expect("a digit");
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Writes a string with its quotes.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    let plain = text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\');
    if plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        write(out, text);
    }
}

fn write<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("a vector takes all, and texts and numbers are JSON");
}

/// The beginning of a text, at most `most` bytes, without cutting a character in two.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
