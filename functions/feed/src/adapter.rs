//! The contract `tallow:feed` around an [`Exchange`]. A function is `type Component = Adapter<…>;` and
//! `export_feed!(Component with_types_in feed::adapter);`.

use std::marker::PhantomData;

use crate::Exchange;

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/feed"],
    world: "tallow:feed/feed-function",
    with: { "tallow:types/types@0.1.0": tallow_contract::types },
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_feed",
});

use exports::tallow::feed::feed as contract;

tallow_contract::convert_feed!(exports::tallow::feed::feed);

pub struct Adapter<E>(PhantomData<E>);

impl<E: Exchange> contract::Guest for Adapter<E> {
    fn describe() -> contract::Description {
        contract::Description {
            name: E::NAME.to_owned(),
            version: E::VERSION.to_owned(),
            ws_url: E::WS_URL.to_owned(),
            rest_url: E::REST_URL.to_owned(),
        }
    }

    fn subscribe(subscription: contract::Subscription) -> Result<contract::Plan, String> {
        Ok(crate::plan::<E>(&subscription.into())?.into())
    }

    fn read(
        subscription: contract::Subscription,
        frames: tallow_contract::ByteColumn,
    ) -> Result<contract::Arrived, String> {
        Ok(crate::read::<E>(&subscription.into(), &frames)?.into())
    }

    fn ask(subscription: contract::Subscription, want: contract::Want) -> Result<contract::Request, String> {
        Ok(crate::ask::<E>(&subscription.into(), &want.into())?.into())
    }

    fn decode(
        subscription: contract::Subscription,
        want: contract::Want,
        request: contract::Request,
        answer: contract::Answer,
    ) -> Result<contract::Decoded, String> {
        let decoded =
            crate::answer::<E>(&subscription.into(), &want.into(), &request.into(), &answer.into())?;
        Ok(decoded.into())
    }
}
