//! Turns the OpenAPI document into tables for the tests, so that no test lists operations or schemas by hand: an operation
//! that is added to the document and has no case in `operations.rs` fails the build with its name.

use std::{env, error::Error, fmt::Write, fs, path::Path};

use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let openapi = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi");
    println!("cargo::rerun-if-changed={}", openapi.display());
    let text = fs::read_to_string(openapi.join("incidents.yaml"))?;
    let document: Value = serde_saphyr::from_str(&text)?;

    let mut out = String::new();
    writeln!(out, "pub(crate) static DOCUMENT: &str = {:?};\n", document.to_string())?;

    writeln!(out, "pub(crate) static TYPES: &[Type] = &[")?;
    for (name, _) in object(&document["components"]["schemas"]) {
        writeln!(out, "    Type::of::<types::{name}>({name:?}),")?;
    }
    writeln!(out, "];\n")?;

    let mut operations: Vec<(&str, Option<String>, String)> = Vec::new();
    for (_, item) in object(&document["paths"]) {
        for (_, operation) in object(item).filter(|(_, operation)| operation.get("x-binding-of").is_none()) {
            let id = operation["operationId"].as_str().ok_or("an operation has no operationId")?;
            let body = operation.pointer("/requestBody/content/application~1json/schema").and_then(schema);
            let answer = operation.pointer("/responses/200/content/application~1json/schema").and_then(schema);
            operations.push((id, body, answer.ok_or("an operation has no 200 response")?));
        }
    }

    writeln!(out, "pub(crate) static SAMPLES: &[Sample] = &[")?;
    let mut files: Vec<String> = Vec::new();
    for entry in fs::read_dir(openapi.join("samples"))? {
        files.push(entry?.file_name().into_string().map_err(|name| format!("{} is not UTF-8", name.display()))?);
    }
    files.sort();
    for file in files {
        let stem = file.split('.').next().unwrap_or_default().split("__").next().unwrap_or_default();
        let (_, body, answer) = operations
            .iter()
            .find(|(id, ..)| snake(id) == stem)
            .ok_or_else(|| format!("{file} belongs to no operation"))?;
        let name = if file.ends_with(".request.json") {
            body.as_ref().ok_or("a request sample without a request body")?
        } else {
            answer
        };
        let path = openapi.join("samples").join(&file);
        writeln!(
            out,
            "    Sample {{ file: {file:?}, schema: {name:?}, text: include_str!({:?}) }},",
            path.display().to_string()
        )?;
    }
    writeln!(out, "];")?;
    let target = env::var("OUT_DIR")?;
    fs::write(Path::new(&target).join("document.rs"), out)?;

    let mut cases = String::from("pub(crate) static CASES: &[Case] = &[\n");
    for (id, _, _) in &operations {
        writeln!(cases, "    Case {{ id: {id:?}, run: |client| Box::pin(case::{}(client)) }},", snake(id))?;
    }
    cases.push_str("];\n");
    fs::write(Path::new(&target).join("cases.rs"), cases)?;
    Ok(())
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn schema(value: &Value) -> Option<String> {
    value.get("$ref")?.as_str()?.rsplit('/').next().map(str::to_owned)
}

fn snake(name: &str) -> String {
    name.chars().fold(String::new(), |mut out, character| {
        if character.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
        out
    })
}
