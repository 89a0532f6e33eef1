//! Who installs, what is installed, and where it comes from: one file of code for each of these.

mod environment;
mod indexes;
mod lock;
mod requirements;
mod select;

pub(super) use environment::makes_environment;
pub(super) use indexes::{check_variable, extra_index, find_links, indexes, network, overruled};
pub(super) use lock::{Installation, followed, installation};
pub(super) use requirements::{
    build_needs, constraints, dependencies, files, folders, is_spelt_out, overrides, unisolated,
};
pub(super) use select::{check_conflicts, default_groups, extras, groups, normalized};
