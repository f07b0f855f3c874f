//! Meters that are found by asking all at once: DL/T 645 and CJ/T 188.
//!
//! A wild address is answered by every meter of the line. One whole answer is one meter; several
//! whole ones (meters differ in how fast they answer) are as many; a damaged one is several that
//! spoke over each other, and starts the search by low digits.

use std::time::Duration;

use super::hunt::{Echo, Hunt};
use super::machine::{Effect, Found, ScanProbe, Speaks};
use super::plan::ScanPlan;
use crate::driver::bus::{Answer, Ask, Fault, Heard};
use crate::driver::{BusAddress, LineSettings};
use crate::protocol::cjt188::{self, DiOrder, MeterType};
use crate::protocol::dlt645::{self, Edition};
use crate::protocol::{self};

/// A meter of DL/T 645 answers within 500 ms; those of CJ/T 188 in the field do too.
const PATIENCE: Duration = Duration::from_millis(600);
/// So many bytes that are no frame are the rest of one; fewer are the line's switching noise.
const REST: usize = 4;
/// Item that every electricity meter has: active energy, edition of 2007 and of 1997.
const ENERGY: (dlt645::DataId, dlt645::DataId) =
    (dlt645::DataId(0x0001_0000), dlt645::DataId(0x9010));

/// A way to ask all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// DL/T 645.
    Dlt645 {
        /// Edition.
        edition: Edition,
        /// For the address, else for the energy.
        address: bool,
    },
    /// CJ/T 188.
    Cjt188 {
        /// Type in the request: many meters answer their own only.
        meter_type: MeterType,
        /// Order of the identifier.
        order: DiOrder,
        /// For the address, else for the reading.
        address: bool,
    },
}

impl Form {
    /// The usual forms of DL/T 645.
    pub(super) fn dlt645() -> Vec<Self> {
        let form = |edition, address| Form::Dlt645 { edition, address };
        vec![form(Edition::V2007, true), form(Edition::V2007, false), form(Edition::V1997, false)]
    }

    /// The usual forms of CJ/T 188.
    pub(super) fn cjt188() -> Vec<Self> {
        let types = [MeterType::ANY, MeterType::COLD_WATER, MeterType::HEAT, MeterType::GAS];
        let orders = [DiOrder::HighFirst, DiOrder::LowFirst];
        let mut forms = Vec::new();
        for meter_type in types {
            for address in [false, true] {
                let form = |order| Form::Cjt188 { meter_type, order, address };
                forms.extend(orders.map(form));
            }
        }
        forms
    }

    /// Asks the meters whose low pairs of digits are these.
    pub(super) fn ask(self, low: &[u8]) -> Ask {
        match self {
            Form::Dlt645 { edition, address: true } => {
                let frame = dlt645::read_address_of(dlt645::Address::low(low));
                Ask::Dlt645 { edition, frame }
            }
            Form::Dlt645 { edition, address: false } => {
                let id = if edition == Edition::V2007 { ENERGY.0 } else { ENERGY.1 };
                let frame = dlt645::read(edition, dlt645::Address::low(low), id);
                Ask::Dlt645 { edition, frame }
            }
            Form::Cjt188 { meter_type, order, address } => {
                let to = cjt188::Address::low(low);
                let frame = if address {
                    cjt188::read_address(meter_type, to, order, 1)
                } else {
                    cjt188::read(meter_type, to, cjt188::DataId::CURRENT, order, 1)
                };
                Ask::Cjt188 { frame }
            }
        }
    }

    fn pairs(self) -> usize {
        match self {
            Form::Dlt645 { .. } => 6,
            Form::Cjt188 { .. } => 7,
        }
    }

    /// Whether a meter that answers one of them is expected to answer the other.
    fn alike(self, other: Self) -> bool {
        match (self, other) {
            (Form::Dlt645 { edition: a, .. }, Form::Dlt645 { edition: b, .. }) => a == b,
            (Form::Cjt188 { meter_type: a, .. }, Form::Cjt188 { meter_type: b, .. }) => a == b,
            _ => false,
        }
    }

