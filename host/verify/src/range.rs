//! Which records are asked for, and which of them a clean-up has left.

use tallow_log::record::SeqRange;

/// What is to be proved, by the seqs of the log's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Everything that the log keeps.
    All,
    One(u64),
    /// Both included; the open ends are the log's own.
    Between {
        from: Option<u64>,
        to: Option<u64>,
    },
    Last(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    #[error("there is nothing from commit {from} to commit {through}")]
    Backwards { from: u64, through: u64 },
    #[error("commits are numbered from 1")]
    Zero,
    #[error("there is no commit {commit}: the newest is {newest}")]
    NotYet { commit: u64, newest: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What the log still has of it.
    pub kept: Option<SeqRange>,
    /// What a clean-up has removed of it.
    pub gone: Option<SeqRange>,
    /// No start was given: as far back as there is something to prove by.
    pub open_start: bool,
}

/// `oldest` to `newest`: what the log keeps. Without a start it begins at the first commit whose state before it is kept:
/// the oldest record after a clean-up has none.
///
/// # Errors
/// There are no such commits.
pub fn asked(ask: Ask, oldest: u64, newest: u64) -> Result<Asked, RangeError> {
    let open_start = matches!(ask, Ask::All | Ask::Between { from: None, .. });
    let first = if oldest > 1 { (oldest + 1).min(newest) } else { oldest };
    let (from, through) = match ask {
        Ask::All => (first, newest),
        Ask::One(seq) => (seq, seq),
        Ask::Between { from: None, to: Some(to) } => (first.min(to).max(oldest), to),
        Ask::Between { from, to } => (from.unwrap_or(first), to.unwrap_or(newest)),
        Ask::Last(count) => ((newest + 1).saturating_sub(count.max(1)).max(1), newest),
    };
    if from > through {
        return Err(RangeError::Backwards { from, through });
    }
    if from == 0 {
        return Err(RangeError::Zero);
    }
    if through > newest {
        return Err(RangeError::NotYet { commit: through, newest });
    }
    let range = |from: u64, through: u64| (from <= through).then_some(SeqRange { from, through });
    let (kept, gone) = (range(from.max(oldest), through), range(from, through.min(oldest - 1)));
    Ok(Asked { kept, gone, open_start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_divided_into_what_is_kept_and_what_is_gone() {
        let range = |from, through| Some(SeqRange { from, through });
        let between = |from, to| Ask::Between { from, to };
        for (ask, kept, gone) in [
            (Ask::All, range(6, 9), None),
            (Ask::One(9), range(9, 9), None),
            (Ask::One(4), None, range(4, 4)),
            (between(Some(1), None), range(5, 9), range(1, 4)),
            (between(None, Some(6)), range(6, 6), None),
            (between(None, Some(5)), range(5, 5), None),
            (between(Some(5), None), range(5, 9), None),
            (between(Some(2), Some(3)), None, range(2, 3)),
            (Ask::Last(2), range(8, 9), None),
            (Ask::Last(6), range(5, 9), range(4, 4)),
            (Ask::Last(1000), range(5, 9), range(1, 4)),
            (Ask::Last(0), range(9, 9), None),
        ] {
            let open_start = matches!(ask, Ask::All | Ask::Between { from: None, .. });
            assert_eq!(asked(ask, 5, 9), Ok(Asked { kept, gone, open_start }), "{ask:?}");
        }
        let whole = |kept| Ok(Asked { kept, gone: None, open_start: true });
        assert_eq!(asked(Ask::All, 1, 3), whole(range(1, 3)));
        assert_eq!(asked(Ask::All, 5, 5), whole(range(5, 5)));
    }

    #[test]
    fn what_is_not_there_yet_is_refused_with_what_is() {
        let between = |from, to| Ask::Between { from, to };
        for ask in [Ask::One(10), Ask::One(0), between(Some(7), Some(6)), between(None, Some(10))] {
            assert!(asked(ask, 5, 9).is_err(), "{ask:?}");
        }
        assert_eq!(asked(Ask::One(10), 5, 9), Err(RangeError::NotYet { commit: 10, newest: 9 }));
    }
}
