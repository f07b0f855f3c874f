//! The one form of certificate that the gateway makes (RFC 5280), in DER: version 3, ECDSA P-256
//! with SHA-256, signed by its own key.

use std::net::IpAddr;

/// Longest common name (RFC 5280, upper bounds), characters.
const LONGEST_NAME: usize = 64;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTF8: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// Explicit `[0]`: the version.
const VERSION: u8 = 0xa0;
/// Explicit `[3]`: the extensions.
const EXTENSIONS: u8 = 0xa3;
/// `[2]` and `[7]` of a general name.
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// `TRUE`, for a critical extension.
const CRITICAL: &[u8] = &[0x01, 0x01, 0xff];
const NOT_CRITICAL: &[u8] = &[];

// Object identifiers, encoded.
/// 1.2.840.10045.4.3.2, ECDSA with SHA-256.
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// 1.2.840.10045.2.1, a key on a curve.
const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7, the curve P-256.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 2.5.4.3, common name.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.15, .17, .19, .37.
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const OTHER_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// 1.3.6.1.5.5.7.3.1, a server.
const SERVER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

const BEGIN: &[u8] = b"240101000000Z";
const END: &[u8] = b"491231235959Z";

/// What is signed. `key` is the point of the public key, uncompressed.
pub(super) fn body(serial: &[u8; 16], common: &str, names: &[String], key: &[u8]) -> Vec<u8> {
    let name = name(common);
    let validity = [der(UTC_TIME, BEGIN), der(UTC_TIME, END)].concat();
    let algorithm = [der(OBJECT, EC_KEY), der(OBJECT, P256)].concat();
    let key = [der(SEQUENCE, &algorithm), bits(key)].concat();
    let parts = [
        der(VERSION, &der(INTEGER, &[2])),
        number(serial),
        signature_algorithm(),
        name.clone(),
        der(SEQUENCE, &validity),
        name,
        der(SEQUENCE, &key),
        der(EXTENSIONS, &der(SEQUENCE, &extensions(names))),
    ];
    der(SEQUENCE, &parts.concat())
}

/// The certificate: what was signed, and the signature.
pub(super) fn signed(body: &[u8], signature: &[u8]) -> Vec<u8> {
    der(SEQUENCE, &[body, &signature_algorithm(), &bits(signature)].concat())
}

fn signature_algorithm() -> Vec<u8> {
    der(SEQUENCE, &der(OBJECT, ECDSA_SHA256))
}

fn name(common: &str) -> Vec<u8> {
    let common: String = common.chars().take(LONGEST_NAME).collect();
    let pair = [der(OBJECT, COMMON_NAME), der(UTF8, common.as_bytes())].concat();
    der(SEQUENCE, &der(SET, &der(SEQUENCE, &pair)))
}

/// It is no authority, signs handshakes and nothing else, and is for these names.
fn extensions(names: &[String]) -> Vec<u8> {
    let names: Vec<u8> = names.iter().flat_map(|name| general_name(name)).collect();
    // One bit, of seven unused ones: digital signature.
    let usage = der(BIT_STRING, &[0x07, 0x80]);
    [
        extension(CONSTRAINTS, CRITICAL, &der(SEQUENCE, &[])),
        extension(KEY_USAGE, CRITICAL, &usage),
        extension(EXTENDED_USAGE, NOT_CRITICAL, &der(SEQUENCE, &der(OBJECT, SERVER))),
        extension(OTHER_NAMES, NOT_CRITICAL, &der(SEQUENCE, &names)),
    ]
    .concat()
}

fn extension(object: &[u8], critical: &[u8], value: &[u8]) -> Vec<u8> {
    let parts = [&der(OBJECT, object), critical, &der(OCTET_STRING, value)];
    der(SEQUENCE, &parts.concat())
}

fn general_name(name: &str) -> Vec<u8> {
    match name.parse() {
        Ok(IpAddr::V4(address)) => der(IP_ADDRESS, &address.octets()),
        Ok(IpAddr::V6(address)) => der(IP_ADDRESS, &address.octets()),
        Err(_) => der(DNS_NAME, name.as_bytes()),
    }
}

/// A positive number: without leading zeros, and with one where its first bit would be the sign.
fn number(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len().saturating_sub(1));
    let bytes = bytes.get(start..).unwrap_or_default();
    let sign: &[u8] = if bytes.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    der(INTEGER, &[sign, bytes].concat())
}

/// Whole bytes as a string of bits.
fn bits(bytes: &[u8]) -> Vec<u8> {
    der(BIT_STRING, &[&[0], bytes].concat())
}

/// Tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let start = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
            out.push(0x80 | u8::try_from(length.len() - start).unwrap_or(8));
            out.extend(&length[start..]);
        }
    }
    out.extend(content);
    out
}
