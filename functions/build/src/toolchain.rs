//! The compiler for wasm32-unknown-unknown: the one in use if it has the target, else Debian's.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::guests::{Guest, Workspace};

const TARGET: &str = "wasm32-unknown-unknown";

/// Where Debian puts the compiler, whatever else comes first in `PATH`.
const DEBIAN_BIN: &str = "/usr/bin";

const MISSING: &str = "no compiler for wasm32-unknown-unknown. Either:\n  \
    rustup target add wasm32-unknown-unknown\n\
    or, on Debian:\n  \
    apt-get install -y --no-install-recommends rustc-web rust-web-src cargo-web lld-19";

/// A compiler that can make core modules.
#[derive(Debug)]
pub enum Toolchain {
    /// The `cargo` and `rustc` in use: the target's standard library is installed.
    WithTarget { cargo: OsString, rustc: OsString },
    /// Debian's packages in `/usr/bin`: no library for the target, but the sources to build it from.
    Debian { linker: PathBuf },
}

impl Toolchain {
    /// The first that is there.
    pub fn find() -> Result<Self> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        if has_target(&rustc) {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            return Ok(Self::WithTarget { cargo, rustc });
        }
        let bin = Path::new(DEBIAN_BIN);
        match find_linker(bin) {
            Some(linker) if bin.join("cargo").exists() && has_sources(&bin.join("rustc")) => {
                Ok(Self::Debian { linker })
            }
            _ => bail!(MISSING),
        }
    }

    /// Compiles a function crate; gives the path of its core module.
    pub fn compile(&self, workspace: &Workspace, guest: &Guest) -> Result<PathBuf> {
        let target_folder = workspace.target.join("guest");
        let locked = workspace.locked.then_some("--locked");
        let status = self
            .cargo(workspace)?
            // `cargo rustc --crate-type`: cargo does no LTO for a library that is also an rlib.
            .args(["rustc", "--package", &guest.name, "--lib", "--crate-type", "cdylib"])
            .args(locked)
            .args(["--profile", "guest", "--target", TARGET, "--target-dir"])
            .arg(&target_folder)
            .arg("--")
            // For this crate alone: those that it depends on are the same for every function, and built once.
            .arg(remap(&workspace.root, "/tallow"))
            .status()
            .with_context(|| format!("cannot run cargo of {self}"))?;
        ensure!(status.success(), "function `{}` does not compile with {self}", guest.name);
        let file = format!("{}.wasm", guest.name.replace('-', "_"));
        Ok(target_folder.join(TARGET).join("guest").join(file))
    }

    /// Cargo with everything that decides the output set, and nothing taken from the caller's environment.
    fn cargo(&self, workspace: &Workspace) -> Result<Command> {
        let mut command = match self {
            Self::WithTarget { cargo, rustc } => {
                let mut command = Command::new(cargo);
                command.env("RUSTC", rustc);
                command
            }
            Self::Debian { linker } => {
                let mut command = Command::new(Path::new(DEBIAN_BIN).join("cargo"));
                command
                    .args(["-Z", "build-std=std,panic_abort"])
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("RUSTC", Path::new(DEBIAN_BIN).join("rustc"))
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .env("PATH", path_with_first(DEBIAN_BIN)?)
                    // `cargo run` has put the libraries of its own compiler here.
                    .env_remove("LD_LIBRARY_PATH")
                    .env_remove("RUSTUP_TOOLCHAIN");
                command
            }
        };
        command
            .current_dir(&workspace.root)
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags()?)
            // Incremental code is cut into other units, and so becomes other bytes.
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTC_WORKSPACE_WRAPPER");
        Ok(command)
    }

    /// The compiler's flags, joined as `CARGO_ENCODED_RUSTFLAGS` wants it.
    fn flags(&self) -> Result<OsString> {
        let mut flags = vec![OsString::from("-Ctarget-feature=+simd128,+bulk-memory")];
        flags.extend(self.remaps()?.iter().map(|(folder, name)| remap(folder, name)));
        Ok(flags.join(OsStr::new("\u{1f}")))
    }

    /// Folders of this machine that may stand in a module (in a panic's location), with the name that
    /// stands there instead.
    fn remaps(&self) -> Result<Vec<(PathBuf, String)>> {
        let mut remaps = Vec::new();
        if let Some(home) = cargo_home() {
            remaps.push((home, "/cargo".to_owned()));
        }
        let rustc = match self {
            Self::WithTarget { rustc, .. } => rustc.clone(),
            Self::Debian { .. } => Path::new(DEBIAN_BIN).join("rustc").into(),
        };
        let sources = sysroot(&rustc)?.join("lib/rustlib/src/rust");
        // The name that the standard library's own build gives its sources.
        let name = format!("/rustc/{}", commit(&rustc)?);
        if let Ok(real) = sources.canonicalize() {
            remaps.push((real, name.clone()));
        }
        remaps.push((sources, name));
        Ok(remaps)
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithTarget { rustc, .. } => write!(f, "{} and its {TARGET} target", rustc.display()),
            Self::Debian { .. } => {
                write!(f, "Debian's {DEBIAN_BIN}/rustc, the standard library built from source")
            }
        }
    }
}

fn remap(folder: &Path, name: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(folder);
    flag.push("=");
    flag.push(name);
    flag
}

fn has_target(rustc: &OsStr) -> bool {
    ask(rustc, &["--print", "target-libdir", "--target", TARGET])
        .is_ok_and(|folder| Path::new(&folder).is_dir())
}

fn has_sources(rustc: &Path) -> bool {
    sysroot(rustc.as_os_str()).is_ok_and(|root| root.join("lib/rustlib/src/rust/library/std").is_dir())
}

fn sysroot(rustc: &OsStr) -> Result<PathBuf> {
    Ok(ask(rustc, &["--print", "sysroot"])?.into())
}

/// The compiler's commit, the same wherever it is installed.
fn commit(rustc: &OsStr) -> Result<String> {
    let version = ask(rustc, &["--version", "--verbose"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: "));
    Ok(commit.unwrap_or("unknown").to_owned())
}

fn ask(rustc: &OsStr, arguments: &[&str]) -> Result<String> {
    let output = Command::new(rustc).args(arguments).output()?;
    ensure!(output.status.success(), "{} {} failed", rustc.display(), arguments.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The newest `wasm-ld` in a folder: Debian's has a version in its name, `wasm-ld-19`.
fn find_linker(bin: &Path) -> Option<PathBuf> {
    let version = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.strip_prefix("wasm-ld")?;
        if name.is_empty() { Some(0) } else { name.strip_prefix('-')?.parse::<u32>().ok() }
    };
    let files = bin.read_dir().ok()?.flatten().map(|entry| entry.path());
    files.filter_map(|path| version(&path).map(|version| (version, path))).max().map(|(_, path)| path)
}

fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

fn path_with_first(folder: &str) -> Result<OsString> {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(PathBuf::from(folder)).chain(std::env::split_paths(&rest)))
        .context("PATH")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_linker_is_taken() {
        let bin = tempfile::tempdir().unwrap();
        assert_eq!(find_linker(bin.path()), None);
        for name in ["wasm-ld-9", "wasm-ld-19", "wasm-ld", "wasm-ld-script", "ld"] {
            std::fs::write(bin.path().join(name), "").unwrap();
        }
        assert_eq!(find_linker(bin.path()), Some(bin.path().join("wasm-ld-19")));
    }

    #[test]
    fn a_compiler_that_is_not_there_has_no_target() {
        assert!(!has_target(OsStr::new("/nowhere/rustc")));
    }
}
