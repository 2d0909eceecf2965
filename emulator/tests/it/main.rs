//! The emulator as its users meet it: over real sockets, through its public interface.

mod clients;
mod document;
mod faults;
mod life;
mod program;
mod queries;
mod raw;
mod requests;
mod service;
mod verbs;
