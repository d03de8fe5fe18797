pub struct Atomicity;
pub struct Versions;
pub fn atomicity() {}
