//! The kinds of rows, and which of them are wanted.

use std::borrow::Cow;

use parse_base::Dictionary;
use parse_base::json::Value;
use parse_base::reason::{Apart, Step};

use crate::plan::{Kind, Plan};

pub(crate) struct Kinds<'p, 'a> {
    plan: &'p Plan,
    pub names: Dictionary,
    /// The kind that came last, as it was written, and what was found of it.
    last: (&'a [u8], Option<u32>),
}

impl<'p, 'a> Kinds<'p, 'a> {
    pub fn new(plan: &'p Plan) -> Self {
        let mut kinds = Kinds { plan, names: Dictionary::default(), last: (&[], None) };
        if let Kind::Fixed(kind) = &plan.kind {
            kinds.last.1 = kinds.code_of(kind);
        }
        kinds
    }

    /// The code of the kind of all messages, if there is only one; an error if it is not wanted.
    pub fn only(&self) -> Option<Result<u32, &'a [u8]>> {
        matches!(self.plan.kind, Kind::Fixed(_)).then(|| self.last.1.ok_or_else(Default::default))
    }

    /// Why there is no row of a kind, by how it is written in the message.
    #[cold]
    pub fn not_asked_for(&self, written: Option<Value<'a>>) -> Box<Apart> {
        let kind = match &self.plan.kind {
            Kind::Fixed(kind) => Cow::Borrowed(kind.as_str()),
            Kind::At { .. } => written.and_then(|kind| kind.text("kind").ok()).unwrap_or_default(),
        };
        Apart::ignored(format!("{kind}: not asked for"))
    }

    /// The code of the kind that came last, or of the only one that there is; `None` if it is not wanted.
    pub fn last(&self) -> Option<u32> {
        self.last.1
    }

    /// The code of a written kind; `None` if it is not wanted.
    #[inline]
    pub fn code(&mut self, written: Value<'a>) -> Step<Option<u32>> {
        if written.0 != self.last.0 {
            let kind: Cow<'a, str> = written.text("kind")?;
            self.last = (written.0, self.code_of(&kind));
        }
        Ok(self.last.1)
    }

    fn code_of(&mut self, kind: &str) -> Option<u32> {
        self.plan.wants(kind).then(|| self.names.code(kind.as_bytes()))
    }
}
