//! Makes text of others safe to show on a terminal.

use std::fmt::Write;

use icu_properties::{CodePointSetData, props::BidiControl};

/// The longest text of the service that is shown on one line, in characters.
const MAX_LINE_CHARS: usize = 300;

/// Whether a terminal may act on a character instead of showing it: control characters, and those that reverse the order of
/// what is shown.
pub(crate) fn is_terminal_control(character: char) -> bool {
    character.is_control() || CodePointSetData::new::<BidiControl>().contains(character)
}

/// A text on one line, without terminal controls, and no longer than 300 characters.
pub(crate) fn sanitize_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|character: char| character.is_whitespace() || is_terminal_control(character)) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    if let Some((end, _)) = line.char_indices().nth(MAX_LINE_CHARS) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// JSON with the same value, in which the terminal controls that JSON allows unescaped are escaped.
pub(crate) fn escape_json_controls(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        // A line break can only stand between tokens: JSON itself escapes those in strings.
        if is_terminal_control(character) && character != '\n' {
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_controls_are_removed_from_lines() {
        assert_eq!(sanitize_line("a\x1b[31mb\r\nc\u{202e}d\te"), "a [31mb c d e");
        assert_eq!(sanitize_line(&"x".repeat(400)).chars().count(), 301);
    }

    #[test]
    fn terminal_controls_are_escaped_in_json() {
        assert_eq!(escape_json_controls("{\n\"a\u{9b}\u{202e}\"}"), "{\n\"a\\u009b\\u202e\"}");
    }
}
