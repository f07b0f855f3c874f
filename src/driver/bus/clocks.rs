//! Setting the clocks of the meters by broadcast.

use std::time::Duration;

use tokio::time::Instant;

use super::ask::Ask;
use super::owner::Bus;
use super::session::{Answer, Manners, Session};
use crate::clock::Source;
use crate::model::WallTime;
use crate::profile::Binding;
use crate::protocol::MeterTime;
use crate::protocol::dlt645::{self, Edition};

/// No clock is set within this many minutes of a full hour: a meter that jumps over one counts a
/// demand period or a day wrong.
const SYNC_AWAY: u8 = 5;
/// The clocks wait this long when it is not the time, or when they could not be told.
const SYNC_AGAIN: Duration = Duration::from_secs(60);

impl Bus {
    /// Sends the time to all meters, once for each line setting of theirs. Returns whether the line
    /// was used.
    pub(super) async fn set_clocks(&mut self, session: &mut Session) -> bool {
        let (Some(every), Some(due)) = (self.config.time_sync, self.desk.next_sync) else {
            return false;
        };
        // A late answer would fall into the broadcast, which nobody confirms.
        if due > Instant::now() || session.awaits_late_answer() {
            return false;
        }
        self.desk.next_sync = Some(Instant::now() + SYNC_AGAIN);
        if self.time_for_meters().is_none() {
            return false;
        }
        let of_2007 = |unit: &&super::unit::Unit| matches!(&unit.profile.binding, Binding::Dlt645(m) if m.edition == Edition::V2007);
        let mut lines: Vec<Manners> = Vec::new();
        for unit in self.units.iter().filter(of_2007) {
            if !lines.iter().any(|known| known.line == unit.manners.line) {
                lines.push(unit.manners);
            }
        }
        let mut told = 0;
        for manners in &lines {
            // Anew for each: those before took their time.
            let Some(time) = self.time_for_meters() else { break };
            let ask = Ask::Tell { bytes: dlt645::time_sync(time).to_bytes() };
            let exchange = session.exchange(manners, &ask).await;
            self.beside(None, &exchange);
            if exchange.outcome != Ok(Answer::Told) {
                break;
            }
            told += 1;
        }
        if told == lines.len() {
            self.desk.next_sync = Some(Instant::now() + every);
        }
        if told > 0 {
            tracing::info!(bus = %self.config.id, "the time was sent to the meters");
        }
        !lines.is_empty()
    }

    /// The time to tell: when it is known, and far from a full hour.
    fn time_for_meters(&self) -> Option<MeterTime> {
        let wall = self.clock.wall(self.clock.now())?;
        // A meter's clock is not good enough to set others by.
        if matches!(self.clock.status().source, Some(Source::Meter(_))) {
            return None;
        }
        let time = meter_time(wall, self.config.meter_zone)?;
        (SYNC_AWAY..60 - SYNC_AWAY).contains(&time.minute).then_some(time)
    }
}

/// Local time as a meter shows it.
pub(super) fn meter_time(wall: WallTime, zone: Duration) -> Option<MeterTime> {
    let offset = i64::try_from(zone.as_millis()).ok()?;
    let local = jiff::Timestamp::from_millisecond(wall.unix_ms.checked_add(offset)?).ok()?;
    let time = local.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    Some(MeterTime {
        year: u16::try_from(time.year()).ok()?,
        month: u8::try_from(time.month()).ok()?,
        day: u8::try_from(time.day()).ok()?,
        hour: u8::try_from(time.hour()).ok()?,
        minute: u8::try_from(time.minute()).ok()?,
        second: u8::try_from(time.second()).ok()?,
    })
}
