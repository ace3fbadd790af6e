//! `rename_column`: a second column under the new name, kept in step with the old one until that is dropped.

use super::named::{Named, Naming, Upkeep, What};
use super::replacement::{Keys, Pair, Replacement, only_ordinary};
use super::{Change, alias::Alias, new_column::NewColumn, relation};
use crate::{
    document::{Assignments, Expression, PhaseDocument},
    facts::Facts,
    steps::drop_alias::RenamedColumn,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameColumn {
    pub table: TableName,
    pub from: Ident,
    pub to: Ident,
    #[serde(default)]
    pub strategy: Strategy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// A second column, kept in step by triggers and filled in batches.
    #[default]
    Copy,
    /// A view with both names. It takes the same short time for a table of any size, but operations that PostgreSQL
    /// allows only on tables do not work meanwhile.
    Alias,
}

impl Change for RenameColumn {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn contradictions(&self, at: &Path) -> Vec<PlanError> {
        relation::same_name(self.from == self.to, at)
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let naming = Naming::of(&self.table);
        match self.strategy {
            Strategy::Copy => naming.and(What::Removes(&self.from), at.key("from")).and(
                What::Makes(Cow::Borrowed(&self.to), Upkeep::Triggers),
                at.key("to"),
            ),
            Strategy::Alias => naming
                .and(What::Table, at.key("strategy"))
                .and(What::Removes(&self.from), at.key("from")),
        }
        .named()
    }

    fn replacement<'a>(
        &'a self,
        facts: &'a Facts,
        at: &Path,
    ) -> Result<Option<Replacement<'a>>, Vec<PlanError>> {
        let (table, old) = only_ordinary(facts, &self.table, &self.from, at, "from")?;
        match self.strategy {
            Strategy::Copy => {}
            Strategy::Alias => return Ok(None),
        }
        let copy = |target: &Ident, source: &Ident| {
            Assignments::from([(target.clone(), Expression::column(source))])
        };
        Ok(Some(Replacement {
            keys: Keys::Refused,
            table_name: &self.table,
            table,
            pairs: vec![Pair {
                old,
                new: self.to.clone(),
                column: NewColumn::of_type(&old.type_name),
                conversion_can_fail: false,
                keeps_name: false,
            }],
            others: Vec::new(),
            gone: Vec::new(),
            forward: copy(&self.to, &self.from),
            backward: copy(&self.from, &self.to),
        }))
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        if let Some(replacement) = self.replacement(facts, at)? {
            return replacement.phases(at);
        }
        Alias {
            table_name: &self.table,
            base: self.table.name.with_suffix("__base"),
            column: Some(RenamedColumn {
                from: self.from.clone(),
                to: self.to.clone(),
            }),
        }
        .phases(facts, at)
    }
}
