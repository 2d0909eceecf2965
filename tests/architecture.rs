//! The directions of dependencies: between crates, read from the manifests, and between the modules of a crate, read from
//! their code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use quote::ToTokens;
use syn::{Attribute, Ident, Item, Type, UseTree};

use crate::repository;

#[test]
fn dependencies_between_crates_point_in_one_direction() {
    let mut found = Vec::new();
    for folder in ["cli", "emulator", "sdk", "tests", "xtask"] {
        let manifest = repository::read(&format!("{folder}/Cargo.toml"));
        let mut table = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                table = line;
            } else if table.ends_with("dependencies]") && line.starts_with("coralogix-incidents") {
                found.push(format!("{folder} {table} {}", line.split(['=', '.', ' ']).next().unwrap()));
            }
        }
    }
    let expected = [
        "cli [dependencies] coralogix-incidents",
        // It is behind `--emulator`.
        "cli [dependencies] coralogix-incidents-emulator",
        // It shares the SDK's types and its table of operations, and nothing that sends requests.
        "emulator [dependencies] coralogix-incidents",
        // For examples and benchmarks alone: everybody uses the SDK, so it is the first to be built and knows nobody.
        "sdk [dev-dependencies] coralogix-incidents-emulator",
        "tests [dependencies] coralogix-incidents",
        "tests [dependencies] coralogix-incidents-emulator",
        "tests [dev-dependencies] coralogix-incidents",
        // And xtask knows nobody, so that a broken SDK can always be generated anew.
    ];
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let mut entries = 0;
    for folder in ["sdk", "xtask", "emulator", "cli"] {
        let source = repository::root().join(folder).join("src");
        let read = |path: &Path| fs::read_to_string(source.join(path)).ok();
        for entry in ["lib.rs", "main.rs"].into_iter().filter(|entry| source.join(entry).exists()) {
            entries += 1;
            assert_eq!(circle(&Modules::read(entry, &read).imports()), None, "{folder}/src/{entry}");
        }
    }
    assert!(entries > 5, "{entries} entries are found");
}

/// The modules of a crate by their paths, such as `crate::bulk::run`. An inline module belongs to its file's module; modules
/// of unit tests are left out.
#[derive(Default)]
struct Modules(BTreeMap<String, Module>);

#[derive(Default)]
struct Module {
    /// What the module's `use` declarations call by what name, as written.
    uses: BTreeMap<String, String>,
    /// Other paths in its code that begin with `crate`, `self` or `super`.
    paths: Vec<String>,
    /// The types that it extends by `impl Type { ... }`, which may stand in any file of the crate.
    extended: BTreeSet<String>,
}

impl Modules {
    /// Reads the modules from the file of the crate on. `read` knows files by their paths in the folder of that file.
    fn read(entry: &str, read: &dyn Fn(&Path) -> Option<String>) -> Self {
        let mut modules = Self::default();
        modules.add("crate", &read(Path::new(entry)).unwrap(), Path::new(""), read);
        modules
    }

    /// Reads the text of a module and the files of its modules, which are in `folder`.
    fn add(&mut self, name: &str, text: &str, folder: &Path, read: &dyn Fn(&Path) -> Option<String>) {
        let code = syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut module = Module::default();
        let mut items: Vec<(PathBuf, Item)> = code.items.into_iter().map(|item| (folder.to_owned(), item)).collect();
        while let Some((folder, item)) = items.pop() {
            match item {
                Item::Mod(inner) if is_test(&inner.attrs) => {}
                Item::Mod(inner) => {
                    let below = folder.join(inner.ident.to_string());
                    if let Some((_, inline)) = inner.content {
                        items.extend(inline.into_iter().map(|item| (below.clone(), item)));
                    } else {
                        let text = read(&below.with_extension("rs")).or_else(|| read(&below.join("mod.rs")));
                        let text = text.unwrap_or_else(|| panic!("{name}: no file for {}", below.display()));
                        self.add(&join(name, &inner.ident), &text, &below, read);
                    }
                }
                Item::Use(item) if is_test(&item.attrs) => {}
                Item::Use(item) => imported("", &item.tree, &mut module.uses),
                item => {
                    if let Item::Impl(block) = &item
                        && block.trait_.is_none()
                        && let Type::Path(ty) = &*block.self_ty
                        && let Some(name) = ty.path.get_ident()
                    {
                        module.extended.insert(name.to_string());
                    }
                    module.paths.extend(paths(&item.to_token_stream().to_string()));
                }
            }
        }
        self.0.insert(name.to_owned(), module);
    }

