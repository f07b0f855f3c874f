//! Whether an authority, a certificate and a key fit each other, before any is used.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, Error, RootCertStore};

use crate::model::Words;

/// Looks at what a platform gave: the authorities by which its broker is known, our certificate and
/// its key, as PEM. What comes back is worth a look and may be right.
///
/// # Errors
/// One is no PEM, certificate and key do not fit, one is without the other, or the certificate has
/// expired.
pub fn check_credentials(
    authorities: Option<&[u8]>,
    certificate: Option<&[u8]>,
    key: Option<&[u8]>,
) -> Result<Vec<Words>, Words> {
    let mut roots = RootCertStore::empty();
    for authority in authorities.map(|pem| chain("CA", pem)).transpose()?.unwrap_or_default() {
        roots.add(authority).map_err(|error| wrong("CA", &error.to_string()))?;
    }
    let (pem, key) = match (certificate, key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return Ok(Vec::new()),
        _ => {
            return Err((
                "a certificate and its key go together: one of them is missing",
                "证书与私钥须成对提供，缺少其一",
            )
                .into());
        }
    };
    let chain = chain("certificate", pem)?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
        Words::from((
            "the key holds no private key (PEM expected; one with a passphrase cannot be used)",
            "私钥文件中没有私钥（须为 PEM 格式，且不带口令）",
        ))
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // The same check as the connection makes, before there is one.
    rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_root_certificates(RootCertStore::empty())
                .with_client_auth_cert(chain.clone(), key)
        })
        .map_err(|error| {
            Words::from((
                format!("the key does not fit the certificate: {error}"),
                format!("私钥与证书不匹配：{error}"),
            ))
        })?;
    let own_roots = roots.is_empty();
    if own_roots {
        // Judged by itself: only its dates count then.
        for one in &chain {
            roots.add(one.clone()).map_err(|error| wrong("certificate", &error.to_string()))?;
        }
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| wrong("CA", &error.to_string()))?;
    let (end, between) = chain.split_first().ok_or_else(|| wrong("certificate", "it is empty"))?;
    match verifier.verify_client_cert(end, between, UnixTime::now()) {
        Ok(_) => Ok(Vec::new()),
        Err(Error::InvalidCertificate(fault)) => judged(fault, own_roots),
        Err(other) => Err(wrong("certificate", &other.to_string())),
    }
}

fn judged(fault: CertificateError, own_roots: bool) -> Result<Vec<Words>, Words> {
    match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Err(("the certificate has expired", "证书已过期").into())
        }
        // A new box has the date of its image: the certificate may be newer.
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Ok(vec![
            (
                "the certificate is not valid yet by this box's clock: is the clock right?",
                "按本机时钟证书尚未生效：请核对时钟",
            )
                .into(),
        ]),
        _ if own_roots => Ok(Vec::new()),
        // The second: an authority of the same name with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Ok(vec![
            (
                "the certificate was not issued by the CA that was given; right only when the \
                 platform uses another for gateways",
                "证书并非由所给 CA 签发；仅当平台另用 CA 签发网关证书时才正确",
            )
                .into(),
        ]),
        other => {
            Ok(vec![(format!("the certificate: {other:?}"), format!("证书存疑：{other:?}")).into()])
        }
    }
}

fn chain(what: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Words> {
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(what, &error.to_string()))?;
    if chain.is_empty() {
        Err(wrong(what, "no certificate in it (PEM expected)"))
    } else {
        Ok(chain)
    }
}

fn wrong(what: &str, fault: &str) -> Words {
    let zh = if what == "CA" { "CA 证书" } else { "证书" };
    (format!("the {what} is wrong: {fault}"), format!("{zh}有误：{fault}")).into()
}
