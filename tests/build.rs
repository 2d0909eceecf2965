//! Lists the types that are generated from the OpenAPI document, so that no test lists schemas by hand.

use std::{env, error::Error, fs, path::Path};

use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/incidents.yaml");
    println!("cargo::rerun-if-changed={}", path.display());
    let document: Value = serde_saphyr::from_str(&fs::read_to_string(path)?)?;
    let schemas = document["components"]["schemas"].as_object().ok_or("the document has no schemas")?;
    let types: Vec<String> = schemas.keys().map(|name| format!("    Type::of::<types::{name}>({name:?}),\n")).collect();
    let code = format!("pub(crate) static TYPES: &[Type] = &[\n{}];\n", types.concat());
    fs::write(Path::new(&env::var("OUT_DIR")?).join("types.rs"), code)?;
    Ok(())
}
