//! Prose of the document as documentation that can't become anything else. rustdoc compiles code blocks, resolves brackets,
//! and complains about tags and bare addresses, and a carriage return ends a doc comment. It must not know whose prose it is.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream};

/// `CommonMark` of any kind as `CommonMark` that holds text, lists, headings, quotes, code spans, code that is not compiled,
/// and links to web pages, and says the same.
pub(super) fn prose(text: &str) -> String {
    let text = plain_characters(text);
    let mut writer = Writer::default();
    for event in TextMergeStream::new(Parser::new_ext(&text, Options::empty())) {
        writer.event(event);
    }
    writer.out.truncate(writer.out.trim_end().len());
    writer.out
}

/// Text as a code span.
pub(super) fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let padding = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{padding}{text}{padding}{fence}")
}

/// What can stand around code that holds backticks of its own.
pub(super) fn fence(code: &str) -> String {
    "`".repeat(longest_run(code).max(2) + 1)
}

/// Text without the characters that end a doc comment, or that the compiler refuses because they turn the text's direction.
pub(super) fn plain_characters(text: &str) -> String {
    let turns =
        |character| matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").replace('\t', "    ");
    text.chars().filter(|character| *character == '\n' || !character.is_control() && !turns(*character)).collect()
}

#[derive(Default)]
struct Writer {
    out: String,
    /// What each line begins with, one entry for each open list item or quote.
    prefixes: Vec<String>,
    /// What the next line begins with instead: the marker of a list item.
    first: Option<String>,
    /// The line that is being written.
    line: String,
    /// The next number of each open list; none for bullets.
    numbers: Vec<Option<u64>>,
    /// Whether a blank line has to come before the next block.
    blank: bool,
    heading: Option<HeadingLevel>,
    code: Option<String>,
    /// Whether each open link is written as one.
    links: Vec<Option<String>>,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.text(&text),
            },
            Event::Code(text) => self.line.push_str(&code(&text)),
            Event::SoftBreak | Event::HardBreak => self.flush(),
            Event::Rule => {
                self.write("***");
                self.blank = true;
            }
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => self.heading = Some(level),
            Tag::CodeBlock(CodeBlockKind::Indented | CodeBlockKind::Fenced(_)) => {
                self.block();
                self.code = Some(String::new());
            }
            Tag::BlockQuote(_) => {
                self.block();
                self.open("> ", "> ".to_owned());
            }
            Tag::List(number) => {
                self.block();
                self.numbers.push(number);
            }
            Tag::Item => {
                let marker = match self.numbers.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.open(&marker, " ".repeat(marker.len()));
            }
            Tag::Emphasis => self.line.push('*'),
            Tag::Strong => self.line.push_str("**"),
            Tag::Link { link_type: LinkType::Autolink | LinkType::Email, .. } | Tag::Image { .. } => {
                self.links.push(None);
            }
            Tag::Link { dest_url, .. } => {
                let link = (address_length(&dest_url) == Some(dest_url.len())).then(|| dest_url.into_string());
                self.line.push_str(if link.is_some() { "[" } else { "" });
                self.links.push(link);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                self.flush();
                self.blank = true;
            }
            TagEnd::Heading(_) => {
                self.flush();
                self.heading = None;
                self.blank = true;
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                let fence = fence(&code);
                self.write(&format!("{fence}text"));
                for line in code.lines() {
                    self.write(line);
                }
                self.write(&fence);
                self.blank = true;
            }
            TagEnd::BlockQuote(_) | TagEnd::Item => {
                self.flush();
                if self.first.is_some() {
                    self.write("");
                }
                self.prefixes.pop();
            }
            TagEnd::List(_) => {
                self.numbers.pop();
                self.blank = true;
            }
            TagEnd::Emphasis => self.line.push('*'),
            TagEnd::Strong => self.line.push_str("**"),
            TagEnd::Link | TagEnd::Image => {
                if let Some(Some(address)) = self.links.pop() {
                    self.line.extend(["](<", &address, ">)"]);
                }
            }
            _ => {}
        }
    }

    /// Ends the text of a list item before a block within it.
    fn block(&mut self) {
        if !self.line.is_empty() {
            self.flush();
            self.blank = true;
        }
    }

    /// Begins a list item or a quote.
    fn open(&mut self, marker: &str, prefix: String) {
        if self.first.is_none() && std::mem::take(&mut self.blank) && !self.out.is_empty() {
            self.line_of("");
        }
        let first = self.first.take().unwrap_or_else(|| self.prefixes.concat());
        self.first = Some(first + marker);
        self.prefixes.push(prefix);
    }

    /// Text of the document, in which nothing has a meaning but addresses.
    fn text(&mut self, text: &str) {
        let mut rest = text;
        let in_link = self.links.iter().any(Option::is_some);
        let mut before = ' ';
        while let Some(character) = rest.chars().next() {
            if let Some(length) = address_length(rest).filter(|_| !in_link) {
                self.line.extend(["<", &rest[..length], ">"]);
                rest = &rest[length..];
                before = '>';
                continue;
            }
            rest = &rest[character.len_utf8()..];
            if character == '\n' {
                self.flush();
            } else {
                let after = rest.chars().next().unwrap_or(' ');
                let has_meaning = match character {
                    '_' => !(before.is_alphanumeric() && after.is_alphanumeric()),
                    // Half an address, so that it is none.
                    ':' => !in_link && rest.starts_with("//"),
                    '&' => after.is_ascii_alphanumeric() || after == '#',
                    other => "\\`*[]<>~|".contains(other),
                };
                self.line.extend(has_meaning.then_some('\\'));
                self.line.push(character);
            }
            before = character;
        }
    }

    /// Writes the line that was begun. What would begin a block there is escaped.
    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim();
        if let Some(level) = self.heading {
            let marker = "#".repeat(level as usize);
            return self.write(&format!("{marker} {line}"));
        }
        if line.is_empty() {
            return;
        }
        let digits = line.len() - line.trim_start_matches(|first: char| first.is_ascii_digit()).len();
        let (number, rest) = line.split_at(digits);
        let begins = match number {
            "" => rest.starts_with(['-', '+', '#', '=']),
            _ => rest.starts_with(['.', ')']),
        };
        self.write(&format!("{number}{}{rest}", if begins { "\\" } else { "" }));
    }

    /// Writes a line of a block, after the blank line that has to come before it.
    fn write(&mut self, line: &str) {
        if self.first.is_none() && std::mem::take(&mut self.blank) && !self.out.is_empty() {
            self.line_of("");
        }
        self.blank = false;
        self.line_of(line);
    }

    fn line_of(&mut self, line: &str) {
        let prefix = self.first.take().unwrap_or_else(|| self.prefixes.concat());
        self.out.push_str(format!("{prefix}{line}").trim_end());
        self.out.push('\n');
    }
}

