//! `linli doctor` and `linli support-bundle` on a box that runs, on one that does not, on one whose
//! configuration is wrong; and no planted secret in anything that leaves the box.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::parts::{Process, free_port, linli, mosquitto, program, wait_until};

/// Every one of these is planted somewhere, and must be nowhere in the bundle.
const PLANTED: [&str; 11] = [
    "Zq7-parrot-on-the-roof",
    "Xk3-parrot-in-the-cellar",
    "Vw9-parrot-by-the-lake",
    "Bm4-parrot-in-a-comment",
    "Cn5-parrot-in-a-drop-in",
    "Dp6-parrot-in-an-address",
    "Er7-parrot-in-the-journal",
    "Fs8-parrot-in-a-header",
    "Gt9-parrot-in-the-unit",
    "SGVyZSBpcyBhIHByaXZhdGUga2V5",
    "linli_Ab0-Ab0_Ab0-Ab0_Ab0-Ab0_Ab0-Ab0_Ab0-Ab0_Ab0",
];

struct Box_ {
    folder: tempfile::TempDir,
    page: u16,
    broker: u16,
}

impl Box_ {
    fn new() -> Self {
        let made =
            Self { folder: tempfile::tempdir().unwrap(), page: free_port(), broker: free_port() };
        made.write("password", PLANTED[0]);
        fs::set_permissions(made.path("password"), fs::Permissions::from_mode(0o600)).unwrap();
        let (page, broker) = (made.page, made.broker);
        made.write(
            "linli.toml",
            &format!(
                "# old: {}\n[gateway]\nid = \"trial\"\n[clock]\ntrust = \"system\"\n\
                 [buffer]\npath = \"state/buffer\"\nkeep_free = \"1MiB\"\nbudget = \"16MiB\"\n\
                 [status]\nlisten = \"127.0.0.1:{page}\"\n\
                 [mqtt]\nhost = \"127.0.0.1\"\nport = {broker}\nusername = \"linli\"\n\
                 password_file = \"password\"\n",
                PLANTED[3]
            ),
        );
        fs::create_dir(made.path("state")).unwrap();
        made.programs();
        made
    }

    /// What stands for systemd and its journal: they speak of secrets.
    fn programs(&self) {
        fs::create_dir(self.path("bin")).unwrap();
        let journal = format!(
            "2026-11-27 linli[7]: login password={} failed\n\
             2026-11-27 linli[7]: Authorization: Bearer {}\n\
             2026-11-27 linli[7]: mqtt://linli:{}@box said {}\n\
             -----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            PLANTED[6], PLANTED[7], PLANTED[0], PLANTED[10], PLANTED[9]
        );
        let unit = format!(
            "LoadState=loaded\nActiveState=failed\nExecMainStatus=64\n\
                            Environment=API_TOKEN={}\n",
            PLANTED[8]
        );
        for (name, text) in [("journalctl", journal), ("systemctl", unit)] {
            self.write(&format!("bin/{name}.txt"), &text);
            let script =
                format!("#!/bin/sh\ncat {}\n", self.path(&format!("bin/{name}.txt")).display());
            self.write(&format!("bin/{name}"), &script);
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(self.path(&format!("bin/{name}")), mode).unwrap();
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> (i32, String) {
        let path = std::env::var("PATH").unwrap();
        let output = Command::new(program())
            .args(arguments)
            .arg("--config")
            .arg(self.path("linli.toml"))
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("LINLI_TOKEN", PLANTED[10])
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    /// The items of the doctor's report, and its exit code.
    fn doctor(&self, more: &[&str]) -> (i32, Vec<Value>) {
        let (code, said) = self.command(&[&["doctor", "--json"], more].concat());
        let mut report: Value =
            serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
        let items = report["items"].take();
        (code, items.as_array().unwrap().clone())
    }

    fn start(&self) -> Process {
        let daemon = linli(&self.path("linli.toml"), &self.path("log"));
        let health = format!("http://127.0.0.1:{}/healthz", self.page);
        wait_until("the page answers", || {
            let curl = Command::new("curl").args(["-sf", "-o", "/dev/null", &health]).status();
            curl.unwrap().success()
        });
        daemon
    }
}

/// The first item of an area, which must be there.
fn of<'a>(items: &'a [Value], area: &str) -> &'a Value {
    items.iter().find(|item| item["area"] == area).unwrap_or_else(|| panic!("{area}: {items:#?}"))
}

fn text<'a>(item: &'a Value, part: &str) -> &'a str {
    item[part]["en"].as_str().unwrap_or_default()
}

