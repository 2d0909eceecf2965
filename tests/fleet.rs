//! What a fleet of clients does to a service that is down and comes back. Time is tokio's paused clock and the jitter is seeded,
//! so 11 minutes of 100 clients take seconds and end the same.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    raw::{GOOD, LOOPBACK, Raw, Step, empty, json, response, unassign},
    repository::documented,
};

const CLIENTS: u32 = 100;
const OUTAGE: u64 = 300;
const RECOVERY: u64 = 60;
/// What the server takes a second once it is back; the fleet asks for 100.
const LIMIT: u32 = 120;

/// Requests that arrived in each second.
type Seconds = Arc<Mutex<Vec<u32>>>;

fn server(start: Instant, seconds: &Seconds) -> Raw {
    let seconds = Arc::clone(seconds);
    Raw::answering(LOOPBACK, [], move || {
        let second = start.elapsed().as_secs();
        let mut seconds = seconds.lock().unwrap();
        let index = usize::try_from(second).unwrap();
        if seconds.len() <= index {
            seconds.resize(index + 1, 0);
        }
        seconds[index] += 1;
        match second {
            ..OUTAGE => empty("503 Service Unavailable"),
            _ if seconds[index] > LIMIT => Step::Reply(response("429 Too Many Requests", "retry-after: 1\r\n", "")),
            _ => json("200 OK", GOOD),
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_fleet_makes_an_outage_no_worse_and_a_recovery_no_harder() {
    fastrand::seed(7);
    let start = Instant::now();
    let seconds = Seconds::default();
    let server = server(start, &seconds);
    let asked = Arc::new(Mutex::new((0_u32, 0_u32, 0_u32)));
    let mut fleet = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let client = server.client();
        let asked = Arc::clone(&asked);
        fleet.spawn(async move {
            // One call a second each, spread over the second.
            sleep(Duration::from_millis(u64::from(number) * 10)).await;
            while start.elapsed().as_secs() < OUTAGE + RECOVERY {
                let due = Instant::now() + Duration::from_secs(1);
                let second = start.elapsed().as_secs();
                {
                    let mut asked = asked.lock().unwrap();
                    match second {
                        ..OUTAGE if second >= OUTAGE / 2 => asked.1 += 1,
                        ..OUTAGE => asked.0 += 1,
                        _ => asked.2 += 1,
                    }
                }
                let _ = unassign(&client).await;
                tokio::time::sleep_until(due).await;
            }
        });
    }
    while fleet.join_next().await.is_some() {}

    let (first, second, recovery) = *asked.lock().unwrap();
    let seconds = seconds.lock().unwrap().clone();
    let outage = usize::try_from(OUTAGE).unwrap();
    let sent = |range: std::ops::Range<usize>| seconds[range].iter().sum::<u32>();
    let ratio = |sent: u32, asked: u32| f64::from(sent) / f64::from(asked);
    let whole = ratio(sent(0..outage), first + second);
    let steady = ratio(sent(outage / 2..outage), second);
    let back = ratio(sent(outage..seconds.len()), recovery);
    let peak = seconds[outage..].iter().max().copied().unwrap();
    let worst = seconds[..outage].iter().max().copied().unwrap();
    println!(
        "whole outage {whole:.3}, second half {steady:.3}, recovery {back:.3}, peak {peak}/s of {LIMIT}/s, worst second {worst}"
    );
    documented(
        "fleet.md",
        &format!(
            "| figure | observed | goal |\n| --- | --- | --- |\n\
             | requests sent / calls asked, over the whole outage of {OUTAGE} s | {whole:.2} | at most 1.1 |\n\
             | the same, over its second half, when the budgets are empty | {steady:.2} | at most 1.1 |\n\
             | the same, over the first {RECOVERY} s after it | {back:.2} | at most 1.1 |\n\
             | most requests in one second of the recovery | {peak} | at most the server's limit of {LIMIT} |\n\
             | most requests in one second of the outage | {worst} | 100 calls, up to three attempts each |\n"
        ),
    );
    assert!(whole <= 1.1 && steady <= 1.1 && back <= 1.1, "{whole} {steady} {back}");
    assert!(whole > 1.0, "there were retries at first");
    assert!(peak <= LIMIT, "{peak} requests in a second");
}
