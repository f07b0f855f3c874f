//! G4: how many days of logs are kept.

use super::{NOTHING_YET, number, unfed};
use crate::selftest::logs::{LogLook, Storage};
use crate::starlevel::assessment::Bilingual;
use crate::starlevel::engine::Engine;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::{Judged, unknown};

const DAY_MS: i64 = 86_400_000;

impl Engine {
    /// Met when the logs reach back so far; or, on a younger box, when they reach back to its first
    /// evidence and the limits of the journal let them grow so old.
    pub(in crate::starlevel) fn log_retention(&self, check: &Check, needed: Measure) -> Judged {
        let Some(report) = &self.effects.self_test else {
            return unfed(check, needed);
        };
        let look = &report.logs;
        if let Some((zh, en)) = unkept(&look.storage) {
            let lost = matches!(look.storage, Storage::Volatile | Storage::Off);
            let reason = Bilingual::new(zh, en);
            return match lost {
                true => number(check, needed, Some(0.0), Some(reason), NOTHING_YET),
                false => unknown(needed, reason),
            };
        }
        let (Some(first), Some(now)) = (self.book.first_ms(), self.book.frontier_ms()) else {
            return number(check, needed, None, None, NOTHING_YET);
        };
        let Some(oldest) = look.oldest_ms.filter(|oldest| *oldest <= now) else {
            let reason = Bilingual::new(
                "日志文件的起始时间读不出：把运行用户加入 systemd-journal 组",
                "where the journal begins cannot be read: put the daemon's user into the group \
                 systemd-journal",
            );
            return unknown(needed, reason);
        };
        let back = days(now - oldest);
        let Measure::Number(least) = needed else {
            return number(check, needed, None, None, NOTHING_YET);
        };
        if back >= least {
            let reason = Bilingual::new(
                format!("系统日志已留存 {back:.0} 天"),
                format!("the journal reaches back {back:.0} days"),
            );
            return number(check, needed, Some(back.floor()), Some(reason), NOTHING_YET);
        }
        if oldest > first + DAY_MS {
            let (age, allowed) = (days(now - first), said(look, now));
            let reason = Bilingual::new(
                format!(
                    "系统日志只到 {back:.0} 天前，而本网关已运行 {age:.0} 天：更早的已不在；{}",
                    allowed.zh
                ),
                format!(
                    "the journal reaches back {back:.0} days, this gateway {age:.0}: what is older \
                     is gone; {}",
                    allowed.en
                ),
            );
            return number(check, needed, Some(back.floor()), Some(reason), NOTHING_YET);
        }
        let reason = said(look, now);
        match look.days_allowed(now) {
            Some(allowed) => {
                number(check, needed, Some(allowed.floor()), Some(reason), NOTHING_YET)
            }
            None => unknown(needed, reason),
        }
    }
}

/// Why nothing is kept, or nobody can tell; and what to do.
fn unkept(storage: &Storage) -> Option<(&'static str, &'static str)> {
    match storage {
        Storage::Persistent => None,
        Storage::Volatile => Some((
            "系统日志只在内存中，重启即失：在 /etc/systemd/journald.conf 设 Storage=persistent",
            "the journal is in memory only and lost at a restart: set Storage=persistent in \
             /etc/systemd/journald.conf",
        )),
        Storage::Off => Some((
            "系统日志已关闭（Storage=none）：改为 Storage=persistent",
            "the journal is switched off (Storage=none): set Storage=persistent",
        )),
        Storage::Hidden => Some((
            "journald 的设置读不出，不知其中有何限制：使 journald.conf 与 journald.conf.d 可读",
            "the settings of journald cannot be read, so neither can a limit in them: make \
             journald.conf and journald.conf.d readable",
        )),
        Storage::Unknown => Some((
            "看不到 systemd 日志：不知日志写在何处、留存多久",
            "no systemd journal can be seen: where logs go and how long they are kept is not known",
        )),
    }
}

/// What the limits of the journal allow, in words.
fn said(look: &LogLook, now: i64) -> Bilingual {
    match look.days_allowed(now) {
        None => Bilingual::new(
            "日志不足一天，尚不能推算容量够留存多久",
            "less than a day of logs: how long the space will do cannot be told yet",
        ),
        Some(allowed) if allowed.is_infinite() => {
            Bilingual::new("日志未设上限", "the journal has no limit")
        }
        Some(allowed) => Bilingual::new(
            format!(
                "按现有速率与上限可留存约 {allowed:.0} 天（SystemMaxUse、MaxRetentionSec 可调）"
            ),
            format!(
                "at the present rate its limits keep about {allowed:.0} days (SystemMaxUse, \
                 MaxRetentionSec)"
            ),
        ),
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a century fit 53 bits")]
fn days(ms: i64) -> f64 {
    ms as f64 / DAY_MS as f64
}
