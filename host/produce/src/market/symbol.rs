//! One symbol of the synthetic market: its price walks at random.

use tallow_edge::Random;

use super::trade::Trade;

/// Name, first price, step of the price and of the quantity; all in 10^-8.
const LISTED: [(&str, i64, i64, i64); 8] = [
    ("SYNBTC", 61_837_63000000, 1000000, 1000),
    ("SYNETH", 2_683_51000000, 1000000, 10000),
    ("SYNSOL", 162_39000000, 1000000, 100000),
    ("SYNBNB", 515_20000000, 10000000, 100000),
    ("SYNXRP", 61040000, 10000, 100000000),
    ("SYNADA", 34720000, 10000, 10000000),
    ("SYNDOGE", 10516000, 1000, 100000000),
    ("SYNDOT", 4_68400000, 100000, 1000000),
];

pub(super) struct Symbol {
    name: String,
    price_e8: i64,
    step_e8: i64,
    lot_e8: i64,
    lowest_e8: i64,
    next_id: i64,
}

impl Symbol {
    /// The symbol of that index; beyond the listed ones, more of the same with a number.
    pub(super) fn new(index: usize, random: &dyn Random) -> Self {
        let (name, price_e8, step_e8, lot_e8) = LISTED[index % LISTED.len()];
        let name = match index / LISTED.len() {
            0 => name.to_owned(),
            round => format!("{name}{round}"),
        };
        let next_id = 1 + random.below(1_000_000_000) as i64;
        Self { name, price_e8, step_e8, lot_e8, lowest_e8: price_e8 / 100, next_id }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The next trade. `hectic`: in a burst the price moves in larger steps.
    pub(super) fn trade(&mut self, event_us: i64, hectic: bool, random: &dyn Random) -> Trade<'_> {
        let most_steps = if hectic { 24 } else { 4 };
        let steps = random.below(2 * most_steps + 1) as i64 - most_steps as i64;
        self.price_e8 = (self.price_e8 + steps * self.step_e8).max(self.lowest_e8);
        let id = self.next_id;
        self.next_id += 1;
        Trade {
            symbol: &self.name,
            id,
            price_e8: self.price_e8,
            quantity_e8: self.lot_e8 * (1 + random.below(1 + random.below(5_000)) as i64),
            event_ms: event_us.div_euclid(1000),
            sent_ms: event_us.div_euclid(1000) + random.below(3) as i64,
            buyer_is_maker: random.below(2) == 0,
        }
    }
}
