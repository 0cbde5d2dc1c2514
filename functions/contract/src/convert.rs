//! Bindings generate their own records for each contract. Here are the conversions between those and ours, written
//! once. A field that only one side has does not compile.

/// Conversions both ways for `tallow:window/window@0.2.0`, whose bindings are in the given module.
#[macro_export]
macro_rules! convert_window {
    ($($module:ident)::+) => {
        const _: () = {
            use $($module)::+ as wit;
            use $crate::window as ours;
            $crate::convert_record!(Description { name, version, state_version, reads_state_versions });
            $crate::convert_record!(Sliding { size_us, slide_us });
            $crate::convert_variant!(Shape { Tumbling, Sliding, Session });
            $crate::convert_enum!(Operation as $crate::Operation {
                First, Last, Min, Max, Sum, Count, Mean, Vwap, SumProduct
            });
            $crate::convert_record!(Aggregate { name, operation, column, by });
            $crate::convert_record!(IdColumns { first, last, max_bytes, halt, silence_us });
            $crate::convert_record!(
                Spec { name, kinds, keys, time, shape, offset_us } options { ids } lists { aggregates }
            );
            $crate::convert_record!(Rows { table, kinds, records, topics, runs, offsets });
            $crate::convert_record!(Report {
                taken, invalid, assignments, accepted, untracked, late, duplicate, conflict, late_rows,
                conflict_rows
            });
            $crate::convert_record!(Output { spec, table, assignments });
            $crate::convert_record!(Stats { spec, keys, open_windows, open_assignments, untracked, bytes });
            $crate::convert_record!(Part { spec, group, bytes });
            $crate::convert_record!(Portion { windows, bytes });
            $crate::convert_record!(OutputPiece { more } options {} lists { outputs });
            $crate::convert_record!(SnapshotPiece { version, more } options {} lists { parts });
        };
    };
}

/// Conversions both ways for `tallow:parse/parse@0.1.0`, whose bindings are in the given module.
#[macro_export]
macro_rules! convert_parse {
    ($($module:ident)::+) => {
        const _: () = {
            use $($module)::+ as wit;
            use $crate::parse as ours;
            $crate::convert_enum!(ColumnType as $crate::ColumnType {
                Int64, TimestampUs, Decimal, Float64, Boolean, Text
            });
            $crate::convert_record!(ColumnInfo { name, type_, meaning });
            $crate::convert_record!(
                Description { name, version, kinds, wants_keys, wants_headers } options {} lists { columns }
            );
            $crate::convert_record!(WantedColumn { name, scale });
            $crate::convert_record!(Options { kinds, settings } options {} lists { columns });
            $crate::convert_record!(Marked { records, reasons });
            $crate::convert_record!(Parsed { rows, records, kinds, ignored, rejected, rounded });
        };
    };
}

/// Conversions both ways for `tallow:merge/merge@0.1.0`, whose bindings are in the given module.
#[macro_export]
macro_rules! convert_merge {
    ($($module:ident)::+) => {
        const _: () = {
            use $($module)::+ as wit;
            use $crate::merge as ours;
            $crate::convert_record!(Description { name, version });
            $crate::convert_enum!(Source as ours::Source { Batch, Speed, Backfill });
            $crate::convert_record!(Range { from_us, to_us });
            $crate::convert_record!(Input { source, table } options { covers } lists {});
            $crate::convert_record!(Average { name, column, length });
            $crate::convert_record!(
                Settings { keys, step_us, fill, until_us, carried, zeroed } options {} lists { averages }
            );
            $crate::convert_enum!(Lack as ours::Lack { Missing, Partial });
            $crate::convert_record!(Gap { lack, span, windows });
            $crate::convert_record!(Merged { table } options {} lists { gaps });
        };
    };
}

/// Conversions both ways for `tallow:backfill/backfill@0.1.0`, whose bindings are in the given module.
#[macro_export]
macro_rules! convert_backfill {
    ($($module:ident)::+) => {
        const _: () = {
            use $($module)::+ as wit;
            use $crate::backfill as ours;
            $crate::convert_record!(Description { name, version });
            $crate::convert_record!(Span { from_us, to_us });
            $crate::convert_record!(Options { symbol, listed_as, interval_us, settings });
            $crate::convert_enum!(Method as ours::Method { Get, Post });
            $crate::convert_record!(Request { method, path, query, headers, body, weight, covers });
            $crate::convert_record!(Answer { status, headers, body });
            $crate::convert_record!(Pace { used_weight, wait_us, banned });
            $crate::convert_record!(Data { records } options {} lists { proved, no_data, next });
            $crate::convert_variant!(Verdict { Data, Again, Never });
            $crate::convert_record!(Decoded { verdict, pace });
        };
    };
}

