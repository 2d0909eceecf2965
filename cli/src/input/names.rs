//! Checks the names that are sent to the service: ids, users, values of filters, wherever they come from.
//!
//! A name that was meant otherwise (an unset variable, a JSON list, a line of a table, an invisible character that was copied
//! with it) would be sent as it is and found nowhere. It is refused before anything is sent.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, JoinControl, QuotationMark, VariationSelector},
};

/// Returns an id that is one word, without the punctuation of lists, quotations and JSON.
pub(crate) fn id(text: &str) -> Result<String, String> {
    check_name(text)?;
    for character in text.chars() {
        let problem = if character.is_whitespace() {
            "contains white space: give one id per line, as `list --output ids` does"
        } else if is_quotation_mark(character) {
            "has a quotation mark in it: give ids without quotes; `jq -r` prints them so"
        } else if is_bracket(character) {
            "has a bracket in it, as JSON has: give one id per line; `jq -r '.[].id'` prints them so"
        } else if matches!(character, ',' | ';') {
            "has a comma or semicolon in it, as a list has: give one id per argument or line"
        } else {
            continue;
        };
        return Err(problem.to_owned());
    }
    Ok(text.to_owned())
}

/// Returns the id of a user, usually an e-mail address.
pub(crate) fn user(text: &str) -> Result<String, String> {
    check_name(text)?;
    check_edges(text)?;
    let quoted = text.starts_with(is_quotation_mark) || text.ends_with(is_quotation_mark);
    if quoted || text.contains(is_bracket) {
        return Err("has quotes or brackets around it: give the bare id of the user; `jq -r` prints it so".to_owned());
    }
    if text.contains([',', ';']) {
        return Err("has a comma or semicolon in it, as a list has: give one user".to_owned());
    }
    Ok(text.to_owned())
}

/// Returns the value of a filter, such as the name of an application. It may have spaces and punctuation.
pub(crate) fn value(text: &str) -> Result<String, String> {
    // Emoji and several scripts need these between visible characters.
    let is_joiner = |character| {
        CodePointSetData::new::<JoinControl>().contains(character)
            || CodePointSetData::new::<VariationSelector>().contains(character)
    };
    check_visible(text, |character| is_invisible(character) && !is_joiner(character))?;
    check_edges(text)?;
    Ok(text.to_owned())
}

/// Returns a label and its value, from `KEY=VALUE`.
pub(crate) fn label(text: &str) -> Result<(String, String), String> {
    let (key, text) = text.split_once('=').ok_or("has no `=`: write KEY=VALUE")?;
    let check = |part: &str, which: &str| value(part).map_err(|problem| format!("has a {which} that {problem}"));
    Ok((check(key, "key")?, check(text, "value")?))
}

/// Refuses a text without visible characters, and one with an invisible character.
fn check_visible(text: &str, is_invisible: impl Fn(char) -> bool) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("is blank: a variable may be unset".to_owned());
    }
    match text.chars().find(|character| is_invisible(*character)) {
        Some(character) => {
            Err(format!("has the invisible character U+{:04X} in it: type it without", u32::from(character)))
        }
        None => Ok(()),
    }
}

/// Refuses what is not visible, and what `jq` prints for a member that does not exist.
fn check_name(text: &str) -> Result<(), String> {
    check_visible(text, is_invisible)?;
    if text == "null" {
        return Err("is JSON's `null`: the member that it was taken from may have another name".to_owned());
    }
    Ok(())
}

fn check_edges(text: &str) -> Result<(), String> {
    if text.trim() == text { Ok(()) } else { Err("has white space at its beginning or end".to_owned()) }
}

/// Whether a character is neither white space nor shown.
fn is_invisible(character: char) -> bool {
    if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character) {
        return true;
    }
    match CodePointMapData::<GeneralCategory>::new().get(character) {
        GeneralCategory::Control => !character.is_whitespace() || character == '\u{85}',
        GeneralCategory::Format
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse
        | GeneralCategory::Surrogate
        | GeneralCategory::Unassigned => true,
        _ => false,
    }
}

fn is_quotation_mark(character: char) -> bool {
    character == '`' || CodePointSetData::new::<QuotationMark>().contains(character)
}

fn is_bracket(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    matches!(category, GeneralCategory::OpenPunctuation | GeneralCategory::ClosePunctuation) || "<>".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_single_words_without_the_punctuation_of_lists_and_json() {
        for fine in
            ["3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3", "incident_id_2", "50%?", "b:c", "a/b", "a.b@c#1", "Ünï-ид-号"]
        {
            assert_eq!(id(fine).as_deref(), Ok(fine));
        }
        for (text, word) in [
            ("", "blank"),
            (" \u{3000}", "blank"),
            ("two ids", "white space"),
            ("tab\tid", "white space"),
            ("a\u{a0}b", "white space"),
            ("\"a\"", "jq -r"),
            ("'a'", "jq -r"),
            ("“a”", "jq -r"),
            ("`a`", "jq -r"),
            ("[\"a\"]", "jq -r"),
            ("{a}", "jq -r"),
            ("a,b", "one id per"),
            ("a;b", "one id per"),
            ("a\u{200b}", "U+200B"),
            ("a\u{feff}b", "U+FEFF"),
            ("\u{202e}a", "U+202E"),
            ("a\u{ad}b", "U+00AD"),
            ("a\u{3164}b", "U+3164"),
            ("a\u{e0041}b", "U+E0041"),
            ("a\u{1b}[31m", "U+001B"),
            ("a\u{2028}b", "U+2028"),
            ("a\u{e000}", "U+E000"),
            ("null", "JSON's `null`"),
        ] {
            let problem = id(text).unwrap_err();
            assert!(problem.contains(word), "{text:?}: {problem}");
        }
    }

    #[test]
    fn users_may_be_any_address_but_no_list_or_quotation() {
        for fine in ["alice@example.com", "o'brien@example.com", "Team A", "1234"] {
            assert_eq!(user(fine).as_deref(), Ok(fine));
        }
        for text in
            ["", " ", " alice", "alice\n", "\"alice\"", "a,b", "<alice@example.com>", "alice\u{200b}", "['a']", "null"]
        {
            assert!(user(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn values_of_filters_may_have_spaces_and_punctuation() {
        for fine in ["a, \"b\" [c]", "my app", "👩\u{200d}🔧\u{fe0f}", "می\u{200c}خواهم", "{}"] {
            assert_eq!(value(fine).as_deref(), Ok(fine));
        }
        for text in ["", "\t", "app ", "a\u{200b}b", "a\u{202e}b", "a\u{7}b"] {
            assert!(value(text).is_err(), "{text:?}");
        }
        assert_eq!(label("k=v=w"), Ok(("k".to_owned(), "v=w".to_owned())));
        for text in ["k", "=v", "k=", "k= "] {
            assert!(label(text).is_err(), "{text:?}");
        }
    }
}
