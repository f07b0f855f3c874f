//! The Debian package: what is in it, whom it belongs to, and that it is the same each time. That
//! it works on a Debian is shown by `tests/box/run`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A program of this machine that is quick to pack.
const PROGRAM: &str = "/bin/true";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs the packer with these words.
fn packer(into: &Path, words: &[&str], zone: &str) -> Output {
    let bill = into.join("bill.json");
    fs::write(&bill, "{}\n").unwrap();
    let mut command = Command::new(repository().join(".ci/package"));
    command.args(words).arg("--sbom").arg(bill).arg("--into").arg(into.join("out"));
    command.env("TZ", zone).env("SOURCE_DATE_EPOCH", "1795816862").output().unwrap()
}

/// Packs the program; returns the package.
fn packed(into: &Path, zone: &str) -> PathBuf {
    let words = [
        "--target",
        "x86_64-unknown-linux-gnu",
        "--binary",
        PROGRAM,
        "--version",
        "9.9-1",
        "--level",
        "0",
    ];
    let output = packer(into, &words, zone);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    into.join("out/linli_9.9-1_amd64.deb")
}

fn told(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Path in the package: mode and owner, as tar prints them.
fn contents(package: &Path) -> BTreeMap<String, (String, String)> {
    let listing = told(Command::new("dpkg-deb").arg("-c").arg(package));
    let mut files = BTreeMap::new();
    for line in listing.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        files.insert(
            words[5].trim_start_matches('.').to_owned(),
            (words[0].to_owned(), words[1].to_owned()),
        );
    }
    files
}

#[test]
fn the_package_holds_what_a_box_needs_and_is_the_same_each_time() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let package = packed(one.path(), "UTC");
    let again = packed(two.path(), "Asia/Shanghai");
    assert!(fs::read(&package).unwrap() == fs::read(again).unwrap(), "two runs differ");

    let files = contents(&package);
    for (path, (mode, owner)) in &files {
        assert_eq!(owner, "root/root", "{path}");
        assert!(!mode.contains('s') && mode.chars().nth(8) != Some('w'), "{path}: {mode}");
    }
    for needed in [
        "/usr/bin/linli",
        "/etc/linli/linli.toml",
        "/lib/systemd/system/linli.service",
        "/lib/systemd/system/linli-apply.path",
        "/lib/systemd/system/linli-apply.service",
        "/usr/lib/sysusers.d/linli.conf",
        "/usr/lib/tmpfiles.d/linli.conf",
        "/usr/share/man/man1/linli-run.1.gz",
        "/usr/share/bash-completion/completions/linli",
        "/usr/share/linli/rules/star-levels.toml",
        "/usr/share/linli/mosquitto/linli.acl",
        "/usr/share/doc/linli/examples/linli.toml",
        "/usr/share/doc/linli/copyright",
        "/usr/share/doc/linli/licences.gz",
        "/usr/share/doc/linli/linli.cdx.json.gz",
        "/usr/share/doc/linli/changelog.Debian.gz",
    ] {
        assert!(files.contains_key(needed), "{needed} is missing");
    }
    for profile in fs::read_dir(repository().join("config/profiles")).unwrap() {
        let name = profile.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".toml") {
            assert!(files.contains_key(&format!("/usr/share/linli/profiles/{name}")), "{name}");
        }
    }
    // What the unit names is there.
    let unit = fs::read_to_string(repository().join("systemd/linli.service")).unwrap();
    for word in unit.split_whitespace() {
        let word = word.rsplit('=').next().unwrap().trim_start_matches("file://");
        let ours = word.starts_with("/usr/") || word.starts_with("/etc/");
        assert!(!ours || files.contains_key(word), "the unit names {word}");
    }
    let control = told(Command::new("dpkg-deb").arg("-f").arg(&package));
    for line in ["Architecture: amd64", "Version: 9.9-1", "Recommends: ca-certificates, mosquitto"]
    {
        assert!(control.lines().any(|one| one == line), "no `{line}` in\n{control}");
    }
}

#[test]
fn an_update_never_touches_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let package = packed(folder.path(), "UTC");
    let conffiles = told(Command::new("dpkg-deb").arg("-I").arg(&package).arg("conffiles"));
    assert_eq!(conffiles, "/etc/linli/linli.toml\n");
    // A changed conffile makes dpkg ask on every box, and an unattended update stop.
    let shipped = fs::read(repository().join("systemd/debian/linli.toml")).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, &shipped);
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, CONFFILE, "systemd/debian/linli.toml must stay as it was shipped");
    for script in ["postinst", "prerm", "postrm"] {
        let path = repository().join("systemd/debian").join(script);
        told(Command::new("sh").arg("-n").arg(&path));
    }
}

/// The digest of the conffile that every version ships.
const CONFFILE: &str = "fe15f13bad41d26827953048327039c91c5cd6953fe3a1e6bc1cd0b0e4b8ce1e";

#[test]
fn a_program_of_another_machine_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["--target", "aarch64-unknown-linux-gnu", "--binary", PROGRAM];
    let output = packer(folder.path(), &words, "UTC");
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("/bin/true is for") && said.contains("aarch64"), "{said}");
    assert!(!folder.path().join("out").exists());
}
