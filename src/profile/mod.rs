//! Devices as data: what a *model* of device offers and how it is read.
//!
//! A profile is one TOML file: products, sources, limits and quirks of the model, its points, and
//! its own examples (raw registers or payload in, readings out). A new device needs a file, no Rust.

mod binding;
mod category;
mod check;
mod check_meter;
mod command;
mod decode;
mod decode_meter;
mod derive;
mod describe;
mod encode;
mod encoding;
mod entry;
mod example;
mod fault;
mod group;
mod identify;
mod library;
mod load;
mod load_meter;
mod load_modbus;
mod load_mqtt;
mod meter;
mod mqtt;
mod names;
mod params;
mod payload;
mod plausible;
mod points;
mod points_meter;
mod points_modbus;
mod points_mqtt;
mod runs;
mod schema;
mod schema_meter;
mod span;
mod table_defaults;

pub use binding::{
    Binding, Code, Encoding, Evidence, IdRegister, Limits, Member, Param, Product, Profile,
    RegisterSource, Scale, SerialDefaults, Table, Verified, WordOrder,
};
pub use category::{
    AnyOf, CategoryModel, CategoryModels, Compliance, NameParts, Nature, Property, Weight, comply,
    name_parts,
};
pub use check::{ExampleFault, obtained, run_examples};
pub use check_meter::MeterAnswer;
pub use command::{Command, CommandError, CommandKind, Target, Write, Written, encode_command};
pub use decode::{MAX_TEXT, decode_bit, decode_json, decode_text, decode_words, locate};
pub use decode_meter::{decode_item, decode_meter};
pub use describe::describe;
pub use encode::{EncodeError, encode_bit, encode_words};
pub use example::{Block, Example, Expected, Message};
pub use fault::ProfileFault;
pub use group::GroupError;
pub use library::{BUILT_IN, Library, Override, SITE_FOLDER, profile_folders};
pub use load::{Loaded, parse, parse_draft};
pub use meter::{
    Cjt188Model, Dlt645Model, ItemSource, MeterField, MeterManners, MeterPlace, MeterSource,
};
pub use mqtt::{Absent, Availability, MqttModel, MqttSource, PathStep, PayloadFormat, TopicRule};
pub use payload::{
    Allowed, PayloadMember, PayloadTopic, payload_members, payload_schema, payload_topics,
};
