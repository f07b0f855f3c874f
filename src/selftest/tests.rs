//! Probes on made-up folders: faults first.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::logs::{LogLook, Storage, look};
use super::*;

/// What `/proc/self/status` says under the unit of this program.
const SANDBOXED: &str = "Name:\tlinli\nUid:\t998\t998\t998\t998\nCapInh:\t0000000000000000\n\
    CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n\
    CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t12\n";
/// And in a root shell.
const ROOT: &str = "Name:\tlinli\nUid:\t0\t0\t0\t0\nCapPrm:\t000001ffffffffff\n\
    CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\n\
    NoNewPrivs:\t0\nSeccomp:\t0\n";

fn put(root: &Path, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn outcome(report: &Report, id: &str) -> Outcome {
    report.items.iter().find(|item| item.id == id).expect(id).outcome
}

fn local() -> Connection {
    Connection {
        title: "mqtt://127.0.0.1:1883".into(),
        port: 1883,
        local: true,
        ..Default::default()
    }
}

#[test]
fn nothing_seen_is_unknown_and_never_a_pass() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(&Subject { root: folder.path().into(), ..Subject::default() });
    for id in [
        "process_user",
        "no_new_privileges",
        "capabilities",
        "seccomp",
        "platform_tls",
        "platform_credential",
        "signed_update",
    ] {
        assert_eq!(outcome(&report, id), Outcome::Unknown, "{id}");
    }
    assert_eq!(report.logs.storage, Storage::Unknown);
    for item in &report.items {
        assert_eq!(item.todo.is_none(), item.outcome == Outcome::Pass, "{}", item.id);
        assert!(!item.seen.zh.is_empty() && !item.seen.en.is_empty() && !item.title.zh.is_empty());
    }
}

#[test]
fn a_root_shell_fails_every_item_of_the_process_and_the_unit_passes_them() {
    let folder = tempfile::tempdir().unwrap();
    let ids = ["process_user", "no_new_privileges", "capabilities", "seccomp"];
    for (text, wanted) in [(ROOT, Outcome::Fail), (SANDBOXED, Outcome::Pass)] {
        put(folder.path(), "proc/self/status", text);
        let report = run(&Subject { root: folder.path().into(), ..Subject::default() });
        assert_eq!(ids.map(|id| outcome(&report, id)), [wanted; 4]);
    }
    // A bounding set is harmless only where nothing can be gained.
    for (no_new, wanted) in [("1", Outcome::Pass), ("0", Outcome::Fail)] {
        let text = SANDBOXED
            .replace("CapBnd:\t0000000000000000", "CapBnd:\t00000000000000ff")
            .replace("NoNewPrivs:\t1", &format!("NoNewPrivs:\t{no_new}"));
        put(folder.path(), "proc/self/status", text);
        let report = run(&Subject { root: folder.path().into(), ..Subject::default() });
        assert_eq!(outcome(&report, "capabilities"), wanted);
    }
}

#[test]
fn the_platform_needs_tls_and_a_credential_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let with = |platform: Connection| {
        let root = folder.path().into();
        let report = run(&Subject { root, platform: Some(platform), ..Subject::default() });
        [outcome(&report, "platform_tls"), outcome(&report, "platform_credential")]
    };
    assert_eq!(with(local()), [Outcome::Fail, Outcome::Fail]);
    let named = Connection { username: Some("a".into()), ..local() };
    assert_eq!(with(named.clone()), [Outcome::Fail; 2], "a name alone proves nothing");
    let password = Connection { password_file: Some("/none".into()), tls: true, ..named };
    assert_eq!(with(password), [Outcome::Pass; 2]);
    let certificate = Connection { certificate: true, tls: true, ..local() };
    assert_eq!(with(certificate), [Outcome::Pass; 2]);
}

#[test]
fn an_anonymous_field_broker_must_listen_on_this_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    let of = |broker: Option<Connection>| {
        let report =
            run(&Subject { root: folder.path().into(), field: broker, ..Subject::default() });
        outcome(&report, "field_broker")
    };
    assert_eq!(of(Some(local())), Outcome::Unknown, "no table of sockets");
    let head = "  sl  local_address rem_address   st tx_queue rx_queue\n";
    // 1883 is 075B; the first is connected, not listening.
    let inside = format!(
        "{head}   0: 00000000:075B 0100007F:9999 01 0:0\n   1: 0100007F:075B 00000000:0000 0A 0:0\n"
    );
    put(folder.path(), "proc/net/tcp", &inside);
    assert_eq!(of(Some(local())), Outcome::Pass);
    let six = format!("{head}   0: 00000000000000000000000000000000:075B 0:0 0A 0:0\n");
    put(folder.path(), "proc/net/tcp6", six);
    assert_eq!(of(Some(local())), Outcome::Fail, "also on every address of IPv6");
    assert_eq!(of(Some(Connection { local: false, ..local() })), Outcome::Fail);
    let login = Connection {
        username: Some("linli".into()),
        password_file: Some("/none".into()),
        ..local()
    };
    assert_eq!(of(Some(login)), Outcome::Pass);
    assert_eq!(of(None), Outcome::Pass);
}

