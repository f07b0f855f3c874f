//! A user of this machine as its files know him, and what he may open: by owner, groups and mode.
//! Access lists and capabilities are not counted.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// A user with the groups that he is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// His name.
    pub name: String,
    /// His number.
    pub uid: u32,
    /// Number of the group that is his own.
    pub gid: u32,
    /// Numbers of the other groups that he is in.
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
        Self::whose(root, more, |own, _| own == name)
    }

    /// The user of this number, as the files of the system know him.
    pub fn of_uid(root: &Path, uid: u32) -> Option<Self> {
        Self::whose(root, &[], |_, own| own == uid)
    }

    fn whose(root: &Path, more: &[&str], is: impl Fn(&str, u32) -> bool) -> Option<Self> {
        let passwd = fs::read_to_string(root.join("etc/passwd")).ok()?;
        let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let (name, uid, gid) = passwd.lines().map(fields).find_map(|row| {
            let uid = row.get(2)?.parse().ok()?;
            is(row.first()?, uid).then_some(())?;
            Some((row.first()?.clone(), uid, row.get(3)?.parse().ok()?))
        })?;
        let mut groups = Vec::new();
        // A system without groups beside the user's own is a system too.
        let group = fs::read_to_string(root.join("etc/group")).unwrap_or_default();
        for row in group.lines().map(fields) {
            let member = row.get(3).is_some_and(|list| list.split(',').any(|one| *one == name));
            let given = row.first().is_some_and(|group| more.contains(&group.as_str()));
            if let Some(gid) = row.get(2).and_then(|gid| gid.parse().ok())
                && (member || given)
            {
                groups.push(gid);
            }
        }
        Some(Self { name, uid, gid, groups })
    }

    fn allowed(&self, about: &Metadata, bits: u32) -> bool {
        let mode = about.mode();
        let class = if about.uid() == self.uid {
            mode >> 6
        } else if self.gid == about.gid() || self.groups.contains(&about.gid()) {
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_user_may_open_what_owner_group_and_mode_say() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("line");
        fs::write(&path, "").unwrap();
        let about = fs::metadata(&path).unwrap();
        // The way to it is open in the tests' folder but for the folder itself.
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let may = |mode: u32, uid: u32, gid: u32, want| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Account { name: "linli".into(), uid, gid, groups: Vec::new() }.may(&path, want).unwrap()
        };
        let stranger = 4_000_000_000;
        assert_eq!(may(0o660, stranger, about.gid(), Want::ReadWrite), Answer::Yes);
        assert_eq!(may(0o640, stranger, about.gid(), Want::Read), Answer::Yes);
        assert!(matches!(may(0o640, stranger, about.gid(), Want::ReadWrite), Answer::No(_)));
        assert!(matches!(may(0o660, stranger, stranger, Want::Read), Answer::No(_)));
        assert_eq!(may(0o604, stranger, stranger, Want::Read), Answer::Yes);
        assert_eq!(may(0o000, 0, 0, Want::ReadWrite), Answer::Yes, "root may");
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let shut = may(0o666, stranger, stranger, Want::Read);
        assert!(matches!(shut, Answer::No(why) if why.contains("mode 700")), "the way is shut");
    }

    #[test]
    fn the_services_user_is_found_with_his_groups_and_those_of_the_unit() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(Account::find(root.path(), "linli", &[]), None);
        let write = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        write("etc/passwd", "root:x:0:0::/:/bin/sh\nlinli:x:900:901::/:/bin/false\n");
        write("etc/group", "linli:x:901:\ndialout:x:20:\nplugdev:x:46:pi,linli\n");
        let found = Account::find(root.path(), "linli", &["dialout"]).unwrap();
        assert_eq!((found.uid, found.gid, found.groups), (900, 901, vec![20, 46]));
        let found = Account::of_uid(root.path(), 900).unwrap();
        assert_eq!((&*found.name, found.groups), ("linli", vec![46]));
        assert_eq!(Account::of_uid(root.path(), 901), None);
    }
}
