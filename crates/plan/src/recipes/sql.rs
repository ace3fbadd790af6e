//! `sql`: the author's own statements, in a phase of their own.

use super::{
    Change,
    relation::{self, Errors},
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::Facts,
    steps::{Step, sql::Sql},
};
use crossfade_model::{error::Path, ident::TableName};

impl Change for Sql {
    fn tables(&self) -> Vec<&TableName> {
        Vec::new()
    }

    fn phases(&self, _: &Facts, _: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        Ok(vec![relation::phase(
            PhaseName::Sql,
            vec![Step::from(self.clone())],
        )])
    }
}
