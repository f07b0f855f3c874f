//! The buckets of a device as bytes: per point four columns of differences.
//!
//! ```text
//!  device  = points, point*
//!  point   = name, buckets, exponent, slot*, last*, below*, above*
//! ```
//! All of them are variable-length integers, seven bits a byte; those that may be negative are in
//! zigzag. `name` is a place in a list of names that stands elsewhere. Values are whole multiples
//! of 10^-exponent; `slot` and `last` are differences to the one before, `below` is `last - min`,
//! `above` is `max - last`.

use super::bucket::{Bucket, Slot};

/// Digits after the decimal point that are kept at the most.
const MOST_DIGITS: i16 = 9;
/// Whole numbers up to here are exact in 64 bits of floating point.
const EXACT: f64 = 9e15;
/// The fewest bytes that a bucket takes.
const LEAST_BUCKET: usize = 4;
/// The fewest bytes that a point takes.
const LEAST_POINT: usize = 3;

/// Bytes that are no columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Garbled;

/// The buckets of a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Place of its name.
    pub name: u32,
    /// Digits after the decimal point.
    pub exponent: i16,
    /// Settled.
    pub buckets: Vec<Bucket>,
}

/// Appends an integer.
pub fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put(bytes, ((number << 1) ^ (number >> 63)) as u64);
}

/// Takes integers off the front of bytes.
pub struct Numbers<'a>(pub &'a [u8]);

impl<'a> Numbers<'a> {
    /// The next.
    pub fn next(&mut self) -> Result<u64, Garbled> {
        let mut number = 0u64;
        for (place, &byte) in self.0.iter().take(10).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                self.0 = &self.0[place + 1..];
                return Ok(number);
            }
        }
        Err(Garbled)
    }

    /// The next as a smaller kind.
    pub fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Garbled> {
        T::try_from(self.next()?).map_err(|_| Garbled)
    }

    fn signed(&mut self) -> Result<i64, Garbled> {
        let number = self.next()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// How many things follow that take `least` bytes each: never more than there are bytes.
    pub fn count(&mut self, least: usize) -> Result<usize, Garbled> {
        let count: usize = self.small()?;
        if count > self.0.len() / least { Err(Garbled) } else { Ok(count) }
    }

    /// The next bytes, with their count before them.
    pub fn bytes(&mut self) -> Result<&'a [u8], Garbled> {
        let count = self.count(1)?;
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(taken)
    }

    /// The next text, with its length before it.
    pub fn text(&mut self) -> Result<&'a str, Garbled> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Garbled)
    }
}

/// Appends a text.
pub fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// As many digits as are wanted, fewer when the numbers would not be exact any more.
fn fitting(wanted: i16, buckets: &[Bucket]) -> i16 {
    let largest = buckets.iter().fold(0.0, |most: f64, b| most.max(b.min.abs()).max(b.max.abs()));
    let mut exponent = wanted.min(MOST_DIGITS);
    while largest * power(exponent) > EXACT {
        exponent -= 1;
    }
    exponent
}

fn power(exponent: i16) -> f64 {
    10f64.powi(i32::from(exponent))
}

/// Appends the columns of a device; values are finite.
pub fn encode(bytes: &mut Vec<u8>, columns: &[Column]) {
    put(bytes, columns.len() as u64);
    for column in columns {
        let exponent = fitting(column.exponent, &column.buckets);
        let scale = power(exponent);
        let whole = |value: f64| (value * scale).round() as i64;
        put(bytes, u64::from(column.name));
        put(bytes, column.buckets.len() as u64);
        put_signed(bytes, i64::from(exponent));
        let mut before = 0;
        for bucket in &column.buckets {
            put(bytes, u64::from(bucket.slot.0.wrapping_sub(before)));
            before = bucket.slot.0;
        }
        let mut before = 0;
        for bucket in &column.buckets {
            let last = whole(bucket.last);
            put_signed(bytes, last.wrapping_sub(before));
            before = last;
        }
        for bucket in &column.buckets {
            put(bytes, whole(bucket.last).abs_diff(whole(bucket.min)));
        }
        for bucket in &column.buckets {
            put(bytes, whole(bucket.max).abs_diff(whole(bucket.last)));
        }
    }
}

