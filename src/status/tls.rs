//! The certificate under which the page is served, and its key.
//!
//! Both come from files that somebody keeps, or are made at the first start ([`make`]) and lie
//! beside the store. The files are looked at every few seconds; new ones are taken without a
//! restart, and what is wrong with them is told while the old ones go on.

mod form;
mod make;
pub(super) mod pinned;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto::ring};
use tokio_rustls::TlsAcceptor;

use super::config::{Config, Protection};
use crate::model::Words;

/// Name of the certificate that the gateway makes.
pub(super) const CERTIFICATE: &str = "page-certificate.pem";
/// Name of its key.
const KEY: &str = "page-key.pem";
/// Longest file that is read, bytes.
const MOST: u64 = 256 << 10;

/// Why the page cannot be served under TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", file.display(), fault.en)]
pub struct TlsFault {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub fault: Words,
}

impl TlsFault {
    fn new(file: &Path, fault: impl Into<Words>) -> Self {
        Self { file: file.to_owned(), fault: fault.into() }
    }

    fn io(file: &Path, error: &io::Error) -> Self {
        Self::new(file, Words::of_io(error))
    }

    /// In both languages.
    pub fn words(&self) -> Words {
        let (file, fault) = (self.file.display(), &self.fault);
        (format!("{file}: {}", fault.en), format!("{file}：{}", fault.zh)).into()
    }
}

/// What people may know of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of the certificate, as browsers show it.
    pub fingerprint: String,
    /// Where it lies.
    pub file: PathBuf,
    /// Whether the gateway made it itself.
    pub own: bool,
    /// Why newer files are not taken.
    pub fault: Option<Words>,
}

/// The certificate of the page. Clones are of one and the same.
#[derive(Clone)]
pub struct PageTls(Arc<Inner>);

struct Inner {
    cert_file: PathBuf,
    key_file: PathBuf,
    own: bool,
    served: Mutex<Served>,
}

struct Served {
    config: Arc<ServerConfig>,
    fingerprint: String,
    /// The files when they were last looked at.
    stamp: Stamp,
    fault: Option<Words>,
}

impl fmt::Debug for PageTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageTls({})", self.0.cert_file.display())
    }
}

impl PageTls {
    /// What the settings ask for; `None` where the page is served in plain. Made at the first
    /// start, beside the folder `store`. Blocks.
    ///
    /// # Errors
    /// The files cannot be read or made, or do not belong together.
    pub fn open(config: &Config, gateway: &str, store: &Path) -> Result<Option<Self>, TlsFault> {
        let (cert_file, key_file, own) = match &config.protection {
            Protection::Plain => return Ok(None),
            Protection::Files { cert_file, key_file } => {
                (cert_file.clone(), key_file.clone(), false)
            }
            Protection::OwnCertificate => {
                let files = (store.with_file_name(CERTIFICATE), store.with_file_name(KEY));
                ensure(&files.0, &files.1, gateway, config.listen)?;
                (files.0, files.1, true)
            }
        };
        let stamp = stamp(&cert_file, &key_file);
        let (config, fingerprint) = load(&cert_file, &key_file)?;
        let served = Mutex::new(Served { config, fingerprint, stamp, fault: None });
        Ok(Some(Self(Arc::new(Inner { cert_file, key_file, own, served }))))
    }

