//! The tests are in `main.rs`; a package needs a target of its own.
