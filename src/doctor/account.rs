//! Who looks, as whom the service runs, and what that user may open: by owner, groups and mode.
//! Access lists and capabilities are not counted.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{Area, Item, Level};
use crate::model::Words;

/// A user with the groups that he is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// His name.
    pub name: String,
    /// His number.
    pub uid: u32,
    /// Numbers of his groups.
    pub groups: Vec<u32>,
}

/// What is wanted of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// To read it.
    Read,
    /// To read and write it.
    ReadWrite,
}

impl Want {
    fn bits(self) -> u32 {
        match self {
            Want::Read => 0o4,
            Want::ReadWrite => 0o6,
        }
    }
}

/// What came of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// He may.
    Yes,
    /// He may not: whose it is, and its mode.
    No(String),
}

impl Account {
    /// The user of this name, as the files of the system know him; `more` are groups that the unit
    /// gives him beside his own.
    pub fn find(root: &Path, name: &str, more: &[&str]) -> Option<Self> {
        let passwd = fs::read_to_string(root.join("etc/passwd")).ok()?;
        let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let own = passwd.lines().map(fields).find(|row| row.first().is_some_and(|n| n == name))?;
        let (uid, gid) = (own.get(2)?.parse().ok()?, own.get(3)?.parse().ok()?);
        let mut groups = vec![gid];
        // A system without groups beside the user's own is a system too.
        let group = fs::read_to_string(root.join("etc/group")).unwrap_or_default();
        for row in group.lines().map(fields) {
            let member = row.get(3).is_some_and(|list| list.split(',').any(|one| one == name));
            let given = row.first().is_some_and(|group| more.contains(&group.as_str()));
            if let Some(gid) = row.get(2).and_then(|gid| gid.parse().ok())
                && (member || given)
            {
                groups.push(gid);
            }
        }
        Some(Self { name: name.to_owned(), uid, groups })
    }

    fn allowed(&self, about: &Metadata, bits: u32) -> bool {
        let mode = about.mode();
        let class = if about.uid() == self.uid {
            mode >> 6
        } else if self.groups.contains(&about.gid()) {
            mode >> 3
        } else {
            mode
        };
        self.uid == 0 || class & bits == bits
    }

    /// Whether he may open a file: its own mode, and the way to it.
    ///
    /// # Errors
    /// Whoever looks may not look there, or there is nothing.
    pub fn may(&self, path: &Path, want: Want) -> io::Result<Answer> {
        let real = fs::canonicalize(path)?;
        for folder in real.ancestors().skip(1) {
            let about = fs::metadata(folder)?;
            if !self.allowed(&about, 0o1) {
                return Ok(Answer::No(owned(folder, &about)));
            }
        }
        let about = fs::metadata(&real)?;
        Ok(if self.allowed(&about, want.bits()) {
            Answer::Yes
        } else {
            Answer::No(owned(&real, &about))
        })
    }
}

fn owned(path: &Path, about: &Metadata) -> String {
    let mode = about.mode() & 0o7777;
    format!("{} uid {} gid {} mode {mode:03o}", path.display(), about.uid(), about.gid())
}

/// Whether the service may read the files that the configuration names.
pub fn files(account: &Account, files: &[&Path]) -> Vec<Item> {
    let mut items = Vec::new();
    for path in files {
        let shown = path.display();
        match account.may(path, Want::Read) {
            Ok(Answer::Yes) => {}
            Ok(Answer::No(why)) => items.push(Item::wrong(
                Area::Configuration,
                Level::Critical,
                (
                    format!("user {} cannot read {shown}: {why}", account.name),
                    format!("用户 {} 无法读取 {shown}：{why}", account.name),
                ),
                (
                    format!("chown {0} {shown}; chmod 600 {shown}", account.name),
                    format!("chown {0} {shown}; chmod 600 {shown}", account.name),
                ),
            )),
            Err(error) => {
                let Words { en, zh } = Words::of_io(&error);
                let todo = ("run the doctor as root", "以 root 身份运行 linli doctor");
                items.push(Item::unseen(
                    Area::Configuration,
                    (format!("{shown}: {en}"), format!("{shown}：{zh}")),
                    todo,
                ));
            }
        }
    }
    items
}
