//! When certificates expire: those in files, and those that a broker presented.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::{DateTime, Decode, SliceReader, Tag, Tagged as _};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

use super::{BrokerError, read_certificates};

/// What a file of certificates is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A chain that is presented: it ends with the first certificate that expires.
    Chain,
    /// Authorities that are trusted: they serve until the last of them expires, so that the next
    /// one can be added ahead of time.
    Authorities,
}

/// A certificate whose dates cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the dates of the certificate cannot be read: {0}")]
pub struct Unreadable(der::Error);

/// When the certificates of a PEM file expire, milliseconds since 1970.
///
/// # Errors
/// [`BrokerError`] names the file, and `what` it should hold.
pub fn expiry_of(what: &'static str, path: &Path, role: Role) -> Result<i64, BrokerError> {
    let chain = read_certificates(what, path)?;
    let dates = chain.iter().map(|one| expires_ms(one)).collect::<Result<Vec<i64>, _>>();
    let wrong = |fault: String| BrokerError::Wrong { what, path: path.to_owned(), fault };
    let dates = dates.map_err(|error| wrong(error.to_string()))?;
    let date = match role {
        Role::Chain => dates.into_iter().min(),
        Role::Authorities => dates.into_iter().max(),
    };
    date.ok_or_else(|| wrong("it holds no certificate".into()))
}

/// When a certificate expires, milliseconds since 1970.
fn expires_ms(certificate: &[u8]) -> Result<i64, Unreadable> {
    not_after(certificate)
        .map(|date| i64::try_from(date.unix_duration().as_millis()).unwrap_or(i64::MAX))
        .map_err(Unreadable)
}

/// `notAfter` (RFC 5280, 4.1): Certificate → TBSCertificate → version?, serialNumber, signature,
/// issuer, validity → notBefore, notAfter.
fn not_after(certificate: &[u8]) -> der::Result<DateTime> {
    let mut outer = SliceReader::new(AnyRef::from_der(certificate)?.value())?;
    let mut inner = SliceReader::new(AnyRef::decode(&mut outer)?.value())?;
    let first = AnyRef::decode(&mut inner)?;
    if first.tag().is_context_specific() {
        // That was the version; the serial number follows.
        AnyRef::decode(&mut inner)?;
    }
    let _signature = AnyRef::decode(&mut inner)?;
    let _issuer = AnyRef::decode(&mut inner)?;
    let mut validity = SliceReader::new(AnyRef::decode(&mut inner)?.value())?;
    let _not_before = AnyRef::decode(&mut validity)?;
    if Tag::peek(&validity)? == Tag::UtcTime {
        return Ok(UtcTime::decode(&mut validity)?.to_date_time());
    }
    Ok(GeneralizedTime::decode(&mut validity)?.to_date_time())
}

/// The chain that a broker presented last, once it was verified; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Presented(Arc<Mutex<Option<Held>>>);

/// What is kept of a presented chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// When the first of its certificates expires, milliseconds since 1970.
    pub expires_ms: i64,
}

impl Presented {
    /// What the broker presented last; `None` before its first chain was verified.
    pub fn last(&self) -> Option<Held> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, chain: impl Iterator<Item = i64>) {
        if let Some(expires_ms) = chain.min() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Held { expires_ms });
        }
    }
}

/// Verifies as rustls does, and notes what was verified.
#[derive(Debug)]
pub(super) struct Noting {
    pub verifier: Arc<WebPkiServerVerifier>,
    pub presented: Presented,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        let chain = std::iter::once(end_entity).chain(intermediates);
        self.presented.note(chain.filter_map(|one| expires_ms(one).ok()));
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(year: i32) -> rcgen::CertifiedKey<rcgen::KeyPair> {
        let mut params = rcgen::CertificateParams::new(vec!["a.test".into()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 2, 3);
        let signing_key = rcgen::KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        rcgen::CertifiedKey { cert, signing_key }
    }

    /// 3 February of that year.
    const IN_2031: i64 = 1_927_843_200_000;
    /// Written as GeneralizedTime, from 2050 on.
    const IN_2061: i64 = 2_874_614_400_000;

    #[test]
    fn both_forms_of_a_date_are_read() {
        assert_eq!(expires_ms(certificate(2031).cert.der()), Ok(IN_2031));
        assert_eq!(expires_ms(certificate(2061).cert.der()), Ok(IN_2061));
    }

    #[test]
    fn a_chain_ends_with_its_first_certificate_and_authorities_with_their_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.pem");
        std::fs::write(&path, certificate(2061).cert.pem() + &certificate(2031).cert.pem())
            .unwrap();
        assert_eq!(expiry_of("cert_file", &path, Role::Chain).unwrap(), IN_2031);
        assert_eq!(expiry_of("ca_file", &path, Role::Authorities).unwrap(), IN_2061);
        std::fs::write(&path, "rubbish").unwrap();
        let error = expiry_of("cert_file", &path, Role::Chain).unwrap_err().to_string();
        assert!(error.contains("cert_file") && error.contains("chain.pem"), "{error}");
    }

    #[test]
    fn a_certificate_cut_short_or_changed_never_panics() {
        let whole = certificate(2031).cert.der().to_vec();
        for end in 0..whole.len() {
            assert!(expires_ms(&whole[..end]).is_err());
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 0xff;
            // Whatever comes out: no panic.
            std::hint::black_box(expires_ms(&changed)).ok();
        }
    }
}
