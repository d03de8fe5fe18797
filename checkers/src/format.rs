//! How histories are written down.

pub(crate) mod edn;
pub(crate) mod json;
