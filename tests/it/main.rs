//! Integration tests of the pipeline, on the Jinhua showcase with large cells and few years so that they stay short.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod danger_ledger;
mod exposure;
mod flood;
mod frequency;
mod lists;
mod maps;
mod pipeline;
mod portfolio;
mod quality;
mod region;
mod report;
mod risk;
mod screening;
mod zonal;