    /// Which module imports from which.
    fn imports(&self) -> BTreeMap<&str, BTreeSet<String>> {
        let imports = self.0.iter().map(|(name, module)| {
            // A type that is imported to be extended is no import: the code could as well stand beside the type.
            let uses = module.uses.iter().filter(|(name, _)| !module.extended.contains(*name)).map(|(_, path)| path);
            let paths = uses.chain(&module.paths).filter(|path| !self.is_exported(path));
            let targets = paths.filter_map(|path| self.resolve(name, path));
            // A file of a folder is a part of the module that the folder is, and may use what that module has.
            let targets = targets.filter(|target| name != target && !name.starts_with(&format!("{target}::")));
            (name.as_str(), targets.collect())
        });
        imports.collect()
    }

    /// Whether a path names what the crate exports at its root, such as `crate::Error`. These names are the vocabulary of the
    /// whole crate, and no import of a certain module.
    fn is_exported(&self, path: &str) -> bool {
        let name = path.strip_prefix("crate::").and_then(|path| path.split("::").next());
        name.is_some_and(|name| self.0["crate"].uses.contains_key(name))
    }

    /// The module that defines what a path names, seen from the module `from`. `None` for the root, which every module is a
    /// part of, and for what another crate defines.
    fn resolve(&self, from: &str, path: &str) -> Option<String> {
        let (first, rest) = path.split_once("::").unwrap_or((path, ""));
        let path = match first {
            "crate" => path.to_owned(),
            "self" => format!("{from}::{rest}"),
            "super" => return self.resolve(from.rsplit_once("::")?.0, &above(rest)),
            name if self.0.contains_key(&format!("{from}::{name}")) => format!("{from}::{path}"),
            _ => return None,
        };
        let mut module = path.as_str();
        while !self.0.contains_key(module) {
            module = module.rsplit_once("::")?.0;
        }
        let names = path[module.len()..].trim_start_matches("::");
        let (name, after) = names.split_once("::").unwrap_or((names, ""));
        // A name that the module has from elsewhere. What another crate defines, the module passes on as its own.
        let elsewhere = self.0[module].uses.get(name).map(|elsewhere| format!("{elsewhere}::{after}"));
        let target = elsewhere.and_then(|path| self.resolve(module, path.trim_end_matches("::")));
        target.or_else(|| (module != "crate").then(|| module.to_owned()))
    }
}

/// What is left of a path after a `super`, seen from the module above.
fn above(rest: &str) -> String {
    if rest.starts_with("super") { rest.to_owned() } else { format!("self::{rest}") }
}

fn join(path: &str, name: &Ident) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}::{name}") }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|one| one.path().is_ident("cfg") && one.to_token_stream().to_string().contains("test"))
}

/// Each name that a `use` declaration brings in, with its path. A glob counts as an import of the module.
fn imported(path: &str, tree: &UseTree, uses: &mut BTreeMap<String, String>) {
    let mut add = |path: String, rename: Option<&Ident>| {
        let path = path.strip_suffix("::self").unwrap_or(&path);
        let name = rename.map_or_else(|| path.rsplit("::").next().unwrap().to_owned(), Ident::to_string);
        uses.insert(name, path.to_owned());
    };
    match tree {
        UseTree::Path(one) => imported(&join(path, &one.ident), &one.tree, uses),
        UseTree::Group(group) => group.items.iter().for_each(|tree| imported(path, tree, uses)),
        UseTree::Glob(_) => drop(uses.insert(format!("{path}::*"), path.to_owned())),
        UseTree::Name(one) => add(join(path, &one.ident), None),
        UseTree::Rename(one) => add(join(path, &one.ident), Some(&one.rename)),
    }
}

