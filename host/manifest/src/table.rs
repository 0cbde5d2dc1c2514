//! One declaration a key. [`table!`] makes of it the field of a struct, the reading of the key, its line in the reference
//! and its part of the JSON schema.
//!
//! ```text
//! table! {
//!     /// What the struct is to the code.
//!     #[derive(Debug)]
//!     pub struct Epoch in "[trigger.kafka.epoch]", "What the table is to its user.";
//!     fn read(reader, report);
//!
//!     "What the key means."
//!     pub max_records: u64 = key("max-records", Integer(1, 1000), default("50"));
//! }
//! ```
//!
//! `fn read(…)` names the table's [`Reader`](crate::table::reader::Reader) and the `Report` for the lines below, and whatever else reading needs. A line is
//!
//! - `pub NAME: TYPE = key(…)`: a key and its field;
//! - `let NAME: TYPE = key(…)`: a key that later lines work with, and no field;
//! - `pub NAME: TYPE = from(EXPRESSION)`, `let …` alike: made of earlier lines. The expression gives an `Option`.
//!
//! In every line the names of earlier ones are `Option`s: `None` if there was a mistake, which is reported by then.
//! `?` in `from(…)` leaves that line alone. So all lines are read, and all mistakes found.
//!
//! A key takes its name, what it takes (`forms.rs`), and what holds where it is not written (a method of [`Reader`](crate::table::reader::Reader)):
//! `required()`, `default("TOML")`, `none("meaning")` for an `Option`, `empty("meaning")` for an empty list or map,
//! `inner("meaning")` for a table that is read as an empty one. A closure behind that reads the key with what earlier
//! lines know.

pub(crate) mod reader;

use serde_json::Value;

/// A table of the manifest: what its reader, the reference and the JSON schema go by.
pub(crate) struct Table {
    /// As the reference heads it.
    pub header: &'static str,
    pub about: &'static str,
    pub keys: Vec<Key>,
    /// Keys that are refused with a reason of their own.
    pub refused: Vec<(&'static str, &'static str)>,
    pub rules: Vec<Rule>,
}

pub(crate) struct Key {
    pub name: &'static str,
    /// The type and unit, as they follow "it takes".
    pub words: String,
    pub schema: Value,
    pub absence: Absence,
    pub meaning: &'static str,
}

/// What holds where a key is not written.
#[derive(Clone, Copy)]
pub(crate) enum Absence {
    Mistake,
    Means(&'static str),
    /// This value, in TOML.
    Is(&'static str),
}

/// Keys of one table that depend on each other.
pub(crate) enum Rule {
    ExactlyOne(&'static [&'static str]),
    /// And what is wrong if none of them is there.
    AtLeastOne(&'static [&'static str], &'static str),
    NotBoth(&'static str, &'static str),
}

macro_rules! table {
    (@reading $takes:expr) => { |node, report| $takes.read(node, report) };
    (@reading $takes:expr, $reading:expr) => { $reading };
    (@absence required) => { Absence::Mistake };
    (@absence default $value:literal) => { Absence::Is($value) };
    (@absence $reader:ident $meaning:literal) => { Absence::Means($meaning) };
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $struct:ident in $header:literal, $about:literal;
        $(refused $refused:literal: $why:expr;)*
        $(rule $rule:expr;)*
        fn $read:ident($reader:ident, $report:ident $(, $given:ident: $given_type:ty)*);
        $(
            $meaning:literal
            $($(#[$hint:meta])? pub $field:ident)? $(let $local:ident)?: $type:ty =
                $(key(
                    $key:literal, $takes:expr, $absence:ident($($absent:literal)?) $(, $reading:expr)?
                ))?
                $(from($value:expr))?;
        )*
    ) => {
        $(#[$attribute])*
        $visibility struct $struct {
            $($(#[doc = $meaning] $(#[$hint])? pub $field: $type,)?)*
        }

        impl $struct {
            /// What the keys are.
            pub(crate) fn declaration() -> &'static $crate::table::Table {
                use $crate::forms::Described as _;
                use $crate::table::{Absence, Key, Table};

                static TABLE: std::sync::LazyLock<Table> = std::sync::LazyLock::new(|| Table {
                    header: $header,
                    about: $about,
                    keys: vec![$($(Key {
                        name: $key,
                        words: $takes.words(),
                        schema: $takes.schema(),
                        absence: table!(@absence $absence $($absent)?),
                        meaning: $meaning,
                    },)?)*],
                    refused: vec![$(($refused, $why)),*],
                    rules: vec![$($rule),*],
                });
                &TABLE
            }

            /// Reads the keys; none, with every mistake reported, if there is one.
            pub(crate) fn $read(
                node: &$crate::node::Node,
                $($given: $given_type,)*
                $report: &mut $crate::error::Report,
            ) -> Option<Self> {
                #![allow(unused_imports, reason = "not where every key is read by an expression")]
                #![allow(clippy::redundant_closure_call, reason = "for the `?` in it")]
                use $crate::forms::Takes as _;

                let $reader = $crate::table::reader::Reader::open(node, Self::declaration(), $report)?;
                $(
                    $(let $field)? $(let $local)?: Option<$type> =
                        $($reader.$absence($key, $report, table!(@reading $takes $(, $reading)?)))?
                        $((|| -> Option<$type> { $value })())?;
                )*
                Some(Self { $($($field: $field?,)?)* })
            }
        }
    };
}

pub(crate) use table;

/// The value of the one key that is written, of several.
pub(crate) fn only<T, const N: usize>(keys: [Option<Option<T>>; N]) -> Option<T> {
    let mut written = keys.into_iter().flatten().flatten();
    let first = written.next();
    if written.next().is_some() { None } else { first }
}
