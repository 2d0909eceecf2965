//! A progress bar on standard error.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::output::Output;

/// A bar that stays hidden until it is revealed.
pub(crate) fn hidden(total: Option<usize>, label: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total.map(|total| total as u64), ProgressDrawTarget::hidden());
    let template = if total.is_some() {
        "{prefix} [{bar:32}] {pos}/{len}, {eta} left"
    } else {
        "{prefix} {spinner} {pos} so far, {elapsed}"
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(label.to_owned());
    bar
}

/// Shows the bar, if standard error is a terminal and no other lines are written to it meanwhile.
pub(crate) fn reveal(bar: &ProgressBar, output: &Output) {
    if io::stderr().is_terminal() && !output.verbose && !output.streams_to_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        bar.enable_steady_tick(Duration::from_millis(200));
    }
}
