//! Prints the reference of the manifest's keys, `docs/manifest.md`; with `schema`, their JSON schema,
//! `docs/manifest.schema.json`.

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("schema") => print!("{}", tallow_manifest::json_schema()),
        _ => print!("{}", tallow_manifest::reference()),
    }
}
