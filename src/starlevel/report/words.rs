//! What the words of a report mean, and where the result is weak: said in every report.

use crate::starlevel::Bilingual;
use crate::starlevel::evidence::KEEP_DAYS;
use crate::starlevel::pack::{Evidence, Origin, RulePack};

/// The definitions, with the numbers of the pack.
pub(super) fn definitions(pack: &RulePack, target: u8) -> Vec<Bilingual> {
    let rules = pack.evaluation();
    let zone = &rules.timezone;
    let (window, provisional) = (rules.window_days, rules.provisional_below_days);
    vec![
        Bilingual::new(
            "星级：该星级及以下各星级的全部检查项均达标（或经签认不适用）的最高星级；证据不足一律不算达标。",
            "Star: the highest one all of whose checks, and those of every star below, are met (or \
             attested not to apply). Unknown never passes.",
        ),
        Bilingual::new(
            format!(
                "统计期：最近 {window} 个自然日（{zone}）；历史不足 {provisional} 天的结果为临时结果。\
                 图表和逐日数据只列已封存的自然日，按目标星级（★{target}）的定义计算。"
            ),
            format!(
                "Period: the last {window} natural days ({zone}); with less than {provisional} days \
                 of history the result is provisional. Charts and daily rows show closed days only, \
                 by the definitions of the target star (★{target})."
            ),
        ),
        Bilingual::new(
            "在线率：设备自最近一次有效读数起、在该星级允许的时限内为在线；类别取其设备的平均，小区取各类别的平均。",
            "Online rate: a device is online from a good reading until the star's limit after it; a \
             category is the mean of its devices, the estate the mean of its categories.",
        ),
        Bilingual::new(
            "数据完整率：含有效读数的采集周期数 ÷ 应有周期数，周期长度由该星级规定；多采不能补缺。",
            "Completeness: periods with a valid reading over periods expected, of the length that the \
             star asks for; reading more often fills no gap.",
        ),
        Bilingual::new(
            "链路可用率：与平台保持会话的时间 ÷ 自然日 24 小时；网关停机或时钟未校准的时间不计为可用。",
            "Link availability: time with a session at the platform over the 24 hours of the day; time \
             in which the gateway was down or its clock not trusted is not available time.",
        ),
        Bilingual::new(
            "观测率：网关在时钟可信时运行的时间 ÷ 24 小时。整日无观测的自然日在图中为空缺而不是零，计算星级时按缺失计入。",
            "Observed: time in which the gateway ran with a trusted clock over 24 hours. A day that was \
             not observed at all is a gap in the charts, not zero; for the star it counts as missing.",
        ),
    ]
}

/// What a reader must know before believing the star.
pub(super) fn weak_points(pack: &RulePack) -> Vec<Bilingual> {
    let all = pack.checks().len();
    let count = |wanted: &dyn Fn(&crate::starlevel::Check) -> bool| {
        pack.checks().iter().filter(|check| wanted(check)).count()
    };
    let ours = count(&|check| check.origin == Origin::Proposal);
    let attested = count(&|check| check.evidence != Evidence::Measured);
    let mut points = Vec::new();
    if !pack.head().official {
        points.push(Bilingual::new(
            format!(
                "星级界限全部是本规则包的建议：未取得威海市智慧小区建设标准原文；{all} 项检查中有 {ours} 项的指标由本规则包自定。"
            ),
            format!(
                "All star boundaries are proposals of this rule pack: the official standard was not \
                 available; {ours} of {all} checks have numbers of the pack's own."
            ),
        ));
    }
    points.extend([
        Bilingual::new(
            format!("{all} 项检查中有 {attested} 项全部或部分依据负责人签认，而非由网关测得。"),
            format!("{attested} of {all} checks rest wholly or partly on a named person's word, not on what the gateway measured."),
        ),
        Bilingual::new(
            "设备清单由负责人签认：清单过短会抬高接入率。",
            "The inventory is attested: one that is too short raises the share of connected devices.",
        ),
        Bilingual::new(
            "演练可以预先安排：演练合格不等于平时可用，应结合终端回执查看。",
            "Drills can be staged: a good drill is no proof of every day; look at the terminals' receipts too.",
        ),
        Bilingual::new(
            "对改造后的老旧小区，三星级检查项偏严；放宽应修改规则包并注明版本，不应修改程序。",
            "Star 3 is strict for a retrofitted estate; relax it by another rule pack with its own version, not in the program.",
        ),
        Bilingual::new(
            format!(
                "签名和哈希链只证明文件自网关写出后未被改动，并不证明所接设备真实；逐日证据保留 {KEEP_DAYS} 天。"
            ),
            format!(
                "Signature and chain prove that nothing was changed since the gateway wrote it, not \
                 that the devices are genuine. Daily evidence is kept for {KEEP_DAYS} days."
            ),
        ),
    ]);
    points
}
