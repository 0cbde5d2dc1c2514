//! What is deployed is what the platforms take: Compose, Kubernetes, SpinKube, wasmCloud, images, the release.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tallow_tests::{paths, python, skip_unless_ci};

const PROFILES: [&str; 3] = ["s3", "sql", "dashboards"];

/// The definitions of SpinKube's and wasmCloud's objects, where they are there: a clone does not have them.
const DEFINITIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/crd");

const KUSTOMIZATIONS: [&str; 2] = ["deploy/kubernetes", "deploy/kubernetes-scaled"];

#[test]
fn docker_compose_accepts_every_profile() {
    let profiles = PROFILES.iter().flat_map(|profile| ["--profile", profile]);
    let config = |program: &str, first: &[&str]| {
        Command::new(program)
            .args(first)
            .args(profiles.clone())
            .arg("config")
            .current_dir(paths::root())
            .output()
    };
    let Ok(output) = config("docker-compose", &[]).or_else(|_| config("docker", &["compose"])) else {
        return skip_unless_ci("docker_compose_accepts_every_profile", "no docker-compose");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let config = String::from_utf8(output.stdout).unwrap();
    let images: Vec<&str> = config.lines().filter_map(|line| line.trim().strip_prefix("image: ")).collect();
    assert!(!images.is_empty());
    for image in images {
        let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag != "latest"), "{image} is not pinned to a version");
    }
}

