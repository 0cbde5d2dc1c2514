//! The functions that a gateway calls: those that it is composed with, or others in tests.

use crate::contracts::{backfill, merge, parse, types, window};

/// An error of a function is its refusal: what it was asked for is wrong.
pub trait Functions {
    type Windows: Windows;

    fn parse_description(&self) -> parse::Description;
    fn parse(&self, batch: &types::Batch, options: &parse::Options) -> Result<parse::Parsed, String>;

    fn window_description(&self) -> window::Description;
    fn open(&self, specs: &[window::Spec]) -> Result<Self::Windows, String>;
    fn restore(&self, specs: &[window::Spec], watermark_us: i64) -> Result<Self::Windows, String>;

    fn merge_description(&self) -> merge::Description;
    fn merge(
        &self,
        before: Option<&types::Table>,
        inputs: &[merge::Input],
        settings: &merge::Settings,
    ) -> Result<merge::Merged, String>;

    fn backfill_description(&self) -> backfill::Description;
    fn plan(
        &self,
        options: &backfill::Options,
        wanted: &[backfill::Span],
        covered: &[backfill::Span],
    ) -> Result<Vec<backfill::Request>, String>;
    fn decode(
        &self,
        options: &backfill::Options,
        request: &backfill::Request,
        answer: &backfill::Answer,
    ) -> Result<backfill::Decoded, String>;
}

/// The resource of `tallow:window`.
pub trait Windows {
    fn update(&self, rows: &window::Rows) -> Result<Vec<window::Report>, String>;
    fn load(&self, parts: &[window::Part]) -> Result<(), String>;
    fn advance(&self, watermark_us: i64, portion: window::Portion) -> Result<window::OutputPiece, String>;
    fn close_all(&self, portion: window::Portion) -> Result<window::OutputPiece, String>;
    fn changed(&self, portion: window::Portion) -> Result<window::OutputPiece, String>;
    fn snapshot(&self, since: u64, max_bytes: u64) -> Result<window::SnapshotPiece, String>;
    fn stats(&self) -> Vec<window::Stats>;
}

/// Those that the component is composed with.
pub struct Linked;

impl Functions for Linked {
    type Windows = window::Windows;

    fn parse_description(&self) -> parse::Description {
        parse::describe()
    }

    fn parse(&self, batch: &types::Batch, options: &parse::Options) -> Result<parse::Parsed, String> {
        parse::parse(batch, options)
    }

    fn window_description(&self) -> window::Description {
        window::describe()
    }

    fn open(&self, specs: &[window::Spec]) -> Result<window::Windows, String> {
        window::Windows::open(specs)
    }

    fn restore(&self, specs: &[window::Spec], watermark_us: i64) -> Result<window::Windows, String> {
        window::Windows::restore(specs, watermark_us)
    }

    fn merge_description(&self) -> merge::Description {
        merge::describe()
    }

    fn merge(
        &self,
        before: Option<&types::Table>,
        inputs: &[merge::Input],
        settings: &merge::Settings,
    ) -> Result<merge::Merged, String> {
        merge::merge(before, inputs, settings)
    }

    fn backfill_description(&self) -> backfill::Description {
        backfill::describe()
    }

    fn plan(
        &self,
        options: &backfill::Options,
        wanted: &[backfill::Span],
        covered: &[backfill::Span],
    ) -> Result<Vec<backfill::Request>, String> {
        backfill::plan(options, wanted, covered)
    }

    fn decode(
        &self,
        options: &backfill::Options,
        request: &backfill::Request,
        answer: &backfill::Answer,
    ) -> Result<backfill::Decoded, String> {
        backfill::decode(options, request, answer)
    }
}

impl Windows for window::Windows {
    fn update(&self, rows: &window::Rows) -> Result<Vec<window::Report>, String> {
        self.update(rows)
    }

    fn load(&self, parts: &[window::Part]) -> Result<(), String> {
        self.load(parts)
    }

    fn advance(&self, watermark_us: i64, portion: window::Portion) -> Result<window::OutputPiece, String> {
        self.advance(watermark_us, portion)
    }

    fn close_all(&self, portion: window::Portion) -> Result<window::OutputPiece, String> {
        self.close_all(portion)
    }

    fn changed(&self, portion: window::Portion) -> Result<window::OutputPiece, String> {
        self.changed(portion)
    }

    fn snapshot(&self, since: u64, max_bytes: u64) -> Result<window::SnapshotPiece, String> {
        self.snapshot(since, max_bytes)
    }

    fn stats(&self) -> Vec<window::Stats> {
        self.stats()
    }
}
