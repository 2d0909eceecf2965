//! The client against servers of bytes: what it sends, how it retries, what it refuses, and that it never shows the key.

use std::time::Duration;

use coralogix_incidents::{
    ApiGeneration, ApiKey, CallOptions, Client, ClientBuilder, ConfigErrorKind, Effect, Error, ErrorKind, Region,
    RetryBudget, RetryPolicy, TransportErrorKind,
    types::{AssignIncidentsRequest, UnassignIncidentsRequest, UserDetails},
};
use futures::Stream;
use tokio::time::Instant;

use crate::scripted_server::{KEY, ScriptedServer, Step, empty, json, once, response, unassign};

/// The beginning of an application's own HTTP client. reqwest's features come from the SDK here, which brings rustls without
/// a provider for the whole process, so the application has to install one.
fn own() -> reqwest::ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

#[tokio::test]
async fn a_call_is_sent_as_documented() {
    let server = ScriptedServer::start([]);
    let client = server.builder().user_agent_suffix("my-service/1.2").connect_timeout(Duration::from_secs(9));
    let client = client.build().unwrap();
    let request = UnassignIncidentsRequest::new(["incident_id_1", "incident_id_2"]);
    let response = client.unassign_incidents(&request).await.unwrap();
    let sent = &server.requests()[0];
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"incidentIds":["incident_id_1","incident_id_2"]}"#);
    assert!(head.starts_with("POST /mgmt/openapi/v1/incidents:unassign HTTP/1.1\r\n"), "{head}");
    let manifest = crate::repository::read("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"')).unwrap();
    for header in [
        format!("authorization: Bearer {KEY}"),
        "content-type: application/json".to_owned(),
        "accept: application/json".to_owned(),
        format!("user-agent: coralogix-incidents-rust/{version} my-service/1.2"),
        "x-cx-sdk-language: rust".to_owned(),
        format!("x-cx-sdk-version: {version}"),
        format!("x-cx-correlation-id: {}", response.correlation_id()),
    ] {
        assert!(head.lines().any(|line| line == header), "{header} is not in\n{head}");
    }
    assert!(!head.contains("api-version"), "a header of progenitor's that the service does not know");
    assert_eq!((response.attempts(), response.status().as_u16()), (1, 200));
}

#[tokio::test]
async fn generation_5_sends_ids_in_the_query() {
    let server = ScriptedServer::start([]);
    let client = server.builder().api_generation(ApiGeneration::V5).build().unwrap();
    let request = UnassignIncidentsRequest::new(["a", "b;c d"]);
    client.unassign_incidents(&request).await.unwrap();
    let sent = &server.requests()[0];
    let expected =
        "DELETE /mgmt/openapi/5/incidents/incidents/v1/all/by-user?incident_ids=a&incident_ids=b%3Bc+d HTTP/1.1\r\n";
    assert!(sent.starts_with(expected), "{sent}");
    assert!(sent.ends_with("\r\n\r\n"), "no body: {sent}");
    assert_eq!(client.api_generation(), Some(ApiGeneration::V5));
}

