//! Formats differences as a table, as Markdown for an issue, or as JSON. Each difference is shown with what to do about it.

use std::{collections::HashMap, fmt::Write};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Class, Difference};

/// What to do if the service does not behave as published.
const HOW_TO_COVER: &str = "If the service does not behave as published, keep our document and state the reason at OURS: \
                            `x-deviation: {covers: [SUBJECT], reason: ...}`. `--json` and `--markdown` show the SUBJECT.";

/// A table with aligned columns and reasons below the rows, followed by a line with the counts.
pub fn table(differences: &[Difference]) -> String {
    let mut out = String::new();
    if !differences.is_empty() {
        let header = ["CLASS", "OURS", "PUBLISHED", "WHAT TO DO", "PLACE", "DIFFERENCE"].map(str::to_owned);
        let mut rows = vec![(header, None)];
        let shown = grouped(differences).into_iter();
        rows.extend(shown.map(|(difference, others)| (row(difference, others), reason(difference))));
        let width = |column: usize| rows.iter().map(|(row, _)| row[column].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3, 4].map(width);
        for (row, reason) in &rows {
            // Writing to a string cannot fail.
            for (cell, width) in row.iter().zip(widths) {
                let _ = write!(out, "{cell:width$}  ");
            }
            out.extend([row[widths.len()].as_str(), "\n"]);
            if let Some(reason) = reason {
                let _ = writeln!(out, "{:width$}  because: {reason}", "", width = widths[0]);
            }
        }
        out.push('\n');
    }
    if differences.iter().any(|difference| difference.class.needs_action()) {
        out.extend([HOW_TO_COVER, "\n\n"]);
    }
    out.extend([&counts(differences), "\n"]);
    out
}

fn counts(differences: &[Difference]) -> String {
    let counts = Class::ALL.map(|class| {
        let count = differences.iter().filter(|difference| difference.class == class).count();
        format!("{count} {}", class.as_str())
    });
    let noun = if differences.len() == 1 { "difference" } else { "differences" };
    format!("{} {noun}: {}", differences.len(), counts.join(", "))
}

/// The differences to show, each with the number of others that are grouped with it. Cosmetic differences with the same message
/// are shown as one, since they need no action.
fn grouped(differences: &[Difference]) -> Vec<(&Difference, usize)> {
    let mut shown: Vec<(&Difference, usize)> = Vec::new();
    let mut first = HashMap::new();
    for difference in differences {
        let index = match difference.class {
            Class::Cosmetic => *first.entry(difference.message.as_str()).or_insert(shown.len()),
            _ => shown.len(),
        };
        match shown.get_mut(index) {
            Some((_, others)) => *others += 1,
            None => shown.push((difference, 0)),
        }
    }
    shown
}

fn row(difference: &Difference, others: usize) -> [String; 6] {
    let line = |location: &str| location.rsplit_once(':').map_or_else(|| "-".to_owned(), |(_, line)| line.to_owned());
    let operations = operations(difference);
    let operations = if operations.is_empty() { operations } else { format!(" [{operations}]") };
    [
        difference.class.as_str().to_owned(),
        line(&difference.ours),
        line(&difference.published),
        what_to_do(difference).to_owned(),
        one_line(&difference.place),
        one_line(&format!("{}{operations}{}", difference.message, elsewhere(others))),
    ]
}

fn operations(difference: &Difference) -> String {
    match difference.operations.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

fn elsewhere(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => "; also in 1 other place, see `--json`".to_owned(),
        _ => format!("; also in {others} other places, see `--json`"),
    }
}

/// Escapes control characters: names in a published file may contain line breaks.
fn one_line(text: &str) -> String {
    let escaped = |character: char| {
        if character.is_control() { character.escape_default().to_string() } else { character.to_string() }
    };
    text.chars().map(escaped).collect()
}

/// The first word of each subject, apart from limits, with what a maintainer has to do about a difference.
pub(super) const SUBJECTS: &[(&str, &str)] = &[
    ("absent", "remove it"),
    ("body", "change the body"),
    ("default", "send it explicitly"),
    ("deprecated", "mark it as deprecated"),
    ("enum", "send no other value"),
    ("format", "change the format"),
    ("keyword", "add it to keywords.rs"),
    ("lost", "send no other value"),
    ("member", "add the member"),
    ("name", "nothing"),
    ("nullable", "accept null"),
    ("oneOf", "state the choice"),
    ("operation", "add the operation"),
    ("optional", "nothing"),
    ("parameter", "add the parameter"),
    ("permission", "change the permission"),
    ("readOnly", "remove it"),
    ("required", "require it"),
    ("requires", "require it"),
    ("security", "change how the key is sent"),
    ("server", "add the server"),
    ("status", "handle the status"),
    ("style", "change how it is sent"),
    ("type", "change the type"),
    ("value", "add the value"),
    ("writeOnly", "remove it"),
];