    /// What a new connection is shown.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.served().config))
    }

    /// What people may know of it.
    pub fn certificate(&self) -> Certificate {
        let served = self.served();
        Certificate {
            fingerprint: served.fingerprint.clone(),
            file: self.0.cert_file.clone(),
            own: self.0.own,
            fault: served.fault.clone(),
        }
    }

    /// Takes the files anew when they changed. New ones that are wrong are told once, and the old
    /// ones go on.
    pub(super) async fn look_again(&self) {
        let this = self.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || this.look()).await {
            tracing::error!(%error, "the certificate of the page was not looked at");
        }
    }

    fn look(&self) {
        let now = stamp(&self.0.cert_file, &self.0.key_file);
        if now == self.served().stamp {
            return;
        }
        let loaded = load(&self.0.cert_file, &self.0.key_file);
        let mut served = self.served();
        served.stamp = now;
        match loaded {
            Ok((config, fingerprint)) => {
                tracing::info!(fingerprint, "the page is served with a new certificate");
                (served.config, served.fingerprint, served.fault) = (config, fingerprint, None);
            }
            Err(fault) => {
                tracing::warn!(%fault, "the new certificate of the page is not taken");
                served.fault = Some(fault.words());
            }
        }
    }

    fn served(&self) -> MutexGuard<'_, Served> {
        match self.0.served.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// Inode, change and length of each file; nothing for one that is not there.
type Stamp = [Option<(u64, i64, i64, u64)>; 2];

fn stamp(cert_file: &Path, key_file: &Path) -> Stamp {
    [cert_file, key_file].map(|file| {
        let meta = fs::metadata(file).ok()?;
        Some((meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))
    })
}

/// Makes certificate and key unless those that lie there are whole and carry the right names.
fn ensure(
    cert_file: &Path,
    key_file: &Path,
    gateway: &str,
    listen: SocketAddr,
) -> Result<(), TlsFault> {
    let names = make::names(gateway, listen);
    let why = match load(cert_file, key_file) {
        Ok(_) if make::carries(&read_chain(cert_file)?, &names) => return Ok(()),
        Ok(_) => "its names changed".to_owned(),
        Err(_) if !cert_file.exists() => "there was none".to_owned(),
        Err(fault) => fault.to_string(),
    };
    make::pair(cert_file, key_file, gateway, &names)?;
    let file = cert_file.display();
    tracing::info!(why, %file, "made a certificate for the page");
    Ok(())
}

/// TLS with what the files hold, and the fingerprint of the certificate.
fn load(cert_file: &Path, key_file: &Path) -> Result<(Arc<ServerConfig>, String), TlsFault> {
    let chain = read_chain(cert_file)?;
    let first = chain.first().ok_or_else(|| {
        TlsFault::new(cert_file, ("holds no certificate in PEM form", "不含 PEM 格式的证书"))
    })?;
    let fingerprint = fingerprint(first);
    let key = PrivateKeyDer::from_pem_slice(&read(key_file)?).map_err(|_| {
        TlsFault::new(key_file, ("holds no private key in PEM form", "不含 PEM 格式的私钥"))
    })?;
    let refused = |error: &rustls::Error| {
        let unlike = matches!(error, rustls::Error::InconsistentKeys(_));
        let words = if unlike {
            Words::from(("does not belong to the certificate", "与证书不配对"))
        } else {
            (format!("is refused: {error}"), format!("无法使用：{error}")).into()
        };
        TlsFault::new(key_file, words)
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| refused(&error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| refused(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), fingerprint))
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let text = read(file)?;
    let chain = CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>();
    chain.map_err(|_| TlsFault::new(file, ("is not PEM", "不是 PEM 格式")))
}

fn read(file: &Path) -> Result<Vec<u8>, TlsFault> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|open| open.take(MOST).read_to_end(&mut bytes))
        .map_err(|error| TlsFault::io(file, &error))?;
    Ok(bytes)
}

/// SHA-256 of a certificate in pairs of digits, as browsers and `openssl x509` show it.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    use ::ring::digest::{SHA256, digest};
    let digest = digest(&SHA256, certificate);
    let pairs = digest.as_ref().iter().map(|byte| format!("{byte:02X}"));
    pairs.collect::<Vec<_>>().join(":")
}

/// The fingerprint of the certificate in a file, for who stands at the console.
///
/// # Errors
/// There is none.
pub fn fingerprint_of(file: &Path) -> Result<String, TlsFault> {
    let chain = read_chain(file)?;
    let none = || TlsFault::new(file, ("holds no certificate", "不含证书"));
    Ok(fingerprint(chain.first().ok_or_else(none)?))
}
