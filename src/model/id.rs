//! Identifiers: what a thing is called, as types that cannot be mixed up.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest identifier accepted, in bytes.
const MAX_LEN: usize = 64;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an identifier: allowed are 1 to 64 lower-case letters, digits, `.`, `_` and `-`, starting with a letter or digit"
)]
pub struct IdError(pub String);

fn parse(text: &str) -> Result<Arc<str>, IdError> {
    let ok = !text.is_empty()
        && text.len() <= MAX_LEN
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    if ok { Ok(text.into()) } else { Err(IdError(text.to_owned())) }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text: lower-case letters, digits, `.`, `_`, `-`; at most 64 bytes.
            ///
            /// # Errors
            /// [`IdError`] names the text that was refused.
            pub fn new(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }
    };
}

identifier!(
    /// This gateway, unique within the city's platform.
    GatewayId
);
identifier!(
    /// One device of the estate.
    DeviceId
);
identifier!(
    /// One serial line or TCP endpoint.
    BusId
);

/// A value of a device: device and point name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PointKey {
    /// The device.
    pub device: DeviceId,
    /// The point's name in the device's profile.
    pub point: Arc<str>,
}

impl fmt::Display for PointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.device, self.point)
    }
}

/// Place of a device in [`Estate::devices`](super::Estate::devices).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceIndex(pub u32);

impl DeviceIndex {
    /// As an index into a slice.
    pub fn slot(self) -> usize {
        self.0 as usize
    }
}

/// Place of a point in [`Device::points`](super::Device::points).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PointIndex(pub u16);

impl PointIndex {
    /// As an index into a slice.
    pub fn slot(self) -> usize {
        usize::from(self.0)
    }
}

/// One life of a buffer: a new one begins when the buffer is created or had to be set aside.
/// Sequence numbers count from 1 within an epoch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for Epoch {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        if text.len() == 16
            && let Ok(n) = u64::from_str_radix(&text, 16)
        {
            return Ok(Self(n));
        }
        Err(IdError(text))
    }
}

impl From<Epoch> for String {
    fn from(epoch: Epoch) -> String {
        epoch.to_string()
    }
}

/// Position of a block within an epoch, from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The position after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_with_capitals_spaces_or_slashes_is_refused_by_name() {
        for bad in ["", "Meter", "a b", "a/b", "-a", "电表", &"x".repeat(65)] {
            let error = DeviceId::new(bad).expect_err(bad);
            assert!(error.to_string().contains(bad));
        }
        assert_eq!(DeviceId::new("meter-1.a_2").unwrap().as_str(), "meter-1.a_2");
    }

    #[test]
    fn an_epoch_is_written_as_sixteen_hex_digits_and_read_back() {
        let epoch = Epoch(0xab);
        let text = serde_json::to_string(&epoch).unwrap();
        assert_eq!(text, "\"00000000000000ab\"");
        assert_eq!(serde_json::from_str::<Epoch>(&text).unwrap(), epoch);
    }
}
