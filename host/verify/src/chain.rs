//! Is each record of the log the one that was written? Its own checksum says whether it is whole, and the record after it
//! names the digest of its bytes.

use bytes::Bytes;
use tallow_log::Record;
use tallow_store::Digest;

/// What became of one place in the log.
pub struct Link {
    pub seq: u64,
    /// `None` if there is nothing that can be read.
    pub record: Option<Record>,
    pub wrong: Option<String>,
}

/// Judges consecutive places of the log. Nothing vouches for the newest but what is computed again.
pub fn links(objects: &[(u64, Option<Bytes>)]) -> Vec<Link> {
    let mut links: Vec<Link> = objects.iter().map(|(seq, bytes)| link(*seq, bytes.as_ref())).collect();
    for index in 1..links.len() {
        let (before, after) = links.split_at_mut(index);
        let (Some(before), Some(after)) = (before.last_mut(), after.first()) else { continue };
        let bytes = objects[index - 1].1.as_ref();
        let (Some(bytes), Some(record)) = (bytes, &after.record) else { continue };
        if before.wrong.is_none() && record.parent != Some(Digest::of(bytes)) {
            before.wrong = Some(format!("it is not the record that record {} was written after", record.seq));
        }
    }
    links
}

fn link(seq: u64, bytes: Option<&Bytes>) -> Link {
    let wrong = |why: String| Link { seq, record: None, wrong: Some(why) };
    let Some(bytes) = bytes else { return wrong("it is missing".to_owned()) };
    let record = match <Record>::decode(bytes) {
        Ok(record) => record,
        Err(why) => return wrong(why.to_string()),
    };
    if record.seq != seq {
        return wrong(format!("it says that it is record {}", record.seq));
    }
    let first = record.parent.is_none() != (seq == 1);
    let wrong = first.then(|| "it does not say which record it was written after".to_owned());
    Link { seq, record: Some(record), wrong }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tallow_log::record::{Epoch, Kind, State, Writer};

    use super::*;

    fn record(seq: u64, parent: Option<Digest>, at_us: i64) -> Record {
        Record {
            seq,
            kind: Kind::Commit,
            parent,
            chain: "c0ffee".into(),
            shard: 0,
            term: 1,
            writer: Writer { id: "w".into(), name: "a test".into() },
            at_us,
            epoch: Epoch::default(),
            state: State::default(),
            published_through: BTreeMap::new(),
            voided: None,
        }
    }

    fn log(count: u64) -> Vec<(u64, Option<Bytes>)> {
        let mut parent = None;
        let mut objects = Vec::new();
        for seq in 1..=count {
            let bytes = Bytes::from(record(seq, parent, 0).encode().unwrap());
            parent = Some(Digest::of(&bytes));
            objects.push((seq, Some(bytes)));
        }
        objects
    }

    fn wrong(objects: &[(u64, Option<Bytes>)]) -> Vec<(u64, String)> {
        links(objects).into_iter().filter_map(|link| Some((link.seq, link.wrong?))).collect()
    }

    #[test]
    fn a_whole_log_is_sound_wherever_one_begins_to_read() {
        assert_eq!(wrong(&log(4)), []);
        assert_eq!(wrong(&log(4)[2..]), []);
    }

    #[test]
    fn each_way_to_change_a_record_is_seen_and_named() {
        let rewritten = |seq: u64, says: u64| {
            let mut objects = log(4);
            let parent = links(&objects)[seq as usize - 1].record.as_ref().unwrap().parent;
            objects[seq as usize - 1].1 = Some(record(says, parent, 7).encode().unwrap().into());
            wrong(&objects)
        };
        assert_eq!(
            rewritten(2, 2),
            [(2, "it is not the record that record 3 was written after".to_owned())],
            "its checksum is right, its bytes are not"
        );
        assert_eq!(rewritten(2, 3), [(2, "it says that it is record 3".to_owned())]);
        assert_eq!(rewritten(4, 4), [], "only what it says can tell");

        let mut missing = log(4);
        missing[1].1 = None;
        assert_eq!(wrong(&missing), [(2, "it is missing".to_owned())]);
        let mut flipped = log(4);
        let mut bytes = flipped[2].1.take().unwrap().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        flipped[2].1 = Some(bytes.into());
        assert!(wrong(&flipped)[0].1.starts_with("its checksum is"), "{:?}", wrong(&flipped));
        assert_eq!(wrong(&flipped).len(), 1, "the others are what they were");
    }
}
