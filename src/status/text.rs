//! All fixed texts of the page, Chinese and English side by side.

use crate::model::Words;
use crate::starlevel::Bilingual;

/// Language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The text of a pair in this language.
    pub fn words(self, words: &Words) -> &str {
        match self {
            Lang::Zh => &words.zh,
            Lang::En => &words.en,
        }
    }

    /// BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::Zh => "zh-CN",
            Lang::En => "en",
        }
    }

    /// The short word of the switch: `zh`, `en`.
    pub fn word(self) -> &'static str {
        match self {
            Lang::Zh => "zh",
            Lang::En => "en",
        }
    }

    /// Reads the short word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "zh" => Some(Lang::Zh),
            "en" => Some(Lang::En),
            _ => None,
        }
    }

    /// The other language.
    pub fn other(self) -> Self {
        match self {
            Lang::Zh => Lang::En,
            Lang::En => Lang::Zh,
        }
    }

    /// One of two texts.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    /// This language's side of a text.
    pub fn of(self, text: &Bilingual) -> &str {
        self.pick(&text.zh, &text.en)
    }

    /// The sign between a name and what follows.
    pub fn colon(self) -> &'static str {
        self.pick("：", ": ")
    }

    /// A fixed text.
    pub fn t(self, text: impl Said) -> &'static str {
        let (zh, en) = text.both();
        self.pick(zh, en)
    }
}

/// A fixed text in both languages.
pub trait Said: Copy {
    /// Chinese and English.
    fn both(self) -> (&'static str, &'static str);
}

