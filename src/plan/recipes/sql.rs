//! `sql`: the author's own statements, in a phase of their own.

use super::{
    Change,
    relation::{self, Errors},
};
use crate::plan::{
    document::{PhaseDocument, PhaseName},
    error::Path,
    facts::Facts,
    ident::TableName,
    steps::{Step, sql::Sql},
};

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
