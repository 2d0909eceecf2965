//! What the generator writes is a function of the document. [`refusals`] has the documents that it refuses.

mod refusals;

use std::collections::BTreeSet;

use syn::visit_mut::{VisitMut, visit_path_mut};

use super::*;
use crate::model::names;

/// A document with one operation of each generation.
const DOCUMENT: &str = r"
openapi: 3.0.3
info: {title: Test, version: 1.0.0}
paths:
  /v1/incidents:find:
    post:
      operationId: findIncidents
      summary: Find incidents
      description: Finds incidents.
      x-api-generation: v1
      x-idempotency: safe
      x-permission: incidents:read
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Query'}}}
      responses:
        '200':
          description: Found.
          content: {application/json: {schema: {$ref: '#/components/schemas/Incident'}}}
        '400':
          description: Refused.
          content: {application/json: {schema: {$ref: '#/components/schemas/Status'}}}
        '5XX':
          description: Failed.
          content: {application/json: {schema: {$ref: '#/components/schemas/Status'}}} # of 5XX
  /5/incidents/{id}:
    get:
      operationId: getIncident
      summary: Get an incident
      description: Gets it.
      x-api-generation: v1
      x-idempotency: safe
      x-permission: incidents:read
      parameters:
        - name: id
          in: path
          required: true
          description: Its id.
          schema: {type: string, minLength: 1, pattern: '\S'}
      responses:
        '200':
          description: Found.
          content: {application/json: {schema: {$ref: '#/components/schemas/Incident'}}}
components:
  schemas:
    Query:
      type: object
      description: A query.
      properties:
        ids:
          type: array
          description: Ids.
          minItems: 1
          items: {type: string, minLength: 1, pattern: '\S'}
    Incident:
      type: object
      description: An incident.
      required: [id, state]
      properties:
        id: {type: string, description: Its id.}
        state: {$ref: '#/components/schemas/State'}
        count: {type: integer, format: int32, description: How often.}
    State:
      type: string
      description: A state.
      enum: [STATE_UNSPECIFIED, STATE_ON]
    Status:
      type: object
      description: What failed.
      properties:
        message: {type: string, description: Why.}
";

fn parsed(text: &str) -> Result<Document> {
    Document::parse(Path::new("doc.yaml"), text)
}

fn generated(text: &str) -> BTreeMap<&'static str, String> {
    generate(&parsed(text).unwrap()).unwrap()
}

/// The document of these tests with more schemas.
fn with_schemas(schemas: &str) -> String {
    format!("{}{schemas}", DOCUMENT.trim_end())
}

/// The document of the SDK.
fn ours() -> Document {
    Document::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(super::DOCUMENT)).unwrap()
}

#[test]
fn the_document_of_these_tests_is_accepted() {
    let files = generated(DOCUMENT);
    assert_eq!(
        files.keys().copied().collect::<Vec<_>>(),
        ["client.rs", "members.rs", "mod.rs", "operations.rs", "types.rs"]
    );
    assert!(files["client.rs"].contains("pub async fn find_incidents("), "{}", files["client.rs"]);
}

/// Names of paths that begin with them, and of imports.
struct Bare(BTreeSet<String>);

impl VisitMut for Bare {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        visit_path_mut(self, path);
        self.0.insert(path.segments[0].ident.to_string());
    }
    fn visit_use_name_mut(&mut self, name: &mut syn::UseName) {
        self.0.insert(name.ident.to_string());
    }
}

