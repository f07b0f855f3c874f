//! What every answer tells the browser: everything comes from the page itself, nobody may frame
//! it, nothing of it is kept.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

use super::tls::PageTls;

/// No inline script, no inline style: both are files of the page ([`assets`](super::assets)).
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The page asks the browser for nothing of the kind.
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), \
    gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

/// A year.
const STRICT: &str = "max-age=31536000";

/// Whether browsers are told to come back under TLS only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strict {
    Yes,
    No,
}

impl Strict {
    /// Only with a certificate that somebody keeps: after this a browser lets nobody past a
    /// certificate that it does not trust, and that of the gateway itself is none that it trusts.
    pub(super) fn of(tls: Option<&PageTls>) -> Self {
        match tls.map(|tls| tls.certificate().own) {
            Some(false) => Self::Yes,
            Some(true) | None => Self::No,
        }
    }
}

/// Sets them. An answer may say itself how long it is kept.
pub(super) async fn guard(strict: Strict, mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A form of ours must name its origin: `no-referrer` would make it `null`.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if strict == Strict::Yes {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
