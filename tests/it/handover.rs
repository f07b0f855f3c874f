//! A change that somebody made on the page, taken up by the command of the unit that runs as root.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use linli::proposal::{FOLDER, MOST_KEPT, Outcome, Proposal, digest_of};

use crate::parts::program;

struct Box {
    _folder: tempfile::TempDir,
    main: PathBuf,
    state: PathBuf,
    outcomes: PathBuf,
}

/// A configuration with a drop-in, a state folder, a folder for outcomes.
fn site() -> Box {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (main, state, outcomes) = (at.join("etc/linli.toml"), at.join("state"), at.join("run"));
    for made in [&at.join("etc/conf.d"), &at.join("etc/trust"), &state, &outcomes] {
        fs::create_dir_all(made).unwrap();
    }
    let text = format!(
        "[gateway]\nid = \"box\"\n[clock]\ntrust = \"system\"\n[buffer]\npath = \"{}/buffer\"\n\
         keep_free = \"1MiB\"\n",
        state.display()
    );
    fs::write(&main, text).unwrap();
    fs::set_permissions(&main, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(at.join("etc/conf.d/10-page.toml"), "# nothing yet\n").unwrap();
    // Others come this far, as on a box.
    fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
    Box { _folder: folder, main, state, outcomes }
}

impl Box {
    fn propose(&self, file: &Path, base: &str, text: &str) {
        let (base, text) = (digest_of(base), text.to_owned());
        Proposal::new(&self.main, file, base, text, "li").unwrap().put(&self.state).unwrap();
    }

    fn install(&self) -> Output {
        // As the unit has it: what others read must be open to them all the same.
        Command::new("sh")
            .args(["-c", "umask 0077; exec \"$@\"", "sh"])
            .arg(program())
            .args(["config", "install", "--proposal"])
            .arg(self.state.join(FOLDER))
            .arg("--config")
            .arg(&self.main)
            .arg("--outcomes")
            .arg(&self.outcomes)
            .output()
            .unwrap()
    }

    /// Takes the change up, which is refused; why.
    fn refused(&self) -> String {
        let before = fs::read_to_string(&self.main).unwrap();
        let output = self.install();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(fs::read_to_string(&self.main).unwrap(), before, "nothing is changed");
        let outcome = Outcome::last(&self.outcomes).unwrap();
        assert!(!outcome.ok && !outcome.why_zh.is_empty(), "{outcome:?}");
        outcome.why
    }
}

#[test]
fn a_change_from_the_page_is_installed_with_the_old_file_kept_and_one_that_is_not_good_is_refused()
{
    let site = site();
    assert_eq!(site.install().status.code(), Some(0), "nothing to do");
    let old = fs::read_to_string(&site.main).unwrap();
    let new = old.replace("id = \"box\"", "id = \"box\"\nname = \"改名的小区\"");
    site.propose(&site.main, &old, &new);
    let output = site.install();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(fs::read_to_string(&site.main).unwrap(), new);
    for read_by_the_daemon in [&site.main, &site.outcomes.join("outcome.json")] {
        let mode = fs::metadata(read_by_the_daemon).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o644, "{}", read_by_the_daemon.display());
    }
    assert_eq!(fs::read_to_string(site.main.with_extension("toml.1")).unwrap(), old);
    assert!(Outcome::last(&site.outcomes).unwrap().ok);
    assert!(fs::read_dir(site.state.join(FOLDER)).unwrap().next().is_none(), "it is taken");

    let drop_in = site.main.with_file_name("conf.d").join("10-page.toml");
    site.propose(&drop_in, "# nothing yet\n", "[[bus]]\nid = \"row\"\ntcp = \"127.0.0.1:502\"\n");
    let output = site.install();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(fs::read_to_string(&drop_in).unwrap().contains("127.0.0.1:502"));

    site.propose(&site.main, &old, "# of yesterday\n");
    assert!(site.refused().contains("somebody else"));
    site.propose(&site.main, &new, &new.replace("id = ", "idd = "));
    assert!(site.refused().contains("idd"));
    let moved = new.replace("/buffer\"", "/../../etc\"");
    site.propose(&site.main, &new, &moved);
    assert!(site.refused().contains("buffer.path"));
    site.propose(&site.main, &new, &format!("{new}[stars]\nattestations = \"/etc/shadow\"\n"));
    assert!(site.refused().contains("stars.attestations"));
    fs::write(site.state.join(FOLDER).join("change.json"), "rubbish").unwrap();
    assert!(site.refused().contains("line 1"));
    // A file of its own making, named in a proposal of its own making.
    let key = "{\"v\":1,\"file\":\"trust/evil.pub\",\"base\":\"\",\"text\":\"k\",\"who\":\"li\"}";
    fs::write(site.state.join(FOLDER).join("change.json"), key).unwrap();
    assert!(site.refused().contains("no such file"));
    assert!(fs::read_dir(site.main.with_file_name("trust")).unwrap().next().is_none());
}

#[test]
fn what_the_configuration_names_is_read_with_the_rights_of_the_service_alone() {
    let site = site();
    let attestations = site.state.join("attestations.toml");
    fs::write(&attestations, "").unwrap();
    let old = format!(
        "{}[stars]\nattestations = \"{}\"\n",
        fs::read_to_string(&site.main).unwrap(),
        attestations.display()
    );
    fs::write(&site.main, &old).unwrap();
    let new = old.replace("id = \"box\"", "id = \"box\"\nname = \"a\"");
    site.propose(&site.main, &old, &new);
    // The folder is the service's: it puts a link there, to what is root's.
    let secret = site.main.with_file_name("secret");
    fs::write(&secret, "root = \"alone\"\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(&attestations).unwrap();
    std::os::unix::fs::symlink(&secret, &attestations).unwrap();
    if !rustix::process::geteuid().is_root() {
        eprintln!("only root has rights to give up: not looked at");
        return;
    }
    let nobody = Some(65_534);
    std::os::unix::fs::chown(site.state.join(FOLDER), nobody, nobody).unwrap();
    let why = site.refused();
    assert!(why.contains("stars.attestations") && why.contains("cannot be read"), "{why}");
    assert!(!why.contains("alone"), "{why}");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "root = \"alone\"\n");
    // What the service may read is no reason to refuse, nor that nothing can be written here.
    fs::remove_file(&attestations).unwrap();
    fs::write(&attestations, "").unwrap();
    site.propose(&site.main, &old, &new);
    let output = site.install();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn of_the_earlier_versions_of_a_file_so_many_are_kept_that_nobody_fills_the_disk() {
    let site = site();
    let mut old = fs::read_to_string(&site.main).unwrap();
    for n in 0..MOST_KEPT + 3 {
        let new = format!("{old}# {n}\n");
        site.propose(&site.main, &old, &new);
        assert_eq!(site.install().status.code(), Some(0));
        old = new;
    }
    let files = fs::read_dir(site.main.parent().unwrap()).unwrap();
    let kept = files.filter(|file| {
        let name = file.as_ref().unwrap().file_name().into_string().unwrap();
        name.starts_with("linli.toml.")
    });
    assert_eq!(kept.count(), MOST_KEPT);
}
