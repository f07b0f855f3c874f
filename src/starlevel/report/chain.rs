//! The rows of the chain in a report, and back.

use base64::Engine as _;
// RFC 4648, section 4: decodes only what it would encode itself, padding and last bits included.
use base64::engine::general_purpose::STANDARD as BASE64;

use super::document::{ChainDay, ReportChain};
use crate::starlevel::ChainFault;
use crate::starlevel::evidence::{ClosedDay, date};

/// The days as they stand in the store.
pub(super) fn from_store(days: &[ClosedDay]) -> ReportChain {
    let rows = |day: &ClosedDay| {
        let pairs = day.rows.iter();
        pairs.map(|(key, value)| (BASE64.encode(key), BASE64.encode(value))).collect()
    };
    ReportChain {
        head: days.last().map(|day| hex(&day.hash)),
        fault: fault(days),
        days: days
            .iter()
            .map(|day| ChainDay {
                date: date(day.day),
                before: hex(&day.before),
                hash: hex(&day.hash),
                rows: rows(day),
            })
            .collect(),
    }
}

/// The days of a report; the inner error names the first that cannot be read.
pub(super) fn to_days(chain: &ReportChain) -> Result<Vec<ClosedDay>, ChainFault> {
    let mut days = Vec::with_capacity(chain.days.len());
    for day in &chain.days {
        let read = read(day).ok_or_else(|| {
            let en = "the report's rows of it cannot be read, or are of another day";
            at(day.date.clone(), "报告中当日的行不可读，或属于另一日", en)
        })?;
        days.push(read);
    }
    Ok(days)
}

/// The first day that does not hold.
pub(super) fn fault(days: &[ClosedDay]) -> Option<ChainFault> {
    let mut before: Option<&ClosedDay> = None;
    for day in days {
        if before.is_some_and(|before| before.hash != day.before || before.day >= day.day) {
            let en = "it does not follow the day before: a day was changed, removed or put in";
            return Some(at(date(day.day), "与前一日不衔接：有日被改动、删除或插入", en));
        }
        if !day.holds() {
            let en = "its rows are not as they were written";
            return Some(at(date(day.day), "当日数据与封存时不同", en));
        }
        before = Some(day);
    }
    None
}

fn at(day: String, zh: &str, en: &str) -> ChainFault {
    ChainFault { day, zh: zh.to_owned(), en: en.to_owned() }
}

fn read(day: &ChainDay) -> Option<ClosedDay> {
    let pairs = day.rows.iter();
    let rows: Option<Vec<(Vec<u8>, Vec<u8>)>> = pairs
        .map(|(key, value)| Some((BASE64.decode(key).ok()?, BASE64.decode(value).ok()?)))
        .collect();
    let rows = rows?;
    let number = u32::from_be_bytes(rows.first()?.0.get(1..5)?.try_into().ok()?);
    let read =
        ClosedDay { day: number, before: unhex(&day.before)?, hash: unhex(&day.hash)?, rows };
    (date(number) == day.date).then_some(read)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lower-case hex digits of exactly so many bytes.
pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0u8; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |sign: u8| match sign {
            b'0'..=b'9' => Some(sign - b'0'),
            b'a'..=b'f' => Some(sign - b'a' + 10),
            _ => None,
        };
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_only_as_they_are_written() {
        // The first key of a day: its kind, the day 20454 (2026-01-01), the rest.
        let day = |value: &str| ChainDay {
            date: "2026-01-01".to_owned(),
            before: "0".repeat(64),
            hash: "0".repeat(64),
            rows: vec![(BASE64.encode([b'g', 0, 0, 0x4F, 0xE6]), value.to_owned())],
        };
        // RFC 4648, section 10.
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(read(&day(text)).unwrap().rows[0].1, bytes.as_bytes());
        }
        for text in ["Zg", "Zg=", "Zh==", "Zm9v\n", "Zm 9v", "====", "Z===", "Zg==Zg==", "-__-"] {
            assert!(read(&day(text)).is_none(), "{text}");
        }
    }
}
