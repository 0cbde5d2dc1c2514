//! The contracts, and the versions of them that this host takes.

use std::cmp::Ordering;

const WINDOW: &str = "tallow:window/window@0.2.0";
/// Without pieces: a call gives or takes all of the state at once.
pub(crate) const WINDOW_0_1: &str = "tallow:window/window@0.1.0";

/// What a function is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    Parse,
    Window,
    Backfill,
    Merge,
    Feed,
    Forecast,
}

/// A contract's interface in a version that this host does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    Older,
    Newer,
}

impl Contract {
    pub const ALL: [Self; 6] =
        [Self::Parse, Self::Window, Self::Backfill, Self::Merge, Self::Feed, Self::Forecast];

    pub fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Window => "window",
            Self::Backfill => "backfill",
            Self::Merge => "merge",
            Self::Feed => "feed",
            Self::Forecast => "forecast",
        }
    }

    /// The interface that a function of this contract exports, in the newest version.
    pub fn interface(self) -> &'static str {
        self.interfaces()[0]
    }

    /// The interface in each version that is taken, newest first: a contract's last two.
    pub fn interfaces(self) -> &'static [&'static str] {
        match self {
            Self::Parse => &["tallow:parse/parse@0.1.0"],
            Self::Window => &[WINDOW, WINDOW_0_1],
            Self::Backfill => &["tallow:backfill/backfill@0.1.0"],
            Self::Merge => &["tallow:merge/merge@0.1.0"],
            Self::Feed => &["tallow:feed/feed@0.1.0"],
            Self::Forecast => &["tallow:forecast/forecast@0.1.0"],
        }
    }

    /// Whether an export is this contract's interface, in whatever version.
    pub(crate) fn is_interface(self, export: &str) -> bool {
        split(export).0 == split(self.interface()).0
    }

    /// What an export of this contract's interface is, where its version is not one of those taken.
    pub(crate) fn unknown_version(self, export: &str) -> Option<Unknown> {
        compare(export, self.interfaces())
    }
}

fn compare(export: &str, taken: &[&str]) -> Option<Unknown> {
    if taken.contains(&export) {
        return None;
    }
    let newest = taken.first().map_or("", |interface| split(interface).1);
    match numbers(split(export).1).cmp(&numbers(newest)) {
        Ordering::Greater => Some(Unknown::Newer),
        _ => Some(Unknown::Older),
    }
}

/// Name and version of an interface.
fn split(interface: &str) -> (&str, &str) {
    interface.split_once('@').unwrap_or((interface, ""))
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_versions_are_taken_and_others_are_told_apart() {
        let taken = ["tallow:parse/parse@0.10.0", "tallow:parse/parse@0.9.1"];
        for (version, unknown) in [
            ("@0.10.0", None),
            ("@0.9.1", None),
            ("@0.9.0", Some(Unknown::Older)),
            ("@0.10.1", Some(Unknown::Newer)),
            ("@1.0.0", Some(Unknown::Newer)),
            ("", Some(Unknown::Older)),
        ] {
            assert_eq!(compare(&format!("tallow:parse/parse{version}"), &taken), unknown, "{version}");
        }
    }

    #[test]
    fn an_interface_goes_by_its_name_whatever_its_version() {
        assert!(Contract::Parse.is_interface("tallow:parse/parse@7.0.0"));
        assert!(!Contract::Parse.is_interface("tallow:parse/parser@0.1.0"));
        assert!(!Contract::Parse.is_interface(Contract::Window.interface()));
    }
}
