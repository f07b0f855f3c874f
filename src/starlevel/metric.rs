//! What can be measured: one metric per check, with what feeds it and what helps when it fails.

use serde::{Deserialize, Serialize};

macro_rules! metrics {
    ($($name:ident => $word:literal, $kind:ident,
        $feeder_zh:literal, $feeder_en:literal,
        $hint_zh:literal, $hint_en:literal;)*) => {
        /// What a check measures. A rule pack may only name these.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the word says it, the definition stands in the rule pack")]
        pub enum Metric {
            $(#[serde(rename = $word)] $name,)*
        }

        impl Metric {
            /// The word used in rule packs.
            pub fn word(self) -> &'static str {
                match self { $(Metric::$name => $word,)* }
            }

            /// Whether it is a yes or no.
            pub fn is_flag(self) -> bool {
                match self { $(Metric::$name => metrics!(@flag $kind),)* }
            }

            /// Whether a percentile is held against a threshold in seconds; then the threshold must
            /// be the limit of a bucket of the evidence's histograms.
            pub fn is_percentile(self) -> bool {
                matches!(
                    self,
                    Metric::TelemetryLatency
                        | Metric::AlarmLatency
                        | Metric::ClockOffset
                        | Metric::BroadcastStart
                        | Metric::ScreenPublish
                        | Metric::EnvironmentLag
                        | Metric::ConnectorPush
                )
            }

            /// Whether broadcasts are counted, which are kept beyond the pack's window.
            pub fn is_broadcast(self) -> bool {
                matches!(
                    self,
                    Metric::BroadcastDrills
                        | Metric::BroadcastStart
                        | Metric::BroadcastAck
                        | Metric::BroadcastPriority
                        | Metric::BroadcastReceipt
                )
            }

            /// Which source feeds it: Chinese and English.
            pub fn feeder(self) -> (&'static str, &'static str) {
                match self { $(Metric::$name => ($feeder_zh, $feeder_en),)* }
            }

            /// What helps when it is not met: Chinese and English.
            pub fn hint(self) -> (&'static str, &'static str) {
                match self { $(Metric::$name => ($hint_zh, $hint_en),)* }
            }
        }
    };
    (@flag flag) => { true };
    (@flag number) => { false };
}

