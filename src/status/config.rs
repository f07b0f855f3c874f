//! Settings of the local page.

use std::net::SocketAddr;

/// Settings of the local page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the page listens. Reachable from other machines only when set so.
    pub listen: SocketAddr,
}

impl Default for Config {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}
