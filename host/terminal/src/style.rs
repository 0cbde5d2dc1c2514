//! Lines of styled pieces, cut to a width, painted or not.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether lines carry colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    Plain,
    Ansi,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Normal,
    Strong,
    Dim,
    Good,
    Bad,
    Warn,
}

impl Style {
    /// The SGR code that turns it on.
    fn code(self) -> Option<&'static str> {
        match self {
            Style::Normal => None,
            Style::Strong => Some("1"),
            Style::Dim => Some("2"),
            Style::Good => Some("32"),
            Style::Bad => Some("31"),
            Style::Warn => Some("33"),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pieces: Vec<(String, Style)>,
    width: usize,
}

impl Line {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, text: &str, style: Style) {
        self.width += text.width();
        self.pieces.push((text.to_owned(), style));
    }

    /// Columns that it takes.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Blanks up to a column.
    pub fn pad_to(&mut self, column: usize) {
        if column > self.width {
            let blanks = " ".repeat(column - self.width);
            self.push(&blanks, Style::Normal);
        }
    }

    /// The line's text, cut to `width` columns, without blanks at its end.
    pub fn paint(&self, width: usize, palette: Palette) -> String {
        let mut text = String::new();
        let mut left = width;
        let end =
            self.pieces.iter().rposition(|(text, _)| !text.trim_end().is_empty()).map_or(0, |last| last + 1);
        for (at, (piece, style)) in self.pieces[..end].iter().enumerate() {
            let piece = if at + 1 == end { piece.trim_end() } else { piece };
            let piece = cut(piece, left);
            left -= piece.width();
            match style.code() {
                Some(code) if palette == Palette::Ansi && !piece.is_empty() => {
                    text.push_str(&format!("\x1b[{code}m{piece}\x1b[0m"));
                }
                _ => text.push_str(piece),
            }
        }
        text
    }
}

/// The longest beginning that takes at most `width` columns.
fn cut(text: &str, width: usize) -> &str {
    let mut used = 0;
    for (at, letter) in text.char_indices() {
        used += letter.width().unwrap_or(0);
        if used > width {
            return &text[..at];
        }
    }
    text
}

/// Foreign text made harmless and at most `width` columns wide: what could move the cursor or turn the line
/// around is shown as `�`, what is cut ends in `…`.
pub(super) fn harmless(text: &str, width: usize) -> String {
    let directs = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // Marks of no width could make a short text endless.
    let most = width.saturating_mul(4);
    let shown: String = text
        .chars()
        .take(most)
        .map(|letter| if letter.is_control() || directs(letter) { '\u{fffd}' } else { letter })
        .collect();
    if shown.width() <= width && text.chars().nth(most).is_none() {
        return shown;
    }
    format!("{}…", cut(&shown, width.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_painted_line_has_the_text_of_a_plain_one() {
        let mut line = Line::new();
        line.push("BTC", Style::Strong);
        line.pad_to(6);
        line.push("60,123.12", Style::Good);
        assert_eq!(line.paint(80, Palette::Plain), "BTC   60,123.12");
        assert_eq!(line.paint(80, Palette::Ansi), "\x1b[1mBTC\x1b[0m   \x1b[32m60,123.12\x1b[0m");
        assert_eq!(line.paint(8, Palette::Ansi), "\x1b[1mBTC\x1b[0m   \x1b[32m60\x1b[0m");
    }

    #[test]
    fn wide_letters_are_not_cut_in_half() {
        let mut line = Line::new();
        line.push("币安人生", Style::Normal);
        assert_eq!(line.width(), 8);
        assert_eq!(line.paint(5, Palette::Plain), "币安");
    }

    #[test]
    fn a_symbol_cannot_command_the_terminal() {
        assert_eq!(harmless("a\x1b[2J\u{202e}b\nc", 20), "a�[2J�b�c");
    }

    #[test]
    fn long_symbols_are_cut_with_an_ellipsis() {
        assert_eq!(harmless("BTCUSDT", 7), "BTCUSDT");
        assert_eq!(harmless("BTCUSDT", 6), "BTCUS…");
        assert_eq!(harmless(&"x".repeat(4096), 5), "xxxx…");
        assert_eq!(harmless("币安人生", 6), "币安…");
        let marks = format!("e{}", "\u{301}".repeat(4096));
        assert!(harmless(&marks, 5).chars().count() <= 22);
    }
}
