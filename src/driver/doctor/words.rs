//! What was found, for the electrician who stands before it: the figures seen, then the next thing
//! to check.

use std::time::Duration;

use super::signature::Signature;
use crate::driver::{BusAddress, LineSettings};
use crate::model::Words;

/// What was seen, and what to check.
type Told = (Words, Words);

/// Most devices that are named.
const NAMES_MAX: usize = 4;

/// Damage of some devices.
pub(super) struct Damage<'a> {
    /// Who.
    pub(super) titles: Vec<&'a str>,
    /// How many of their exchanges.
    pub(super) damaged: u32,
    pub(super) exchanges: u32,
    /// How many other devices are clean.
    pub(super) clean: usize,
    /// The last clean device before them, when all behind it are damaged.
    pub(super) behind: Option<&'a str>,
}

pub(super) fn nothing_heard(devices: usize, asked: u32, answered_before: bool) -> Told {
    let seen = if answered_before {
        Words::from((
            format!("none of {devices} devices answers any more: {asked} requests, not one byte"),
            format!("总线上 {devices} 台设备全部不再应答：问了 {asked} 次，一个字节都没收到"),
        ))
    } else {
        Words::from((
            format!("not one byte from any of {devices} devices in {asked} requests"),
            format!("{devices} 台设备问了 {asked} 次，总线上一个字节都没收到"),
        ))
    };
    let check = if answered_before {
        (
            "Look whether the adapter or serial server has power and its plug sits; then measure \
             A against B at the gateway (a few hundred millivolts, A positive, when idle): 0 V is a \
             cut or shorted pair. Look for the place where somebody worked last.",
            "先看 RS-485 转换器（串口服务器）有没有电、插头松没松；再在网关端量 A、B 间电压（空闲时 A \
             比 B 高零点几伏）：0 V 多半是总线断了或 A、B 短接。最近谁动过线，就先查那里。",
        )
    } else {
        (
            "Swap A and B at the gateway once. If that does not help: is the pair on the right \
             terminals, is the right port configured, do the devices have power, is the baud rate \
             right?",
            "先把网关端的 A、B 两根线对调试一次；还不行，再查线是否接在 485 端子上、配置的串口对不对、\
             设备有没有上电、波特率对不对。",
        )
    };
    (seen, check.into())
}

pub(super) fn silent(title: &str, asked: u32, others: usize, answered_before: bool) -> Told {
    let seen = Words::from((
        format!(
            "{title}: {asked} requests without an answer, while others on this bus answer: {others}"
        ),
        format!("{title}：连续问了 {asked} 次都不应答，同一总线上另有 {others} 台正常"),
    ));
    let check = if answered_before {
        (
            "The line itself works. Look at this device: does it have power, do its two wires sit \
             in the terminals, is its branch cut? Was it exchanged (then the address changed)?",
            "总线本身是好的，只查这台：有没有电，A、B 端子松没松，到它的分支线断没断；\
             如果换过表，地址也跟着变了。",
        )
    } else {
        (
            "The line itself works. Compare the address on the device's plate with the \
             configuration, then its power, then A and B at this device: they may be swapped here \
             only. Then its protocol and baud rate.",
            "总线本身是好的。先核对铭牌上的地址和配置是否一致，再看有没有上电、这一台的 A、B \
             是不是接反了，最后核对协议和波特率。",
        )
    };
    (seen, check.into())
}

pub(super) fn line_settings(devices: usize, line: Option<LineSettings>, looks: Signature) -> Told {
    let (at_en, at_zh) = at(line);
    let looks = looks.words().unwrap_or_default();
    let seen = Words::from((
        format!("{devices} devices send bytes{at_en}, but never a whole frame: {}", looks.en),
        format!("{devices} 台设备都有回音{at_zh}，但没有一帧完整：{}", looks.zh),
    ));
    let check = (
        "Compare baud rate and parity of the configuration with the devices' plates or menus \
         (meters mostly 2400 8E1, Modbus mostly 9600 8N1). If they agree, swap A and B once: a \
         swapped pair also gives bytes without sense.",
        "核对配置与设备（铭牌或菜单）的波特率、校验位：电表、水表多为 2400 8E1，Modbus 设备多为 9600 8N1。\
         如果一致，把 A、B 对调试一次：接反了也会收到乱码。",
    );
    (seen, check.into())
}

