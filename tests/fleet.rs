//! What a fleet of clients does to a service that is down and comes back. Time is tokio's paused clock and the jitter is seeded,
//! so 11 minutes of 100 clients take seconds and end the same.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    repository::documented,
    scripted_server::{GOOD, LOOPBACK, ScriptedServer, Step, empty, json, response, unassign},
};

const CLIENTS: u32 = 100;
const OUTAGE: u64 = 300;
const RECOVERY: u64 = 60;
/// What the server takes a second once it is back; the fleet asks for 100.
const LIMIT: u32 = 120;

/// Requests that arrived in each second.
type Seconds = Arc<Mutex<BTreeMap<u64, u32>>>;

fn server(start: Instant, seconds: &Seconds) -> ScriptedServer {
    let seconds = Arc::clone(seconds);
    ScriptedServer::answering(LOOPBACK, [], move || {
        let second = start.elapsed().as_secs();
        let mut seconds = seconds.lock().unwrap();
        let requests = seconds.entry(second).or_default();
        *requests += 1;
        match second {
            ..OUTAGE => empty("503 Service Unavailable"),
            _ if *requests > LIMIT => Step::Reply(response("429 Too Many Requests", "retry-after: 1\r\n", "")),
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
    // Calls in each half of the outage, and after it.
    let asked = Arc::new(Mutex::new([0_u32; 3]));
    let mut fleet = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let client = server.client();
        let asked = Arc::clone(&asked);
        fleet.spawn(async move {
            // One call a second each, spread over the second.
            sleep(Duration::from_millis(u64::from(number) * 10)).await;
            while start.elapsed().as_secs() < OUTAGE + RECOVERY {
                let due = Instant::now() + Duration::from_secs(1);
                let half = usize::try_from(start.elapsed().as_secs() / (OUTAGE / 2)).unwrap();
                asked.lock().unwrap()[half.min(2)] += 1;
                let _ = unassign(&client).await;
                tokio::time::sleep_until(due).await;
            }
        });
    }
    while fleet.join_next().await.is_some() {}

    let [first, second, recovery] = *asked.lock().unwrap();
    let seconds = seconds.lock().unwrap().clone();
    let sent = |range: Range<u64>| seconds.range(range).map(|(_, requests)| requests).sum::<u32>();
    let most = |range: Range<u64>| seconds.range(range).map(|(_, requests)| *requests).max().unwrap();
    let ratio = |sent: u32, asked: u32| f64::from(sent) / f64::from(asked);
    let whole = ratio(sent(0..OUTAGE), first + second);
    let steady = ratio(sent(OUTAGE / 2..OUTAGE), second);
    let back = ratio(sent(OUTAGE..u64::MAX), recovery);
    let (worst, peak) = (most(0..OUTAGE), most(OUTAGE..u64::MAX));
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
