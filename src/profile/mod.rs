//! Devices as data: what a *model* of device offers and how it is read.
//!
//! A profile is one TOML file: products, sources, limits and quirks of the model, its points, and
//! its own examples (raw registers or payload in, readings out). A new device needs a file, no Rust.

mod binding;
mod check;
mod check_meter;
mod decode;
mod decode_meter;
mod encode;
mod encoding;
mod entry;
mod fault;
mod identify;
mod library;
mod load;
mod load_meter;
mod load_modbus;
mod meter;
mod points;
mod points_meter;
mod runs;
mod schema;
mod schema_meter;
mod span;
mod table_defaults;

pub use binding::{
    Absent, Availability, Binding, Code, Encoding, Evidence, IdRegister, Limits, MqttModel,
    MqttSource, Param, PathStep, PayloadFormat, Product, Profile, RegisterSource, Scale,
    SerialDefaults, Table, TopicRule, Verified, WordOrder,
};
pub use check::{
    Block, Example, ExampleFault, Expected, Message, describe, obtained, run_examples,
};
pub use check_meter::MeterAnswer;
pub use decode::{MAX_TEXT, decode_bit, decode_json, decode_text, decode_words, locate};
pub use decode_meter::{decode_item, decode_meter};
pub use encode::{EncodeError, encode_bit, encode_words};
pub use fault::ProfileFault;
pub use library::{BUILT_IN, Library};
pub use load::{Loaded, parse, parse_draft};
pub use meter::{
    Cjt188Model, Dlt645Model, ItemSource, MeterField, MeterManners, MeterPlace, MeterSource,
};
