//! The values of an enum as the names of variants. It must not know how Rust code looks, but for names.

use heck::{ToPascalCase, ToShoutySnakeCase};
use serde_json::Value;

use super::names::is_rust;
use crate::openapi::texts;

/// The variant that keeps an unknown value.
const UNRECOGNIZED: &str = "Unrecognized";

/// What is wrong with an enum: the index of the value, and a message.
type InvalidEnum = (usize, String);

/// Variant name and wire name of each value, the zero value first.
pub(crate) fn variants<'v>(name: &str, schema: &'v Value) -> Result<Vec<(String, &'v str)>, InvalidEnum> {
    let values: Vec<&str> = texts(&schema["enum"]).collect();
    let wrong = |index, message: String| Err((index, message));
    let Some(zero) = values.first() else { return wrong(0, "it has no values".to_owned()) };
    if !zero.ends_with("_UNSPECIFIED") {
        let message = format!("its first value is the default and must end in `_UNSPECIFIED`, but it is `{zero}`");
        return wrong(0, message);
    }
    let prefix = prefix(name, &values)?;
    let mut variants: Vec<(String, &str)> = Vec::new();
    let mut seen = std::collections::HashSet::from([UNRECOGNIZED.to_owned()]);
    for (index, value) in values.into_iter().enumerate() {
        let rest = &value[prefix.len()..];
        // `STANDARD_OR_UNSPECIFIED` says what the default means: its name is what it means.
        let rest = rest.strip_suffix("_OR_UNSPECIFIED").unwrap_or(rest);
        let variant = rest.to_pascal_case();
        if !is_rust(&variant, true) || variant == "Self" {
            return wrong(index, format!("`{value}` without its prefix `{prefix}` can't be a name in Rust"));
        }
        if !seen.insert(variant.clone()) {
            return wrong(index, format!("`{value}` would become a second variant `{variant}`"));
        }
        variants.push((variant, value));
    }
    Ok(variants)
}

/// What all values begin with: the enum's own name, else their longest common run of whole words.
fn prefix(name: &str, values: &[&str]) -> Result<String, InvalidEnum> {
    let own = format!("{}_", name.to_shouty_snake_case());
    let have = |prefix: &str| values.iter().position(|value| value.len() <= prefix.len() || !value.starts_with(prefix));
    let Some(other) = have(&own) else { return Ok(own) };
    let first = values.first().copied().unwrap_or_default();
    let mut common = first.match_indices('_').rev().map(|(end, _)| &first[..=end]);
    let common = common.find(|prefix| values.len() > 1 && have(prefix).is_none());
    common.map(str::to_owned).ok_or_else(|| (other, format!("its values share no prefix: expected `{own}`")))
}