/// The files of a folder and of those below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The lists that refuse names know what the SDK has.
#[test]
fn every_name_that_generated_code_could_clash_with_is_known() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/src");
    let parse = |path: &Path| syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
    for path in files(&sources).iter().filter(|path| !path.starts_with(sources.join("generated"))) {
        for item in parse(path).items {
            let syn::Item::Impl(block) = item else { continue };
            let ty = &block.self_ty;
            if block.trait_.is_some() || quote!(#ty).to_string() != "Client" {
                continue;
            }
            for item in block.items {
                let syn::ImplItem::Fn(function) = item else { continue };
                let name = function.sig.ident.to_string();
                assert!(names::CLIENT_METHODS.contains(&name.as_str()), "add `{name}` to the methods of `Client`");
            }
        }
    }

    let mut types = parse(&sources.join("generated/types.rs"));
    types.items = items(types.items);
    let mut bare = Bare(BTreeSet::new());
    bare.visit_file_mut(&mut types);
    let declared: BTreeSet<String> = types
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Struct(item) => Some(item.ident.to_string()),
            syn::Item::Enum(item) => Some(item.ident.to_string()),
            _ => None,
        })
        .collect();
    // `D` and `S` are parameters of single functions.
    let upper = |name: &&String| name.len() > 1 && name.starts_with(|letter: char| letter.is_ascii_uppercase());
    for name in bare.0.difference(&declared).filter(upper) {
        assert!(names::TYPES.contains(&name.as_str()), "add `{name}` to the names of types");
    }
}

#[test]
fn names_and_data_may_begin_with_x() {
    let property = "message: {type: string, description: Why.}";
    let named = "x-message: {type: string, description: Why., example: x-ray}\n      example: {x-message: x}";
    let text = DOCUMENT.replace(property, named);
    assert!(generated(&text)["types.rs"].contains("x-message"));
}

#[test]
fn hostile_descriptions_do_not_become_code() {
    let hostile = r#""See [index] and <b>.\r\n\n    let never: Never;\n\n```\nlet never: Never;\n```""#;
    let descriptions = ["Finds incidents.", "Gets it.", "How often.", "A state.", "An incident.", "Why."];
    let text = descriptions.iter().fold(DOCUMENT.to_owned(), |text, description| {
        assert_eq!(text.matches(description).count(), 1, "{description}");
        text.replace(description, hostile)
    });
    let files = generated(&text);
    let code = files.values().cloned().collect::<String>();
    assert!(!code.contains('\r') && !code.contains("[index]") && !code.contains(" <b>"), "{code}");
    let lines: Vec<&str> = code.lines().map(|line| line.trim_start().trim_start_matches("/// ")).collect();
    let fences = lines.iter().filter(|line| **line == "```text").count();
    assert!(fences >= 2 * descriptions.len(), "{code}");
    assert_eq!(lines.iter().filter(|line| **line == "```").count(), fences, "{code}");
}

#[test]
fn generating_twice_gives_identical_bytes() {
    let (first, second) = (generate(&ours()).unwrap(), generate(&ours()).unwrap());
    assert!(first == second, "the generator's output depends on something else than the document");
}

#[test]
fn a_file_that_was_edited_added_or_removed_fails_the_check_with_a_diff() {
    let folder = tempfile::TempDir::new().unwrap();
    let folder = folder.path();
    let files = [("one.rs", "fn one() {}\n"), ("two.rs", "fn two() {}\n")];
    let files: BTreeMap<PathBuf, String> = files.map(|(name, text)| (folder.join(name), text.to_owned())).into();
    for (path, text) in &files {
        write(path, text).unwrap();
    }
    assert_eq!(changes(folder, &files).unwrap(), []);
    assert_eq!(report(&[]), ExitCode::SUCCESS);

    write(&folder.join("one.rs"), "fn edited() {}\n").unwrap();
    write(&folder.join("three.rs"), "fn three() {}\n").unwrap();
    fs::remove_file(folder.join("two.rs")).unwrap();
    let changes = changes(folder, &files).unwrap();
    let diffs: String = changes.iter().map(diff).collect();
    for line in ["-fn edited() {}\n", "+fn one() {}\n", "+fn two() {}\n", "-fn three() {}\n", "/one.rs\n"] {
        assert!(diffs.contains(line), "{diffs}");
    }
    assert_eq!(report(&changes), ExitCode::FAILURE);
}

