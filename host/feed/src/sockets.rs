//! The connections of a plan and their sockets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tallow_engine::feed::{Plan, Series};
use tallow_env::{Clock, Random, Ticks};
use tallow_http::Budget;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use url::Url;

use crate::counts::Progress;
use crate::dial::{Dial, SocketError};
use crate::slot::{Action, Id, Slot};
use crate::socket::{self, Event, Order, Shared, WAITING_BYTES};

/// Events that may wait, and that are taken at once.
const EVENTS: usize = 4096;
/// Replies that may wait to be sent.
const REPLIES: usize = 64;
/// Time that subscribing may take after its last frame was sent.
const SETTLE: Duration = Duration::from_secs(2);

struct Live {
    slot: usize,
    task: AbortHandle,
    replies: Sender<String>,
}

pub struct Sockets {
    plan: Plan,
    ws_url: Url,
    slots: Vec<Slot>,
    slot_of: BTreeMap<Series, usize>,
    live: BTreeMap<Id, Live>,
    next_id: Id,
    /// What the exchange allows to be attempted.
    attempts: Budget,
    random: Arc<dyn Random>,
    progress: Arc<Progress>,
    shared: Shared,
    events: Receiver<(Id, Event)>,
    runtime: Runtime,
}

impl Sockets {
    pub fn new(
        plan: &Plan,
        ws_url: Url,
        dial: Arc<dyn Dial>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        progress: Arc<Progress>,
    ) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (sender, events) = mpsc::channel(EVENTS);
        let room = Arc::new(Semaphore::new(WAITING_BYTES));
        let life = Duration::from_micros(plan.life_us);
        let slots = plan.connections.iter().map(|connection| {
            let frames = connection.frames.len() as u64;
            Slot::new(life, Duration::from_micros(plan.pace_us.saturating_mul(frames)) + SETTLE)
        });
        let carried = plan.connections.iter().enumerate();
        let slot_of = carried.flat_map(|(slot, it)| it.carries.iter().map(move |series| (*series, slot)));
        let a_minute = u64::from(plan.attempts).saturating_mul(60_000_000) / plan.attempts_per_us.max(1);
        progress.change(|counts| counts.connections = plan.connections.len() as u64);
        Ok(Self {
            slots: slots.collect(),
            slot_of: slot_of.collect(),
            live: BTreeMap::new(),
            next_id: 1,
            attempts: Budget::new(u32::try_from(a_minute).unwrap_or(u32::MAX)),
            shared: Shared { dial, clock, events: sender, room },
            plan: plan.clone(),
            ws_url,
            random,
            progress,
            events,
            runtime,
        })
    }

    /// Waits for events, at most for so long.
    pub fn events(&mut self, wait: Duration) -> Vec<(Id, Event)> {
        let (mut events, receiver) = (Vec::new(), &mut self.events);
        // Nothing came in time: there are no events.
        let _ = self.runtime.block_on(async { timeout(wait, receiver.recv_many(&mut events, EVENTS)).await });
        events
    }

    pub fn is_connected(&self, series: Series) -> bool {
        self.slot_of.get(&series).is_some_and(|slot| self.slots[*slot].is_connected())
    }

    /// Opens and closes what is due.
    pub fn due(&mut self, now: Ticks) {
        for slot in 0..self.slots.len() {
            match self.slots[slot].due(now) {
                Some(Action::Open) if self.attempts.take(1, now).is_zero() => self.open(slot),
                Some(Action::Open) | None => {}
                Some(Action::Close(id)) => drop(self.abort(id)),
            }
        }
        let connected = self.slots.iter().filter(|slot| slot.is_connected()).count() as u64;
        self.progress.change(|counts| counts.connected = connected);
    }

    fn open(&mut self, slot: usize) {
        let (id, connection) = (self.next_id, &self.plan.connections[slot]);
        self.next_id += 1;
        let (path, query) = connection.path.split_once('?').unwrap_or((connection.path.as_str(), ""));
        let mut url = self.ws_url.clone();
        url.set_path(&format!("{}{path}", self.ws_url.path().trim_end_matches('/')));
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        let order = Order {
            id,
            url,
            frames: connection.frames.clone(),
            pace: Duration::from_micros(self.plan.pace_us),
            silence: Duration::from_micros(self.plan.silence_us),
        };
        let (replies, received) = mpsc::channel(REPLIES);
        let task = self.runtime.spawn(socket::run(order, self.shared.clone(), received)).abort_handle();
        self.slots[slot].opening(id);
        self.live.insert(id, Live { slot, task, replies });
    }

    fn abort(&mut self, id: Id) -> Option<Live> {
        let live = self.live.remove(&id)?;
        live.task.abort();
        Some(live)
    }

    pub fn opened(&mut self, id: Id, now: Ticks) {
        if let Some(live) = self.live.get(&id) {
            self.slots[live.slot].opened(id, now);
            tracing::info!(connection = live.slot + 1, "connected to {}", self.ws_url);
        }
    }

    pub fn data(&mut self, id: Id) {
        if let Some(live) = self.live.get(&id) {
            self.slots[live.slot].data(id);
        }
    }

    /// A socket is closed, or is to be: another one takes its place.
    pub fn closed(&mut self, id: Id, why: &SocketError, now: Ticks) {
        // One that was closed here, because another has taken over, is not known any more.
        let Some(Live { slot, .. }) = self.abort(id) else { return };
        if self.slots[slot].closed(id, now, &*self.random) {
            self.progress.change(|counts| counts.interruptions += 1);
        }
        tracing::warn!(connection = slot + 1, "{}: {why}; connecting again", self.ws_url);
    }

    /// Replaces the connection of a series.
    pub fn leave(&mut self, series: Series) {
        if let Some(slot) = self.slot_of.get(&series) {
            self.slots[*slot].leave();
        }
    }

    /// Replaces the connection of a socket.
    pub fn leave_socket(&mut self, id: Id) {
        if let Some(live) = self.live.get(&id) {
            self.slots[live.slot].leave();
        }
    }

    /// Sends a text over a socket. Gives whether there was room for it.
    pub fn reply(&mut self, id: Id, text: String) -> bool {
        self.live.get(&id).is_none_or(|live| live.replies.try_send(text).is_ok())
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.live.values().for_each(|live| live.task.abort());
    }
}
