//! A change that somebody made on the page, taken up by the command of the unit that runs as root.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use linli::proposal::{FOLDER, Outcome, Proposal, digest_of};

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
    fs::set_permissions(&main, fs::Permissions::from_mode(0o640)).unwrap();
    fs::write(at.join("etc/conf.d/10-page.toml"), "# nothing yet\n").unwrap();
    Box { _folder: folder, main, state, outcomes }
}

impl Box {
    fn propose(&self, file: &Path, base: &str, text: &str) {
        let (base, text) = (digest_of(base), text.to_owned());
        Proposal::new(&self.main, file, base, text, "li").unwrap().put(&self.state).unwrap();
    }

    fn install(&self) -> Output {
        Command::new(program())
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
    assert_eq!(fs::metadata(&site.main).unwrap().permissions().mode() & 0o777, 0o640);
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
