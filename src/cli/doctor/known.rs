//! What the configuration says, as far as it can be read: a wrong one still says where the page and
//! the buffer are.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::super::page::{page_of, token_beside};
use super::{ROOT, USER};
use crate::account::Account;
use crate::config::{self, Settings};
use crate::doctor::{Area, Item, Level};
use crate::model::Words;
use crate::settings::Fault;
use crate::status::{self, Page};
use crate::{access, buffer};

/// Faults that are told; more are counted.
const TOLD: usize = 5;

/// What is known.
pub(in crate::cli) struct Known {
    file: PathBuf,
    /// Those of a configuration that is good, or good but for the rights of who looks.
    pub settings: Option<Settings>,
    /// Where the page of a running gateway may be.
    pub page: Option<Page>,
    /// Where the buffer lies.
    pub buffer: buffer::Config,
    state: State,
}

/// How the configuration is.
enum State {
    Good {
        notes: Vec<Fault>,
    },
    Wrong {
        faults: Vec<Fault>,
    },
    /// As far as this user can tell it is good.
    Guessed {
        faults: Vec<Fault>,
    },
    Hidden {
        why: Words,
    },
}

impl Known {
    /// Reads the configuration.
    pub fn read(file: &Path) -> Self {
        match fs::File::open(file) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Self::without(file, State::Hidden { why: Words::of_io(&error) });
            }
            _ => {}
        }
        match config::examine(file) {
            Ok(settings) => {
                let state = State::Good { notes: settings.notes.clone() };
                Self::of(file, settings, state)
            }
            Err(refused) => {
                let faults = refused.faults.all().to_vec();
                // Who is neither root nor the service's user may not see what the service sees.
                match config::examine_text(file) {
                    Ok(settings) if !is_service() => {
                        Self::of(file, settings, State::Guessed { faults })
                    }
                    _ => Self::without(file, State::Wrong { faults }),
                }
            }
        }
    }

    fn of(file: &Path, settings: Settings, state: State) -> Self {
        let (page, buffer) = (page_of(&settings), settings.buffer.clone());
        Self { file: file.to_owned(), settings: Some(settings), page, buffer, state }
    }

    /// The running gateway may have read an earlier, good text of the same file: its page and its
    /// buffer are most likely where this one says, else where they are by default.
    fn without(file: &Path, state: State) -> Self {
        let text = fs::read_to_string(file).unwrap_or_default();
        let table: toml::Table = text.parse().unwrap_or_default();
        let text_of =
            |section: &str, key: &str| Some(table.get(section)?.get(key)?.as_str()?.to_owned());
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut buffer = buffer::Config::default();
        if let Some(path) = text_of("buffer", "path") {
            buffer.path = folder.join(path);
        }
        let listen = text_of("status", "listen").and_then(|text| text.parse::<SocketAddr>().ok());
        let config = listen.map_or_else(status::Config::default, status::Config::at);
        let users = text_of("status", "users").map(|path| folder.join(path));
        let users = users.unwrap_or_else(|| buffer.path.with_file_name(access::USERS_FILE));
        let page = Page { token: token_beside(&users), ..Page::of(&config, &buffer.path) };
        Self { file: file.to_owned(), settings: None, page: Some(page), buffer, state }
    }

    /// What there is to say of the configuration; `runs` says whether a gateway runs with one.
    pub fn items(&self, runs: bool) -> Vec<Item> {
        let at = self.file.display();
        match &self.state {
            State::Good { notes } => {
                let good = (format!("{at} is good"), format!("{at} 正确"));
                let mut items = vec![Item::good(Area::Configuration, good)];
                items.extend(notes.iter().map(|note| {
                    let item = Item::notice(Area::Configuration, words(note));
                    match (&note.hint, &note.hint_zh) {
                        (Some(en), Some(zh)) => item.todo((en.clone(), zh.clone())),
                        _ => item,
                    }
                }));
                items
            }
            State::Wrong { faults } => {
                let level = if runs { Level::Warning } else { Level::Critical };
                vec![Item::wrong(
                    Area::Configuration,
                    level,
                    told(faults),
                    (
                        format!(
                            "linli check --config {at} shows all faults; mend them, then systemctl reload-or-restart linli"
                        ),
                        format!(
                            "linli check --config {at} 显示全部错误；修正后 systemctl reload-or-restart linli"
                        ),
                    ),
                )]
            }
            State::Guessed { faults } => vec![Item::unseen(
                Area::Configuration,
                told(faults),
                (
                    "this user has other rights than the service: run the doctor as root",
                    "当前用户与服务权限不同：请以 root 身份运行 linli doctor",
                ),
            )],
            State::Hidden { why } => vec![Item::unseen(
                Area::Configuration,
                (format!("{at}: {}", why.en), format!("{at}：{}", why.zh)),
                ("run the doctor as root", "以 root 身份运行 linli doctor"),
            )],
        }
    }
}

/// Whether who looks has the rights of the service, or more.
fn is_service() -> bool {
    let Ok(me) = fs::metadata("/proc/self").map(|about| about.uid()) else { return false };
    me == 0 || Account::find(Path::new(ROOT), USER, &[]).is_some_and(|user| user.uid == me)
}

fn words(fault: &Fault) -> Words {
    let place = &fault.place;
    let path = if place.path.is_empty() { String::new() } else { format!("{}: ", place.path) };
    // No value: what stands there may be a secret.
    (format!("{place}: {path}{}", fault.problem), format!("{place}：{path}{}", fault.problem_zh))
        .into()
}

fn told(faults: &[Fault]) -> Words {
    let some: Vec<Words> = faults.iter().take(TOLD).map(words).collect();
    let join =
        |pick: fn(&Words) -> &str, glue: &str| some.iter().map(pick).collect::<Vec<_>>().join(glue);
    let (mut en, mut zh) = (join(|w| &w.en, "; "), join(|w| &w.zh, "；"));
    let more = faults.len().saturating_sub(TOLD);
    if more > 0 {
        en += &format!("; and {more} more");
        zh += &format!("；另有 {more} 处");
    }
    (en, zh).into()
}
