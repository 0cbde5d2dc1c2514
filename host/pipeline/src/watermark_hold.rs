//! What holds the watermark back, as a run and `tallow status` show it.

use serde::Serialize;
use tallow_epoch::Hold;

use crate::words::time;

/// A partition that the watermark waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WatermarkHold {
    pub partition: String,
    /// How many more partitions are as far behind.
    pub others: usize,
    /// Its newest event; `None` before its first row.
    pub newest_us: Option<i64>,
    /// Since when it has stood there, by the wall clock.
    pub since_us: Option<i64>,
    /// Since when it has been at its end; `None` while there is more to read.
    pub at_end_since_us: Option<i64>,
    /// Where the watermark would be without it.
    pub without_it_us: i64,
    /// Windows that would have closed then; `None` if they were not counted.
    pub windows: Option<u64>,
}

impl WatermarkHold {
    pub fn new(hold: Hold, windows: Option<u64>) -> Self {
        let Hold { partition, others, newest_us, since_us, at_end_since_us, without_it_us } = hold;
        let partition = partition.to_string();
        Self { partition, others, newest_us, since_us, at_end_since_us, without_it_us, windows }
    }

    /// Whether a window waits for it, as far as is known.
    pub fn matters(&self) -> bool {
        self.windows != Some(0)
    }

    /// Who it is, why, since when, and what waits for it.
    pub fn told(&self) -> String {
        let others = match self.others {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        let since = self.since_us.map_or(String::new(), |us| format!(", since {}", time(us)));
        let windows = match self.windows {
            None => String::new(),
            Some(1) => "; 1 window waits for it".to_owned(),
            Some(windows) => format!("; {windows} windows wait for it"),
        };
        format!("{}{others}: {}{since}{windows}", self.partition, self.why())
    }

    /// Why it holds the watermark back.
    pub fn why(&self) -> String {
        let event = match self.newest_us {
            None => "no row of it has come yet".to_owned(),
            Some(us) => format!("its newest event is of {}", time(us)),
        };
        match self.at_end_since_us {
            None => format!("{event} and it is not at its end"),
            Some(_) => format!("{event} and `idle-after` has not passed at its end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_why_since_when_and_what_waits_is_told() {
        let held = WatermarkHold {
            partition: "trades/1".to_owned(),
            others: 0,
            newest_us: None,
            since_us: Some(1_723_161_600_000_000),
            at_end_since_us: None,
            without_it_us: 0,
            windows: Some(3),
        };
        assert_eq!(
            held.told(),
            "trades/1: no row of it has come yet and it is not at its end, since 2024-08-09 00:00:00.000Z; 3 windows \
             wait for it"
        );
        let behind = WatermarkHold {
            others: 2,
            newest_us: Some(1_723_161_660_000_000),
            since_us: None,
            at_end_since_us: Some(0),
            windows: Some(1),
            ..held
        };
        assert_eq!(
            behind.told(),
            "trades/1 and 2 more: its newest event is of 2024-08-09 00:01:00.000Z and `idle-after` has not passed at \
             its end; 1 window waits for it"
        );
        assert!(behind.matters() && !WatermarkHold { windows: Some(0), ..behind }.matters());
    }
}
