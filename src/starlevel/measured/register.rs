//! The asset register (check G1): category, place, owner, maintainer of every configured device.
//!
//! The category comes with the profile and is never empty; `other` is one too.

use super::{NO_DEVICE, number};
use crate::model::Device;
use crate::starlevel::assessment::Bilingual;
use crate::starlevel::engine::Engine;
use crate::starlevel::pack::{Check, Measure};
use crate::starlevel::verdict::{Judged, share};

impl Engine {
    /// Share of the configured devices whose register is complete.
    pub(in crate::starlevel) fn register(&self, check: &Check, needed: Measure) -> Judged {
        let devices = self.estate.devices();
        let filled = devices.iter().filter(|device| lacks(device).is_none()).count();
        let measured = share(filled as u64, devices.len() as u64);
        let all = devices.len();
        let reason = (filled < all).then(|| {
            Bilingual::new(
                format!("{all} 台中 {filled} 台的位置、责任人、维护单位齐全"),
                format!("{filled} of {all} devices have place, owner and maintainer"),
            )
        });
        number(check, needed, measured, reason, NO_DEVICE)
    }
}

/// Which fields of the register a device lacks; `None` when it is complete.
pub(in crate::starlevel) fn lacks(device: &Device) -> Option<Bilingual> {
    let fields = [
        (&device.place, "位置", "place"),
        (&device.owner, "责任人", "owner"),
        (&device.maintainer, "维护单位", "maintainer"),
    ];
    let (zh, en): (Vec<&str>, Vec<&str>) = fields
        .into_iter()
        .filter(|(text, ..)| text.trim().is_empty())
        .map(|(_, zh, en)| (zh, en))
        .unzip();
    (!zh.is_empty())
        .then(|| Bilingual::new(format!("缺{}", zh.join("、")), format!("lacks {}", en.join(", "))))
}