#[test]
fn the_doctor_looks_at_a_box_whose_gateway_does_not_run() {
    let made = Box_::new();
    let (code, items) = made.doctor(&[]);
    assert_eq!(code, 3, "{items:#?}");
    assert_eq!(of(&items, "page")["level"], "critical");
    assert!(text(of(&items, "page"), "todo").contains("systemctl start"));
    assert_eq!(of(&items, "field_broker")["level"], "critical");
    assert!(text(of(&items, "field_broker"), "seen").contains("nothing listens"));
    assert!(text(of(&items, "service"), "todo").contains("linli check"), "exit status 64");
    let good = |item: &Value| item["area"] == "configuration" && item["level"] == "good";
    assert!(items.iter().any(good), "{items:#?}");
    for area in ["storage", "memory", "clock", "wear"] {
        of(&items, area);
    }
    let ranks = ["critical", "warning", "unseen", "notice", "good"];
    let rank = |item: &Value| ranks.iter().position(|level| item["level"] == *level).unwrap();
    assert!(items.is_sorted_by_key(rank), "worst first");
    for item in &items {
        assert!(!item["seen"]["zh"].as_str().unwrap().is_empty(), "{item}");
        let wrong = rank(item) < 3;
        assert!(!wrong || !item["todo"]["zh"].as_str().unwrap().is_empty(), "{item}");
    }
    let (_, offline) = made.doctor(&["--offline"]);
    assert!(!offline.iter().any(|item| item["area"] == "field_broker"));
}

#[test]
fn the_doctor_asks_the_running_gateway_and_tries_the_broker() {
    let made = Box_::new();
    let _broker = mosquitto(made.folder.path(), made.broker);
    let _daemon = made.start();
    // A token of nobody: only who may read the console's token is told.
    let path = std::env::var("PATH").unwrap();
    let asked = Command::new(program())
        .args(["doctor", "--json", "--config"])
        .arg(made.path("linli.toml"))
        .env("PATH", format!("{}:{path}", made.path("bin").display()))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let items = report["items"].as_array().unwrap();
    assert_eq!(of(items, "page")["level"], "good");
    let platform = items.iter().find(|item| text(item, "seen").contains("no platform"));
    assert!(platform.is_some(), "the gateway's own trouble: {items:#?}");
    assert!(text(of(items, "field_broker"), "seen").contains("session accepted"));
    assert!(items.iter().any(|item| text(item, "seen").contains("blocks wait")));
    let (_, refused) = made.doctor(&[]);
    let unseen = refused.iter().find(|item| item["area"] == "page").unwrap();
    assert_eq!(unseen["level"], "unseen", "a wrong token: {refused:#?}");
    assert!(text(unseen, "todo").contains("LINLI_TOKEN"));
}

#[test]
fn a_wrong_configuration_is_told_and_everything_else_is_looked_at_all_the_same() {
    let made = Box_::new();
    let daemon = made.start();
    let good = fs::read_to_string(made.path("linli.toml")).unwrap();
    made.write("linli.toml", &good.replace("[mqtt]", "[mqtt]\nhots = 1"));
    let (_, items) = made.doctor(&["--offline"]);
    let told = of(&items, "configuration");
    assert_eq!(told["level"], "warning", "the gateway runs on with the one before");
    assert!(text(told, "seen").contains("hots"), "{told}");
    let port = made.page.to_string();
    let answers = |item: &Value| item["level"] == "good" && text(item, "seen").contains(&port);
    assert!(items.iter().any(answers), "{items:#?}");
    daemon.kill();
    let (code, items) = made.doctor(&["--offline"]);
    assert_eq!((code, &of(&items, "configuration")["level"]), (3, &"critical".into()));
    of(&items, "memory");
    made.write("linli.toml", "[gateway\n");
    let (code, items) = made.doctor(&["--offline"]);
    assert_eq!((code, &of(&items, "configuration")["level"]), (3, &"critical".into()));
}

