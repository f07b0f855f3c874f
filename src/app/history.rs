//! The history's joints: it hears the pipeline, and is written until the last reading is through.

use std::sync::Arc;

use super::Joints;
use crate::clock::Clock;
use crate::config::Settings;
use crate::history::{History, Writer};
use crate::model::{Estate, ReadingSink};
use crate::supervise::Part;

/// The history that the settings want.
pub(super) fn of(
    settings: &Settings,
    estate: &Arc<Estate>,
    clock: &Clock,
) -> Option<(History, Writer)> {
    let config = &settings.history;
    let folder = config.folder(&settings.buffer.path);
    config.enabled.then(|| History::new(config, folder, Arc::clone(estate), clock.clone()))
}

impl Joints {
    /// Starts its writer; who hears the readings for it.
    pub(super) fn keep_history(&mut self) -> Option<Arc<dyn ReadingSink>> {
        if let Some(writer) = self.history_writer.take() {
            // Told to stop when the pipeline is through: nothing comes after its last turn.
            let stop = self.supervisor.token(Part::Outlet);
            self.supervisor.spawn(Part::Outlet, "history", writer.run(stop));
        }
        let history = self.history.clone()?;
        Some(Arc::new(history))
    }
}
