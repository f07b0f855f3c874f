//! The campaign of kills.
