//! A simulated terminal of the emergency broadcast: plays for a while what it is told to play.

use crate::profile::Profile;

/// How long a message sounds, seconds.
pub(super) const LENGTH_S: f64 = 8.0;

/// What it plays.
#[derive(Debug, Clone)]
pub(super) struct Player {
    /// The place of its point `playing`.
    pub playing: usize,
    /// How long it still plays, seconds.
    left_s: f64,
}

impl Player {
    /// Of a model that can be told to play.
    pub fn of(profile: &Profile) -> Option<Self> {
        let plays = profile.commands.iter().any(|command| &*command.name == "play");
        let playing = profile.points.iter().position(|point| &*point.name == "playing")?;
        plays.then_some(Self { playing, left_s: 0.0 })
    }

    /// Follows an order; whether it plays then, when the order is about that.
    pub fn obey(&mut self, command: &str) -> Option<bool> {
        match command {
            "play" => self.left_s = LENGTH_S,
            "stop" => self.left_s = 0.0,
            _ => return None,
        }
        Some(self.left_s > 0.0)
    }

    /// Lets time pass; whether the message ended.
    pub fn is_through(&mut self, seconds: f64) -> bool {
        let played = self.left_s > 0.0;
        self.left_s = (self.left_s - seconds).max(0.0);
        played && self.left_s == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_plays_for_a_while_and_stops_when_told() {
        let mut player = Player { playing: 0, left_s: 0.0 };
        assert!(!player.is_through(1.0), "nothing plays");
        assert_eq!(player.obey("play"), Some(true));
        assert_eq!(player.obey("volumeLevel"), None);
        assert!(!player.is_through(LENGTH_S - 1.0));
        assert!(player.is_through(1.0));
        assert_eq!(player.obey("play"), Some(true));
        assert_eq!(player.obey("stop"), Some(false));
        assert!(!player.is_through(60.0));
    }
}
