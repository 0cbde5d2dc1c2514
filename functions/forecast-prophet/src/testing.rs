//! What unit tests share.

use forecast::{Setting, Settings};

use crate::plan::{Plan, SETTINGS};

/// The plan of some settings.
pub fn plan(given: &[(&str, &str)]) -> Plan {
    let known: Vec<Setting> = SETTINGS
        .iter()
        .map(|(name, default, _)| Setting {
            name: (*name).to_owned(),
            default: (*default).to_owned(),
            meaning: String::new(),
        })
        .collect();
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Plan::read(&Settings::read(&known, &given).unwrap()).unwrap()
}
