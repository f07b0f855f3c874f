//! Whether a command is taken, in the order in which that is asked.

use std::time::Duration;

use super::core::{Core, Open, Stage};
use super::hold::Hold;
use super::input::{Effects, Now, Told, Work};
use super::signature::is_signed;
use super::target::What;
use crate::model::{
    CommandDocument, CommandId, CommandOutcome, CommandReport, CommandRequest, CommandSource,
    Health, Refusal, Words, printable,
};

/// So far ahead a command may expire.
pub const LONGEST_LIFE: Duration = Duration::from_secs(86_400);
/// Commands under way at once.
const MOST_OPEN: usize = 512;
/// Of these for one device.
const MOST_OF_DEVICE: usize = 16;
/// Longest message, bytes.
const MOST_PAYLOAD: usize = 16 << 10;

impl Core {
    /// Reads a message of the platform.
    pub(super) fn message(
        &mut self,
        (ticket, topic): (u64, &str),
        payload: &[u8],
        retained: bool,
        now: Now,
        effects: &mut Effects,
    ) {
        let Ok(id) = CommandId::new(topic) else {
            tracing::info!("a message under a topic that is no command's is not answered");
            effects.answers.push((ticket, None));
            return;
        };
        let (reason, said) = match self.read(&id, payload, retained) {
            Ok(request) => return self.order(ticket, request, now, effects),
            Err(refused) => refused,
        };
        let report = CommandReport::unread(id, CommandOutcome::refused_for(reason, said));
        let told = Told { device: String::new(), report, late: false, spared: true };
        effects.told.push(told.clone());
        effects.answers.push((ticket, Some(told)));
    }

    fn read(
        &self,
        id: &CommandId,
        payload: &[u8],
        retained: bool,
    ) -> Result<CommandRequest, (Refusal, Words)> {
        let malformed = |en: String, zh: String| (Refusal::Malformed, Words::from((en, zh)));
        if retained {
            return Err((Refusal::Retained, Refusal::Retained.words()));
        }
        if payload.len() > MOST_PAYLOAD {
            let bytes = payload.len();
            return Err(malformed(
                format!("the message has {bytes} bytes, at most {MOST_PAYLOAD}"),
                format!("报文有 {bytes} 字节，最多 {MOST_PAYLOAD} 字节"),
            ));
        }
        let document: CommandDocument = serde_json::from_slice(payload).map_err(|error| {
            let error = printable(&error.to_string());
            malformed(error.clone(), format!("报文无法解读：{error}"))
        })?;
        if document.gateway != self.gateway {
            return Err((Refusal::Gateway, Refusal::Gateway.words()));
        }
        let request =
            CommandRequest::of_platform(document).map_err(|said| malformed(said.en, said.zh))?;
        if request.id != *id {
            return Err(malformed(
                format!("the message names `{}`, its topic `{id}`", request.id),
                format!("报文中的编号是 `{}`，主题中是 `{id}`", request.id),
            ));
        }
        Ok(request)
    }

    /// Somebody orders.
    pub(super) fn order(
        &mut self,
        ticket: u64,
        request: CommandRequest,
        now: Now,
        effects: &mut Effects,
    ) {
        let digest = digest_of(&request.signed_bytes(&self.gateway));
        let known = self.book.get(&request.id).map(|row| {
            let told = Told {
                device: row.device.clone(),
                report: row.report.clone(),
                late: false,
                spared: true,
            };
            (row.digest == digest, told)
        });
        // The same again: the same answer, nothing done and nothing noted.
        if let Some((true, told)) = known {
            effects.answers.push((ticket, Some(told)));
            return;
        }
        let authentic = match known {
            Some(_) => Err((Refusal::IdReused, Refusal::IdReused.words())),
            None => self.authentic(&request),
        };
        if let Err((reason, said)) = authentic {
            let report = CommandReport::new(&request, CommandOutcome::refused_for(reason, said));
            let told = Told { device: request.device, report, late: false, spared: true };
            effects.told.push(told.clone());
            effects.answers.push((ticket, Some(told)));
            return;
        }
        let outcome = match self.possible(&request, now, effects) {
            Ok((slot, what)) => {
                self.accept(&request, slot, what, now, effects);
                effects.accepted.push(request.id.clone());
                effects.commit = true;
                CommandOutcome::Accepted
            }
            Err(outcome) => outcome,
        };
        let report = CommandReport::new(&request, outcome);
        let told = Told {
            device: request.device.clone(),
            report: report.clone(),
            late: false,
            spared: false,
        };
        let what = (request.device.as_str(), digest);
        // Without room nothing was accepted, and the next one finds none either.
        if self.book.make_room(now.wall_ms, &mut effects.changes) {
            self.book.add(what, report, now.wall_ms, &mut effects.changes);
        }
        effects.told.push(told.clone());
        effects.answers.push((ticket, Some(told)));
    }

