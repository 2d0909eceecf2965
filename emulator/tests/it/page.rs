//! The page at `/`, as a person sees and uses it in a browser.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use coralogix_incidents_emulator::Emulator;

use crate::{
    connection::{request, unassign},
    life::scratch,
};

const PAGE: &str = include_str!("../../src/http/admin/page.html");

/// A person at the page: reads what is visible, fills forms in and clicks buttons. What happened is written down at the end.
const PERSON: &str = r#"<!doctype html>
<title>A person at the page</title>
<iframe style="width: 1400px; height: 900px"></iframe>
<pre id="notes"></pre>
<script>
const origin = 'ORIGIN';
const frame = document.querySelector('iframe');
const page = () => frame.contentDocument;
const note = (text) => document.getElementById('notes').append(text + '\n');
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** Waits until the page shows all of these texts, and none of the texts that begin with `-`. */
async function sees(...texts) {
  for (let tries = 0; tries < 100; tries++) {
    const visible = page().body.innerText;
    const wrong = texts.filter((text) => text[0] === '-' ? visible.includes(text.slice(1)) : !visible.includes(text));
    if (!wrong.length) return note(`sees ${texts.join(', ')}`);
    await sleep(100);
  }
  throw new Error(`does not see ${texts.join(', ')} in:\n${page().body.innerText}`);
}

function fill(label, value) {
  page().querySelector(`[aria-label="${label}"]`).value = value;
}

function click(label) {
  const button = [...page().querySelectorAll('button')].find((button) => button.innerText === label);
  if (!button?.checkVisibility()) throw new Error(`finds no button ${label}`);
  button.click();
}

function unassign() {
  return fetch(origin + '/mgmt/openapi/v1/incidents:unassign', {
    method: 'POST',
    headers: { Authorization: 'Bearer cxup_emulator', 'Content-Type': 'application/json' },
    body: '{"incidentIds":["incident_id_2"]}',
  });
}

async function use() {
  await sees('Incidents emulator', '50 incidents', 'Checkout error ratio above 5 %', 'critical', 'nobody');
  await sees('unassignIncidents', 'POST /v1/incidents:unassign', '200', 'incident_id_1', 'jonas.weber@example.com');
  await sees('None.', '(running)');
  fill('Operation', 'unassignIncidents');
  fill('Fault', '503:times=1');
  click('Add fault');
  await sees('unassignIncidents:503:times=1', 'hit 0 requests', '-None.');
  await unassign();
  await sees('hit 1 request', '503');
  fill('Fault', 'often');
  click('Add fault');
  await sees('is not a fault');
  click('Clear faults');
  await sees('None.', '-unassignIncidents:503', '-is not a fault');
  click('Clear requests');
  await sees('None so far.', '0 requests');
  await unassign();
  await sees('1 requests', 'incident_id_2', '-None so far.');
  fill('Time', '2026-03-14T12:00:00Z');
  click('Stop clock at');
  await sees('2026-03-14T12:00:00Z (stopped)');
  click('Reset clock');
  await sees('(running)');
  page().querySelector('details').open = true;
  click('Set incidents');
  await sees('An incident of mine', '1 incidents', '-Checkout error ratio');
  click('Reset incidents');
  await sees('50 incidents', 'Checkout error ratio', '-An incident of mine');
  note('has used everything');
}

frame.addEventListener('load', () => use().catch((problem) => note(problem.message)), { once: true });
fetch(origin).then(async (response) => {
  frame.srcdoc = (await response.text()).replace('<head>', `<head><base href="${origin}">`);
});
</script>
"#;

/// What the browser makes of a file after its scripts had 60 seconds of the browser's own time, which stands still while a
/// response is awaited.
fn browse(file: &Path) -> Option<String> {
    let profile = scratch("browser");
    let output = ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|browser| {
        Command::new(browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--window-size=1400,900",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            // A file may read the emulator's responses then.
            .args(["--disable-web-security", "--virtual-time-budget=60000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(file)
            .stdin(Stdio::null())
            .output()
            .ok()
    });
    let _ = fs::remove_dir_all(profile);
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn a_person_sees_and_changes_everything_on_the_page() {
    let emulator = Emulator::start().await.unwrap();
    unassign(&emulator, "incident_id_1").send().expect(200);
    let initial = emulator.incident("incident_id_2");
    let page = request(&emulator, "GET", "").at("/").key(None).send();
    assert_eq!((page.headers["content-type"].as_str(), page.body.as_str()), ("text/html; charset=utf-8", PAGE));
    let file = scratch("page.html");
    fs::write(&file, PERSON.replace("ORIGIN", emulator.origin())).unwrap();
    let Some(dom) = browse(&file) else {
        return println!("skipped: there is no browser");
    };
    fs::remove_file(file).unwrap();
    let notes = dom.split_once("<pre id=\"notes\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let notes = notes.map_or(dom.as_str(), |(notes, _)| notes);
    assert!(notes.contains("has used everything"), "{notes}");
    assert_eq!(emulator.len(), 50);
    assert_eq!(emulator.incident("incident_id_2"), initial);
    let operations: Vec<_> = emulator.requests().iter().map(|request| request.operation_id).collect();
    assert_eq!(operations, [Some("unassignIncidents")], "the request after the log was cleared");
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    for external in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!PAGE.contains(external), "the page has {external}");
    }
}