#[test]
fn what_is_deployed_keeps_to_its_schemas() {
    let test = "what_is_deployed_keeps_to_its_schemas";
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for part in ["kubernetes", "kubernetes-scaled", "spinkube", "wasmcloud", "wasmcloud/.wash"] {
        let before = files.len();
        for entry in fs::read_dir(paths::root().join("deploy").join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.strip_prefix(paths::root()).unwrap().display().to_string();
                files.push((name, path));
            }
        }
        assert!(files.len() > before, "nothing in deploy/{part}");
    }
    for kustomization in KUSTOMIZATIONS {
        let Some(built) = kustomized(test, kustomization) else { return };
        let path = folder.path().join(format!("{}.yaml", kustomization.replace('/', "-")));
        fs::write(&path, built).unwrap();
        files.push((format!("kustomize {kustomization}"), path));
    }
    let Some(said) = validate(test, &files) else { return };
    let text = String::from_utf8(said.stdout).unwrap();
    text.lines().filter(|line| line.starts_with("skipped: ")).for_each(|line| eprintln!("{line}"));
    assert!(said.status.success(), "{text}{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn what_a_cluster_would_refuse_or_take_amiss_is_found() {
    let test = "what_a_cluster_would_refuse_or_take_amiss_is_found";
    let Some(built) = kustomized(test, KUSTOMIZATIONS[0]) else { return };
    let wash = fs::read_to_string(paths::root().join("deploy/wasmcloud/.wash/config.yaml")).unwrap();
    let selector = "matchLabels:\n      app.kubernetes.io/name: tallow";
    let cases = [
        (&built, "replicas: 1", "replica: 1", "'replica' was unexpected"),
        (&built, "replicas: 1", "replicas: one", "'one' is not of type"),
        (&built, "replicas: 1", "replicas: 1\n  replicas: 2", "'replicas' stands twice"),
        (&built, selector, "matchLabels: {}", "selects other pods than these, or all there are"),
        (&built, "serviceName: tallow", "serviceName: tallov", "Service tallov is not there"),
        (
            &built,
            "mountPath: /run/tallow\n          name: run",
            "mountPath: /run/tallow\n          name: ran",
            "volume ran",
        ),
        (&built, "/tallow:0.1.0", "/tallow", "is not pinned to a version"),
        (&wash, "address:", "adress:", "dev.adress: unknown"),
        (&wash, "127.0.0.1:", "0.0.0.0:", "listens beyond this machine"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let broken = cases.iter().enumerate().map(|(index, (text, from, to, _))| {
        assert!(text.contains(from), "{from}");
        let set = if *text == &wash { "" } else { "kustomize " };
        let path = folder.path().join(format!("{index}.yaml"));
        fs::write(&path, text.replace(from, to)).unwrap();
        (format!("{set}case {index}"), path)
    });
    let Some(said) = validate(test, &broken.collect::<Vec<_>>()) else { return };
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(!said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    for (index, (_, _, to, expected)) in cases.iter().enumerate() {
        let found = |line: &str| line.contains(&format!("case {index}: ")) && line.contains(expected);
        assert!(
            text.lines().any(found),
            "{to}: no word of it in\n{text}{}",
            String::from_utf8_lossy(&said.stderr)
        );
    }
}

#[test]
fn images_have_the_version_of_the_program() {
    let version = env!("CARGO_PKG_VERSION");
    let mut seen = 0;
    for file in ["kubernetes/kustomization.yaml", "spinkube/app.yaml", "wasmcloud/workload.yaml"] {
        let text = fs::read_to_string(paths::root().join("deploy").join(file)).unwrap();
        let tags = text.lines().map(str::trim).filter_map(|line| {
            let image = line
                .trim_start_matches("- ")
                .strip_prefix("image: ")
                .and_then(|image| image.rsplit(':').next());
            line.strip_prefix("newTag: ").or(image)
        });
        for tag in tags {
            assert_eq!(tag, version, "{file}");
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn dockerfiles_are_as_hadolint_wants_them() {
    let test = "dockerfiles_are_as_hadolint_wants_them";
    let beside =
        python::with("kubernetes_validate").ok().map(|python| Path::new(&python).with_file_name("hadolint"));
    let hadolint = beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from("hadolint"));
    let said = Command::new(hadolint)
        .args([
            "--no-color",
            "--failure-threshold",
            "warning",
            "Dockerfile",
            "deploy/compose/superset/Dockerfile",
        ])
        .current_dir(paths::root())
        .output();
    let Ok(said) = said else {
        return skip_unless_ci(test, "no hadolint: `scripts/doctor.sh test` brings it");
    };
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
}

#[test]
fn a_release_is_the_same_twice_and_finds_its_functions() {
    let folder = tempfile::tempdir().unwrap();
    let notices = folder.path().join("NOTICES");
    fs::write(&notices, "who made what").unwrap();
    let name = format!("tallow-{}-x86_64-linux", env!("CARGO_PKG_VERSION"));
    let pack = |to: &str| {
        let dist = folder.path().join(to);
        let said = Command::new(paths::root().join("scripts/release.sh"))
            .args([&paths::program("tallow"), &paths::functions(), &notices, &dist])
            .output()
            .unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        dist.join(format!("{name}.tar.gz"))
    };
    let (first, second) = (pack("first"), pack("second"));
    assert!(fs::read(&first).unwrap() == fs::read(&second).unwrap(), "two releases of the same files differ");

    let unpacked = Command::new("tar").arg("-xzf").arg(&first).arg("-C").arg(folder.path()).status().unwrap();
    assert!(unpacked.success());
    let installed = folder.path().join(&name);
    for file in
        ["LICENSE", "NOTICES", "README.md", "share/tallow/parse-market.wasm", "share/tallow/window.wasm"]
    {
        assert!(installed.join(file).is_file(), "{file}");
    }
    // The pods' manifests name components that lie where the release has them.
    for kustomization in KUSTOMIZATIONS {
        let said = Command::new(installed.join("bin/tallow"))
            .args(["check", "--file"])
            .arg(paths::root().join(kustomization).join("spin.toml"))
            .envs(
                ["BROKERS", "LAKE_REGION", "LAKE_ACCESS_KEY", "LAKE_SECRET_KEY"]
                    .map(|it| (variable(it), "any")),
            )
            .env(variable("LAKE"), "s3://lake")
            .env(variable("LAKE_ENDPOINT"), "http://localhost:9000")
            .env("XDG_CACHE_HOME", folder.path())
            .output()
            .unwrap();
        assert!(said.status.success(), "{kustomization}: {}", String::from_utf8_lossy(&said.stderr));
    }
}

fn variable(name: &str) -> String {
    format!("SPIN_VARIABLE_{name}")
}

/// What a kustomization makes, by kustomize or by kubectl, which has it inside.
fn kustomized(test: &str, folder: &str) -> Option<String> {
    let run = |program: &str, command: &str| {
        Command::new(program).args([command, folder]).current_dir(paths::root()).output()
    };
    let Ok(said) = run("kustomize", "build").or_else(|_| run("kubectl", "kustomize")) else {
        skip_unless_ci(test, "no kustomize: `scripts/doctor.sh test` brings it");
        return None;
    };
    assert!(said.status.success(), "{folder}: {}", String::from_utf8_lossy(&said.stderr));
    Some(String::from_utf8(said.stdout).unwrap())
}

/// What `validate.py` says of files, each with the name that it goes by.
fn validate(test: &str, files: &[(String, PathBuf)]) -> Option<Output> {
    let python = match python::with("kubernetes_validate") {
        Ok(python) => python,
        Err(why) => {
            skip_unless_ci(test, &why);
            return None;
        }
    };
    let definitions = if Path::new(DEFINITIONS).exists() { DEFINITIONS } else { "-" };
    let files = files.iter().map(|(name, path)| format!("{name}={}", path.display()));
    let script = paths::root().join("tests/deploy/validate.py");
    Some(Command::new(python).arg(script).arg(definitions).args(files).output().unwrap())
}