    /// Whether it comes from somebody who may order at all.
    fn authentic(&self, request: &CommandRequest) -> Result<(), (Refusal, Words)> {
        request.form().map_err(|said| (Refusal::Malformed, said))?;
        if request.source != CommandSource::Platform {
            return Ok(());
        }
        let keys = &self.config.public_keys;
        let given = request.signature.is_some() && !keys.is_empty();
        if (self.config.require_signature || given) && !is_signed(request, &self.gateway, keys) {
            return Err((Refusal::Signature, Refusal::Signature.words()));
        }
        Ok(())
    }

    /// Whether it can be done now.
    fn possible(
        &mut self,
        request: &CommandRequest,
        now: Now,
        effects: &mut Effects,
    ) -> Result<(usize, What), CommandOutcome> {
        let refused = CommandOutcome::refused;
        if request.source == CommandSource::Platform && !now.trusted {
            return Err(refused(Refusal::Clock));
        }
        if self.book.is_below_floor(request.expires_ms) {
            return Err(refused(Refusal::Replayed));
        }
        if request.expires_ms <= now.wall_ms {
            return Err(CommandOutcome::Expired);
        }
        let life = i64::try_from(LONGEST_LIFE.as_millis()).unwrap_or(i64::MAX);
        if request.expires_ms - now.wall_ms > life {
            return Err(refused(Refusal::Lifetime));
        }
        let slot = self.by_name.get(&request.device).copied();
        let slot = slot.ok_or_else(|| refused(Refusal::UnknownDevice))?;
        let target = &self.targets[slot];
        let Some((known, allowed)) = target.find(&request.command) else {
            return Err(refused(Refusal::UnknownCommand));
        };
        if !allowed {
            return Err(refused(Refusal::NotAllowed));
        }
        let what = target
            .encode(known, request.value.as_ref())
            .map_err(|(reason, said)| CommandOutcome::refused_for(reason, said))?;
        let health = self.snapshot.with(target.index, |state| state.health);
        if health != Health::Online {
            return Err(refused(Refusal::Offline));
        }
        let of_device = self.open.values().filter(|open| open.slot == slot).count();
        let room = self.book.make_room(now.wall_ms, &mut effects.changes);
        if !room || self.open.len() >= MOST_OPEN || of_device >= MOST_OF_DEVICE {
            return Err(refused(Refusal::Busy));
        }
        Ok((slot, what))
    }

    /// It will be done.
    pub(super) fn accept(
        &mut self,
        request: &CommandRequest,
        slot: usize,
        what: What,
        now: Now,
        effects: &mut Effects,
    ) {
        let left = u64::try_from(request.expires_ms - now.wall_ms).unwrap_or(0);
        let deadline = now.at.plus(Duration::from_millis(left));
        let known = self.targets[slot].find(&request.command).map(|(known, _)| known);
        let holds = known.is_some_and(|k| k.safe().is_some() || k.keep_alive().is_some());
        // Kept together with the command: if the gateway stops in the middle, the device may have
        // taken it, and must return.
        let before = if holds {
            let hold = Hold {
                device: request.device.clone(),
                command: request.command.clone(),
                id: request.id.clone(),
                value: request.value.clone(),
                source: request.source,
                until_ms: request.until_ms,
                settled: false,
                written: None,
                repeating: false,
                returns: None,
            };
            self.holds.put(hold, &mut effects.changes)
        } else {
            None
        };
        let request = request.clone();
        let id = request.id.clone();
        let stage = Stage::Queued;
        let open = Open { request, slot, what, deadline, stage, before, returns: None };
        self.open.insert(id.clone(), open);
        self.queue.push_back((slot, Work::Order(id)));
    }
}

/// What tells whether two requests are the same.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
