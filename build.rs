//! Packs the built-in profiles, `config/profiles/*.toml`: half a megabyte of text, a sixth of it
//! packed. Sixteen neighbours lie in one pack, because they are alike, and so that reading one does
//! not unpack all.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Profiles in a pack.
const NEIGHBOURS: usize = 16;
/// The strongest that costs the reader nothing more.
const LEVEL: i32 = 19;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=config/profiles");
    let variable = |name| std::env::var_os(name).ok_or(format!("cargo sets {name}"));
    let folder = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("config/profiles");
    let into = PathBuf::from(variable("OUT_DIR")?);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    // By identifier: with the ending `a-b.toml` would come before `a.toml`.
    files.sort_by(|one, other| one.file_stem().cmp(&other.file_stem()));
    let mut packs = String::from("&[\n");
    for (number, neighbours) in files.chunks(NEIGHBOURS).enumerate() {
        let (mut text, mut ends) = (String::new(), String::new());
        for path in neighbours {
            let id = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a name in UTF-8")?;
            text.push_str(&fs::read_to_string(path)?);
            write!(ends, "({id:?}, {}), ", text.len())?;
        }
        let packed = into.join(format!("{number}.zst"));
        fs::write(&packed, zstd::bulk::compress(text.as_bytes(), LEVEL)?)?;
        writeln!(packs, "    Pack {{ ends: &[{ends}], packed: include_bytes!({packed:?}) }},")?;
    }
    packs.push_str("]\n");
    fs::write(into.join("profiles.rs"), packs)?;
    Ok(())
}
