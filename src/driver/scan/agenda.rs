//! In which order a scan asks: what is met most often first, so that the common line shows its
//! devices within seconds, and how long a question takes when nobody answers.

use std::collections::VecDeque;
use std::time::Duration;

use super::guess::Guess;
use super::machine::ScanProbe;
use super::plan::{Kind, ScanPlan};
use super::units::{self, Units};
use super::wild::{self, Form, Wild};
use crate::driver::{LineSettings, Parity};

/// Setting of the meters' standards.
const METERS: LineSettings = LineSettings { baud: 2400, parity: Parity::Even, stop_bits: 1 };
/// Setting that most Modbus devices leave the works with.
const MODBUS: LineSettings = LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };
/// Unit ids that are tried everywhere before the others are anywhere: people count from 1.
const FIRST_UNITS: usize = 16;
/// Characters of a usual question.
const QUESTION: usize = 20;
/// A device that is known to be there answers so fast.
const ANSWER: Duration = Duration::from_millis(100);

/// A part of a scan.
#[derive(Debug)]
pub(super) enum Step {
    Wild(Wild),
    Units(Units),
    Guess(Guess),
}

impl Step {
    /// Questions left, as far as known.
    pub(super) fn left(&self) -> usize {
        match self {
            Self::Wild(wild) => wild.left(),
            Self::Units(units) => units.left(),
            Self::Guess(guess) => guess.left(),
        }
    }

    /// Time of the questions left, when nobody answers.
    pub(super) fn time_left(&self, plan: &ScanPlan) -> Duration {
        let one = match self {
            Self::Wild(wild) => unanswered(wild.line(), wild::patience(plan)),
            Self::Units(units) => unanswered(units.line(), units::patience(plan)),
            Self::Guess(_) => ANSWER,
        };
        one * u32::try_from(self.left()).unwrap_or(u32::MAX)
    }
}

/// Time of a question that nobody answers.
fn unanswered(line: LineSettings, patience: Duration) -> Duration {
    patience + line.time_of(QUESTION)
}

impl ScanProbe {
    /// Time of this question when nobody answers it.
    pub(super) fn unanswered(&self) -> Duration {
        unanswered(self.line, self.patience)
    }
}

/// The questions of a scan in rounds. First each protocol where its standard or the works put it;
/// then electricity meters at every setting, which is three questions each; then the first unit
/// ids; what takes long and is rare comes last.
pub(super) fn agenda(plan: &ScanPlan) -> VecDeque<Step> {
    // One endpoint of a network: its ids stand in a telling order already.
    let first = if plan.kind == Kind::Mbap { plan.units.len() } else { FIRST_UNITS };
    let (first, rest) = plan.units.split_at(first.min(plan.units.len()));
    let mut steps: Vec<(u8, Step)> = Vec::new();
    for &line in &plan.lines {
        let at = |home: LineSettings, here: u8, elsewhere: u8| {
            if line == home { here } else { elsewhere }
        };
        if plan.protocols.dlt645 {
            let round = if line == MODBUS { 1 } else { at(METERS, 0, 2) };
            steps.push((round, Step::Wild(Wild::new(line, Form::dlt645()))));
        }
        if plan.protocols.modbus {
            steps.push((at(MODBUS, 0, 3), Step::Units(Units::new(line, first.to_vec()))));
            if !rest.is_empty() {
                steps.push((at(MODBUS, 4, 6), Step::Units(Units::new(line, rest.to_vec()))));
            }
        }
        if plan.protocols.cjt188 {
            steps.push((at(METERS, 1, 5), Step::Wild(Wild::new(line, Form::cjt188()))));
        }
    }
    // Stable: within a round the settings keep their order.
    steps.sort_by_key(|(round, _)| *round);
    steps.into_iter().map(|(_, step)| step).collect()
}