/// All texts of a bundle, by name.
fn unpack(file: &Path) -> Vec<(String, String)> {
    let mut bytes = Vec::new();
    zstd::Decoder::new(fs::File::open(file).unwrap()).unwrap().read_to_end(&mut bytes).unwrap();
    let mut archive = tar::Archive::new(&bytes[..]);
    let files = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (entry.path().unwrap().display().to_string(), text)
    });
    files.collect()
}

fn holds_no_secret(made: &Box_, said: &str, files: &[(String, String)]) {
    for secret in PLANTED {
        assert!(!said.contains(secret), "{secret} in what the command says");
        for (name, text) in files {
            assert!(!text.contains(secret), "{secret} in {name}:\n{text}");
        }
    }
    let users = fs::read_to_string(made.path("state/users.json")).unwrap_or_default();
    let users: Value = serde_json::from_str(&users).unwrap_or_default();
    for hash in users["users"].as_array().into_iter().flatten() {
        let hash = hash["hash"].as_str().unwrap();
        assert!(files.iter().all(|(_, text)| !text.contains(hash)));
    }
}

#[test]
fn no_planted_secret_is_in_the_bundle_of_a_running_gateway() {
    let made = Box_::new();
    let _broker = mosquitto(made.folder.path(), made.broker);
    let mut add = Command::new(program())
        .args(["users", "add", "li", "--role", "viewer", "--config"])
        .arg(made.path("linli.toml"))
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    use std::io::Write as _;
    writeln!(add.stdin.take().unwrap(), "{}", PLANTED[2]).unwrap();
    assert!(add.wait().unwrap().success());
    let _daemon = made.start();
    let console = fs::read_to_string(made.path("state/console.token")).unwrap();
    let file = made.path("bundle.tar.zst");
    let path = std::env::var("PATH").unwrap();
    let asked = Command::new(program())
        .arg("support-bundle")
        .arg(&file)
        .arg("--config")
        .arg(made.path("linli.toml"))
        .env("PATH", format!("{}:{path}", made.path("bin").display()))
        .output()
        .unwrap();
    let said = String::from_utf8(asked.stdout).unwrap();
    assert!(asked.status.success(), "{said}{}", String::from_utf8_lossy(&asked.stderr));
    let files = unpack(&file);
    holds_no_secret(&made, &said, &files);
    assert!(files.iter().all(|(_, text)| !text.contains(console.trim())));
    let get = |name: &str| {
        let wanted = format!("linli-support/{name}");
        &files.iter().find(|(name, _)| *name == wanted).unwrap_or_else(|| panic!("{name}")).1
    };
    assert!(
        get("config/linli.toml").contains("password_file = \"password\"")
            || get("config/linli.toml").contains("[removed]")
    );
    assert!(get("journal.txt").contains("login password=[removed] failed"));
    assert!(get("service/unit.txt").contains("API_TOKEN=[removed]"));
    let gateway: Value = serde_json::from_str(get("api/gateway.json")).unwrap();
    assert_eq!(gateway["id"], "trial");
    for name in ["api/audit.json", "api/metrics.txt", "doctor.json", "version.txt", "CONTENTS"] {
        assert!(!get(name).is_empty(), "{name}");
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for (name, _) in &files[1..] {
        let name = name.trim_start_matches("linli-support/");
        assert!(said.contains(name), "{name} is listed before it leaves the box: {said}");
    }
    let (code, again) = made.command(&["support-bundle", file.to_str().unwrap()]);
    assert!(code == 1 && again.contains("already"), "nothing is overwritten: {again}");
    downloaded(&made);
}

/// The page gives the same away as the command, one at a time, and notes who took it.
fn downloaded(made: &Box_) {
    let (code, said) = made.command(&["users", "token", "support", "--role", "maintainer"]);
    assert_eq!(code, 0, "{said}");
    let token = said.lines().rev().find(|line| !line.contains(' ')).unwrap().to_owned();
    let ask = |path: &str, file: &Path| {
        let mut command = Command::new("curl");
        command.args(["-s", "--max-time", "60", "-w", "%{http_code}", "-o"]).arg(file);
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
        command.arg(format!("http://127.0.0.1:{}{path}", made.page));
        command
    };
    let place = "/api/v1/support-bundle";
    // The token is known within seconds.
    let nothing = made.path("nothing");
    wait_until("the token is known", || {
        ask("/api/v1/gateway", &nothing).output().unwrap().stdout == b"200"
    });
    let files = [made.path("first"), made.path("second")];
    let asked = files
        .each_ref()
        .map(|file| ask(place, file).stdout(std::process::Stdio::piped()).spawn().unwrap());
    let mut answers = asked.map(|child| child.wait_with_output().unwrap().stdout);
    let given = if answers[0] == b"200" { &files[0] } else { &files[1] };
    answers.sort();
    assert_eq!(answers, [b"200".to_vec(), b"503".to_vec()]);
    let texts = unpack(given);
    holds_no_secret(made, "", &texts);
    assert!(texts.iter().all(|(_, text)| !text.contains(&token)));
    for name in ["doctor.json", "config/linli.toml", "api/gateway.json", "CONTENTS"] {
        assert!(
            texts.iter().any(|(file, text)| file.ends_with(name) && !text.is_empty()),
            "{name}"
        );
    }
    let trail = made.path("trail");
    assert_eq!(ask("/api/v1/audit", &trail).output().unwrap().stdout, b"200");
    let trail: Value = serde_json::from_str(&fs::read_to_string(trail).unwrap()).unwrap();
    let entries = trail["entries"].as_array().unwrap();
    let bundles = entries.iter().filter(|entry| entry["action"] == "bundle");
    let mut outcomes: Vec<&str> = bundles.map(|entry| entry["outcome"].as_str().unwrap()).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["done", "failed"], "{entries:#?}");
    // The next is made once the last was sent.
    assert_eq!(ask(place, &files[0]).output().unwrap().stdout, b"200");
}

