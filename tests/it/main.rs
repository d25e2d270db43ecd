//! Everything that needs more than one module, in one binary: one link, and no order between tests.

#[cfg(feature = "edge")]
mod edge;
mod guard;
