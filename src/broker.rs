//! How an MQTT broker is reached, for the field side and the platform side alike.

use std::path::PathBuf;
use std::time::Duration;

/// Certificates and keys, by file only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsConfig {
    /// PEM file with the authorities to trust; those of the system when `None`.
    pub ca_file: Option<PathBuf>,
    /// PEM file with the client's certificate chain.
    pub cert_file: Option<PathBuf>,
    /// PEM file with the client's key.
    pub key_file: Option<PathBuf>,
}

/// Settings of a connection to a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// MQTT client id, unique on that broker.
    pub client_id: String,
    /// User name, when the broker asks for one.
    pub username: Option<String>,
    /// File with the password, on one line.
    pub password_file: Option<PathBuf>,
    /// TLS, when set.
    pub tls: Option<TlsConfig>,
    /// Interval of keep-alive pings.
    pub keep_alive: Duration,
    /// Longest time to connect.
    pub connect_timeout: Duration,
}

impl Default for BrokerConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 1883,
            client_id: "linli".into(),
            username: None,
            password_file: None,
            tls: None,
            keep_alive: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
        }
    }
}
