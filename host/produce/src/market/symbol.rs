//! One symbol of the synthetic market: its price walks at random.

use tallow_env::Random;

use super::newest::Last;
use super::trade::Trade;

/// Name, first price, step of the price, step of the quantity.
const LISTED: [(&str, f64, f64, f64); 8] = [
    ("SYNBTC", 61_837.63, 0.01, 0.00001),
    ("SYNETH", 2_683.51, 0.01, 0.0001),
    ("SYNSOL", 162.39, 0.01, 0.001),
    ("SYNBNB", 515.2, 0.1, 0.001),
    ("SYNXRP", 0.6104, 0.0001, 1.0),
    ("SYNADA", 0.3472, 0.0001, 0.1),
    ("SYNDOGE", 0.10516, 0.00001, 1.0),
    ("SYNDOT", 4.684, 0.001, 0.01),
];

/// In 10^-8, where steps add up exactly.
fn e8(number: f64) -> i64 {
    (number * 1e8).round() as i64
}

pub struct Symbol {
    name: String,
    price_e8: i64,
    step_e8: i64,
    lot_e8: i64,
    lowest_e8: i64,
    next_id: i64,
}

impl Symbol {
    /// The symbol of that index; beyond the listed ones, more of the same with a number. Without a first id the seed
    /// gives it.
    pub fn new(index: usize, random: &dyn Random, first_id: Option<i64>) -> Self {
        let (name, price, step, lot) = LISTED[index % LISTED.len()];
        let (price_e8, step_e8, lot_e8) = (e8(price), e8(step), e8(lot));
        let name = match index / LISTED.len() {
            0 => name.to_owned(),
            round => format!("{name}{round}"),
        };
        // Drawn in any case: what is drawn after it does not depend on how ids begin.
        let drawn = 1 + random.below(1_000_000_000) as i64;
        let next_id = first_id.unwrap_or(drawn);
        Self { name, price_e8, step_e8, lot_e8, lowest_e8: price_e8 / 100, next_id }
    }

    /// The same after a trade that an earlier run has sent.
    pub fn following(self, last: Last) -> Self {
        let price_e8 = last.price_e8.max(self.lowest_e8);
        Self { price_e8, next_id: last.id.saturating_add(1), ..self }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// A price that is `times` the first one, in whole steps, 10^-8.
    pub fn near(&self, times: f64) -> i64 {
        let steps = (self.price_e8 as f64 * times / self.step_e8 as f64).round() as i64;
        (steps * self.step_e8).max(self.step_e8)
    }

    /// A quantity of so many steps, 10^-8.
    pub fn quantity(&self, lots: u64) -> i64 {
        self.lot_e8 * lots as i64
    }

    /// The next trade. `hectic`: in a burst the price moves in larger steps.
    pub fn trade(&mut self, event_us: i64, hectic: bool, random: &dyn Random) -> Trade<'_> {
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
