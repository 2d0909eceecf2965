//! Prints what criterion measured as a ratio to its limit in the same run.

use std::{fs, path::PathBuf};

/// The median time of a benchmark, in nanoseconds, as criterion wrote it.
fn median(id: &str) -> Option<f64> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")), PathBuf::from);
    let text = fs::read_to_string(target.join("criterion").join(id).join("new/estimates.json")).ok()?;
    serde_json::from_str::<serde_json::Value>(&text).ok()?["median"]["point_estimate"].as_f64()
}

/// One line: the time of `id` over that of `limit`.
pub(crate) fn print(id: &str, limit: &str, goal: &str) {
    match (median(id), median(limit)) {
        (Some(time), Some(of)) => {
            println!(
                "{id:<28} {:>9.1} us   {limit:<28} {:>9.1} us   ratio {:.3}   goal {goal}",
                time / 1e3,
                of / 1e3,
                time / of
            );
        }
        _ => println!("{id}: not measured in this run"),
    }
}