    /// Whether this device would answer it.
    fn fits(self, speaks: Speaks) -> bool {
        match (self, speaks) {
            (Form::Dlt645 { edition, .. }, Speaks::Dlt645(other)) => edition == other,
            (Form::Cjt188 { meter_type, .. }, Speaks::Cjt188 { meter_type: other, .. }) => {
                meter_type == MeterType::ANY || meter_type.kind() == other.kind()
            }
            _ => false,
        }
    }

    /// Where and how the meter of a whole answer speaks; `None` when the address that it tells
    /// cannot be one meter's.
    fn meter(self, answer: &Answer) -> Option<(BusAddress, Speaks)> {
        match (self, answer) {
            (Form::Dlt645 { edition, .. }, Answer::Dlt645 { address, reply }) => {
                let told = match reply {
                    dlt645::Reply::Address(told) if told.is_plain() => *told,
                    _ => *address,
                };
                told.is_plain().then_some((BusAddress::Dlt645(told), Speaks::Dlt645(edition)))
            }
            (Form::Cjt188 { order, .. }, Answer::Cjt188 { address, meter_type, reply }) => {
                let order = match reply {
                    cjt188::Reply::Data { order, .. } => *order,
                    _ => order,
                };
                let speaks = Speaks::Cjt188 { meter_type: *meter_type, order };
                address.is_plain().then_some((BusAddress::Cjt188(*address), speaks))
            }
            _ => None,
        }
    }

    /// Every meter that answered whole, and whether something else came as well.
    fn meters(self, ask: &Ask, heard: &Heard) -> (Vec<(BusAddress, Speaks)>, bool) {
        let mut meters = Vec::new();
        let mut add = |answer: &Answer| {
            let Some((address, speaks)) = self.meter(answer) else { return false };
            if !meters.iter().any(|(known, _)| *known == address) {
                meters.push((address, speaks));
            }
            true
        };
        let mut odd = heard.outcome.as_ref().is_ok_and(|answer| !add(answer));
        let mut rest = 0;
        let mut bytes = heard.bytes.as_slice();
        while let Some((before, end, answer)) = next_frame(ask, bytes) {
            rest += noise(&bytes[..before]);
            odd |= answer.is_some_and(|answer| !add(&answer));
            bytes = &bytes[end..];
        }
        rest += noise(bytes);
        (meters, odd || rest >= REST)
    }
}

/// The next whole frame: bytes before it, its end, and the answer when it is one.
fn next_frame(ask: &Ask, bytes: &[u8]) -> Option<(usize, usize, Option<Answer>)> {
    match ask {
        Ask::Dlt645 { edition, frame: asked } => match dlt645::find(bytes) {
            protocol::Found::Frame { range, frame } => {
                let answer = dlt645::reply(*edition, asked, &frame).ok();
                let answer = answer.map(|reply| Answer::Dlt645 { address: frame.address, reply });
                Some((range.start, range.end, answer))
            }
            protocol::Found::More { .. } => None,
        },
        Ask::Cjt188 { frame: asked } => match cjt188::find(bytes) {
            protocol::Found::Frame { range, frame } => {
                let (address, meter_type) = (frame.address, frame.meter_type);
                let answer = cjt188::reply(asked, &frame).ok();
                let answer = answer.map(|reply| Answer::Cjt188 { address, meter_type, reply });
                Some((range.start, range.end, answer))
            }
            protocol::Found::More { .. } => None,
        },
        Ask::Registers { .. } | Ask::Write { .. } | Ask::Tell { .. } => None,
    }
}

/// Bytes that switching transceivers and preambles do not explain.
fn noise(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0x00 | 0xFE | 0xFF)).count()
}

/// Wait for answers.
pub(super) fn patience(plan: &ScanPlan) -> Duration {
    plan.patience.unwrap_or(PATIENCE)
}

/// One search by one form.
#[derive(Debug)]
struct Search {
    form: Form,
    hunt: Hunt,
    found: usize,
    /// Further forms, when this one brings nothing.
    further: Vec<Form>,
}

/// All meters of one protocol at one setting of the line.
#[derive(Debug)]
pub(super) struct Wild {
    line: LineSettings,
    forms: Vec<Form>,
    at: usize,
    /// The question was answered damaged once and is asked again.
    again: bool,
    search: Option<Search>,
}

