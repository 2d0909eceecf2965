//! `--verbose`: shows the client's tracing events (retries, and names that this version does not know) on standard error,
//! one line each.

use std::fmt::{Debug, Write};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::terminal::{sanitize::sanitize_line, streams::write_stderr_line};

/// Shows events from here on. A second call changes nothing.
pub(crate) fn show_events() {
    let _ = tracing::subscriber::set_global_default(EventPrinter);
}

struct EventPrinter;

impl Subscriber for EventPrinter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Not only events: `tracing::enabled!` asks with the metadata of a hint.
        !metadata.is_span() && metadata.target().starts_with("coralogix_incidents")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        write_stderr_line(format_args!("{}{}", line.message, line.fields));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let value = sanitize_line(&format!("{value:?}"));
        match field.name() {
            "message" => self.message = value,
            "error" => {
                let _ = write!(self.fields, ": {value}");
            }
            "reason" => {
                let _ = write!(self.fields, ", {value}");
            }
            "delay_ms" => {
                let whole = value.split('.').next().unwrap_or_default();
                let _ = write!(self.fields, " in {whole} ms");
            }
            name => {
                let _ = write!(self.fields, " {name}={value}");
            }
        }
    }
}
