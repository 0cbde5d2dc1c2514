//! A group of files that is made into partitions, and what its functions are asked.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tallow_engine::{Component, ParseFunction, ParseOptions};

use crate::coverage::Coverage;
use crate::error::{BatchError, failed};
use crate::ids::Ids;
use crate::learner::Learner;
use crate::plan::Group;
use crate::services::Services;

pub struct GroupBuild<'a> {
    pub services: &'a Services,
    pub group: &'a Group,
    pub name: &'a str,
    pub fingerprint: &'a str,
    pub progress: &'a Arc<AtomicU64>,
}

impl GroupBuild<'_> {
    /// What ids count as long as nothing speaks against it.
    pub fn first_ids(&self) -> Result<Ids, BatchError> {
        let function = self.parse_function(ParseOptions::default())?;
        let learns = self.learner(function, self.options(Ids::Unknown))?;
        Ok(if learns.learns() { Ids::Intervals } else { Ids::Unknown })
    }

    pub fn learner(&self, function: ParseFunction, options: ParseOptions) -> Result<Learner<'_>, BatchError> {
        let Services { plan, parse, .. } = self.services;
        Learner::new(plan, parse.name(), function, options, &self.group.files)
    }

    /// What is asked of every file of the group.
    pub fn options(&self, ids: Ids) -> ParseOptions {
        let mut options = self.services.plan.options.clone();
        options.settings.extend(self.group.symbol.clone().map(|symbol| ("symbol".to_owned(), symbol)));
        if let Ids::Unit { us } = ids {
            options.settings.push(("id-unit-us".to_owned(), us.to_string()));
        }
        options
    }

    pub fn parse_function(&self, options: ParseOptions) -> Result<ParseFunction, BatchError> {
        let Services { plan, parse, .. } = self.services;
        ParseFunction::new(parse, plan.limits, options).map_err(|error| failed(parse.name(), "start", error))
    }

    /// Of no rows yet.
    pub fn coverage(&self, ids: Ids) -> Coverage {
        Coverage::new(ids, self.services.plan.job.gap_us)
    }

    /// The footer of a partition's file.
    pub fn footer(&self) -> Vec<(&'static str, String)> {
        let Services { plan, parse, window, merge, .. } = self.services;
        let [parse, window, merge] = [parse, window, merge].map(Component::digest);
        let functions = serde_json::json!({ "parse": parse, "window": window, "merge": merge });
        vec![("tallow.job", plan.log_name()), ("tallow.functions", functions.to_string())]
    }
}
