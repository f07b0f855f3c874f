//! The texts of commands, Chinese and English side by side.

use crate::status::text::texts;

texts! {
    /// The fixed texts of commands.
    Word;
    Give => "下达命令", "Order something";
    Next => "下一步", "Next";
    On => "开", "on";
    Off => "关", "off";
    Confirm => "确认命令", "Confirm the command";
    Do => "确认下达", "Order it";
    Cancel => "取消", "Cancel";
    Soon => "请在两分钟内确认；逾期不执行。重复提交只执行一次。", "Confirm within two minutes; later it is not done. Sent twice, it is done once.";
    Unknown => "该设备没有这条命令，或配置不允许", "The device has no such command, or the configuration does not allow it";
    Value => "请填写命令的数值", "Fill in what the command takes";
    All => "全部记录", "All of them";
    None => "还没有下达过命令", "Nothing has been ordered yet";
    Offline => "设备不在线，不能下达命令", "The device is not online: nothing can be ordered";
    NeedRole => "下达命令需要维护人员角色", "To order needs a maintainer";
    NotAllowed => "该型号可接受命令，但配置未允许；在配置的该设备下填写", "This model takes commands, and the configuration allows none; for this device write there";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::text::Said as _;

    #[test]
    fn every_text_stands_in_both_languages() {
        for word in Word::ALL {
            let (zh, en) = word.both();
            assert!(!zh.is_empty() && !en.is_empty(), "{word:?}");
        }
    }
}
