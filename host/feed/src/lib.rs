//! An exchange's market data into Kafka, without a silent hole. In the order in which it is best read:
//!
//! - [`series`]: the ids of one stream of one symbol: what may be sent, what waits, what is missing;
//! - [`slot`]: one connection and its sockets: when to open one, when to close it;
//! - [`asks`]: requests within the exchange's allowance; all three are pure;
//! - [`dial`], [`socket`], [`sockets`], [`requests`]: the network, behind the same checks as a backfill's;
//! - [`tail`]: what the topic holds already; [`hole`]: what it holds of ids that cannot be had;
//! - [`flow`]: from there to Kafka; [`start`]: where each series continues; [`run`]: all of it.

mod asks;
mod counts;
mod dial;
mod error;
mod flow;
mod hole;
mod requests;
mod run;
mod series;
mod services;
mod slot;
mod socket;
mod sockets;
mod start;
mod tail;

pub use counts::{Counts, Progress};
pub use dial::{Deadlines, Dial, Incoming, Network, Socket, SocketError, in_http};
pub use error::FeedError;
pub use hole::Hole;
pub use run::run;
pub use services::{Bounds, Services};
