//! The real binary as a person uses it: in pipes and in a terminal, against the emulator.

mod account;
mod configuration;
mod exit_codes;
mod lists;
mod output;
mod support;
mod terminal;
