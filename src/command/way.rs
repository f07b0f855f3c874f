//! How a device is reached: through the owner of its line, or the field broker.

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::input::WriteFault;
use super::target::What;
use crate::driver::Act;
use crate::driver::bus::{BusRequest, Control, ControlRefused, RegisterWrite, RelayKey};
use crate::driver::mqtt::{Post, PostFault};
use crate::model::{DeviceIndex, FieldRequest, PointIndex, Words};
use crate::profile::Written;

/// The way to a device.
#[derive(Debug, Clone)]
pub enum Way {
    /// On a line.
    Bus {
        /// To the owner of the line.
        orders: mpsc::Sender<BusRequest>,
        /// To have points read again.
        requests: Option<mpsc::Sender<FieldRequest>>,
        /// What a meter wants with a relay command.
        key: Option<RelayKey>,
    },
    /// At the field broker.
    Mqtt {
        /// What stands for `{base}`.
        base: String,
        /// To the session at the broker.
        posts: mpsc::Sender<Post>,
    },
}

/// What is to be written.
#[derive(Debug)]
pub(super) struct Order {
    pub device: DeviceIndex,
    pub what: What,
    pub deadline: Instant,
    pub by: String,
    pub read_back: Option<PointIndex>,
}

impl Way {
    /// Writes it; ends when the device, or the broker, took it.
    pub(super) async fn write(&self, order: Order) -> Result<(), WriteFault> {
        let Order { device, what, deadline, by, read_back } = order;
        match (self, what) {
            (
                Way::Bus { orders, .. },
                What::Written(Written::Registers { table, address, words, multiple }),
            ) => {
                let (reply, answer) = oneshot::channel();
                let write = RegisterWrite {
                    device,
                    table,
                    address,
                    words,
                    multiple,
                    by,
                    expires: deadline,
                    read_back,
                    reply,
                };
                send(orders, BusRequest::Write(write), deadline).await?;
                answer.await.map_err(|_gone| WriteFault::Unknown)?.map_err(|why| refused(&why))
            }
            (Way::Bus { orders, key, .. }, What::Act(act)) => {
                let (reply, answer) = oneshot::channel();
                let key = key.filter(|_| matches!(act, Act::RelayTrip | Act::RelayClose));
                let authorised_by = Some(by);
                let expires = deadline;
                let control = Control { device, act, authorised_by, expires, key, reply };
                send(orders, BusRequest::Control(control), deadline).await?;
                answer.await.map_err(|_gone| WriteFault::Unknown)?.map_err(|why| refused(&why))
            }
            (Way::Mqtt { base, posts }, What::Written(Written::Message { topic, payload })) => {
                let (reply, answer) = oneshot::channel();
                let topic = topic.replace("{base}", base);
                let post = Post { topic, payload, expires: deadline, reply };
                send(posts, post, deadline).await?;
                match answer.await {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(PostFault::Expired)) => Err(WriteFault::Expired),
                    Ok(Err(PostFault::Offline)) => Err(WriteFault::Offline),
                    Ok(Err(PostFault::Unknown)) | Err(_) => Err(WriteFault::Unknown),
                }
            }
            // The configuration gives each model a connection of its kind.
            _ => Err(WriteFault::Refused(
                ("there is no way to this device", "没有通往该设备的途径").into(),
            )),
        }
    }

    /// Has a point read again at once, where that can be asked.
    pub(super) fn read_again(&self, device: DeviceIndex, point: PointIndex) {
        if let Way::Bus { requests: Some(requests), .. } = self {
            let request = FieldRequest::ReadAgain { device, points: vec![point] };
            if let Err(error) = requests.try_send(request) {
                tracing::debug!(%error, "not read again at once; the next poll decides");
            }
        }
    }
}

async fn send<T>(to: &mpsc::Sender<T>, what: T, deadline: Instant) -> Result<(), WriteFault> {
    match timeout_at(deadline, to.send(what)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_gone)) => Err(WriteFault::Offline),
        Err(_elapsed) => Err(WriteFault::Expired),
    }
}

fn refused(why: &ControlRefused) -> WriteFault {
    let zh = match why {
        ControlRefused::Expired => return WriteFault::Expired,
        ControlRefused::NotReachable => return WriteFault::Offline,
        ControlRefused::Unknown => return WriteFault::Unknown,
        ControlRefused::NoSuchDevice => "该总线上没有这个设备".to_owned(),
        ControlRefused::NotAllowed { device } => format!("`{device}` 的配置不允许"),
        ControlRefused::NotAuthorised => "命令未经授权".to_owned(),
        ControlRefused::WrongKind => "这类设备做不到".to_owned(),
        ControlRefused::Missing(what) => format!("缺少：{what}"),
        ControlRefused::Refused(said) => format!("设备拒绝：{said}"),
    };
    WriteFault::Refused(Words::from((why.to_string(), zh)))
}
