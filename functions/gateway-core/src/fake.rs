//! Functions that only describe themselves.

pub mod parse {
    use crate::contracts::parse::{ColumnInfo, ColumnType, Description};

    pub fn describe() -> Description {
        Description {
            name: "fake-parse".into(),
            version: "1.2.3".into(),
            kinds: vec!["trade".into()],
            columns: vec![ColumnInfo {
                name: "price".into(),
                type_: ColumnType::Decimal,
                meaning: "what was paid".into(),
            }],
            wants_keys: true,
            wants_headers: false,
        }
    }
}

pub mod window {
    use crate::contracts::window::Description;

    pub fn describe() -> Description {
        Description {
            name: "fake-window".into(),
            version: "1.2.3".into(),
            state_version: 7,
            reads_state_versions: vec![6, 7],
        }
    }
}

pub mod merge {
    use crate::contracts::merge::Description;

    pub fn describe() -> Description {
        Description { name: "fake-merge".into(), version: "1.2.3".into() }
    }
}

pub mod backfill {
    use crate::contracts::backfill::Description;

    pub fn describe() -> Description {
        Description { name: "fake-backfill".into(), version: "1.2.3".into() }
    }
}