/// The paths in code that begin at the crate or relative to the module, also in the arguments of macros.
fn paths(code: &str) -> Vec<String> {
    let is_of_a_path = |character: char| character.is_alphanumeric() || "_:".contains(character);
    let code = code.replace(|character| !is_of_a_path(character), " ");
    let words: Vec<&str> = code.split_whitespace().collect();
    let begins = words.iter().enumerate().filter(|(_, word)| ["crate", "self", "super"].contains(*word));
    let paths = begins.map(|(index, first)| {
        let names = words[index + 1..].chunks_exact(2).take_while(|pair| pair[0] == "::").map(|pair| pair[1]);
        [*first].into_iter().chain(names).collect::<Vec<_>>().join("::")
    });
    paths.filter(|path| path.contains("::")).collect()
}

/// Some circle, if there is one.
fn circle(imports: &BTreeMap<&str, BTreeSet<String>>) -> Option<String> {
    fn walk<'i>(
        module: &'i str,
        imports: &'i BTreeMap<&str, BTreeSet<String>>,
        way: &mut Vec<&'i str>,
        seen: &mut BTreeSet<&'i str>,
    ) -> Option<String> {
        if let Some(begin) = way.iter().position(|one| *one == module) {
            return Some([&way[begin..], &[module]].concat().join(" -> "));
        }
        if !seen.insert(module) {
            return None;
        }
        way.push(module);
        let found = imports[module].iter().find_map(|next| walk(next, imports, way, seen));
        way.pop();
        found
    }
    let mut seen = BTreeSet::new();
    imports.keys().find_map(|module| walk(module, imports, &mut Vec::new(), &mut seen))
}

#[test]
fn a_circle_is_found_however_a_module_is_imported() {
    let lib = ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;");
    let importing = ("a.rs", "use crate::b::B; pub struct A(B);");
    let both = Some("crate::a -> crate::b -> crate::a");
    for (files, expected) in [
        ([importing, ("b.rs", "use crate::{a::{A}}; pub struct B(A);")].as_slice(), both),
        (&[("a.rs", "use super::b; pub struct A(b::B);"), ("b.rs", "pub struct B(Box<crate::a::A>);")], both),
        (&[importing, ("b.rs", "pub struct B; fn f() { println!(\"{}\", crate::a::A::new()) }")], both),
        (&[importing, ("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }")], None),
        (&[importing, ("b.rs", "use crate::a::A; pub struct B; impl A { fn b() {} }")], None),
        (&[importing, ("b.rs", "use crate::A; pub struct B(Box<A>);")], None),
        (&[("a.rs", "use std::fmt; pub struct A;"), ("b.rs", "use crate::a::{self}; pub struct B(a::A);")], None),
        // A file of a folder is a part of its module.
        (
            &[
                ("lib.rs", "mod a;"),
                ("a/mod.rs", "mod child; pub(crate) use child::C; pub(crate) struct P; fn f(_: C) {}"),
                ("a/child.rs", "use super::P; pub(crate) struct C(P);"),
            ],
            None,
        ),
        (
            &[
                ("lib.rs", "mod a; mod b;"),
                ("a/mod.rs", "mod child; use child::C; pub(crate) struct P(C);"),
                ("a/child.rs", "use crate::b::B; pub(crate) struct C(B);"),
                ("b.rs", "use crate::a::P; pub(crate) struct B(Box<P>);"),
            ],
            Some("crate::a -> crate::a::child -> crate::b -> crate::a"),
        ),
        // Names that a folder passes on are its modules'.
        (
            &[
                ("lib.rs", "mod a;"),
                ("a/mod.rs", "mod child; mod other; pub(crate) use self::{child::C, other::O};"),
                ("a/child.rs", "use super::O; pub(crate) struct C(O);"),
                ("a/other.rs", "pub(crate) struct O;"),
            ],
            None,
        ),
    ] {
        let read = |path: &Path| {
            let file = files.iter().chain([&lib]).find(|(name, _)| path == Path::new(name));
            file.map(|(_, text)| (*text).to_owned())
        };
        assert_eq!(circle(&Modules::read("lib.rs", &read).imports()).as_deref(), expected, "{files:#?}");
    }
}
