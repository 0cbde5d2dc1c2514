//! What the documentation shows works as it stands: manifests resolve, queries run over a lake, commands have the options
//! that they are given. What cannot run here is listed with the reason.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use tallow_manifest::Overrides;
use tallow_tests::duckdb::DuckDb;
use tallow_tests::markdown::{self, Block, blocks, words};
use tallow_tests::{paths, python, skip_unless_ci, tallow};
use tempfile::TempDir;
use toml_edit::{ArrayOfTables, DocumentMut, TableLike};

/// Programs that the pages name and that are not run, each with the reason.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo", "builds the project; its packages and examples are looked up"),
    ("cd", "changes the folder"),
    ("curl", "asks a server that another command has started; its JSON is read"),
    ("docker", "no Docker here: tests/deploy.rs checks what it is given"),
    ("echo", "of the shell"),
    ("flock", "of the operating system"),
    ("influx", "comes with InfluxDB; tests/influxdb.rs asks the server itself"),
    ("kafka-console-consumer.sh", "comes with Kafka; tests/kafka_sink.rs reads the topics"),
    ("kafka-topics.sh", "comes with Kafka; tests/kafka_sink.rs makes the topics"),
    ("kill", "of the shell"),
    ("kubectl", "no cluster here: tests/deploy.rs checks what it is given"),
    ("npm", "tests/languages.rs builds functions in JavaScript"),
    ("pip", "tests/languages.rs builds functions in Python"),
    ("python", "tests/languages.rs builds functions in Python"),
    ("python3", "makes an environment for a benchmark"),
    ("rm", "of the operating system"),
    ("sleep", "of the shell"),
    ("spin", "tests/real_spin.rs runs it where it is installed"),
    ("wash", "tests/real_wash.rs runs it where it is installed"),
];

/// Blocks without a language that are no commands, by how they begin.
const NO_COMMANDS: &[(&str, &str)] = &[
    ("README.md", " tallow candles"),
    ("ARCHITECTURE.md", " Kafka ──►"),
    ("ARCHITECTURE.md", "layer 0 "),
    ("docs/batch.md", " files ─► lines"),
    ("docs/forecast.md", "forecast/daily/000001"),
    ("docs/lake.md", "speed/<pipeline>_<window>"),
    ("docs/live.md", " candidate ──►"),
    ("docs/merge.md", "batch/daily/symbol=…"),
];

/// What completes a part of a manifest: components and variables that the pages name.
const COMPLETION: &str = r#"
[variables]
gateway_token = { default = "t", secret = true }
influxdb_token = { default = "t", secret = true }
kafka_password = { default = "p", secret = true }

[component.backfill-binance]
source = "functions/backfill-binance.wasm"

[component.parse-coinbase]
source = "functions/parse-coinbase.wasm"

[component.parse-mine]
source = "functions/parse-mine.wasm"
"#;

fn of_language(language: &str) -> Vec<Block> {
    let found: Vec<Block> = blocks().into_iter().filter(|block| block.language == language).collect();
    assert!(!found.is_empty(), "no page has a block of {language}");
    found
}

/// Whole manifests that have what parts speak of: minutes alone, and minutes and days with a table that serves them.
fn whole() -> [DocumentMut; 2] {
    let days = fs::read_to_string(paths::root().join("host/src/cli/demo/more.toml")).unwrap();
    let smallest = smallest();
    [format!("{smallest}{COMPLETION}"), format!("{smallest}{days}{COMPLETION}")]
        .map(|text| text.parse().unwrap())
}

/// The manifest that `tallow init` makes.
fn smallest() -> String {
    let folder = TempDir::new().unwrap();
    let market = folder.path().join("market");
    tallow::run(&["init".as_ref(), market.as_os_str()]).success();
    fs::read_to_string(market.join("spin.toml")).unwrap()
}

/// Lays a part of a manifest over a whole one; tables of a list over those of the same place.
fn lay(part: &dyn TableLike, whole: &mut dyn TableLike) {
    for (key, item) in part.iter() {
        let Some(under) = whole.get_mut(key) else {
            whole.insert(key, item.clone());
            continue;
        };
        match (item.as_array_of_tables(), under.as_array_of_tables_mut()) {
            (Some(tables), Some(under)) => lay_each(tables, under),
            _ => match (item.as_table_like(), under.as_table_like_mut()) {
                (Some(table), Some(under)) => lay(table, under),
                _ => *under = item.clone(),
            },
        }
    }
}

fn lay_each(parts: &ArrayOfTables, whole: &mut ArrayOfTables) {
    for (index, part) in parts.iter().enumerate() {
        match whole.get_mut(index) {
            Some(under) => {
                let id = under.get("id").cloned();
                lay(part, under);
                // A part under another name: what speaks of the pipeline still finds it.
                id.into_iter().for_each(|id| drop(under.insert("id", id)));
            }
            None => whole.push(part.clone()),
        }
    }
}

