//! Settings of the local page.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::tls;
use crate::settings::{Fault, Section};

/// Settings of the local page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the page listens. Reachable from other machines only when set so.
    pub listen: SocketAddr,
    /// How it is protected on the way.
    pub protection: Protection,
    /// Who is let in.
    pub access: AccessBy,
    /// The users file; beside the store when it is left out.
    pub users: Option<PathBuf>,
}

/// Who is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessBy {
    /// Who logs in, or shows an API token.
    #[default]
    Login,
    /// Everybody on this machine; only on a loopback address.
    Open,
}

/// How the page is protected on the way to who looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Protection {
    /// Not at all: on this machine alone, or where somebody insisted.
    #[default]
    Plain,
    /// By a certificate that the gateway makes at its first start.
    OwnCertificate,
    /// By a certificate in files.
    Files {
        /// PEM file with the certificate and those between it and its authority.
        cert_file: PathBuf,
        /// PEM file with its key.
        key_file: PathBuf,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 8080)))
    }
}

impl Config {
    /// A page there, protected as it should be: under TLS where other machines reach it.
    pub fn at(listen: SocketAddr) -> Self {
        let protection = match listen.ip().to_canonical().is_loopback() {
            true => Protection::Plain,
            false => Protection::OwnCertificate,
        };
        Self { listen, protection, access: AccessBy::Login, users: None }
    }

    /// Reads the section `[status]` but for its `tls`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        section.other_names(&[
            ("port", "listen"),
            ("host", "listen"),
            ("address", "listen"),
            ("auth", "access"),
            ("login", "access"),
        ]);
        for key in ["password", "user", "username"] {
            section.refuse(
                key,
                ("users and passwords stand in no configuration", "用户与口令不写在配置文件中"),
                (
                    "run `linli users add NAME --role maintainer`",
                    "请执行 `linli users add 用户名 --role maintainer`",
                ),
            );
        }
        let listen = section.socket_or("listen", Self::default().listen);
        let words = [("login", AccessBy::Login), ("open", AccessBy::Open)];
        let access = section.word_or("access", &words, AccessBy::default());
        if access == AccessBy::Open && !listen.ip().to_canonical().is_loopback() {
            let problem = (
                format!(
                    "the page listens on {listen}, which others reach: without a login they could do everything"
                ),
                format!("页面监听 {listen}，其他机器可达：不登录即可进行任何操作"),
            );
            let fault = Fault::new(section.place("access"), problem)
                .allowed("\"login\"; \"open\" only with `listen` on 127.0.0.1 or [::1]")
                .hint((
                    "leave `access` out and run `linli users add NAME --role maintainer`",
                    "去掉 `access`，并执行 `linli users add 用户名 --role maintainer`",
                ));
            section.note(fault);
        }
        Self { access, users: section.path("users"), ..Self::at(listen) }
    }

    /// The file with the certificate of the page, where it has one: its end is watched, and the
    /// commands know the page by it. `store` is the folder of the buffer.
    pub fn certificate_file(&self, store: &Path) -> Option<PathBuf> {
        match &self.protection {
            Protection::Plain => None,
            Protection::OwnCertificate => Some(store.with_file_name(tls::CERTIFICATE)),
            Protection::Files { cert_file, .. } => Some(cert_file.clone()),
        }
    }
}
