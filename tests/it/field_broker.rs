//! The package's example for Mosquitto: the daemon hears everything, each device its own topics,
//! nobody without a password anything.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::parts::{Process, free_port, wait_until};

/// The broker with the files of `systemd/mosquitto`, at another place and port.
struct Broker {
    _process: Process,
    _folder: tempfile::TempDir,
    port: String,
}

impl Broker {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display().to_string();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/mosquitto");
        let port = free_port();
        let config = fs::read_to_string(shipped.join("linli.conf")).unwrap();
        assert!(config.contains("\nlistener 1883\n") && config.contains(" /etc/mosquitto/linli."));
        let config = config
            .replace("\nlistener 1883\n", &format!("\nlistener {port} 127.0.0.1\n"))
            .replace(" /etc/mosquitto/linli.", &format!(" {here}/linli."));
        let file = folder.path().join("mosquitto.conf");
        fs::write(&file, config + "user root\nlog_dest none\n").unwrap();
        fs::copy(shipped.join("linli.acl"), folder.path().join("linli.acl")).unwrap();
        let passwords = folder.path().join("linli.passwd");
        fs::write(&passwords, "").unwrap();
        for user in ["linli", "corridor", "locker"] {
            let mut command = Command::new("mosquitto_passwd");
            command.arg("-b").arg(&passwords).args([user, &format!("{user}-secret")]);
            assert!(command.output().unwrap().status.success());
        }
        let process = Process::start(Command::new("mosquitto").arg("-c").arg(&file));
        wait_until("mosquitto listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { _process: process, _folder: folder, port: port.to_string() }
    }

    fn publish(&self, who: &[&str], topic: &str, message: &str) -> bool {
        let mut command = Command::new("mosquitto_pub");
        command.args(["-p", &self.port, "-q", "1", "-t", topic, "-m", message]).args(who);
        command.output().unwrap().status.success()
    }

    /// Subscribes to everything in a session that stays, with these options of `mosquitto_sub`.
    fn everything(&self, user: &str, more: &[&str]) -> Vec<String> {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-p", &self.port, "-q", "1", "-t", "#", "-c", "-i", user, "-u", user]);
        command.arg("-P").arg(format!("{user}-secret")).args(more);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
    }
}

#[test]
fn a_device_speaks_and_hears_on_its_own_topics_alone_and_the_gateway_on_all() {
    let broker = Broker::start();
    for user in ["linli", "locker"] {
        broker.everything(user, &["-E"]);
    }
    let gateway = ["-u", "linli", "-P", "linli-secret"];
    let sensor = ["-u", "corridor", "-P", "corridor-secret"];
    let locker = ["-u", "locker", "-P", "locker-secret"];
    assert!(!broker.publish(&[], "tele/corridor/SENSOR", "nobody"), "without a password");
    let wrong = ["-u", "corridor", "-P", "locker-secret"];
    assert!(!broker.publish(&wrong, "tele/corridor/SENSOR", "wrong"), "with a wrong password");
    // A forbidden message is acknowledged and thrown away: only what arrives shows it.
    for (who, topic, message) in [
        (&sensor, "tele/corridor/SENSOR", "own"),
        (&locker, "tele/corridor/SENSOR", "forged"),
        (&locker, "homeassistant/sensor/corridor/config", "forged"),
        (&gateway, "cmnd/corridor/POWER", "ON"),
        (&locker, "homeassistant/sensor/locker/config", "own"),
        (&locker, "estate/east/locker/state", "own"),
    ] {
        assert!(broker.publish(who, topic, message), "{topic} {message}");
    }
    assert_eq!(
        broker.everything("linli", &["-v", "-C", "4", "-W", "20"]),
        [
            "tele/corridor/SENSOR own",
            "cmnd/corridor/POWER ON",
            "homeassistant/sensor/locker/config own",
            "estate/east/locker/state own",
        ]
    );
    assert_eq!(
        broker.everything("locker", &["-v", "-C", "2", "-W", "20"]),
        ["homeassistant/sensor/locker/config own", "estate/east/locker/state own"]
    );
}