/// Fixed texts by name: an enumeration of them, Chinese and English side by side.
macro_rules! texts {
    ($(#[$doc:meta])* $list:ident; $($name:ident => $zh:literal, $en:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the texts stand beside the names")]
        pub enum $list { $($name,)* }

        impl $list {
            /// Every text.
            #[cfg_attr(not(test), allow(dead_code, reason = "tests read all of them"))]
            pub const ALL: &[$list] = &[$($list::$name),*];
        }

        impl $crate::status::text::Said for $list {
            fn both(self) -> (&'static str, &'static str) {
                match self { $($list::$name => ($zh, $en),)* }
            }
        }
    };
}
pub(super) use texts;

texts! {
    /// The fixed texts of the frame and of the pages that have no list of their own.
    Text;
    Overview => "总览", "Overview";
    Devices => "设备", "Devices";
    Buses => "总线", "Buses";
    Alarms => "报警", "Alarms";
    Delivery => "上报", "Delivery";
    Broadcast => "广播", "Broadcast";
    Stars => "星级", "Stars";
    Settings => "设置", "Settings";
    SwitchLanguage => "English", "中文";
    Outdated => "页面未能刷新，以下内容可能已过时", "The page could not be refreshed; what you see may be out of date";
    AllWell => "一切正常", "All is well";
    AllWellMore => "没有需要处理的问题", "Nothing needs attention";
    Attention => "项需要处理", "need attention";
    WorstFirst => "按严重程度排序", "Worst first";
    Critical => "严重", "Critical";
    Warning => "警告", "Warning";
    Notice => "提示", "Notice";
    WhatToDo => "处理建议", "What to do";
    Since => "持续", "for";
    More => "更多", "More";
    Online => "在线", "Online";
    Suspect => "可疑", "Suspect";
    Offline => "离线", "Offline";
    Unknown => "未知", "Unknown";
    NotHeardYet => "启动后未收到数据", "not heard since start";
    Uplink => "平台上报", "Uplink";
    Connected => "已连接", "Connected";
    Disconnected => "未连接", "Disconnected";
    NotConfigured => "未配置", "Not configured";
    Buffer => "断网缓存", "Outage buffer";
    HoursLeft => "还可缓存", "Room for";
    RateUnknown => "速率统计中", "measuring the rate";
    Clock => "时钟", "Clock";
    ClockTrusted => "可信", "Trusted";
    ClockUntrusted => "未校时", "Not trusted yet";
    ClockSource => "时间来源", "Source";
    ClockUncertainty => "误差不超过", "Within";
    ClockOffset => "上次比对偏差", "Off when last compared";
    ClockSynchronised => "上次校时", "Last synchronised";
    MeterClock => "表内时钟偏差", "Its clock is off by";
    MeterClockSilent => "表计不提供", "the meter does not tell";
    Building => "楼栋", "Building";
    Buildings => "楼栋与区域", "Buildings and grounds";
    AllOnline => "全部在线", "All online";
    NoPlace => "未填写位置", "No place given";
    StarLevel => "星级自评", "Star level";
    NoStarYet => "暂无", "None yet";
    Target => "目标", "Target";
    Provisional => "临时结果：统计历史不足", "Provisional: not enough history yet";
    Device => "设备", "Device";
    Category => "类别", "Category";
    State => "状态", "State";
    Place => "位置", "Place";
    Owner => "责任人（产权）", "Owner";
    Maintainer => "维护单位", "Maintainer";
    Connection => "连接", "Connection";
    Product => "型号", "Product";
    Profile => "设备模板", "Profile";
    LastValues => "最近读数", "Last values";
    LastHeard => "最近数据", "Last data";
    Never => "从未", "never";
    All => "全部", "All";
    Filter => "筛选", "Filter";
    NoDevices => "没有符合条件的设备", "No device matches";
    Point => "测点", "Point";
    Value => "数值", "Value";
    Quality => "质量", "Quality";
    Good => "良好", "good";
    Uncertain => "存疑", "uncertain";
    Bad => "无效", "bad";
    NotRead => "未读取", "not read yet";
    Age => "时间", "Age";
    Readings => "读数", "Readings";
    NotGood => "其中非良好", "of them not good";
    ReadEvery => "采集周期", "Read every";
    Cause => "原因", "Cause";
    Line => "线路", "Line";
    Load => "负荷", "Load";
    AnswerRate => "应答率", "Answered";
    Timeouts => "超时", "Timeouts";
    Damaged => "损坏", "Damaged";
    CheckNext => "下一步检查", "Check next";
    Sweep => "轮询一遍", "One sweep";
    SweepMeasured => "轮询一遍（实测）", "One sweep, measured";
    SweepPlanned => "轮询一遍（计划）", "One sweep, planned";
    SweepDead => "三台设备不应答时", "With three devices dead";
    Planned => "计划", "planned";
    Wanted => "要求周期", "asked for";
    WantedPeriod => "最短要求周期", "Shortest period asked for";
    Time => "时刻", "Time";
    BusFull => "线路时间将用尽：请加长采集周期、提高波特率或分线；`linli check` 会给出具体数值", "Little time is left on this line: lengthen periods, raise the baud rate or split it; `linli check` computes by how much";
    WireOrder => "线上设备", "Devices on the wire";
    WireOrderMore => "按配置文件中的顺序列出；按接线顺序填写配置，即可看出从哪一段开始变差。", "In the order of the configuration: write it in the order of the wire, and you see from where on it gets bad.";
    Address => "地址", "Address";
    AnswerTime => "应答时间", "Answer time";
    Longest => "最长", "longest";
    Recorder => "报文记录", "Frame recorder";
    RecorderMore => "最近几分钟的原始报文，最新在上；只含表计数据，只存在内存中，重启即清空，不上传。", "Raw frames of the last minutes, the newest first. Meter data only; they stay in memory, are gone after a restart and are sent nowhere.";
    Recording => "故障记录", "Recording";
    ShowRecent => "返回最近报文", "Back to the last frames";
    KeptRecordings => "故障时保留的记录", "Kept when a fault began";
    Frames => "报文数", "Frames";
    ItsFrames => "看报文", "its frames";
    AllFrames => "看全部报文", "Frames of all devices";
    FrameBytes => "报文与含义", "Frame and meaning";
    Direction => "方向", "Direction";
    Sent => "发送", "sent";
    Received => "接收", "received";
    NoFrames => "尚无报文", "No frame yet";
    NoMeaning => "没有一帧完整：受干扰、串口参数不符，或两台设备同时应答", "no whole frame: disturbed, other line settings, or two devices at once";
    Download => "下载", "Download";
    Exceptions => "异常码", "Exceptions";
    Missed => "跳过轮次", "Missed polls";
    Probing => "探测离线设备耗时", "Time spent probing";
    Requests => "请求", "Requests";
    Open => "已打开", "Open";
    Closed => "未打开", "Closed";
    NoBuses => "未配置总线", "No bus is configured";
    FieldBroker => "现场消息代理", "Field broker";
    Messages => "消息", "Messages";
    Rejected => "已拒绝", "Rejected";
    Unacked => "待落盘确认", "Waiting for the disk";
    Encrypted => "TLS 加密", "TLS";
    Plain => "未加密", "Not encrypted";
    PageCertificate => "本页面的连接", "Connection to this page";
    NotRenewed => "新证书未启用", "New certificate not taken";
    OwnCertificate => "网关自行生成的证书；请与浏览器所示、以及在网关上执行 linli certificate 所得的指纹比对", "A certificate that the gateway made itself. Compare its fingerprint with what the browser shows and what `linli certificate` prints on the gateway";
    CertificateOfFiles => "配置文件中指定的证书", "The certificate that the configuration names";
    LastAck => "平台最近确认", "Last acknowledged";
    InFlight => "在途数据块", "Blocks in flight";
    Acknowledged => "已确认读数", "Readings acknowledged";
    Latency => "上报时延", "Delivery latency";
    Sessions => "会话次数", "Sessions";
    Broker => "服务器地址", "Broker";
    StoredBlocks => "待上报数据块", "Blocks stored";
    StoredReadings => "待上报读数", "Readings stored";
    DiskUse => "占用空间", "Disk use";
    RecordRate => "记录速率", "Record rate";
    Evicted => "因空间不足丢弃的数据块", "Blocks evicted for space";
    ThinnedBlocks => "因空间不足抽稀的数据块", "Blocks thinned for space";
    LeftOut => "抽稀略去的读数", "readings left out";
    ThinnedFirst => "空间用尽时，最旧的读数先抽稀（每个测点每一刻钟保留首值、末值、最小值、最大值和次数，计数器每小时保留末值），然后才丢弃；事件最后丢弃。",
        "When it is full, the oldest readings are thinned first (of each point and quarter hour the first, the last, the lowest, the highest and the count are left, of counters the last of each hour), and only then dropped; events go last.";
    CommitEvery => "落盘间隔（掉电最多丢失）", "Committed every (a power cut loses at most this)";
    AtMost => "不超过", "at most";
    WrittenPerDay => "每日写入介质", "Written to the medium a day";
    MediumBears => "寿命预算", "it bears";
    MediumLasts => "按此速率介质可用", "At that pace the medium lasts";
    Years => "年", "years";
    NotKnown => "未知", "not known";
    DamagedBlocks => "损坏的数据块", "Blocks found damaged";
    LastCommit => "最近落盘耗时", "Last commit took";
    Durable => "落盘正常", "Durable";
    NotDurable => "无法落盘", "Not durable";
    Fault => "故障", "Fault";
    Checks => "检查项", "Checks";
    Met => "达标", "Met";
    NotMet => "未达标", "Not met";
    OutcomeUnknown => "证据不足", "Unknown";
    NotApplicable => "不适用", "Not applicable";
    Measured => "实测", "Measured";
    Needed => "要求", "Needed";
    Source => "依据", "Source";
    MissingForNext => "升至下一星级尚缺", "Missing for the next star";
    Categories => "十二类设备", "The twelve categories";
    Covered => "已覆盖", "Covered";
    NotCovered => "未覆盖", "Not covered";
    OutOfSeason => "非供暖季", "Out of season";
    OnlineRate => "在线率", "Online rate";
    NotAssessedYet => "尚未完成首次自评", "Not assessed yet";
    RulePack => "规则包", "Rule pack";
    Report => "星级报告", "Report of the star level";
    ReportPage => "下载报告（可打印的网页）", "Download the report (a page to print)";
    ReportData => "下载报告（JSON 数据）", "Download the report (JSON)";
    ReportSigned => "报告含逐日证据并由本机密钥签名；收到的人可用 linli stars verify 离线校验，公钥须与此处一致。", "It holds the daily evidence and is signed by this box; whoever receives it verifies it offline with `linli stars verify`, and the key must be the one shown here.";
    PublicKey => "公钥", "Public key";
    Fingerprint => "指纹", "Fingerprint";
    History => "统计历史", "History";
    OldRetrofit => "改造后老旧小区", "Retrofitted estate";
    NewEstate => "新建小区", "New estate";
    Yes => "是", "yes";
    No => "否", "no";
    RecordExchange => "登记换表", "Record a meter exchange";
    ExchangeMeans => "换表后计数从新表重新开始；登记会连同姓名上报平台。", "After an exchange the counters start anew; the record goes to the platform with your name.";
    Attestations => "负责人签认", "Attestations";
    AttestationsMean => "网关无法测得、须由负责人签认的内容：须署名、注明日期，到期失效。过期、尚未生效或时钟不可信时，一律视为没有；每次签认与撤回都会上报平台。", "What no gateway can measure and only a person can vouch for, by name, with a date and an expiry. Expired, not yet valid, or while the clock is not trusted, it counts as missing. Each attestation and withdrawal goes to the platform.";
    NothingAttested => "尚无签认", "Nothing is attested yet";
    AttestNeedsClock => "时钟尚未校时，暂不能签认", "Nothing can be attested until the clock is trusted";
    NewAttestation => "新增签认", "Attest";
    Attest => "签认", "Attest";
    Attested => "已签认", "Attested";
    AttestedBy => "签认人", "By";
    AttestedOn => "日期", "On";
    ValidUntil => "有效至", "Valid until";
    FromFile => "配置文件", "file";
    FromPage => "本页面", "this page";
    Withdraw => "撤回", "Withdraw";
    Withdrawn => "撤回", "Withdrew";
    WhoAttested => "签认与撤回记录", "Who attested and withdrew";
    AttestInventory => "设备清单（各类设备总数）", "Inventory: how many devices of each category";
    InventoryMeans => "填写范围内的全部设备，无论是否已接入；留空的类别不签认。之后发现的设备也会计入。", "All devices within the scope, connected or not; a category left empty is not attested. Devices that are discovered later count too.";
    ScopeOfMeters => "表计范围", "Scope of meters";
    AttestNotApplicable => "本小区没有的设备类别", "A category that does not exist here";
    AttestGrading => "等级保护/安全评估证明", "Security grading or assessment";
    AttestPrivacy => "个人信息最小化说明", "Statement on personal data";
    AttestAdvisory => "参考指标", "Advisory share";
    Reason => "理由", "Reason";
    Document => "文件名称与编号", "Document and its number";
    Issuer => "出具单位", "Issued by";
    Item => "指标", "Item";
    Percent => "比例（%）", "Share in percent";
    Origin => "数据来源", "Source of the share";
    Note => "备注", "Note";
    FoundNotRegistered => "已发现、未登记的设备", "Found, not registered";
    FoundMeans => "扫描时应答、但配置中没有的设备；计入设备接入率的分母，登记后自动移出。", "Devices that answered a scan and stand in no configuration. They count against the attested inventory until they are registered.";
    Protocol => "协议", "Protocol";
    FirstSeen => "首次发现", "First seen";
    AdvisoryList => "参考指标（不计入星级）", "Advisory list (never part of the star)";
    AdvisoryMeans => "山东省智慧社区建设指标（基础型），社区层面，由负责人签认。", "Shandong indicators of smart communities (basic type), attested by a person.";
    Inventory => "清单", "Inventory";
    ConnectedDevices => "已接入", "Connected";
    Found => "未登记", "Not registered";
    YourName => "姓名", "Your name";
    Record => "登记", "Record";
    NotFound => "没有这个页面或设备", "There is no such page or device";
    Version => "版本", "Version";
    RunningFor => "已运行", "running for";
    UntrustedTime => "（未校时）", "(not trusted)";
    StarsOf => "各星级", "Per star";
    Required => "要求项", "required";
    OriginSeed => "地方标准条文", "local standard";
    OriginStandard => "其他标准", "other standard";
    Risk => "设备风险", "Equipment risk";
    EstateRisk => "小区设备风险", "Equipment risk of the estate";
    RiskLow => "低风险", "Low risk";
    RiskMedium => "中风险", "Medium risk";
    RiskHigh => "高风险", "High risk";
    RiskUnknown => "未评级", "Not graded";
    RiskSince => "自", "since";
    RiskHeld => "现状已好转；观察期满后降级", "Better now; the grade falls after it has held";
    VisitFirst => "优先巡检", "To be visited first";
    NobodyToVisit => "没有中级以上风险的设备", "No device of medium or high risk";
    SelfTest => "网关安全自检", "Security self-test of the gateway";
    LogIn => "登录", "Log in";
    LogOut => "退出", "Log out";
    UserName => "用户名", "User";
    Password => "口令", "Password";
    LoginHelp => "忘记口令：请在网关本机执行 linli users passwd 用户名。", "Forgot the password? Run `linli users passwd NAME` on the gateway itself.";
    LoginWrong => "用户名或口令不正确。", "User or password is wrong.";
    LoginWait => "尝试次数过多，请等待后再试：", "Too many attempts; please wait:";
    LoginBusy => "正在处理其他登录，请稍后再试。", "Other logins are being looked at; try again in a moment.";
    LoginFailed => "暂时无法登录，请稍后再试。", "Nobody can log in right now; try again in a moment.";
    UsersUnreadable => "用户文件无法使用，目前无人能够登录；原因见网关日志。", "The users file cannot be used, so nobody can log in; the gateway's log says why.";
    NoUsers => "尚未设置用户", "No user yet";
    NoUsersMore => "本页面须登录后才能查看。请在网关本机执行以下命令并设置口令，然后刷新本页：", "This page is shown after a login. Run this on the gateway itself, choose a password, then reload the page:";
    NoDefaultPassword => "没有默认口令；网关的采集、缓存与上报不受影响。", "There is no default password. Collecting, buffering and delivery go on all the same.";
    NotAllowed => "无此权限", "Not allowed";
    NotAllowedMore => "您的角色为只读，此操作须由维护人员进行。", "Your role only looks; this needs a maintainer.";
    LoggedOut => "登录已过期", "You are logged out";
    LoggedOutMore => "未作任何改动，请重新登录后再试。", "Nothing was changed; log in and try again.";
    Audit => "操作记录", "Audit trail";
    AuditMeans => "何人、何时、何处、做了何事。随缓存落盘保存，逐条以摘要相连；保留最近 10,000 条，最长一年。可用 linli audit --verify 校验。", "Who did what, when, from where. Durable as the buffer is, each entry tied to the one before; the newest 10,000 of one year are kept. `linli audit --verify` checks them.";
    AuditDropped => "更早的记录已按保留期限删除：", "Older entries were dropped by that limit:";
    NoEntries => "没有符合条件的记录", "No entry matches";
    Older => "更早", "Older";
    Day => "日期", "Day";
    Who => "何人", "Who";
    What => "何事", "What";
    From => "何处", "From";
    Result => "结果", "Result";
    Commands => "命令", "Commands";
    Command => "命令", "Command";
    Now => "现值", "now";
    ReadBack => "回读", "read back";
    Refused => "拒绝", "refused";
    OriginProposal => "本规则包建议值", "this pack's proposal";
}
