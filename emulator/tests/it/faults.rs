//! What goes wrong: on the wire, and in what the log says of it.

use std::{
    io::{self, Read},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use coralogix_incidents_emulator::{Answer, Emulator, Fault, FaultBody};
use serde_json::json;

use crate::raw::{PATIENCE, Reply, Request, post, request};

const PATH: &str = "/v1/incidents:unassign";

fn unassign(emulator: &Emulator) -> Request<'_> {
    request(emulator, "POST", PATH).json(json!({ "incidentIds": ["incident_id_1"] }).to_string())
}

/// What was received until the connection ended, and how it ended: `Ok` in order, `Err` otherwise.
fn until_end(request: &Request<'_>) -> (String, io::Result<()>) {
    let mut bytes = Vec::new();
    let end = request.open().and_then(|mut stream| stream.read_to_end(&mut bytes));
    (String::from_utf8_lossy(&bytes).into_owned(), end.map(drop))
}

async fn with(fault: Fault) -> Emulator {
    Emulator::builder().fault(fault).start().await.unwrap()
}

#[track_caller]
fn is_assigned(emulator: &Emulator) -> bool {
    !emulator.incident("incident_id_1").unwrap().assignments.is_empty()
}

#[track_caller]
fn last_answer(emulator: &Emulator) -> Answer {
    emulator.requests().last().unwrap().answer
}

#[tokio::test]
async fn a_status_replaces_the_answer_and_prevents_the_effect() {
    let emulator = with(Fault::status(503)).await;
    assert_eq!(
        unassign(&emulator).send().expect(503),
        json!({ "code": 14, "message": "service unavailable", "details": [] })
    );
    assert_eq!((is_assigned(&emulator), last_answer(&emulator)), (true, Answer::Status(503)));
    let path = "/5/incidents/incidents/v1/all/resolve";
    assert_eq!(post(&emulator, path, &json!({})).expect(503)["code"], 503);
    let emulator = with(Fault::status(504).after_effect()).await;
    unassign(&emulator).send().expect(504);
    assert!(!is_assigned(&emulator));
    assert_eq!(emulator.requests()[0].changed, ["incident_id_1"]);
}