#[test]
fn no_planted_secret_is_in_the_bundle_of_a_box_whose_configuration_is_full_of_them() {
    let made = Box_::new();
    let good = fs::read_to_string(made.path("linli.toml")).unwrap();
    let wrong = good.replace(
        "[mqtt]\nhost = \"127.0.0.1\"",
        &format!(
            "[mqtt]\npassword = \"{}\"\nhost = \"mqtt://linli:{}@127.0.0.1\"\ntoken = '''\n{}\n'''",
            PLANTED[1], PLANTED[5], PLANTED[2]
        ),
    );
    made.write("linli.toml", &wrong);
    fs::create_dir(made.path("conf.d")).unwrap();
    made.write("conf.d/a.toml", &format!("[[bus]]\nid = \"a\"\npasswd = {}\n", PLANTED[4]));
    let list = made.command(&["support-bundle", "--list", "--offline"]);
    assert_eq!(list.0, 0);
    assert!(list.1.contains("config/conf.d/a.toml"), "{}", list.1);
    let left = fs::read_dir(made.folder.path()).unwrap();
    let tars = left.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains("tar"));
    assert_eq!(tars.count(), 0, "--list writes nothing");
    let file = made.path("bundle.tar.zst");
    let (code, said) = made.command(&["support-bundle", file.to_str().unwrap(), "--offline"]);
    assert_eq!(code, 0, "{said}");
    let files = unpack(&file);
    holds_no_secret(&made, &said, &files);
    let config = files.iter().find(|(name, _)| name.ends_with("config/linli.toml")).unwrap();
    assert!(config.1.contains("id = \"trial\"") && config.1.contains("[removed]"), "{}", config.1);
    assert!(files.iter().any(|(name, _)| name.ends_with("conf.d/a.toml")));
    assert!(files[0].1.contains("the gateway does not run"), "{}", files[0].1);
}
