//! Recordings out of files.

use super::{Recording, pcapng, text};

/// Why a file is no recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadFault {
    /// Neither text nor pcapng.
    #[error("neither a text of frames nor a pcapng file: it begins with {begin}")]
    Unknown {
        /// Its first bytes, in hexadecimal.
        begin: String,
    },
    /// The old capture format.
    #[error("a file of the old pcap format: save it as pcapng in Wireshark")]
    OldPcap,
    /// A line of a text.
    #[error("line {line}: `{text}` where {allowed} must stand")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What stands there.
        text: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// A block of a pcapng file makes no sense.
    #[error("the pcapng block at byte {offset} is damaged")]
    Block {
        /// Where it begins.
        offset: usize,
    },
    /// The file ends inside a block.
    #[error("the file ends inside the pcapng block at byte {offset}")]
    Cut {
        /// Where it begins.
        offset: usize,
    },
    /// Packets of another kind of network.
    #[error(
        "packets of link type {link}: 250 (RTAC serial), 101 (raw IP) and 1 (Ethernet) can be read"
    )]
    LinkType {
        /// The link type.
        link: u16,
    },
    /// A file without a frame.
    #[error("no frame in it")]
    Empty,
}

/// Reads what [`Recording::text`] or [`Recording::pcapng`] wrote, or a capture of Modbus TCP.
/// Times become those since the first frame.
///
/// # Errors
/// What is wrong with the file, and where.
pub fn load(bytes: &[u8]) -> Result<Recording, LoadFault> {
    const OLD: [[u8; 4]; 4] = [
        0xa1b2_c3d4_u32.to_le_bytes(),
        0xa1b2_c3d4_u32.to_be_bytes(),
        0xa1b2_3c4d_u32.to_le_bytes(),
        0xa1b2_3c4d_u32.to_be_bytes(),
    ];
    let recording = if bytes.starts_with(&pcapng::MAGIC) {
        pcapng::read(bytes)?
    } else if OLD.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(LoadFault::OldPcap);
    } else {
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        let begin = || bytes.iter().take(8).map(|byte| format!("{byte:02X}")).collect::<Vec<_>>();
        text::read(text.ok_or_else(|| LoadFault::Unknown { begin: begin().join(" ") })?)?
    };
    if recording.frames.is_empty() {
        return Err(LoadFault::Empty);
    }
    Ok(recording)
}
