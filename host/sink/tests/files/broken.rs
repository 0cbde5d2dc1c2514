//! The suite finds sinks that break their promises.

use bytes::Bytes;
use tallow_sink::{DeadLetters, EpochOutput, Item, Sink, SinkError};
use tallow_store::Store;
use tallow_test_support::sink::conformance::{Bench, check};

use crate::read;

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    PublishesEarly,
    Overwrites,
    AppendsAgain,
    LosesTheLastItem,
}

struct Broken {
    fault: Fault,
    store: Store,
    sound: DeadLetters,
}

impl Sink for Broken {
    fn name(&self) -> &'static str {
        self.sound.name()
    }

    fn prepare(&self, output: &EpochOutput<'_>) -> Result<Vec<Item>, SinkError> {
        let mut items = self.sound.prepare(output)?;
        match self.fault {
            Fault::PublishesEarly => self.publish(&items[0].name, items[0].bytes.clone())?,
            Fault::LosesTheLastItem => drop(items.pop()),
            Fault::Overwrites | Fault::AppendsAgain => {}
        }
        Ok(items)
    }

    fn publish(&self, name: &str, bytes: Bytes) -> Result<(), SinkError> {
        match self.fault {
            Fault::Overwrites => Ok(self.store.put_overwrite(name, bytes)?),
            Fault::AppendsAgain => {
                let copies = read::paths(&self.store).len();
                Ok(self.store.put_overwrite(&format!("{name}.{copies}"), bytes)?)
            }
            Fault::PublishesEarly | Fault::LosesTheLastItem => self.sound.publish(name, bytes),
        }
    }
}

struct BrokenBench {
    fault: Fault,
    store: Store,
}

impl Bench for BrokenBench {
    fn sink(&self) -> Box<dyn Sink> {
        let store = self.store.clone();
        Box::new(Broken { fault: self.fault, sound: DeadLetters::new(store.clone()), store })
    }

    fn visible(&self) -> Vec<String> {
        read::texts_of_store(&self.store)
    }

    fn expected(&self, output: &EpochOutput<'_>) -> Vec<String> {
        crate::conformance::dead_letters(output)
    }
}

fn check_with(fault: Fault) {
    check(|| BrokenBench { fault, store: Store::memory().unwrap() });
}

#[test]
#[should_panic(expected = "rows before publish")]
fn a_sink_that_publishes_while_it_prepares_is_found() {
    check_with(Fault::PublishesEarly);
}

#[test]
#[should_panic(expected = "other content under")]
fn a_sink_that_overwrites_is_found() {
    check_with(Fault::Overwrites);
}

#[test]
#[should_panic(expected = "rows after publishing three times")]
fn a_sink_that_appends_is_found() {
    check_with(Fault::AppendsAgain);
}

#[test]
#[should_panic(expected = "nothing to do")]
fn a_sink_that_loses_items_is_found() {
    check_with(Fault::LosesTheLastItem);
}