/// What a maintainer has to do about a difference.
fn what_to_do(difference: &Difference) -> &'static str {
    if !difference.class.needs_action() {
        return "nothing";
    }
    let subject = difference.subject.split(':').next().unwrap_or_default();
    match SUBJECTS.iter().find(|(name, _)| *name == subject) {
        Some(("operation", _)) if difference.class.breaks() => "change or remove the path",
        Some((_, action)) => action,
        None if difference.class.breaks() => "narrow the limit",
        None => "state the limit",
    }
}

/// Why no action is needed: the reason of the deviation, or the rule for cosmetic differences.
fn reason(difference: &Difference) -> Option<&str> {
    if difference.reason.is_some() || difference.class != Class::Cosmetic {
        return difference.reason.as_deref();
    }
    Some(match difference.subject.split(':').next().unwrap_or_default() {
        "required" | "requires" => {
            "Members that are missing in a response are read as their defaults, whether they are required or not."
        }
        "optional" => {
            "The SDK sends all members that our document requires, and reads missing members as their defaults."
        }
        "type" | "format" | "enum" => "Every value that is sent is valid in both files.",
        "lost" => "The SDK does not depend on this value.",
        "name" => "The names of path parameters are not sent.",
        "absent" | "status" => "Errors are classified by their status, whether it is listed or not.",
        "generation" => "The file is not about this generation.",
        _ => "It allows all values that the SDK sends.",
    })
}

/// The body of an issue: a table of the differences that need action, and the others in a collapsed section.
pub fn markdown(published: &str, differences: &[Difference]) -> String {
    let mut out = format!("{} compared with our document: **{}**.\n", code(published), counts(differences));
    let part = |needs_action: bool| -> Vec<Difference> {
        differences.iter().filter(|difference| difference.class.needs_action() == needs_action).cloned().collect()
    };
    let (now, rest) = (part(true), part(false));
    if now.is_empty() {
        out.push_str("\nNo action is needed.\n");
    } else {
        rows(&mut out, &now);
        out.extend(["\n", HOW_TO_COVER, "\n"]);
    }
    if !rest.is_empty() {
        // GitHub parses Markdown within HTML only after a blank line. Writing to a string cannot fail.
        let _ = writeln!(out, "\n<details><summary>{} without action</summary>", rest.len());
        rows(&mut out, &rest);
        out.push_str("\n</details>\n");
    }
    out
}

fn rows(out: &mut String, differences: &[Difference]) {
    out.push_str("\n| Class | What to do | Place | Subject | Difference | Operations | Ours | Published |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (difference, others) in grouped(differences) {
        let reason =
            reason(difference).map_or_else(String::new, |reason| format!("<br>Because: {}", cell_text(reason)));
        let cells = [
            cell_text(difference.class.as_str()),
            cell_text(what_to_do(difference)),
            cell_text(&difference.place),
            code(&difference.subject),
            cell_text(&format!("{}{}", difference.message, elsewhere(others))) + &reason,
            cell_text(&operations(difference)),
            code(&difference.ours),
            code(&difference.published),
        ];
        for cell in cells {
            out.extend(["| ", &cell, " "]);
        }
        out.push_str("|\n");
    }
}

/// Formats text as code in a cell of a table. Backticks are replaced by apostrophes.
fn code(text: &str) -> String {
    format!("`{}`", one_line(text).replace('`', "'").replace('|', "\\|"))
}

/// Formats text for a cell of a Markdown table. Code in backticks is kept, and everything else is escaped.
fn cell_text(text: &str) -> String {
    let text = one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick without a counterpart is ordinary text.
    let is_code = |index: usize| index % 2 == 1 && index + 1 < parts.len();
    let mut out = String::new();
    for (index, part) in parts.iter().enumerate() {
        let code = is_code(index);
        if index > 0 {
            out.push_str(if code || is_code(index - 1) { "`" } else { "\\`" });
        }
        for character in part.chars() {
            // A bar ends a cell even within code.
            if character == '|' || !code && "\\*_<>[]#@~&".contains(character) {
                out.push('\\');
            }
            out.push(character);
        }
    }
    out
}

/// A JSON array with an object for each difference.
pub fn json(differences: &[Difference]) -> Result<String> {
    let objects: Vec<Value> = differences
        .iter()
        .map(|difference| {
            json!({
                "class": difference.class.as_str(),
                "place": difference.place,
                "subject": difference.subject,
                "difference": difference.message,
                "what_to_do": what_to_do(difference),
                "operations": difference.operations,
                "ours": difference.ours,
                "published": difference.published,
                "reason": reason(difference),
            })
        })
        .collect();
    serde_json::to_string_pretty(&objects).context("cannot write JSON")
}
