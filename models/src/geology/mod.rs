//! Geology
