//! What to do about a port that cannot be opened.

use std::io;
use std::path::Path;

use crate::driver::Transport;
use crate::model::Words;

/// Folder with a lasting name for each adapter.
const BY_ID: &str = "/dev/serial/by-id";
/// How serial ports of boxes and adapters are named.
const NAMES: [&str; 7] = ["ttyUSB", "ttyACM", "ttyRS", "ttyAMA", "ttymxc", "ttySTM", "ttyO"];
/// So many ports are told.
const TOLD: usize = 8;

/// The next thing to do about it, in both languages.
pub(in crate::cli) fn remedy(transport: &Transport, why: &Words) -> Words {
    let refused = |kind| why.zh == Words::of_io(&io::Error::from(kind)).zh;
    match transport {
        Transport::Serial { path } if !Path::new(path).exists() => match ports(Path::new("/dev")) {
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

/// Serial ports of this machine, by their lasting names where they have one.
fn ports(dev: &Path) -> Vec<String> {
    let names = |folder: &Path, wanted: &dyn Fn(&str) -> bool| {
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found: Vec<String> = files
            .filter(|file| file.file_name().to_str().is_some_and(wanted))
            .map(|file| file.path().display().to_string())
            .collect();
        found.sort();
        found.truncate(TOLD);
        found
    };
    let lasting = names(Path::new(BY_ID), &|_| true);
    if !lasting.is_empty() {
        return lasting;
    }
    names(dev, &|name| NAMES.iter().any(|prefix| name.starts_with(prefix)))
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
    fn ports_are_told_by_the_names_of_adapters_and_boxes() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ttyUSB1", "ttyUSB0", "null", "tty3"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = ports(folder.path());
        if !Path::new(BY_ID).exists() {
            assert_eq!(found.len(), 2, "{found:?}");
            assert!(found[0].ends_with("ttyUSB0"));
        }
    }
}
