//! Two things measured in turn, so that what else the machine does meets both alike, and printed as a ratio.
#![allow(dead_code, reason = "each benchmark measures by one of the clocks")]

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

/// The median times of `one` and of its limit, over so many rounds of both, by the clock on the wall.
pub(crate) fn print(names: [&str; 2], rounds: usize, goal: &str, one: impl FnMut(), limit: impl FnMut()) {
    let start = Instant::now();
    measure(|| start.elapsed(), names, rounds, goal, one, limit);
}

/// The same by the processor time of this thread, which other programs do not change.
pub(crate) fn print_cpu_time(names: [&str; 2], rounds: usize, goal: &str, one: impl FnMut(), limit: impl FnMut()) {
    let start = ThreadTime::now();
    measure(|| start.elapsed(), names, rounds, goal, one, limit);
}

fn measure(
    clock: impl Fn() -> Duration,
    names: [&str; 2],
    rounds: usize,
    goal: &str,
    mut one: impl FnMut(),
    mut limit: impl FnMut(),
) {
    let mut times = [Vec::with_capacity(rounds), Vec::with_capacity(rounds)];
    let mut time = |of: usize, work: &mut dyn FnMut()| {
        let start = clock();
        work();
        times[of].push(clock().saturating_sub(start));
    };
    for round in 0..rounds {
        // Each goes first every other time.
        if round % 2 == 0 {
            time(0, &mut one);
            time(1, &mut limit);
        } else {
            time(1, &mut limit);
            time(0, &mut one);
        }
    }
    let [one, limit] = times.map(median);
    let ratio = one.as_secs_f64() / limit.as_secs_f64();
    println!("{:<14} {one:>11.1?}   {:<14} {limit:>11.1?}   ratio {ratio:.3}   goal {goal}", names[0], names[1]);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
