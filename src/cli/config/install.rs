//! `linli config install`: what somebody changed on the page becomes the configuration. Run by
//! `linli-apply.service` as root; nothing of the proposal is trusted.
//!
//! Root reads the files of the configuration and the proposal, and nothing else: what the configuration
//! names is looked at with the rights of the service, whose folder the proposal lay in. Else a link in a
//! folder of the service's would have root read a file out, and tell of it in what it complains about.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use rustix::process::geteuid;
use rustix::thread::{Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::super::complain;
use crate::account::Account;
use crate::config;
use crate::model::Words;
use crate::proposal::{MOST_KEPT, Outcome, Proposal, Taken, new_paths};
use crate::settings::Fault;
use crate::whole_file;

/// Most faults that are told.
const MOST_FAULTS: usize = 5;

/// Takes the proposal, checks it, and puts it in place of the file; what became of it is left in
/// `outcomes`.
pub(super) fn install(folder: &Path, main: &Path, outcomes: &Path) -> anyhow::Result<ExitCode> {
    let (file, who, done) = match Proposal::take(folder) {
        Ok(None) => {
            complain("nothing was proposed / 没有待应用的修改");
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Some(taken)) => {
            let proposal = &taken.proposal;
            (proposal.file().to_owned(), proposal.who().to_owned(), put(&taken, main))
        }
        Err(why) => (String::new(), String::new(), Err(why)),
    };
    let at_ms = jiff::Timestamp::now().as_millisecond();
    let outcome = Outcome::new((&file, &who), done.as_ref().err(), at_ms);
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

fn put(taken: &Taken, main: &Path) -> Result<(), Words> {
    let proposal = &taken.proposal;
    let texts = config::texts(main).map_err(|faults| told(faults.all()))?;
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
    with_rights_of(taken.owner, || examine(&after))?;
    let (path, text) = &after[place];
    let kept = whole_file::replace_keeping(path, text.as_bytes()).map_err(|error| {
        let words = Words::of_io(&error);
        (format!("it cannot be written: {}", words.en), format!("无法写入：{}", words.zh))
    })?;
    let (who, shown, kept) = (proposal.who(), path.display(), kept.display());
    complain(&format!("{shown} is changed by {who:?}, the old one is {kept} / 已修改，旧文件保留"));
    // Whoever can propose must not fill the disk with what is kept.
    if let Err(error) = whole_file::thin_out(path, MOST_KEPT) {
        complain(&format!("earlier versions of {shown} stay / 旧版本未能清理: {error}"));
    }
    Ok(())
}

fn examine(texts: &[(PathBuf, String)]) -> Result<(), Words> {
    // Where the gateway writes, this unit cannot, and no path is new.
    config::examine_texts_reading(texts).map(drop).map_err(|refused| told(refused.faults.all()))
}

/// The first faults, in both languages.
fn told(faults: &[Fault]) -> Words {
    let all = |problem: fn(&Fault) -> &str| {
        let one = |fault: &Fault| match &*fault.place.path {
            "" => format!("{}: {}", fault.place, problem(fault)),
            key => format!("{}: {key}: {}", fault.place, problem(fault)),
        };
        let mut told: Vec<String> = faults.iter().take(MOST_FAULTS).map(one).collect();
        let more = faults.len().saturating_sub(MOST_FAULTS);
        told.extend((more > 0).then(|| format!("(+{more})")));
        told.join("\n")
    };
    (all(|fault| &fault.problem), all(|fault| &fault.problem_zh)).into()
}

/// Does this as the user, when root would do it: on a thread of its own, which gives up everything else
/// for good.
fn with_rights_of(
    (uid, gid): (u32, u32),
    work: impl FnOnce() -> Result<(), Words> + Send,
) -> Result<(), Words> {
    if !geteuid().is_root() || uid == 0 {
        return work();
    }
    let groups = Account::of_uid(Path::new("/"), uid).map(|account| account.groups);
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            step_down(uid, gid, &groups.unwrap_or_default()).map_err(|error| {
                let words = Words::of_io(&error.into());
                Words::from((
                    format!("it cannot be looked at as the service: {}", words.en),
                    format!("无法以服务的身份检查：{}", words.zh),
                ))
            })?;
            work()
        });
        worker.join().unwrap_or_else(|_| Err(("the check failed", "检查出错").into()))
    })
}

/// Groups first: who is no longer root cannot change them.
fn step_down(uid: u32, gid: u32, groups: &[u32]) -> rustix::io::Result<()> {
    let groups: Vec<Gid> = groups.iter().map(|group| Gid::from_raw(*group)).collect();
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_root_looks_at_for_the_service_it_reads_with_the_rights_of_the_service() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        fs::write(&secret, "root's alone").unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let read = || {
            let read = fs::read_to_string(&secret);
            read.map(drop).map_err(|error| Words::of_io(&error))
        };
        let as_nobody = with_rights_of((65_534, 65_534), read);
        if geteuid().is_root() {
            assert_eq!(as_nobody.unwrap_err().zh, "没有权限");
            assert!(geteuid().is_root(), "the others keep theirs");
        } else {
            // Nobody to step down from: it is done with what rights there are.
            as_nobody.unwrap();
        }
        read().unwrap();
    }

    #[test]
    fn a_check_that_panics_refuses_the_change() {
        let work = || -> Result<(), Words> { panic!("on purpose") };
        if geteuid().is_root() {
            assert!(with_rights_of((65_534, 65_534), work).is_err());
        }
    }

    #[test]
    fn of_many_faults_the_first_are_told_in_both_languages() {
        let keys: String = (0..9).map(|n| format!("x{n} = 1\n")).collect();
        let text = format!("[gateway]\n{keys}");
        let words = examine(&[(PathBuf::from("/nowhere/linli.toml"), text)]).unwrap_err();
        assert_eq!(words.en.lines().count(), MOST_FAULTS + 1, "{}", words.en);
        assert!(
            words.en.contains("no key `x1`") && words.zh.contains("没有名为 `x1`"),
            "{words:?}"
        );
        assert!(words.en.ends_with("(+5)"), "{}", words.en);
    }
}
