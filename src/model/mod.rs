//! The vocabulary of the gateway: identifiers, units, readings, events, the estate and its snapshot.
//!
//! Nothing here does I/O and nothing here knows tokio; every other module may use this one.

mod alarm;
mod bus;
mod category;
mod command;
mod derived;
mod document;
mod environment;
mod estate;
mod event;
mod fact;
mod finding;
mod group;
mod health;
mod id;
mod promise;
mod reading;
mod risk;
mod sink;
mod snapshot;
mod time;
mod unit;
mod warning;
mod words;

pub use alarm::{
    AlarmChange, AlarmEyes, AlarmId, AlarmLevel, AlarmSignal, AlarmSignals, AlarmState, AlarmStep,
};
pub use bus::{BusBudget, BusCounters, BusState, BusTable, UnitState};
pub use category::{Category, EstateKind};
pub use command::{
    CommandDocument, CommandId, CommandIdError, CommandOutcome, CommandReport, CommandRequest,
    CommandResult, CommandSource, LONGEST_BY, LONGEST_TEXT, Refusal,
};
pub use derived::{Derived, Rule, Test, Worst};
pub use document::{
    DOCUMENT_VERSION, DeviceColumns, Document, EventDocument, QualityNote, Thinned, ThinnedSpan,
    TimeAnswer, TimeBase, TimeRequest, TimeTrust,
};
pub use environment::{
    EnvironmentDay, EnvironmentHour, EnvironmentValue, EnvironmentValues, NoiseLevels,
};
pub use estate::{Device, Estate, EstateError, Label, Point, Quantity, ReportRule};
pub use event::{Event, EventKind, Record};
pub use fact::{AlarmLife, BroadcastLife, BroadcastProof, Delivered, Fact, FactKind};
pub use finding::{Diagnosis, Finding};
pub use group::Group;
pub use health::{Cause, FieldMessage, FieldRequest, Health, HealthChange};
pub use id::{BusId, DeviceId, DeviceIndex, Epoch, GatewayId, IdError, PointIndex, PointKey, Seq};
pub use promise::Promise;
pub use reading::{Batch, Quality, Reading, Reason, Receipt, Value};
pub use risk::{EstateRisk, RiskCause, RiskCounts, RiskDevice, RiskGrade};
pub use sink::ReadingSink;
pub use snapshot::{DeviceState, PointState, Snapshot};
pub use time::{BootId, Moment, WallTime};
pub use unit::{Unit, UnitError};
pub use warning::{
    MAX_WARNING_ID, ReceiptCounts, ReceiptState, Severity, TerminalReceipt, Warning, WarningId,
    WarningIdError, WarningNews, WarningRefusal, WarningSource, WarningStatus, WarningStep,
    WarningText,
};
pub use words::{Words, printable};
