//! `linli setup` as an installer meets it: questions, refusals, signed bundles.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::certificates::Authority;
use crate::parts::program;

/// A box: its configuration folder, its state, a trust folder, a stick.
pub struct Gateway {
    folder: tempfile::TempDir,
}

impl Gateway {
    pub fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["etc", "state", "trust", "stick", "keys"] {
            fs::create_dir(made.at(folder)).unwrap();
        }
        made
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> PathBuf {
        self.at("etc/linli.toml")
    }

    /// A configuration whose state lies in this box.
    pub fn configured(self, more: &str) -> Self {
        let state = self.at("state").display().to_string();
        let text =
            format!("# ours\n[buffer]\npath = \"{state}/buffer\"\nkeep_free = \"1MiB\"\n{more}");
        fs::write(self.config(), text).unwrap();
        self
    }

    pub fn text(&self) -> String {
        fs::read_to_string(self.config()).unwrap()
    }

    pub fn command(&self, command: &[&str], more: &[&str]) -> Command {
        let mut process = Command::new(program());
        process.args(command).arg("--config").arg(self.config()).args(more);
        process
    }

    /// `linli setup` that starts nothing and waits for nothing.
    fn setup(&self, more: &[&str]) -> Output {
        let trust = self.at("trust").display().to_string();
        let usual = ["--no-start", "--wait", "0s", "--trust", &trust];
        self.command(&["setup"], &[&usual[..], more].concat())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The same with typed answers.
    fn typed(&self, answers: &str, more: &[&str]) -> Output {
        let mut command = self.command(&["setup", "--no-start", "--wait", "0s"], more);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end before it read everything: that is what some cases are about.
        let written = child.stdin.take().unwrap().write_all(answers.as_bytes());
        let output = child.wait_with_output().unwrap();
        assert!(written.is_ok() || !output.status.success(), "{written:?}");
        output
    }

    /// A key of an integrator; `trusted` puts its public half into the trust folder.
    fn key(&self, name: &str, trusted: bool) {
        let (secret, public) =
            (self.at(&format!("keys/{name}")), self.at(&format!("keys/{name}.pub")));
        let mut command = Command::new("minisign");
        command.args(["-G", "-W", "-s"]).arg(&secret).arg("-p").arg(&public);
        assert!(command.stdout(Stdio::null()).status().unwrap().success());
        if trusted {
            let to = self.at(&format!("trust/{name}.pub"));
            fs::copy(public, &to).unwrap();
            fs::set_permissions(to, fs::Permissions::from_mode(0o644)).unwrap();
        }
    }

    /// Packs files into the stick's bundle and signs it.
    fn bundle(&self, key: &str, comment: &str, files: &[(&str, &str)]) {
        let packed = self.at("packed");
        let mut names = Vec::new();
        for (name, content) in files {
            let path = packed.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            names.push(*name);
        }
        let tar = self.tar();
        let mut command = Command::new("tar");
        command.arg("-cf").arg(&tar).arg("-C").arg(&packed).args(&names);
        assert!(command.status().unwrap().success());
        self.sign(key, comment);
    }

    fn tar(&self) -> PathBuf {
        self.at("stick/linli-setup.tar")
    }

    fn sign(&self, key: &str, comment: &str) {
        let mut command = Command::new("minisign");
        command.args(["-S", "-s"]).arg(self.at(&format!("keys/{key}")));
        command.arg("-m").arg(self.tar()).args(["-t", comment]);
        assert!(command.stdout(Stdio::null()).stdin(Stdio::null()).status().unwrap().success());
    }

    /// Runs the bundle of the stick.
    fn plug_in(&self, more: &[&str]) -> Output {
        let stick = self.at("stick").display().to_string();
        self.setup(&[&["--bundle", &stick, "--serial", "none"][..], more].concat())
    }

    /// The bundle is refused with these words, and nothing on the box changed.
    fn refuses(&self, more: &[&str], words: &[&str]) {
        let before = self.text();
        let output = self.plug_in(more);
        assert!(!output.status.success());
        let told = told(&output);
        for word in words {
            assert!(told.contains(word), "`{word}` is missing in:\n{told}");
        }
        assert_eq!(self.text(), before);
        assert_eq!(fs::read_dir(self.at("etc")).unwrap().count(), 1, "nothing is left behind");
    }
}

pub fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub fn shown(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn typed_answers_become_a_configuration_and_a_wrong_one_is_asked_again() {
    let gateway = Gateway::new().configured("");
    // Lines, if this machine has any, are not chosen: `--serial none`.
    let answers =
        "Bad Name\nbox-7\n泉景花园\nnew\nnone\nplatform.city.cn\ny\n\n\n\n127.0.0.1:8081\ny\n";
    let output = gateway.typed(answers, &["--serial", "none", "--user", "li", "--hash", HASH]);
    let told = told(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("只能用小写字母") && told.contains("网关标识"), "{told}");
    let text = gateway.text();
    for part in [
        "# ours",
        "id = \"box-7\"",
        "kind = \"new\"",
        "[uplink.tls]",
        "listen = \"127.0.0.1:8081\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(
        shown(&output).contains("+id = \"box-7\""),
        "the difference is shown: {}",
        shown(&output)
    );
    let users = fs::read_to_string(gateway.at("state/users.json")).unwrap();
    assert!(users.contains("\"li\"") && users.contains("maintainer"), "{users}");
}

/// Of `linli hash-password`, of nobody's password.
const HASH: &str =
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

#[test]
fn giving_up_or_ending_half_way_changes_nothing() {
    let gateway = Gateway::new().configured("");
    let before = gateway.text();
    for answers in ["box-7\n", "box-7\nname\nnew\nnone\nnone\n127.0.0.1:8081\nn\n"] {
        let output = gateway.typed(answers, &["--serial", "none", "--user", "li", "--hash", HASH]);
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        assert_eq!(gateway.text(), before);
        assert!(!gateway.at("state/users.json").exists());
    }
}

#[test]
fn flags_that_cannot_be_are_refused_with_all_faults_and_nothing_is_written() {
    let gateway = Gateway::new().configured("[gateway]\nid = \"box\"\n");
    let before = gateway.text();
    let output =
        gateway.setup(&["--yes", "--id", "Bad Name", "--serial", "none", "--listen", "nowhere"]);
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    for part in ["Bad Name", "nowhere", "未写入任何内容"] {
        assert!(told(&output).contains(part), "`{part}` is missing in:\n{}", told(&output));
    }
    let other = gateway.setup(&["--yes", "--serial", "none", "--cert", "/nowhere/cert.pem"]);
    assert!(told(&other).contains("/nowhere/cert.pem"), "{}", told(&other));
    assert_eq!(gateway.text(), before);
    let empty = Gateway::new();
    let output = empty.setup(&["--yes", "--serial", "none"]);
    assert!(told(&output).contains("--id"), "{}", told(&output));
    assert!(!empty.config().exists());
}

/// What the stick of an estate holds.
fn contents(gateway: &Gateway) -> Vec<(&'static str, String)> {
    let city = Authority::new("the city");
    city.sign(&gateway.at("keys"), "box", "box.test", 2098);
    let read = |name: &str| fs::read_to_string(gateway.at("keys").join(name)).unwrap();
    let profile = include_str!("../../config/profiles/eastron-sdm120.toml");
    vec![
        (
            "answers.toml",
            format!(
                "[gateway]\nid = \"box-9\"\nname = \"泉景花园\"\n[field]\nbroker = \"none\"\n\
                 [page]\nuser = \"wang\"\nhash = \"{HASH}\"\nlisten = \"0.0.0.0:8443\"\n\
                 [platform]\naddress = \"platform.city.cn\"\n"
            ),
        ),
        ("platform-ca.pem", city.0.pem()),
        ("platform.pem", read("box.pem")),
        ("platform-key.pem", read("box.key")),
        ("profiles/own-meter.toml", profile.to_owned()),
    ]
}

fn borrowed<'c>(contents: &'c [(&'static str, String)]) -> Vec<(&'c str, &'c str)> {
    contents.iter().map(|(name, text)| (*name, text.as_str())).collect()
}

#[test]
fn a_signed_bundle_sets_the_box_up_without_typing() {
    let gateway = Gateway::new().configured("");
    gateway.key("integrator", true);
    let contents = contents(&gateway);
    gateway.bundle("integrator", "linli-setup gateway=box-9 serial=7", &borrowed(&contents));
    let output = gateway.plug_in(&[]);
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("linli-setup gateway=box-9 serial=7"), "{}", told(&output));
    let text = gateway.text();
    for part in [
        "# ours",
        "id = \"box-9\"",
        "name = \"泉景花园\"",
        "host = \"platform.city.cn\"",
        "key_file = ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(gateway.at("etc/profiles/own-meter.toml").exists());
    assert!(fs::read_to_string(gateway.at("state/users.json")).unwrap().contains("\"wang\""));
    let check = gateway.command(&["check"], &[]).output().unwrap();
    assert!(check.status.success(), "{}", told(&check));

    // The same stick once more changes nothing; an older one is refused, a newer one is taken.
    assert!(gateway.plug_in(&[]).status.success());
    assert_eq!(gateway.text(), text);
    gateway.sign("integrator", "linli-setup gateway=box-9 serial=6");
    let older = gateway.plug_in(&[]);
    assert!(told(&older).contains("序号为 6") && told(&older).contains("7"), "{}", told(&older));
    gateway.sign("integrator", "linli-setup gateway=* serial=8");
    assert!(gateway.plug_in(&[]).status.success());
}

#[test]
fn a_bundle_that_is_not_signed_for_this_box_is_refused() {
    let gateway = Gateway::new().configured("");
    let contents = contents(&gateway);
    let files = borrowed(&contents);
    gateway.key("stranger", false);
    gateway.bundle("stranger", "linli-setup gateway=box-9 serial=7", &files);
    gateway.refuses(&[], &["no key is trusted", "没有受信任的公钥"]);
    gateway.key("integrator", true);
    gateway.refuses(&[], &["was made by key", "签署"]);
    gateway.sign("integrator", "linli-upgrade version=0.2.0");
    gateway.refuses(&[], &["must begin with `linli-setup`", "用途不符"]);
    gateway.sign("integrator", "linli-setup gateway=box-9");
    gateway.refuses(&[], &["serial=NUMBER", "序号"]);
    gateway.sign("integrator", "linli-setup gateway=box-8 serial=7");
    gateway.refuses(&[], &["for gateway `box-8`, this one is `box-9`"]);
    gateway.sign("integrator", "linli-setup gateway=box-9 serial=7");
    let mut bytes = fs::read(gateway.tar()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(gateway.tar(), bytes).unwrap();
    gateway.refuses(&[], &["is not what key", "签名不符"]);
}

#[test]
fn a_signed_bundle_with_wrong_content_is_refused_whole() {
    let gateway = Gateway::new().configured("");
    gateway.key("integrator", true);
    let comment = "linli-setup gateway=* serial=7";
    let id = (
        "answers.toml",
        "[gateway]\nid = \"box-9\"\n[field]\nbroker = \"none\"\n[platform]\naddress = \"none\"\n",
    );
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("answers.toml", "[gateway]\nident = \"box\"\n")], "answers.toml"),
        (&[id, ("notes.txt", "x")], "does not belong into a bundle"),
        (&[id, ("platform.pem", "x")], "go together"),
        (&[id, ("profiles/broken.toml", "category = 1\n")], "a profile is wrong"),
        (&[id, ("linli.toml", "[gateway\n")], "is not TOML"),
    ];
    for (files, word) in cases {
        gateway.bundle("integrator", comment, files);
        gateway.refuses(&[], &[word]);
    }
}

#[test]
fn a_whole_configuration_in_a_bundle_takes_the_place_of_the_present_one() {
    let gateway = Gateway::new().configured("[gateway]\nid = \"old\"\n");
    let before = gateway.text();
    gateway.key("integrator", true);
    let whole = before.replace("# ours", "# of the stick").replace("\"old\"", "\"box-9\"");
    gateway.bundle("integrator", "linli-setup gateway=box-9 serial=7", &[("linli.toml", &whole)]);
    let output = gateway.plug_in(&["--broker", "none", "--listen", "127.0.0.1:8081"]);
    assert!(output.status.success(), "{}", told(&output));
    assert!(gateway.text().starts_with("# of the stick"), "{}", gateway.text());
    assert_eq!(fs::read_to_string(gateway.at("etc/linli.toml.1")).unwrap(), before);
}
