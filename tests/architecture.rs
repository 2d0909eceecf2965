//! The directions of dependencies: between crates, read from the manifests, and between the modules of a crate, read from
//! their code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, File, Item, Type, UseTree};

/// Which of our crates each of them may depend on, in its code and in its tests.
const ALLOWED: &[(&str, &[&str])] = &[
    // Everybody uses the SDK, so it is the first to be built and knows nobody.
    ("sdk", &[]),
    // A broken SDK can always be generated anew.
    ("xtask", &[]),
    // It shares the SDK's types and its table of operations, and nothing that sends requests.
    ("emulator", &["coralogix-incidents"]),
    // The emulator is behind `--emulator`.
    ("cli", &["coralogix-incidents", "coralogix-incidents-emulator"]),
    ("tests", &["coralogix-incidents", "coralogix-incidents-emulator", "coralogix-incidents-cli"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names that stand under the manifest's `[...dependencies]` tables.
fn dependencies(manifest: &str) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut table = String::new();
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            header.trim_end_matches(']').clone_into(&mut table);
        } else if let Some((name, _)) = line.split_once(['=', '.']).filter(|_| table.ends_with("dependencies")) {
            tables.entry(table.clone()).or_default().push(name.trim().to_owned());
        }
    }
    tables
}

#[test]
fn dependencies_point_in_one_direction() {
    for (folder, allowed) in ALLOWED {
        let path = root().join(folder).join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tables = dependencies(&manifest);
        assert!(!tables.is_empty(), "{folder} has dependencies");
        for (table, names) in tables {
            for name in names.iter().filter(|name| name.starts_with("coralogix-incidents")) {
                // The examples of the SDK and its benchmarks run against the emulator.
                let of_examples =
                    *folder == "sdk" && table == "dev-dependencies" && name == "coralogix-incidents-emulator";
                assert!(
                    allowed.contains(&name.as_str()) || of_examples,
                    "{folder} must not depend on {name} ([{table}])"
                );
            }
        }
    }
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for (folder, _) in ALLOWED.iter().filter(|(folder, _)| *folder != "tests") {
        for entry in ["lib.rs", "main.rs"] {
            let path = root().join(folder).join("src").join(entry);
            if path.exists() {
                let modules = Modules::read(&path);
                if let Some(circle) = circle(&modules.imports()) {
                    circles.push(format!("{folder}/src/{entry}: {}", circle.join(" -> ")));
                }
            }
        }
    }
    assert!(circles.is_empty(), "modules import each other: {circles:#?}");
}

/// A path of names from the root of a crate.
type Names = Vec<String>;

/// The modules of a crate. An inline module belongs to its file's module; modules of unit tests are left out.
struct Modules {
    modules: BTreeMap<Names, Module>,
}

#[derive(Default)]
struct Module {
    /// What the module's `use` declarations call by what name, as written.
    uses: BTreeMap<String, Names>,
    /// Other paths in its code that begin with `crate`, `self` or `super`.
    paths: BTreeSet<Names>,
    /// The types that it extends by `impl Type { ... }`, which may stand in any file of the crate.
    extended: BTreeSet<String>,
}

impl Modules {
    fn read(entry: &Path) -> Self {
        let mut modules = Self { modules: BTreeMap::new() };
        modules.add(entry, entry.parent().unwrap(), &[]);
        modules
    }

