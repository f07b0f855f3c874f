//! The local page's joints: its certificate, and how it is told where the page is.

use std::net::SocketAddr;

use anyhow::Context as _;

use crate::config::Settings;
use crate::status::PageTls;

/// The certificate that the settings ask for, made at the first start.
///
/// # Errors
/// It cannot be read or made.
pub(super) fn tls(settings: &Settings) -> anyhow::Result<Option<PageTls>> {
    let Some(config) = &settings.status else { return Ok(None) };
    PageTls::open(config, settings.gateway.as_str(), &settings.buffer.path)
        .context("the certificate of the page / 页面证书")
}

/// Says where the page is, and by what a technician knows that it is this one.
pub(super) fn tell(address: SocketAddr, tls: Option<&PageTls>) {
    match tls.map(PageTls::certificate) {
        Some(certificate) => tracing::info!(
            %address,
            sha256 = certificate.fingerprint,
            "the local page is at this address, under TLS"
        ),
        None => tracing::info!(%address, "the local page is at this address"),
    }
}
