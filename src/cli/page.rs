//! Where the running gateway's page is, for the commands that ask it, and with what right.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::access::{ConsoleToken, Secret};
use crate::app::users_file;
use crate::config::Settings;
use crate::status::Page;

/// Names the variable with an API token, for users who may not read the console's.
pub(super) const TOKEN_VARIABLE: &str = "LINLI_TOKEN";

/// The page of a configuration, as it is reached from this machine; `None` when it has none.
pub(super) fn page_of(settings: &Settings) -> Option<Page> {
    let listen = settings.status.as_ref()?.listen;
    Some(Page { address: here(listen), token: token(Some(settings)) })
}

/// The page at an address; `settings` are those of this machine, when they can be read. The
/// console's token is shown to this machine alone.
pub(super) fn page_at(address: SocketAddr, settings: Option<&Settings>) -> Page {
    let own = settings.and_then(|settings| settings.status.as_ref());
    let own = own.is_some_and(|status| here(status.listen) == here(address));
    let token = token(settings.filter(|_| own || address.ip().is_loopback()));
    Page { address: here(address), token }
}

/// The token of the variable, else the console's when this user may read it.
fn token(settings: Option<&Settings>) -> Option<Secret> {
    if let Ok(token) = std::env::var(TOKEN_VARIABLE) {
        return Some(token.trim().to_owned().into());
    }
    let users = users_file(settings?);
    match ConsoleToken::read(users.parent()?) {
        Ok(token) => Some(token),
        // The page says what is missing, when it asks for a login at all.
        Err(error) => {
            tracing::debug!(%error, "there is no token of the console");
            None
        }
    }
}

/// An address that is listened on, as it is reached from this machine.
fn here(mut page: SocketAddr) -> SocketAddr {
    if page.ip().is_unspecified() {
        page.set_ip(if page.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    page
}
