//! The contract `tallow:forecast` around a [`Model`]. A function is `type Component = Adapter<…>;` and
//! `export_forecast!(Component with_types_in forecast::adapter);`.

use std::marker::PhantomData;

use crate::Model;

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/forecast"],
    world: "tallow:forecast/forecast-function",
    with: { "tallow:types/types@0.1.0": tallow_contract::types },
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_forecast",
});

use exports::tallow::forecast::forecast as contract;

tallow_contract::convert_forecast!(exports::tallow::forecast::forecast);

pub struct Adapter<M>(PhantomData<M>);

impl<M: Model> contract::Guest for Adapter<M> {
    fn describe() -> contract::Description {
        crate::describe::<M>().into()
    }

    fn forecast(request: contract::Request) -> Result<contract::Outcome, String> {
        Ok(crate::forecast::<M>(&request.into())?.into())
    }
}
