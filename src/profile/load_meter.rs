//! What `[dlt645]` and `[cjt188]` say about a model.

use std::time::Duration;

use toml::Spanned;

use super::binding::SerialDefaults;
use super::fault::Faults;
use super::load::checked;
use super::load_modbus::{frame, rate};
use super::meter::{Cjt188Model, Dlt645Model, MeterManners};
use super::schema_meter::{Cjt188File, Dlt645File};
use super::span::Span;
use crate::protocol::cjt188::{DiOrder, Kind, MeterType};
use crate::protocol::dlt645::Edition;

/// What both sections say alike.
struct Said<'f> {
    baud: Option<&'f Spanned<u32>>,
    frame: Option<&'f Spanned<String>>,
    preamble: Option<&'f Spanned<u8>>,
    timeout: Option<Span>,
    pause: Option<Span>,
    pause_on_switch: Option<Span>,
}

/// Meters leave the factory with 2400 8E1, and most wake up by FEH.
fn manners(
    said: &Said<'_>,
    most_preamble: u8,
    timeout: Duration,
    faults: &mut Faults<'_>,
) -> MeterManners {
    let span = |span: Option<Span>| span.map_or(Duration::ZERO, |span| span.0);
    let timeout = said.timeout.map_or(timeout, |span| span.0);
    if timeout.is_zero() {
        faults.whole("`timeout` is 0, it must be longer");
    }
    MeterManners {
        serial: SerialDefaults {
            baud: rate(said.baud, 2400, faults),
            frame: frame(said.frame, *b"8E1", faults),
        },
        preamble: checked(said.preamble, 4, (0, most_preamble), "preamble", faults),
        timeout,
        pause: span(said.pause),
        pause_on_switch: span(said.pause_on_switch),
    }
}

/// One of a few words; the first when none is given or it is none of them.
fn one_of<T: Copy>(
    given: Option<&Spanned<String>>,
    key: &str,
    words: &[(&'static str, T)],
    faults: &mut Faults<'_>,
) -> Option<T> {
    let given = given?;
    let found = words.iter().find(|(word, _)| word == given.get_ref());
    if found.is_none() {
        let allowed = || words.iter().map(|(word, _)| *word);
        let list: Vec<String> = allowed().map(|word| format!("\"{word}\"")).collect();
        let message = format!("`{key}` = \"{}\", allowed are {}", given.get_ref(), list.join(" "));
        faults.word(given.span(), message, given.get_ref(), allowed());
    }
    found.map(|(_, meaning)| *meaning)
}

pub(super) fn dlt645_model(file: &Dlt645File, faults: &mut Faults<'_>) -> Dlt645Model {
    let said = Said {
        baud: file.baud.as_ref(),
        frame: file.frame.as_ref(),
        preamble: file.preamble.as_ref(),
        timeout: file.timeout,
        pause: file.pause,
        pause_on_switch: file.pause_on_switch,
    };
    let editions = [("2007", Edition::V2007), ("1997", Edition::V1997)];
    Dlt645Model {
        edition: one_of(file.edition.as_ref(), "edition", &editions, faults)
            .unwrap_or(Edition::V2007),
        manners: manners(&said, 4, Duration::from_secs(1), faults),
        sources: Vec::new(),
    }
}

pub(super) fn cjt188_model(file: &Cjt188File, faults: &mut Faults<'_>) -> Cjt188Model {
    let said = Said {
        baud: file.baud.as_ref(),
        frame: file.frame.as_ref(),
        preamble: file.preamble.as_ref(),
        timeout: file.timeout,
        pause: file.pause,
        pause_on_switch: file.pause_on_switch,
    };
    let allowed =
        "0x10 to 0x1F water, 0x20 to 0x2F heat, 0x30 to 0x3F gas, 0x40 to 0x4F electricity";
    let meter_type = match &file.meter_type {
        Some(given) => {
            let meter_type = MeterType(*given.get_ref());
            if meter_type.kind() == Kind::Unknown {
                let message =
                    format!("`meter_type` = {:#04x}, allowed are {allowed}", meter_type.0);
                faults.at(given.span(), message);
            }
            meter_type
        }
        None => {
            faults.whole(format!("`meter_type` is missing in `[cjt188]`: {allowed}"));
            MeterType::ANY
        }
    };
    let orders = [("2004", DiOrder::HighFirst), ("2018", DiOrder::LowFirst)];
    Cjt188Model {
        meter_type,
        order: one_of(file.order.as_ref(), "order", &orders, faults),
        manners: manners(&said, 5, Duration::from_secs(2), faults),
        sources: Vec::new(),
    }
}
