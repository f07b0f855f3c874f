//! The profiles that are built in, sorted; packed by `build.rs`.

use std::sync::LazyLock;

/// Some neighbouring profiles, compressed together.
struct Pack {
    /// Identifier of each, and where it ends in the text of all.
    ends: &'static [(&'static str, usize)],
    packed: &'static [u8],
}

const PACKS: &[Pack] = include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

impl Pack {
    fn unpack(&self) -> String {
        let whole = self.ends.last().map_or(0, |(_, end)| *end);
        let text = zstd::bulk::decompress(self.packed, whole).expect("packed by build.rs");
        String::from_utf8(text).expect("build.rs packs texts")
    }

    fn texts<'a>(&self, all: &'a str) -> impl Iterator<Item = (&'static str, &'a str)> {
        let mut begin = 0;
        self.ends.iter().map(move |(id, end)| {
            let text = all.get(begin..*end).expect("build.rs counts whole texts");
            begin = *end;
            (*id, text)
        })
    }
}

/// Identifier and text of each built-in profile. All texts stay in memory once this was asked.
pub static BUILT_IN: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for pack in PACKS {
        let text = pack.unpack();
        all.extend(pack.texts(&text).map(|(id, text)| (id, text.to_owned())));
    }
    all
});

/// The identifiers; nothing is unpacked for them.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    PACKS.iter().flat_map(|pack| pack.ends).map(|(id, _)| *id)
}

/// The text of one; none when there is no such profile.
pub(super) fn text(wanted: &str) -> Option<String> {
    let pack = PACKS.iter().find(|pack| pack.ends.iter().any(|(id, _)| *id == wanted))?;
    let all = pack.unpack();
    pack.texts(&all).find(|(id, _)| *id == wanted).map(|(_, text)| text.to_owned())
}
