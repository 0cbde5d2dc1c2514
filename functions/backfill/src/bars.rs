//! What a page of bars proves.

use tallow_contract::{Refusal, refuse};

use crate::page::pages;
use crate::span::subtract;
use crate::{Data, Exchange, Options, Request, Span, interval_us};

/// A bar of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    pub open_us: i64,
    /// The message that a parse function takes.
    pub record: Vec<u8>,
}

/// Sorts a page's bars, drops those that were not asked for and those that came twice, and says what is known now. A bar
/// may begin anywhere and end early: exchanges cut bars short when they go down, and continue off the grid.
///
/// An answer of bars of which none was asked for proves nothing.
///
/// A page that is not full holds all that there is. Of a full one, bars may be missing at the end that the exchange
/// gives last: beyond the outermost bar nothing is known, and has to be asked for.
pub fn data<E: Exchange>(options: &Options, request: &Request, mut bars: Vec<Bar>) -> Result<Data, Refusal> {
    let (covers, interval_us) = (request.covers, interval_us(options));
    let full = bars.len() >= E::PAGE_BARS as usize;
    if !bars.is_empty() && !full && !bars.iter().any(|bar| covers.contains(bar.open_us)) {
        return Ok(Data::default());
    }
    bars.sort_by_key(|bar| bar.open_us);
    let (first, last) = (bars.first().map(|bar| bar.open_us), bars.last().map(|bar| bar.open_us));
    let proved = match (full, first, last) {
        (true, _, Some(last)) if E::OLDEST_FIRST => {
            Span::new(covers.from_us, covers.to_us.min(last + interval_us))
        }
        (true, Some(first), _) => Span::new(covers.from_us.max(first), covers.to_us),
        _ => covers,
    };
    if proved.from_us >= proved.to_us {
        refuse!("a full page without a single bar of what was asked for");
    }
    bars.retain(|bar| proved.contains(bar.open_us));
    bars.dedup();
    let known: Vec<Span> = bars.iter().map(|bar| Span::new(bar.open_us, bar.open_us + interval_us)).collect();
    let next = pages(&[covers], &[proved], interval_us, E::PAGE_BARS);
    Ok(Data {
        no_data: subtract(&[proved], &known),
        records: bars.into_iter().map(|bar| bar.record).collect(),
        proved: vec![proved],
        next: next.into_iter().map(|page| E::request(options, page)).collect::<Result<_, _>>()?,
    })
}
