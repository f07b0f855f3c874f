//! What failed connections and wrong files mean, for people in both languages.

use std::io::ErrorKind;

use rumqttc::mqttbytes::Error as PacketError;
use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};
use rustls::CertificateError;

use super::{BrokerConfig, BrokerError};
use crate::model::Words;

impl BrokerConfig {
    /// What a failed connection means, for people.
    pub fn describe(&self, error: &ConnectionError) -> Words {
        let at = format!("{}:{}", self.host, self.port);
        match error {
            ConnectionError::Io(error) => self.describe_io(&at, error),
            ConnectionError::Tls(error) => {
                let why = tls_zh(error);
                (format!("TLS with {at} failed: {error}"), format!("与 {at} 的 TLS 失败：{why}"))
                    .into()
            }
            ConnectionError::NetworkTimeout => {
                let limit = self.connect_timeout;
                (
                    format!("no answer from {at} within {limit:?}"),
                    format!("{at} 在 {limit:?} 内无应答"),
                )
                    .into()
            }
            ConnectionError::FlushTimeout => {
                (format!("{at} takes no more data"), format!("{at} 不再接收数据")).into()
            }
            ConnectionError::ConnectionRefused(code) => {
                let (en, zh) = refusal(*code);
                (format!("{at} refused the session: {en}"), format!("{at} 拒绝会话：{zh}")).into()
            }
            ConnectionError::NotConnAck(_) => (
                format!("{at} does not answer like an MQTT broker"),
                format!("{at} 的应答不像 MQTT 消息代理"),
            )
                .into(),
            ConnectionError::MqttState(error) => self.describe_state(&at, error),
            other => (format!("{at}: {other}"), format!("{at} 出错：{other}")).into(),
        }
    }

    fn describe_state(&self, at: &str, error: &StateError) -> Words {
        match error {
            StateError::Io(error) | StateError::Deserialization(PacketError::Io(error)) => {
                self.describe_io(at, error)
            }
            StateError::ConnectionAborted => closed(at),
            StateError::AwaitPingResp => {
                (format!("{at} does not answer pings"), format!("{at} 不回应心跳")).into()
            }
            StateError::Deserialization(error) => (
                format!("{at} sent a packet that cannot be read: {error}"),
                format!("{at} 发来无法解读的报文：{error}"),
            )
                .into(),
            // As the client words it around the state's own error.
            other => (format!("{at}: {other}"), format!("{at} 出错：{other}")).into(),
        }
    }

    fn describe_io(&self, at: &str, error: &std::io::Error) -> Words {
        match error.kind() {
            ErrorKind::ConnectionRefused => (
                format!("nothing listens at {at} (connection refused)"),
                format!("{at} 无服务监听（连接被拒绝）"),
            )
                .into(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
                closed(at)
            }
            // The resolver's failures carry no code of the system.
            _ if error.raw_os_error().is_none() && error.to_string().contains("lookup") => (
                format!("the name `{}` cannot be resolved: {error}", self.host),
                format!("主机名 `{}` 无法解析", self.host),
            )
                .into(),
            _ => {
                let why = Words::of_io(error);
                (format!("{at}: {}", why.en), format!("{at}：{}", why.zh)).into()
            }
        }
    }
}

impl BrokerError {
    /// For people.
    pub fn words(&self) -> Words {
        let zh = match self {
            BrokerError::Unreadable { what, path, source } => {
                format!("{what} `{}` 无法读取：{}", path.display(), Words::of_io(source).zh)
            }
            BrokerError::Wrong { what, path, fault } => {
                format!("{what} `{}` 内容有误：{fault}", path.display())
            }
            BrokerError::HalfPair(path) => {
                format!("`cert_file` 与 `key_file` 须成对，只设了 `{}`", path.display())
            }
            BrokerError::SystemRoots(why) => {
                format!("系统中没有受信任的证书机构（{why}）；请在 `ca_file` 中指定文件")
            }
            BrokerError::Tls(error) => format!("TLS 设置不可用：{error}"),
            BrokerError::KeepAlive(span) => format!("keep_alive 为 {span:?}；可用 1 s 至 65535 s"),
            BrokerError::Empty(key) => format!("消息代理的 `{key}` 为空"),
        };
        (self.to_string(), zh).into()
    }
}

fn closed(at: &str) -> Words {
    (format!("{at} closed the connection"), format!("{at} 断开了连接")).into()
}

fn tls_zh(error: &TlsError) -> String {
    let found = match error {
        TlsError::TLS(error) => Some(error),
        TlsError::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    };
    match (found, error) {
        (Some(rustls::Error::InvalidCertificate(why)), _) => {
            let why = match why {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => "已过期",
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    "尚未生效（请核对时钟）"
                }
                CertificateError::UnknownIssuer => "签发机构不受信任",
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => "与主机名不符",
                CertificateError::Revoked => "已吊销",
                other => return format!("对方证书不可信：{other:?}"),
            };
            format!("对方证书{why}")
        }
        (Some(rustls::Error::AlertReceived(alert)), _) => {
            format!("对方拒绝（{alert:?}），请检查证书")
        }
        (Some(other), _) => format!("握手失败：{other}"),
        (None, TlsError::Io(error)) => Words::of_io(error).zh,
        (None, other) => other.to_string(),
    }
}

fn refusal(code: ConnectReturnCode) -> (&'static str, &'static str) {
    match code {
        ConnectReturnCode::Success => ("no reason given", "未说明原因"),
        ConnectReturnCode::RefusedProtocolVersion => {
            ("it does not speak MQTT 3.1.1", "不支持 MQTT 3.1.1")
        }
        ConnectReturnCode::BadClientId => ("client id not allowed", "客户端标识不被接受"),
        ConnectReturnCode::ServiceUnavailable => ("service unavailable", "服务不可用"),
        ConnectReturnCode::BadUserNamePassword => {
            ("wrong user name or password", "用户名或密码错误")
        }
        ConnectReturnCode::NotAuthorized => ("not authorised", "未获授权"),
    }
}
