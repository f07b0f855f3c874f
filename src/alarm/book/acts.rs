//! What people do: acknowledge, close, plan a maintenance window.

use super::Book;
use super::tell::More;
use crate::alarm::config::LONGEST_NAME;
use crate::alarm::timeline::Now;
use crate::alarm::window::Window;
use crate::model::{AlarmId, AlarmStep, Words};

/// Longest reason, in characters.
pub(super) const LONGEST_REASON: usize = 300;
/// Longest window, milliseconds.
const LONGEST_WINDOW: i64 = 30 * 86_400_000;

/// Why something cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActFault {
    /// There is no such alarm, or it is closed.
    Unknown,
    /// There is no such window, or it is over.
    NoWindow,
    /// It is acknowledged already, by whom.
    Acknowledged(String),
    /// It is a member of a group: only the group can be acted on.
    Member(AlarmId),
    /// It is silenced by a maintenance window: nobody was called.
    Silenced(String),
    /// What was given is wrong.
    Wrong(Words),
    /// It cannot be kept now; the gateway is stopping or its store is not there.
    NotNow,
}

impl ActFault {
    /// For people.
    pub fn words(&self) -> Words {
        match self {
            ActFault::Unknown => ("no such alarm is open", "没有这个未关闭的报警").into(),
            ActFault::NoWindow => ("no such window is open or planned", "没有这个维护窗口").into(),
            ActFault::Acknowledged(by) => {
                (format!("acknowledged already, by {by}"), format!("{by} 已确认")).into()
            }
            ActFault::Member(group) => (
                format!("it belongs to the group alarm {group}: act on that"),
                format!("属于成组报警 {group}，请对该成组报警操作"),
            )
                .into(),
            ActFault::Silenced(window) => (
                format!("silenced by the maintenance window `{window}`"),
                format!("维护窗口“{window}”内静默"),
            )
                .into(),
            ActFault::Wrong(words) => words.clone(),
            ActFault::NotNow => {
                ("the gateway cannot keep it now", "网关暂时无法保存，请稍后再试").into()
            }
        }
    }
}

/// What a person gives for a new window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plans {
    /// What is done.
    pub name: String,
    /// Who is responsible.
    pub by: String,
    /// When it begins, milliseconds since 1970; now when `None`.
    pub from_ms: Option<i64>,
    /// When it ends, milliseconds since 1970.
    pub to_ms: i64,
    /// What it covers.
    pub scope: crate::alarm::window::Scope,
}

fn text(text: &str, most: usize, what: (&str, &str)) -> Result<String, ActFault> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    let count = text.chars().count();
    if (1..=most).contains(&count) {
        return Ok(text);
    }
    let (en, zh) = what;
    Err(ActFault::Wrong(
        (
            format!("{en} has {count} characters, allowed are 1 to {most}"),
            format!("{zh}有 {count} 个字符，应为 1 至 {most} 个"),
        )
            .into(),
    ))
}

impl Book {
    fn called(&self, id: AlarmId) -> Result<crate::alarm::entry::Alarm, ActFault> {
        let alarm = self.get(id.number).filter(|alarm| alarm.id == id).ok_or(ActFault::Unknown)?;
        match (&alarm.group, &alarm.silenced) {
            (Some(group), _) => Err(ActFault::Member(*group)),
            (None, Some(window)) => Err(ActFault::Silenced(window.clone())),
            (None, None) => Ok(alarm),
        }
    }

    /// A person knows of an alarm.
    ///
    /// # Errors
    /// Nothing is changed.
    pub fn acknowledge(
        &mut self,
        id: AlarmId,
        by: &str,
        now: &Now,
    ) -> Result<super::Effects, ActFault> {
        let by = text(by, LONGEST_NAME, ("the name", "姓名"))?;
        let mut alarm = self.called(id)?;
        if let (Some(_), Some(by)) = (alarm.acknowledged, &alarm.acknowledged_by) {
            return Err(ActFault::Acknowledged(by.clone()));
        }
        let t = self.time(now);
        alarm.acknowledged = Some(t);
        alarm.acknowledged_by = Some(by.clone());
        alarm.next = self.last_clock(&alarm).map(|close| match alarm.next {
            // Overdue already: it goes on as it did.
            Some(next) if close <= t => next,
            _ => close,
        });
        let more = More { by: Some(&by), ..More::default() };
        self.step(&mut alarm, AlarmStep::Acknowledged, now, &more);
        let group = alarm.is_group().then_some(id.number);
        self.put(alarm, now);
        for number in group.map(|group| self.members(group)).unwrap_or_default() {
            if let Some(mut member) = self.get(number) {
                member.acknowledged.get_or_insert(t);
                member.acknowledged_by.get_or_insert_with(|| by.clone());
                let more = More { by: Some(&by), quiet: true, ..More::default() };
                self.step(&mut member, AlarmStep::Acknowledged, now, &more);
                self.put(member, now);
            }
        }
        Ok(std::mem::take(&mut self.out))
    }

