//! Both gateways, of `wasi:http` 0.2 and of 0.3, asked the same: they must answer the same.

use serde_json::Value;

use crate::gateway::{COMPOSED, Gateway, Reply, send};

/// Headers that the gateway gives, whatever the host beneath it adds.
const COMPARED: [&str; 4] = ["content-type", "content-length", "allow", "tallow-function"];

pub struct Gateways([Gateway; 2]);

impl Gateways {
    pub fn start() -> Self {
        Self(COMPOSED.map(Gateway::start))
    }

    pub fn each(&self) -> &[Gateway; 2] {
        &self.0
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], &[])
    }

    pub fn json(&self, path: &str, body: &Value) -> Reply {
        let body = serde_json::to_vec(body).expect("JSON can be written");
        self.post(path, "application/json", &body)
    }

    pub fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Reply {
        self.send("POST", path, &[("content-type", content_type)], body)
    }

    /// The answer of both. It says its length, and has it.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let [one, other] = self.0.each_ref().map(|it| send(&it.address, method, path, headers, body));
        for reply in [&one, &other] {
            let length = reply.header("content-length").parse();
            match method {
                "HEAD" => assert!(length.is_ok_and(|length: usize| length > 0) && reply.body.is_empty()),
                _ => assert_eq!(length, Ok(reply.body.len()), "{method} {path}: {:?}", reply.headers),
            }
        }
        let said = |reply: &Reply| COMPARED.map(|name| reply.header(name).to_owned());
        assert_eq!((one.status, said(&one)), (other.status, said(&other)), "{method} {path}");
        assert!(one.body == other.body, "{method} {path}: {one:?} and {other:?}");
        one
    }
}
