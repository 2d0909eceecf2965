//! Tables for people: the columns at each width, and their cells.

use chrono::{DateTime, Utc};
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Row, Table, presets};
use coralogix_incidents::{
    Originator, Payload,
    types::{
        Incident, IncidentAggregation, IncidentEvent, IncidentEventExtended, IncidentSeverity, IncidentStatus,
        UpsertIncidentStateType,
    },
};

use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    report::time,
    terminal::{Output, sanitize_line},
};

/// From this width on, the name of an incident or of an alert is a column.
const WIDE: u16 = 120;
/// From this width on, tables have all columns.
const FULL: u16 = 150;

/// The rows of a table in a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// Long cells are wrapped.
    Wrapped,
    /// Each row is one line.
    Single,
    /// Each row is one line and ends in the name of an incident or of an alert. Without room for another column, the name stands
    /// on a line of its own below the row.
    Named,
}

/// Renders a table without lines. Its first column is never truncated, because ids are for copying.
fn render(output: &Output, header: &[&str], kind: Rows, rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    let narrow = output.width.filter(|width| kind == Rows::Named && *width < WIDE);
    let header = &header[..header.len() - usize::from(narrow.is_some())];
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_truncation_indicator("…");
    match output.width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    if output.color {
        table.enforce_styling()
    } else {
        table.force_no_tty()
    };
    table.set_header(header.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    if let Some(first) = table.column_mut(0) {
        first.set_constraint(ColumnConstraint::ContentWidth);
    }
    let mut names = Vec::new();
    for mut cells in rows {
        if narrow.is_some() {
            names.extend(cells.pop().map(|name| name.content()));
        }
        let mut row = Row::from(cells);
        if kind != Rows::Wrapped {
            row.max_height(1);
        }
        table.add_row(row);
    }
    let text = table.trim_fmt();
    let Some(width) = narrow else { return text };
    let mut lines = text.lines();
    let mut shown: Vec<String> = lines.next().into_iter().map(str::to_owned).collect();
    for (line, name) in lines.zip(&names) {
        shown.push(line.to_owned());
        if !name.is_empty() {
            shown.push(format!("  {}", truncate(name, usize::from(width).saturating_sub(2))));
        }
    }
    shown.join("\n")
}

/// A text that takes no more columns than this.
fn truncate(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |character: &char| {
        used += character.width().unwrap_or_default();
        used <= columns
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

pub(crate) fn incidents<'a>(
    output: &Output,
    incidents: impl IntoIterator<Item = &'a Incident>,
    now: DateTime<Utc>,
) -> String {
    let full = output.width.is_none_or(|width| width >= FULL);
    let header: &[&str] = if full {
        &["ID", "SEVERITY", "STATUS", "STATE", "ASSIGNEE", "AGE", "CREATED", "NAME"]
    } else {
        &["ID", "SEVERITY", "STATUS", "ASSIGNEE", "AGE", "NAME"]
    };
    let rows = incidents.into_iter().map(|incident| {
        let id = Cell::new(sanitize_line(&incident.id));
        let (severity, status) = (severity(&incident.severity), status(&incident.status));
        let assignees = Cell::new(assignees(incident));
        let age = Cell::new(incident.age(now).map(time::largest_unit).unwrap_or_default());
        let name = Cell::new(text(incident.name.as_deref()));
        if full {
            let state = Cell::new(word(incident.state.as_str()));
            let created = Cell::new(moment(incident.created_at));
            vec![id, severity, status, state, assignees, age, created, name]
        } else {
            vec![id, severity, status, assignees, age, name]
        }
    });
    render(output, header, Rows::Named, rows)
}

/// A row of [`outcomes`].
pub(crate) struct OutcomeRow<'a> {
    pub(crate) id: &'a str,
    pub(crate) result: &'a str,
    pub(crate) color: Color,
    pub(crate) incident: Option<&'a Incident>,
}

pub(crate) fn outcomes<'a>(output: &Output, rows: impl Iterator<Item = OutcomeRow<'a>>) -> String {
    let rows = rows.map(|OutcomeRow { id, result, color, incident }| {
        let (status, assignees) = match incident {
            Some(incident) => (status(&incident.status), assignees(incident)),
            None => (Cell::new(""), String::new()),
        };
        let name = Cell::new(text(incident.and_then(|incident| incident.name.as_deref())));
        vec![Cell::new(sanitize_line(id)), Cell::new(result).fg(color), status, Cell::new(assignees), name]
    });
    render(output, &["ID", "RESULT", "STATUS", "ASSIGNEE", "NAME"], Rows::Named, rows)
}