    /// Reads a file and the files of its modules, which are in `folder`.
    fn add(&mut self, file: &Path, folder: &Path, names: &[String]) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let code: File = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut module = Module::default();
        self.items(&code.items, folder, names, &mut module);
        self.modules.insert(names.to_vec(), module);
    }

    fn items(&mut self, items: &[Item], folder: &Path, names: &[String], module: &mut Module) {
        for item in items {
            match item {
                Item::Mod(inner) if is_test(&inner.attrs) => {}
                Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    let below = folder.join(&name);
                    if let Some((_, items)) = &inner.content {
                        self.items(items, &below, names, module);
                        continue;
                    }
                    let candidates = match path_attribute(&inner.attrs) {
                        Some(path) => vec![folder.join(path)],
                        None => vec![folder.join(format!("{name}.rs")), below.join("mod.rs")],
                    };
                    let file = candidates.iter().find(|file| file.exists());
                    let file = file.unwrap_or_else(|| panic!("no file for module {name} in {}", folder.display()));
                    self.add(file, &below, &[names, &[name]].concat());
                }
                Item::Use(item) if is_test(&item.attrs) => {}
                Item::Use(item) => flatten(&item.tree, &mut Vec::new(), &mut |path, name| {
                    module.uses.insert(name, path);
                }),
                item => {
                    if let Item::Impl(block) = item
                        && block.trait_.is_none()
                        && let Type::Path(ty) = &*block.self_ty
                        && let Some(name) = ty.path.get_ident()
                    {
                        module.extended.insert(name.to_string());
                    }
                    paths(item.to_token_stream(), &mut module.paths);
                }
            }
        }
    }

    /// Which module imports from which.
    fn imports(&self) -> BTreeMap<Names, BTreeSet<Names>> {
        let imports = self.modules.iter().map(|(names, module)| {
            // A type that is imported to be extended is no import: the code could as well stand beside the type.
            let uses = module.uses.iter().filter(|(name, _)| !module.extended.contains(*name)).map(|(_, path)| path);
            let targets = uses
                .chain(&module.paths)
                .filter(|path| !self.is_exported(path))
                .filter_map(|path| self.resolve(names, path, 0));
            // A file of a folder is a part of the module that the folder is, and may use what that module has.
            (names.clone(), targets.filter(|target| !names.starts_with(target)).collect())
        });
        imports.collect()
    }

    /// Whether a path names what the crate exports at its root, such as `crate::Error`. These names are the vocabulary of the
    /// whole crate, and no import of a certain module.
    fn is_exported(&self, path: &[String]) -> bool {
        let [first, name, ..] = path else { return false };
        first == "crate" && self.modules.get(&[] as &[String]).is_some_and(|root| root.uses.contains_key(name))
    }

    /// The module that defines what a path names, seen from `from`. `None` for what another crate defines.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Names> {
        let (first, mut rest) = path.split_first()?;
        let mut module = match first.as_str() {
            "crate" => Vec::new(),
            "self" => from.to_vec(),
            "super" => from[..from.len().checked_sub(1)?].to_vec(),
            name => {
                let child = [from, &[name.to_owned()]].concat();
                if !self.modules.contains_key(&child) {
                    return None;
                }
                child
            }
        };
        while let Some((name, after)) = rest.split_first() {
            let next = if name == "super" {
                module[..module.len().checked_sub(1)?].to_vec()
            } else {
                [module.as_slice(), &[name.to_owned()]].concat()
            };
            if self.modules.contains_key(&next) {
                module = next;
                rest = after;
                continue;
            }
            // A name that the module has from elsewhere.
            let imported = self.modules.get(&module).and_then(|one| one.uses.get(name)).filter(|_| depth < 8);
            return match imported {
                Some(elsewhere) => {
                    let known = ["crate", "self", "super"].contains(&elsewhere[0].as_str());
                    let target = self.resolve(&module, &[elsewhere.as_slice(), after].concat(), depth + 1);
                    target.or_else(|| known.then(|| module.clone()))
                }
                None => Some(module),
            };
        }
        Some(module)
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|one| one.path().is_ident("cfg") && one.to_token_stream().to_string().contains("test"))
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|one| one.path().is_ident("path"))?;
    attribute.to_token_stream().to_string().split('"').nth(1).map(str::to_owned)
}

/// Each name that a `use` declaration brings in, with its path. A glob counts as an import of the module.
fn flatten(tree: &UseTree, path: &mut Names, found: &mut dyn FnMut(Names, String)) {
    match tree {
        UseTree::Path(one) => {
            path.push(one.ident.to_string());
            flatten(&one.tree, path, found);
            path.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, path, found)),
        UseTree::Glob(_) => found(path.clone(), format!("{}::*", path.join("::"))),
        UseTree::Name(_) | UseTree::Rename(_) => {
            let (name, called) = match tree {
                UseTree::Rename(one) => (one.ident.to_string(), one.rename.to_string()),
                UseTree::Name(one) => (one.ident.to_string(), one.ident.to_string()),
                _ => unreachable!("the two that are matched above"),
            };
            if name == "self" {
                found(path.clone(), path.last().cloned().unwrap_or_default());
            } else {
                found([path.as_slice(), &[name]].concat(), called);
            }
        }
    }
}

