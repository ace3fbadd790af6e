//! `query`: a question asked of the database before the run goes on. Its words are the same as a gate's.

use super::Described;
use crate::document::{PhaseName, Query};
use crossfade_model::ident::TableName;

impl Described for Query {
    fn phases(&self) -> &'static [PhaseName] {
        &[
            PhaseName::Expand,
            PhaseName::DualWrite,
            PhaseName::Backfill,
            PhaseName::Verify,
            PhaseName::Enforce,
            PhaseName::SwitchReads,
            PhaseName::Retire,
        ]
    }
    fn tables(&self) -> Vec<&TableName> {
        Vec::new()
    }
    fn subject(&self) -> String {
        self.name.clone()
    }
}
