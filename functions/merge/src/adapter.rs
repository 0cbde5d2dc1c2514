//! The component around [`crate::merge()`].

use tallow_contract::Table;

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/merge"],
    world: "tallow:merge/merge-function",
    with: { "tallow:types/types@0.1.0": tallow_contract::types },
    generate_all,
});

use exports::tallow::merge::merge as wit;

tallow_contract::convert_merge!(exports::tallow::merge::merge);

struct Component;

export!(Component);

impl wit::Guest for Component {
    fn describe() -> wit::Description {
        wit::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    fn merge(
        before: Option<Table>,
        inputs: Vec<wit::Input>,
        settings: wit::Settings,
    ) -> Result<wit::Merged, String> {
        let inputs: Vec<crate::Input> = inputs.into_iter().map(Into::into).collect();
        Ok(crate::merge(before.as_ref(), &inputs, &settings.into())?.into())
    }
}