/// The paths in code that begin at the crate or relative to the module, also in the arguments of macros.
fn paths(code: TokenStream, found: &mut BTreeSet<Names>) {
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        index += 1;
        match token {
            TokenTree::Group(group) => paths(group.stream(), found),
            TokenTree::Ident(ident) if ["crate", "self", "super"].contains(&ident.to_string().as_str()) => {
                let mut path = vec![ident.to_string()];
                while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(name), ..] = &tokens[index..]
                    && (one.as_char(), two.as_char()) == (':', ':')
                {
                    path.push(name.to_string());
                    index += 3;
                }
                if path.len() > 1 {
                    found.insert(path);
                }
            }
            _ => {}
        }
    }
}

/// Some circle, if there is one.
fn circle(imports: &BTreeMap<Names, BTreeSet<Names>>) -> Option<Vec<String>> {
    // What imports nothing that is left is in no circle.
    let mut left = imports.clone();
    loop {
        let done: Vec<Names> = left
            .iter()
            .filter(|(_, targets)| !targets.iter().any(|one| left.contains_key(one)))
            .map(|(one, _)| one.clone())
            .collect();
        if done.is_empty() {
            break;
        }
        left.retain(|one, _| !done.contains(one));
    }
    let mut way = vec![left.keys().next()?.clone()];
    loop {
        let next = left[way.last()?].iter().find(|one| left.contains_key(*one))?.clone();
        let begin = way.iter().position(|one| *one == next);
        way.push(next);
        if let Some(begin) = begin {
            let name = |names: &Names| if names.is_empty() { "crate".to_owned() } else { names.join("::") };
            return Some(way[begin..].iter().map(name).collect());
        }
    }
}

#[test]
fn a_circle_is_found_however_a_module_is_imported() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("circles-{}", std::process::id()));
    let check = |files: &[(&str, &str)]| {
        let _ = fs::remove_dir_all(&folder);
        for (name, text) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        circle(&Modules::read(&folder.join("lib.rs")).imports()).map(|circle| circle.join(" -> "))
    };
    let lib = "mod a; mod b; pub use a::A; pub use b::B;";
    let both = "a -> b -> a".to_owned();
    for (a, b) in [
        ("use crate::b::B; pub struct A(B);", "use crate::{a::{A}}; pub struct B(A);"),
        ("use super::b; pub struct A(b::B);", "pub struct B(Box<crate::a::A>);"),
        ("use crate::b::B; pub struct A(B);", "pub struct B; fn f() { println!(\"{}\", crate::a::A::new()) }"),
    ] {
        assert_eq!(check(&[("lib.rs", lib), ("a.rs", a), ("b.rs", b)]), Some(both.clone()), "{a} | {b}");
    }
    for (a, b) in [
        ("use crate::b::B; pub struct A(B);", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
        ("use crate::b::B; pub struct A(B);", "use crate::a::A; pub struct B; impl A { fn b() {} }"),
        ("use crate::b::B; pub struct A(B);", "use crate::A; pub struct B(Box<A>);"),
        ("use std::fmt; pub struct A;", "use crate::a::{self}; pub struct B(a::A);"),
    ] {
        assert_eq!(check(&[("lib.rs", lib), ("a.rs", a), ("b.rs", b)]), None, "{a} | {b}");
    }
    let parent = "mod child; pub(crate) use child::C; pub(crate) struct P; fn f(_: C) {}";
    let files = [("lib.rs", "mod a;"), ("a/mod.rs", parent), ("a/child.rs", "use super::P; pub(crate) struct C(P);")];
    assert_eq!(check(&files), None, "a file of a folder is a part of its module");
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod child; use child::C; pub(crate) struct P(C);"),
        ("a/child.rs", "use crate::b::B; pub(crate) struct C(B);"),
        ("b.rs", "use crate::a::P; pub(crate) struct B(Box<P>);"),
    ];
    assert_eq!(check(&files).as_deref(), Some("a -> a::child -> b -> a"));
    let siblings = "mod child; mod other; pub(crate) use self::{child::C, other::O};";
    let files = [
        ("lib.rs", "mod a;"),
        ("a/mod.rs", siblings),
        ("a/child.rs", "use super::O; pub(crate) struct C(O);"),
        ("a/other.rs", "pub(crate) struct O;"),
    ];
    assert_eq!(check(&files), None, "names that a folder passes on are its modules'");
    fs::remove_dir_all(folder).unwrap();
}
