//! A remote parse function.

use tallow_contract::messages::{MAX_BODY_BYTES, PARSE, ParseCall};

use super::{Remote, message};
use crate::bindings::parse_contract as wit;
use crate::bindings::types;
use crate::{CallError, ParseDescription};

pub(crate) struct RemoteParse {
    remote: Remote,
}

impl RemoteParse {
    pub fn new(remote: Remote) -> Self {
        Self { remote }
    }

    pub fn describe(&self) -> Result<ParseDescription, CallError> {
        Ok(self.remote.descriptor.parse()?)
    }

    pub fn parse(&self, batch: &types::Batch, options: &wit::Options) -> Result<wit::Parsed, CallError> {
        let message = message(&ParseCall { batch, options })?;
        if message.len() > MAX_BODY_BYTES {
            return Err(CallError::Output { cap_bytes: MAX_BODY_BYTES as u64 });
        }
        self.remote.call(PARSE, message)
    }
}
