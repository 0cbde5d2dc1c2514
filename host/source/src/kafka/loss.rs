//! What it means that a broker refuses an offset: facts in, decision out.

use tallow_record::TopicPartition;

use crate::{OnDataLoss, SourceError};

/// What to do about an offset that the broker does not hold.
#[derive(Debug)]
pub enum Verdict {
    /// The broker holds it after all (it refused for another reason).
    Held,
    /// Offsets `wanted..from` are gone; continue at `from`.
    Skip {
        from: i64,
    },
    Halt(SourceError),
}

/// Judges `wanted` against what the broker holds: `earliest..latest`.
///
/// An offset above `latest` is never skipped, whatever the manifest says about loss: the topic is another one, or its
/// newest records were cut off, and reading on would give offsets a second meaning.
pub fn judge(
    partition: &TopicPartition,
    wanted: i64,
    earliest: i64,
    latest: i64,
    on_data_loss: OnDataLoss,
) -> Verdict {
    let partition = partition.clone();
    if wanted > latest {
        return Verdict::Halt(SourceError::Remade { partition, wanted, earliest, latest });
    }
    if wanted >= earliest {
        return Verdict::Held;
    }
    match on_data_loss {
        OnDataLoss::Continue => Verdict::Skip { from: earliest },
        OnDataLoss::Halt => {
            let lost = earliest - wanted;
            Verdict::Halt(SourceError::DataLoss { partition, wanted, earliest, latest, lost })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(wanted: i64, on_data_loss: OnDataLoss) -> Verdict {
        judge(&TopicPartition::new("trades", 1), wanted, 100, 200, on_data_loss)
    }

    #[test]
    fn below_the_earliest_the_gap_is_exact() {
        let Verdict::Halt(SourceError::DataLoss { lost, .. }) = judged(40, OnDataLoss::Halt) else {
            panic!()
        };
        assert_eq!(lost, 60);
        assert!(matches!(judged(40, OnDataLoss::Continue), Verdict::Skip { from: 100 }));
    }

    #[test]
    fn within_the_log_nothing_is_lost() {
        for wanted in [100, 150, 200] {
            assert!(matches!(judged(wanted, OnDataLoss::Halt), Verdict::Held));
        }
    }

    #[test]
    fn above_the_end_it_halts_even_where_loss_is_allowed() {
        for mode in [OnDataLoss::Halt, OnDataLoss::Continue] {
            assert!(matches!(judged(201, mode), Verdict::Halt(SourceError::Remade { .. })));
        }
    }
}
