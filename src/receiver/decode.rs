//! A payload of the stream becomes a document, or is refused with the fault named.
//!
//! The sender is not trusted: the decompressed size is bounded before anything is allocated for
//! it, and everything that later code indexes with is checked here.

use std::collections::HashSet;
use std::io::Read;

use super::thinned::check_spans;
use crate::model::{
    DOCUMENT_VERSION, DeviceColumns, DeviceId, Document, Epoch, GatewayId, Reason, TimeTrust,
};

/// Largest document after decompression, bytes. A block holds at most 4 KiB compressed.
pub const MAX_DOCUMENT: usize = 1 << 20;

/// The first bytes of a zstd frame (RFC 8878, 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Largest zstd window, 8 MiB: what every decoder should accept (RFC 8878, 3.1.1.1.2), and no more.
const ZSTD_WINDOW_LOG: u32 = 23;

/// Why a payload is not a document.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Nothing in it.
    #[error("payload is empty")]
    Empty,
    /// Larger than any block may be.
    #[error("document is larger than {MAX_DOCUMENT} bytes")]
    TooLarge,
    /// The zstd frame is damaged.
    #[error("zstd frame is damaged: {0}")]
    Zstd(std::io::Error),
    /// Not JSON, or not the members that a document has.
    #[error("not a document: {0}")]
    Json(serde_json::Error),
    /// A version that this receiver does not know.
    #[error("document version {0}, known is {DOCUMENT_VERSION}")]
    Version(u8),
    /// A member holds what it may not hold.
    #[error("member `{member}`: {fault}")]
    Member {
        /// Where: `devices[0].values[1]`.
        member: String,
        /// What is wrong, with the value and what is allowed.
        fault: String,
    },
}

/// Decodes and checks one payload, plain JSON or zstd.
///
/// # Errors
/// [`DecodeError`] names the member and the value.
pub fn decode(payload: &[u8]) -> Result<Document, DecodeError> {
    if payload.is_empty() {
        return Err(DecodeError::Empty);
    }
    let document: Document = if payload.starts_with(&ZSTD_MAGIC) {
        serde_json::from_slice(&inflate(payload)?).map_err(DecodeError::Json)?
    } else if payload.len() > MAX_DOCUMENT {
        return Err(DecodeError::TooLarge);
    } else {
        serde_json::from_slice(payload).map_err(DecodeError::Json)?
    };
    check(&document)?;
    Ok(document)
}

fn inflate(payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = zstd::Decoder::with_buffer(payload).map_err(DecodeError::Zstd)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(DecodeError::Zstd)?;
    let mut text = Vec::new();
    let limit = MAX_DOCUMENT as u64 + 1;
    decoder.take(limit).read_to_end(&mut text).map_err(DecodeError::Zstd)?;
    if text.len() > MAX_DOCUMENT { Err(DecodeError::TooLarge) } else { Ok(text) }
}

fn wrong(member: impl Into<String>, fault: impl Into<String>) -> DecodeError {
    DecodeError::Member { member: member.into(), fault: fault.into() }
}

fn check(document: &Document) -> Result<(), DecodeError> {
    if document.v != DOCUMENT_VERSION {
        return Err(DecodeError::Version(document.v));
    }
    GatewayId::new(&document.gateway).map_err(|error| wrong("gateway", error.to_string()))?;
    Epoch::try_from(document.epoch.clone())
        .map_err(|_| wrong("epoch", format!("`{}`, allowed are 16 hex digits", document.epoch)))?;
    if document.seq == 0 || document.seq == u64::MAX {
        return Err(wrong("seq", format!("{}, allowed is 1 and more", document.seq)));
    }
    if document.time.trust == TimeTrust::SinceBoot && document.time.boot.is_none() {
        return Err(wrong("time.boot", "missing, needed when trust is `since_boot`"));
    }
    let bounded = document.time.not_before.or(document.time.not_after).is_some();
    if bounded && document.time.trust != TimeTrust::SinceBoot {
        return Err(wrong("time.not_before", "bounds belong to a time since boot"));
    }
    if let (Some(from), Some(to)) = (document.time.not_before, document.time.not_after)
        && from > to
    {
        return Err(wrong("time.not_before", "later than `not_after`"));
    }
    for (slot, device) in document.devices.iter().enumerate() {
        check_device(&format!("devices[{slot}]"), device)?;
    }
    Ok(())
}

fn check_device(path: &str, device: &DeviceColumns) -> Result<(), DecodeError> {
    DeviceId::new(&device.id).map_err(|error| wrong(format!("{path}.id"), error.to_string()))?;
    let moments = device.at.len();
    if device.at.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(wrong(format!("{path}.at"), "not ascending"));
    }
    if device.values.len() != device.points.len() {
        let fault = format!("{} columns for {} points", device.values.len(), device.points.len());
        return Err(wrong(format!("{path}.values"), fault));
    }
    for (slot, column) in device.values.iter().enumerate() {
        if column.len() != moments {
            let fault = format!("{} rows for {moments} moments", column.len());
            return Err(wrong(format!("{path}.values[{slot}]"), fault));
        }
    }
    let mut noted = HashSet::with_capacity(device.quality.len());
    for (slot, note) in device.quality.iter().enumerate() {
        let member = || format!("{path}.quality[{slot}]");
        let (moment, point) = (note.0 as usize, note.1 as usize);
        if moment >= moments || point >= device.points.len() {
            return Err(wrong(
                member(),
                format!("points at [{moment}, {point}], which is not there"),
            ));
        }
        if !noted.insert((moment, point)) {
            return Err(wrong(member(), format!("second note for [{moment}, {point}]")));
        }
        if !["uncertain", "bad"].contains(&note.2.as_str()) {
            return Err(wrong(
                member(),
                format!("quality `{}`, allowed are uncertain, bad", note.2),
            ));
        }
        if !Reason::ALL.iter().any(|reason| reason.word() == note.3) {
            return Err(wrong(member(), format!("unknown reason `{}`", note.3)));
        }
    }
    if device.source_times.iter().any(|(moment, _)| *moment as usize >= moments) {
        return Err(wrong(format!("{path}.source_times"), "points at a moment that is not there"));
    }
    check_spans(device, &noted).map_err(|fault| wrong(format!("{path}.thinned"), fault))?;
    Ok(())
}
