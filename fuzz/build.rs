//! Lists the generated requests and responses, so that nobody has to: each is fuzzed from the moment it is generated.

use std::{env, error::Error, fs, path::Path};

const TYPES: &str = "../sdk/src/generated/types.rs";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={TYPES}");
    let code = fs::read_to_string(TYPES)?;
    let structs = code.lines().filter_map(|line| line.strip_prefix("pub struct ")?.split([' ', '<', '(']).next());
    let names: Vec<&str> = structs.filter(|name| name.ends_with("Request") || name.ends_with("Response")).collect();
    if names.is_empty() {
        return Err(format!("{TYPES} has no request and no response").into());
    }
    let calls: String = names.iter().map(|name| format!("    stable::<types::{name}>(data);\n")).collect();
    let code = format!("fn every_message(data: &[u8]) {{\n{calls}}}\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("messages.rs"), code)?;
    Ok(())
}
