//! A message with its signature beside it, and how the signature is checked.
//!
//! ```json
//! {"v":1,"message":"<?xml …","signature":"<Signature>…" }
//! ```
//! `message` is the text that was signed, byte for byte. `signature` is bare base64, or the signature
//! file of an EBD (`EBDS_…xml`) whose `SignatureValue` holds it. It may be an Ed25519 signature, an
//! ECDSA signature over P-256 with SHA-256 (DER, or the 64 bytes of r and s), or RSA PKCS #1 v1.5 with
//! SHA-256. **Not checked** can be SM2, which the networks of the emergency broadcast use among
//! themselves: no such library is among ours; what is signed so is refused where a signature is
//! required.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    UnparsedPublicKey,
};
use serde::Deserialize;

use super::{MAX_MESSAGE, Unread, xml};
use crate::model::WarningRefusal;

/// Longest signature, as text.
const MAX_SIGNATURE: usize = 8 << 10;

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What was signed.
    pub message: Vec<u8>,
    /// The signature, when there is one.
    pub signature: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    v: u32,
    message: String,
    #[serde(default)]
    signature: Option<String>,
}

/// Takes a message out of its envelope; one without an envelope is itself.
///
/// # Errors
/// It is too long, or an envelope of another version.
pub fn open(payload: &[u8]) -> Result<Opened, Unread> {
    if payload.len() > 2 * MAX_MESSAGE {
        return Err(Unread::malformed(format!("it is longer than {} bytes", 2 * MAX_MESSAGE)));
    }
    let Ok(envelope) = serde_json::from_slice::<Envelope>(payload) else {
        return Ok(Opened { message: payload.to_vec(), signature: None });
    };
    if envelope.v != 1 {
        return Err(Unread::malformed(format!("the envelope's version is {}", envelope.v)));
    }
    if envelope.signature.as_ref().is_some_and(|text| text.len() > MAX_SIGNATURE) {
        return Err(Unread::malformed("its signature is too long"));
    }
    Ok(Opened { message: envelope.message.into_bytes(), signature: envelope.signature })
}

/// What a public key can check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Ed25519,
    EcdsaP256,
    Rsa,
}

/// Somebody whose messages count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What people call them.
    pub name: String,
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl Key {
    /// Reads a public key in PEM: `-----BEGIN PUBLIC KEY-----`, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// What is wrong with it, English.
    pub fn read(name: &str, pem: &str) -> Result<Self, String> {
        let inside = pem
            .split_once("-----BEGIN PUBLIC KEY-----")
            .and_then(|(_, rest)| rest.split_once("-----END PUBLIC KEY-----"))
            .map(|(inside, _)| inside.split_whitespace().collect::<String>())
            .ok_or("it holds no `-----BEGIN PUBLIC KEY-----`")?;
        let der =
            STANDARD.decode(inside).map_err(|error| format!("its base64 is wrong: {error}"))?;
        let (algorithm, bytes) = spki(&der).ok_or(
            "it is neither an Ed25519, nor an ECDSA P-256, nor an RSA key (SM2 cannot be checked)",
        )?;
        Ok(Self { name: name.to_owned(), algorithm, bytes })
    }

    fn made(&self, message: &[u8], signature: &[u8]) -> bool {
        let check = |algorithm| {
            UnparsedPublicKey::new(algorithm, &self.bytes).verify(message, signature).is_ok()
        };
        match self.algorithm {
            Algorithm::Ed25519 => check(&ED25519),
            Algorithm::EcdsaP256 => {
                check(&ECDSA_P256_SHA256_ASN1) || check(&ECDSA_P256_SHA256_FIXED)
            }
            Algorithm::Rsa => check(&RSA_PKCS1_2048_8192_SHA256),
        }
    }
}

/// Algorithm and key of a `SubjectPublicKeyInfo` (RFC 5280, 4.1.2.7).
fn spki(der: &[u8]) -> Option<(Algorithm, Vec<u8>)> {
    const ED25519_OID: &[u8] = &[0x2b, 0x65, 0x70];
    const EC_OID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    const P256_OID: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    const RSA_OID: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let (all, rest) = element(0x30, der)?;
    if !rest.is_empty() {
        return None;
    }
    let (algorithm, rest) = element(0x30, all)?;
    let (oid, parameters) = element(0x06, algorithm)?;
    let (bits, _) = element(0x03, rest)?;
    let (unused, key) = bits.split_first()?;
    let algorithm = match oid {
        ED25519_OID => Algorithm::Ed25519,
        EC_OID if element(0x06, parameters).is_some_and(|(curve, _)| curve == P256_OID) => {
            Algorithm::EcdsaP256
        }
        RSA_OID => Algorithm::Rsa,
        _ => return None,
    };
    (*unused == 0).then(|| (algorithm, key.to_vec()))
}

/// The content of the DER element that begins here, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length)).flatten()
}

/// Who of `keys` signed the message.
///
/// # Errors
/// Nobody: it is not signed, or wrongly.
pub fn signer<'k>(keys: &'k [Key], opened: &Opened) -> Result<&'k Key, Unread> {
    let Some(text) = &opened.signature else {
        return Err(Unread::new(WarningRefusal::Unsigned, "no signature is beside it"));
    };
    let wrong = |detail: &str| Unread::new(WarningRefusal::WrongSignature, detail);
    let text = text.trim();
    let value = match text.starts_with('<') {
        false => text.to_owned(),
        true => {
            let document = xml::parse(text).map_err(|unread| wrong(&unread.detail))?;
            let found = document
                .descendants()
                .find(|node| node.tag_name().name() == "SignatureValue")
                .and_then(|node| node.text())
                .ok_or_else(|| wrong("the signature file has no <SignatureValue>"))?;
            found.to_owned()
        }
    };
    let value: String = value.split_whitespace().collect();
    let bytes = STANDARD.decode(value).map_err(|_| wrong("the signature is no base64"))?;
    keys.iter()
        .find(|key| key.made(&opened.message, &bytes))
        .ok_or_else(|| wrong("no trusted key made this signature"))
}
