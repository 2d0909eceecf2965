//! What a command says of its work: outcomes, errors, tables.

pub(crate) mod errors;
pub(crate) mod outcomes;
pub(crate) mod table;
