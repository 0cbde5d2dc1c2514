//! The items of an array, the members of an object.

use crate::json::{Scanner, Value};
use crate::reason::Step;

/// Most items of an array: an exchange answers with 1,500 klines at most.
const MAX_ITEMS: usize = 100_000;

/// The items of a text that is an array.
pub fn array(text: &[u8]) -> Step<Vec<Value<'_>>> {
    let mut scanner = Scanner::new(text);
    let items = items(&mut scanner).and_then(|items| scanner.end().map(|()| items));
    items.ok_or_else(|| scanner.fault())
}

fn items<'a>(scanner: &mut Scanner<'a>) -> Option<Vec<Value<'a>>> {
    scanner.expect(b'[', "an array")?;
    let mut items = Vec::new();
    if scanner.accept(b']') {
        return Some(items);
    }
    loop {
        if items.len() == MAX_ITEMS {
            return scanner.stop("the end of an array, which no answer has so late");
        }
        items.push(Value(scanner.value()?));
        if !scanner.another(b']')? {
            return Some(items);
        }
    }
}

/// Gives the key of each member of a text that is an object, as written between its quotes, with its value.
#[inline]
pub fn members<'a>(text: &'a [u8], member: impl FnMut(&'a [u8], Value<'a>) -> Step<()>) -> Step<()> {
    let mut scanner = Scanner::new(text);
    each_member(&mut scanner, member).unwrap_or_else(|| Err(scanner.fault()))
}

#[inline(always)]
fn each_member<'a>(
    scanner: &mut Scanner<'a>,
    mut member: impl FnMut(&'a [u8], Value<'a>) -> Step<()>,
) -> Option<Step<()>> {
    scanner.expect(b'{', "an object")?;
    if !scanner.accept(b'}') {
        loop {
            let key = scanner.key()?;
            let value = Value(scanner.value()?);
            if let Err(apart) = member(key, value) {
                return Some(Err(apart));
            }
            if !scanner.another(b'}')? {
                break;
            }
        }
    }
    scanner.end().map(Ok)
}
