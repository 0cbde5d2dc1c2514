//! What is sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tallow_http::{Method, Request};

use crate::settings::{Credentials, Database, Server};

/// Writes these lines. Times are in microseconds: that is stated, as servers take or guess another unit otherwise.
pub fn write(server: &Server, lines: String) -> Request {
    let (path, query): (_, Vec<(&str, &str)>) = match &server.database {
        Database::V1 { database, retention_policy } => {
            let policy = retention_policy.as_deref().map(|policy| ("rp", policy));
            ("/write", [("db", database.as_str()), ("precision", "u")].into_iter().chain(policy).collect())
        }
        Database::V2 { org, bucket } => {
            ("/api/v2/write", vec![("org", org), ("bucket", bucket), ("precision", "us")])
        }
        // A write that is taken in part would leave the rest to be found out.
        Database::V3 { database } => (
            "/api/v3/write_lp",
            vec![("db", database), ("precision", "microsecond"), ("accept_partial", "false")],
        ),
    };
    let query: Vec<(String, String)> =
        query.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut request = Request::at(Method::Post, &server.url, path, &query);
    request.body = lines.into();
    request = request.with_header("content-type", "text/plain; charset=utf-8");
    match authorization(server) {
        Some(value) => request.with_header("authorization", value),
        None => request,
    }
}

/// In a header: what stands in a URL, servers and proxies log.
fn authorization(server: &Server) -> Option<String> {
    match (&server.credentials, &server.database) {
        (Credentials::Nothing, _) => None,
        (Credentials::Token(token), Database::V3 { .. }) => Some(format!("Bearer {token}")),
        (Credentials::Token(token), _) => Some(format!("Token {token}")),
        (Credentials::Password { user, password }, _) => {
            Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(database: Database, credentials: Credentials) -> Server {
        let (url, key) = ("http://127.0.0.1:8086".to_owned(), "`influxdb`".to_owned());
        Server { url, database, credentials, batch_points: 1, key }
    }

    fn sent(database: Database, credentials: Credentials) -> (String, String) {
        let request = write(&server(database, credentials), "m f=1i 0".to_owned());
        let authorization = request.headers.iter().find(|(name, _)| name == "authorization");
        (request.url, authorization.map(|(_, value)| value.clone()).unwrap_or_default())
    }

    #[test]
    fn each_version_is_told_the_unit_of_times_in_its_own_words() {
        let database = || "a b&precision=s".to_owned();
        let policy = Some("week".to_owned());
        let (url, authorization) = sent(
            Database::V1 { database: database(), retention_policy: policy },
            Credentials::Password { user: "u".to_owned(), password: "p".to_owned() },
        );
        assert_eq!(url, "http://127.0.0.1:8086/write?db=a+b%26precision%3Ds&precision=u&rp=week");
        assert_eq!(authorization, "Basic dTpw");
        let token = || Credentials::Token("t".to_owned());
        let (url, authorization) =
            sent(Database::V2 { org: "o".to_owned(), bucket: "b/w".to_owned() }, token());
        assert_eq!(url, "http://127.0.0.1:8086/api/v2/write?org=o&bucket=b%2Fw&precision=us");
        assert_eq!(authorization, "Token t");
        let (url, authorization) = sent(Database::V3 { database: "d".to_owned() }, token());
        let query = "db=d&precision=microsecond&accept_partial=false";
        assert_eq!(url, format!("http://127.0.0.1:8086/api/v3/write_lp?{query}"));
        assert_eq!(authorization, "Bearer t");
    }

    #[test]
    fn credentials_are_not_shown() {
        let credentials = Credentials::Password { user: "u".to_owned(), password: "hidden".to_owned() };
        let database = Database::V3 { database: "d".to_owned() };
        assert!(!format!("{:?}", server(database, credentials)).contains("hidden"));
    }
}