/// The length of the web address that a text begins with, without what belongs to the sentence around it.
fn address_length(text: &str) -> Option<usize> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-._~:/?#@!$&*+,;=%".contains(character);
    let end = text.find(|character| !is_part(character)).unwrap_or(text.len());
    let length = text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '~']).len();
    (length > scheme.len()).then_some(length)
}

/// How many backticks stand together at most.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use proptest::prelude::*;
    use pulldown_cmark::{BrokenLink, CowStr};

    use super::{
        super::rust::{docs, format},
        *,
    };

    /// What each of these may become, as documentation, if nothing is done.
    const HOSTILE: &[&str] = &[
        "Text.\n\n    let x: Never = 1;\n",
        "Text.\n\n```\nlet x: Never = 1;\n```\n",
        "```rust,should_panic\nfn main() {}\n",
        "~~~\nnot Rust\n",
        "- one\n\n      indented in an item\n- two\n  ```\n  code\n",
        "1. one\n2. two\n   - three\n\n     four\n",
        "> quote\n>\n>     code\n",
        "See [index], [`nothing`], [text](nothing), [text][nothing] and ![image](x).\n\n[index]: nothing",
        "<incident id>, <b>, </b>, <!-- comment, Vec<T> and <div>\n\n<div>\n\nblock\n\n</div>\n<script>\nlet x;",
        "https://example.com/a?b=c&d, (http://example.com/), xhttps://example.com. <https://example.com> me@example.com",
        "[page](https://example.com/a) and [https://example.com/b](https://example.com/b)",
        "a lone\rcarriage\r\nreturn, a null \0 and a turn \u{202e} here",
        "a `code span`, ``a ` in it``, a lone ` and ```three``` and *em* **strong** _a_b",
        "Title\n===\n\nTitle\n---\n\n# Title #\n\n***\n- - -\n",
        "| a | b |\n|---|---|\n| c | d |\n",
        "[^1]\n\n[^1]: note\n\n- [ ] task\n\n~~gone~~ $x$ &amp; &#91;index&#93; &#32;&#32;&#32;&#32;code",
        "\\[index\\] \\<b\\> \\`x\\`\n2) two\n+ plus\n-minus",
        "    \n\n\t\ttabs\n",
        "#![allow(x)]\n/// doc */ // \" \\",
    ];

    /// What rustdoc itself reads in documentation.
    fn rustdoc_options() -> Options {
        Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_SMART_PUNCTUATION
    }

    /// The words that a reader sees.
    fn words(text: &str, options: Options) -> String {
        let shown = Parser::new_ext(text, options).filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                Some(text.into_string())
            }
            _ => None,
        });
        shown.collect::<String>().chars().filter(char::is_ascii_alphanumeric).collect()
    }

    /// Fails if rustdoc would make something of the text.
    #[track_caller]
    fn assert_harmless(markdown: &str) {
        let mut broken = Vec::new();
        let mut note = |link: BrokenLink<'_>| -> Option<(CowStr<'_>, CowStr<'_>)> {
            broken.push(link.reference.to_string());
            None
        };
        let parser = Parser::new_with_broken_link_callback(markdown, rustdoc_options(), Some(&mut note));
        // Within links and code rustdoc looks for no addresses.
        let mut inside = 0_usize;
        for event in parser {
            match event {
                Event::Html(text) | Event::InlineHtml(text) => panic!("HTML {text:?} in {markdown:?}"),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if &*info == "text" => inside += 1,
                Event::Start(Tag::CodeBlock(kind)) => panic!("{kind:?} in {markdown:?}"),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    assert!(dest_url.starts_with("http"), "{dest_url:?} in {markdown:?}");
                    inside += 1;
                }
                Event::End(TagEnd::Link | TagEnd::Image | TagEnd::CodeBlock) => inside -= 1,
                Event::Start(Tag::Table(_)) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {
                    panic!("{event:?} in {markdown:?}")
                }
                Event::Text(text) if inside == 0 => {
                    let bare = text.match_indices("http").any(|(start, _)| address_length(&text[start..]).is_some());
                    assert!(!bare, "a bare address in {markdown:?}");
                }
                _ => {}
            }
        }
        assert_eq!(broken, [""; 0], "{markdown:?}");
        assert!(!markdown.contains(|character: char| character.is_control() && character != '\n'), "{markdown:?}");
    }

    #[test]
    fn prose_stays_readable() {
        for (text, expected) in [
            ("One `code` word,\nand another.\n\n- `A`: first, snake_case.\n- `B`: second\n  line.\n", None),
            ("1. one\n\n2. two\n\n   more\n\n> quote\n\n# Heading", None),
            ("**Note**: _now_", Some("**Note**: *now*")),
            ("* one\n* two", Some("- one\n- two")),
            ("See <https://example.com> [index].", Some("See <https://example.com> \\[index\\].")),
            ("A\n\n    code\n", Some("A\n\n```text\ncode\n```")),
            ("<incident id> & [x](y)", Some("\\<incident id\\> & x")),
            ("a\r\rb", Some("a\n\nb")),
        ] {
            assert_eq!(prose(text), expected.unwrap_or(text.trim_end()), "{text:?}");
        }
    }

    #[test]
    fn hostile_prose_is_escaped_and_keeps_its_words() {
        for text in HOSTILE {
            assert_harmless(&prose(text));
            let (before, after) = (plain_characters(text), prose(text));
            // Link definitions and the addresses of links that are not written are no words.
            if !text.contains("]: ") {
                assert_eq!(words(&after, Options::empty()), words(&before, Options::empty()), "{text:?}: {after:?}");
            }
        }
    }

    #[test]
    fn text_in_a_code_span_stays_in_it() {
        for text in ["plain", "a`b", "`", "``x", "a ` b"] {
            assert_harmless(&code(text));
            let written = code(text);
            assert!(Parser::new(&written).any(|event| event == Event::Code(text.into())), "{written}");
        }
    }

    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "\n", "\n\n", " ", " ", "\t", "\r", "`", "```", "~~~", "rust", "- ", "1. ", "> ", "# ", "[", "]", "(", ")", "[x]", ": ", "<", ">", "</", "b", "<!--", "-->", "https://", "http://a.b", "a.example", "*", "**", "_", "\\", "&lt;", "&#32;", "|", "---", "===", "~~", "!", "é", "\u{202e}", "\0", "[^1]", "word",
    ];

    /// Any text, with what has a meaning in Markdown and rustdoc more often than by chance.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![4 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<String>()];
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn any_prose_is_harmless(text in text()) {
            let safe = prose(&text);
            assert_harmless(&safe);
            // And it is Rust: the comments of an item, and nothing after them.
            let docs = docs(&safe);
            let written = format("types.rs", &quote::quote!(#(#docs)* pub struct Item;)).unwrap();
            let file = syn::parse_file(&written).unwrap();
            prop_assert_eq!(file.items.len(), 1);
        }
    }

    /// rustdoc itself, over all of them at once: as documentation without a warning, and with no test in it.
    #[test]
    fn rustdoc_accepts_hostile_prose_without_warnings_and_tests() {
        let folder = tempfile::TempDir::new().unwrap();
        let mut items = quote::quote!();
        for (index, text) in HOSTILE.iter().enumerate() {
            let (docs, name) = (docs(&prose(text)), quote::format_ident!("Item{index}"));
            items.extend(quote::quote!(#(#docs)* pub struct #name;));
        }
        let file = folder.path().join("prose.rs");
        fs::write(&file, format("prose.rs", &items).unwrap()).unwrap();
        let rustdoc = |arguments: &[&str]| {
            let mut command = Command::new(std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()));
            command.arg(&file).args(["--edition", "2024", "-o"]).arg(folder.path()).args(arguments);
            let output = command.output().unwrap();
            let said =
                format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{said}");
            said
        };
        rustdoc(&["-D", "warnings"]);
        let tests = rustdoc(&["--test"]);
        assert!(tests.contains("running 0 tests") || tests.contains("0 passed; 0 failed"), "{tests}");
    }
}
