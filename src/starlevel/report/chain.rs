//! The rows of the chain in a report, and back.

use super::base64;
use super::document::{ChainDay, ReportChain};
use crate::starlevel::ChainFault;
use crate::starlevel::evidence::{ClosedDay, date};

/// The days as they stand in the store.
pub(super) fn from_store(days: &[ClosedDay]) -> ReportChain {
    let rows = |day: &ClosedDay| {
        let pairs = day.rows.iter();
        pairs.map(|(key, value)| (base64::encode(key), base64::encode(value))).collect()
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
    let rows: Option<Vec<(Vec<u8>, Vec<u8>)>> =
        pairs.map(|(key, value)| Some((base64::decode(key)?, base64::decode(value)?))).collect();
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
