//! With what right the commands ask the running gateway's page.

use std::net::SocketAddr;
use std::path::Path;

use crate::access::{ConsoleToken, Secret};
use crate::app::users_file;
use crate::config::Settings;
use crate::status::Page;

/// Names the variable with an API token, for users who may not read the console's.
const TOKEN_VARIABLE: &str = "LINLI_TOKEN";

/// The page of a configuration, as it is reached from this machine; `None` when it has none.
pub(super) fn page_of(settings: &Settings) -> Option<Page> {
    let page = settings.page()?;
    Some(Page { token: token(Some(settings)), ..page })
}

/// The page at an address; `settings` are those of this machine, when they can be read. The
/// console's token is shown to this machine alone, and a token to others only when it is named.
pub(super) fn page_at(address: SocketAddr, settings: Option<&Settings>) -> Page {
    match settings.and_then(page_of) {
        Some(own) if own.address == address => own,
        own => {
            let own = own.and_then(|own| own.token);
            let token = if address.ip().is_loopback() { own } else { variable() };
            Page { token, ..Page::from(address) }
        }
    }
}

fn variable() -> Option<Secret> {
    std::env::var(TOKEN_VARIABLE).ok().map(|token| token.trim().to_owned().into())
}

/// The token of the variable, else the console's when this user may read it.
fn token(settings: Option<&Settings>) -> Option<Secret> {
    match settings {
        Some(settings) => token_beside(&users_file(settings)),
        None => variable(),
    }
}

/// The token of the variable, else the console's, which lies beside the users file.
pub(super) fn token_beside(users: &Path) -> Option<Secret> {
    if let Some(token) = variable() {
        return Some(token);
    }
    match ConsoleToken::read(users.parent()?) {
        Ok(token) => Some(token),
        // The page says what is missing, when it asks for a login at all.
        Err(error) => {
            tracing::debug!(%error, "there is no token of the console");
            None
        }
    }
}
