//! What is refused is refused before a function is called. What functions answer is tested on the built gateways.

use serde_json::{Value, json};
use tallow_contract::messages::{About, CONTENT_TYPE, MAX_BODY_BYTES, WINDOW_CONTENT_TYPE};

use crate::http::{Request, Response};
use crate::respond;
use crate::route::respond_to;

fn send(method: &str, path: &str, content_type: &str, body: Vec<u8>) -> Response {
    let content_type = Some(content_type.to_owned());
    respond(&Request { method: method.into(), path: path.into(), content_type, body })
}

fn post(path: &str, body: &Value) -> (u16, String) {
    let response = send("POST", path, "application/json; charset=utf-8", serde_json::to_vec(body).unwrap());
    (response.status, error(&response))
}

fn error(response: &Response) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    body["error"].as_str().unwrap_or_default().to_owned()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

#[test]
fn every_answer_says_its_length() {
    for (method, path, content_type) in [
        ("GET", "/", ""),
        ("GET", "/healthz", ""),
        ("GET", "/openapi.json", ""),
        ("GET", "/nothing", ""),
        ("PUT", "/parse", ""),
        ("POST", "/parse", "text/csv"),
        ("POST", "/parse", CONTENT_TYPE),
    ] {
        let response = send(method, path, content_type, Vec::new());
        assert_eq!(header(&response, "content-length"), response.body.len().to_string(), "{method} {path}");
    }
}

#[test]
fn a_wrong_method_path_or_type_is_answered_with_what_would_be_right() {
    let response = send("GET", "/parse", "", Vec::new());
    assert_eq!((response.status, header(&response, "allow")), (405, "POST"));
    let response = send("POST", "/", "", Vec::new());
    assert_eq!((response.status, header(&response, "allow")), (405, "GET, HEAD"));
    let response = send("POST", "/merge", "text/csv", Vec::new());
    assert_eq!(response.status, 415);
    assert!(error(&response).contains(CONTENT_TYPE));
    assert_eq!(send("GET", "/metrics", "", Vec::new()).status, 404);
}

#[test]
fn browsers_are_answered_where_the_gateway_was_built_for_them() {
    let ask = |method: &str, path: &str, origin: Option<&str>| {
        let request = Request { method: method.into(), path: path.into(), ..Request::default() };
        respond_to(&request, origin)
    };
    let here = Some("https://app.example.org");
    let before = ask("OPTIONS", "/parse", here);
    assert_eq!((before.status, header(&before, "content-length")), (204, "0"));
    assert_eq!(header(&before, "access-control-allow-methods"), "GET, HEAD, POST");
    assert_eq!(header(&before, "access-control-allow-headers"), "content-type");
    for (method, path, status) in [("GET", "/healthz", 200), ("GET", "/nothing", 404), ("GET", "/parse", 405)]
    {
        let response = ask(method, path, here);
        assert_eq!(response.status, status);
        assert_eq!(header(&response, "access-control-allow-origin"), "https://app.example.org");
    }
    assert_eq!(ask("OPTIONS", "/parse", None).status, 405);
    assert_eq!(header(&ask("GET", "/healthz", None), "access-control-allow-origin"), "");
}

#[test]
fn a_host_reads_of_the_page_what_it_needs_to_know_of_each_function() {
    let about: About = serde_json::from_slice(&send("GET", "/", "", Vec::new()).body).unwrap();
    let parse = &about.functions[0];
    assert_eq!((parse.label().as_str(), parse.wants_keys), ("fake-parse 1.2.3", true));
    assert_eq!(parse.columns[0].column_type, "decimal");
    assert_eq!(
        (about.functions[1].state_version, &about.functions[1].reads_state_versions[..]),
        (Some(7), &[6, 7][..])
    );
}

#[test]
fn the_description_names_the_paths_that_there_are() {
    let openapi: Value = serde_json::from_slice(&send("GET", "/openapi.json", "", Vec::new()).body).unwrap();
    let page: Value = serde_json::from_slice(&send("GET", "/", "", Vec::new()).body).unwrap();
    let mut described: Vec<String> = Vec::new();
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        described
            .extend(methods.as_object().unwrap().keys().map(|it| format!("{} {path}", it.to_uppercase())));
    }
    let mut listed: Vec<&str> =
        page["paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    described.sort();
    listed.sort_unstable();
    assert_eq!(described, listed);
    assert_eq!(openapi["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(openapi["paths"]["/parse"]["post"]["requestBody"]["content"][CONTENT_TYPE].is_object());
}

#[test]
fn an_unknown_key_or_a_wrong_value_is_named() {
    for (path, body, part) in [
        ("/parse", json!({"records": [], "kindz": []}), "unknown field `kindz`"),
        ("/parse", json!({}), "missing field `records`"),
        (
            "/window",
            json!({"specs": [{"name": "w", "shape": {"tumbling_us": "1m"}, "aggregates": []}]}),
            "\"1m\"",
        ),
        ("/window", json!({"specs": [], "state": "?"}), "`state` is not what a call of this path gave"),
        (
            "/window",
            json!({"specs": [], "rows": [{"kind": "trade", "x": 1}]}),
            "row 0: `x` is none of `columns`",
        ),
        ("/window", json!({"specs": [], "rows": [{}]}), "row 0: `kind` is missing"),
        ("/merge", json!({"inputs": [{"source": "spreadsheet"}]}), "unknown variant `spreadsheet`"),
        (
            "/backfill/plan",
            json!({"options": {"symbol": "A", "interval_us": 1}, "wanted": [{"from": "noon"}]}),
            "\"noon\"",
        ),
    ] {
        let (status, error) = post(path, &body);
        assert_eq!(status, 400, "{path} {body}");
        assert!(error.contains(part), "{path}: {error}");
    }
}

#[test]
fn bytes_that_are_no_message_are_refused() {
    for path in ["/parse", "/window", "/merge", "/backfill/plan", "/backfill/decode"] {
        for body in [vec![], vec![255; 40], vec![0; 3000]] {
            let content_type = if path == "/window" { WINDOW_CONTENT_TYPE } else { CONTENT_TYPE };
            let response = send("POST", path, content_type, body);
            assert_eq!(response.status, 400, "{path}");
            assert!(error(&response).contains("not a message of this path"), "{path}");
        }
    }
}

#[test]
fn more_records_than_one_request_may_have_are_refused() {
    let (status, error) = post("/parse", &json!({"records": vec![1; 100_001]}));
    assert_eq!(status, 413);
    assert!(error.contains("100001 records; one request may have 100000"), "{error}");
    assert_eq!(crate::too_large().status, 413);
    assert!(error_of_too_large().contains(&MAX_BODY_BYTES.to_string()));
}

fn error_of_too_large() -> String {
    error(&crate::too_large())
}
