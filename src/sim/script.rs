//! What happens in the demo, and when.

use std::time::Duration;

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A meter on a serial line stops answering.
    MeterDies,
    /// It answers again.
    MeterReturns,
    /// A counter runs backwards.
    CounterFallsBack,
    /// It goes on from where it was.
    CounterGoesOn,
    /// A parcel locker loses power: its last will speaks.
    LockerGoes,
    /// It comes back.
    LockerReturns,
    /// The line to the platform is cut.
    LinkCut,
    /// It is whole again: what was kept follows, marked late.
    LinkMended,
    /// A second meter with the address of another is connected to the mixed line.
    SecondMeter,
    /// It is taken off again.
    SecondMeterGoes,
    /// Nothing more is planned.
    End,
}

/// A step that was taken, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepText {
    /// When, after the start.
    pub at: Duration,
    /// What.
    pub step: Step,
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

impl Step {
    /// The words of the step.
    pub fn text(self) -> (&'static str, &'static str) {
        match self {
            Step::MeterDies => ("3号楼2单元电表停止应答", "meter-3-2 stops answering"),
            Step::MeterReturns => ("3号楼2单元电表恢复应答", "meter-3-2 answers again"),
            Step::CounterFallsBack => {
                ("2号楼1单元电表计数倒走", "a counter of meter-2-1 runs backwards")
            }
            Step::CounterGoesOn => {
                ("2号楼1单元电表计数恢复", "the counter of meter-2-1 goes on as before")
            }
            Step::LockerGoes => ("北门快递柜断电", "locker-2 loses power"),
            Step::LockerReturns => ("北门快递柜恢复", "locker-2 comes back"),
            Step::LinkCut => ("到平台的线路中断", "the line to the platform is cut"),
            Step::LinkMended => {
                ("到平台的线路恢复，补传数据", "the line is whole again, kept data follow")
            }
            Step::SecondMeter => (
                "充电棚新装了一块电表，地址与原表相同",
                "a new meter with the address of meter-shed is connected",
            ),
            Step::SecondMeterGoes => {
                ("充电棚新装的电表摘下", "the new meter beside meter-shed is taken off again")
            }
            Step::End => ("脚本结束，小区照常运行", "end of the script, the estate goes on"),
        }
    }
}

/// The steps with their time in seconds after the start, ascending.
pub(super) const SCRIPT: [(u64, Step); 11] = [
    (20, Step::MeterDies),
    (25, Step::SecondMeter),
    (30, Step::CounterFallsBack),
    (40, Step::LinkCut),
    (50, Step::CounterGoesOn),
    (55, Step::LinkMended),
    (60, Step::MeterReturns),
    (70, Step::LockerGoes),
    (75, Step::SecondMeterGoes),
    (90, Step::LockerReturns),
    (91, Step::End),
];

/// The devices that the script names.
pub(super) const DEAD_METER: &str = "meter-3-2";
pub(super) const BACKWARD_METER: &str = "meter-2-1";
pub(super) const DROPPED_LOCKER: &str = "locker-2";
pub(super) const DOUBLE_METER: &str = "meter-shed";
