//! How differences are shown.

use super::*;

fn difference(class: Class, place: &str, subject: &str, operations: &[&str], reason: Option<&str>) -> Difference {
    Difference {
        class,
        place: place.to_owned(),
        message: "differs".to_owned(),
        subject: subject.to_owned(),
        operations: operations.iter().map(|operation| (*operation).to_owned()).collect(),
        ours: "ours.yaml:12".to_owned(),
        published: "published.yaml:3456".to_owned(),
        reason: reason.map(str::to_owned),
    }
}

fn some() -> [Difference; 4] {
    [
        difference(Class::BreaksCallers, "a", "required", &["one"], None),
        difference(Class::Cosmetic, "Longer.place", "optional", &["one", "two", "three"], None),
        difference(Class::Cosmetic, "Another", "optional", &["one"], None),
        difference(Class::KnownDeviation, "b", "absent", &["one"], Some("So it is.")),
    ]
}

#[test]
fn the_table_is_aligned_and_shows_actions_and_counts() {
    let expected = "\
CLASS            OURS  PUBLISHED  WHAT TO DO  PLACE         DIFFERENCE
breaks callers   12    3456       require it  a             differs [one]
cosmetic         12    3456       nothing     Longer.place  differs [one and 2 more]; also in 1 other place, see `--json`
                 because: The SDK sends all members that our document requires, and reads missing members as their defaults.
known deviation  12    3456       nothing     b             differs [one]
                 because: So it is.

If the service does not behave as published, keep our document and state the reason at OURS: `x-deviation: \
                    {covers: [SUBJECT], reason: ...}`. `--json` and `--markdown` show the SUBJECT.

4 differences: 1 breaks callers, 0 breaks decoding, 0 new, 2 cosmetic, 1 known deviation
";
    assert_eq!(report::table(&some()), expected);
    assert_eq!(report::table(&[]).lines().count(), 1);
}

#[test]
fn json_has_an_object_for_each_difference() {
    let objects: Value = serde_json::from_str(&report::json(&some()).unwrap()).unwrap();
    assert_eq!(objects.as_array().map(Vec::len), Some(4));
    assert_eq!(objects[3]["class"], "known deviation");
    assert_eq!(objects[3]["reason"], "So it is.");
    assert_eq!(objects[0]["operations"], json!(["one"]));
    assert_eq!((&objects[0]["subject"], &objects[0]["what_to_do"]), (&json!("required"), &json!("require it")));
    assert_eq!(objects[1]["what_to_do"], "nothing");
}

#[test]
fn markdown_shows_what_needs_action_and_collapses_the_rest() {
    let text = report::markdown("v5.yaml", &some());
    let (now, rest) = text.split_once("<details>").unwrap();
    assert!(now.starts_with("`v5.yaml` compared with our document: **4 differences: 1 breaks callers"), "{text}");
    assert!(now.contains("| breaks callers | require it | a | `required` | differs | one |"), "{text}");
    assert!(!now.contains("cosmetic |") && rest.contains("| cosmetic | nothing | Longer.place |"), "{text}");
    assert!(rest.contains("Because: So it is."), "{text}");
    let text = report::markdown("v5.yaml", &[]);
    assert!(text.contains("No action is needed.") && !text.contains("<details>"), "{text}");
}

#[test]
fn text_from_a_published_file_cannot_break_a_row() {
    let mut hostile = difference(Class::New, "a|b", "member: x`|\ny", &["one"], None);
    hostile.message = "has `a|b`, <b>, @team, *c*, [d](e) and a lone ` and\nanother line\u{1b}[31m".to_owned();
    let text = report::markdown("v5.yaml", &[hostile.clone()]);
    let row = text.lines().find(|line| line.contains("has `a")).unwrap();
    assert!(row.contains(r"has `a\|b`, \<b\>, \@team, \*c\*, \[d\](e) and a lone \` and"), "{row}");
    assert!(row.contains("another line"), "{row}");
    // Eight cells, whatever is in them.
    assert_eq!(row.replace("\\|", "").matches('|').count(), 9, "{row}");
    assert!(!text.contains('\u{1b}') && !report::table(&[hostile]).contains('\u{1b}'));
}
