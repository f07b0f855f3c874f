//! One entry of the trail.

use serde::{Deserialize, Serialize};

use crate::model::{BootId, Moment, WallTime, Words};

/// Longest name, address, and text of an entry, in characters: a row must fit the store.
const LONGEST_NAME: usize = 64;
const LONGEST_TEXT: usize = 300;

macro_rules! actions {
    ($($name:ident => $word:literal, $en:literal, $zh:literal;)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[allow(missing_docs, reason = "the texts stand beside the names")]
        pub enum Action { $(#[serde(rename = $word)] $name,)* }

        impl Action {
            /// Every action.
            pub const ALL: &[Action] = &[$(Action::$name),*];

            /// Its word in the API.
            pub fn word(self) -> &'static str {
                match self { $(Action::$name => $word,)* }
            }

            /// For people.
            pub fn words(self) -> Words {
                match self { $(Action::$name => ($en, $zh).into(),)* }
            }
        }
    };
}

actions! {
    Login => "login", "login", "登录";
    Locked => "login_locked", "login locked", "登录锁定";
    Logout => "logout", "logout", "退出登录";
    UserAdded => "user_added", "user added", "新增用户";
    UserRemoved => "user_removed", "user removed", "删除用户";
    RoleChanged => "role_changed", "role changed", "变更角色";
    PasswordChanged => "password_changed", "password changed", "修改口令";
    TokenAdded => "token_added", "API token made", "新建接口令牌";
    TokenRemoved => "token_removed", "API token revoked", "吊销接口令牌";
    UsersUnreadable => "users_unreadable", "users file unreadable", "用户文件无法读取";
    Exchange => "exchange", "meter exchange recorded", "登记换表";
    Attest => "attest", "attested", "签认";
    Withdraw => "withdraw", "attestation withdrawn", "撤回签认";
    Scan => "scan", "bus scanned", "扫描总线";
    Report => "report", "report downloaded", "下载报告";
    Frames => "frames", "frames downloaded", "下载报文";
    Bundle => "bundle", "support bundle downloaded", "下载支持包";
    Configure => "configure", "configuration edited", "修改配置";
    Reload => "reload", "configuration reloaded", "重新加载配置";
    AlarmAcknowledged => "alarm_acknowledged", "alarm acknowledged", "确认报警";
    AlarmClosed => "alarm_closed", "alarm closed", "关闭报警";
    Maintenance => "maintenance", "maintenance window planned", "新建维护窗口";
    MaintenanceEnded => "maintenance_ended", "maintenance window ended", "结束维护窗口";
    Command => "command", "command", "命令";
    Broadcast => "broadcast", "warning sent", "发布预警";
    BroadcastCancelled => "broadcast_cancelled", "warning cancelled", "取消预警";
    Upgrade => "upgrade", "upgrade", "升级";
    Other => "other", "something that a later version noted", "其他（更高版本记录）";
}

/// What a later version notes is there, whatever it is.
impl<'d> Deserialize<'d> for Action {
    fn deserialize<D: serde::Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|action| action.word() == word);
        Ok(known.copied().unwrap_or(Self::Other))
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed, or what was asked is wrong.
    Refused,
    /// It was allowed and did not succeed.
    Failed,
}

impl Outcome {
    /// For people.
    pub fn words(self) -> Words {
        match self {
            Outcome::Done => ("done", "成功"),
            Outcome::Refused => ("refused", "拒绝"),
            Outcome::Failed => ("failed", "失败"),
        }
        .into()
    }
}

/// What somebody did, to be noted. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The user, `console` for somebody on the machine itself, or `-` for nobody known.
    pub who: String,
    /// From where: an address, `console`, `signal`.
    pub from: String,
    /// What.
    pub action: Action,
    /// To what: a device, a user, a file; may be empty.
    pub about: String,
    /// What became of it.
    pub outcome: Outcome,
    /// More, e.g. why it was refused; may be empty.
    pub detail: String,
}

impl Deed {
    /// Something that was done.
    pub fn done(who: &str, from: &str, action: Action, about: &str) -> Self {
        Self {
            who: who.to_owned(),
            from: from.to_owned(),
            action,
            about: about.to_owned(),
            outcome: Outcome::Done,
            detail: String::new(),
        }
    }

    /// With another end, and why.
    #[must_use]
    pub fn ended(mut self, outcome: Outcome, detail: &str) -> Self {
        self.outcome = outcome;
        detail.clone_into(&mut self.detail);
        self
    }

    /// With more to be said.
    #[must_use]
    pub fn more(mut self, detail: &str) -> Self {
        detail.clone_into(&mut self.detail);
        self
    }
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entry {
    /// Its number, from 1; never used again.
    pub number: u64,
    /// Which run of the system.
    pub boot: String,
    /// When, milliseconds since that run began.
    pub boot_ms: u64,
    /// When, milliseconds since 1970 by the best knowledge of then.
    pub at_ms: i64,
    /// Whether the clock was trusted then.
    pub trusted: bool,
    /// Who.
    pub who: String,
    /// From where.
    pub from: String,
    /// What.
    pub action: Action,
    /// To what.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// What became of it.
    pub outcome: Outcome,
    /// More.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// SHA-256 over the digest of the entry before and this row without its own, in hex.
    pub chain: String,
}

impl Entry {
    pub(super) fn new(
        number: u64,
        deed: Deed,
        (boot, now): (&BootId, Moment),
        (wall, trusted): (WallTime, bool),
        before: &str,
    ) -> Self {
        let mut entry = Self {
            number,
            boot: boot.to_string(),
            boot_ms: now.boot_ms,
            at_ms: wall.unix_ms,
            trusted,
            who: short(&deed.who, LONGEST_NAME),
            from: short(&deed.from, LONGEST_NAME),
            action: deed.action,
            about: short(&deed.about, LONGEST_TEXT),
            outcome: deed.outcome,
            detail: short(&deed.detail, LONGEST_TEXT),
            chain: String::new(),
        };
        entry.chain = digest_of(&entry.row(), before);
        entry
    }

    pub(super) fn row(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an entry has text keys")
    }
}

/// What `chain` must be in this row after the one with the digest `before`: over all its bytes but
/// the digest, so that fields of a later version count too. Every version writes `chain` last.
pub(super) fn digest_of(row: &[u8], before: &str) -> String {
    /// Within texts the quotes would be escaped.
    const CHAIN: &[u8] = b"\"chain\":\"";
    const END: &[u8] = b"\"}";
    let begin = row.windows(CHAIN.len()).rposition(|part| part == CHAIN).map(|at| at + CHAIN.len());
    let digest = begin.and_then(|begin| row.get(begin..)?.strip_suffix(END));
    let is_digest = |digest: &[u8]| digest.iter().all(u8::is_ascii_hexdigit);
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(before.as_bytes());
    match (begin, digest) {
        (Some(begin), Some(digest)) if is_digest(digest) => {
            context.update(&row[..begin]);
            context.update(END);
        }
        // Not as any version writes it: no digest fits.
        _ => context.update(row),
    }
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// At most so many characters, none of which moves the cursor.
fn short(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}
