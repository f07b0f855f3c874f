//! What an installer says: by flags, at the terminal, on the page, or in the `answers.toml` of a
//! bundle. Everything may be left out: then what the box has stays.

use serde::Deserialize;

/// Stands for "there is none": no field broker, no platform, no serial line.
pub const NONE: &str = "none";

/// All answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// The box and its estate.
    pub gateway: Gateway,
    /// The serial lines.
    pub lines: Lines,
    /// The field broker.
    pub field: Field,
    /// The local page.
    pub page: Page,
    /// The city's platform.
    pub platform: Platform,
}

/// The box and its estate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gateway {
    /// Its name at the platform.
    pub id: Option<String>,
    /// The estate's name.
    pub name: Option<String>,
    /// `new` or `old_retrofit`.
    pub kind: Option<String>,
    /// Whom the devices belong to.
    pub owner: Option<String>,
    /// Who maintains them.
    pub maintainer: Option<String>,
}

/// The serial lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lines {
    /// Device files; `none` for none.
    pub serial: Vec<String>,
    /// Whether they are scanned; yes when left out.
    pub scan: Option<bool>,
    /// Baud rates of the scan, instead of the usual ones.
    pub baud: Vec<u32>,
    /// Framings of the scan.
    pub frame: Vec<String>,
    /// Modbus unit ids of the scan.
    pub units: Vec<String>,
    /// Protocols of the scan.
    pub protocol: Vec<String>,
}

/// The field broker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Field {
    /// `host:port`, or `none`.
    pub broker: Option<String>,
}

/// The local page.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// Address and port.
    pub listen: Option<String>,
    /// Its first maintainer.
    pub user: Option<String>,
    /// The hash of the password, as `linli hash-password` prints it.
    pub hash: Option<String>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({:?} {:?})", self.listen, self.user)
    }
}

/// The city's platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Platform {
    /// `host` or `host:port`, or `none`.
    pub address: Option<String>,
    /// The MQTT client id; `{gateway}` stands for the gateway's name.
    pub client_id: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// Whether the session is encrypted; yes when there is a certificate.
    pub tls: Option<bool>,
}

impl Answers {
    /// What is said here, and where nothing is said, what `other` says.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let list = |own: Vec<String>, other: Vec<String>| if own.is_empty() { other } else { own };
        Self {
            gateway: Gateway {
                id: self.gateway.id.or(other.gateway.id),
                name: self.gateway.name.or(other.gateway.name),
                kind: self.gateway.kind.or(other.gateway.kind),
                owner: self.gateway.owner.or(other.gateway.owner),
                maintainer: self.gateway.maintainer.or(other.gateway.maintainer),
            },
            lines: Lines {
                serial: list(self.lines.serial, other.lines.serial),
                scan: self.lines.scan.or(other.lines.scan),
                baud: if self.lines.baud.is_empty() { other.lines.baud } else { self.lines.baud },
                frame: list(self.lines.frame, other.lines.frame),
                units: list(self.lines.units, other.lines.units),
                protocol: list(self.lines.protocol, other.lines.protocol),
            },
            field: Field { broker: self.field.broker.or(other.field.broker) },
            page: Page {
                listen: self.page.listen.or(other.page.listen),
                user: self.page.user.or(other.page.user),
                hash: self.page.hash.or(other.page.hash),
            },
            platform: Platform {
                address: self.platform.address.or(other.platform.address),
                client_id: self.platform.client_id.or(other.platform.client_id),
                username: self.platform.username.or(other.platform.username),
                tls: self.platform.tls.or(other.platform.tls),
            },
        }
    }
}
