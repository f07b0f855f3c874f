//! `linli stars --report FILE`: the running gateway's report as a file, whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::{Arguments, Asked, fetch};
use crate::cli::{BAD_CONFIGURATION, complain, say};
use crate::model::Words;
use crate::starlevel::report::{Form, verify};

/// A box may take its time for a month of 500 devices.
const PATIENCE: Duration = Duration::from_secs(120);

/// Asks for the report in the form that the file's name says, and writes it.
pub(super) fn write(arguments: &Arguments, path: &Path) -> anyhow::Result<ExitCode> {
    let Some(form) = path.extension().and_then(|end| Form::from_word(end.to_str()?)) else {
        complain(&format!(
            "--report {}: is no report, allowed are names that end .html or .json\n  中文：报告文件名须以 .html 或 .json 结尾",
            path.display()
        ));
        return Ok(ExitCode::from(BAD_CONFIGURATION));
    };
    let resource = format!("/api/v1/stars/report?format={}", form.word());
    let body = match fetch(&arguments.config, arguments.page, &resource, PATIENCE)? {
        Asked::Answer(body) => body,
        Asked::Refused => return Ok(ExitCode::from(BAD_CONFIGURATION)),
    };
    let found = verify(body.as_bytes(), None);
    if found.public_key.is_none() {
        let faults: Vec<String> =
            found.faults.iter().map(|fault| format!("{} / {}", fault.en, fault.zh)).collect();
        anyhow::bail!("the page's answer {}", faults.join("; "));
    }
    if let Err(error) = put(path, body.as_bytes()) {
        let words = Words::of_io(&error);
        anyhow::bail!("writing {}: {} / 写入报告失败：{}", path.display(), words.en, words.zh);
    }
    say(&format!("wrote 已写入 {}", path.display()));
    // A report of evidence that does not hold is written too: it says so itself.
    for fault in &found.faults {
        complain(&format!("{} / {}", fault.en, fault.zh));
    }
    if arguments.json {
        say(&serde_json::to_string_pretty(&found)?);
    }
    Ok(if found.good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes beside the file, then takes its place: what stood there stays until all is on the disk.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    let beside = folder.join(name);
    let written = fill(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err()
        && let Err(error) = fs::remove_file(&beside)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::debug!(%error, file = %beside.display(), "the unfinished report stays");
    }
    written?;
    File::open(folder)?.sync_all()
}

fn fill(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
