//! Spans of time.

use serde::{Deserialize, Serialize};

use super::Time;
use crate::{backfill, merge};

/// `{"from": …, "to": …}`, or a list of these two.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    from: Time,
    to: Time,
}

impl From<Span> for backfill::Span {
    fn from(span: Span) -> Self {
        Self { from_us: span.from.0, to_us: span.to.0 }
    }
}

impl From<backfill::Span> for Span {
    fn from(span: backfill::Span) -> Self {
        Self { from: Time(span.from_us), to: Time(span.to_us) }
    }
}

impl From<Span> for merge::Range {
    fn from(span: Span) -> Self {
        Self { from_us: span.from.0, to_us: span.to.0 }
    }
}
