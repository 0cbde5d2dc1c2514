//! The contract `tallow:backfill` around an [`Exchange`]. A function is `type Component = Adapter<…>;` and
//! `export_backfill!(Component with_types_in backfill::adapter);`.

use std::marker::PhantomData;

use crate::{Exchange, Span};

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/backfill"],
    world: "tallow:backfill/backfill-function",
    with: { "tallow:types/types@0.1.0": tallow_contract::types },
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_backfill",
});

use exports::tallow::backfill::backfill as contract;

tallow_contract::convert_backfill!(exports::tallow::backfill::backfill);

pub struct Adapter<E>(PhantomData<E>);

impl<E: Exchange> contract::Guest for Adapter<E> {
    fn describe() -> contract::Description {
        contract::Description { name: E::NAME.to_owned(), version: E::VERSION.to_owned() }
    }

    fn plan(
        options: contract::Options,
        wanted: Vec<contract::Span>,
        covered: Vec<contract::Span>,
    ) -> Result<Vec<contract::Request>, String> {
        let spans = |spans: Vec<contract::Span>| spans.into_iter().map(Into::into).collect::<Vec<Span>>();
        let requests = crate::plan::<E>(&options.into(), &spans(wanted), &spans(covered))?;
        Ok(requests.into_iter().map(Into::into).collect())
    }

    fn decode(
        options: contract::Options,
        request: contract::Request,
        answer: contract::Answer,
    ) -> Result<contract::Decoded, String> {
        Ok(crate::decode::<E>(&options.into(), &request.into(), &answer.into())?.into())
    }
}