pub(super) fn own_settings(
    title: &str,
    line: Option<LineSettings>,
    looks: Signature,
    same: usize,
    works: usize,
) -> Told {
    let (at_en, at_zh) = at(line);
    let looks = looks.words().unwrap_or_default();
    let (others_en, others_zh) = match (same, works) {
        (0, 0) => (String::new(), String::new()),
        (0, works) => (
            format!("; {works} others on the line work at other settings"),
            format!("；另有 {works} 台在别的设置下正常"),
        ),
        (same, _) => (
            format!("; {same} others work with the same settings, so this device's own differ"),
            format!("；另有 {same} 台用同样的设置正常，说明是这台设备自己的设置不同"),
        ),
    };
    let seen = Words::from((
        format!("{title} sends bytes{at_en}, never a whole frame: {}{others_en}", looks.en),
        format!("{title} 有回音{at_zh}，但没有一帧完整：{}{others_zh}", looks.zh),
    ));
    let check = (
        "Read baud rate, parity and protocol off this device's plate or menu and put them into its \
         entry; `linli scan` tries them in turn.",
        "查这台设备铭牌或菜单里的波特率、校验位和协议，改到它的配置里；也可以用 linli scan 逐个试。",
    );
    (seen, check.into())
}

pub(super) fn collision(title: &str, address: BusAddress, clashes: u32, exchanges: u32) -> Told {
    let seen = Words::from((
        format!(
            "two devices seem to answer at address {address} ({title}): in {clashes} of the last \
             {exchanges} exchanges two replies, or one over the other"
        ),
        format!(
            "地址 {address}（{title}）上像是有两台设备同时应答：最近 {exchanges} 次里有 {clashes} \
             次收到两份应答，或两份叠在一起"
        ),
    ));
    // A meter leaves the factory with a number of its own, a Modbus device mostly with 1.
    let (why_en, why_zh) = match address {
        BusAddress::Unit(_) => {
            ("newly fitted ones mostly still carry address 1", "新装的设备出厂多半是 1 号")
        }
        BusAddress::Dlt645(_) | BusAddress::Cjt188(_) => (
            "compare the numbers on the plates; an exchanged meter may have been given the old one's",
            "逐块核对铭牌上的表号，换上的表也可能被写成了旧表的地址",
        ),
    };
    let check = Words::from((
        format!(
            "Take this device off the line. If its address still answers, find the second device \
             that has it ({why_en}) and give it a free one."
        ),
        format!(
            "把这台设备从总线上摘下来：如果这个地址还有应答，就是另有一台设备用了同一地址\
             （{why_zh}），找到它，改成没人用的地址。"
        ),
    ));
    (seen, check)
}

pub(super) fn damaged(damage: &Damage<'_>) -> Told {
    let &Damage { ref titles, damaged, exchanges, clean, behind } = damage;
    let (names_en, names_zh) = names(titles);
    let seen = Words::from((
        format!(
            "{damaged} of the last {exchanges} replies of {names_en} came damaged, {clean} other \
             devices are clean"
        ),
        format!("{names_zh}最近 {exchanges} 次应答中有 {damaged} 次校验错误，另有 {clean} 台正常"),
    ));
    let check = match behind {
        Some(last) => Words::from((
            format!(
                "Clean as far as {last}, damaged behind it (in the order of the configuration): \
                 look at the joint behind {last}, the shield there, and whether 120 ohm sit at the \
                 far end and nowhere between."
            ),
            format!(
                "按配置顺序，到 {last} 为止都正常，往后都出错：查 {last} 之后的接头和屏蔽层，\
                 末端 120 Ω 终端电阻有没有接、中间有没有多接。"
            ),
        )),
        None if titles.len() == 1 => Words::from((
            "Look at this device's own branch: tighten its terminals, keep the branch below a \
             metre or two, connect its shield, lead it away from power cables. If that does not \
             help, exchange the device on trial.",
            "查这台设备的分支：端子拧紧，分支线不要超过一两米，屏蔽层接好，避开强电线；\
             还不行，换一台设备试。",
        )),
        None => Words::from((
            "Look at what these devices share: a branch, a box, a cable beside a power cable. \
             Branches should be short, the pair one line from device to device, not a star.",
            "看这几台设备共用了什么：同一条分支、同一个接线盒、同一段贴着强电走的线。\
             485 总线要手拉手，不要星形接，分支要短。",
        )),
    };
    (seen, check)
}