/// Everything about one incident.
pub(crate) fn incident(output: &Output, incident: &Incident, now: DateTime<Utc>) -> String {
    let since = |time: Option<DateTime<Utc>>| {
        time.map(|time| format!("{} ({} ago)", time::timestamp(time), time::largest_unit(now - time)))
            .unwrap_or_default()
    };
    let meta = incident.meta_labels.iter().map(|label| (label.key.as_deref(), label.value.as_deref()));
    let meta = meta.map(|(key, value)| (key.unwrap_or_default(), value.unwrap_or_default()));
    let rows = [
        ("name", Cell::new(text(incident.name.as_deref()))),
        ("description", Cell::new(text(incident.description.as_deref()))),
        ("severity", severity(&incident.severity)),
        ("status", status(&incident.status)),
        ("state", Cell::new(word(incident.state.as_str()))),
        ("assigned to", Cell::new(assignees(incident))),
        ("created", Cell::new(since(incident.created_at))),
        ("state updated", Cell::new(since(incident.last_state_update_time))),
        ("closed", Cell::new(since(incident.closed_at))),
        ("lasted", Cell::new(incident.elapsed(now).map(time::duration).unwrap_or_default())),
        ("muted", Cell::new(incident.is_muted.map_or("", |muted| if muted { "yes" } else { "no" }))),
        ("labels", Cell::new(labels(&incident.contextual_labels))),
        ("display labels", Cell::new(labels(&incident.display_labels))),
        ("alert labels", Cell::new(labels(meta))),
        ("events", Cell::new(incident.events.len())),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.content().is_empty());
    let rows = rows.map(|(name, value)| vec![Cell::new(name), value]);
    render(output, &["ID", &sanitize_line(&incident.id)], Rows::Wrapped, rows)
}

fn labels<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let labels = labels.into_iter().map(|(key, value)| format!("{}={}", sanitize_line(key), sanitize_line(value)));
    labels.collect::<Vec<_>>().join(", ")
}

/// Events, each with the id of its incident.
pub(crate) fn events<'a>(output: &Output, events: impl Iterator<Item = (&'a str, &'a IncidentEvent)>) -> String {
    let rows = events.map(|(id, event)| {
        let by = match event.originator() {
            Some(Originator::Administrative(user)) => text(user.user_id.as_deref()),
            Some(Originator::Operational(system)) => text(system.system_name.as_deref()),
            _ => String::new(),
        };
        let kind = word(event.incident_event_type.as_str());
        [sanitize_line(id), kind, by, detail(event)].map(Cell::new).into()
    });
    render(output, &["INCIDENT", "EVENT", "BY", "DETAIL"], Rows::Single, rows)
}

/// Events with the incidents that they belong to.
pub(crate) fn extended_events(output: &Output, events: &[IncidentEventExtended]) -> String {
    let rows = events.iter().map(|event| {
        let metadata = event.incident_event_extended_metadata.clone().unwrap_or_default();
        let kind = event.incident_event.as_ref().map(|event| word(event.incident_event_type.as_str()));
        vec![
            Cell::new(text(event.cx_event_key.as_deref())),
            Cell::new(moment(event.cx_event_timestamp)),
            Cell::new(kind.unwrap_or_default()),
            severity(&metadata.incident_severity),
            status(&metadata.incident_status),
            Cell::new(text(metadata.alert_name.as_deref())),
        ]
    });
    render(output, &["EVENT KEY", "TIME", "EVENT", "SEVERITY", "STATUS", "ALERT"], Rows::Named, rows)
}

/// Values with their counts.
pub(crate) fn counts(output: &Output, counts: &[Value]) -> String {
    let lines = counts.iter().map(|count| ["field", "value", "count"].map(|name| shown(&count[name])).to_vec());
    rows(output, &["FIELD", "VALUE", "COUNT"], lines)
}

/// Groups of incidents with their counts.
pub(crate) fn aggregations(output: &Output, names: &[String], groups: &[IncidentAggregation]) -> String {
    let header: Vec<&str> =
        names.iter().map(String::as_str).chain(["COUNT", "FIRST CREATED", "LAST UPDATED"]).collect();
    let lines = groups.iter().map(|group| {
        let values =
            group.group_bys_value.iter().map(|value| match (&value.incident_field, &value.contextual_labels) {
                (Some(field), _) => {
                    let field = serde_json::to_value(field).unwrap_or_default();
                    // One of its members is set.
                    field.as_object().and_then(|members| members.values().next()).map(shown).unwrap_or_default()
                }
                (None, Some(label)) => label.field_value.clone().unwrap_or_default(),
                (None, None) => String::new(),
            });
        let count = group.all_values_count.map(|count| count.to_string()).unwrap_or_default();
        let mut row: Vec<String> = values.collect();
        row.resize(names.len(), String::new());
        row.extend([count, moment(group.first_created_at), moment(group.last_state_update_time)]);
        row
    });
    rows(output, &header, lines)
}

