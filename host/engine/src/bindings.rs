//! The contracts of `wit/`, as components see them. All worlds share one `tallow:types`, that of `tallow-contract`, so
//! that a parsed table goes into the window function without being rebuilt. Of their other records there are
//! conversions to and from those of `tallow-contract`.

/// The types, with what bindings expect of an interface that a world imports. It has no function, so nothing is linked.
#[expect(dead_code, reason = "only the world's own way to link, which is not taken here, calls it")]
pub mod types {
    pub use tallow_contract::types::*;
    use wasmtime::component::{HasData, Linker};

    pub trait Host {}
    impl<T: Host + ?Sized> Host for &mut T {}

    pub trait HostWithStore<T>: HasData {}
    impl<T, D: HasData + ?Sized> HostWithStore<T> for D {}

    pub fn add_to_linker<T: 'static, D>(
        _: &mut Linker<T>,
        _: fn(&mut T) -> D::Data<'_>,
    ) -> wasmtime::Result<()>
    where
        D: HostWithStore<T>,
        for<'a> D::Data<'a>: Host,
    {
        Ok(())
    }
}

mod parse_world {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/parse"],
        world: "tallow:parse/parse-function",
        additional_derives: [serde::Serialize, serde::Deserialize],
        with: { "tallow:types/types": super::types },
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

/// The contract before this one, which continues to be taken.
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

mod feed_world {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/feed"],
        world: "tallow:feed/feed-function",
        with: { "tallow:types/types": super::types },
    });
}

mod forecast_world {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/forecast"],
        world: "tallow:forecast/forecast-function",
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
pub use feed_world::exports::tallow::feed::feed as feed_contract;
pub use feed_world::{FeedFunction as FeedWorld, FeedFunctionPre as FeedWorldPre};
pub use forecast_world::exports::tallow::forecast::forecast as forecast_contract;
pub use forecast_world::{ForecastFunction as ForecastWorld, ForecastFunctionPre as ForecastWorldPre};
pub use merge_world::exports::tallow::merge::merge as merge_contract;
pub use merge_world::{MergeFunction as MergeWorld, MergeFunctionPre as MergeWorldPre};
pub use parse_world::exports::tallow::parse::parse as parse_contract;
pub use parse_world::{ParseFunction as ParseWorld, ParseFunctionPre as ParseWorldPre};
pub use window_0_1_world::exports::tallow::window::window as window_0_1_contract;
pub use window_0_1_world::{WindowFunction as Window01World, WindowFunctionPre as Window01WorldPre};
pub use window_world::exports::tallow::window::window as window_contract;
pub use window_world::{WindowFunction as WindowWorld, WindowFunctionPre as WindowWorldPre};

tallow_contract::convert_parse!(parse_contract);
tallow_contract::convert_window!(window_contract);
tallow_contract::convert_merge!(merge_contract);
tallow_contract::convert_backfill!(backfill_contract);
tallow_contract::convert_feed!(feed_contract);
tallow_contract::convert_forecast!(forecast_contract);
