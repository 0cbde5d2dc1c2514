//! The rules, each with its name and what it asks.

use std::fmt;

/// Of each rule the name in refusals and reports, and what it asks of a function.
macro_rules! rules {
    ($($rule:ident $name:literal $meaning:literal)*) => {
        /// What a function must keep to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $($rule,)*
        }

        impl Rule {
            pub const ALL: &[Self] = &[$(Self::$rule,)*];

            /// The name in refusals and reports.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }

            /// What it asks of a function.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$rule => $meaning,)*
                }
            }
        }
    };
}

rules! {
    Size "size" "the file is no larger than `max-size`"
    Component "component" "it is a WebAssembly component that compiles"
    CompileTime "compile-time" "it compiles within `compile-time`"
    CompileMemory "compile-memory" "it compiles within `compile-memory`"
    Imports "imports" "it imports types, or WASI 0.2, which is answered with nothing"
    World "world" "it exports its contract's interface, with the contract's types"
    Version "version" "the interface's version is one of the contract's last two"
    Describe "describe" "what it says of itself is whole: names, kinds and columns once each, with a meaning"
    Golden "golden" "its golden vectors hold"
    Trap "trap" "it answers whatever input it is given: no panic, no trap"
    Deadline "deadline" "it answers within the call's deadline"
    Time "check-time" "all calls of its trial are done within `check-time`"
    Memory "memory" "it stays within its memory"
    Output "output" "it gives back no more than its output cap"
    Contract "contract"
        "columns are of equal length, indices in range, every record is in one of rows, ignored and rejected"
    Options "options" "columns that it does not have are refused by name, and its own are made"
    Columns "columns"
        "it makes the columns that were asked for, and no others, with the described types and the scale \
         asked for"
    Kinds "kinds"
        "rows are of described kinds, and of those that were asked for; with a kind `trade` come rows of \
         `trade:ids`, of which windows note the ids and nothing else (trades that are none of the market's, \
         but take ids of its row)"
    Reasons "reasons" "a record that is set apart has a reason"
    Tombstones "tombstones" "a null value is ignored: no row, no rejection"
    Nan "nan" "NaN has one bit pattern, so that replays give the same bytes"
    Pure "pure" "the same input gives the same bytes: again, after other input, and in a new instance"
    Alone "alone" "what becomes of a record does not depend on the records beside it"
    Specs "specs" "it opens a window that it was asked for, and takes rows under what it opened"
    Reports "reports" "a report's counts add up"
    Ledger "ledger" "rows taken in are in closed or in open windows"
    Closing "closing"
        "windows close once, at the watermark, sorted by start and key, with the promised columns"
    Candles "candles" "smallest ≤ first, last and mean ≤ largest; counts are not negative"
    Order "order" "candles do not depend on the order of the rows between two watermarks"
    Snapshot "snapshot"
        "a snapshot restores to the same snapshot and to the same candles, whole or by what changed"
    ForeignState "foreign-state" "state that is damaged is answered with an error"
    OldState "old-state" "it reads the state that the function before it wrote"
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
    fn no_two_rules_have_the_same_name() {
        let names: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
    }
}
