//! What to do about a port that cannot be opened.

use std::io;
use std::path::Path;

use crate::driver::{Transport, serial_ports};
use crate::model::Words;

/// So many ports are told.
const TOLD: usize = 8;

/// The next thing to do about it, in both languages.
pub(in crate::cli) fn remedy(transport: &Transport, why: &Words) -> Words {
    let refused = |kind| why.zh == Words::of_io(&io::Error::from(kind)).zh;
    match transport {
        Transport::Serial { path } if !Path::new(path).exists() => match ports(Path::new("/")) {
            ports if ports.is_empty() => (
                "this machine shows no serial adapter: check its plug and `dmesg`",
                "本机未发现串口适配器：请检查插头并查看 `dmesg`",
            )
                .into(),
            ports => {
                let ports = ports.join(", ");
                (format!("there are {ports}"), format!("本机有 {ports}")).into()
            }
        },
        Transport::Serial { path } if refused(io::ErrorKind::PermissionDenied) => (
            format!(
                "your user may not use it: `sudo usermod -aG dialout $USER` and log in again, \
                     or run with sudo (`ls -l {path}` shows the group)"
            ),
            format!(
                "当前用户无权使用：请执行 `sudo usermod -aG dialout $USER` 后重新登录，\
                     或用 sudo 运行（所属组见 `ls -l {path}`）"
            ),
        )
            .into(),
        Transport::Serial { .. } => (
            "a port in use may belong to the running gateway: name its configuration with --config",
            "若被运行中的网关占用，请用 --config 指明其配置文件",
        )
            .into(),
        Transport::Tcp { .. } | Transport::RtuOverTcp { .. } => (
            "check address, port and mode of the serial server (TCP server), and that it lets in \
             another client: the running gateway may hold its only connection",
            "请检查串口服务器的地址、端口和工作模式（TCP 服务器），以及是否允许再接入一个客户端：\
             唯一的连接可能已被运行中的网关占用",
        )
            .into(),
    }
}

/// The first serial lines of the machine whose files begin at `root`, as a configuration names them.
fn ports(root: &Path) -> Vec<String> {
    let ports = serial_ports(root).into_iter().take(TOLD);
    ports.map(|port| port.path.display().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_own_next_thing_to_do() {
        let why = |kind| Words::of_io(&io::Error::from(kind));
        let serial = |path: &str| Transport::Serial { path: path.to_owned() };
        let (missing, here) = (serial("/dev/does-not-exist"), serial("/dev/null"));
        let told = remedy(&missing, &why(io::ErrorKind::NotFound)).en;
        assert!(told.starts_with("there are") || told.contains("no serial adapter"), "{told}");
        let told = remedy(&here, &why(io::ErrorKind::PermissionDenied));
        assert!(told.en.contains("dialout") && told.zh.contains("dialout"), "{told}");
        let told = remedy(&here, &why(io::ErrorKind::ResourceBusy));
        assert!(told.en.contains("--config"), "{told}");
        let server = Transport::RtuOverTcp { address: "10.0.0.9:4001".to_owned() };
        let told = remedy(&server, &why(io::ErrorKind::ConnectionRefused));
        assert!(told.zh.contains("串口服务器"), "{told}");
    }

    #[test]
    fn lines_of_every_driver_that_the_service_may_open_are_told_but_not_too_many() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("dev")).unwrap();
        let devices = |names: &[&str]| {
            for name in names {
                std::fs::write(root.path().join("dev").join(name), "").unwrap();
            }
            ports(root.path())
        };
        let found = devices(&["ttyLP0", "ttyUSB0", "ttyXRUSB1", "ttyRS", "tty3", "null"]);
        let names: Vec<_> = found.iter().filter_map(|path| path.rsplit('/').next()).collect();
        assert_eq!(names, ["ttyLP0", "ttyUSB0", "ttyXRUSB1"]);
        let many: Vec<String> = (0..20).map(|line| format!("ttyACM{line}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(devices(&many).len(), TOLD);
    }
}
