//! What `[modbus]` says about a model.

use std::time::Duration;

use toml::Spanned;

use super::binding::{Limits, RegisterSource, SerialDefaults};
use super::fault::Faults;
use super::identify::identify;
use super::load::checked;
use super::schema::ModbusFile;
use crate::model::Point;

/// What the maker calls the first register.
pub(super) fn first_address(modbus: &ModbusFile) -> u32 {
    modbus.first_address.as_ref().map_or(0, |first| *first.get_ref())
}

/// A frame such as `8E1`; what is said in the file must be one.
pub(super) fn frame(
    given: Option<&Spanned<String>>,
    default: [u8; 3],
    faults: &mut Faults<'_>,
) -> [u8; 3] {
    let Some(given) = given else { return default };
    match given.get_ref().as_bytes() {
        [b'8', parity @ (b'N' | b'E' | b'O'), stop @ (b'1' | b'2')] => [b'8', *parity, *stop],
        _ => {
            let message =
                format!("frame `{}`, allowed are 8N1 8E1 8O1 8N2 8E2 8O2", given.get_ref());
            faults.at(given.span(), message);
            default
        }
    }
}

/// Bits per second that serial lines have.
const RATES: [u32; 14] = [
    300, 600, 1200, 2400, 4800, 9600, 14_400, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800,
    921_600,
];

/// A baud rate; what is said in the file must be one that lines have.
pub(super) fn rate(given: Option<&Spanned<u32>>, default: u32, faults: &mut Faults<'_>) -> u32 {
    let Some(given) = given else { return default };
    let rate = *given.get_ref();
    if RATES.contains(&rate) {
        return rate;
    }
    let near = RATES.iter().min_by_key(|known| known.abs_diff(rate)).unwrap_or(&default);
    let rates: Vec<String> = RATES.iter().map(ToString::to_string).collect();
    let message = format!("`baud` = {rate} does not exist, allowed are {}", rates.join(" "));
    faults.word(given.span(), message, &near.to_string(), [near.to_string().as_str()]);
    default
}

/// No point may lie where no read may go.
pub(super) fn check_forbidden(
    points: &[Point],
    sources: &[RegisterSource],
    limits: &Limits,
    faults: &mut Faults<'_>,
) {
    for (point, source) in points.iter().zip(sources) {
        let last = source.address.saturating_add(source.encoding.width() - 1);
        let hit = |(from, to): &&(u16, u16)| source.address <= *to && last >= *from;
        if let Some((from, to)) = limits.forbidden.iter().find(hit) {
            faults
                .whole(format!("`{}` lies in the forbidden addresses {from} to {to}", point.name));
        }
        if source.encoding.width() > limits.max_registers {
            faults.whole(format!(
                "`{}` takes {} registers, more than one read may hold ({})",
                point.name,
                source.encoding.width(),
                limits.max_registers
            ));
        }
    }
}

pub(super) fn modbus_model(
    file: &ModbusFile,
    faults: &mut Faults<'_>,
) -> (SerialDefaults, Option<u8>, Limits) {
    let default = Limits::default();
    let frame = frame(file.frame.as_ref(), *b"8N1", faults);
    checked(file.first_address.as_ref(), 0, (0, 1), "first_address", faults);
    let unit = checked(file.unit.as_ref(), 1, (1, 255), "unit", faults);
    let timeout = file.timeout.map_or(default.timeout, |span| span.0);
    if timeout.is_zero() {
        faults.whole("`timeout` is 0, it must be longer");
    }
    let mut forbidden = Vec::new();
    for range in &file.forbidden {
        let [from, to] = *range.get_ref();
        let first = first_address(file);
        let ends = from.checked_sub(first).zip(to.checked_sub(first));
        match ends.map(|(from, to)| (u16::try_from(from), u16::try_from(to))) {
            Some((Ok(from), Ok(to))) if from <= to => forbidden.push((from, to)),
            _ => faults.at(
                range.span(),
                format!("[{from}, {to}] is no range of addresses: [first, last], at most 65535"),
            ),
        }
    }
    let limits = Limits {
        max_registers: checked(file.max_registers.as_ref(), 125, (1, 125), "max_registers", faults),
        max_bits: checked(file.max_bits.as_ref(), 2000, (1, 2000), "max_bits", faults),
        max_gap: file.max_gap.unwrap_or(default.max_gap),
        one_by_one: file.one_by_one,
        forbidden,
        pause: file.pause.map_or(Duration::ZERO, |span| span.0),
        pause_on_switch: file.pause_on_switch.map_or(Duration::ZERO, |span| span.0),
        timeout,
        identify: identify(file, faults),
    };
    let baud = rate(file.baud.as_ref(), 9600, faults);
    (SerialDefaults { baud, frame }, file.unit.as_ref().map(|_| unit), limits)
}