/// Conversions both ways for `tallow:feed/feed@0.1.0`, whose bindings are in the given module.
#[macro_export]
macro_rules! convert_feed {
    ($($module:ident)::+) => {
        const _: () = {
            use $($module)::+ as wit;
            use $crate::feed as ours;
            $crate::convert_record!(Description { name, version, ws_url, rest_url });
            $crate::convert_record!(Subscription { symbols, streams, settings });
            $crate::convert_record!(Series { symbol, stream });
            $crate::convert_enum!(Law as ours::Law { Dense, Rising, None });
            $crate::convert_record!(StreamPlan { law, refetch, quiet_us });
            $crate::convert_record!(Connection { path, frames } options {} lists { carries });
            $crate::convert_record!(Request { path, query, headers, weight });
            $crate::convert_record!(Poll { request, period_us });
            $crate::convert_record!(
                Plan { pace_us, life_us, silence_us, attempts, attempts_per_us, weight }
                options {}
                lists { streams, connections, polls }
            );
            $crate::convert_record!(Heard { series, newest });
            $crate::convert_variant!(Said { Reply, Refused, Leave, Unknown });
            $crate::convert_record!(Notice { frame, said });
            $crate::convert_record!(Records { values, ids } options {} lists { series });
            $crate::convert_record!(Arrived { records } options {} lists { heard, notices });
            $crate::convert_record!(Span { series, first, last });
            $crate::convert_variant!(Want { Ids, Newest, Poll });
            $crate::convert_record!(Answer { status, headers, body });
            $crate::convert_record!(Pace { used_weight, wait_us, banned });
            $crate::convert_record!(Page { records } options { next } lists {});
            $crate::convert_variant!(Verdict { Page, Again, Never });
            $crate::convert_record!(Decoded { verdict, pace });
        };
    };
}

/// Conversions both ways for `tallow:forecast/forecast@0.1.0`, whose bindings are in the given module.
#[macro_export]
macro_rules! convert_forecast {
    ($($module:ident)::+) => {
        const _: () = {
            use $($module)::+ as wit;
            use $crate::forecast as ours;
            $crate::convert_record!(Setting { name, default, meaning });
            $crate::convert_record!(
                Description { name, version, regressors, holidays, least_rows } options {} lists { settings }
            );
            $crate::convert_record!(Holiday { name, ds_us, lower_days, upper_days });
            $crate::convert_record!(
                Request { history, future, regressors, level, seed, settings } options {} lists { holidays }
            );
            $crate::convert_record!(Parameter { name, values });
            $crate::convert_record!(
                Outcome { forecast, multiplicative, notes } options {} lists { parameters }
            );
        };
    };
}

/// A record with the same fields in `wit` and in `ours`.
#[doc(hidden)]
#[macro_export]
macro_rules! convert_record {
    ($name:ident { $($field:ident),* }) => {
        $crate::convert_record!($name { $($field),* } options {} lists {});
    };
    ($name:ident { $($field:ident),* } options { $($option:ident),* } lists { $($list:ident),* }) => {
        $crate::convert_record!(@one wit::$name, ours::$name, $($field)*; $($option)*; $($list)*);
        $crate::convert_record!(@one ours::$name, wit::$name, $($field)*; $($option)*; $($list)*);
    };
    (@one $from:ty, $to:ty, $($field:ident)*; $($option:ident)*; $($list:ident)*) => {
        impl From<$from> for $to {
            fn from(it: $from) -> Self {
                Self {
                    $($field: it.$field.into(),)*
                    $($option: it.$option.map(Into::into),)*
                    $($list: it.$list.into_iter().map(Into::into).collect(),)*
                }
            }
        }
    };
}

/// A variant whose cases all hold something.
#[doc(hidden)]
#[macro_export]
macro_rules! convert_variant {
    ($name:ident { $($case:ident),* }) => {
        impl From<wit::$name> for ours::$name {
            fn from(it: wit::$name) -> Self {
                match it {
                    $(wit::$name::$case(inner) => Self::$case(inner.into()),)*
                }
            }
        }

        impl From<ours::$name> for wit::$name {
            fn from(it: ours::$name) -> Self {
                match it {
                    $(ours::$name::$case(inner) => Self::$case(inner.into()),)*
                }
            }
        }
    };
}

/// An enumeration.
#[doc(hidden)]
#[macro_export]
macro_rules! convert_enum {
    ($name:ident as $ours:ty { $($case:ident),* }) => {
        $crate::convert_enum!(@one wit::$name, $ours, $($case)*);
        $crate::convert_enum!(@one $ours, wit::$name, $($case)*);
    };
    (@one $from:ty, $to:ty, $($case:ident)*) => {
        impl From<$from> for $to {
            fn from(it: $from) -> Self {
                match it {
                    $(<$from>::$case => Self::$case,)*
                }
            }
        }
    };
}