/// The items of a generated file, those that macros are given among them.
fn items(items: Vec<syn::Item>) -> Vec<syn::Item> {
    let inner = |item| match item {
        syn::Item::Macro(invocation) => super::rust::macro_item(&invocation).unwrap(),
        item => item,
    };
    items.into_iter().map(inner).collect()
}

/// What an enum's variants and a struct's fields are called in generated code.
fn members(code: &str, name: &str) -> Vec<String> {
    let items = items(syn::parse_file(code).unwrap().items);
    let found = items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == name => {
            Some(item.variants.iter().map(|variant| variant.ident.to_string()).collect())
        }
        syn::Item::Struct(item) if item.ident == name => {
            Some(item.fields.iter().filter_map(|field| Some(field.ident.as_ref()?.to_string())).collect())
        }
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no `{name}` in the generated types"))
}

/// The one edit of the document that is daily work: after it, `cargo xtask generate` and accepted snapshots are all it takes.
#[test]
fn an_enum_value_and_an_optional_field_need_no_edit_but_that_of_the_document() {
    let before = generate(&ours()).unwrap();
    let mut root = ours().root().clone();
    let schemas = &mut root["components"]["schemas"];
    let values = schemas["IncidentState"]["enum"].as_array_mut().unwrap();
    values.push("INCIDENT_STATE_NOT_IN_THE_DOCUMENT".into());
    let field = serde_json::json!({ "type": "boolean", "description": "Whether there is no data.", "example": true });
    let fields = schemas["Incident"]["properties"].as_object_mut().unwrap();
    assert!(fields.insert("notInTheDocument".to_owned(), field).is_none());
    let after = generated(&root.to_string());

    // The new members are there, and nothing else of either type went or came.
    for (name, new) in [("IncidentState", "NotInTheDocument"), ("Incident", "not_in_the_document")] {
        let mut expected = members(&before["types.rs"], name);
        expected.push(new.to_owned());
        expected.sort();
        let mut found = members(&after["types.rs"], name);
        found.sort();
        assert_eq!(found, expected, "{name}");
    }
    for line in ["NotInTheDocument = \"INCIDENT_STATE_NOT_IN_THE_DOCUMENT\"", "pub fn with_not_in_the_document("] {
        assert!(after["types.rs"].contains(line) && !before["types.rs"].contains(line), "{line}");
    }
    for file in ["client.rs", "operations.rs", "mod.rs"] {
        assert_eq!(before[file], after[file], "{file}");
    }
}

const MESSAGES: &str = "
    Event:
      type: object
      description: What happened.
      x-oneof:
        - [opened, count, nothing]
      properties:
        opened: {$ref: '#/components/schemas/Incident'}
        count: {type: integer, format: int32, description: How often.}
        nothing: {$ref: '#/components/schemas/Nothing'}
        other: {$ref: '#/components/schemas/Incident'}
        list: {type: array, description: Some., items: {$ref: '#/components/schemas/Incident'}}
    Nothing:
      type: object
      description: A message without members.
";

#[test]
fn a_message_of_a_oneof_is_boxed_and_nothing_else_is() {
    let types = &generated(&with_schemas(MESSAGES))["types.rs"];
    for line in [
        "pub opened: Option<Box<Incident>>,",
        "pub count: Option<i32>,",
        "pub nothing: Option<Nothing>,",
        "pub other: Option<Incident>,",
        "pub fn with_opened(mut self, opened: impl Into<Incident>) -> Self {",
    ] {
        assert!(types.contains(line), "{line}\n{types}");
    }
}