impl Wild {
    pub(super) fn new(line: LineSettings, forms: Vec<Form>) -> Self {
        Self { line, forms, at: 0, again: false, search: None }
    }

    /// The setting of the line.
    pub(super) fn line(&self) -> LineSettings {
        self.line
    }

    /// The next question.
    pub(super) fn next(&mut self, plan: &ScanPlan) -> Option<ScanProbe> {
        let ask = self.ask()?;
        let patience = patience(plan);
        Some(ScanProbe { line: self.line, ask, patience, listen: patience })
    }

    fn ask(&mut self) -> Option<Ask> {
        while let Some(search) = &mut self.search {
            if let Some(low) = search.hunt.next() {
                return Some(search.form.ask(&low));
            }
            // What is noise to one form is noise to its kin.
            let nothing = search.found == 0 && !search.hunt.is_noise();
            match (nothing, search.further.pop()) {
                (true, Some(form)) => {
                    search.form = form;
                    search.hunt = Hunt::new(form.pairs());
                }
                _ => {
                    self.search = None;
                    self.skip_alike();
                }
            }
        }
        Some(self.forms.get(self.at)?.ask(&[]))
    }

    /// What came of it.
    pub(super) fn heard(
        &mut self,
        ask: &Ask,
        heard: &Heard,
        found: &[Found],
        out: &mut Vec<Effect>,
    ) {
        let searching = self.search.as_ref().map(|search| search.form);
        let Some(form) = searching.or_else(|| self.forms.get(self.at).copied()) else { return };
        let (meters, odd) = form.meters(ask, heard);
        let silent =
            matches!(heard.outcome, Err(Fault::Silent | Fault::Unset(_))) && heard.bytes.is_empty();
        let damaged = odd || (meters.is_empty() && !silent);
        // A single disturbance is no second meter.
        if damaged && meters.is_empty() && !self.again {
            self.again = true;
            return;
        }
        self.again = false;
        let line = self.line;
        out.extend(meters.iter().map(|&(address, speaks)| Effect::Found { address, speaks, line }));
        if damaged && meters.is_empty() {
            out.push(Effect::Noise { line, bytes: heard.bytes.clone() });
        }
        match &mut self.search {
            Some(search) => {
                search.found += meters.len();
                let echo = match (damaged, meters.is_empty()) {
                    (true, _) => Echo::Several,
                    (false, true) => Echo::Silent,
                    (false, false) => Echo::One,
                };
                for low in search.hunt.heard(echo) {
                    let address = form.ask(&low).address();
                    out.extend(address.map(|address| Effect::Shared { line, address }));
                }
            }
            None if !damaged && meters.is_empty() => self.at += 1,
            None if (damaged || meters.len() > 1) && !explained(form, line, found) => {
                self.search = Some(self.begin(form));
            }
            None => self.skip_alike(),
        }
    }

    /// Starts the search. Meters of 2007 must match low digits when they are read; when they are
    /// asked for their address only some do.
    fn begin(&self, form: Form) -> Search {
        let mut forms: Vec<Form> =
            self.forms.iter().copied().filter(|other| other.alike(form)).collect();
        let first = match form {
            Form::Dlt645 { edition, .. } => Form::Dlt645 { edition, address: false },
            Form::Cjt188 { .. } => form,
        };
        forms.retain(|other| *other != first);
        forms.reverse();
        Search { form: first, hunt: Hunt::new(first.pairs()), found: 0, further: forms }
    }

    /// Goes on behind the forms that the same meters would answer.
    fn skip_alike(&mut self) {
        let Some(form) = self.forms.get(self.at).copied() else { return };
        while self.forms.get(self.at).is_some_and(|other| other.alike(form)) {
            self.at += 1;
        }
    }

    /// Questions left, as far as known.
    pub(super) fn left(&self) -> usize {
        let search = self.search.as_ref().map_or(0, |search| search.hunt.left());
        search + self.forms.len().saturating_sub(self.at)
    }
}

/// Whether meters that are known already speak over each other at this form: at least two of them
/// hear it.
fn explained(form: Form, line: LineSettings, found: &[Found]) -> bool {
    let hear = |one: &&Found| one.line.baud == line.baud && form.fits(one.speaks);
    found.iter().filter(hear).count() >= 2
}
