//! A socket at work: opens it, sends what subscribes, hands over what arrives, and notices when nothing does.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tallow_env::{Clock, Ticks};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use url::Url;

use crate::dial::{Dial, Incoming, SocketError};
use crate::slot::Id;

/// How often a quiet socket looks whether there is something to send.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Bytes that may wait to be taken: beyond that, nothing is read.
pub const WAITING_BYTES: usize = 32 << 20;

/// What a socket reports.
#[derive(Debug)]
pub enum Event {
    Opened,
    /// The permit gives its bytes back when it is dropped.
    Frame(Bytes, OwnedSemaphorePermit),
    Closed(SocketError),
}

/// What a socket is to do.
pub struct Order {
    pub id: Id,
    pub url: Url,
    /// What is sent once it is open, with so much time between two.
    pub frames: Vec<String>,
    pub pace: Duration,
    /// Nothing for so long: it is dead.
    pub silence: Duration,
}

/// What all sockets of a feed share.
#[derive(Clone)]
pub struct Shared {
    pub dial: Arc<dyn Dial>,
    pub clock: Arc<dyn Clock>,
    pub events: Sender<(Id, Event)>,
    pub room: Arc<Semaphore>,
}

/// Runs until the socket is closed, or nobody takes its events. `replies`: texts to send.
pub async fn run(order: Order, shared: Shared, replies: Receiver<String>) {
    let id = order.id;
    let Err(why) = session(order, &shared, replies).await else { return };
    // The receiver is gone once the feed ends.
    let _ = shared.events.send((id, Event::Closed(why))).await;
}

async fn session(order: Order, shared: &Shared, mut replies: Receiver<String>) -> Result<(), SocketError> {
    let Order { id, url, frames, pace, silence } = order;
    let mut socket = shared.dial.dial(&url).await?;
    if shared.events.send((id, Event::Opened)).await.is_err() {
        return Ok(());
    }
    let mut frames = frames.into_iter();
    let mut sent: Option<Ticks> = None;
    let (mut heard, mut pinged) = (shared.clock.ticks(), false);
    loop {
        let now = shared.clock.ticks();
        if sent.is_none_or(|sent| now.since(sent) >= pace) {
            let text = frames.next().or_else(|| replies.try_recv().ok());
            if let Some(text) = text {
                socket.send(text).await?;
                sent = Some(now);
            }
        }
        match timeout(LOOK_EVERY, socket.next()).await {
            Ok(Ok(incoming)) => {
                (heard, pinged) = (shared.clock.ticks(), false);
                if let Incoming::Frame(bytes) = incoming
                    && !hand_over(id, bytes, shared).await
                {
                    return Ok(());
                }
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                let quiet = shared.clock.ticks().since(heard);
                if quiet >= silence {
                    return Err(SocketError::Silent(silence));
                }
                if quiet >= silence / 2 && !pinged {
                    socket.ping().await?;
                    pinged = true;
                }
            }
        }
    }
}

/// Waits while too much waits to be taken: meanwhile nothing is read, and the exchange's own queue fills up.
async fn hand_over(id: Id, bytes: Bytes, shared: &Shared) -> bool {
    let size = u32::try_from(bytes.len().clamp(1, WAITING_BYTES)).unwrap_or(1);
    let Ok(permit) = shared.room.clone().acquire_many_owned(size).await else { return false };
    shared.events.send((id, Event::Frame(bytes, permit))).await.is_ok()
}
