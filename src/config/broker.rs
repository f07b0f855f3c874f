//! The keys that the field broker and the platform's broker have in common.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::machine::Files;
use crate::broker::{BrokerConfig, TlsConfig};
use crate::settings::{Fault, Section, Wrong};

/// Stands in a client id for the gateway's identifier.
const GATEWAY: &str = "{gateway}";
/// Where systemd puts our credentials when the variable does not say so.
const CREDENTIALS: &str = "/run/credentials/linli.service";

/// Reads the broker's keys of `[mqtt]` or `[uplink]`. Files that must be readable are listed in
/// `files`, remarks in `notes`.
pub(super) fn read(
    section: &mut Section<'_>,
    gateway: &str,
    default: &BrokerConfig,
    files: &mut Files,
    notes: &mut Vec<Fault>,
) -> BrokerConfig {
    section.other_names(&[
        ("broker", "host"),
        ("server", "host"),
        ("url", "host"),
        ("address", "host"),
        ("user", "username"),
        ("clientid", "client_id"),
        ("keepalive", "keep_alive"),
        ("topic_prefix", "prefix"),
    ]);
    for key in ["password", "passwd", "token"] {
        section.refuse(
            key,
            ("a secret does not belong into this file", "密码不应写在此文件中"),
            (
                "write it into a file of its own and name that: \
                 password_file = \"/etc/linli/password\", \
                 or use a systemd credential: password_file = \"credential:NAME\"",
                "请写入单独的文件并注明：password_file = \"/etc/linli/password\"，\
                 或用 systemd 凭据：password_file = \"credential:NAME\"",
            ),
        );
    }
    let host = section.host_or("host", &default.host);
    let tls = section.section("tls").map(|mut tls| read_tls(&mut tls, files));
    let usual = if tls.is_some() { 8883 } else { default.port };
    let port = match section.integer_or("port", 1..=65_535u16, default.port) {
        _ if !section.has("port") => usual,
        port => port,
    };
    let client_id = section
        .parsed_or("client_id", &default.client_id, "1 to 128 characters", client_id)
        .replace(GATEWAY, gateway);
    let username = section.text("username");
    let password_file = file(section, "password_file", files);
    if password_file.is_some() && username.is_none() {
        section.note(
            Fault::new(
                section.place("password_file"),
                ("a password needs a user name", "有密码就要有用户名"),
            )
            .hint(("add `username`", "请加上 `username`")),
        );
    }
    if username.is_some() && tls.is_none() && !is_local(&host) {
        notes.push(
            Fault::new(
                section.place("username"),
                ("the password crosses the network in clear", "密码将以明文经过网络"),
            )
            .hint(("add the section `tls`", "请加上 `tls` 节")),
        );
    }
    let seconds = |low, high| Duration::from_secs(low)..=Duration::from_secs(high);
    let keep_alive = section.duration_or("keep_alive", seconds(5, 3600), default.keep_alive);
    let connect_timeout =
        section.duration_or("connect_timeout", seconds(1, 120), default.connect_timeout);
    BrokerConfig {
        host,
        port,
        client_id,
        username,
        password_file,
        tls,
        keep_alive,
        connect_timeout,
    }
}

/// Whether the host is this machine.
pub(crate) fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What others call the keys of certificates.
pub(super) const TLS_NAMES: &[(&str, &str)] =
    &[("ca", "ca_file"), ("cert", "cert_file"), ("certificate", "cert_file"), ("key", "key_file")];

fn read_tls(section: &mut Section<'_>, files: &mut Files) -> TlsConfig {
    section.other_names(TLS_NAMES);
    let tls = TlsConfig {
        ca_file: file(section, "ca_file", files),
        cert_file: file(section, "cert_file", files),
        key_file: file(section, "key_file", files),
    };
    note_half_pair(section);
    tls
}

/// Notes a certificate without its key, and a key without its certificate.
pub(super) fn note_half_pair(section: &Section<'_>) {
    for (one, other) in [("cert_file", "key_file"), ("key_file", "cert_file")] {
        if section.has(one) && !section.has(other) {
            section.note(
                Fault::new(
                    section.place(one),
                    ("certificate and key belong together", "证书与私钥须成对"),
                )
                .hint((format!("add `{other}`"), format!("请加上 `{other}`"))),
            );
        }
    }
}

/// A file that must be readable: a path, or the name of a systemd credential.
pub(super) fn file(
    section: &mut Section<'_>,
    key: &'static str,
    files: &mut Files,
) -> Option<PathBuf> {
    section.names_files(key);
    let folder = section.folder();
    let allowed = "a path, or \"credential:NAME\" for a systemd credential";
    let path = section.parsed(key, allowed, |text| match text.strip_prefix("credential:") {
        Some(name) => credential(name),
        None if text.trim().is_empty() => Err(Wrong::empty()),
        None => Ok(folder.join(text)),
    })?;
    files.readable.push((path.clone(), section.place(key)));
    Some(path)
}

fn credential(name: &str) -> Result<PathBuf, Wrong> {
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err(Wrong::new(("is not the name of a credential", "不是凭据的名称")));
    }
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
    Ok(folder.as_deref().map_or(Path::new(CREDENTIALS), Path::new).join(name))
}

/// Whether a path is that of a credential outside its service, where it cannot be looked at.
pub(super) fn is_unseen_credential(path: &Path) -> bool {
    std::env::var_os("CREDENTIALS_DIRECTORY").is_none() && path.starts_with(CREDENTIALS)
}

fn client_id(text: &str) -> Result<String, Wrong> {
    let plain = text.replace(GATEWAY, "");
    if plain.contains(['{', '}']) {
        return Err(Wrong::placeholder());
    }
    let fine = !text.is_empty()
        && text.chars().count() <= 128
        && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if fine {
        Ok(text.to_owned())
    } else {
        Err(Wrong::new(("is not a client id", "不是合法的客户端标识")))
    }
}
