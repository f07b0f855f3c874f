//! A text for people in both languages.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One sentence in English and in Chinese; values and names stand in both. Made from a pair:
/// `Words::from(("is empty", "为空"))`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Words {
    /// English; also what logs and scripts get.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl<E: Into<String>, Z: Into<String>> From<(E, Z)> for Words {
    fn from((en, zh): (E, Z)) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

/// The text of a stranger as people may be shown it: control characters, which do things to a
/// terminal, are replaced; ends of lines too.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

impl Words {
    /// Both languages on one line, for who reads a terminal.
    pub fn both(&self) -> String {
        format!("{} / {}", self.en, self.zh)
    }

    /// A span for people, with three figures at most: `850 ms`, `11.4 s`, `14 s`.
    pub fn of_span(span: Duration) -> Self {
        if span < Duration::from_secs(1) {
            let ms = span.as_secs_f64() * 1000.0;
            return (format!("{ms:.0} ms"), format!("{ms:.0} 毫秒")).into();
        }
        let seconds = span.as_secs_f64();
        let text = if seconds < 100.0 { format!("{seconds:.1}") } else { format!("{seconds:.0}") };
        let text = text.strip_suffix(".0").unwrap_or(&text);
        (format!("{text} s"), format!("{text} 秒")).into()
    }

    /// What the system says about a file, a line or a connection. Common faults have Chinese of
    /// their own; the rest is passed on in the system's words.
    pub fn of_io(error: &Error) -> Self {
        let zh = match error.kind() {
            ErrorKind::ConnectionRefused => "连接被拒绝",
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof => "连接被对方断开",
            ErrorKind::TimedOut => "超时",
            ErrorKind::HostUnreachable => "主机不可达",
            ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => "网络不可达",
            ErrorKind::NotFound => "文件或设备不存在",
            ErrorKind::PermissionDenied => "没有权限",
            ErrorKind::ResourceBusy => "正被占用",
            _ => return (error.to_string(), format!("系统报告：{error}")).into(),
        };
        (error.to_string(), zh).into()
    }
}

/// The stream and the interfaces carry one text: the English one.
impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.en)
    }
}

impl<'d> Deserialize<'d> for Words {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self { zh: text.clone(), en: text })
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}
