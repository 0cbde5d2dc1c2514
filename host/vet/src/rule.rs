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
    Imports "imports" "it imports only the contract's types, or WASI 0.2, whose calls are answered with nothing"
    World "world" "it exports its contract's interface, with the contract's types"
    Version "version" "the interface's version is one of the contract's last two"
    Describe "describe" "its description is complete: every name, kind and column appears once and has a meaning"
    Golden "golden" "its golden vectors hold"
    Trap "trap" "it answers any input: no panic, no trap"
    Deadline "deadline" "each call ends within its deadline"
    Time "check-time" "all trial calls together end within `check-time`"
    Memory "memory" "it stays within its memory limit"
    Output "output" "it returns no more than its output limit"
    Contract "contract"
        "columns have equal lengths, indices are in range, and every record is either in rows, ignored or rejected"
    Options "options" "it makes each column that it describes on request, and refuses unknown ones by name"
    Columns "columns"
        "it makes exactly the columns that were asked for, with the described types and the requested scale"
    Kinds "kinds"
        "it makes only rows of the kinds that it describes and that were asked for; with the kind `trade` it may \
         add rows of `trade:ids`, whose ids windows note and nothing else (trades off the market that use up its \
         ids)"
    Reasons "reasons" "every ignored or rejected record has a reason"
    Tombstones "tombstones" "a null value is ignored: no row, no rejection"
    Nan "nan" "NaN has one bit pattern, so that replays give the same bytes"
    Pure "pure" "the same input gives the same bytes: again, after other input, and in a new instance"
    Alone "alone" "what becomes of a record does not depend on the records beside it"
    Specs "specs" "it opens every window that it is asked for, and takes rows for the windows that it opened"
    Reports "reports" "the counts of a report add up"
    Ledger "ledger" "every row that it takes is in a closed or an open window"
    Closing "closing" "windows close once, at the watermark, sorted by start and key, with the promised columns"
    Candles "candles" "smallest ≤ first, last and mean ≤ largest; counts are not negative"
    Order "order" "candles do not depend on the order of the rows between two watermarks"
    Snapshot "snapshot"
        "a restored snapshot gives the same snapshot and the same candles, whether all of it or only the changes \
         are stored"
    ForeignState "foreign-state" "damaged state is answered with an error"
    OldState "old-state" "it reads the state that its predecessor wrote"
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
