//! The uplink against a broker that misbehaves.
