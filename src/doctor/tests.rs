//! The doctor's eyes, on boxes made of files and words.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::service::Service;
use super::storage::Disk;
use super::*;
use crate::account::Account;
use crate::broker::{BrokerConfig, Stage, TlsConfig};
use crate::model::WallTime;
use crate::status::promises::Expiry;

fn levels(items: &[Item]) -> Vec<Level> {
    items.iter().map(|item| item.level).collect()
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn the_worst_comes_first_and_decides_the_exit_code() {
    let good = Item::good(Area::Memory, ("fine", "好"));
    let notice = Item::notice(Area::Clock, ("look", "看"));
    let unseen = Item::unseen(Area::Wear, ("dark", "暗"), ("light", "亮"));
    let warning = Item::wrong(Area::Serial, Level::Warning, ("bad", "坏"), ("mend", "修"));
    let critical = Item::wrong(Area::Page, Level::Critical, ("dead", "死"), ("revive", "救"));
    let report = Report::new(vec![good.clone(), unseen.clone(), critical, notice.clone(), warning]);
    let order: Vec<Level> = report.items().iter().map(|item| item.level).collect();
    let all = [Level::Critical, Level::Warning, Level::Unseen, Level::Notice, Level::Good];
    assert_eq!(order, all);
    assert_eq!(report.exit_code(), 3);
    assert_eq!(Report::new(vec![good.clone(), unseen]).exit_code(), 2);
    assert_eq!(Report::new(vec![good, notice]).exit_code(), 0);
}

#[test]
fn people_read_it_in_their_language_and_scripts_in_both() {
    let report = Report::new(vec![Item::wrong(
        Area::Page,
        Level::Critical,
        ("it is\u{1b}[2J dead", "无应答"),
        ("start it", "请启动"),
    )]);
    let (en, zh) = (report.text(Language::En), report.text(Language::Zh));
    assert!(en.starts_with("critical: page: it is\u{FFFD}[2J dead\n  → start it\n"), "{en}");
    assert!(zh.starts_with("严重 本地页面：无应答\n  → 请启动\n"), "{zh}");
    let both = report.text(Language::Both);
    assert!(both.contains("start it") && both.contains("请启动") && both.contains("严重 1"));
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json["worst"], "critical");
    assert_eq!(json["items"][0]["area"], "page");
    assert_eq!(json["items"][0]["todo"]["zh"], "请启动");
}

fn disk(free_mib: u64) -> Disk {
    Disk {
        path: "/data".into(),
        free: free_mib << 20,
        total: 1 << 30,
        files: Some(100_000),
        read_only: false,
    }
}

#[test]
fn a_disk_without_the_room_that_the_buffer_is_promised_is_told_before_it_is_full() {
    let config = crate::buffer::Config::default();
    let level = |disk: &Disk, used| levels(&storage::buffer(disk, &config, used));
    assert_eq!(level(&disk(400), None), [Level::Good]);
    assert_eq!(level(&disk(100), None), [Level::Warning]);
    assert_eq!(level(&disk(100), Some(200 << 20)), [Level::Good], "what it takes now is no growth");
    assert_eq!(level(&disk(32), Some(200 << 20)), [Level::Critical]);
    let locked = Disk { read_only: true, ..disk(400) };
    assert_eq!(level(&locked, None)[0], Level::Critical);
    let full = Disk { files: Some(0), ..disk(400) };
    assert_eq!(level(&full, None)[0], Level::Critical);
    assert_eq!(levels(&storage::system(&disk(20))), [Level::Warning]);
    assert_eq!(levels(&storage::system(&disk(200))), [Level::Good]);
    let here = Disk::of(Path::new("/var/lib/no/such/folder")).unwrap();
    assert!(here.total > 0 && here.path.exists());
}

#[test]
fn an_emmc_chip_tells_its_own_wear() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(levels(&storage::wear(root.path())), [Level::Unseen], "there is no /sys");
    write(root.path(), "sys/block/sda/size", "1");
    assert_eq!(levels(&storage::wear(root.path())), [Level::Notice]);
    for (life, reserve, level) in [
        ("0x01 0x02", "0x01", Level::Good),
        ("0x09 0x01", "0x01", Level::Warning),
        ("0x01 0x01", "0x02", Level::Warning),
        ("0x0b 0x01", "0x01", Level::Critical),
        ("0x01 0x01", "0x03", Level::Critical),
    ] {
        write(root.path(), "sys/block/mmcblk0/device/life_time", life);
        write(root.path(), "sys/block/mmcblk0/device/pre_eol_info", reserve);
        assert_eq!(levels(&storage::wear(root.path())), [level], "{life} {reserve}");
    }
}

#[test]
fn little_memory_is_told_and_none_seen_is_not_good() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(memory::look(root.path()).level, Level::Unseen);
    for (free, level) in [(500, Level::Good), (80, Level::Warning), (40, Level::Critical)] {
        let text = format!("MemTotal: 1024000 kB\nMemAvailable: {} kB\n", free * 1000);
        write(root.path(), "proc/meminfo", &text);
        assert_eq!(memory::look(root.path()).level, level, "{free}");
    }
}

