//! `linli` (邻里) is the daemon on the gateway box of a smart residential area: it reads the
//! estate's devices, keeps what it read through outages and power cuts, says how far the estate
//! meets the star levels, and delivers everything to the city's smart-property platform.
//!
//! # Flow
//!
//! ```text
//!  devices ─► driver ─► pipeline ──► alarm ───► buffer ─► uplink ─► platform
//!              ▲ ▲        │  └────────│──────────►│         ││
//!              │ │        ├─► snapshot└► starlevel          ││
//!              │ │        └─► history ──► status ◄──────────┘│
//!              │ └ read again               │                │
//!              └──────── command ◄──────────┴── broadcast ◄──┘
//! ```
//! One task owns each bus; the slow end pulls; every channel is bounded (the table stands in
//! [`app`]); shutdown follows the flow ([`supervise`]).
//!
//! # Layout
//!
//! | module | does |
//! | --- | --- |
//! | [`cli`], [`app`] | the commands; the joints |
//! | [`config`], [`settings`] | composes each module's `Config`, all faults at once; the reader of TOML |
//! | [`model`] | the vocabulary: identifiers, units, readings, events, the estate, its snapshot |
//! | [`profile`] | devices as data: format, decoding, the examples inside each profile |
//! | [`protocol`] | wire formats as pure functions: DL/T 645, CJ/T 188, captured Modbus and M-Bus |
//! | [`driver`] | the buses with every protocol on them, their recorder, doctor and scan; devices that publish to the field broker, and those that announce themselves there |
//! | [`alarm`] | rules as data, what of them holds, and the book of alarms: raised, acknowledged, cleared, closed, escalated |
//! | [`pipeline`] | plausibility, counter guard, report by exception |
//! | [`buffer`], [`store`] | the durable queue of blocks; what is kept across restarts, the only file that names sled |
//! | [`history`] | what the points of the last weeks were, for charts: day files within a budget |
//! | [`uplink`], [`broker`] | from the buffer to the platform; how an MQTT broker is reached |
//! | [`starlevel`] | rule pack, evidence by day in a hash chain, what people attest, values of the environment, equipment risk, assessment, signed report; the scorecards of annex A |
//! | [`broadcast`] | warnings: taken, graded, played on terminals and shown on screens, with receipts; drills |
//! | [`command`] | commands to devices: checked, kept, done once, told; orders that end in a safe value |
//! | [`status`] | the local page, its API, metrics |
//! | [`access`], [`audit`] | who may do what on the page: users, sessions, tokens, lock-out; who did what |
//! | [`doctor`], [`bundle`] | what is wrong with the box around the gateway, and what to do, worst first; what support gets of it, without secrets |
//! | [`upgrade`] | the next version on trial, with a way back |
//! | [`proposal`] | a change of the configuration on its way from the page to where only root writes |
//! | [`selftest`] | the gateway looks at itself: its safety, its logs |
//! | [`clock`], [`backoff`], [`supervise`], [`watchdog`], [`whole_file`], [`held`], [`signed`], [`mod@format`], [`mod@diff`], [`account`] | time, patience, tasks, progress, files that appear whole, that one process holds, that somebody signed, formats across versions, the difference of two texts, users of the machine |
//! | [`setup`] | a first start: answers and signed bundles become a configuration |
//! | [`sim`], [`receiver`] | simulated devices, on their own or on one serial line; the platform's side of the stream |
//!
//! `rumqttc` stands only in `broker`, `driver::mqtt`, `driver::discover`, `uplink`, and on the
//! other side of the wire in `receiver` and `sim`. A test reads the sources and holds this page against them.
//!
//! # Not ours
//!
//! No rule scripting, no plug-in ABI, no dashboard builder, no household personal data, no
//! official star rating, no control of utility valves or relays unless the configuration allows it
//! for that very device.
#![forbid(unsafe_code)]

pub mod access;
pub mod account;
pub mod alarm;
pub mod app;
pub mod audit;
pub mod backoff;
pub mod broadcast;
pub mod broker;
pub mod buffer;
pub mod bundle;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod diff;
pub mod doctor;
pub mod driver;
pub mod format;
pub mod held;
pub mod history;
pub mod model;
pub mod pipeline;
pub mod profile;
pub mod proposal;
pub mod protocol;
#[cfg(feature = "receiver")]
pub mod receiver;
pub mod selftest;
pub mod settings;
pub mod setup;
pub mod signed;
pub mod sim;
pub mod starlevel;
pub mod status;
pub mod store;
pub mod supervise;
pub mod upgrade;
pub mod uplink;
pub mod watchdog;
pub mod whole_file;
