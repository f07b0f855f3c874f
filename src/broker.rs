//! How an MQTT broker is reached, for the field side and the platform side alike.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{MqttOptions, NetworkOptions, TlsConfiguration, Transport};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

mod credentials;
mod expiry;
mod pair;
mod reach;
mod words;

pub use credentials::{EVERY as LOOK_AT_FILES_EVERY, Renewal, Watched, note_credentials};
use expiry::Noting;
pub use expiry::{Held, Presented, Role, Unreadable, expiry_of};
pub use pair::check_credentials;
pub use reach::{Reached, Stage, Unreached};

/// A broker that misbehaves on demand.
#[cfg(test)]
pub(crate) mod fake;

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

/// Largest packet that is accepted from a broker, bytes; what is larger cannot be a reading.
pub const MAX_PACKET: usize = 1 << 20;

/// Why a connection cannot even be tried: a file of its settings is wrong.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// A file that the settings name cannot be read.
    #[error("{what} `{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// What the file holds.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{what} `{}` is wrong: {fault}", path.display())]
    Wrong {
        /// What the file should hold.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// A certificate without its key, or a key without its certificate.
    #[error("`cert_file` and `key_file` go together: only `{}` is set", .0.display())]
    HalfPair(PathBuf),
    /// The system's authorities cannot be loaded.
    #[error("no certificate authorities on this system ({0}); name a file in `ca_file`")]
    SystemRoots(String),
    /// The TLS library refuses the settings.
    #[error("TLS settings are refused: {0}")]
    Tls(#[from] rustls::Error),
    /// A keep-alive that MQTT cannot express.
    #[error("keep_alive is {0:?}; allowed are 1 s to 65535 s")]
    KeepAlive(Duration),
    /// A setting that must not be empty.
    #[error("`{0}` of the broker is empty")]
    Empty(&'static str),
}

impl BrokerConfig {
    /// Whether a session proves both sides: the broker by TLS, we by certificate or password.
    pub fn authenticates(&self) -> bool {
        let certified = self.tls.as_ref().is_some_and(|tls| tls.cert_file.is_some());
        self.tls.is_some() && (certified || self.password_file.is_some())
    }

    /// Broker for people: `mqtts://host:8883`.
    pub fn title(&self) -> String {
        let scheme = if self.tls.is_some() { "mqtts" } else { "mqtt" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }

    /// Reads every file that the settings name and makes the client's options. Called before each
    /// attempt to connect, so that a renewed certificate or password needs no restart.
    ///
    /// # Errors
    /// [`BrokerError`] names the file or setting and what is wrong with it.
    pub fn options(&self) -> Result<MqttOptions, BrokerError> {
        self.options_noting(&Presented::default())
    }

    /// As [`options`](Self::options); the chain that the broker presents is noted once verified.
    ///
    /// # Errors
    /// As there.
    pub fn options_noting(&self, presented: &Presented) -> Result<MqttOptions, BrokerError> {
        for (name, text) in [("host", &self.host), ("client_id", &self.client_id)] {
            if text.is_empty() {
                return Err(BrokerError::Empty(name));
            }
        }
        if self.keep_alive < Duration::from_secs(1) || self.keep_alive.as_secs() > 65_535 {
            return Err(BrokerError::KeepAlive(self.keep_alive));
        }
        // rumqttc joins host and port with a colon: a bare IPv6 address needs its brackets.
        let host = match self.host.parse::<std::net::Ipv6Addr>() {
            Ok(address) if self.tls.is_none() => format!("[{address}]"),
            _ => self.host.clone(),
        };
        let mut options = MqttOptions::new(self.client_id.clone(), host, self.port);
        options.set_keep_alive(self.keep_alive).set_max_packet_size(MAX_PACKET, 16 * MAX_PACKET);
        let password = match &self.password_file {
            Some(path) => Some(read_password(path)?),
            None => None,
        };
        if self.username.is_some() || password.is_some() {
            let user = self.username.clone().unwrap_or_default();
            options.set_credentials(user, password.unwrap_or_default());
        }
        if let Some(tls) = &self.tls {
            let config = TlsConfiguration::Rustls(Arc::new(tls.client(presented)?));
            options.set_transport(Transport::tls_with_config(config));
        }
        Ok(options)
    }

    /// Options of the socket.
    pub fn network(&self) -> NetworkOptions {
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(self.connect_timeout.as_secs().max(1));
        network
    }
}

impl TlsConfig {
    /// Loads authorities, certificate and key. The broker's chain and name are always verified, by
    /// TLS 1.2 or 1.3: no setting turns that off.
    fn client(&self, presented: &Presented) -> Result<ClientConfig, BrokerError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.ca_file {
            for authority in read_certificates("ca_file", path)? {
                roots.add(authority).map_err(|error| BrokerError::Wrong {
                    what: "ca_file",
                    path: path.clone(),
                    fault: error.to_string(),
                })?;
            }
        } else {
            let loaded = rustls_native_certs::load_native_certs();
            let (added, _) = roots.add_parsable_certificates(loaded.certs);
            if added == 0 {
                let why = loaded.errors.first().map_or("none found".into(), ToString::to_string);
                return Err(BrokerError::SystemRoots(why));
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))?;
        let noting = Noting { verifier, presented: presented.clone() };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            // Verifies with the verifier of rustls itself, and only notes what it verified.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(noting));
        match (&self.cert_file, &self.key_file) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(path), None) | (None, Some(path)) => Err(BrokerError::HalfPair(path.clone())),
            (Some(cert), Some(key)) => {
                let chain = read_certificates("cert_file", cert)?;
                let secret = PrivateKeyDer::from_pem_slice(&read("key_file", key)?)
                    .map_err(|error| wrong_pem("key_file", key, &error))?;
                builder.with_client_auth_cert(chain, secret).map_err(|error| BrokerError::Wrong {
                    what: "key_file",
                    path: key.clone(),
                    fault: format!("it does not fit `{}`: {error}", cert.display()),
                })
            }
        }
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, BrokerError> {
    std::fs::read(path).map_err(|source| BrokerError::Unreadable {
        what,
        path: path.to_owned(),
        source,
    })
}

fn read_password(path: &Path) -> Result<String, BrokerError> {
    let wrong = |fault: &str| BrokerError::Wrong {
        what: "password_file",
        path: path.to_owned(),
        fault: fault.to_owned(),
    };
    let text = String::from_utf8(read("password_file", path)?).map_err(|_| wrong("not UTF-8"))?;
    let password = text.trim();
    if password.is_empty() {
        return Err(wrong("it is empty"));
    }
    if password.lines().count() > 1 {
        return Err(wrong("it has more than one line"));
    }
    Ok(password.to_owned())
}

fn read_certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, BrokerError> {
    let bytes = read(what, path)?;
    let chain = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong_pem(what, path, &error))?;
    if chain.is_empty() {
        let fault = "no certificate in it (PEM expected)".into();
        return Err(BrokerError::Wrong { what, path: path.to_owned(), fault });
    }
    Ok(chain)
}

fn wrong_pem(what: &'static str, path: &Path, error: &pem::Error) -> BrokerError {
    let fault = match error {
        pem::Error::NoItemsFound => "nothing of that kind in it (PEM expected)".into(),
        other => other.to_string(),
    };
    BrokerError::Wrong { what, path: path.to_owned(), fault }
}

#[cfg(test)]
mod tests {
    use rumqttc::{ConnectReturnCode, ConnectionError, StateError};

    use super::*;

    #[test]
    fn a_session_is_authenticated_only_when_both_sides_prove_who_they_are() {
        let plain = BrokerConfig { password_file: Some("secret".into()), ..Default::default() };
        assert!(!plain.authenticates(), "nobody knows who took the password");
        let anonymous = BrokerConfig { tls: Some(TlsConfig::default()), ..Default::default() };
        assert!(!anonymous.authenticates());
        let password = BrokerConfig { tls: Some(TlsConfig::default()), ..plain };
        assert!(password.authenticates());
        let tls = TlsConfig { cert_file: Some("gateway.pem".into()), ..TlsConfig::default() };
        let certificate = BrokerConfig { tls: Some(tls), ..BrokerConfig::default() };
        assert!(certificate.authenticates());
    }

    fn with_tls(tls: TlsConfig) -> BrokerConfig {
        BrokerConfig { tls: Some(tls), ..BrokerConfig::default() }
    }

    #[test]
    fn a_missing_or_empty_credential_is_refused_by_the_name_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let config = BrokerConfig { password_file: Some(path.clone()), ..BrokerConfig::default() };
        let name = path.display().to_string();
        let missing = config.options().err().unwrap().to_string();
        assert!(missing.contains(&name) && missing.contains("password_file"), "{missing}");
        std::fs::write(&path, "\n").unwrap();
        assert!(config.options().err().unwrap().to_string().contains("empty"));
        std::fs::write(&path, "pass word\n").unwrap();
        let login = config.options().unwrap().credentials().unwrap();
        assert_eq!(login.password, "pass word");
    }

    #[test]
    fn a_file_that_is_no_certificate_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "not a certificate").unwrap();
        let config = with_tls(TlsConfig { ca_file: Some(path.clone()), ..TlsConfig::default() });
        let text = config.options().err().unwrap().to_string();
        assert!(text.contains(&path.display().to_string()), "{text}");
        assert!(text.contains("no certificate"), "{text}");
    }

    #[test]
    fn a_refusal_is_told_in_words() {
        let config = BrokerConfig::default();
        let text = config
            .describe(&ConnectionError::ConnectionRefused(ConnectReturnCode::BadUserNamePassword));
        assert_eq!(text.en, "127.0.0.1:1883 refused the session: wrong user name or password");
        assert_eq!(text.zh, "127.0.0.1:1883 拒绝会话：用户名或密码错误");
    }

    #[test]
    fn the_common_faults_are_told_in_both_languages() {
        use std::io::{Error, ErrorKind};
        let config = BrokerConfig { host: "box".into(), ..BrokerConfig::default() };
        let io = |kind: ErrorKind| ConnectionError::Io(Error::from(kind));
        let certificate = rustls::Error::from(rustls::CertificateError::UnknownIssuer);
        let cases = [
            (io(ErrorKind::ConnectionRefused), "nothing listens at box:1883", "连接被拒绝"),
            (io(ErrorKind::ConnectionReset), "closed the connection", "断开了连接"),
            (io(ErrorKind::HostUnreachable), "box:1883: ", "主机不可达"),
            (ConnectionError::Io(Error::other("failed to lookup address")), "resolved", "无法解析"),
            (ConnectionError::NetworkTimeout, "no answer from box:1883 within 10s", "无应答"),
            (ConnectionError::MqttState(StateError::AwaitPingResp), "pings", "不回应心跳"),
            (
                ConnectionError::Tls(rumqttc::TlsError::Io(Error::other(certificate))),
                "TLS with box:1883 failed",
                "对方证书签发机构不受信任",
            ),
        ];
        for (error, en, zh) in cases {
            let told = config.describe(&error);
            assert!(told.en.contains(en) && told.zh.contains(zh), "{told:?}");
        }
        let wrong = BrokerError::Empty("host").words();
        assert_eq!(
            (wrong.en.as_str(), wrong.zh.as_str()),
            ("`host` of the broker is empty", "消息代理的 `host` 为空")
        );
    }
}
