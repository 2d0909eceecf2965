//! Differences as a table for people and as JSON for machines.

use std::{collections::HashMap, fmt::Write};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Class, Difference};

/// Aligned columns, the reasons of known deviations below their rows, and a line of counts.
pub fn table(differences: &[Difference]) -> String {
    let mut out = String::new();
    let shown = grouped(differences);
    let rows: Vec<[String; 5]> = shown.iter().map(|(difference, others)| row(difference, *others)).collect();
    if !rows.is_empty() {
        let header = ["CLASS", "OURS", "PUBLISHED", "PLACE", "DIFFERENCE"].map(str::to_owned);
        let width =
            |column: usize| rows.iter().chain([&header]).map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..4).map(width).collect();
        let reasons = std::iter::once(None).chain(shown.iter().map(|(difference, _)| difference.reason.as_ref()));
        for (row, reason) in std::iter::once(&header).chain(&rows).zip(reasons) {
            for (cell, width) in row.iter().zip(&widths) {
                let padding = " ".repeat(width - cell.chars().count() + 2);
                out.extend([cell.as_str(), &padding]);
            }
            out.push_str(&row[4]);
            out.push('\n');
            if let Some(reason) = reason {
                out.extend([&" ".repeat(widths[0] + 2), "because: ", reason, "\n"]);
            }
        }
        out.push('\n');
    }
    let counts = Class::ALL.map(|class| {
        let count = differences.iter().filter(|difference| difference.class == class).count();
        format!("{count} {}", class.as_str())
    });
    // Writing to a string can't fail.
    let _ = writeln!(out, "{} differences: {}", differences.len(), counts.join(", "));
    out
}

/// What is shown, and how many others are like it: cosmetic differences are one row for all places of the same kind, since
/// nobody has to do anything about them.
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

fn row(difference: &Difference, others: usize) -> [String; 5] {
    let line = |location: &str| location.rsplit_once(':').map_or_else(|| "-".to_owned(), |(_, line)| line.to_owned());
    let operations = match difference.operations.as_slice() {
        [] => String::new(),
        [one] => format!(" [{one}]"),
        [first, rest @ ..] => format!(" [{first} and {} more]", rest.len()),
    };
    let others = match others {
        0 => String::new(),
        1 => "; and in 1 more place, which `--json` lists".to_owned(),
        _ => format!("; and in {others} more places, which `--json` lists"),
    };
    [
        difference.class.as_str().to_owned(),
        line(&difference.ours),
        line(&difference.published),
        difference.place.clone(),
        format!("{}{operations}{others}", difference.message),
    ]
}

/// An array with one object for each difference.
pub fn json(differences: &[Difference]) -> Result<String> {
    let objects: Vec<Value> = differences
        .iter()
        .map(|difference| {
            json!({
                "class": difference.class.as_str(),
                "place": difference.place,
                "difference": difference.message,
                "operations": difference.operations,
                "ours": difference.ours,
                "published": difference.published,
                "reason": difference.reason,
            })
        })
        .collect();
    serde_json::to_string_pretty(&objects).context("cannot write JSON")
}