#[test]
fn a_clock_that_nobody_keeps_is_told_unless_the_configuration_trusts_it() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    let config = crate::clock::Config { synchronised: Vec::new(), ..Default::default() };
    assert_eq!(clock::look(&config, now).level, Level::Warning);
    assert_eq!(clock::look(&config, SystemTime::UNIX_EPOCH).level, Level::Warning);
    let trusted = crate::clock::Config { trust: crate::clock::Trust::System, ..config.clone() };
    assert_eq!(clock::look(&trusted, now).level, Level::Notice);
    let mark = tempfile::NamedTempFile::new().unwrap();
    let kept = crate::clock::Config { synchronised: vec![mark.path().into()], ..config };
    assert_eq!(clock::look(&kept, now).level, Level::Good);
}

#[test]
fn a_serial_line_that_is_missing_or_shut_is_told_with_what_there_is() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "dev/serial/by-id/usb-FTDI-1", "");
    let line = |path: &str| serial::Line { bus: "east".into(), path: path.into() };
    let missing = serial::look(root.path(), &[line("/dev/ttyUSB77")], None);
    assert_eq!(levels(&missing), [Level::Critical, Level::Notice]);
    assert!(missing[0].seen.en.contains("usb-FTDI-1"), "{:?}", missing[0]);
    assert!(missing[1].todo.as_ref().unwrap().en.contains("by-id"));
    let file = root.path().join("dev/serial/by-id/usb-FTDI-1");
    let no_device = serial::look(root.path(), &[line(file.to_str().unwrap())], None);
    assert!(no_device[0].seen.en.contains("no device"));
    // A device that is always there and open to root alone by its group.
    let stranger = 4_000_000_000;
    let account =
        Account { name: "linli".into(), uid: stranger, gid: stranger, groups: Vec::new() };
    let shut = serial::look(root.path(), &[line("/dev/mem")], Some(&account));
    if Path::new("/dev/mem").exists() {
        assert!(shut[0].todo.as_ref().unwrap().en.contains("usermod"), "{shut:?}");
    }
    let open = serial::look(root.path(), &[line("/dev/null")], Some(&account));
    assert_eq!(levels(&open), [Level::Good]);
    let unknown = serial::look(root.path(), &[line("/dev/null")], None);
    assert_eq!(levels(&unknown), [Level::Unseen]);
}

fn service(changes: &[(&str, &str)]) -> Vec<Item> {
    let mut text = String::from(
        "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nNRestarts=0\n\
         ExecMainStatus=0\nUnitFileState=enabled\nMainPID=7\nMemoryCurrent=9000000\n\
         MemoryHigh=100663296\nDropInPaths=\nUser=linli\nSupplementaryGroups=dialout\n",
    );
    for (key, value) in changes {
        text += &format!("{key}={value}\n");
    }
    service::judge(&Service::parse(&text), false)
}

#[test]
fn the_service_is_judged_by_what_systemd_says() {
    assert_eq!(levels(&service(&[])), [Level::Good, Level::Good]);
    let wrong = service(&[("ActiveState", "failed"), ("ExecMainStatus", "64")]);
    assert_eq!(wrong[0].level, Level::Critical);
    assert!(wrong[0].todo.as_ref().unwrap().en.contains("linli check"));
    let later = service(&[("ActiveState", "failed"), ("ExecMainStatus", "65")]);
    assert!(later[0].todo.as_ref().unwrap().en.contains("another version wrote the store"));
    let again = service(&[("NRestarts", "5"), ("Result", "watchdog")]);
    assert!(
        again[1].level == Level::Warning && again[1].seen.en.contains("5 times, last: watchdog")
    );
    let off = service(&[("UnitFileState", "disabled")]);
    assert!(off[1].todo.as_ref().unwrap().en.contains("systemctl enable"));
    assert_eq!(service(&[("MemoryCurrent", "99000000")])[1].level, Level::Warning);
    let trial = service(&[("DropInPaths", "/run/systemd/system/linli.service.d/trial.conf")]);
    assert!(trial.iter().any(|item| item.area == Area::Upgrade));
    let none = service::judge(&Service::parse("LoadState=not-found\n"), false);
    assert_eq!(levels(&none), [Level::Warning]);
    let unit = Service::parse("User=linli\nSupplementaryGroups=dialout tty\nMainPID=0\n");
    assert_eq!(
        (unit.user(), unit.groups(), unit.pid()),
        (Some("linli"), vec!["dialout", "tty"], None)
    );
}

