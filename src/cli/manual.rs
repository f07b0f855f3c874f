//! `linli manual`: manual pages and shell completions of the program for boxes, generated from its
//! commands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use super::say;

/// Commands that the program for boxes does not have.
const NOT_ON_A_BOX: [&str; 4] = ["demo", "simulate", "schema", "manual"];

/// What to do with the pages.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folder of the pages; without an option they are written there.
    #[arg(value_name = "FOLDER", default_value = "systemd/manual")]
    folder: PathBuf,
    /// Change nothing; fail when a page is not what the commands say.
    #[arg(long)]
    check: bool,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let pages = pages()?;
    let folder = &arguments.folder;
    if arguments.check {
        compare(folder, &pages)?;
        return Ok(ExitCode::SUCCESS);
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    for name in present(folder)?.iter().filter(|name| !pages.contains_key(*name)) {
        let path = folder.join(name);
        fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        say(&format!("removed {}", path.display()));
    }
    for (name, text) in pages {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    say(&format!("wrote {}", folder.display()));
    Ok(ExitCode::SUCCESS)
}

fn compare(folder: &Path, pages: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<()> {
    let names: BTreeSet<String> = pages.keys().cloned().collect();
    let mut wrong: Vec<String> =
        names.symmetric_difference(&present(folder)?).map(ToOwned::to_owned).collect();
    for (name, text) in pages {
        let path = folder.join(name);
        if path.exists()
            && fs::read(&path).with_context(|| format!("reading {}", path.display()))? != *text
        {
            wrong.push(name.clone());
        }
    }
    if !wrong.is_empty() {
        bail!(
            "{}: {} not what the commands say; run `linli manual` and commit it",
            folder.display(),
            wrong.join(", ")
        );
    }
    Ok(())
}

/// Names of the files in the folder.
fn present(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let reading = || format!("reading {}", folder.display());
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(reading)? {
        names.insert(entry.with_context(reading)?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

/// File name and content of each page: one manual page a command, one completion a shell, named as
/// the shells look for them.
fn pages() -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut program = on_a_box();
    program.build();
    let mut pages = BTreeMap::new();
    describe(&program, &mut pages)?;
    for (shell, name) in
        [(Shell::Bash, "linli.bash"), (Shell::Zsh, "_linli"), (Shell::Fish, "linli.fish")]
    {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut on_a_box(), "linli", &mut text);
        pages.insert(name.to_owned(), text);
    }
    Ok(pages)
}

/// One page for a command, one for each of those below it.
fn describe(command: &Command, pages: &mut BTreeMap<String, Vec<u8>>) -> anyhow::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .source("linli")
        .manual("邻里 linli")
        .render(&mut text)
        .with_context(|| format!("the page of {name}"))?;
    pages.insert(format!("{name}.1"), text);
    for below in command.get_subcommands() {
        if !below.is_hide_set() && below.get_name() != "help" {
            describe(below, pages)?;
        }
    }
    Ok(())
}

/// The commands as a box has them, whatever this program was built with.
fn on_a_box() -> Command {
    let all = super::Arguments::command();
    let mut program = Command::new("linli")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .after_help(super::EXIT_CODES);
    if let Some(about) = all.get_about() {
        program = program.about(about.clone());
    }
    if let Some(about) = all.get_long_about() {
        let about = about.to_string();
        let paragraphs = about.split("\n\n").filter(|text| !text.contains("`linli demo`"));
        program = program.long_about(paragraphs.collect::<Vec<_>>().join("\n\n"));
    }
    program.subcommands(
        all.get_subcommands().filter(|one| !NOT_ON_A_BOX.contains(&one.get_name())).cloned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_a_box_has_a_page_and_no_other_has() {
        let pages = pages().unwrap();
        for name in ["linli.1", "linli-run.1", "linli-users-add.1", "_linli", "linli.bash"] {
            assert!(pages.contains_key(name), "{name} is missing");
        }
        for name in NOT_ON_A_BOX {
            assert!(!pages.contains_key(&format!("linli-{name}.1")), "{name}");
        }
        let first = String::from_utf8(pages["linli.1"].clone()).unwrap();
        assert!(first.contains("delivers everything") && !first.contains("demo"), "{first}");
        let bash = String::from_utf8(pages["linli.bash"].clone()).unwrap();
        assert!(bash.contains("hash-password") && !bash.contains("simulate"), "{bash}");
    }

    #[test]
    fn a_page_that_is_missing_old_or_too_many_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let pages = pages().unwrap();
        for (name, text) in &pages {
            fs::write(folder.path().join(name), text).unwrap();
        }
        compare(folder.path(), &pages).unwrap();
        fs::remove_file(folder.path().join("linli-run.1")).unwrap();
        fs::write(folder.path().join("linli.1"), "old").unwrap();
        fs::write(folder.path().join("linli-gone.1"), "").unwrap();
        let said = compare(folder.path(), &pages).unwrap_err().to_string();
        for name in ["linli-run.1", "linli.1", "linli-gone.1"] {
            assert!(said.contains(name), "{said}");
        }
    }
}
