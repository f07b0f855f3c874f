//! The words after `--fault`.

use std::time::Duration;

use crate::driver::{LineSettings, Parity};
use crate::settings::parse_duration;
use crate::sim::line::Fault;

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Something is wrong with the device.
    Slave(Fault),
    /// The adapter hears itself.
    Echo,
}

const WORDS: &str = "silent, late=TIME, half, noise-before=COUNT, noise-after=COUNT, \
wrong-check-sum, flipped-bit, flipped-bit=EVERY, twin=TIME, drift=TIME, wrong-line=BAUD-FRAME, refuse=CODE, echo";

/// Reads one order, e.g. `late=2s`.
pub(super) fn parse(text: &str) -> Result<Order, String> {
    let (word, value) = text.split_once('=').unwrap_or((text, ""));
    let fault = match (word, value) {
        ("echo", "") => return Ok(Order::Echo),
        ("silent", "") => Fault::Silent,
        ("half", "") => Fault::Half,
        ("wrong-check-sum", "") => Fault::WrongCheckSum,
        ("flipped-bit", "") => Fault::FlippedBit(1),
        ("flipped-bit", value) => {
            let every = value.parse().ok().filter(|every| *every > 0);
            Fault::FlippedBit(every.ok_or_else(|| format!("`{value}` is no count, 1 or more"))?)
        }
        ("late", value) => Fault::Late(time(value)?),
        ("twin", value) => Fault::Twin(time(value)?),
        ("drift", value) => Fault::Drift(time(value)?),
        ("noise-before", value) => Fault::NoiseBefore(count(value)?),
        ("noise-after", value) => Fault::NoiseAfter(count(value)?),
        ("refuse", value) => {
            let code = value.parse().map_err(|_| format!("`{value}` is no code, 0 to 255"))?;
            Fault::Refuse(code)
        }
        ("wrong-line", value) => {
            let (baud, frame) = value.split_once('-').unwrap_or((value, "8N1"));
            let baud = baud.parse().map_err(|_| format!("`{baud}` is no baud rate"))?;
            Fault::WrongLine(line(baud, frame)?)
        }
        _ => return Err(format!("one of {WORDS}")),
    };
    Ok(Order::Slave(fault))
}

fn time(value: &str) -> Result<Duration, String> {
    parse_duration(value)
        .map_err(|wrong| format!("`{value}`: {} / {}", wrong.problem.en, wrong.problem.zh))
}

fn count(value: &str) -> Result<usize, String> {
    let count = value.parse().ok().filter(|count| (1..=200).contains(count));
    count.ok_or_else(|| format!("`{value}` is no number of characters, 1 to 200"))
}

/// Settings of a line, the frame as in `8E1`.
pub(super) fn line(baud: u32, frame: &str) -> Result<LineSettings, String> {
    let (parity, stop_bits) = match frame {
        "8N1" => (Parity::None, 1),
        "8E1" => (Parity::Even, 1),
        "8O1" => (Parity::Odd, 1),
        "8N2" => (Parity::None, 2),
        "8E2" => (Parity::Even, 2),
        "8O2" => (Parity::Odd, 2),
        _ => return Err(format!("`{frame}` is none of 8N1, 8E1, 8O1, 8N2, 8E2, 8O2")),
    };
    if !(300..=230_400).contains(&baud) {
        return Err(format!("{baud} baud is outside 300 to 230400"));
    }
    Ok(LineSettings { baud, parity, stop_bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_with_its_value_or_told_what_is_allowed() {
        assert_eq!(parse("late=2s"), Ok(Order::Slave(Fault::Late(Duration::from_secs(2)))));
        assert_eq!(parse("echo"), Ok(Order::Echo));
        let line = LineSettings { baud: 2400, parity: Parity::Even, stop_bits: 1 };
        assert_eq!(parse("wrong-line=2400-8E1"), Ok(Order::Slave(Fault::WrongLine(line))));
        assert!(parse("wrong-line=2400-7E1").unwrap_err().contains("8E1"));
        assert!(parse("late=2").is_err());
        assert_eq!(parse("flipped-bit=4"), Ok(Order::Slave(Fault::FlippedBit(4))));
        assert!(parse("flipped-bit=0").unwrap_err().contains("1 or more"));
        assert!(parse("noise-after=0").unwrap_err().contains("1 to 200"));
        assert!(parse("asleep").unwrap_err().contains("silent"));
    }
}
