//! Each fault is seen on the wire.
