//! Frames as text, a line each:
//!
//! ```text
//! # linli frames 1 serial rs485-1
//! 2026-11-23T02:06:30.123Z > 9600-8N1 01 03 00 00 00 02 C4 0B ; modbus-rtu request: unit 1, …
//!                12.345 < - 01 03 04 00 00 00 00 FA 33
//! ```
//!
//! Time: wall time in UTC, else seconds since boot. `>` from the gateway, `<` from the line. `-`
//! where the line settings are not known. What follows `;` is for people and not read back, nor
//! are lines that begin with `#`, but for the first.

use std::fmt::Write as _;

use super::{Captured, LoadFault, Recording, Tongue, Way};
use crate::driver::{LineSettings, Parity};
use crate::model::{Moment, WallTime};
use crate::protocol::explain::{Explained, Protocol, explain};

/// How a text begins.
const MAGIC: &str = "# linli frames 1";
/// Most parts of a meaning.
const PARTS_MAX: usize = 24;

/// What [`Recording::text`] gives.
pub(super) fn write(
    recording: &Recording,
    wall: impl Fn(Moment) -> Option<WallTime>,
    tongue: Tongue,
) -> String {
    let kind = if recording.mbap { "mbap" } else { "serial" };
    let mut out = format!("{MAGIC} {kind} {}", recording.bus);
    out.truncate(out.trim_end().len());
    out.push('\n');
    for (frame, meaning) in recording.frames.iter().zip(meanings(recording, tongue)) {
        let time = time(frame.at, wall(frame.at));
        let way = if frame.way == Way::Sent { '>' } else { '<' };
        let line = frame.line.map_or_else(|| "-".to_owned(), |line| line.to_string());
        write!(out, "{time:>24} {way} {}", line.replace(' ', "-")).expect("writes to memory");
        for byte in &frame.bytes {
            write!(out, " {byte:02X}").expect("writes to memory");
        }
        if let Some(meaning) = meaning {
            out.push_str(" ; ");
            out.push_str(&meaning);
        }
        out.push('\n');
    }
    out
}

/// What each frame says, for people; a reply is read with the request before it.
pub(super) fn meanings(
    recording: &Recording,
    tongue: Tongue,
) -> impl Iterator<Item = Option<String>> + '_ {
    let protocol = recording.mbap.then_some(Protocol::ModbusTcp);
    let mut before: Option<&Captured> = None;
    recording.frames.iter().map(move |frame| {
        let request = before.filter(|sent| sent.way == Way::Sent && frame.way == Way::Received);
        before = Some(frame);
        meaning(protocol, request, frame, tongue)
    })
}

fn time(at: Moment, wall: Option<WallTime>) -> String {
    let known = wall.and_then(|wall| jiff::Timestamp::from_millisecond(wall.unix_ms).ok());
    match known {
        Some(wall) => format!("{wall:.3}"),
        None => format!("{}.{:03}", at.boot_ms / 1000, at.boot_ms % 1000),
    }
}

/// What a frame says; a reply needs its request. Nothing for noise.
fn meaning(
    protocol: Option<Protocol>,
    request: Option<&Captured>,
    frame: &Captured,
    tongue: Tongue,
) -> Option<String> {
    let skip = request.map_or(0, |request| request.bytes.len());
    let mut bytes = request.map_or_else(Vec::new, |request| request.bytes.clone());
    bytes.extend_from_slice(&frame.bytes);
    let (frames, fault) = match explain(protocol, &bytes) {
        Ok(frames) => (frames, None),
        Err(fault) => (fault.frames, Some(fault.fault)),
    };
    let mut said: Vec<_> = frames
        .iter()
        .filter(|explained| explained.range.start >= skip)
        .map(|explained| tell(explained, tongue))
        .collect();
    if said.is_empty() {
        return None;
    }
    if let Some(fault) = fault {
        said.push(match tongue {
            Tongue::English => fault.to_string(),
            Tongue::Chinese => fault.zh(),
        });
    }
    Some(said.join(" | "))
}

