//! TLS towards the platform's broker: PEM files in, a rustls configuration out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::broker::TlsConfig;

/// Where systems keep the authorities they trust (Debian, Red Hat, Alpine).
const SYSTEM_BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read or holds nothing of its kind.
    #[error("cannot use `{}`: {fault}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// The reader's words.
        fault: String,
    },
    /// Neither a file was named nor has the system one.
    #[error("no certificate authorities: name a file, or install the system's bundle")]
    NoAuthorities,
    /// A certificate without a key, or a key without a certificate.
    #[error("a client certificate needs both certificate and key")]
    Half,
    /// Key and certificate do not fit, or the provider refuses them.
    #[error("TLS settings refused: {0}")]
    Refused(#[from] rustls::Error),
}

fn unusable(file: &Path, fault: impl ToString) -> TlsError {
    TlsError::File { file: file.to_owned(), fault: fault.to_string() }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Vec<_> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(file, error))?;
    if found.is_empty() { Err(unusable(file, "no certificate in it")) } else { Ok(found) }
}

/// Builds the configuration.
///
/// # Errors
/// [`TlsError`] names the file.
pub(super) fn client_config(config: &TlsConfig) -> Result<Arc<ClientConfig>, TlsError> {
    let system = || SYSTEM_BUNDLES.map(PathBuf::from).into_iter().find(|file| file.exists());
    let file = config.ca_file.clone().or_else(system).ok_or(TlsError::NoAuthorities)?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(&file)?);
    if added == 0 {
        return Err(unusable(&file, "no usable certificate in it"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let config = match (&config.cert_file, &config.key_file) {
        (Some(cert), Some(key)) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error))?;
            builder.with_client_auth_cert(certificates(cert)?, key)?
        }
        (None, None) => builder.with_no_client_auth(),
        _ => return Err(TlsError::Half),
    };
    Ok(Arc::new(config))
}