#[tokio::test]
async fn error_bodies_have_every_shape_that_is_seen_in_practice() {
    let cases: [(FaultBody, &str, &str); 6] = [
        (FaultBody::Error, "application/json", r#"{"error":"forbidden"}"#),
        (FaultBody::ErrorMessage, "application/json", r#"{"error":{"message":"forbidden"}}"#),
        (FaultBody::Detail, "application/json", r#"{"detail":"forbidden"}"#),
        (FaultBody::Text("Not Found: no".to_owned()), "text/plain; charset=utf-8", "Not Found: no"),
        (FaultBody::Html, "text/html", "<h1>403 Forbidden</h1>"),
        (FaultBody::Empty, "", ""),
    ];
    for (kind, content_type, expected) in cases {
        let emulator = with(Fault::status(403).with_body(kind)).await;
        let reply = unassign(&emulator).newer().send();
        assert_eq!(reply.status, 403);
        assert!(reply.body.contains(expected) && reply.body.is_empty() == expected.is_empty(), "{}", reply.body);
        assert_eq!(reply.headers.get("content-type").map_or("", String::as_str), content_type);
    }
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date() {
    let wait = Duration::from_millis(1500);
    let emulator = with(Fault::status(429).with_retry_after(wait)).await;
    assert_eq!(unassign(&emulator).send().headers["retry-after"], "2", "rounded up");
    let emulator = with(Fault::status(429).with_retry_after_date(Duration::from_secs(90))).await;
    let before = Utc::now();
    let date = unassign(&emulator).send().headers["retry-after"].clone();
    let at = DateTime::parse_from_rfc2822(&date).unwrap().to_utc();
    assert!((at - before).num_seconds() >= 88 && (at - Utc::now()).num_seconds() <= 90, "{date}");
}

#[tokio::test]
async fn a_delay_and_the_latency_add_up() {
    let emulator = Emulator::builder()
        .latency(Duration::from_millis(40))
        .fault(Fault::delay(Duration::from_millis(40)))
        .fault(Fault::delay(Duration::from_millis(40)).on("getIncident"))
        .start()
        .await
        .unwrap();
    let began = Instant::now();
    unassign(&emulator).send().expect(200);
    assert!(began.elapsed() >= Duration::from_millis(80), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_delay_holds_back_the_answer_and_not_the_effect() {
    let emulator = with(Fault::delay(Duration::MAX)).await;
    let client = unassign(&emulator).open().unwrap();
    let began = Instant::now();
    while is_assigned(&emulator) {
        assert!(began.elapsed() < PATIENCE, "it has no effect");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(last_answer(&emulator), Answer::Pending);
    drop(client);
    assert!(!is_assigned(&emulator), "also when the client has given up");
}

#[tokio::test]
async fn a_reset_before_the_response_is_a_reset_without_an_effect() {
    let emulator = with(Fault::reset()).await;
    let (received, end) = until_end(&unassign(&emulator));
    assert_eq!(received, "");
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!((is_assigned(&emulator), last_answer(&emulator)), (true, Answer::Lost));
}

#[tokio::test]
async fn a_lost_reply_is_an_effect_without_an_answer() {
    let emulator = with(Fault::lost_reply().times(1)).await;
    let (received, end) = until_end(&unassign(&emulator));
    assert_eq!(received, "");
    end.unwrap();
    assert_eq!((is_assigned(&emulator), last_answer(&emulator)), (false, Answer::Lost));
    assert_eq!(emulator.requests()[0].changed, ["incident_id_1"]);
    unassign(&emulator).send().expect(200);
    assert_eq!(emulator.requests()[1].changed, [""; 0], "the repetition finds it done");
}

#[tokio::test]
async fn a_reset_in_the_middle_comes_after_a_part_of_the_body() {
    let emulator = with(Fault::reset_after(100)).await;
    let (received, end) = until_end(&unassign(&emulator));
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"));
    assert_eq!(body.len(), 100);
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!((is_assigned(&emulator), last_answer(&emulator)), (false, Answer::Broken(200)));
}

#[tokio::test]
async fn a_truncated_body_is_shorter_than_its_content_length() {
    for sent in [0, 100, 1_000_000] {
        let emulator = with(Fault::truncate(sent)).await;
        let (received, end) = until_end(&unassign(&emulator));
        end.unwrap();
        let (head, body) = received.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let length: usize = length.parse().unwrap();
        assert!(body.len() < length && body.len() <= sent, "{} of {length}", body.len());
        assert!(!is_assigned(&emulator));
    }
}

#[tokio::test]
async fn a_truncated_chunked_body_has_no_last_chunk() {
    let emulator = with(Fault::truncate_chunked(100)).await;
    let (received, end) = until_end(&unassign(&emulator));
    end.unwrap();
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("transfer-encoding: chunked") && !head.contains("content-length"));
    assert!(body.starts_with("64\r\n") && body.len() == 4 + 100 + 2, "{body}");
}

#[tokio::test]
async fn stalls_keep_the_connection_open_without_a_response() {
    for (fault, part) in [(Fault::stall_headers(), None), (Fault::stall_body(100), Some(100))] {
        let emulator = with(fault).await;
        let mut stream = unassign(&emulator).open().unwrap();
        let answer = if part.is_some() { Answer::Broken(200) } else { Answer::Lost };
        let began = Instant::now();
        while emulator.requests().last().is_none_or(|request| request.answer != answer) {
            assert!(began.elapsed() < PATIENCE, "it is not answered");
            std::thread::sleep(Duration::from_millis(5));
        }
        let body = |text: &[u8]| String::from_utf8_lossy(text).split_once("\r\n\r\n").map(|(_, body)| body.len());
        let mut received = Vec::new();
        while body(&received) != part {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            received.extend(byte);
        }
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let kind = stream.read(&mut [0; 16]).unwrap_err().kind();
        assert!([io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&kind), "{kind}");
        assert_eq!((is_assigned(&emulator), last_answer(&emulator)), (false, answer));
        // And the emulator ends all the same.
        let began = Instant::now();
        drop(emulator);
        assert!(began.elapsed() < PATIENCE);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        assert!(!matches!(stream.read(&mut [0; 16]), Ok(1..)), "the connection is closed");
    }
}

#[tokio::test]
async fn a_broken_request_before_the_effect_changes_nothing() {
    let emulator = with(Fault::truncate(1).before_effect()).await;
    let (received, _) = until_end(&unassign(&emulator));
    assert!(received.ends_with("\r\n\r\n{"));
    assert!(is_assigned(&emulator));
}

#[tokio::test]
async fn a_rate_limit_allows_its_number_of_requests_per_second() {
    let get = |emulator: &Emulator| request(emulator, "GET", "/v1/incidents/incident_id_1").send();
    // A busy machine may need more than a second for so many: then once more.
    let (emulator, replies) = loop {
        let emulator = with(Fault::rate_limit(5).on("getIncident")).await;
        let began = Instant::now();
        let replies: Vec<Reply> = (0..8).map(|_| get(&emulator)).collect();
        if began.elapsed() < Duration::from_secs(1) {
            break (emulator, replies);
        }
    };
    let statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
    assert_eq!(replies[7].headers["retry-after"], "1");
    unassign(&emulator).send().expect(200);
    std::thread::sleep(Duration::from_millis(1050));
    assert_eq!(get(&emulator).status, 200);
}

fn statuses(emulator: &Emulator, count: usize) -> Vec<u16> {
    (0..count).map(|_| unassign(emulator).send().status).collect()
}

#[tokio::test]
async fn faults_choose_their_requests() {
    let emulator = with(Fault::status(503).on("unassignIncidents").nth(2)).await;
    request(&emulator, "GET", "/v1/incidents/incident_id_1").send().expect(200);
    assert_eq!(statuses(&emulator, 4), [200, 503, 200, 200]);
    let emulator = with(Fault::status(503).times(2)).await;
    assert_eq!(statuses(&emulator, 4), [503, 503, 200, 200]);
    let emulator = with(Fault::status(503).nth(2).times(2)).await;
    assert_eq!(statuses(&emulator, 5), [200, 503, 503, 200, 200]);
    let emulator = with(Fault::status(503).on("closeIncidents")).await;
    assert_eq!(statuses(&emulator, 2), [200, 200]);
}

#[tokio::test]
async fn the_first_of_several_faults_applies() {
    let emulator =
        Emulator::builder().fault(Fault::status(500).nth(1)).fault(Fault::status(502)).start().await.unwrap();
    assert_eq!(statuses(&emulator, 3), [500, 502, 502]);
    emulator.clear_faults();
    emulator.inject(Fault::status(429).times(1)).unwrap();
    assert_eq!(statuses(&emulator, 2), [429, 200]);
}

#[tokio::test]
async fn probability_is_a_matter_of_the_seed() {
    let run = async |seed: u64| {
        let emulator = Emulator::builder().seed(seed).fault(Fault::status(503).probability(0.3)).start().await.unwrap();
        statuses(&emulator, 200)
    };
    let first = run(7).await;
    let failed = first.iter().filter(|status| **status == 503).count();
    assert!((40..=80).contains(&failed), "{failed} of 200");
    assert_eq!(run(7).await, first);
    assert_ne!(run(8).await, first);
}

#[tokio::test]
async fn a_fault_that_can_never_happen_is_refused_with_its_reason() {
    let refused = async |fault: Fault| Emulator::builder().fault(fault).start().await.unwrap_err().to_string();
    let message = refused(Fault::reset().on("unassignIncident")).await;
    assert!(message.contains("`unassignIncident`") && message.contains("unassignIncidents"), "{message}");
    assert!(refused(Fault::status(700)).await.contains("700"));
    assert!(refused(Fault::reset().probability(1.5)).await.contains("0 to 1"));
    assert!(refused(Fault::reset().nth(0)).await.contains("counted from 1"));
    let emulator = Emulator::start().await.unwrap();
    assert!(emulator.inject(Fault::reset().on("nothing")).is_err());
}

#[test]
fn faults_are_written_as_the_program_reads_them() {
    let seconds = Duration::from_secs;
    let cases = [
        ("unassignIncidents:503:p=0.1", Fault::status(503).on("unassignIncidents").probability(0.1)),
        ("*:429:retry-after=2s:nth=3:times=2", Fault::status(429).with_retry_after(seconds(2)).nth(3).times(2)),
        ("*:429:retry-after-date=1m", Fault::status(429).with_retry_after_date(seconds(60))),
        ("*:502:body=html:after-effect", Fault::status(502).with_body(FaultBody::Html).after_effect()),
        ("*:delay=200ms", Fault::delay(Duration::from_millis(200))),
        ("*:rate=50", Fault::rate_limit(50)),
        ("*:lost", Fault::lost_reply()),
        ("*:reset", Fault::reset()),
        ("*:reset=10", Fault::reset_after(10)),
        ("*:truncate=10:before-effect", Fault::truncate(10).before_effect()),
        ("*:truncate-chunked=10", Fault::truncate_chunked(10)),
        ("*:stall", Fault::stall_headers()),
        ("*:stall=10", Fault::stall_body(10)),
    ];
    for (text, fault) in cases {
        assert_eq!(text.parse(), Ok(fault), "{text}");
    }
    for text in
        ["", "503", "*:", "*:boom", "*:503:p=2", "*:503:often", "*:delay=long", "*:99999", "*:700", ":503", "*:rate=-1"]
    {
        assert!(text.parse::<Fault>().is_err(), "{text}");
    }
    let refused = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
    assert!(refused("*:503:times=0").contains("0 times"));
    assert!(refused("*:503:p=0.1:p=0.2").contains("`p=0.2` repeats"));
    assert!(refused("*:503:retry-after=1s:retry-after-date=1s").contains("`retry-after-date=1s` repeats"));
    assert!(refused("*:503:after-effect:before-effect").contains("`before-effect` repeats"));
    assert!(refused("*:reset:body=html").contains("`body=html` is only allowed for a status"));
    assert!(refused("*:delay=1s:retry-after=1s").contains("is only allowed for a status"));
    for name in
        ["delay=200ms", "rate=50", "lost", "reset", "truncate=", "truncate-chunked=", "stall", "p=", "nth=", "body="]
    {
        assert!(coralogix_incidents_emulator::FAULT_GRAMMAR.contains(name), "{name} is not documented");
    }
}