    /// A person closes an alarm; that acknowledges it too.
    ///
    /// # Errors
    /// Nothing is changed.
    pub fn close(
        &mut self,
        id: AlarmId,
        by: &str,
        reason: &str,
        now: &Now,
    ) -> Result<super::Effects, ActFault> {
        let by = text(by, LONGEST_NAME, ("the name", "姓名"))?;
        let reason = text(reason, LONGEST_REASON, ("the reason", "原因"))?;
        let mut alarm = self.called(id)?;
        let t = self.time(now);
        let members = if alarm.is_group() { self.members(id.number) } else { Vec::new() };
        if alarm.active && !alarm.is_group() {
            self.muted.insert(alarm.key.clone());
            self.out.muted.push((alarm.key.clone(), true));
        }
        alarm.acknowledged.get_or_insert(t);
        alarm.acknowledged_by.get_or_insert_with(|| by.clone());
        alarm.closed = Some(t);
        alarm.closed_by = Some(by.clone());
        alarm.reason = Some(reason.clone());
        let more = More { by: Some(&by), reason: Some(&reason), ..More::default() };
        self.step(&mut alarm, AlarmStep::Closed, now, &more);
        self.put(alarm, now);
        self.close_members(&members, Some(&by), &reason, now);
        Ok(std::mem::take(&mut self.out))
    }

    /// A person plans a maintenance window, or opens one. Returns its number.
    ///
    /// # Errors
    /// Nothing is changed.
    pub fn plan_window(
        &mut self,
        plans: Plans,
        now: &Now,
    ) -> Result<(u32, super::Effects), ActFault> {
        let name = text(&plans.name, LONGEST_NAME, ("the purpose", "事由"))?;
        let by = text(&plans.by, LONGEST_NAME, ("the name", "姓名"))?;
        plans.scope.check().map_err(ActFault::Wrong)?;
        let from_ms = plans.from_ms.unwrap_or(now.wall_ms);
        let to_ms = plans.to_ms;
        if to_ms <= now.wall_ms || to_ms <= from_ms || to_ms - from_ms > LONGEST_WINDOW {
            return Err(ActFault::Wrong(
                (
                    "the end must lie ahead, behind the begin, and at most 30 days after it",
                    "结束时间应晚于现在与开始时间，且不超过开始后 30 天",
                )
                    .into(),
            ));
        }
        if !self.has_room_for_window() {
            let problem = ("too many windows are planned", "维护窗口过多");
            return Err(ActFault::Wrong(problem.into()));
        }
        let number = self.next_window();
        let window = Window {
            number,
            configured: false,
            name,
            by,
            from_ms,
            to_ms,
            scope: plans.scope,
            ended_by: None,
            over: false,
        };
        self.out.windows.push(window.clone());
        self.windows.push(window);
        Ok((number, std::mem::take(&mut self.out)))
    }

    /// A person ends a window before its time.
    ///
    /// # Errors
    /// Nothing is changed.
    pub fn end_window(
        &mut self,
        number: u32,
        by: &str,
        now: &Now,
    ) -> Result<super::Effects, ActFault> {
        let by = text(by, LONGEST_NAME, ("the name", "姓名"))?;
        let mut found = self.windows.iter_mut();
        let window = found.find(|window| window.number == number && !window.over);
        let window = window.ok_or(ActFault::NoWindow)?;
        window.over = true;
        window.ended_by = Some(by);
        let window = window.clone();
        self.out.windows.push(window);
        self.forget_windows();
        self.turn_windows(now);
        Ok(std::mem::take(&mut self.out))
    }
}
