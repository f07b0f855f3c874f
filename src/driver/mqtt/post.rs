//! Messages that commands send to devices, by the session that listens to them: QoS 1, done when
//! the broker acknowledged. Nothing is sent twice, and nothing is kept over the end of a connection.

use std::collections::VecDeque;

use rumqttc::{AsyncClient, QoS};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Most messages that are not acknowledged, counted from the oldest: far below the client's own
/// window, whose packet ids must not come round to one that is still open.
const MOST_OPEN: usize = 32;

/// A message to a device.
#[derive(Debug)]
pub struct Post {
    /// Its topic.
    pub topic: String,
    /// What it says.
    pub payload: String,
    /// Not to be sent after this.
    pub expires: Instant,
    /// What became of it.
    pub reply: oneshot::Sender<Result<(), PostFault>>,
}

/// Why a message was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostFault {
    /// Its time was over before it was sent.
    Expired,
    /// There was no connection; nothing was sent.
    Offline,
    /// It was sent, and the connection ended before the broker acknowledged it.
    Unknown,
}

#[derive(Debug)]
struct Open {
    /// Its packet id, once it was sent.
    id: Option<u16>,
    /// Taken when it was acknowledged.
    reply: Option<oneshot::Sender<Result<(), PostFault>>>,
}

/// What waits to be sent and to be acknowledged.
#[derive(Debug, Default)]
pub(super) struct Posts {
    inbox: Option<mpsc::Receiver<Post>>,
    /// In the order in which they were handed to the client, which is that of its events.
    open: VecDeque<Open>,
    connected: bool,
}

fn tell(reply: oneshot::Sender<Result<(), PostFault>>, what: Result<(), PostFault>) {
    if reply.send(what).is_err() {
        tracing::debug!("whoever ordered does not wait any more");
    }
}

impl Posts {
    /// Takes messages from there.
    pub fn attend(&mut self, inbox: mpsc::Receiver<Post>) {
        self.inbox = Some(inbox);
    }

    /// The session began.
    pub fn connected(&mut self) {
        self.connected = true;
    }

    /// The next message, when one may be sent; never while nothing can be.
    pub async fn next(&mut self) -> Post {
        if self.connected
            && self.open.len() < MOST_OPEN
            && let Some(inbox) = &mut self.inbox
        {
            match inbox.recv().await {
                Some(post) => return post,
                None => self.inbox = None,
            }
        }
        std::future::pending().await
    }

    /// Hands it to the client.
    pub fn send(&mut self, post: Post, client: &AsyncClient) {
        let Post { topic, payload, expires, reply } = post;
        if expires <= Instant::now() {
            return tell(reply, Err(PostFault::Expired));
        }
        match client.try_publish(topic, QoS::AtLeastOnce, false, payload) {
            Ok(()) => self.open.push_back(Open { id: None, reply: Some(reply) }),
            Err(error) => {
                tracing::debug!(%error, "a message to a device was not sent");
                tell(reply, Err(PostFault::Offline));
            }
        }
    }

    /// The client sent the next message under this packet id.
    pub fn sent(&mut self, id: u16) {
        if let Some(open) = self.open.iter_mut().find(|open| open.id.is_none()) {
            open.id = Some(id);
        }
    }

    /// The broker acknowledged this packet id.
    pub fn acknowledged(&mut self, id: u16) {
        let mut open = self.open.iter_mut();
        if let Some(open) = open.find(|open| open.id == Some(id) && open.reply.is_some())
            && let Some(reply) = open.reply.take()
        {
            tell(reply, Ok(()));
        }
        while self.open.front().is_some_and(|open| open.reply.is_none()) {
            self.open.pop_front();
        }
    }

    /// The connection is over.
    pub fn disconnected(&mut self) {
        self.connected = false;
        for open in self.open.drain(..) {
            if let Some(reply) = open.reply {
                let fault = if open.id.is_some() { PostFault::Unknown } else { PostFault::Offline };
                tell(reply, Err(fault));
            }
        }
    }

    /// While there is no connection, whoever orders is told so at once; never ends.
    pub async fn refuse(&mut self) {
        while let Some(inbox) = &mut self.inbox {
            match inbox.recv().await {
                Some(post) => tell(post.reply, Err(PostFault::Offline)),
                None => self.inbox = None,
            }
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rumqttc::{EventLoop, MqttOptions};

    use super::*;

    type Answer = oneshot::Receiver<Result<(), PostFault>>;

    fn post(expires: Instant) -> (Post, Answer) {
        let (reply, answer) = oneshot::channel();
        (Post { topic: "t".into(), payload: "p".into(), expires, reply }, answer)
    }

    fn client() -> (AsyncClient, EventLoop) {
        AsyncClient::new(MqttOptions::new("c", "127.0.0.1", 1), 64)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn acknowledgements_find_their_message_in_whatever_order_they_come() {
        let (client, _events) = client();
        let mut posts = Posts::default();
        let (first, mut one) = post(soon());
        let (second, mut two) = post(soon());
        posts.send(first, &client);
        posts.send(second, &client);
        posts.sent(7);
        posts.sent(8);
        posts.acknowledged(8);
        assert_eq!(two.try_recv(), Ok(Ok(())));
        assert!(one.try_recv().is_err() && posts.open.len() == 2, "its place is kept");
        posts.acknowledged(7);
        assert_eq!((one.try_recv(), posts.open.len()), (Ok(Ok(())), 0));
    }

    #[tokio::test]
    async fn what_was_sent_when_the_connection_ends_is_unknown_and_the_rest_was_not_done() {
        let (client, _events) = client();
        let mut posts = Posts::default();
        let (first, mut one) = post(soon());
        let (second, mut two) = post(soon());
        posts.send(first, &client);
        posts.send(second, &client);
        posts.sent(1);
        posts.disconnected();
        assert_eq!(one.try_recv(), Ok(Err(PostFault::Unknown)));
        assert_eq!(two.try_recv(), Ok(Err(PostFault::Offline)));
    }

    #[tokio::test]
    async fn what_came_too_late_is_not_sent() {
        let (client, _events) = client();
        let mut posts = Posts::default();
        let (late, mut answer) = post(Instant::now());
        posts.send(late, &client);
        assert_eq!(answer.try_recv(), Ok(Err(PostFault::Expired)));
        assert!(posts.open.is_empty());
    }

    #[tokio::test]
    async fn no_more_are_open_than_the_window_and_none_before_the_session() {
        let (client, _events) = client();
        let (sender, inbox) = mpsc::channel(64);
        let mut posts = Posts::default();
        posts.attend(inbox);
        for _ in 0..MOST_OPEN + 1 {
            let (post, answer) = post(soon());
            drop(answer);
            sender.send(post).await.unwrap();
        }
        let is_idle = |posts: &mut Posts| futures_util::FutureExt::now_or_never(posts.next());
        assert!(is_idle(&mut posts).is_none(), "there is no session");
        posts.connected();
        for _ in 0..MOST_OPEN {
            let next = is_idle(&mut posts).expect("there is room");
            posts.send(next, &client);
        }
        assert!(is_idle(&mut posts).is_none(), "the window is full");
    }
}
