//! What goes wrong: on the wire, and in what the log says of it.

use std::{
    io::{self, Read},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use coralogix_incidents_emulator::{Answer, Emulator, Fault, FaultBody};
use serde_json::json;

use crate::connection::{PATIENCE, Reply, Request, post, request, unassign, wait_until};

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
        unassign(&emulator, "incident_id_1").send().expect(503),
        json!({ "code": 14, "message": "service unavailable", "details": [] })
    );
    assert_eq!((is_assigned(&emulator), last_answer(&emulator)), (true, Answer::Status(503)));
    let path = "/5/incidents/incidents/v1/all/resolve";
    assert_eq!(post(&emulator, path, &json!({})).expect(503)["code"], 503);
    let emulator = with(Fault::status(504).after_effect()).await;
    unassign(&emulator, "incident_id_1").send().expect(504);
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
        let reply = unassign(&emulator, "incident_id_1").newer().send();
        assert_eq!(reply.status, 403);
        assert!(reply.body.contains(expected) && reply.body.is_empty() == expected.is_empty(), "{}", reply.body);
        assert_eq!(reply.headers.get("content-type").map_or("", String::as_str), content_type);
    }
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date() {
    let wait = Duration::from_millis(1500);
    let emulator = with(Fault::status(429).with_retry_after(wait)).await;
    assert_eq!(unassign(&emulator, "incident_id_1").send().headers["retry-after"], "2", "rounded up");
    let emulator = with(Fault::status(429).with_retry_after_date(Duration::from_secs(90))).await;
    let before = Utc::now();
    let date = unassign(&emulator, "incident_id_1").send().headers["retry-after"].clone();
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
    unassign(&emulator, "incident_id_1").send().expect(200);
    assert!(began.elapsed() >= Duration::from_millis(80), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_delay_holds_back_the_answer_and_not_the_effect() {
    let emulator = with(Fault::delay(Duration::MAX)).await;
    let client = unassign(&emulator, "incident_id_1").open().unwrap();
    wait_until("it has an effect", || !is_assigned(&emulator));
    assert_eq!(last_answer(&emulator), Answer::Pending);
    drop(client);
    assert!(!is_assigned(&emulator), "also when the client has given up");
}

#[tokio::test]
async fn a_response_is_cut_off_where_the_fault_says() {
    let reset = Some(io::ErrorKind::ConnectionReset);
    let (lost, broken) = (Answer::Lost, Answer::Broken(200));
    // The fault, how many bytes of the body arrive, how the connection ends, the answer in the log, and the effect.
    let cases = [
        (Fault::reset(), None, reset, lost, false),
        (Fault::reset().after_effect(), None, reset, lost, true),
        (Fault::lost_reply(), None, None, lost, true),
        (Fault::reset_after(100), Some(100), reset, broken, true),
        (Fault::truncate(0), Some(0), None, broken, true),
        (Fault::truncate(100), Some(100), None, broken, true),
        (Fault::truncate(1).before_effect(), Some(1), None, broken, false),
        // A chunk with its length and its end, and no last chunk.
        (Fault::truncate_chunked(100), Some("64\r\n".len() + 100 + "\r\n".len()), None, broken, true),
    ];
    for (fault, sent, end, answer, has_effect) in cases {
        let emulator = with(fault.clone()).await;
        let (received, ended) = until_end(&unassign(&emulator, "incident_id_1"));
        let head_and_body = received.split_once("\r\n\r\n");
        assert_eq!(head_and_body.map(|(_, body)| body.len()), sent, "{fault}: {received}");
        assert_eq!(ended.err().map(|problem| problem.kind()), end, "{fault}");
        assert_eq!((is_assigned(&emulator), last_answer(&emulator)), (!has_effect, answer), "{fault}");
        assert_eq!(emulator.requests()[0].changed.len(), usize::from(has_effect), "{fault}");
        if let Some((head, body)) = head_and_body {
            let chunked = fault == Fault::truncate_chunked(100);
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            assert!(
                head.starts_with("HTTP/1.1 200") && head.contains("transfer-encoding: chunked") == chunked,
                "{head}"
            );
            assert_eq!(length.is_none_or(|length| body.len() >= length.parse().unwrap()), chunked, "{fault}: {head}");
        }
    }
    let emulator = with(Fault::truncate(1_000_000)).await;
    let (received, _) = until_end(&unassign(&emulator, "incident_id_1"));
    assert!(received.contains("content-length: 1000001\r\n") && received.ends_with('}'), "all of it, and not enough");
}

#[tokio::test]
async fn a_repetition_after_a_lost_reply_finds_the_change_made() {
    let emulator = with(Fault::lost_reply().times(1)).await;
    until_end(&unassign(&emulator, "incident_id_1")).1.unwrap();
    unassign(&emulator, "incident_id_1").send().expect(200);
    let changed = emulator.requests().into_iter().map(|request| request.changed.len()).collect::<Vec<_>>();
    assert_eq!(changed, [1, 0]);
}

#[tokio::test]
async fn stalls_keep_the_connection_open_without_a_response() {
    for (fault, part) in [(Fault::stall_headers(), None), (Fault::stall_body(100), Some(100))] {
        let emulator = with(fault).await;
        let mut stream = unassign(&emulator, "incident_id_1").open().unwrap();
        let answer = if part.is_some() { Answer::Broken(200) } else { Answer::Lost };
        wait_until("it is answered", || emulator.requests().last().is_some_and(|request| request.answer == answer));
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
    unassign(&emulator, "incident_id_1").send().expect(200);
    std::thread::sleep(Duration::from_millis(1050));
    assert_eq!(get(&emulator).status, 200);
}

fn statuses(emulator: &Emulator, count: usize) -> Vec<u16> {
    (0..count).map(|_| unassign(emulator, "incident_id_1").send().status).collect()
}

#[tokio::test]
async fn faults_choose_their_requests() {
    let unavailable = || Fault::status(503);
    let cases: [(&[Fault], &[u16]); 5] = [
        (&[unavailable().on("unassignIncidents").nth(2)], &[200, 503, 200, 200]),
        (&[unavailable().times(2)], &[503, 503, 200, 200]),
        (&[unavailable().nth(2).times(2)], &[200, 503, 503, 200, 200]),
        (&[unavailable().on("closeIncidents")], &[200, 200]),
        // The first of several applies.
        (&[Fault::status(500).nth(1), Fault::status(502)], &[500, 502, 502]),
    ];
    for (faults, expected) in cases {
        let emulator = Emulator::start().await.unwrap();
        for fault in faults {
            emulator.inject(fault.clone()).unwrap();
        }
        assert_eq!(statuses(&emulator, expected.len()), expected, "{faults:?}");
        emulator.clear_faults();
        assert_eq!(statuses(&emulator, 1), [200]);
    }
    let emulator = with(unavailable().on("unassignIncidents").nth(1)).await;
    request(&emulator, "GET", "/v1/incidents/incident_id_1").send().expect(200);
    assert_eq!(statuses(&emulator, 1), [503], "other operations are not counted");
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
fn faults_are_read_as_they_are_written() {
    let (seconds, unavailable) = (Duration::from_secs, || Fault::status(503));
    let cases = [
        ("unassignIncidents:503:p=0.1", unavailable().on("unassignIncidents").probability(0.1)),
        ("*:429:nth=3:times=2:retry-after=2s", Fault::status(429).with_retry_after(seconds(2)).nth(3).times(2)),
        ("*:429:retry-after-date=1m", Fault::status(429).with_retry_after_date(seconds(60))),
        ("*:503", unavailable().with_body(FaultBody::Documented)),
        ("*:503:body=error", unavailable().with_body(FaultBody::Error)),
        ("*:503:body=error-message", unavailable().with_body(FaultBody::ErrorMessage)),
        ("*:503:body=detail", unavailable().with_body(FaultBody::Detail)),
        ("*:503:body=html:after-effect", unavailable().with_body(FaultBody::Html).after_effect()),
        ("*:503:body=empty", unavailable().with_body(FaultBody::Empty)),
        ("*:delay=200ms", Fault::delay(Duration::from_millis(200))),
        ("*:delay=0s", Fault::delay(Duration::ZERO)),
        ("*:delay=1ms 500us:before-effect", Fault::delay(Duration::from_micros(1500)).before_effect()),
        ("*:rate=50", Fault::rate_limit(50)),
        ("*:lost", Fault::lost_reply()),
        ("*:lost:before-effect", Fault::lost_reply().before_effect()),
        ("*:reset", Fault::reset()),
        ("*:reset:after-effect", Fault::reset().after_effect()),
        ("*:reset=10", Fault::reset_after(10)),
        ("*:truncate=10:before-effect", Fault::truncate(10).before_effect()),
        ("*:truncate-chunked=10", Fault::truncate_chunked(10)),
        ("*:stall", Fault::stall_headers()),
        ("*:stall=10", Fault::stall_body(10)),
    ];
    for (text, fault) in cases {
        assert_eq!(fault.to_string(), text);
        assert_eq!(text.parse(), Ok(fault), "{text}");
    }
    let text = "*:503:body=text";
    assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
    assert_eq!("*:503:body=json".parse(), Ok(unavailable()));
    let cases = [
        ("", "is not a fault"),
        ("503", "is not a fault"),
        ("*:", "is not a fault"),
        ("*:boom", "is not a fault"),
        (":503", "the operation is missing"),
        ("*:503:p=2", "0 to 1"),
        ("*:503:often", "is not a modifier"),
        ("*:503:body=xml", "the bodies are json, error, error-message, detail, html, empty and text"),
        ("*:delay=long", "is not a duration"),
        ("*:99999", "is not a fault"),
        ("*:700", "200 to 599"),
        ("*:rate=-1", "is not a number"),
        ("*:503:times=0", "0 times"),
        ("*:503:p=0.1:p=0.2", "`p=0.2` repeats"),
        ("*:503:retry-after=1s:retry-after-date=1s", "`retry-after-date=1s` repeats"),
        ("*:503:after-effect:before-effect", "`before-effect` repeats"),
        ("*:reset:body=html", "`body=html` is only allowed for a status"),
        ("*:delay=1s:retry-after=1s", "is only allowed for a status"),
    ];
    for (text, problem) in cases {
        let message = text.parse::<Fault>().unwrap_err().to_string();
        assert!(message.contains(problem), "{text}: {message}");
    }
    for name in
        ["delay=200ms", "rate=50", "lost", "reset", "truncate=", "truncate-chunked=", "stall", "p=", "nth=", "body="]
    {
        assert!(coralogix_incidents_emulator::FAULT_GRAMMAR.contains(name), "{name} is not documented");
    }
}
