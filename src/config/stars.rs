//! The files that `[stars]` names: the rule pack and the attestations.

use std::path::Path;

use super::read::Context;
use crate::settings::{Fault, Place};
use crate::starlevel::{self, PackFault, RulePack, read_attestations};

/// Longest attestations file that is read, bytes.
const MOST_BYTES: u64 = 256 << 10;

/// Reads both; faults of either are noted. That a file is missing was said before.
pub(super) fn read_files(config: &mut starlevel::Config, context: &mut Context<'_>) {
    let pack = match &config.rule_pack {
        None => RulePack::built_in(),
        Some(path) => RulePack::load(path).unwrap_or_else(|faults| {
            let told = faults.iter().filter(|f| !matches!(f, PackFault::Unreadable { .. }));
            context.faults.extend(told.map(|fault| {
                let text = fault.to_string();
                let place = Place::of_file(&path.display().to_string());
                Fault::new(place, (text.clone(), format!("规则包有误：{text}")))
            }));
            RulePack::built_in()
        }),
    };
    let Some(path) = &config.attestations else { return };
    match read(path, &pack) {
        Ok(attested) => config.attested = attested,
        Err(faults) => context.faults.extend(faults),
    }
}

fn read(path: &Path, pack: &RulePack) -> Result<Vec<starlevel::Attestation>, Vec<Fault>> {
    let name = path.display().to_string();
    let unreadable = |why: String| {
        let problem = (format!("cannot be read: {why}"), format!("无法读取：{why}"));
        vec![Fault::new(Place::of_file(&name), problem)]
    };
    let size = match std::fs::metadata(path) {
        Ok(file) => file.len(),
        // The check of the paths names the key and the file.
        Err(_) => return Ok(Vec::new()),
    };
    if size > MOST_BYTES {
        return Err(unreadable(format!("{size} bytes, allowed are {MOST_BYTES}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    read_attestations(&name, &text, pack).map_err(|faults| faults.all().to_vec())
}
