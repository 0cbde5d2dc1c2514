//! The component around [`crate::Windows`].

use std::cell::RefCell;

use crate::state;

wit_bindgen::generate!({
    path: ["../../wit/types", "../../wit/window"],
    world: "tallow:window/window-function",
    with: { "tallow:types/types@0.1.0": tallow_contract::types },
    generate_all,
});

use exports::tallow::window::window as wit;

tallow_contract::convert_window!(exports::tallow::window::window);

struct Component;

struct Resource(RefCell<crate::Windows>);

export!(Component);

impl wit::Guest for Component {
    type Windows = Resource;

    fn describe() -> wit::Description {
        let [.., newest] = state::READS_VERSIONS;
        wit::Description {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state_version: u32::from(newest),
            reads_state_versions: state::READS_VERSIONS.map(u32::from).to_vec(),
        }
    }
}

impl Resource {
    fn new(windows: crate::Windows) -> wit::Windows {
        wit::Windows::new(Resource(RefCell::new(windows)))
    }
}

impl wit::GuestWindows for Resource {
    fn open(specs: Vec<wit::Spec>) -> Result<wit::Windows, String> {
        Ok(Resource::new(crate::Windows::open(all(specs))?))
    }

    fn restore(specs: Vec<wit::Spec>, watermark_us: i64) -> Result<wit::Windows, String> {
        Ok(Resource::new(crate::Windows::restore(all(specs), watermark_us, &[])?))
    }

    fn load(&self, parts: Vec<wit::Part>) -> Result<(), String> {
        Ok(self.0.borrow_mut().load(&all(parts))?)
    }

    fn update(&self, rows: wit::Rows) -> Result<Vec<wit::Report>, String> {
        Ok(all(self.0.borrow_mut().update(&rows.into())?))
    }

    fn advance(&self, watermark_us: i64, portion: wit::Portion) -> Result<wit::OutputPiece, String> {
        Ok(self.0.borrow_mut().advance_by(watermark_us, portion.into())?.into())
    }

    fn close_all(&self, portion: wit::Portion) -> Result<wit::OutputPiece, String> {
        Ok(self.0.borrow_mut().close_all_by(portion.into())?.into())
    }

    fn changed(&self, portion: wit::Portion) -> Result<wit::OutputPiece, String> {
        Ok(self.0.borrow_mut().changed_by(portion.into())?.into())
    }

    fn snapshot(&self, since: u64, max_bytes: u64) -> Result<wit::SnapshotPiece, String> {
        Ok(self.0.borrow_mut().snapshot_by(since, max_bytes)?.into())
    }

    fn stats(&self) -> Vec<wit::Stats> {
        all(self.0.borrow().stats())
    }
}

/// Records of the bindings as ours, or ours as theirs.
fn all<T: Into<U>, U>(records: Vec<T>) -> Vec<U> {
    records.into_iter().map(Into::into).collect()
}
