//! What each value of an attestation must be, the same for the file and the page.

use super::day::Day;
use crate::settings::{Wrong, write_it};

/// Longest name of a person, in characters.
pub const LONGEST_NAME: usize = 64;
/// Longest reason, reference or note, in characters.
pub const LONGEST_TEXT: usize = 200;
/// Most devices of one category that an inventory may count.
pub const MOST_DEVICES_ATTESTED: u32 = 100_000;

/// A person's name.
///
/// # Errors
/// It is empty, too long or not on one line.
pub fn person(text: &str) -> Result<String, Wrong> {
    line(text, LONGEST_NAME)
}

/// A reason, a reference to a document, an issuer.
///
/// # Errors
/// It is empty, too long or not on one line.
pub fn sentence(text: &str) -> Result<String, Wrong> {
    line(text, LONGEST_TEXT)
}

/// A note, which may be empty.
pub(super) fn remark(text: &str) -> Result<String, Wrong> {
    if text.trim().is_empty() { Ok(String::new()) } else { sentence(text) }
}

/// A whole number of devices.
///
/// # Errors
/// It is not whole, or not 0 to [`MOST_DEVICES_ATTESTED`].
pub fn whole(number: f64) -> Result<u32, Wrong> {
    if (0.0..=f64::from(MOST_DEVICES_ATTESTED)).contains(&number) && number.fract() == 0.0 {
        return Ok(number as u32);
    }
    Err(Wrong::new((
        "is not a whole number of devices in range",
        format!("不是 0 至 {MOST_DEVICES_ATTESTED} 的整数"),
    )))
}

/// The last day: not before the first, and at most `valid_days` after it.
pub(super) fn last_day(on: Day, until: Day, valid_days: u32) -> Result<Day, Wrong> {
    if until < on {
        let problem =
            (format!("is before the day it was said, {on}"), format!("早于签认日期 {on}"));
        return Err(Wrong::new(problem));
    }
    let latest = on.plus(valid_days);
    if until > latest {
        let problem = (
            format!("is more than {valid_days} days after {on}"),
            format!("超过签认日期 {on} 后 {valid_days} 天"),
        );
        return Err(Wrong::hinted(problem, write_it(latest)));
    }
    Ok(until)
}

fn line(text: &str, most: usize) -> Result<String, Wrong> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Wrong::empty());
    }
    if text.chars().any(char::is_control) {
        return Err(Wrong::new(("is not one line of text", "不是单行文字")));
    }
    let count = text.chars().count();
    if count > most {
        let problem = (
            format!("has {count} characters, allowed are {most}"),
            format!("有 {count} 个字，最多 {most} 个字"),
        );
        return Err(Wrong::new(problem));
    }
    Ok(text.to_owned())
}
