//! What a sink's own marker says, held against the log.

use super::Publication;

/// What is known of a sink at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The commit that the sink's marker names; `None` if there is no marker.
    pub marker: Option<u64>,
    /// The last commit that the log knows to be published there; 0: none.
    pub published: u64,
    /// The last commit that may be published.
    pub released: u64,
}

/// The marker and the log cannot both be right: nothing is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkerFault {
    #[error("there is no marker, and commit {published} has been published")]
    Absent { published: u64 },
    #[error("the marker says commit {marker}, and commit {published} has been published after it")]
    Behind { marker: u64, published: u64 },
    #[error("the marker says commit {marker}, and commit {released} is the last that the log lets out")]
    Ahead { marker: u64, released: u64 },
}

impl Marked {
    /// Through which commit everything is out: the marker's word, as it was written with the results. The log may know
    /// less, after a crash between a publication and the next commit, and never more.
    ///
    /// # Errors
    /// See [`MarkerFault`].
    pub fn through(self) -> Result<u64, MarkerFault> {
        let Self { marker, published, released } = self;
        match marker {
            None if published > 0 => Err(MarkerFault::Absent { published }),
            None => Ok(0),
            Some(marker) if marker < published => Err(MarkerFault::Behind { marker, published }),
            Some(marker) if marker > released => Err(MarkerFault::Ahead { marker, released }),
            Some(marker) => Ok(marker),
        }
    }
}

impl Publication {
    /// Whether it is still to be published, where everything of its sink is out through a commit.
    pub fn is_due(&self, sink: &str, through: u64) -> bool {
        self.sink != sink || self.seq > through
    }
}