pub(super) fn noisy_line(damaged: u32, exchanges: u32, hit: usize, heard: usize) -> Told {
    let share = damaged * 100 / exchanges.max(1);
    let seen = Words::from((
        format!(
            "{damaged} of the last {exchanges} replies ({share} %) came damaged, from {hit} of \
             {heard} devices: the whole line is disturbed"
        ),
        format!(
            "最近 {exchanges} 次应答中有 {damaged} 次校验错误（{share}%），涉及 {heard} 台中的 {hit} \
             台：整条总线都受干扰"
        ),
    ));
    let check = (
        "At the gateway first: terminals tight, shield earthed at one end only, 120 ohm at both \
         ends of the line. Then the cable: twisted pair, away from power cables and frequency \
         converters. On trial a lower baud rate.",
        "先查网关端：端子是否拧紧，屏蔽层是否只在一端接地，总线两头是否各接 120 Ω 电阻；\
         再查线缆：要用双绞线，离强电线和变频器远一些；也可以降低波特率试一试。",
    );
    (seen, check.into())
}

pub(super) fn slower(title: &str, base: Duration, present: Duration, devices: usize) -> Told {
    let (base, present) = (base.as_millis(), present.as_millis());
    let (more_en, more_zh) = match devices {
        0 | 1 => (String::new(), String::new()),
        _ => (format!(" ({devices} devices got slower)"), format!("（共 {devices} 台变慢）")),
    };
    let seen = Words::from((
        format!("{title} answers after {present} ms; in its first hour it was {base} ms{more_en}"),
        format!("{title} 现在要 {present} 毫秒才应答，刚开始时是 {base} 毫秒{more_zh}"),
    ));
    let check = (
        "Read the supply voltage at the device and the age of its battery; look whether a serial \
         server, repeater or radio link on the way is overloaded, and whether the device has \
         newly more to do (display, radio, another master).",
        "量一下设备的供电电压，看电池是不是快没电了；途中有串口服务器、中继器或无线透传的，\
         看它忙不忙；再看这台设备是不是又接了别的主机。",
    );
    (seen, check.into())
}

pub(super) fn foreign_master(requests: usize, broadcasts: bool) -> Told {
    let (what_en, what_zh) =
        if broadcasts { ("broadcasts", "广播报文") } else { ("requests", "询问报文") };
    let seen = Words::from((
        format!("{requests} or more {what_en} in ten minutes that this gateway did not send"),
        format!("十分钟内收到至少 {requests} 条不是本网关发出的{what_zh}"),
    ));
    let check = (
        "Another master sits on this line: a concentrator, a building controller, a technician's \
         laptop. One line takes one master: disconnect it, or move its devices to a line of their \
         own.",
        "这条总线上还有别的主机在问（集中器、楼控主机或调试用的笔记本电脑）。一条 485 \
         总线只能有一个主机：把它断开，或者把它的设备分到另一条总线上。",
    );
    (seen, check.into())
}

fn at(line: Option<LineSettings>) -> (String, String) {
    match line {
        Some(line) => (format!(" at {line}"), format!("（按 {line} 收）")),
        None => (String::new(), String::new()),
    }
}

/// A few names and how many more.
fn names(titles: &[&str]) -> (String, String) {
    let shown = &titles[..titles.len().min(NAMES_MAX)];
    let more = titles.len() - shown.len();
    let (mut en, mut zh) = (shown.join(", "), shown.join("、"));
    if more > 0 {
        en.push_str(&format!(" and {more} more"));
        zh.push_str(&format!("等 {} 台", titles.len()));
    }
    (en, zh)
}
