//! What the causes of a grade mean for people, and what to do about them.

use super::Code;
use crate::starlevel::assessment::Bilingual;

/// What was seen: Chinese, English.
pub(super) fn cause(code: Code, value: f64) -> (String, String) {
    let count = format!("{value:.0}");
    match code {
        Code::Offline => timed("离线", "offline for", value),
        Code::NeverHeard => timed("启动以来未应答，已", "never answered since the start,", value),
        Code::Degraded => timed("应答不稳，已", "misses some answers, for", value),
        Code::Stale => (
            format!("数据陈旧：最近一次有效值距今 {value:.1} 个应采周期"),
            format!("stale: the last good value is {value:.1} expected periods old"),
        ),
        Code::NotGood => (
            format!("当日读数中 {} 不合格", percent(value)),
            format!("{} of today's readings are not good", percent(value)),
        ),
        Code::CounterSuspect => {
            (format!("{count} 个计数存疑"), format!("{count} suspect counter(s)"))
        }
        Code::Wiring => {
            (format!("接线诊断 {count} 项涉及本设备"), format!("{count} wiring finding(s) name it"))
        }
        Code::Line => {
            (format!("所在总线有 {count} 项问题"), format!("{count} finding(s) of its whole line"))
        }
        Code::OfflineShare => (
            format!("近 7 天有 {} 的时间不在线", percent(value)),
            format!("not online for {} of the last 7 days", percent(value)),
        ),
        Code::AlarmRed => alarms("红色", "red", &count),
        Code::AlarmOrange => alarms("橙色", "orange", &count),
        Code::AlarmYellow => alarms("黄色", "yellow", &count),
        Code::AlarmBlue => alarms("蓝色", "blue", &count),
        Code::AlarmsRecent => {
            (format!("近 30 天告警 {count} 次"), format!("{count} alarms in the last 30 days"))
        }
    }
}

/// What a person should do who goes there.
pub(super) fn advice(code: &str) -> Bilingual {
    let code = Code::ALL.into_iter().find(|known| known.word() == code);
    let (zh, en) = match code {
        Some(Code::Offline | Code::NeverHeard) => (
            "现场查看供电、接线、地址与通信模块",
            "go there: check power, wiring, address and the communication module",
        ),
        Some(Code::Degraded | Code::Wiring | Code::Line) => (
            "看“总线”页的诊断，按提示检查接线、终端电阻与屏蔽",
            "see the finding on the buses page and check wires, termination and shield",
        ),
        Some(Code::Stale) => (
            "检查设备是否停止更新、信号与电池",
            "check whether it stopped updating; signal, battery",
        ),
        Some(Code::NotGood) => {
            ("核对量程、倍率与传感器", "compare ranges, ratios and the sensor itself")
        }
        Some(Code::CounterSuspect) => (
            "现场核对表计读数；换过表的在设备页登记",
            "compare the meter's reading on site; record an exchange on the device's page",
        ),
        Some(Code::OfflineShare) => (
            "近期反复掉线：检查供电质量与信号，必要时报修",
            "it drops out again and again: check supply and signal, order a repair",
        ),
        Some(_) => ("按级别时限处置并办结告警", "act on the alarms within their level's time"),
        None => ("现场查看", "go there and look"),
    };
    Bilingual::new(zh, en)
}

fn alarms(zh: &str, en: &str, count: &str) -> (String, String) {
    (format!("未办结的{zh}告警 {count} 条"), format!("{count} open {en} alarm(s)"))
}

fn timed(zh: &str, en: &str, seconds: f64) -> (String, String) {
    let (value, unit_zh, unit_en) = match seconds {
        s if s < 120.0 => (s, "秒", "s"),
        s if s < 7200.0 => (s / 60.0, "分钟", "min"),
        s if s < 172_800.0 => (s / 3600.0, "小时", "h"),
        s => (s / 86_400.0, "天", "days"),
    };
    let value = value.floor();
    (format!("{zh} {value:.0} {unit_zh}"), format!("{en} {value:.0} {unit_en}"))
}

/// Rounded to the nearest percent but never to nothing.
fn percent(share: f64) -> String {
    format!("{:.0} %", (share * 100.0).max(1.0))
}
