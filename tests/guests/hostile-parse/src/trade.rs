//! A trade in plain words.

/// Places that prices and quantities are kept with.
pub const SCALE: u8 = 8;

#[derive(Default)]
pub struct Trade {
    pub symbol: String,
    pub time_us: i64,
    pub price: i64,
    pub id: i64,
    pub quantity: i64,
}

impl Trade {
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let mut next = || words.next();
        let trade = Self {
            symbol: next()?.to_owned(),
            time_us: next()?.parse().ok()?,
            price: decimal(next()?)?,
            id: next()?.parse().ok()?,
            quantity: decimal(next()?)?,
        };
        next().is_none().then_some(trade)
    }
}

fn decimal(text: &str) -> Option<i64> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{places:0<width$}", width = usize::from(SCALE));
    if places.len() > usize::from(SCALE) { None } else { digits.parse().ok() }
}