#[test]
fn certificates_are_judged_only_by_a_clock_that_is_trusted() {
    let now = WallTime { unix_ms: 1_800_000_000_000 };
    let ends = |days: i64| Expiry {
        what: "uplink.cert_file".into(),
        source: "/etc/linli/gateway.pem".into(),
        expires_ms: now.unix_ms + days * 86_400_000,
    };
    let all = [ends(100), ends(10), ends(-1)];
    let level = |now| levels(&links::certificates(&all, &[], now));
    assert_eq!(level(Some(now)), [Level::Good, Level::Warning, Level::Critical]);
    assert_eq!(level(None), [Level::Notice; 3]);
    assert_eq!(levels(&links::certificates(&[], &["no file".into()], None)), [Level::Unseen]);
}

#[test]
fn what_the_running_gateway_says_is_passed_on_in_its_own_words() {
    let gateway = serde_json::json!({
        "id": "box", "name": "", "version": "0.0.1", "uptime_s": 5, "clock_trusted": true,
        "clock": { "state": "synchronised", "source": "ntp", "new": 1 },
        "devices": { "total": 3, "online": 2, "suspect": 0, "offline": 1, "unknown": 0 },
        "troubles": [
            { "severity": "critical", "title": { "zh": "总线不通", "en": "Bus is down" },
              "cause": { "zh": "正被占用", "en": "busy" },
              "advice": { "zh": "检查", "en": "check" } },
            { "severity": "mild", "title": { "zh": "a", "en": "a" },
              "cause": { "zh": "b", "en": "b" }, "advice": { "zh": "c", "en": "c" } },
        ],
    });
    let gateway: gateway::Gateway = serde_json::from_value(gateway).unwrap();
    let items = gateway::judge(&gateway);
    assert_eq!(items[0].seen, Words::from(("Bus is down: busy", "总线不通：正被占用")));
    assert_eq!(levels(&items)[..2], [Level::Critical, Level::Warning], "a later word is told too");
    assert!(items.iter().any(|item| item.seen.en.contains("version 0.0.1 runs")));
    let buffer = |hours: f64, years: f64| -> Vec<Level> {
        let text = serde_json::json!({ "file_bytes": 1, "hours_left": hours, "blocks": 2,
            "wear": { "written_per_day": 1e6, "years_left": years } });
        levels(&gateway::buffer(&serde_json::from_value(text).unwrap()))
    };
    assert_eq!(buffer(100.0, 20.0), [Level::Good, Level::Good]);
    assert_eq!(buffer(3.0, 1.0), [Level::Critical, Level::Warning]);
}

/// Fails with that stage, as the platform and as the field broker.
async fn reach(config: &BrokerConfig, stage: Stage) {
    let tried = config.reach(false).await;
    assert_eq!(tried.as_ref().unwrap_err().stage, stage, "{tried:?}");
    let (field, platform) =
        (links::broker(config, true, &tried), links::broker(config, false, &tried));
    assert_eq!((field.level, platform.level), (Level::Critical, Level::Warning));
    assert!(!platform.todo.unwrap().zh.is_empty());
}

#[tokio::test]
async fn a_broker_that_is_not_reached_says_at_which_step() {
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let here = BrokerConfig { port: closed, ..BrokerConfig::default() };
    reach(&here, Stage::Connection).await;
    reach(&BrokerConfig { host: "no-such-host.invalid".into(), ..here.clone() }, Stage::Name).await;
    let missing = PathBuf::from("/no/such/password");
    let files = BrokerConfig { password_file: Some(missing.clone()), ..here.clone() };
    reach(&files, Stage::Files).await;
    // Somebody listens there, but speaks no TLS.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let key = rcgen::generate_simple_self_signed(vec!["a.test".into()]).unwrap();
    fs::write(&ca, key.cert.pem()).unwrap();
    let tls = Some(TlsConfig { ca_file: Some(ca), ..TlsConfig::default() });
    let config = BrokerConfig { port, tls, ..here };
    let answer = async {
        use tokio::io::AsyncWriteExt as _;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    };
    tokio::join!(reach(&config, Stage::Tls), answer);
}

#[tokio::test]
async fn a_broker_that_answers_is_good_and_its_session_is_one_of_its_own() {
    let broker = crate::broker::fake::FakeBroker::start().await;
    let config = broker.config();
    let reached = config.reach(true).await.unwrap();
    assert!(reached.session && reached.tls.is_none());
    assert_eq!(links::broker(&config, true, &Ok(reached)).level, Level::Good);
    broker.until("the end of the session", |state| state.disconnects == 1).await;
    broker.see(|state| {
        assert_eq!(state.connects.len(), 1);
        let asked = &state.connects[0];
        assert!(asked.client_id.starts_with("linli-doctor-") && asked.clean_session, "{asked:?}");
    });
    broker.set(|state| state.refuse = Some(rumqttc::ConnectReturnCode::BadUserNamePassword));
    let refused = config.reach(true).await.unwrap_err();
    assert_eq!(refused.stage, Stage::Session);
    assert!(refused.why.zh.contains("用户名或密码错误"), "{refused:?}");
}