metrics! {
    PlatformSession => "platform_session_authenticated_and_one_ack_in_24h", flag,
        "上行会话与平台确认", "the uplink session and the platform's acknowledgements",
        "检查上行地址、证书和网络；看“上报”页的故障说明", "check the uplink's address, certificate and network; see the fault on the delivery page";
    PlatformAvailability => "platform_link_availability", number,
        "上行心跳的逐分钟记录", "a minute-by-minute record of uplink heartbeats",
        "改善网络或增加备用链路", "improve the network or add a second link";
    DeliveryCompleteness => "delivery_completeness", number,
        "缓存与平台确认的逐日对账", "a daily balance of records created against records acknowledged",
        "恢复上行，等待补传完成", "restore the uplink and let the backlog drain";
    CategoriesCovered => "categories_covered", number,
        "设备在线统计", "the devices' online time",
        "接入更多类别的设备，或修复离线设备使该类别达标", "connect devices of further categories, or repair the offline ones of a category";
    CategorySet => "category_set_met", flag,
        "设备在线统计", "the devices' online time",
        "接入所缺的必备类别", "connect the required categories that are missing";
    InventoryShare => "inventory_connected_share", number,
        "经签认的设备清单", "an inventory that a named person attests",
        "登记设备清单并由负责人签认", "file the inventory and have it attested";
    OnlineRate => "online_rate", number,
        "设备在线统计", "the devices' online time",
        "先修复所列设备：供电、接线、地址、信号", "repair the listed devices first: power, wiring, address, signal";
    OnlineRateWorst => "online_rate_worst_category", number,
        "按类别的逐日在线证据", "daily online evidence per category",
        "修复最差类别的设备", "repair the devices of the worst category";
    DataCompleteness => "completeness", number,
        "应采与实采读数的逐日统计", "daily counts of expected and valid readings",
        "检查采集周期与总线负荷", "check reading periods and bus load";
    ValidShare => "valid_share", number,
        "读数质量的逐日统计", "daily counts of reading quality",
        "检查量程、倍率和计数异常的设备", "check ranges, ratios and suspect counters";
    TelemetryLatency => "telemetry_latency_p95_s", number,
        "上报时延分布", "the distribution of delivery latencies",
        "检查链路带宽与补传限速", "check bandwidth and the pace of the backlog";
    BackfillSuccess => "backfill_success", number,
        "断网时段与补传的逐日记录", "a daily record of outages and what was delivered after them",
        "增大缓存预算，检查平台侧接收", "enlarge the buffer's budget, check the platform's side";
    BufferHours => "offline_buffer_hours", number,
        "缓存预算与记录速率的逐日记录", "a daily record of buffer budget and record rate",
        "增大缓存预算或放宽死区", "enlarge the buffer's budget or widen dead bands";
    ClockOffset => "gateway_clock_offset_p99_s", number,
        "与时间源比对的时钟偏差", "the clock's offset against a time source",
        "配置可达的时间服务器", "configure a time server that can be reached";
    MeterClocks => "meter_clock_ok_share", number,
        "可读时钟的表计对时记录", "the clocks of meters that have a readable one",
        "对表计校时，多次偏差的更换", "set the meters' clocks, exchange those that drift again";
    DailyReads => "daily_read_success", number,
        "按自然日的抄表成功记录", "a record per natural day of meters read",
        "修复当日未抄通的表计", "repair the meters that were not read";
    AlarmLatency => "alarm_report_p95_s", number,
        "告警上报时刻", "the times at which alarms were reported",
        "检查紧急通道与链路", "check the urgent lane and the link";
    AlarmAcknowledged => "alarm_ack_in_time", number,
        "告警确认时刻", "the times at which people acknowledged alarms",
        "安排值班，按级别时限确认", "arrange duty, acknowledge within the level's time";
    AlarmClosed => "alarm_close_in_time", number,
        "告警办结时刻", "the times at which alarms were closed",
        "按级别时限办结并填写结果", "close alarms with a result within the level's time";
    AlarmEscalated => "overdue_escalated_share", number,
        "超时告警的自动上传记录", "the record of overdue alarms escalated",
        "启用超时自动上传", "enable automatic escalation";
    BroadcastDrills => "broadcast_drills_365d", number,
        "广播演练记录", "the record of broadcast drills",
        "按计划开展应急广播演练", "hold drills by the calendar";
    BroadcastStart => "broadcast_start_p95_s", number,
        "广播受理到播出的时刻", "the times from acceptance to playing",
        "检查广播终端链路", "check the links to the terminals";
    BroadcastAck => "broadcast_terminal_ack", number,
        "终端播发回执", "the terminals' receipts",
        "修复未应答的终端", "repair terminals that gave no receipt";
    BroadcastPriority => "broadcast_priority_and_reject_test", flag,
        "分级抢占与拒收测试记录", "the record of the pre-emption and refusal test",
        "在演练中测试红色抢占与拒收", "test pre-emption and refusal in a drill";
    BroadcastReceipt => "broadcast_receipt_returned", number,
        "播发记录回传情况", "the playing records returned to the upper platform",
        "检查回传通道", "check the return path";
    ScreenPublish => "screen_publish_p95_s", number,
        "信息屏发布与显示的时刻", "the times from publishing to showing",
        "检查信息屏链路", "check the links to the screens";
    EnvironmentRank => "environment_parameter_rank", number,
        "环境参数清单与小时值", "the environment's parameters and hourly values",
        "增加 PM2.5、噪声、温湿度等监测参数", "add PM2.5, noise, temperature and humidity";
    EnvironmentHours => "environment_valid_hour_share", number,
        "环境小时值的有效性统计", "the validity of hourly environment values",
        "修复环境监测设备的断点", "repair gaps of the environment sensors";
    EnvironmentLag => "environment_hourly_lag_p95_s", number,
        "环境小时值的发布时刻", "the times at which hourly values were published",
        "检查环境数据上报链路", "check the delivery of environment data";
    ConnectorPush => "connector_status_push_p95_s", number,
        "充电接口状态推送时刻", "the times at which connector states were delivered",
        "缩短充电桩采集周期", "read the chargers more often";
    ChargeOrders => "charge_order_complete", number,
        "充电订单记录", "the record of charging sessions",
        "补全充电订单的起止、电量与结束原因", "complete start, end, energy and stop reason of sessions";
    RiskGrade => "risk_grade_days_share", number,
        "每日设备风险评级", "the daily equipment risk grade",
        "启用设备风险评级", "enable the risk grade";
    AssetRegister => "asset_register_complete", number,
        "设备台账（类别、位置、责任人、维护单位）", "the asset register: category, place, owner, maintainer",
        "补全设备台账", "complete the register";
    SecurityTest => "security_self_test", flag,
        "网关安全自检", "the gateway's security self-test",
        "启用 TLS、更换口令、按设备授权", "use TLS, change passwords, give each device its own credential";
    SecurityGrading => "attest_security_grading", flag,
        "负责人签认的安全评估证明", "a security assessment that a named person attests",
        "提交等级保护或安全评估证明", "file the security grading or assessment";
    LogRetention => "log_retention_days", number,
        "日志留存天数", "the days of logs that are kept",
        "日志留存不少于六个月", "keep logs for at least six months";
    EvidenceRetention => "evidence_retention_days", number,
        "逐日证据库", "the store of daily evidence",
        "保留逐日证据不少于 400 天", "keep daily evidence for at least 400 days";
    Privacy => "attest_privacy", flag,
        "负责人签认的个人信息说明", "a statement on personal data that a named person attests",
        "提交个人信息最小化说明", "file the statement on personal data";
}
