//! Unassigns every open incident of a user who leaves, or hands them to another, and accounts for each.
//!
//! ```sh
//! cargo run -p coralogix-incidents --example offboard_user -- --emulator dana.levi@example.com
//! cargo run -p coralogix-incidents --example offboard_user -- --emulator dana.levi@example.com mei.tanaka@example.com
//! CORALOGIX_API_KEY=... CORALOGIX_REGION=EU1 cargo run -p coralogix-incidents --example offboard_user -- USER [NEW_USER]
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

mod setup;

use coralogix_incidents::{
    Client,
    bulk::{Fate, Verb},
};
use futures::{StreamExt, TryStreamExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _emulator) = setup::client().await?;
    match setup::arguments().as_slice() {
        [user] => unassign(&client, user).await,
        [user, new_user] => hand_over(&client, user, new_user).await,
        _ => Err("say which user, and, if you like, who takes over".into()),
    }
}

async fn unassign(client: &Client, user: &str) -> Result<(), Box<dyn std::error::Error>> {
    let ids: Vec<String> = client.open_incidents_of(user).map_ok(|incident| incident.id).try_collect().await?;
    println!("{user} has {} open incidents", ids.len());
    let mut unknown = Vec::new();
    let mut run = client.bulk().unassign(ids);
    while let Some(outcome) = run.next().await {
        match outcome.fate {
            Fate::Updated(_) => println!("{} is unassigned", outcome.id),
            Fate::Unknown(_) => unknown.push(outcome.id),
            fate => println!("{} is not: {fate:?}", outcome.id),
        }
    }
    // Sent, and never answered: look what became of them.
    let mut settled = client.bulk().reconcile(Verb::Unassign, unknown);
    while let Some(outcome) = settled.next().await {
        println!("{}: {:?}", outcome.id, outcome.fate);
    }
    println!("{:?}", run.summary());
    Ok(())
}

async fn hand_over(client: &Client, from: &str, to: &str) -> Result<(), Box<dyn std::error::Error>> {
    let report = client.hand_over(from, to).await?;
    println!("{} incidents went from {from} to {to}", report.moved.len());
    for outcome in &report.not_moved {
        println!("{} did not: {:?}", outcome.id, outcome.fate);
    }
    Ok(())
}
