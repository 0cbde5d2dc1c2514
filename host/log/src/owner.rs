//! The sign of life of a shard's owner: an object beside the log, written every so often while its process lives. Nothing
//! is safe by it: the log alone decides who may commit. It keeps a second owner from starting by mistake.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::LogError;
use tallow_lake::Folder;
use tallow_store::Store;

/// How often an owner gives a sign: 8,640 writes a day.
pub const EVERY: Duration = Duration::from_secs(10);
/// An owner that has been silent for that long counts as dead.
pub const STALE: Duration = Duration::from_secs(30);

/// The name by which people know this owner: host and process.
pub fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{} process {}", host.trim(), std::process::id())
}

/// What an owner says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// Differs between owners, those of one process too.
    pub id: String,
    pub host: String,
    pub pid: u32,
    /// Tells the process from others of that number; `None` if the system does not say.
    #[serde(default)]
    pub process: Option<Process>,
    /// A name that two processes never have at once, such as a StatefulSet's pod has.
    #[serde(default)]
    pub instance: Option<String>,
    /// Owner since, and of this sign: µs since 1970-01-01 UTC, by the owner's clock.
    pub since_us: i64,
    pub at_us: i64,
}

/// A process, as one kernel knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Of the machine since it started.
    pub boot: String,
    /// Within which the number of a process is its own.
    pub namespace: String,
    /// When it started, in the kernel's ticks.
    pub started: u64,
}

/// Who wants to own the shard.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    pub host: &'a str,
    pub process: Option<&'a Process>,
    pub instance: Option<&'a str>,
    pub now_us: i64,
}

/// What a sign means for a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its process has ended, or is this newcomer's earlier life.
    Gone,
    /// It has given no sign for long.
    Silent,
    Alive,
}

impl Sign {
    /// Whether the owner's process is one of this machine's, so that it can be looked at.
    pub fn is_here(&self, newcomer: &Newcomer<'_>) -> bool {
        let (Some(its), Some(ours)) = (&self.process, newcomer.process) else { return false };
        self.host == newcomer.host && (&its.boot, &its.namespace) == (&ours.boot, &ours.namespace)
    }

    /// `runs`: whether its process runs, where it [is here](Sign::is_here). The clocks of two machines differ by less
    /// than [`STALE`], or the newcomer waits that long by its own.
    pub fn judge(&self, newcomer: &Newcomer<'_>, runs: bool) -> Verdict {
        let is_here = self.is_here(newcomer);
        let same_instance = self.instance.is_some() && self.instance.as_deref() == newcomer.instance;
        if is_here && !runs || !is_here && same_instance {
            return Verdict::Gone;
        }
        match newcomer.now_us.saturating_sub(self.at_us) > STALE.as_micros() as i64 {
            true => Verdict::Silent,
            false => Verdict::Alive,
        }
    }
}

/// The shard's sign; `None` if no owner gave one, or the owner left in peace. One that cannot be read counts as none: it is there
/// for courtesy only.
pub fn read(store: &Store, pipeline: &str, shard: u32) -> Result<Option<Sign>, LogError> {
    let path = Folder::new(pipeline, shard)?.owner();
    let bytes = store.get(&path)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

pub fn write(store: &Store, pipeline: &str, shard: u32, sign: &Sign) -> Result<(), LogError> {
    let path = Folder::new(pipeline, shard)?.owner();
    // Text and numbers are always JSON.
    let bytes = serde_json::to_vec(sign).unwrap_or_default();
    Ok(store.put_overwrite(&path, bytes)?)
}

/// Removes the sign, if it is still that owner's.
pub fn remove(store: &Store, pipeline: &str, shard: u32, id: &str) -> Result<(), LogError> {
    match read(store, pipeline, shard)? {
        Some(sign) if sign.id == id => Ok(store.delete(&Folder::new(pipeline, shard)?.owner())?),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(boot: &str, started: u64) -> Process {
        Process { boot: boot.into(), namespace: "pid:[1]".into(), started }
    }

    fn sign(process: Option<Process>, instance: Option<&str>) -> Sign {
        let instance = instance.map(str::to_owned);
        Sign { id: "a".into(), host: "h".into(), pid: 7, process, instance, since_us: 0, at_us: 1_000_000 }
    }

    #[test]
    fn an_owner_is_gone_when_its_process_is() {
        let (here, elsewhere) = (process("boot", 5), process("other boot", 5));
        let after = |seconds: i64| 1_000_000 + seconds * 1_000_000;
        for (instance, ours, our_instance, runs, now_us, verdict) in [
            (None, &here, None, true, after(5), Verdict::Alive),
            (None, &here, None, false, after(5), Verdict::Gone),
            (None, &elsewhere, None, false, after(5), Verdict::Alive),
            (None, &elsewhere, None, false, after(30), Verdict::Alive),
            (None, &elsewhere, None, false, after(31), Verdict::Silent),
            (None, &here, None, true, after(31), Verdict::Silent),
            (Some("pod-0"), &elsewhere, Some("pod-0"), false, after(1), Verdict::Gone),
            (Some("pod-0"), &elsewhere, Some("pod-1"), false, after(1), Verdict::Alive),
            (Some("pod-0"), &elsewhere, None, false, after(1), Verdict::Alive),
            // A clock that is behind.
            (None, &elsewhere, None, false, after(-500), Verdict::Alive),
            // Two of one name on one machine: the other one is seen to run.
            (Some("pod-0"), &here, Some("pod-0"), true, after(1), Verdict::Alive),
        ] {
            let newcomer = Newcomer { host: "h", process: Some(ours), instance: our_instance, now_us };
            let sign = sign(Some(here.clone()), instance);
            assert_eq!(sign.judge(&newcomer, runs), verdict, "{instance:?} {newcomer:?}");
        }
    }

    #[test]
    fn a_host_of_the_same_name_is_another_machine() {
        let newcomer = Newcomer { host: "h", process: None, instance: None, now_us: 2_000_000 };
        assert_eq!(sign(None, None).judge(&newcomer, false), Verdict::Alive);
        assert_eq!(sign(Some(process("boot", 1)), None).judge(&newcomer, false), Verdict::Alive);
    }

    #[test]
    fn a_sign_is_read_back_and_only_its_owner_removes_it() {
        let store = Store::memory().unwrap();
        assert_eq!(read(&store, "p", 0).unwrap(), None);
        let sign = sign(Some(process("boot", 5)), Some("pod-0"));
        write(&store, "p", 0, &sign).unwrap();
        assert_eq!(read(&store, "p", 0).unwrap(), Some(sign));
        remove(&store, "p", 0, "b").unwrap();
        assert!(read(&store, "p", 0).unwrap().is_some());
        remove(&store, "p", 0, "a").unwrap();
        assert_eq!(read(&store, "p", 0).unwrap(), None);
        store.put_overwrite(&Folder::new("p", 0).unwrap().owner(), "?").unwrap();
        assert_eq!(read(&store, "p", 0).unwrap(), None);
    }

    #[test]
    fn a_sign_of_today_is_read_for_ever() {
        let bytes = r#"{"id":"0123456789abcdef","host":"h","pid":7,"process":{"boot":"b","namespace":"pid:[1]","started":5},"instance":null,"since_us":1,"at_us":2,"later":0}"#;
        let sign: Sign = serde_json::from_str(bytes).unwrap();
        assert_eq!((sign.pid, sign.process.map(|it| it.started)), (7, Some(5)));
    }
}
