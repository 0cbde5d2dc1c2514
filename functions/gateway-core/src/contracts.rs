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
    generate_all,
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
});

pub use tallow::backfill::backfill;
pub use tallow::merge::merge;
pub use tallow::parse::parse;
pub use tallow::types::types;
pub use tallow::window::window;
