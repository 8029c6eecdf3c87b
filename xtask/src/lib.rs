//! What the development commands and the end-to-end tests share.

pub mod demo;
mod documents;
pub mod faults;
pub mod fuzz;
pub mod image;
pub mod injection;
pub mod install;
pub mod layers;
pub mod mailbox;
pub mod model;
pub mod mutants;
pub mod mutations;
mod process;
pub mod scripts;
pub mod servers;
pub mod sim;
pub mod test;
pub mod tour;
pub mod trial;
