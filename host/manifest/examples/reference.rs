//! Prints the reference of the manifest's keys: `docs/manifest.md`.

fn main() {
    print!("{}", tallow_manifest::reference());
}