#[test]
fn a_page_on_the_network_needs_a_login_and_tls() {
    use Outcome::{Fail, Pass};
    let outcome = |listen: &str, login: bool, tls: bool| {
        let (listen, users) = (listen.parse().unwrap(), login.then(|| "/nowhere".into()));
        page(Some(&LocalPage { listen, users, tls })).outcome
    };
    assert_eq!(page(None).outcome, Pass);
    for (listen, login, tls, wanted) in [
        ("127.0.0.1:8080", false, false, Pass),
        ("[::1]:8080", true, false, Pass),
        ("0.0.0.0:8080", true, true, Pass),
        ("0.0.0.0:8080", true, false, Fail),
        ("192.168.1.9:8080", false, true, Fail),
        ("[::]:8080", false, false, Fail),
    ] {
        assert_eq!(outcome(listen, login, tls), wanted, "{listen} {login} {tls}");
    }
}

#[test]
fn weak_passwords_and_open_files_are_found_and_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let check = |password: &str, bits: u32| {
        put(folder.path(), "password", password);
        mode(&path, bits);
        let field = Connection {
            username: Some("gateway-7f3".into()),
            password_file: Some(path.clone()),
            ..local()
        };
        let root = folder.path().into();
        let report = run(&Subject { root, field: Some(field), ..Subject::default() });
        assert!(password.trim().is_empty() || !format!("{report:?}").contains(password.trim()));
        [outcome(&report, "passwords"), outcome(&report, "secret_files")]
    };
    for weak in ["", "\n", "short7!\n", "Admin123\n", "GATEWAY-7F3\n"] {
        assert_eq!(check(weak, 0o600)[0], Outcome::Fail, "{weak:?}");
    }
    assert_eq!(check("vR8-kq2-Zt5x\n", 0o600), [Outcome::Pass, Outcome::Pass]);
    assert_eq!(check("vR8-kq2-Zt5x\n", 0o640)[1], Outcome::Fail);
    assert_eq!(check("vR8-kq2-Zt5x\n", 0o604)[1], Outcome::Fail);
    fs::remove_file(&path).unwrap();
    let gone = Connection { username: Some("a".into()), password_file: Some(path), ..local() };
    let root = folder.path().into();
    let report = run(&Subject { root, field: Some(gone), ..Subject::default() });
    assert_eq!(outcome(&report, "passwords"), Outcome::Unknown);
    assert_eq!(outcome(&report, "secret_files"), Outcome::Unknown);
}

#[test]
fn a_credential_of_systemd_may_show_the_bits_of_its_access_list() {
    let folder = tempfile::tempdir().unwrap();
    let key = put(folder.path(), "credentials/linli.key", "x");
    mode(&key, 0o440);
    let platform = Connection { key_file: Some(key), ..local() };
    for (credentials, wanted) in
        [(None, Outcome::Fail), (Some(folder.path().join("credentials")), Outcome::Pass)]
    {
        let subject = Subject {
            root: folder.path().into(),
            platform: Some(platform.clone()),
            credentials,
            ..Subject::default()
        };
        assert_eq!(outcome(&run(&subject), "secret_files"), wanted);
    }
}

const MACHINE: &str = "0123456789abcdef0123456789abcdef";
/// 2026-01-01T00:00 in Shanghai, microseconds.
const NEW_YEAR: u64 = 1_767_196_800_000_000;
const DAY: u64 = 86_400_000_000;

/// The head of a journal file as systemd writes it: signature, then the time at 184.
fn journal(oldest_us: u64) -> Vec<u8> {
    let mut file = vec![0u8; 4096];
    file[..8].copy_from_slice(b"LPKSHHRH");
    file[88..96].copy_from_slice(&272u64.to_le_bytes());
    file[184..192].copy_from_slice(&oldest_us.to_le_bytes());
    file[192..200].copy_from_slice(&(oldest_us + DAY).to_le_bytes());
    file
}

fn system(root: &Path) -> String {
    put(root, "etc/machine-id", format!("{MACHINE}\n"));
    format!("var/log/journal/{MACHINE}")
}

