//! The link is made again when its certificate, key, authorities or password are renewed.

use rumqttc::EventLoop;

use super::super::store::Store;
use super::Desk;
use crate::broker::{LOOK_AT_FILES_EVERY, Renewal};

impl<S: Store> Desk<'_, S> {
    /// Looks at the files of the connection when it is time; whether it is to be made again.
    pub(super) fn renewed(&mut self) -> bool {
        let now = self.context.clock.now();
        if now < self.files_at {
            return false;
        }
        self.files_at = now.plus(LOOK_AT_FILES_EVERY);
        match self.files.look() {
            Renewal::Good => return true,
            Renewal::Same => self.context.credentials(None),
            Renewal::Wrong(fault) => self.context.credentials(Some(fault)),
        }
        false
    }

    /// Takes the last acknowledgements and says good-bye, to come back at once.
    pub(super) async fn change_over(&mut self, events: &mut EventLoop) {
        if self.flow.take().is_some() {
            self.part(events).await;
        }
    }
}
