//! A remote function's descriptor: it takes the place of a component's bytes, in the lake and for its digest.

use serde::{Deserialize, Serialize};
use tallow_contract::messages::{About, AboutFunction};

use crate::{CallError, ColumnInfo, ColumnType, Contract, ParseDescription, WindowDescription};

/// Why there is no function behind a descriptor or an address.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorError {
    #[error("{remote} does not answer as a gateway of tallow does: {why}")]
    NoGateway { remote: String, why: serde_json::Error },
    #[error("{remote} has no `{wanted}`; it has {has}")]
    Lacks { remote: String, wanted: &'static str, has: String },
    #[error("no descriptor of a remote function: {0}")]
    Unreadable(serde_json::Error),
    #[error("the descriptor cannot be written: {0}")]
    Unwritable(serde_json::Error),
    #[error("the gateway has columns of a type `{0}`, which this host does not know")]
    ColumnType(String),
    #[error("the gateway does not say the version of its state")]
    NoStateVersion,
}

impl From<DescriptorError> for CallError {
    fn from(error: DescriptorError) -> Self {
        Self::Remote(error.to_string())
    }
}

/// Where a function is, and what it was when a pipeline took it up. Another version there is another function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// Address of the gateway, without a path's end: `https://candles.example.com`.
    pub remote: String,
    pub function: AboutFunction,
}

impl Descriptor {
    /// The function of a contract that a gateway says it has. `about`: what it answers to `GET /`.
    ///
    /// # Errors
    /// What it answers is not a gateway's page, or the function is not there in this version.
    pub fn of(remote: &str, about: &[u8], contract: Contract) -> Result<Self, DescriptorError> {
        let remote = remote.to_owned();
        let about: About = match serde_json::from_slice(about) {
            Ok(about) => about,
            Err(why) => return Err(DescriptorError::NoGateway { remote, why }),
        };
        let known = || about.functions.iter().map(|it| it.contract.as_str()).collect::<Vec<_>>().join(", ");
        let taken = contract.interfaces().iter();
        let function =
            taken.copied().find_map(|taken| about.functions.iter().find(|it| it.contract == taken));
        match function {
            Some(function) => Ok(Self { remote, function: function.clone() }),
            None => Err(DescriptorError::Lacks { remote, wanted: contract.interface(), has: known() }),
        }
    }

    /// Whether bytes are a descriptor's rather than a component's.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.first() == Some(&b'{')
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, DescriptorError> {
        serde_json::from_slice(bytes).map_err(DescriptorError::Unreadable)
    }

    /// # Errors
    /// What cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DescriptorError> {
        serde_json::to_vec_pretty(self).map_err(DescriptorError::Unwritable)
    }

    pub(crate) fn parse(&self) -> Result<ParseDescription, DescriptorError> {
        let function = &self.function;
        let column = |column: &tallow_contract::messages::AboutColumn| {
            Ok(ColumnInfo {
                name: column.name.clone(),
                type_: column_type(&column.column_type)?,
                meaning: column.meaning.clone(),
            })
        };
        Ok(ParseDescription {
            name: function.name.clone(),
            version: function.version.clone(),
            kinds: function.kinds.clone(),
            columns: function.columns.iter().map(column).collect::<Result<_, DescriptorError>>()?,
            wants_keys: function.wants_keys,
            wants_headers: function.wants_headers,
        })
    }

    pub(crate) fn window(&self) -> Result<WindowDescription, DescriptorError> {
        let function = &self.function;
        Ok(WindowDescription {
            name: function.name.clone(),
            version: function.version.clone(),
            state_version: function.state_version.ok_or(DescriptorError::NoStateVersion)?,
            reads_state_versions: function.reads_state_versions.clone(),
        })
    }
}

fn column_type(name: &str) -> Result<ColumnType, DescriptorError> {
    ColumnType::from_name(name).ok_or_else(|| DescriptorError::ColumnType(name.to_owned()))
}
