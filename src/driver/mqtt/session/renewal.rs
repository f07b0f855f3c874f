//! The connection is made again when its certificate, key, authorities or password are renewed.

use rumqttc::EventLoop;
use tokio::time::Instant;

use super::super::desk::{Desk, push_acks};
use super::Driver;
use crate::broker::{
    BrokerConfig, LOOK_AT_FILES_EVERY, Presented, Renewal, Watched, note_credentials,
};
use crate::model::Words;

/// The files of the connection, and when they are looked at again.
pub(super) struct Files {
    watched: Watched,
    at: Instant,
}

impl Files {
    /// Reads the files of a connection that is about to be made.
    pub fn new(config: &BrokerConfig) -> Self {
        Self { watched: Watched::new(config), at: Instant::now() + LOOK_AT_FILES_EVERY }
    }
}

impl Driver {
    /// The chain that the field broker presents, once there is a session.
    pub fn presented(&self) -> Presented {
        self.presented.clone()
    }

    /// Looks at the files when it is time; whether the connection is to be made again.
    pub(super) fn renewed(&mut self) -> bool {
        if Instant::now() < self.files.at {
            return false;
        }
        self.files.at = Instant::now() + LOOK_AT_FILES_EVERY;
        match self.files.watched.look() {
            Renewal::Good => {
                let broker = self.config.broker.title();
                tracing::info!(broker, "certificate, key, authorities or password were renewed");
                return true;
            }
            Renewal::Same => self.credentials(None),
            Renewal::Wrong(fault) => self.credentials(Some(fault)),
        }
        false
    }

    /// Notes what is wrong with changed files of the connection, or that nothing is.
    pub(super) fn credentials(&self, fault: Option<Words>) {
        let broker = self.config.broker.title();
        note_credentials(&self.status, |status| &mut status.credentials, fault, &broker);
    }

    /// Hands over the acknowledgements that are due and says good-bye, to come back at once. What
    /// is not durable yet the broker keeps in the session and delivers again.
    pub(super) async fn change_over(&mut self, desk: &Desk, events: &mut EventLoop) {
        push_acks(&desk.client, &mut self.book);
        Self::part(desk, events).await;
    }
}
