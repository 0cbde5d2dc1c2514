//! How each version addresses its database, and who may write there.

use tallow_sink_influxdb::settings::{Credentials, Database};
use tallow_test_support::influx::{Api, DATABASE, ORG, TOKEN};

pub fn database(api: Api) -> Database {
    let database = DATABASE.to_owned();
    match api {
        Api::V1 => Database::V1 { database, retention_policy: None },
        Api::V2 => Database::V2 { org: ORG.to_owned(), bucket: database },
        Api::V3 => Database::V3 { database },
    }
}

pub fn credentials(api: Api) -> Credentials {
    let token = TOKEN.to_owned();
    match api {
        Api::V1 => Credentials::Password { user: "reader".to_owned(), password: token },
        Api::V2 | Api::V3 => Credentials::Token(token),
    }
}

/// One that the server does not have.
pub fn elsewhere(database: &Database) -> Database {
    let other = "another place".to_owned();
    match database {
        Database::V1 { .. } => Database::V1 { database: other, retention_policy: None },
        Database::V2 { org, .. } => Database::V2 { org: org.clone(), bucket: other },
        Database::V3 { .. } => Database::V3 { database: other },
    }
}