#[test]
fn a_journal_in_memory_or_switched_off_is_told_apart_from_none() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    system(root);
    assert_eq!(look(root).storage, Storage::Unknown, "no journald at all");
    put(root, "usr/lib/systemd/journald.conf", "[Journal]\n#Storage=auto\n");
    assert_eq!(look(root).storage, Storage::Volatile, "auto without the folder");
    put(root, "etc/systemd/journald.conf.d/90-off.conf", "[Journal]\nStorage=none\n");
    assert_eq!(look(root).storage, Storage::Off);
    put(root, "usr/lib/systemd/journald.conf.d/90-off.conf", "[Journal]\nStorage=persistent\n");
    assert_eq!(look(root).storage, Storage::Off, "the one in /etc hides it");
    put(
        root,
        "run/systemd/journald.conf.d/95-mine.conf",
        "[Other]\nStorage=none\n[Journal]\nStorage=volatile\n",
    );
    assert_eq!(look(root).storage, Storage::Volatile, "the last name wins");
}

#[test]
fn the_oldest_entry_is_found_in_heads_and_in_names_and_damaged_files_tell_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let inside = system(root);
    put(root, &format!("{inside}/system.journal"), journal(NEW_YEAR));
    // Older, but of a user: holds nothing of ours.
    put(root, &format!("{inside}/user-1000.journal"), journal(NEW_YEAR - 90 * DAY));
    put(root, &format!("{inside}/readme.txt"), "x");
    assert_eq!(look(root).oldest_ms, Some(1_767_196_800_000));
    let archived = NEW_YEAR - 30 * DAY;
    let name = format!("{inside}/system@{MACHINE}-0000000000000001-{archived:016x}.journal");
    // The head cannot be read as one: the name tells.
    put(root, &name, "LPKS");
    assert_eq!(look(root).oldest_ms, Some(1_767_196_800_000 - 30 * 86_400_000));
    let dirty = NEW_YEAR - 40 * DAY;
    put(root, &format!("{inside}/system@{dirty:016x}-00aa00aa00aa00aa.journal~"), "");
    assert_eq!(look(root).oldest_ms, Some(1_767_196_800_000 - 40 * 86_400_000));
    assert!(look(root).bytes >= 3 * 4096);
}

#[test]
fn limits_of_space_and_time_say_for_how_many_days_logs_will_be_kept() {
    let now = 1_767_196_800_000;
    let of = |days: i64, bytes, most_bytes, retention_s| {
        let oldest_ms = Some(now - days * 86_400_000);
        let storage = Storage::Persistent;
        LogLook { storage, oldest_ms, bytes, most_bytes, retention_s }.days_allowed(now)
    };
    assert_eq!(of(0, 100, Some(1000), None), None, "less than a day");
    assert_eq!(of(10, 100, None, Some(1.0)), None, "the space is not known");
    assert_eq!(of(10, 100, Some(2000), None), Some(200.0));
    assert_eq!(of(10, 100, Some(2000), Some(30.0 * 86_400.0)), Some(30.0));
}

#[test]
fn settings_of_journald_are_read_as_it_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let inside = system(root);
    put(root, &format!("{inside}/system.journal"), journal(NEW_YEAR));
    put(
        root,
        "etc/systemd/journald.conf",
        "[Journal]\nSystemMaxUse=1.5G\nMaxRetentionSec=6month\n",
    );
    let seen = look(root);
    assert_eq!(seen.most_bytes, Some(1_610_612_736));
    assert_eq!(seen.retention_s, Some(15_778_800.0));
    put(
        root,
        "etc/systemd/journald.conf.d/a.conf",
        "[Journal]\nMaxRetentionSec=1week 2d 12h\nSystemMaxUse=\n",
    );
    let seen = look(root);
    assert_eq!(seen.retention_s, Some(820_800.0));
    assert!(seen.most_bytes.is_some_and(|most| most <= 4 << 30), "the default of the disk");
    put(
        root,
        "etc/systemd/journald.conf.d/b.conf",
        "[Journal]\nMaxRetentionSec=0\nSystemMaxUse=500M\n",
    );
    let seen = look(root);
    assert_eq!((seen.retention_s, seen.most_bytes), (None, Some(524_288_000)));
}

#[test]
fn settings_that_cannot_be_read_are_not_taken_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(root, "etc/systemd/journald.conf", "[Journal]\nStorage=persistent\n");
    // A folder in place of the file: unreadable for every user, root too.
    fs::create_dir_all(root.join("etc/systemd/journald.conf.d/10-limit.conf")).unwrap();
    assert_eq!(look(root).storage, Storage::Hidden);
}
