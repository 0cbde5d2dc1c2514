//! The functions that a gateway calls: those that it is composed with, or others in tests.

use crate::contracts::{backfill, merge, parse, types, window};

/// An error of a function is its refusal: what it was asked for is wrong.
pub trait Functions {
    type Windows: Windows;

    fn parse_description(&self) -> parse::Description;
    fn parse(&self, batch: &types::Batch, options: &parse::Options) -> Result<parse::Parsed, String>;

    fn window_description(&self) -> window::Description;
    fn open(&self, specs: &[window::Spec]) -> Result<Self::Windows, String>;
    fn restore(
        &self,
        specs: &[window::Spec],
        watermark_us: i64,
        parts: &[window::Part],
    ) -> Result<Self::Windows, String>;

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
    fn advance(&self, watermark_us: i64) -> Result<Vec<window::Output>, String>;
    fn close_all(&self) -> Result<Vec<window::Output>, String>;
    fn changed(&self) -> Vec<window::Output>;
    fn snapshot(&self, since: u64) -> window::SnapshotParts;
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

    fn restore(
        &self,
        specs: &[window::Spec],
        watermark_us: i64,
        parts: &[window::Part],
    ) -> Result<window::Windows, String> {
        window::Windows::restore(specs, watermark_us, parts)
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

    fn advance(&self, watermark_us: i64) -> Result<Vec<window::Output>, String> {
        self.advance(watermark_us)
    }

    fn close_all(&self) -> Result<Vec<window::Output>, String> {
        self.close_all()
    }

    fn changed(&self) -> Vec<window::Output> {
        self.changed()
    }

    fn snapshot(&self, since: u64) -> window::SnapshotParts {
        self.snapshot(since)
    }

    fn stats(&self) -> Vec<window::Stats> {
        self.stats()
    }
}
