//! Integration tests of the pipeline, on the Jinhua showcase with large cells and few years so that they stay short.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod flood;
mod frequency;
mod pipeline;
mod portfolio;
mod region;
mod report;
mod screening;
