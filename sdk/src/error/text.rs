//! Cleans and shortens texts of the service before they are kept or shown. This module must not know of HTTP.

/// How much of a body is kept, in bytes.
pub(super) const KEPT_BODY: usize = 8 * 1024;
/// How much of a service's message `Display` shows, in characters.
const SHOWN_MESSAGE: usize = 300;

pub(super) fn non_blank(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() { None } else { Some(cut(text.to_owned(), KEPT_BODY)) }
}

/// `text` without the byte order mark that some servers write before UTF-8.
pub(super) fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Whether a body contains control characters that text does not have.
pub(super) fn is_binary(text: &str) -> bool {
    text.chars().any(|character| character.is_control() && !character.is_whitespace())
}

/// Whether a text looks like an HTML page.
pub(super) fn is_html(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

/// The title of an HTML page.
pub(super) fn title(html: &str) -> Option<String> {
    let lower = html.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    non_blank(&html[start..end]).map(|title| format!("an HTML page, \"{title}\""))
}

/// A message on one line, without control characters, of bounded length.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|character: char| character.is_control() || character.is_whitespace());
    let mut line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(SHOWN_MESSAGE) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// At most `limit` bytes of a text.
pub(super) fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

pub(super) fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}
