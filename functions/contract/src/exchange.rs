//! What exchanges answer, whatever they are asked for.

#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// `Retry-After` in seconds.
    pub fn retry_after_us(&self) -> Option<u64> {
        let seconds: u64 = self.header("retry-after")?.parse().ok()?;
        Some(seconds.saturating_mul(1_000_000))
    }

    /// Why its status says that it brings nothing; `None` if it may. `said`: what the exchange says in words.
    pub fn trouble(&self, said: impl FnOnce(&[u8]) -> Option<String>) -> Option<Trouble> {
        let said = |body| said(body).unwrap_or_else(|| excerpt(body));
        Some(match self.status {
            200 => return None,
            418 | 429 => Trouble::Again(format!(
                "it was asked too often (status {}): {}",
                self.status,
                said(&self.body)
            )),
            400 | 401 | 404 | 410 | 451 => {
                Trouble::Never(format!("status {}: {}", self.status, said(&self.body)))
            }
            status => Trouble::Again(format!("status {status}: {}", said(&self.body))),
        })
    }
}

/// What an answer says about how fast may be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Pace {
    /// What has been used of the exchange's allowance in its current period.
    pub used_weight: Option<u32>,
    /// Ask nothing before that long, in microseconds.
    pub wait_us: Option<u64>,
    /// The exchange has shut its door.
    pub banned: bool,
}

/// Why an answer brings nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The same request may work later.
    Again(String),
    /// The same request will never work.
    Never(String),
}

/// The beginning of a text from outside, fit to be shown.
pub fn excerpt(text: &[u8]) -> String {
    const LONGEST: usize = 120;
    let shown = String::from_utf8_lossy(&text[..text.len().min(LONGEST)]);
    let shown: String = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.len() > LONGEST { format!("{shown}…") } else { shown }
}