/// A frame in one line, without what every frame has: what is counted or coded is of use only
/// beside the bytes, in `linli decode`.
fn tell(explained: &Explained, tongue: Tongue) -> String {
    const USUAL: [&str; 6] = [
        "preamble",
        "start of frame",
        "second start",
        "end of frame",
        "check sum: right",
        "CRC, low byte first: right",
    ];
    const COUNTS: [&str; 2] = [" bytes of data", " bytes follow"];
    let parts: Vec<&str> = explained
        .parts
        .iter()
        .filter(|part| !USUAL.contains(&part.en.as_str()))
        .filter(|part| !COUNTS.iter().any(|count| part.en.ends_with(count)))
        .take(PARTS_MAX)
        .map(|part| match tongue {
            Tongue::English => part.en.trim_end_matches(" (33H added)"),
            Tongue::Chinese => part.zh.trim_end_matches("(各字节加 33H)"),
        })
        .collect();
    let (comma, colon) = match tongue {
        Tongue::English => (", ", ": "),
        Tongue::Chinese => ("，", "："),
    };
    format!("{}{colon}{}", explained.protocol, parts.join(comma)).replace(['\n', '\r'], " ")
}

/// Reads a text back; times become those since the first frame.
pub(super) fn read(text: &str) -> Result<Recording, LoadFault> {
    let mut recording = Recording { bus: String::new(), mbap: false, frames: Vec::new() };
    if let Some(rest) = text.lines().next().and_then(|line| line.strip_prefix(MAGIC)) {
        let mut words = rest.split_whitespace();
        recording.mbap = words.next() == Some("mbap");
        recording.bus = words.next().unwrap_or_default().replace(char::is_control, "");
    }
    let mut first = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split(';').next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (ms, mut frame) = parse(line).map_err(|fault| LoadFault::Line {
            line: number,
            text: fault.0,
            allowed: fault.1,
        })?;
        let first = *first.get_or_insert(ms);
        frame.at = Moment { boot_ms: u64::try_from(ms.saturating_sub(first)).unwrap_or(0) };
        recording.frames.push(frame);
    }
    Ok(recording)
}

/// What is wrong with a word, and what may stand there.
type Wrong = (String, &'static str);

fn parse(line: &str) -> Result<(i64, Captured), Wrong> {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_default();
    let ms = milliseconds(word())?;
    let way = match word() {
        ">" => Way::Sent,
        "<" => Way::Received,
        other => return Err((other.to_owned(), "`>` or `<` behind the time")),
    };
    let settings = match word() {
        "-" => None,
        text => Some(self::line(text).ok_or((
            text.to_owned(),
            "line settings such as `9600-8N1`, or `-`, behind the direction",
        ))?),
    };
    let bytes: Vec<u8> = words
        .map(|word| {
            let byte = u8::from_str_radix(word, 16).ok().filter(|_| word.len() == 2);
            byte.ok_or((word.to_owned(), "bytes as two hexadecimal digits each"))
        })
        .collect::<Result<_, _>>()?;
    if bytes.is_empty() {
        return Err((line.to_owned(), "time, direction, line settings, then at least one byte"));
    }
    Ok((ms, Captured { at: Moment::default(), way, line: settings, bytes }))
}

fn milliseconds(word: &str) -> Result<i64, Wrong> {
    let wrong =
        || (word.to_owned(), "a time: `2026-11-23T02:06:30.123Z`, or seconds such as `12.345`");
    if word.contains('T') {
        return Ok(word.parse::<jiff::Timestamp>().map_err(|_| wrong())?.as_millisecond());
    }
    let (seconds, fraction) = word.split_once('.').unwrap_or((word, "000"));
    let seconds: i64 = seconds.parse().map_err(|_| wrong())?;
    let digits = fraction.len() == 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction: i64 = fraction.parse().ok().filter(|_| digits).ok_or_else(wrong)?;
    seconds.checked_mul(1000).and_then(|ms| ms.checked_add(fraction)).ok_or_else(wrong)
}

/// Line settings as they are displayed, with `-` or a space: `9600-8N1`.
pub(super) fn line(text: &str) -> Option<LineSettings> {
    let (baud, rest) = text.split_once(['-', ' '])?;
    let [b'8', parity, stops @ (b'1' | b'2')] = rest.as_bytes() else { return None };
    let parity = match parity {
        b'N' => Parity::None,
        b'E' => Parity::Even,
        b'O' => Parity::Odd,
        _ => return None,
    };
    let baud = baud.parse().ok().filter(|&baud| baud > 0)?;
    Some(LineSettings { baud, parity, stop_bits: stops - b'0' })
}
