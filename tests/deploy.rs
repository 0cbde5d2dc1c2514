//! `docker-compose.yml` is one that Docker Compose takes.

use std::process::Command;

use tallow_tests::{paths, skip_unless_ci};

const PROFILES: [&str; 3] = ["metrics", "s3", "sql"];

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
