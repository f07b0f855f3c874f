//! What a round says about profile, wires and settings, in both languages.

use std::collections::BTreeMap;

use super::hint::{Hint, word_order};
use super::table::State;
use crate::model::{Health, Quality, Reason, Words};
use crate::profile::{Binding, Profile};

/// Names of points that are told of one kind.
const TOLD: usize = 6;

/// The summary of a round.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    points: usize,
    pub good: usize,
    /// What to look at.
    pub advice: Vec<Words>,
}

/// Why points are not good; `None`: nothing was heard of them.
type Kinds = BTreeMap<Option<Reason>, Vec<String>>;

impl Verdict {
    pub(super) fn of(state: &State<'_>) -> Self {
        let mut kinds: Kinds = BTreeMap::new();
        let mut good = 0;
        for (point, now) in state.profile.points.iter().zip(&state.device.points) {
            match now.quality {
                Some(Quality::Good) => good += 1,
                Some(quality) => {
                    kinds.entry(quality.reason()).or_default().push(point.name.to_string());
                }
                None => kinds.entry(None).or_default().push(point.name.to_string()),
            }
        }
        let points = &state.device.points;
        let hint = word_order(state.profile, state.params, points, state.caught);
        let mut advice = Vec::new();
        if state.line_down.is_none() {
            let quiet = |reason: &Option<Reason>| {
                matches!(reason, None | Some(Reason::NoAnswer | Reason::DeviceOffline))
            };
            let silent = good == 0 && state.caught.is_empty() && kinds.keys().all(quiet);
            let asked = state.device.health != Health::Unknown || kinds.contains_key(&None);
            if silent && asked {
                advice.push(nothing(state.profile));
            } else {
                let told = kinds.iter().filter_map(|(reason, names)| look(*reason, names));
                advice.extend(told);
                let refused = kinds.get(&Some(Reason::Refused)).map_or(0, Vec::len);
                if refused == points.len() {
                    advice.push(everything_refused());
                }
            }
            advice.extend(hint.map(order_told));
        }
        Self { points: points.len(), good, advice }
    }

    /// Whether there is nothing to say.
    pub(super) fn all_good(&self) -> bool {
        self.good == self.points
    }

    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let (good, points) = (self.good, self.points);
        let mut lines =
            vec![format!("{good} of {points} points good / {points} 个测点中 {good} 个正常")];
        for Words { en, zh } in &self.advice {
            lines.push(format!("  {en}"));
            lines.push(format!("  {zh}"));
        }
        lines
    }
}

fn listed(names: &[String]) -> String {
    let mut text = names.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > TOLD {
        text += &format!(", … +{}", names.len() - TOLD);
    }
    text
}

/// The device said nothing at all.
fn nothing(profile: &Profile) -> Words {
    match &profile.binding {
        Binding::Mqtt(model) => {
            let topics: Vec<&str> =
                model.topics.iter().map(|rule| rule.pattern.as_str()).take(TOLD).collect();
            let topics = topics.join(", ");
            (
                format!(
                    "nothing was heard: is --base right? The profile listens to {topics}; a device \
                     that sleeps may speak only after hours"
                ),
                format!(
                    "未收到任何消息：请检查 --base；该型号监听 {topics}；休眠设备可能数小时才上报一次"
                ),
            )
                .into()
        }
        Binding::Modbus { .. } => (
            "the device does not answer: is it the right unit id? On a line also check power, A/B \
             wires, baud rate and frame; `linli scan` finds who answers and how",
            "设备无应答：请检查站号；串口线路还要检查供电、A/B 线、波特率和校验位；\
             `linli scan` 可找出谁以何种参数应答",
        )
            .into(),
        _ => (
            "the meter does not answer: check its address, power, A/B wires, baud rate and frame; \
             `linli scan` finds who answers and how",
            "表计无应答：请检查表地址、供电、A/B 线、波特率和校验位；`linli scan` 可找出谁以何种参数应答",
        )
            .into(),
    }
}

/// Somebody answers, and refuses all.
fn everything_refused() -> Words {
    (
        "everything is refused: is it the right unit id, the right model? A server or gateway in \
         between refuses a unit id that nobody has",
        "全部被拒绝：请检查站号和型号；中间的服务器或网关会拒绝不存在的站号",
    )
        .into()
}

/// What to look at for points of one kind.
fn look(reason: Option<Reason>, names: &[String]) -> Option<Words> {
    let (en, zh): (&str, &str) = match reason {
        None => (
            "nothing was heard of them yet: wrong path or topic, or the device says them seldom",
            "尚未收到：路径或主题有误，或设备很少上报",
        ),
        Some(Reason::NoAnswer | Reason::DeviceOffline) => (
            "no answer to these: wrong unit id or address, wires, baud rate, or --timeout too short",
            "无应答：站号或地址、接线、波特率有误，或 --timeout 太短",
        ),
        Some(Reason::Refused) => (
            "refused: the device does not have these addresses; check address, table (holding or \
             input) and whether the document counts from 1 (first_address)",
            "设备拒绝：没有这些地址；请检查地址、寄存器类型（holding 或 input），以及说明书是否从 1 起计（first_address）",
        ),
        Some(Reason::BadReply) => (
            "damaged, or not what the encoding allows: check encoding, shield and termination",
            "应答损坏或与编码不符：请检查编码、屏蔽层和终端电阻",
        ),
        Some(Reason::NotAvailable) => (
            "the device says that it has no value: not fitted, or switched off",
            "设备表示无此值：未安装或未启用",
        ),
        Some(Reason::OutOfRange) => (
            "out of range: check factor and offset, encoding (signed, float) and word order",
            "超出量程：请检查系数和偏移、编码（有符号、浮点）和字序",
        ),
        Some(Reason::UnknownCode) => (
            "a code that the profile does not name: add it to `codes`, see raw",
            "未知代码：请按原始值补入 `codes`",
        ),
        Some(Reason::BadPayload) => (
            "another kind of value than the profile says: check path, format and codes, see raw",
            "内容与型号不符：请对照原始值检查路径、格式和代码",
        ),
        Some(Reason::Stale) => (
            "retained by the broker and of unknown age: wait until the device speaks again",
            "消息代理保留的旧值：请等待设备再次上报",
        ),
        Some(Reason::RateOfChange) => (
            "changed faster than `max_rate` allows: right when somebody switched something",
            "变化快于 `max_rate`：若刚操作过设备则属正常",
        ),
        Some(Reason::CounterBackwards | Reason::CounterJump) => (
            "a counter that does not climb evenly: check encoding and word order",
            "计数不是平稳递增：请检查编码和字序",
        ),
        Some(Reason::Truncated) => ("the text was cut", "文本过长已截断"),
    };
    let names = listed(names);
    Some((format!("{names}: {en}"), format!("{names}：{zh}")).into())
}

fn order_told(hint: Hint) -> Words {
    let Hint { order, strange, mended } = hint;
    let (all, names) = (strange.len(), listed(&strange));
    (
        format!(
            "hint: with word order `{order}` {mended} of {all} strange values would fall in range \
             ({names}): order = \"{order}\""
        ),
        format!(
            "提示：改用字序 `{order}` 后，{all} 个异常值中有 {mended} 个落入量程（{names}）：order = \"{order}\""
        ),
    )
        .into()
}
