//! `-v`: what the client says while it works (retries and why there are no more, values that it does not know), a line each on standard error.

use std::fmt::{Debug, Write};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{report::errors::plain, terminal::output::note};

/// From here on, the client is heard. A second call changes nothing.
pub(crate) fn listen() {
    let _ = tracing::subscriber::set_global_default(Listener);
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("coralogix_incidents")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        note(format_args!("{}{}", line.message, line.fields));
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
        let value = plain(&format!("{value:?}"));
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
