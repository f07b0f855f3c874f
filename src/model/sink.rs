//! Who hears every reading.

use super::{DeviceIndex, Moment, Reading};

/// Hears every reading of the pipeline as it is judged, also those that are not worth storing;
/// not those that are held back and read again. Called within the pipeline, under the lock of the
/// device's state: it must be quick, and neither wait nor look at the snapshot.
pub trait ReadingSink: Send + Sync {
    /// A device's reading of a moment.
    fn reading(&self, device: DeviceIndex, at: Moment, reading: &Reading);
}