/// As it stands, or after a whole manifest, or laid over one.
fn resolve(block: &str, bases: &[DocumentMut]) -> Result<(), String> {
    let resolved = |text: &str| {
        let (path, folder) = (Path::new("spin.toml"), Path::new("/srv/app"));
        let resolved = tallow_manifest::resolve(text, path, folder, &BTreeMap::new(), &Overrides::default());
        resolved.map(drop).map_err(|errors| format!("{errors}\n{text}"))
    };
    // A window alone is one of a pipeline.
    let pipeline = if block.starts_with("[[trigger.kafka.windows]]") { "[[trigger.kafka]]\n" } else { "" };
    let block = &format!("{pipeline}{block}");
    let part: DocumentMut = block.parse().map_err(|error| format!("{error}"))?;
    if part.contains_key("spin_manifest_version") {
        return resolved(block);
    }
    let over = |base: &DocumentMut| {
        let mut whole = base.clone();
        lay(part.as_table(), whole.as_table_mut());
        whole.to_string()
    };
    let texts = bases.iter().flat_map(|base| [format!("{base}\n{block}"), over(base)]);
    texts.map(|text| resolved(&text)).reduce(|one, other| one.or(other)).unwrap()
}

#[test]
fn every_manifest_of_the_documentation_resolves() {
    let base = whole();
    for block in of_language("toml") {
        resolve(&block.text, &base).unwrap_or_else(|why| panic!("{}: {why}", block.place));
    }
}

#[test]
fn a_part_of_a_manifest_that_is_wrong_does_not_resolve() {
    let error = resolve("[[trigger.kafka]]\ndelai = \"2s\"\n", &whole()).unwrap_err();
    assert!(error.contains("did you mean `delay`?"), "{error}");
}

#[test]
fn the_readmes_smallest_manifest_is_what_init_makes() {
    let readme = fs::read_to_string(paths::root().join("README.md")).unwrap();
    assert!(readme.contains(&smallest()), "the README's manifest is another one");
}

/// The demo's lake: tables of a stream, of a batch, served ones, and dead letters.
struct Lake {
    folder: TempDir,
    duckdb: DuckDb,
}

impl Lake {
    fn make(test: &str) -> Option<Self> {
        let duckdb = DuckDb::find(test)?;
        let folder = TempDir::new().unwrap();
        let lake = folder.path().join("lake").display().to_string();
        let manifest = paths::root().join("spin.toml").display().to_string();
        tallow::run(&["demo", "--seconds", "2", "-f", &manifest, "--lake", &lake]).success();
        Some(Self { folder, duckdb })
    }

    /// `before`: statements that a query needs.
    fn ask(&self, place: &str, before: &str, query: &str) {
        // Counted, since some values want Python packages more.
        let counted = format!("{before} select count(*) from ({query})");
        let rows = self.duckdb.rows_in(self.folder.path(), &counted);
        assert_ne!(rows, [["0"]], "{place}: no row\n{query}");
    }
}

#[test]
fn every_query_of_the_documentation_runs_and_gives_rows() {
    let test = "every_query_of_the_documentation_runs_and_gives_rows";
    let Some(lake) = Lake::make(test) else { return };
    for block in of_language("sql") {
        let statements: Vec<&str> = block.text.split(";\n").filter(|it| !it.trim().is_empty()).collect();
        let (views, queries): (Vec<&str>, Vec<&str>) =
            statements.iter().partition(|it| it.trim_start().to_lowercase().starts_with("create"));
        let before: String = views.iter().map(|it| format!("{it};\n")).collect();
        for query in queries {
            // Each ends a line, or the block.
            lake.ask(&block.place, &before, query.trim().trim_end_matches(';'));
        }
    }
    let mut asked = 0;
    for (place, command) in commands() {
        let words = words(&command);
        if words.first().is_some_and(|program| program == "duckdb") {
            lake.ask(&place, "", &words[2]);
            asked += 1;
        }
    }
    assert!(asked > 0, "no page asks DuckDB");
}

#[test]
fn every_query_of_stream_rows_takes_the_newest_revision() {
    let commands = commands().into_iter().filter(|(_, command)| command.starts_with("duckdb "));
    let blocks = blocks().into_iter().filter(|it| it.language == "sql" || it.language == "python");
    let queries: Vec<(String, String)> = commands.chain(blocks.map(|it| (it.place, it.text))).collect();
    let reads_rows = |text: &str| text.contains("/speed/") && !text.contains("parquet_kv_metadata");
    assert!(queries.iter().filter(|(_, text)| reads_rows(text)).count() >= 4);
    for (place, text) in queries.iter().filter(|(_, text)| reads_rows(text)) {
        assert!(
            text.to_lowercase().contains("revision"),
            "{place} counts a backfilled window twice:\n{text}"
        );
    }
}

