//! What a pipeline does about faults: of records, of the topic, and of functions.

use crate::forms::Choice;

/// What becomes of a record that the parse function rejects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReject {
    DeadLetter,
    /// A row with nulls if the function can make one, else a dead letter.
    Permissive,
    Drop,
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDataLoss {
    Halt,
    Continue,
}

/// What a start does with a changed file that is not fit to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBadFunction {
    #[default]
    Stop,
    /// The functions of the last run continue.
    LastGood,
}

/// A batch states no schema, so it cannot be permissive.
pub(crate) const ON_REJECT_OF_LINES: Choice<OnReject> =
    Choice(&[("dead-letter", OnReject::DeadLetter), ("drop", OnReject::Drop), ("fail", OnReject::Fail)]);
pub(crate) const ON_REJECT: Choice<OnReject> = Choice(&[
    ("dead-letter", OnReject::DeadLetter),
    ("permissive", OnReject::Permissive),
    ("drop", OnReject::Drop),
    ("fail", OnReject::Fail),
]);
pub(crate) const ON_DATA_LOSS: Choice<OnDataLoss> =
    Choice(&[("halt", OnDataLoss::Halt), ("continue", OnDataLoss::Continue)]);
pub(super) const ON_BAD_FUNCTION: Choice<OnBadFunction> =
    Choice(&[("stop", OnBadFunction::Stop), ("last-good", OnBadFunction::LastGood)]);
