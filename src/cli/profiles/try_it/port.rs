//! What to do when the way to the device cannot be used.

use std::io;
use std::path::Path;

use crate::cli::scan::port_remedy;
use crate::config::Settings;
use crate::driver::Transport;
use crate::model::Words;

/// The next thing to do about it, in both languages.
pub(super) fn remedy(settings: &Settings, why: &Words) -> Words {
    let Some(bus) = settings.buses.first() else {
        return (
            "check host, port, user name and password of the broker, and that it runs",
            "请检查消息代理的地址、端口、用户名和密码，以及是否在运行",
        )
            .into();
    };
    let transport = &bus.config.transport;
    let is = |kind| why.zh == Words::of_io(&io::Error::from(kind)).zh;
    match transport {
        Transport::Serial { path }
            if Path::new(path).exists() && !is(io::ErrorKind::PermissionDenied) =>
        {
            (
                "another program has the port, likely the running gateway: `systemctl stop linli`, \
                 try again and start it afterwards; or let it ask between its polls: \
                 `linli scan BUS` shows which devices answer",
                "串口被其他程序占用，多半是运行中的网关：请先 `systemctl stop linli`，试完再启动；\
                 或用 `linli scan 总线名` 由网关在轮询间隙代为探测",
            )
                .into()
        }
        _ => port_remedy(transport, why),
    }
}
