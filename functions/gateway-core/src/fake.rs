//! Functions that describe themselves and must not be called.

use crate::contracts::{backfill, merge, parse, types, window};
use crate::functions::{Functions, Windows};

pub struct Untouched;

pub enum Never {}

impl Functions for Untouched {
    type Windows = Never;

    fn parse_description(&self) -> parse::Description {
        parse::Description {
            name: "fake-parse".into(),
            version: "1.2.3".into(),
            kinds: vec!["trade".into()],
            columns: vec![parse::ColumnInfo {
                name: "price".into(),
                type_: parse::ColumnType::Decimal,
                meaning: "what was paid".into(),
            }],
            wants_keys: true,
            wants_headers: false,
        }
    }

    fn parse(&self, _: &types::Batch, _: &parse::Options) -> Result<parse::Parsed, String> {
        panic!("parse was called")
    }

    fn window_description(&self) -> window::Description {
        window::Description {
            name: "fake-window".into(),
            version: "1.2.3".into(),
            state_version: 7,
            reads_state_versions: vec![6, 7],
        }
    }

    fn open(&self, _: &[window::Spec]) -> Result<Never, String> {
        panic!("open was called")
    }

    fn restore(&self, _: &[window::Spec], _: i64) -> Result<Never, String> {
        panic!("restore was called")
    }

    fn merge_description(&self) -> merge::Description {
        merge::Description { name: "fake-merge".into(), version: "1.2.3".into() }
    }

    fn merge(
        &self,
        _: Option<&types::Table>,
        _: &[merge::Input],
        _: &merge::Settings,
    ) -> Result<merge::Merged, String> {
        panic!("merge was called")
    }

    fn backfill_description(&self) -> backfill::Description {
        backfill::Description { name: "fake-backfill".into(), version: "1.2.3".into() }
    }

    fn plan(
        &self,
        _: &backfill::Options,
        _: &[backfill::Span],
        _: &[backfill::Span],
    ) -> Result<Vec<backfill::Request>, String> {
        panic!("plan was called")
    }

    fn decode(
        &self,
        _: &backfill::Options,
        _: &backfill::Request,
        _: &backfill::Answer,
    ) -> Result<backfill::Decoded, String> {
        panic!("decode was called")
    }
}

impl Windows for Never {
    fn update(&self, _: &window::Rows) -> Result<Vec<window::Report>, String> {
        match *self {}
    }

    fn load(&self, _: &[window::Part]) -> Result<(), String> {
        match *self {}
    }

    fn advance(&self, _: i64, _: window::Portion) -> Result<window::OutputPiece, String> {
        match *self {}
    }

    fn close_all(&self, _: window::Portion) -> Result<window::OutputPiece, String> {
        match *self {}
    }

    fn changed(&self, _: window::Portion) -> Result<window::OutputPiece, String> {
        match *self {}
    }

    fn snapshot(&self, _: u64, _: u64) -> Result<window::SnapshotPiece, String> {
        match *self {}
    }

    fn stats(&self) -> Vec<window::Stats> {
        match *self {}
    }
}
