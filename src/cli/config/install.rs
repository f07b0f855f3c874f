//! `linli config install`: what somebody changed on the page becomes the configuration. Run by
//! `linli-apply.service` as root; nothing of the proposal is trusted.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::super::complain;
use crate::config;
use crate::model::Words;
use crate::proposal::{Outcome, Proposal, new_paths};
use crate::whole_file;

/// Takes the proposal, checks it, and puts it in place of the file; what became of it is left in
/// `outcomes`.
pub(super) fn install(folder: &Path, main: &Path, outcomes: &Path) -> anyhow::Result<ExitCode> {
    let (file, done) = match Proposal::take(folder) {
        Ok(None) => {
            complain("nothing was proposed / 没有待应用的修改");
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Some(proposal)) => (proposal.file().to_owned(), put(&proposal, main)),
        Err(why) => (String::new(), Err(why)),
    };
    let at_ms = jiff::Timestamp::now().as_millisecond();
    let outcome = Outcome::new(&file, done.as_ref().err(), at_ms);
    outcome
        .put(outcomes)
        .with_context(|| format!("{} cannot be written / 无法写入", outcomes.display()))?;
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(why) => {
            complain(&format!("a change of the configuration was refused: {}", why.both()));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn put(proposal: &Proposal, main: &Path) -> Result<(), Words> {
    let faulty = |faults: String| Words::from((faults.clone(), faults));
    let texts = config::texts(main).map_err(|faults| faulty(faults.to_string()))?;
    let (after, place) = proposal.applied(main, &texts)?;
    let paths = new_paths(&texts, &after);
    if !paths.is_empty() {
        let paths = paths.join(", ");
        return Err((
            format!("paths are changed on the machine, not on the page: {paths}"),
            format!("文件路径只能在网关本机上修改：{paths}"),
        )
            .into());
    }
    config::examine_texts(&after).map_err(|refused| faulty(refused.faults.to_string()))?;
    let (path, text) = &after[place];
    let kept = whole_file::replace_keeping(path, text.as_bytes()).map_err(|error| {
        let words = Words::of_io(&error);
        (format!("it cannot be written: {}", words.en), format!("无法写入：{}", words.zh))
    })?;
    let (who, path, kept) = (proposal.who(), path.display(), kept.display());
    complain(&format!("{path} is changed by {who:?}, the old one is {kept} / 已修改，旧文件保留"));
    Ok(())
}
