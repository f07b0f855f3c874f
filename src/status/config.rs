//! Settings of the local page.

use std::net::SocketAddr;

use crate::settings::Section;

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

impl Config {
    /// Reads the section `[status]`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        section.other_names(&[("port", "listen"), ("host", "listen"), ("address", "listen")]);
        Self { listen: section.socket_or("listen", Self::default().listen) }
    }
}