/// Reads the columns of a device.
///
/// # Errors
/// These are no columns.
pub fn decode(bytes: &[u8]) -> Result<Vec<Column>, Garbled> {
    let mut numbers = Numbers(bytes);
    let points = numbers.count(LEAST_POINT)?;
    let mut columns = Vec::new();
    for _ in 0..points {
        let name = numbers.small()?;
        let count = numbers.count(LEAST_BUCKET)?;
        let exponent = i16::try_from(numbers.signed()?).map_err(|_| Garbled)?;
        if !(-300..=MOST_DIGITS).contains(&exponent) {
            return Err(Garbled);
        }
        let mut buckets = vec![Bucket::default(); count];
        let mut slot = 0u32;
        for bucket in &mut buckets {
            slot = slot.checked_add(numbers.small()?).ok_or(Garbled)?;
            bucket.slot = Slot(slot);
        }
        let scale = power(exponent.abs());
        let value = |whole: i64| {
            if exponent < 0 { whole as f64 * scale } else { whole as f64 / scale }
        };
        let mut lasts = Vec::with_capacity(count);
        let mut last = 0i64;
        for bucket in &mut buckets {
            last = last.checked_add(numbers.signed()?).ok_or(Garbled)?;
            bucket.last = value(last);
            lasts.push(last);
        }
        for (bucket, last) in buckets.iter_mut().zip(&lasts) {
            bucket.min = value(last.checked_sub_unsigned(numbers.next()?).ok_or(Garbled)?);
        }
        for (bucket, last) in buckets.iter_mut().zip(&lasts) {
            bucket.max = value(last.checked_add_unsigned(numbers.next()?).ok_or(Garbled)?);
        }
        if buckets.iter().any(|b| !(b.min.is_finite() && b.max.is_finite())) {
            return Err(Garbled);
        }
        columns.push(Column { name, exponent, buckets });
    }
    if numbers.0.is_empty() { Ok(columns) } else { Err(Garbled) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(columns: &[Column]) -> Vec<Column> {
        let mut bytes = Vec::new();
        encode(&mut bytes, columns);
        decode(&bytes).unwrap()
    }

    #[test]
    fn decimals_come_back_as_they_were_shown_and_huge_counters_lose_only_digits() {
        let buckets = vec![
            Bucket { slot: Slot(5_900_000), min: 48_211.37, max: 48_212.01, last: 48_212.0 },
            Bucket::new(Slot(5_900_001), -0.5),
        ];
        let column = Column { name: 3, exponent: 2, buckets };
        assert_eq!(round_trip(std::slice::from_ref(&column)), [column]);
        for huge in [123_456_789_012_345_680.0, 1e300, f64::MAX / 2.0] {
            let buckets = vec![Bucket::new(Slot(1), huge)];
            let back = round_trip(&[Column { name: 0, exponent: 9, buckets }]);
            let last = back[0].buckets[0].last;
            assert!((last / huge - 1.0).abs() < 1e-12, "{huge}: {last}");
        }
    }

    #[test]
    fn a_quiet_point_costs_about_four_bytes_a_bucket_before_they_are_packed() {
        let buckets: Vec<Bucket> = (0..288).map(|n| Bucket::new(Slot(n), 231.4)).collect();
        let mut bytes = Vec::new();
        encode(&mut bytes, &[Column { name: 0, exponent: 1, buckets }]);
        assert!(bytes.len() < 288 * 4 + 16, "{}", bytes.len());
    }

    fn column() -> impl Strategy<Value = Column> {
        let value = -1_000_000i64..1_000_000;
        let bucket = (0u32..2000, value.clone(), 0i64..5000, 0i64..5000);
        (0u32..300, 0i16..4, proptest::collection::vec(bucket, 0..40)).prop_map(
            |(name, exponent, rows)| {
                let scale = power(exponent);
                let mut buckets: Vec<Bucket> = rows
                    .into_iter()
                    .map(|(slot, last, below, above)| Bucket {
                        slot: Slot(slot),
                        min: (last - below) as f64 / scale,
                        max: (last + above) as f64 / scale,
                        last: last as f64 / scale,
                    })
                    .collect();
                super::super::bucket::settle(&mut buckets);
                Column { name, exponent, buckets }
            },
        )
    }

    proptest! {
        #[test]
        fn whatever_is_encoded_is_decoded(columns in proptest::collection::vec(column(), 0..6)) {
            prop_assert_eq!(round_trip(&columns), columns);
        }

        #[test]
        fn garbage_is_refused_and_takes_no_memory(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(columns) = decode(&bytes) {
                let buckets: usize = columns.iter().map(|column| column.buckets.len()).sum();
                prop_assert!(buckets * LEAST_BUCKET <= bytes.len());
            }
        }

        #[test]
        fn a_flipped_byte_never_panics(
            columns in proptest::collection::vec(column(), 1..4), at in any::<prop::sample::Index>(), bit in 0u8..8,
        ) {
            let mut bytes = Vec::new();
            encode(&mut bytes, &columns);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(columns) = decode(&bytes) {
                prop_assert!(columns.len() <= bytes.len());
            }
        }
    }
}
