//! How histories are written down.

pub(crate) mod json;
