//! The edge to Kafka: sessions of a transactional producer, and the marker that it keeps.

use tallow_sink::SinkError;

use crate::Record;

/// Whom a session publishes for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    pub chain: String,
    pub shard: u32,
}

impl Shard {
    /// The transactional id: fixed, so that a later session fences an earlier one.
    pub fn transactional_id(&self) -> String {
        format!("tallow-{}-{}-{}", self.chain, crate::NAME, self.shard)
    }

    /// The key of the marker.
    pub fn marker_key(&self) -> String {
        format!("{}/{}", self.chain, self.shard)
    }
}

/// Where transactions are made.
pub trait Transactions: Send + Sync {
    /// Whether a broker answers and every topic that gets results is there.
    ///
    /// # Errors
    /// What is not there, and where the manifest names it.
    fn check(&self) -> Result<(), SinkError>;

    /// A new session for a shard. From here on earlier ones cannot commit, and everything that they have committed is
    /// visible. Gives the commit that the marker names, if there is a marker.
    ///
    /// # Errors
    /// No broker answers, or it refuses.
    fn begin(&self, shard: &Shard) -> Result<(Box<dyn Session>, Option<u64>), SinkError>;
}

/// One transactional producer. After an error it is of no more use.
pub trait Session: Send {
    /// Makes the records and a marker that names `seq` visible in one transaction.
    ///
    /// # Errors
    /// Not all of it was taken, or what became of the transaction is not known.
    fn commit(&mut self, records: &[Record], seq: u64) -> Result<(), SinkError>;
}