#[test]
fn the_emulator_knows_the_members_their_types_and_the_oneofs_of_a_message() {
    let table = messages(&parsed(&with_schemas(MESSAGES)).unwrap()).unwrap();
    for line in [
        "Field::single(\"opened\", \"opened\", Kind::Message(&INCIDENT)).in_oneof(0usize),",
        "Field::single(\"count\", \"count\", Kind::Integer).in_oneof(0usize),",
        "Field::single(\"other\", \"other\", Kind::Message(&INCIDENT)),",
        "Field::list(\"list\", \"list\", Kind::Message(&INCIDENT)),",
        "static NOTHING: Message = Message {\n    name: \"Nothing\",\n    fields: &[],\n};",
        "impl Described for types::Event {",
    ] {
        assert!(table.contains(line), "{line}\n{table}");
    }
}

#[test]
fn the_sdk_knows_the_members_of_every_message_in_a_response_and_of_no_other() {
    let table = &generate(&ours()).unwrap()["members.rs"];
    for line in [
        "(\"incidents\", Member::Map(&INCIDENT)), (\"notFoundIds\", Member::Value)",
        "(\"events\", Member::Message(&INCIDENT_EVENT)),",
        "(\"contextualLabels\", Member::Value),",
        "impl Response for types::UnassignIncidentsResponse {\n    const MESSAGE: &'static Message = &UNASSIGN_INCIDENTS_RESPONSE;",
    ] {
        assert!(table.contains(line), "{line}\n{table}");
    }
    assert!(!table.contains("REQUEST"), "{table}");
}

#[test]
fn a_request_is_constructed_from_its_required_members() {
    let query = "      description: A query.\n      properties:\n";
    assert_eq!(DOCUMENT.matches(query).count(), 1);
    let members = "        user: {$ref: '#/components/schemas/User'}\n        \
                   old: {type: string, deprecated: true, description: As it was.}\n";
    let text = DOCUMENT.replace(query, &format!("      required: [ids, user]\n{query}{members}"));
    let user = "
    User:
      type: object
      description: Somebody.
      required: [name]
      properties:
        name: {type: string, description: A name.}
";
    let types = &generated(&format!("{}{user}", text.trim_end()))["types.rs"];
    let code = types.replace(char::is_whitespace, "");
    for signature in [
        "fnnew(user:implInto<User>,ids:implIntoIterator<Item=implInto<String>>,)->Self",
        "fnnew(name:implInto<String>)->Self",
        "#[deprecated]#[must_use]pubfnwith_old(mutself,old:implInto<String>)->Self",
        "#[deprecated]#[serde(skip_serializing_if=\"Option::is_none\")]pubold:Option<String>",
        "implFrom<&str>forUser{",
        "implFrom<String>forUser{",
    ] {
        assert!(code.contains(signature), "{signature}\n{types}");
    }
    assert_eq!(code.matches("fnnew(").count(), 2, "a response is not made by hand: {types}");
}

#[test]
fn any_value_anywhere_is_generated_or_refused_with_its_line() {
    let root = parsed(DOCUMENT).unwrap().root().clone();
    let mut pointers = Vec::new();
    crate::json_pointer::walk(&root, "", &mut |pointer, _| pointers.push(pointer.to_owned()));
    let values =
        ["null", "3", "-1.5", "'é 4'", "''", "[]", "{}", "true", "{$ref: '#'}", "[[{}]]", "{type: string, pattern: (}"];
    let values = values.map(|value| parsed(value).unwrap().root().clone());
    let (mut generated, mut errors) = (0, 0);
    for (index, pointer) in pointers.iter().enumerate() {
        let mut broken = root.clone();
        // Two of them at each place, so that each kind of value comes to many places.
        for value in [&values[index % values.len()], &values[(index * 7 + 3) % values.len()]] {
            value.clone_into(broken.pointer_mut(pointer).unwrap());
            match parsed(&broken.to_string()).and_then(|document| generate(&document)) {
                Ok(_) => generated += 1,
                Err(error) => {
                    let error = format!("{error:#}");
                    assert!(error.starts_with("doc.yaml:"), "{pointer}: {value}: {error}");
                    errors += 1;
                }
            }
        }
    }
    assert!(errors > 3 * generated, "{errors} errors, {generated} generated");
}
