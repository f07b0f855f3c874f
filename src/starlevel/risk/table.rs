//! The present grades, for those who look: the engine writes, everybody reads.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::model::{DeviceIndex, RiskCause, RiskCounts, RiskGrade};
use crate::starlevel::assessment::Bilingual;

/// The grade of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceRisk {
    /// Its grade; `None` while too little is known.
    pub grade: Option<RiskGrade>,
    /// Since when, milliseconds since 1970; `None` while the clock is not trusted.
    pub since_ms: Option<i64>,
    /// Why, the weightiest first, by what is seen now.
    pub causes: Vec<RiskCause>,
    /// What to do about the weightiest cause.
    pub advice: Option<Bilingual>,
    /// Points that it has now; a grade that is held may stand above them.
    pub points: f64,
}

/// The grade of the estate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EstateGrade {
    /// Its grade; `None` before any device has one.
    pub grade: Option<RiskGrade>,
    /// Devices by grade.
    pub counts: RiskCounts,
}

#[derive(Debug, Default)]
struct Rows {
    devices: Vec<DeviceRisk>,
    estate: EstateGrade,
    /// Medium and high, worst first.
    visits: Vec<DeviceIndex>,
}

/// Handle on the present grades; clones share it.
#[derive(Debug, Clone, Default)]
pub struct RiskTable(Arc<Mutex<Rows>>);

impl RiskTable {
    /// The grade of a device; `None` before the first look.
    pub fn device(&self, index: DeviceIndex) -> Option<DeviceRisk> {
        self.lock().devices.get(index.slot()).cloned()
    }

    /// The grade of the estate.
    pub fn estate(&self) -> EstateGrade {
        self.lock().estate
    }

    /// Devices of medium and high grade, worst first.
    pub fn visits(&self) -> Vec<DeviceIndex> {
        self.lock().visits.clone()
    }

    pub(super) fn set(
        &self,
        devices: Vec<DeviceRisk>,
        estate: EstateGrade,
        visits: Vec<DeviceIndex>,
    ) {
        *self.lock() = Rows { devices, estate, visits };
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        match self.0.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}
