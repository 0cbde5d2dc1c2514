//! A parse function that does what a record tells it to. A value is either a trade in plain words,
//! `SYMBOL TIME_US PRICE ID QUANTITY` (`BTCUSDT 1000000 60123.5 17 0.25`), or one of the misdeeds of
//! `misdeed`; a null value is ignored, anything else rejected. So a test puts a bad record into a good stream,
//! and knows which one is to be found. With the setting `habit` it does wrong all the time: with each trade one of the
//! misdeeds, or one of the habits of `habit`, which break one rule of vetting each.

#![cfg(target_arch = "wasm32")]

mod adapter;
mod answer;
mod habit;
mod misdeed;
mod trade;
mod variant;
