//! Devices as data: what a *model* of device offers and how it is read.
//!
//! A profile is one TOML file: products, sources, limits and quirks of the model, its points, and
//! its own examples (raw registers or payload in, readings out). A new device needs a file, no Rust.

mod binding;
mod encode;
mod library;

pub use binding::{
    Availability, Binding, Code, Encoding, Limits, MqttModel, MqttSource, Param, PathStep,
    PayloadFormat, Product, Profile, RegisterSource, Scale, SerialDefaults, Table, TopicRule,
    WordOrder,
};
pub use encode::{EncodeError, encode_bit, encode_words};
pub use library::Library;
