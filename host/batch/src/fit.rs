//! Whether rows of an interval make whole windows.

use crate::interval;

/// The windows' grid.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    pub size_us: i64,
    pub offset_us: i64,
}

impl Fit {
    /// Why rows do not fit: they are longer than a window, or as long and begin elsewhere, or no number of them makes a
    /// window. The text says which windows they would make. `length_us`: `None` for calendar months. `times`: some of the
    /// rows'.
    pub fn misfit(self, name: &str, length_us: Option<i64>, times: &[Vec<i64>]) -> Option<String> {
        let size = shown(self.size_us);
        let Some(length_us) = length_us else {
            return Some(format!(
                "its rows are calendar months, which make no windows of {size}: take shorter ones, or say interval = \"{name}\" to \
                 count each in the window that it opens in"
            ));
        };
        let phase_us = interval::phase_us(times, length_us);
        let fits = |phase_us: i64| (phase_us - self.offset_us).rem_euclid(length_us) == 0;
        if self.size_us % length_us == 0 && (self.size_us > length_us || phase_us.is_none_or(fits)) {
            return None;
        }
        let what = match self.size_us.cmp(&length_us) {
            std::cmp::Ordering::Less => format!("longer than a window of {size}"),
            std::cmp::Ordering::Equal => "and begin at other times than the windows".to_owned(),
            std::cmp::Ordering::Greater => format!("and no number of them makes a window of {size}"),
        };
        let offset = match phase_us {
            Some(phase_us) if phase_us != 0 => format!(", offset = \"{}\"", shown(phase_us)),
            _ => String::new(),
        };
        Some(format!("its rows are {name} long, {what}: take tumbling = \"{name}\"{offset}"))
    }
}

fn shown(us: i64) -> String {
    interval::name(us).unwrap_or_else(|| format!("{us}us"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: i64 = 3_600_000_000;
    const DAY_US: i64 = 24 * HOUR_US;
    /// Monday, 2023-01-02, by `date -u -d @1672617600`.
    const MONDAY_US: i64 = 1_672_617_600_000_000;

    fn misfit(size_us: i64, offset_us: i64, name: &str, first_us: i64) -> Option<String> {
        let length_us = interval::length_us(name);
        let times = (0..5).map(|at| first_us + at * length_us.unwrap_or(31 * DAY_US)).collect();
        Fit { size_us, offset_us }.misfit(name, length_us, &[times])
    }

    #[test]
    fn rows_that_make_no_whole_windows_are_refused() {
        for (size_us, offset_us, name, first_us, says) in [
            (
                DAY_US,
                0,
                "1w",
                MONDAY_US,
                "longer than a window of 1d: take tumbling = \"1w\", offset = \"4d\"",
            ),
            (
                7 * DAY_US,
                0,
                "1w",
                MONDAY_US,
                "begin at other times than the windows: take tumbling = \"1w\", offset = \"4d\"",
            ),
            (7 * DAY_US, 0, "3d", 0, "no number of them makes a window of 1w: take tumbling = \"3d\""),
            (DAY_US, 0, "1d", 16 * HOUR_US, "take tumbling = \"1d\", offset = \"16h\""),
            (DAY_US, 0, "1M", 0, "calendar months"),
        ] {
            let why = misfit(size_us, offset_us, name, first_us).unwrap();
            assert!(why.contains(says), "{why}");
        }
        for (size_us, offset_us, name, first_us) in [
            (7 * DAY_US, 4 * DAY_US, "1w", MONDAY_US),
            (DAY_US, 0, "1h", 1_800_000_000),
            (DAY_US, 0, "1d", 0),
            (DAY_US, 0, "1m", MONDAY_US),
        ] {
            assert_eq!(misfit(size_us, offset_us, name, first_us), None, "{name}");
        }
    }
}
