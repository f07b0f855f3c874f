//! Users, tokens and the trail with the real daemon and the real commands; and no secret in
//! anything that either of them writes or answers.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::parts::{Process, free_port, program, wait_until};

const PASSWORD: &str = "Zq7-parrot-on-the-roof";
const WRONG: &str = "Xk3-parrot-in-the-cellar";
const NEXT: &str = "Vw9-parrot-by-the-lake";

struct Gateway {
    folder: tempfile::TempDir,
    port: u16,
    /// Everything that commands and pages said.
    said: String,
}

impl Gateway {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let text = format!(
            "[gateway]\nid = \"trial\"\n[clock]\ntrust = \"system\"\n[buffer]\npath = \"state/buffer\"\n\
             keep_free = \"1MiB\"\n[status]\nlisten = \"127.0.0.1:{port}\"\n"
        );
        fs::write(folder.path().join("linli.toml"), text).unwrap();
        fs::create_dir(folder.path().join("state")).unwrap();
        Self { folder, port, said: String::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the daemon with the whole log; waits until it serves.
    fn run(&self) -> Process {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let daemon = Process::start(
            Command::new(program())
                .args(["run", "--config"])
                .arg(self.path("linli.toml"))
                .env("LINLI_LOG", "trace")
                .env("RUST_BACKTRACE", "full")
                .stderr(log),
        );
        let health = format!("http://127.0.0.1:{}/healthz", self.port);
        wait_until("the page answers", || {
            Command::new("curl")
                .args(["-sf", "-o", "/dev/null", &health])
                .status()
                .unwrap()
                .success()
        });
        daemon
    }

    /// Runs a command with a line of input; success, and what it printed.
    fn linli(
        &mut self,
        arguments: &[&str],
        input: &str,
        variables: &[(&str, &str)],
    ) -> (bool, String) {
        let mut child = Command::new(program())
            .args(arguments)
            .arg("--config")
            .arg(self.path("linli.toml"))
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who asks for no password may have ended already.
        writeln!(child.stdin.take().unwrap(), "{input}").ok();
        let output = child.wait_with_output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        self.said += &String::from_utf8(output.stderr).unwrap();
        if !arguments.starts_with(&["users", "token"]) {
            self.said += &printed;
        }
        (output.status.success(), printed)
    }

    /// Asks the page; status, and the body with its head.
    fn curl(&mut self, path: &str, arguments: &[&str]) -> (u16, String) {
        let output = Command::new("curl")
            .args(["-s", "-i", "-w", "\n%{http_code}"])
            .args(arguments)
            .arg(format!("http://127.0.0.1:{}{path}", self.port))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (text, status) = text.rsplit_once('\n').unwrap();
        // The one place where a cookie belongs.
        let cookies = |line: &&str| !line.to_lowercase().starts_with("set-cookie");
        self.said.extend(text.lines().filter(cookies).flat_map(|line| [line, "\n"]));
        (status.parse().unwrap(), text.to_owned())
    }

    fn log_in(&mut self, name: &str, password: &str) -> u16 {
        let jar = self.path("jar").display().to_string();
        let (name, password) = (format!("name={name}"), format!("password={password}"));
        let form = ["-c", &jar, "--data-urlencode", &name, "--data-urlencode", &password];
        self.curl("/login", &form).0
    }

    fn page(&mut self, path: &str) -> u16 {
        let jar = self.path("jar").display().to_string();
        self.curl(path, &["-b", &jar]).0
    }
}

/// Every file below a folder with its bytes.
fn files(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found)
        } else {
            found.push((path.clone(), fs::read(path).unwrap()))
        }
    }
}