#[tokio::test]
async fn a_post_without_a_body_has_the_content_type_json() {
    let server = ScriptedServer::start([json("200 OK", "{}")]);
    server.client().batch_get_incident(&["a".to_owned(), "b&c".to_owned()]).await.unwrap();
    let sent = &server.requests()[0];
    assert!(sent.starts_with("POST /mgmt/openapi/v1/incidents:batchGet?ids=a&ids=b%26c HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("content-type: application/json\r\n"), "{sent}");
    assert!(sent.contains("content-length: 0\r\n"), "{sent}");
}

#[tokio::test]
async fn a_request_that_breaks_a_limit_is_refused_before_anything_is_sent() {
    let server = ScriptedServer::start([]);
    let client = server.client();
    let unassign = async |ids: &[&str]| {
        let request = UnassignIncidentsRequest::new(ids.iter().copied());
        client.unassign_incidents(&request).await.unwrap_err()
    };
    assert_eq!(unassign(&[]).await.to_string(), "`incidentIds` is empty: give at least 1");
    assert_eq!(unassign(&["a", " \t"]).await.to_string(), "`incidentIds[1]` is blank");
    let assign = AssignIncidentsRequest::default().with_assigned_to(UserDetails::new("u"));
    let error = client.assign_incidents(&assign).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    let nobody = AssignIncidentsRequest::default().with_incident_ids(["a"]);
    assert_eq!(client.assign_incidents(&nobody).await.unwrap_err().to_string(), "`assignedTo.userId` is blank");
    for (id, problem) in [
        ("a/b", "contains `/`"),
        ("a:b", "contains `:`"),
        ("", "is blank"),
        ("a b", "contains white space"),
        ("..", "is a relative path segment"),
    ] {
        let error = client.get_incident(id).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("`id` {problem}")), "{error}");
    }
    let event = client.get_incident_by_event_id(&"e".repeat(65)).await.unwrap_err();
    assert_eq!(event.to_string(), "`event_id` is longer than 64 characters");
    let many: Vec<String> = (0..400).map(|n| format!("00000000-0000-0000-0000-{n:012}")).collect();
    let error = client.batch_get_incident(&many).await.unwrap_err();
    assert!(error.to_string().contains("the URL would be 16") && error.to_string().contains("bulk"), "{error}");
    assert_eq!((error.attempts(), error.effect(), error.correlation_id()), (0, Effect::None, None));
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_transient_fault_is_not_seen_by_the_caller() {
    let server = ScriptedServer::start([empty("503 Service Unavailable"), Step::Reset(vec![])]);
    let response = unassign(&server.client()).await.unwrap();
    assert_eq!(response.attempts(), 3);
    let id = format!("\r\nx-cx-correlation-id: {}\r\n", response.correlation_id());
    assert!(server.requests().iter().all(|request| request.contains(&id)), "one id for the whole call");
}

#[tokio::test(start_paused = true)]
async fn the_total_timeout_ends_a_call_wherever_it_is() {
    let server = ScriptedServer::start(vec![Step::Stall(vec![]); 3]);
    let client = server.builder().timeout(Duration::from_secs(20)).build().unwrap();
    let start = Instant::now();
    let error = unassign(&client).await.unwrap_err();
    assert!(error.is_timeout() && error.attempts() == 2, "15 s of read timeout, then what is left: {error}");
    assert!((19.9..=20.1).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());

    let start = Instant::now();
    let short = client.with_options(CallOptions::default().with_timeout(Duration::from_secs(2)));
    assert!(unassign(&short).await.unwrap_err().is_timeout());
    assert!((1.9..=2.1).contains(&start.elapsed().as_secs_f64()), "per call: {:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_longest_timeouts_are_longer_than_any_call() {
    let server = ScriptedServer::start([Step::Stall(vec![])]);
    let builder = server.builder().timeout(Duration::MAX).attempt_timeout(Duration::MAX).read_timeout(Duration::MAX);
    let years = Duration::from_secs(60 * 60 * 24 * 365 * 29);
    let call = async { unassign(&builder.build().unwrap()).await };
    tokio::time::timeout(years, call).await.expect_err("the call is still waiting");
}

#[tokio::test(start_paused = true)]
async fn the_read_timeout_works_with_an_applications_client() {
    let begun = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{".to_vec();
    for silence in [Step::Stall(vec![]), Step::Stall(begun)] {
        let server = ScriptedServer::start(vec![silence; 2]);
        let builder = server.builder().read_timeout(Duration::from_secs(3));
        for builder in [builder.clone(), builder.http_client(own().build().unwrap())] {
            let start = Instant::now();
            let error = unassign(&builder.build().unwrap().with_options(once())).await.unwrap_err();
            assert!(error.is_timeout(), "{error}");
            assert!((2.9..=3.1).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_retry_policy_is_a_value_for_a_client_and_for_a_call() {
    let server = ScriptedServer::start(vec![empty("503 Service Unavailable"); 100]);
    let client = server.builder().retry_policy(RetryPolicy::default().with_max_attempts(5)).build().unwrap();
    assert_eq!(unassign(&client).await.unwrap_err().attempts(), 5);
    assert_eq!(unassign(&client.with_options(once())).await.unwrap_err().attempts(), 1);
    assert_eq!(unassign(&client).await.unwrap_err().attempts(), 5, "the client itself is as it was");
}

#[tokio::test(start_paused = true)]
async fn clones_share_a_budget_that_ends_retries_in_an_outage() {
    let server = ScriptedServer::start(vec![empty("503 Service Unavailable"); 1000]);
    let client = server.builder().retry_budget(RetryBudget::with_capacity(25)).build().unwrap();
    // 25 tokens pay for five retries.
    for attempts in [3, 3, 2, 1, 1] {
        assert_eq!(unassign(&client.clone()).await.unwrap_err().attempts(), attempts);
    }
    assert_eq!(client.retry_budget().available(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_costs_more_after_a_timeout() {
    for (step, cost) in [(Step::Reset(vec![]), 5), (empty("503 Service Unavailable"), 5), (Step::Stall(vec![]), 10)] {
        // The second failure is not retried, so that nothing is given back.
        let server = ScriptedServer::start([step, empty("400 Bad Request")]);
        let client = server.client();
        let before = client.retry_budget().available();
        assert_eq!(unassign(&client).await.unwrap_err().attempts(), 2);
        assert_eq!(before - client.retry_budget().available(), cost);
    }
}

#[tokio::test]
async fn one_more_header_for_one_call_but_never_another_key() {
    let server = ScriptedServer::start([]);
    let options = CallOptions::default()
        .with_header("x-team".parse().unwrap(), "night shift".parse().unwrap())
        .with_header("authorization".parse().unwrap(), "Bearer other".parse().unwrap());
    unassign(&server.client().with_options(options)).await.unwrap();
    let sent = &server.requests()[0];
    assert!(sent.contains("x-team: night shift\r\n") && sent.contains(KEY) && !sent.contains("other"), "{sent}");
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_the_client_usable() {
    let server =
        ScriptedServer::start(vec![Step::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()); 50]);
    let client = server.client();
    for step in 0..50_u64 {
        let _ = tokio::time::timeout(Duration::from_micros(40 * step), unassign(&client)).await;
    }
    // With more and more patience: a busy machine needs it.
    for patience in 5.. {
        if server.steps_left() == 0 {
            break;
        }
        let _ = tokio::time::timeout(Duration::from_millis(patience), unassign(&client)).await;
    }
    unassign(&client).await.unwrap();
}

/// Everything that a user could print, with every level of logging on.
#[tokio::test]
async fn the_key_is_never_shown() {
    let log = crate::telemetry::Capture::start();
    // The key as it is, and as a body that is cut shows it.
    let cut = &KEY[..KEY.len() - 1];
    // A proxy that quotes the request, in each kind of body.
    let echo = |status: &str, content: &str| {
        let headers = format!("content-type: {content}\r\nx-echo: {KEY}\r\n");
        Step::Reply(response(status, &headers, &format!("{{\"message\": \"authorization: Bearer {KEY}\"}}")))
    };
    let mut shown = String::new();
    for step in [
        echo("400 Bad Request", "application/json"),
        echo("500 Internal Server Error", "text/plain"),
        echo("307 Temporary Redirect", "text/plain"),
        Step::Reply(response("302 Found", &format!("location: https://x.example/{KEY}\r\n"), "")),
        Step::Reply(response("401 Unauthorized", "", &format!("{{\"message\": \"no key {cut}"))),
        Step::Reply(response("200 OK", &format!("content-encoding: {KEY}\r\n"), "{}")),
        json("200 OK", &format!("\"{KEY}\"")),
        json("200 OK", &format!("{{\"{KEY}\": 1, \"incidents\": [{{\"state\": \"{KEY}\"}}, {{\"id\": 7}}]}}")),
        json("200 OK", &format!("<{}{KEY}", "x".repeat(16 * 1024 - 10))),
        Step::Reset(vec![]),
    ] {
        let server = ScriptedServer::start([step]);
        let client = server.client().with_options(once());
        let error = unassign(&client).await.unwrap_err();
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = source {
            shown += &format!("{error} {error:?} {error:#?}\n");
            source = error.source();
        }
        shown += &format!("{client:?} {:?} {:?}", error.body(), error.message());
    }
    let builder = || Client::builder().api_key(ApiKey::new(KEY).unwrap());
    let own = builder().http_client(own().build().unwrap());
    shown += &format!(
        "{own:?} {:?} {:?}",
        own.clone().build(),
        builder().base_url(format!("https://{KEY}@x.example")).build()
    );
    for wrong in [format!("{KEY}\n"), format!("{KEY} "), format!("{KEY}\u{7f}"), format!("ü{KEY}")] {
        let error = ApiKey::new(wrong).unwrap_err();
        shown += &format!("{error} {error:?}");
    }
    let log = log.text();
    assert!(log.contains("unassignIncidents"), "there is something to search: {log}");
    assert!(shown.contains("no key [redacted]"), "the text before the key is kept: {shown}");
    assert!(!shown.contains(cut), "{shown}");
    assert!(!log.contains(cut), "{log}");
}

#[test]
fn an_invalid_key_is_refused_with_the_position_of_the_mistake() {
    let message = |key: &str| ApiKey::new(key).unwrap_err().to_string();
    assert_eq!(message(""), "the API key is empty");
    assert_eq!(message("abc\n"), "the API key has a line break at position 4 of 4: copy the key alone");
    assert_eq!(message("a bc"), "the API key has white space at position 2 of 4: copy the key alone");
    assert_eq!(message("a\u{1}"), "the API key has a control character at position 2 of 2: copy the key alone");
    assert_eq!(message("é"), "the API key has a character outside ASCII at position 1 of 1: copy the key alone");
}

#[test]
fn the_endpoint_is_checked_before_a_key_is_sent_there() {
    let build = |set: fn(ClientBuilder) -> ClientBuilder| {
        let built = set(Client::builder().api_key(ApiKey::new("k").unwrap())).build();
        built.map(|client| client.base_url().to_owned()).map_err(|error| error.to_string())
    };
    for (result, url) in [
        (build(|b| b), "https://api.eu1.coralogix.com/mgmt/openapi"),
        (build(|b| b.region(Region::Ap3)), "https://api.ap3.coralogix.com/mgmt/openapi"),
        (build(|b| b.domain("my-example.com")), "https://api.my-example.com/mgmt/openapi"),
        (build(|b| b.domain("api.example.com")), "https://api.example.com/mgmt/openapi"),
        (build(|b| b.base_url("https://proxy.example/cx/")), "https://proxy.example/cx"),
        (build(|b| b.base_url("http://localhost:8080/mgmt/openapi")), "http://localhost:8080/mgmt/openapi"),
        (build(|b| b.base_url("http://[::1]:1")), "http://[::1]:1"),
        (build(|b| b.base_url("http://10.0.0.1").danger_allow_plain_http()), "http://10.0.0.1"),
    ] {
        assert_eq!(result.as_deref(), Ok(url));
    }
    for (result, part) in [
        (build(|b| b.base_url("http://10.0.0.1")), "http to another machine"),
        (build(|b| b.base_url("http://127.0.0.1.evil.example")), "http to another machine"),
        (build(|b| b.base_url("https://user:pw@x.example")), "contains a user name or a password"),
        (build(|b| b.base_url("https://x.example/?a=b")), "has a query"),
        (build(|b| b.base_url("ftp://x.example")), "is neither https nor http"),
        (build(|b| b.base_url("nonsense")), "is not a URL"),
        (build(|b| b.base_url("https://x.example/mgmt/openapi/3/")), "ends in API generation 3"),
        (build(|b| b.base_url("https://x.example/mgmt/openapi/v1")), "ends in the version of the paths"),
        (build(|b| b.base_url("https://x.example/5").api_generation(ApiGeneration::V1)), "leave one of them off"),
        (build(|b| b.domain("")), "is not a domain"),
        (build(|b| b.domain("evil.example/steal?")), "is not a domain"),
        (build(|b| b.domain("key@evil.example")), "is not a domain"),
        (build(|b| b.user_agent_suffix("a\nb")), "user agent"),
    ] {
        let message = result.expect_err(part);
        assert!(message.contains(part), "{message}");
    }
    assert!(Client::builder().build().unwrap_err().to_string().contains("there is no API key"));
    let unknown = "EU9".parse::<Region>().unwrap_err().to_string();
    assert_eq!(unknown, "unknown region `EU9`: the regions are EU1, EU2, US1, US2, US3, AP1, AP2, AP3");
    for region in Region::ALL {
        assert_eq!(region.as_str().to_lowercase().parse::<Region>().unwrap(), *region);
    }
}

#[tokio::test]
async fn an_http_client_of_the_application_is_used() {
    let server = ScriptedServer::start([]);
    let headers = [("x-own".parse().unwrap(), "yes".parse().unwrap())].into_iter().collect();
    let own = own().default_headers(headers).build().unwrap();
    let client = server.builder().http_client(own).build().unwrap();
    let response = unassign(&client).await.unwrap();
    assert!(server.requests()[0].contains("x-own: yes"));
    let shown = format!("{response:?}");
    assert!(shown.contains("incident_id_1") && !shown.contains("content-type"), "{shown}");
    assert!(shown.contains(&format!("correlation_id: \"{}\"", response.correlation_id())), "{shown}");
}

#[tokio::test]
async fn a_redirect_followed_by_an_applications_client_is_an_error() {
    let login = Step::Reply(response("302 Found", "location: /login?from=here\r\n", ""));
    let server = ScriptedServer::start([login]);
    let following = own().redirect(reqwest::redirect::Policy::default()).build().unwrap();
    let client = server.builder().http_client(following).build().unwrap();
    let error = unassign(&client).await.unwrap_err();
    assert_eq!((error.effect(), error.is_retryable(), server.requests().len()), (Effect::Unknown, false, 2), "{error}");
    assert!(error.to_string().contains("/login, to which"), "{error}");

    let server = ScriptedServer::start([]);
    let https = server.builder().http_client(own().https_only(true).build().unwrap()).build().unwrap();
    let error = unassign(&https).await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidRequest && server.requests().is_empty(), "{error:?}");
}

#[tokio::test]
async fn a_redirect_to_a_closed_port_does_not_prove_that_nothing_was_sent() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let see_other = || Step::Reply(response("303 See Other", &format!("location: http://{closed}/\r\n"), ""));
    let server = ScriptedServer::start([see_other(), see_other(), see_other()]);
    let following = own().redirect(reqwest::redirect::Policy::default()).build().unwrap();
    let client = server.builder().http_client(following).build().unwrap();
    let error = unassign(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport(TransportErrorKind::Connect), "{error:?}");
    assert_eq!((error.effect(), server.requests().len()), (Effect::Unknown, 3), "{error}");
}

#[test]
fn futures_and_clients_are_send_and_sync_and_errors_are_errors() {
    fn send<T: Send>(_: &T) {}
    fn stream<T: Stream + Send + Unpin>(_: &T) {}
    fn all<T: Send + Sync + 'static>() {}
    all::<Client>();
    all::<Error>();
    let client = Client::builder().api_key(ApiKey::new("k").unwrap()).build().unwrap();
    send(&client.get_incident("a"));
    // Callers put a run where streams go.
    stream(&client.bulk().unassign(["a"]));
    send(&client.hand_over("a", "b"));
}

/// rustls looks for root certificates where these variables say, in a process of its own.
#[tokio::test]
async fn only_a_call_over_https_needs_root_certificates() {
    const CHILD: &str = "WITHOUT_ROOT_CERTIFICATES";
    if std::env::var_os(CHILD).is_none() {
        let name = "client::only_a_call_over_https_needs_root_certificates";
        let child = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact"])
            .envs([(CHILD, "1"), ("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/nonexistent")])
            .output();
        let output = child.await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    unassign(&ScriptedServer::start([]).client()).await.unwrap();
    let key = ApiKey::new(KEY).unwrap();
    Client::builder().api_key(key.clone()).base_url("http://example.com").danger_allow_plain_http().build().unwrap();
    let local = Client::builder().api_key(key.clone()).base_url("https://127.0.0.1").build().unwrap();
    assert_eq!(unassign(&local).await.unwrap_err().kind(), ErrorKind::Config(ConfigErrorKind::RootCertificates));
    let client = Client::builder().api_key(key).region(Region::Eu2).build().unwrap();
    assert_eq!(client.base_url(), "https://api.eu2.coralogix.com/mgmt/openapi");
    let error = unassign(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config(ConfigErrorKind::RootCertificates));
    assert_eq!((error.effect(), error.attempts(), error.is_retryable()), (Effect::None, 0, false));
    let shown = format!("{error:?}");
    assert!(shown.contains("no root certificates") && shown.contains("`ca-certificates`"), "{shown}");
    assert!(shown.contains("\n  caused by: "), "{shown}");
}
