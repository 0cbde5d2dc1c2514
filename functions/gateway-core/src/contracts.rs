//! The contracts of `wit/`, as a caller of the functions sees them.

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/parse", "../../wit/window", "../../wit/merge", "../../wit/backfill"],
    inline: "
        package tallow:gateway@0.1.0;
        world functions {
            import tallow:parse/parse@0.1.0;
            import tallow:window/window@0.2.0;
            import tallow:merge/merge@0.1.0;
            import tallow:backfill/backfill@0.1.0;
        }
    ",
    world: "tallow:gateway/functions",
    with: { "tallow:types/types@0.1.0": tallow_contract::types },
    generate_all,
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
});

pub use tallow::backfill::backfill;
pub use tallow::merge::merge;
pub use tallow::parse::parse;
pub use tallow::window::window;
pub use tallow_contract::types;

tallow_contract::convert_parse!(parse);
tallow_contract::convert_window!(window);
tallow_contract::convert_merge!(merge);
tallow_contract::convert_backfill!(backfill);