/// Every command of every page, with its place.
fn commands() -> Vec<(String, String)> {
    let mut commands = Vec::new();
    for block in blocks().iter().filter(|block| block.language.is_empty()) {
        let is_listed = |(page, begins): &(&str, &str)| block.page == *page && block.text.starts_with(begins);
        if !NO_COMMANDS.iter().any(is_listed) {
            commands.extend(block.commands().into_iter().map(|command| (block.place.clone(), command)));
        }
    }
    for block in blocks().iter().filter(|block| block.language == "cron") {
        // After the five fields of the time.
        let of_line = |line: &str| line.split_whitespace().skip(5).collect::<Vec<_>>().join(" ");
        commands.extend(block.text.lines().map(|line| (block.place.clone(), of_line(line))));
    }
    commands
}

/// The simple commands of a line, each as its words: lists, pipes and subshells taken apart, variables in front left out.
fn simple(command: &str) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    for word in words(command) {
        let ends = word.ends_with(';');
        match word.as_str() {
            "&&" | "||" | "|" | "&" | ";" => found.push(Vec::new()),
            _ => found.last_mut().unwrap().push(word.trim_end_matches(';').to_owned()),
        }
        if ends {
            found.push(Vec::new());
        }
    }
    for words in &mut found {
        let is_variable =
            |word: &String| word.split_once('=').is_some_and(|(name, _)| name == name.to_uppercase());
        let variables = words.iter().take_while(|word| is_variable(word)).count();
        words.drain(..variables);
        if let Some(first) = words.first_mut() {
            *first = first.trim_start_matches('(').to_owned();
        }
        if let Some(last) = words.last_mut() {
            *last = last.trim_end_matches(')').to_owned();
        }
    }
    found.retain(|words| !words.is_empty());
    found
}

#[test]
fn every_command_of_the_documentation_is_one_that_there_is() {
    let mut programs = BTreeSet::new();
    for (place, command) in commands() {
        for words in simple(&command) {
            let program = words[0].rsplit('/').next().unwrap();
            programs.insert(program.to_owned());
            match program {
                "tallow" => takes(&place, &words[1..]),
                "make" => is_target(&place, &words[1..]),
                "docker-compose" => has_profiles(&place, &words[1..]),
                "cargo" => names_examples(&place, &words[1..]),
                "curl" => sends_json(&place, &words[1..]),
                "duckdb" => assert_eq!((words.len(), words[1].as_str()), (3, "-c"), "{place}"),
                other => assert!(
                    NOT_RUN.iter().any(|(known, _)| *known == other),
                    "{place}: `{other}` is neither run nor listed: {command}"
                ),
            }
        }
    }
    let idle: Vec<_> =
        NOT_RUN.iter().map(|(name, _)| *name).filter(|name| !programs.contains(*name)).collect();
    assert!(idle.is_empty(), "listed, and on no page: {idle:?}");
    assert!(programs.contains("tallow") && programs.contains("duckdb"));
}

/// The program knows the command and every option of it: help, asked for at the end, is given.
fn takes(place: &str, arguments: &[String]) {
    // What a shell redirects, and places that a reader fills in.
    let given: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "…").collect();
    let given: Vec<&str> =
        given.split(|word| word.starts_with('>') || *word == "2>&1").next().unwrap().to_vec();
    let asked = tallow::run(&[&given[..], &["--help"]].concat());
    assert!(asked.status.success(), "{place}: tallow {}\n{}", given.join(" "), asked.stderr);
}

fn is_target(place: &str, arguments: &[String]) {
    let makefile = fs::read_to_string(paths::root().join("Makefile")).unwrap();
    let target = arguments.iter().find(|word| !word.contains('=')).unwrap();
    assert!(makefile.lines().any(|line| line.starts_with(&format!("{target}:"))), "{place}: make {target}");
}

fn has_profiles(place: &str, arguments: &[String]) {
    let compose = fs::read_to_string(paths::root().join("docker-compose.yml")).unwrap();
    for pair in arguments.windows(2).filter(|pair| pair[0] == "--profile") {
        assert!(compose.contains(&format!("profiles: [\"{}\"]", pair[1])), "{place}: profile {}", pair[1]);
    }
}

