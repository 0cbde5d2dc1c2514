//! The manifest as a tree of values that know where they are written, whatever format it has.

/// Line and column, counted from 1; columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Nowhere, where a default or the command line gave the value.
    pub place: Option<Place>,
    /// The key path as errors show it: `trigger.kafka[candles].delay`.
    pub path: String,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Text),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Datetime,
    /// A value that has been reported already: reading it reports nothing more.
    Broken,
    List(Vec<Node>),
    Table(Table),
}

/// A string and what became of the variables in it.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub text: String,
    /// Whether a variable was put in: such a string may be read as a number or a boolean.
    pub expanded: bool,
    /// Whether a secret variable was put in: such a string is never shown.
    pub secret: bool,
}

/// Entries in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: String,
    pub key_place: Option<Place>,
    pub node: Node,
}

impl Table {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
    }

    /// Puts a text there that no manifest wrote: a default, or what the command line says instead.
    pub fn set_text(&mut self, path: &str, key: &str, text: &str) {
        let node = Node::text(format!("{path}.{key}"), text);
        match self.get_mut(key) {
            Some(old) => *old = node,
            None => self.entries.push(Entry { key: key.to_owned(), key_place: None, node }),
        }
    }
}

/// A table that is not written is read as this one.
pub(crate) static EMPTY_TABLE: Node =
    Node { place: None, path: String::new(), value: Value::Table(Table { entries: Vec::new() }) };

impl Value {
    pub fn text(text: &str) -> Self {
        Self::Text(Text { text: text.to_owned(), expanded: false, secret: false })
    }
}

impl Node {
    pub fn text(path: String, text: &str) -> Self {
        Self { place: None, path, value: Value::text(text) }
    }

    pub fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub fn as_table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// The items of the list under a key; empty if there is no such list.
    pub fn items(&self, key: &str) -> &[Node] {
        match self.find(&[key]).map(|node| &node.value) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// What the value is, as an error says it; never the value itself.
    pub fn what(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Datetime => "a date",
            Value::Broken => "a broken value",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The node at a path of keys, if all of them are there and all but the last are tables.
    pub fn find(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.as_table()?.get(key))
    }
}

impl Text {
    /// The text as an error may quote it: without secrets, nor the password of a URL.
    pub fn shown(&self) -> String {
        let url_with_user = self.text.contains("://") && self.text.contains('@');
        if self.secret || url_with_user {
            return "`***`".to_owned();
        }
        const MOST: usize = 60;
        let mut shown: String = self.text.chars().take(MOST).collect();
        if shown.len() < self.text.len() {
            shown.push('…');
        }
        format!("{shown:?}")
    }
}
