//! Reads `[status]`, and in `[status.tls]` how the page is protected on its way.

use super::broker::{TLS_NAMES, file, note_half_pair};
use super::machine::Files;
use crate::settings::{Fault, Section};
use crate::status::{Config, Protection};

/// The key by which somebody insists on plain HTTP.
const INSIST: &str = "insecure_plain_http";

/// Reads the section. Files that must be readable are listed in `files`, remarks in `notes`.
pub(super) fn read(section: &mut Section<'_>, files: &mut Files, notes: &mut Vec<Fault>) -> Config {
    let mut config = Config::read(section);
    if let Some(mut tls) = section.section("tls") {
        config.protection = read_tls(&mut tls, files);
        let seen = !config.listen.ip().to_canonical().is_loopback();
        if config.protection == Protection::Plain && seen {
            notes.push(warning(&tls));
        }
    }
    config
}

fn read_tls(section: &mut Section<'_>, files: &mut Files) -> Protection {
    section.other_names(TLS_NAMES);
    let insists = section.flag_or(INSIST, false);
    let pair = (file(section, "cert_file", files), file(section, "key_file", files));
    note_half_pair(section);
    if insists {
        for key in ["cert_file", "key_file"].into_iter().filter(|key| section.has(key)) {
            let place = section.place(key);
            let problem = (
                format!("is of no use with `{INSIST}`"),
                format!("与 `{INSIST}` 同时设置，不起作用"),
            );
            let hint = (format!("remove `{INSIST}`"), format!("请删除 `{INSIST}`"));
            section.note(Fault::new(place, problem).hint(hint));
        }
        return Protection::Plain;
    }
    match pair {
        (Some(cert_file), Some(key_file)) => Protection::Files { cert_file, key_file },
        _ => Protection::OwnCertificate,
    }
}

fn warning(section: &Section<'_>) -> Fault {
    let problem = (
        "passwords, sessions and tokens of this page cross the network unencrypted: everybody on \
         it can read them and act as their owner",
        "本页面的密码、会话与令牌将以明文经过网络：网络中任何人都可读取并冒用",
    );
    let hint = (
        "remove it: the gateway then makes a certificate of its own at its next start",
        "请删除此项：网关下次启动时会自行生成证书",
    );
    Fault::new(section.place(INSIST), problem).hint(hint)
}
