//! Integration tests of the pipeline, on the Jinhua showcase with large cells and few years so that they stay short.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod danger_ledger;
mod flood;
mod frequency;
mod maps;
mod lists;
mod pipeline;
mod portfolio;
mod quality;
mod region;
mod risk;
mod report;
mod screening;
mod zonal;
