//! What the making of a group goes by.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::plan::Group;
use crate::services::Services;

/// A group that is made.
pub struct GroupBuild<'a> {
    pub services: &'a Services,
    pub group: &'a Group,
    pub name: &'a str,
    pub fingerprint: &'a str,
    pub progress: &'a Arc<AtomicU64>,
}
