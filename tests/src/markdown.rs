//! Pages of the documentation, taken apart.

use std::fs;

use crate::paths;

/// A fenced block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Page and line, for people: `docs/lake.md:54`.
    pub place: String,
    pub page: String,
    /// What stands behind the fence: `toml`, `sql` …; nothing for commands and transcripts.
    pub language: String,
    pub text: String,
}

/// The README, what is under `docs/`, and what `tallow new` lays beside a function.
pub fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned(), "ARCHITECTURE.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    for folder in ["docs", "deploy", "functions/template"] {
        under(folder, &mut pages);
    }
    pages.sort();
    pages
}

fn under(folder: &str, pages: &mut Vec<String>) {
    let entries = fs::read_dir(paths::root().join(folder)).expect("a folder of the checkout");
    for entry in entries.map(|entry| entry.expect("an entry")) {
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            under(&path, pages);
        } else if path.ends_with(".md") || path.ends_with("README.md.in") {
            pages.push(path);
        }
    }
}

/// All blocks of all pages.
pub fn blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| blocks_of(page)).collect()
}

pub fn blocks_of(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(paths::root().join(page)).expect("a page of the checkout");
    // What `tallow new` fills in.
    let text = text.replace("{{name}}", "parse-mine");
    let mut blocks = Vec::new();
    let mut open: Option<(usize, Block)> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(language)) => {
                let block = Block {
                    place: format!("{page}:{}", number + 1),
                    page: page.to_owned(),
                    language: language.trim().to_owned(),
                    text: String::new(),
                };
                open = Some((indent, block));
            }
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(_, block)| block)),
            (Some((indent, block)), None) => {
                block.text.push_str(line.get(*indent..).unwrap_or_default());
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{page}: a block is not closed");
    blocks
}

impl Block {
    /// The commands of a block without a language: lines after `$ ` where there are any, else all of them. A line that
    /// ends in `\` or inside quotes continues in the next; comments are left out.
    pub fn commands(&self) -> Vec<String> {
        let is_transcript = self.text.lines().any(|line| line.starts_with("$ "));
        let mut commands = Vec::new();
        let mut open: Option<String> = None;
        for line in self.text.lines() {
            let part = match &open {
                Some(_) => line,
                None if is_transcript => match line.strip_prefix("$ ") {
                    Some(command) => command,
                    None => continue,
                },
                None => line,
            };
            let whole = match open.take() {
                Some(before) => format!("{before}\n{part}"),
                None => part.to_owned(),
            };
            match whole.strip_suffix('\\') {
                Some(first) => open = Some(first.to_owned()),
                None if is_quote_open(&whole) => open = Some(whole),
                None => commands.push(without_comment(&whole)),
            }
        }
        commands.extend(open);
        commands.into_iter().filter(|command| !command.is_empty()).collect()
    }
}

fn is_quote_open(text: &str) -> bool {
    scan(text).1
}

fn without_comment(text: &str) -> String {
    text[..scan(text).0].trim().to_owned()
}

/// Where a comment begins (or the end), and whether a quote is open there.
fn scan(text: &str) -> (usize, bool) {
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if letter == '\'' || letter == '"' => quote = Some(letter),
            None if letter == '#' && before.is_whitespace() => return (at, false),
            None => {}
        }
        before = letter;
    }
    (text.len(), quote.is_some())
}

/// A command's words, as a shell takes it apart: quotes hold words together.
pub fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in command.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => word.get_or_insert_default().push(letter),
            None if letter == '\'' || letter == '"' => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Block {
        let (place, page, language) = ("p:1".to_owned(), "p".to_owned(), String::new());
        Block { place, page, language, text: text.to_owned() }
    }

    #[test]
    fn commands_are_taken_out_of_lists_and_transcripts() {
        let list =
            block("make demo     # all of it\n\ntallow run 'a # b' \\\n  --json\nduckdb -c \"a\n  b\"\n");
        assert_eq!(list.commands(), ["make demo", "tallow run 'a # b' \n  --json", "duckdb -c \"a\n  b\""]);
        let transcript = block("$ tallow status\ncandles: 3\n  it's\n$ echo $?\n0\n");
        assert_eq!(transcript.commands(), ["tallow status", "echo $?"]);
    }

    #[test]
    fn words_are_what_a_shell_makes_of_them() {
        let command = "tallow run 'a b'c --golden='x/*.json' \"\"";
        assert_eq!(words(command), ["tallow", "run", "a bc", "--golden=x/*.json", ""]);
    }
}
