//! The texts of the settings, Chinese and English side by side.

use crate::status::text::texts;

texts! {
    /// The fixed texts of the settings.
    Word;
    Configuration => "配置", "Configuration";
    RefusedConfiguration => "文件中的配置未被采用，仍按上一份运行；问题数", "The configuration in the file was refused, the one before runs; faults";
    NoFile => "网关未使用配置文件运行", "The gateway runs without a configuration file";
    File => "文件", "File";
    FileText => "文件内容", "Text of the file";
    EarlierVersions => "历史版本", "Earlier versions";
    VersionGone => "该历史版本已不存在，以下是当前内容", "That earlier version is not there any more; this is the file as it is";
    CheckIt => "检查", "Check";
    ApplyIt => "应用", "Apply";
    ApplyMeans => "先检查，再应用。应用时不丢失任何读数；原文件按编号保留在旁边。", "Check first, then apply. No reading is lost by it; the old file is kept beside it under a number.";
    ReadOnlyFile => "网关无权写入此文件：可在此检查，再到网关上修改，并执行 systemctl reload linli", "The gateway may not write this file: check the change here, make it on the machine, then run systemctl reload linli";
    HandOverMeans => "先检查，再应用：修改交由系统服务核对后写入；原文件按编号保留在旁边，不丢失任何读数。", "Check first, then apply: a service of the system checks the change and writes it. The old file is kept beside it under a number; no reading is lost.";
    HandingOver => "已提交，正在写入并应用", "Handed over, being written and applied";
    OnlyOnTheMachine => "以下文件路径只能在网关本机上修改", "These paths of files are changed on the machine, not on the page";
    WaitingChange => "修改已提交，等待写入", "A change was handed over and waits to be written";
    WaitingMore => "通常只需数秒，请刷新本页。若一直等待，请在网关上查看：", "It takes seconds: load this page again. If it goes on waiting, look on the machine:";
    InstalledChange => "上次提交的修改已写入", "The last change that was handed over is installed";
    RefusedChange => "上次提交的修改未被写入", "The last change that was handed over was refused";
    FileChanged => "文件在此期间已被他人修改", "Somebody else changed the file meanwhile";
    FileChangedMore => "您的文字仍在下方，未写入。请另行保存，重新打开此页后再修改。", "Your text is below and was not written. Keep a copy, open this page anew, and make the change again.";
    NotWritten => "无法写入，原文件未变", "It could not be written; the old file is in its place";
    NothingChanged => "配置正确，没有改动", "The configuration is right, and nothing was changed";
    GoodConfiguration => "配置正确", "The configuration is right";
    GoodConfigurationMore => "以下改动尚未生效，确认后请点“应用”。", "These changes are not in force yet: look at them, then apply.";
    Differences => "改动内容", "What differs";
    WrongConfiguration => "配置有误，未写入；问题数", "The configuration is wrong and was not written; faults";
    LineNumber => "行", "line";
    Allowed => "允许", "allowed";
    Applying => "已写入，正在应用", "Written, and being applied";
    ApplyingMore => "页面会短暂中断，随后自动回到设置页；若新配置无法启动，会自动恢复上一份，并在设置页说明原因。", "The page is gone for a moment and comes back by itself. If the new configuration cannot be started, the one before goes on and the settings page says why.";
    NotApplied => "已写入，尚未应用", "Written, not applied";
    NotAppliedMore => "网关正在停止；下次启动时生效。", "The gateway is stopping; it is in force from the next start.";
    NotReadable => "配置文件无法读取", "The configuration cannot be read";
    Users => "用户与令牌", "Users and tokens";
    OpenAccess => "本页面免登录，仅限本机访问", "This page needs no login: it answers to this machine only";
    UsersMeans => "用户只能在网关本机上增删：", "Users are added and removed on the machine itself:";
    Person => "用户", "User";
    Token => "接口令牌", "API token";
    Role => "角色", "Role";
    Until => "到期", "Until";
    Kind => "类型", "Kind";
    Certificates => "证书", "Certificates";
    NoCertificates => "没有需要关注有效期的证书", "No certificate whose end is to be watched";
    For => "用途", "For";
    Expired => "已过期", "expired";
    ExpiresSoon => "即将到期", "expires soon";
    Valid => "有效", "valid";
    Version => "版本", "Version";
    UpgradeMeans => "升级会先试运行，不成功则自动回退：", "An upgrade runs on trial first and goes back by itself when that fails:";
    Support => "技术支持", "Support";
    DownloadBundle => "下载支持包（不含口令与密钥）", "Download the bundle for support (no passwords, no keys)";
    SupportMeans => "在本机以管理员身份生成，含系统日志：", "Made on the machine it holds the log of the system too:";
    DoctorMeans => "检查整台设备并给出处理办法：", "Looks at the whole box and says what to do:";
}
