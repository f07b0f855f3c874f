//! The commands' side of the page's TLS: they stand on the same machine, read the very certificate
//! that the page shows, and trust that one alone, whatever its names and dates.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use tokio_rustls::TlsConnector;

use super::{TlsFault, read_chain};

/// Speaks to the server with the certificate in the file, and to no other.
///
/// # Errors
/// The file holds no certificate.
pub(in crate::status) fn connector(file: &Path) -> Result<TlsConnector, TlsFault> {
    let chain = read_chain(file)?;
    let none = || TlsFault::new(file, ("holds no certificate", "不含证书"));
    let only = chain.first().cloned().ok_or_else(none)?;
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Only { only, provider: Arc::clone(&provider) });
    let refused = |error: Error| {
        TlsFault::new(file, (format!("is refused: {error}"), format!("无法使用：{error}")))
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(refused)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Knows one certificate.
#[derive(Debug)]
struct Only {
    only: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Only {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *shown == self.only {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Stranger)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Somebody else answers.
#[derive(Debug, thiserror::Error)]
#[error("the certificate shown is not that of the gateway's page")]
struct Stranger;
