//! Settings of the local page.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::tls;
use crate::settings::Section;

/// Settings of the local page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the page listens. Reachable from other machines only when set so.
    pub listen: SocketAddr,
    /// How it is protected on the way.
    pub protection: Protection,
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
        Self { listen, protection }
    }

    /// Reads the section `[status]` but for its `tls`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        section.other_names(&[("port", "listen"), ("host", "listen"), ("address", "listen")]);
        Self::at(section.socket_or("listen", Self::default().listen))
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
