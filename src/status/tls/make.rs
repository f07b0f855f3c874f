//! Makes the page's own certificate: self-signed, ECDSA P-256, for the names under which somebody
//! in the estate reaches the gateway.
//!
//! It is valid from 2024 to the end of 2049. A box has no clock at its first start, so neither end
//! can follow the clock: a begin of "now" would be 1970, or lie in the future of the phone that
//! looks at it, and an end ten years from 1970 would be over. What a person trusts is the
//! fingerprint, compared once at the console, and a new certificate would ask for that again: so it
//! lasts as long as the box, to the last year that a certificate writes with two digits. A site
//! that wants shorter ones puts its own into files.
//!
//! The form (RFC 5280) is fixed but for names, serial number and key, so it is written here
//! ([`form`](super::form)) instead of by a crate that brings twenty others.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

use super::{TlsFault, form};
use crate::whole_file;

/// Where the system keeps the name of this machine.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// Names and addresses under which the page is reached.
pub(super) fn names(gateway: &str, listen: SocketAddr) -> Vec<String> {
    let host = fs::read_to_string(HOST_NAME).unwrap_or_default();
    let host = host.trim().to_ascii_lowercase();
    let mut names = vec![gateway.to_owned(), "localhost".to_owned()];
    if !host.is_empty() && host.is_ascii() {
        names.push(format!("{host}.local"));
        names.push(host);
    }
    names.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
    if !listen.ip().is_unspecified() {
        names.push(listen.ip().to_string());
    }
    names.sort();
    names.dedup();
    names
}

/// Whether a certificate is for all these names.
pub(super) fn carries(chain: &[CertificateDer<'_>], names: &[String]) -> bool {
    let parsed = chain.first().and_then(|first| ParsedCertificate::try_from(first).ok());
    let Some(parsed) = parsed else { return false };
    names.iter().all(|name| match ServerName::try_from(name.as_str()) {
        Ok(name) => verify_server_name(&parsed, &name).is_ok(),
        // No name that a browser could ask for.
        Err(_) => true,
    })
}

/// Makes both files. The key comes first: a certificate without its key is never there.
pub(super) fn pair(
    cert_file: &Path,
    key_file: &Path,
    gateway: &str,
    names: &[String],
) -> Result<(), TlsFault> {
    let refused = |_| {
        TlsFault::new(
            cert_file,
            ("no random numbers for a key", "系统无法提供生成密钥所需的随机数"),
        )
    };
    let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
    let secret = EcdsaKeyPair::generate_pkcs8(kind, &random).map_err(refused)?;
    let key = EcdsaKeyPair::from_pkcs8(kind, secret.as_ref(), &random)
        .expect("ring reads the keys that it makes");
    let mut serial = [0; 16];
    random.fill(&mut serial).map_err(refused)?;
    let body = form::body(&serial, gateway, names, key.public_key().as_ref());
    let signature = key.sign(&random, &body).map_err(refused)?;
    let certificate = form::signed(&body, signature.as_ref());
    let secret = pem("PRIVATE KEY", secret.as_ref());
    whole_file::replace(key_file, secret.as_bytes(), 0o600)
        .map_err(|error| TlsFault::io(key_file, &error))?;
    let public = pem("CERTIFICATE", &certificate);
    whole_file::replace(cert_file, public.as_bytes(), 0o644)
        .map_err(|error| TlsFault::io(cert_file, &error))
}

fn pem(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {kind}-----\n");
    for (index, sign) in text.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(sign);
    }
    pem.push_str(&format!("\n-----END {kind}-----\n"));
    pem
}