/// A JSON value as people read it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(name) if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) => word(name),
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

fn detail(event: &IncidentEvent) -> String {
    match event.payload() {
        Some(Payload::Assign(assign)) => {
            let user = assign.assignment.as_ref().and_then(|assignment| assignment.assigned_to.as_ref());
            format!("to {}", text(user.map(|user| user.user_id.as_str())))
        }
        Some(Payload::UpsertState(upsert)) => match upsert.state_type {
            UpsertIncidentStateType::Unspecified => String::new(),
            _ => format!("the alert is {}", word(upsert.state_type.as_str())),
        },
        Some(Payload::Snooze(snooze)) => {
            let from = snooze.start_time.map(|time| format!(" from {}", time::timestamp(time))).unwrap_or_default();
            let minutes = snooze.duration_minutes.map(|minutes| format!(" for {minutes}m")).unwrap_or_default();
            format!("snoozed{from}{minutes}")
        }
        _ => String::new(),
    }
}

/// Rows of plain text.
pub(crate) fn rows(output: &Output, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let cells = |row: Vec<String>| row.iter().map(|cell| Cell::new(sanitize_line(cell))).collect();
    render(output, header, Rows::Wrapped, rows.into_iter().map(cells))
}

fn moment(time: Option<DateTime<Utc>>) -> String {
    time.map(time::timestamp).unwrap_or_default()
}

fn text(value: Option<&str>) -> String {
    value.map(sanitize_line).unwrap_or_default()
}

fn assignees(incident: &Incident) -> String {
    incident.assignees().map(sanitize_line).collect::<Vec<_>>().join(", ")
}

fn severity(value: &IncidentSeverity) -> Cell {
    let cell = Cell::new(word(value.as_str()));
    match value {
        IncidentSeverity::Critical => cell.fg(Color::DarkRed),
        IncidentSeverity::Error => cell.fg(Color::DarkMagenta),
        IncidentSeverity::Warning => cell.fg(Color::DarkYellow),
        _ => cell,
    }
}

fn status(value: &IncidentStatus) -> Cell {
    let cell = Cell::new(word(value.as_str()));
    match value {
        IncidentStatus::Triggered => cell.fg(Color::DarkYellow),
        IncidentStatus::Acknowledged => cell.fg(Color::DarkCyan),
        IncidentStatus::Resolved => cell.fg(Color::DarkGreen),
        _ => cell,
    }
}

/// The prefixes that all values of an enum share.
const PREFIXES: [&str; 5] = [
    "INCIDENT_STATUS_",
    "INCIDENT_STATE_",
    "INCIDENT_SEVERITY_",
    "INCIDENT_EVENT_TYPE_",
    "UPSERT_INCIDENT_STATE_TYPE_",
];

/// A value of an enum without its prefix: `INCIDENT_STATUS_RESOLVED` is `resolved`. Nothing where nothing is known; a number, or
/// a name of another kind, as it is.
fn word(name: &str) -> String {
    match PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name) {
        "UNSPECIFIED" => String::new(),
        name => sanitize_line(&name.to_lowercase().replace('_', " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_truncated_by_columns() {
        assert_eq!(truncate("abc", 3), "abc");
        assert_eq!(truncate("abcd", 3), "ab…");
        assert_eq!(truncate("日本語", 6), "日本語");
        assert_eq!(truncate("日本語", 5), "日本…");
        assert_eq!(truncate("日本語", 4), "日…");
    }

    #[test]
    fn values_are_shown_without_their_prefix_and_unknown_ones_as_they_are() {
        assert_eq!(word("INCIDENT_STATE_TRIGGERED"), "triggered");
        assert_eq!(word("INCIDENT_STATE_UNSPECIFIED"), "");
        assert_eq!(word("INCIDENT_STATE_NO_DATA"), "no data");
        assert_eq!(word("7"), "7");
        assert_eq!(word("INCIDENT_EVENT_TYPE_UPSERT_STATE"), "upsert state");
    }
}