fn names_examples(place: &str, arguments: &[String]) {
    for pair in arguments.windows(2).filter(|pair| pair[0] == "--example") {
        let file = format!("examples/{}.rs", pair[1]);
        let there =
            ["tests", "host/manifest"].iter().any(|folder| paths::root().join(folder).join(&file).exists());
        assert!(there, "{place}: no example `{}`", pair[1]);
    }
}

fn sends_json(place: &str, arguments: &[String]) {
    for pair in arguments.windows(2).filter(|pair| pair[0] == "-d" && !pair[1].starts_with('@')) {
        let read = serde_json::from_str::<serde_json::Value>(&pair[1]);
        assert!(read.is_ok(), "{place}: {}: {}", read.unwrap_err(), pair[1]);
    }
}

#[test]
fn every_json_of_the_documentation_is_json() {
    for block in of_language("json") {
        let read = serde_json::from_str::<serde_json::Value>(&block.text);
        assert!(read.is_ok(), "{}: {}", block.place, read.unwrap_err());
    }
}

/// The page's links: where each leads, and to which heading.
fn links(page: &str) -> Vec<(String, Option<String>)> {
    let text = fs::read_to_string(paths::root().join(page)).unwrap();
    let folder = Path::new(page).parent().unwrap();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let is_ours = |target: &&str| !target.contains("://");
    targets
        .filter(is_ours)
        .map(|target| {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { page.into() } else { folder.join(path).display().to_string() };
            (path, Some(heading.to_owned()).filter(|it| !it.is_empty()))
        })
        .collect()
}

/// Headings as a link names them: lower case, without punctuation, a dash for each space.
fn anchors(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let named = |heading: &str| {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
        kept.map(|it| if it == ' ' { '-' } else { it }).collect()
    };
    headings.map(named).collect()
}

#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    // What `tallow new` makes stands elsewhere.
    let pages = markdown::pages().into_iter().filter(|page| page.ends_with(".md"));
    for page in pages.chain(["CHANGELOG.md".to_owned()]) {
        for (path, heading) in links(&page) {
            let target = paths::root().join(&path);
            assert!(target.exists(), "{page}: no {path}");
            if let Some(heading) = heading {
                assert!(anchors(&target).contains(&heading), "{page}: {path} has no heading `{heading}`");
            }
        }
    }
}

#[test]
fn the_index_lists_every_page() {
    let listed: BTreeSet<String> = links("docs/README.md").into_iter().map(|(path, _)| path).collect();
    for page in markdown::pages().iter().filter(|page| page.starts_with("docs/") && *page != "docs/README.md")
    {
        assert!(listed.contains(page), "docs/README.md does not list {page}");
    }
}

/// What CONTRIBUTING.md says to write in another way.
const NOT_WRITTEN: &[&str] =
    &["anew", "goes on", "is told", "somebody", "whoever", "none where", "of its own", "the books"];

#[test]
fn the_pages_keep_to_the_language_rules() {
    let pages = markdown::pages().into_iter().filter(|page| page.starts_with("docs/"));
    for page in pages.chain(["README.md".to_owned(), "CHANGELOG.md".to_owned()]) {
        let text = fs::read_to_string(paths::root().join(&page)).unwrap();
        // Every second part is inside a fence: what the program prints.
        let prose: String = text.split("```").step_by(2).collect();
        let prose = prose.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        for words in NOT_WRITTEN {
            assert!(!prose.contains(&format!(" {words} ")), "{page}: \"{words}\"");
        }
    }
}

#[test]
fn the_readme_fits_on_a_few_screens() {
    let readme = fs::read_to_string(paths::root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 180, "{} lines: move some to docs", readme.lines().count());
}

/// Spark and pandas are not here: the code is read, and not run.
#[test]
fn every_python_of_the_documentation_is_python() {
    let Ok(python) = python::with("ast") else {
        return skip_unless_ci("every_python_of_the_documentation_is_python", "no Python");
    };
    for block in of_language("python") {
        let read = Command::new(&python)
            .args(["-c", "import ast, sys; ast.parse(sys.argv[1])", &block.text])
            .output()
            .unwrap();
        assert!(read.status.success(), "{}: {}", block.place, String::from_utf8_lossy(&read.stderr));
    }
}

#[test]
fn every_block_is_of_a_kind_that_is_checked() {
    // Of Rust: `the_documentation_shows_the_code_that_is_tested` in tests/new.rs.
    let checked = ["", "toml", "sql", "json", "python", "rust", "cron"];
    for block in blocks() {
        assert!(checked.contains(&block.language.as_str()), "{}: {}", block.place, block.language);
    }
    for (page, begins) in NO_COMMANDS {
        let is_there = markdown::blocks_of(page).iter().any(|block| block.text.starts_with(begins));
        assert!(is_there, "{page}: no block begins with `{begins}`");
    }
}
