//! Prose of the document as documentation that can't become anything else. rustdoc compiles code blocks, resolves brackets,
//! and complains about tags and bare addresses, and a carriage return ends a doc comment. It must not know whose prose it is.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream};
use pulldown_cmark_to_cmark as to_cmark;

/// What rustdoc itself reads in documentation, apart from smart punctuation.
const RUSTDOC: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS);

/// `CommonMark` of any kind as `CommonMark` that holds text, lists, headings, quotes, code spans, code that is not compiled,
/// and links to web pages, and says the same.
pub(super) fn prose(text: &str) -> String {
    let text = plain_characters(text);
    let mut events = Vec::new();
    // Whether each open link is written as one.
    let mut links = Vec::new();
    let mut is_code = false;
    for event in TextMergeStream::new(Parser::new_ext(&text, Options::empty())) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                is_code = true;
                events.push(Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced("text".into()))));
            }
            Event::End(TagEnd::CodeBlock) => {
                is_code = false;
                events.push(event);
            }
            Event::Text(_) if is_code => events.push(event),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                push_text(&text, links.contains(&true), &mut events);
            }
            Event::Start(Tag::HtmlBlock) => events.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => {
                // A line of HTML ends with a break.
                events.pop_if(|last| *last == Event::SoftBreak);
                events.push(Event::End(TagEnd::Paragraph));
            }
            Event::HardBreak => events.push(Event::SoftBreak),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                let is_auto = matches!(link_type, LinkType::Autolink | LinkType::Email);
                let is_written = !is_auto && address_length(&dest_url) == Some(dest_url.len());
                links.push(is_written);
                events.extend(is_written.then(|| link(LinkType::Inline, dest_url)));
            }
            Event::End(TagEnd::Link) => events.extend(links.pop().unwrap_or_default().then_some(event)),
            event => events.push(event),
        }
    }
    let options = to_cmark::Options {
        list_token: '-',
        code_block_token_count: 3,
        increment_ordered_list_bullets: true,
        ..to_cmark::Options::default()
    };
    let mut out = String::new();
    if to_cmark::cmark_with_options(events, &mut out, RUSTDOC, options).is_err() {
        // What cannot be written is shown as it is.
        let fence = fence(&text);
        out = format!("{fence}text\n{text}\n{fence}");
    }
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Adds text in which nothing has a meaning but addresses.
fn push_text(text: &str, in_link: bool, events: &mut Vec<Event<'_>>) {
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            events.push(Event::SoftBreak);
        }
        let mut rest = line;
        while let Some((start, length)) = address(rest).filter(|_| !in_link) {
            let (before, address) = rest[..start + length].split_at(start);
            let address = CowStr::from(address.to_owned());
            events.extend((!before.is_empty()).then(|| Event::Text(before.to_owned().into())));
            let end = Event::End(TagEnd::Link);
            events.extend([link(LinkType::Autolink, address.clone()), Event::Text(address), end]);
            rest = &rest[start + length..];
        }
        events.extend((!rest.is_empty()).then(|| Event::Text(rest.to_owned().into())));
    }
}

fn link(link_type: LinkType, dest_url: CowStr<'_>) -> Event<'_> {
    Event::Start(Tag::Link { link_type, dest_url, title: "".into(), id: "".into() })
}

/// The start and the length of the first web address in a text.
fn address(text: &str) -> Option<(usize, usize)> {
    text.match_indices("http").find_map(|(start, _)| Some((start, address_length(&text[start..])?)))
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
    use pulldown_cmark::BrokenLink;

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
        let options = RUSTDOC | Options::ENABLE_SMART_PUNCTUATION;
        let mut broken = Vec::new();
        let mut note = |link: BrokenLink<'_>| -> Option<(CowStr<'_>, CowStr<'_>)> {
            broken.push(link.reference.to_string());
            None
        };
        let parser = Parser::new_with_broken_link_callback(markdown, options, Some(&mut note));
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
            ("1. one\n\n2. two\n\n   more\n\n# Heading", None),
            ("**Note**: _now_", Some("**Note**: *now*")),
            ("* one\n* two", Some("- one\n- two")),
            ("See <https://example.com> [index].", Some("See <https://example.com> \\[index\\].")),
            ("A\n\n    code\n", Some("A\n\n```text\ncode\n```")),
            ("<incident id> & [x](y)", Some("\\<incident id> &amp; x")),
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
