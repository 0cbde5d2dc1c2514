//! The contracts of `wit/`, as Rust. All worlds share one `tallow:types`, so that a parsed table goes into
//! the window function without being rebuilt.

mod parse_world {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/parse"],
        world: "tallow:parse/parse-function",
        additional_derives: [serde::Serialize, serde::Deserialize],
    });
}

mod window_world {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/window"],
        world: "tallow:window/window-function",
        additional_derives: [serde::Serialize, serde::Deserialize],
        with: { "tallow:types/types": super::types },
    });
}

/// The contract before this one, which goes on to be taken.
mod window_0_1_world {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/window-0.1"],
        world: "tallow:window/window-function",
        additional_derives: [serde::Serialize, serde::Deserialize],
        with: { "tallow:types/types": super::types },
    });
}

mod backfill_world {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/backfill"],
        world: "tallow:backfill/backfill-function",
        additional_derives: [serde::Serialize, serde::Deserialize],
        with: { "tallow:types/types": super::types },
    });
}

mod merge_world {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/merge"],
        world: "tallow:merge/merge-function",
        additional_derives: [serde::Serialize, serde::Deserialize],
        with: { "tallow:types/types": super::types },
    });
}

pub use backfill_world::exports::tallow::backfill::backfill as backfill_contract;
pub use backfill_world::{BackfillFunction as BackfillWorld, BackfillFunctionPre as BackfillWorldPre};
pub use merge_world::exports::tallow::merge::merge as merge_contract;
pub use merge_world::{MergeFunction as MergeWorld, MergeFunctionPre as MergeWorldPre};
pub use parse_world::exports::tallow::parse::parse as parse_contract;
pub use parse_world::tallow::types::types;
pub use parse_world::{ParseFunction as ParseWorld, ParseFunctionPre as ParseWorldPre};
pub use window_0_1_world::exports::tallow::window::window as window_0_1_contract;
pub use window_0_1_world::{WindowFunction as Window01World, WindowFunctionPre as Window01WorldPre};
pub use window_world::exports::tallow::window::window as window_contract;
pub use window_world::{WindowFunction as WindowWorld, WindowFunctionPre as WindowWorldPre};

impl parse_contract::ColumnType {
    /// The name in WIT, manifests and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int64 => "int64",
            Self::TimestampUs => "timestamp-us",
            Self::Decimal => "decimal",
            Self::Float64 => "float64",
            Self::Boolean => "boolean",
            Self::Text => "text",
        }
    }
}
