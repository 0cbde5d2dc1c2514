//! Commands that are shown to be typed: with the options that this one was called with, quoted as a shell wants it.

use std::ffi::OsString;

/// Options that say what a command is about, with their short forms.
const SAME: [&str; 4] = ["--file", "-f", "--lake", "--brokers"];

/// Another command on the manifest and lake of this process's own.
pub fn with_same_options(command: &str) -> String {
    let arguments: Vec<String> =
        std::env::args_os().map(OsString::into_string).filter_map(Result::ok).collect();
    let mut words = vec!["tallow".to_owned(), command.to_owned()];
    words.extend(same(arguments.get(1..).unwrap_or_default()));
    typed(&words)
}

/// Words as they are typed.
pub fn typed<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| quoted(word.as_ref())).collect::<Vec<_>>().join(" ")
}

fn same(arguments: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    let mut left = arguments.iter();
    while let Some(word) = left.next() {
        let of_two = SAME.contains(&word.as_str());
        let of_one = word.split_once('=').is_some_and(|(name, _)| SAME.contains(&name));
        if of_two || of_one {
            words.push(word.clone());
            words.extend(left.next().filter(|_| of_two).cloned());
        }
    }
    words
}

/// A word as a shell takes it for one.
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=@%+,".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A text with single quotes in it, as one word that stays readable.
pub fn in_double_quotes(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        if "\"\\$`".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn only_manifest_lake_and_brokers_are_the_same() {
        let called =
            words("--log debug batch -f a.toml daily --lake=s3://b/c --json --brokers k:1 --input x.csv");
        assert_eq!(same(&called), words("-f a.toml --lake=s3://b/c --brokers k:1"));
        assert_eq!(same(&words("batch --lake")), words("--lake"));
        assert!(same(&[]).is_empty());
    }

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        let typed = typed(&["tallow", "status", "--lake", "my lake/it's", ""]);
        assert_eq!(typed, r"tallow status --lake 'my lake/it'\''s' ''");
        assert_eq!(in_double_quotes("from 'a$b' where \"c\""), r#""from 'a\$b' where \"c\"""#);
    }
}
