//! The rules, each with its name and what it asks.

use std::fmt;

/// What a function must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    Size,
    Component,
    CompileTime,
    CompileMemory,
    Imports,
    World,
    Version,
    Describe,
    Golden,
    Trap,
    Deadline,
    Time,
    Memory,
    Output,
    Contract,
    Options,
    Columns,
    Kinds,
    Reasons,
    Tombstones,
    Nan,
    Pure,
    Alone,
    Specs,
    Reports,
    Ledger,
    Closing,
    Candles,
    Order,
    Snapshot,
    ForeignState,
    OldState,
}

impl Rule {
    pub const ALL: [Self; 32] = [
        Self::Size,
        Self::Component,
        Self::CompileTime,
        Self::CompileMemory,
        Self::Imports,
        Self::World,
        Self::Version,
        Self::Describe,
        Self::Golden,
        Self::Trap,
        Self::Deadline,
        Self::Time,
        Self::Memory,
        Self::Output,
        Self::Contract,
        Self::Options,
        Self::Columns,
        Self::Kinds,
        Self::Reasons,
        Self::Tombstones,
        Self::Nan,
        Self::Pure,
        Self::Alone,
        Self::Specs,
        Self::Reports,
        Self::Ledger,
        Self::Closing,
        Self::Candles,
        Self::Order,
        Self::Snapshot,
        Self::ForeignState,
        Self::OldState,
    ];

    /// The name in refusals and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Component => "component",
            Self::CompileTime => "compile-time",
            Self::CompileMemory => "compile-memory",
            Self::Imports => "imports",
            Self::World => "world",
            Self::Version => "version",
            Self::Describe => "describe",
            Self::Golden => "golden",
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Time => "check-time",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Contract => "contract",
            Self::Options => "options",
            Self::Columns => "columns",
            Self::Kinds => "kinds",
            Self::Reasons => "reasons",
            Self::Tombstones => "tombstones",
            Self::Nan => "nan",
            Self::Pure => "pure",
            Self::Alone => "alone",
            Self::Specs => "specs",
            Self::Reports => "reports",
            Self::Ledger => "ledger",
            Self::Closing => "closing",
            Self::Candles => "candles",
            Self::Order => "order",
            Self::Snapshot => "snapshot",
            Self::ForeignState => "foreign-state",
            Self::OldState => "old-state",
        }
    }

    /// What it asks of a function.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Size => "the file is no larger than `max-size`",
            Self::Component => "it is a WebAssembly component that compiles",
            Self::CompileTime => "it compiles within `compile-time`",
            Self::CompileMemory => "it compiles within `compile-memory`",
            Self::Imports => "it imports types, or WASI 0.2, which is answered with nothing",
            Self::World => "it exports its contract's interface, with the contract's types",
            Self::Version => "the interface's version is one of the contract's last two",
            Self::Describe => {
                "what it says of itself is whole: names, kinds and columns once each, with a meaning"
            }
            Self::Golden => "its golden vectors hold",
            Self::Trap => "it answers whatever input it is given: no panic, no trap",
            Self::Deadline => "it answers within the call's deadline",
            Self::Time => "all calls of its trial are done within `check-time`",
            Self::Memory => "it stays within its memory",
            Self::Output => "it gives back no more than its output cap",
            Self::Contract => {
                "columns are of equal length, indices in range, every record is in one of rows, ignored and rejected"
            }
            Self::Options => "columns that it does not have are refused by name, and its own are made",
            Self::Columns => {
                "it makes the columns that were asked for, and no others, with the described types and the scale asked for"
            }
            Self::Kinds => {
                "rows are of described kinds, and of those that were asked for; with a kind `trade` come rows of `trade:ids`, of which windows note the ids and nothing else (trades that are none of the market's, but take ids of its row)"
            }
            Self::Reasons => "a record that is set apart has a reason",
            Self::Tombstones => "a null value is ignored: no row, no rejection",
            Self::Nan => "NaN has one bit pattern, so that replays give the same bytes",
            Self::Pure => {
                "the same input gives the same bytes: again, after other input, and in a new instance"
            }
            Self::Alone => "what becomes of a record does not depend on the records beside it",
            Self::Specs => "it opens a window that it was asked for, and takes rows under what it opened",
            Self::Reports => "a report's counts add up",
            Self::Ledger => "rows taken in are in closed or in open windows",
            Self::Closing => {
                "windows close once, at the watermark, sorted by start and key, with the promised columns"
            }
            Self::Candles => "smallest ≤ first, last and mean ≤ largest; counts are not negative",
            Self::Order => "candles do not depend on the order of the rows between two watermarks",
            Self::Snapshot => {
                "a snapshot restores to the same snapshot and to the same candles, whole or by what changed"
            }
            Self::ForeignState => "state that is damaged is answered with an error",
            Self::OldState => "it reads the state that the function before it wrote",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
    }
}