#[test]
fn people_and_scripts_come_in_by_what_the_console_gave_them_and_no_secret_shows_anywhere() {
    let mut site = Gateway::new();
    let daemon = site.run();
    let (status, body) = site.curl("/", &[]);
    assert!(status == 403 && body.contains("linli users add"), "{body}");
    assert!(!site.linli(&["users", "add", "wang", "--role", "maintainer"], "short", &[]).0);
    assert!(!site.linli(&["users", "add", "wang", "--role", "maintainer"], "password1", &[]).0);
    assert!(site.linli(&["users", "add", "wang", "--role", "maintainer"], PASSWORD, &[]).0);
    assert!(!site.linli(&["users", "add", "wang", "--role", "viewer"], PASSWORD, &[]).0);

    assert_eq!(site.log_in("wang", WRONG), 403);
    // People type their password into the wrong field.
    assert_eq!(site.log_in(WRONG, WRONG), 403);
    assert_eq!(site.log_in("wang", PASSWORD), 303);
    for path in [
        "/",
        "/devices",
        "/buses",
        "/delivery",
        "/audit",
        "/metrics",
        "/api/v1/gateway",
        "/api/v1/users",
        "/api/v1/audit",
    ] {
        assert_eq!(site.page(path), 200, "{path}");
    }
    let jar = fs::read_to_string(site.path("jar")).unwrap();
    let cookie = jar.lines().find(|line| line.contains("linli_session")).unwrap();
    let cookie = cookie.split('\t').next_back().unwrap().to_owned();

    let (made, token) = site.linli(&["users", "token", "prometheus"], "", &[]);
    let token = token.trim().to_owned();
    assert!(made && token.starts_with("linli_"));
    let bearer = format!("Authorization: Bearer {token}");
    assert_eq!(site.curl("/metrics", &["-H", &bearer]).0, 200);
    assert_eq!(site.curl("/audit", &["-H", &bearer]).0, 403);
    assert_eq!(site.curl("/metrics", &["-H", &format!("{bearer}x")]).0, 401);

    // The commands of this machine ask with its own token, or with one that is named.
    assert!(site.linli(&["buffer", "show", "--json"], "", &[]).0);
    let (_, list) = site.linli(&["users", "list", "--json"], "", &[]);
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert!(list["tokens"][0]["used_ms"].is_i64(), "{list}");
    assert!(!site.linli(&["audit"], "", &[("LINLI_TOKEN", &token)]).0, "a viewer's token");
    let (_, hash) = site.linli(&["audit", "--json"], "", &[]);
    for part in ["user_added", "\"login\"", "token_added"] {
        assert!(hash.contains(part), "{part}: {hash}");
    }

    // A new password ends the session at once.
    assert!(site.linli(&["users", "passwd", "wang"], NEXT, &[]).0);
    assert_eq!(site.page("/"), 303);
    assert_eq!(site.log_in("wang", PASSWORD), 403);
    assert_eq!(site.log_in("wang", NEXT), 303);
    assert_eq!(daemon.terminate(), 0);

    // While it does not run, the store is read; what was changed meanwhile is noted at the start.
    assert!(site.linli(&["users", "revoke", "prometheus"], "", &[]).0);
    let (read, trail) = site.linli(&["audit", "--who", "wang"], "", &[]);
    assert!(read && trail.contains("login 登录"), "{trail}");
    let daemon = site.run();
    assert_eq!(site.page("/"), 303, "sessions end with the daemon");
    assert_eq!(site.curl("/metrics", &["-H", &bearer]).0, 401);
    let (_, trail) = site.linli(&["audit"], "", &[]);
    assert!(trail.contains("API token revoked 吊销接口令牌, done 成功: prometheus"), "{trail}");
    assert!(site.linli(&["audit", "--verify"], "", &[]).0);
    assert_eq!(daemon.terminate(), 0);

    let mut kept = Vec::new();
    files(&site.path("state"), &mut kept);
    kept.retain(|(path, _)| !path.ends_with("console.token"));
    kept.push((site.path("log"), fs::read(site.path("log")).unwrap()));
    kept.push(("said".into(), site.said.clone().into_bytes()));
    for secret in [PASSWORD, WRONG, NEXT, &token, &cookie] {
        for (path, bytes) in &kept {
            let shows = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            // The form keeps the name that was typed, for whoever typed it.
            let own = secret == WRONG && path.ends_with("said");
            assert!(!shows || own, "{secret} stands in {}", path.display());
        }
    }
}

#[test]
fn a_hash_that_was_made_elsewhere_lets_in_and_a_page_without_login_stays_on_its_machine() {
    let mut site = Gateway::new();
    let mut child = Command::new(program())
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    let hash = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let hash = hash.trim();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let add = ["users", "add", "李娜", "--role", "viewer", "--hash"];
    assert!(!site.linli(&[&add[..], &["plain-password"]].concat(), "", &[]).0);
    assert!(site.linli(&[&add[..], &[hash]].concat(), "", &[]).0);
    let daemon = site.run();
    assert_eq!(site.log_in("李娜", PASSWORD), 303);
    assert_eq!(site.page("/audit"), 403);
    assert_eq!(daemon.terminate(), 0);

    let file = site.path("linli.toml");
    let text = fs::read_to_string(&file).unwrap();
    let open = |listen: &str| {
        let listen = format!("listen = \"{listen}:{}\"\naccess = \"open\"", site.port);
        text.replace(&format!("listen = \"127.0.0.1:{}\"", site.port), &listen)
    };
    for (listen, good) in [("127.0.0.1", true), ("0.0.0.0", false), ("192.168.1.9", false)] {
        fs::write(&file, open(listen)).unwrap();
        let output =
            Command::new(program()).args(["check", "--config"]).arg(&file).output().unwrap();
        assert_eq!(output.status.success(), good, "{listen}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said.contains("linli users add"), !good, "{said}");
    }
}
