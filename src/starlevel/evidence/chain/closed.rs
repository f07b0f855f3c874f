//! The closed days as they stand in the chain: raw, so that they can be handed on, and decoded, so
//! that they can be summed.

use super::super::day::{DeviceDay, GATEWAY_ROW, GatewayDay, PerStar};
use super::{DEVICE, EvidenceChain, GATEWAY, HASHED, Hasher, LINK, Link, StoreError, key};

/// One closed day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::starlevel) struct ClosedDay {
    /// Days since 1970 in the pack's zone.
    pub(in crate::starlevel) day: u32,
    /// Hash of the day before.
    pub(in crate::starlevel) before: [u8; 32],
    /// Its own hash.
    pub(in crate::starlevel) hash: [u8; 32],
    /// Keys and values: the gateway's, that of the checks, the devices' by name, the stations'.
    pub(in crate::starlevel) rows: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What the gateway did on a closed day. The units are those of the stored row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::starlevel) struct GatewayTally {
    pub(in crate::starlevel) observed_ms: u64,
    pub(in crate::starlevel) link_ms: u64,
    pub(in crate::starlevel) stored: u64,
    pub(in crate::starlevel) created: u64,
    pub(in crate::starlevel) acknowledged: u64,
    pub(in crate::starlevel) lost: u64,
}

/// What a device did on a closed day. The units are those of the stored row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::starlevel) struct DeviceTally {
    pub(in crate::starlevel) device: String,
    pub(in crate::starlevel) online_ms: PerStar,
    pub(in crate::starlevel) covered: PerStar,
    pub(in crate::starlevel) exists_ms: u64,
    pub(in crate::starlevel) excused_ms: u64,
    pub(in crate::starlevel) readings: u64,
    pub(in crate::starlevel) valid: u64,
}

impl ClosedDay {
    /// Whether its rows give its hash.
    pub(in crate::starlevel) fn holds(&self) -> bool {
        let mut hasher = Hasher::new(&self.before);
        for (key, value) in &self.rows {
            hasher.row(key, value);
        }
        hasher.finish() == self.hash
    }

    /// Its rows as numbers; `None` for rows of another day or of a version that is not known.
    pub(in crate::starlevel) fn tally(&self) -> Option<(GatewayTally, Vec<DeviceTally>)> {
        let ((first, row), devices) = self.rows.split_first()?;
        if *first != key(GATEWAY, self.day, "") {
            return None;
        }
        let row: GatewayDay = serde_json::from_slice(row).ok()?;
        if row.v != GATEWAY_ROW {
            return None;
        }
        let gateway = GatewayTally {
            observed_ms: row.observed_ms,
            link_ms: row.link_ms,
            stored: row.stored,
            created: row.created,
            acknowledged: row.acknowledged,
            lost: row.lost,
        };
        // Rows of other kinds are hashed and not summed here.
        let devices = devices.iter().filter(|(name, _)| name.first() == Some(&DEVICE));
        let devices = devices.map(|(name, row)| self.device(name, row));
        Some((gateway, devices.collect::<Option<_>>()?))
    }

    fn device(&self, name: &[u8], row: &[u8]) -> Option<DeviceTally> {
        let device = name.strip_prefix(key(DEVICE, self.day, "").as_slice())?;
        let row = DeviceDay::decode(row)?;
        Some(DeviceTally {
            device: std::str::from_utf8(device).ok()?.to_owned(),
            online_ms: row.online_ms,
            covered: row.covered,
            exists_ms: row.exists_ms,
            excused_ms: row.excused_ms,
            readings: row.readings,
            valid: row.valid,
        })
    }
}

impl EvidenceChain {
    /// The closed days `from` (inclusive) to `to` (exclusive). A link that cannot be read gives a
    /// day whose hash is zero. Blocks while it reads.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(in crate::starlevel) fn closed(
        &self,
        from: u32,
        to: u32,
    ) -> Result<Vec<ClosedDay>, StoreError> {
        let mut days: Vec<ClosedDay> = Vec::new();
        self.scan(LINK, from, to, |day, _, row| {
            let link = Link::decode(row).unwrap_or(Link { before: [0; 32], hash: [0; 32] });
            let (before, hash) = (link.before, link.hash);
            days.push(ClosedDay { day, before, hash, rows: Vec::new() });
        })?;
        for kind in HASHED {
            self.scan(kind, from, to, |day, key, value| {
                // A day that is still open has rows and no link.
                if let Ok(at) = days.binary_search_by_key(&day, |closed| closed.day) {
                    days[at].rows.push((key.to_vec(), value.to_vec()));
                }
            })?;
        }
        Ok(days)
    }

    /// The last closed day; `None` before one ended.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(in crate::starlevel) fn last_closed(&self) -> Result<Option<u32>, StoreError> {
        let mut last = None;
        self.scan(LINK, 0, u32::MAX, |day, _, _| last = Some(day))?;
        Ok(last)
    }
}
