//! `add_exclusion`: for small tables only, as PostgreSQL reads the table under a lock that lets nobody in.

use super::named::{Named, Naming, What};
use super::{
    Change,
    relation::{self, Errors, Fit},
};
use crate::sqlgen::script;
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::{Facts, Table},
    steps::{Step, add_exclusion::AddExclusion as AddExclusionStep},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddExclusion {
    pub table: TableName,
    pub name: Ident,
    /// The text after EXCLUDE: `USING gist (room WITH =, during WITH &&)`.
    pub exclude: String,
    /// A table with more rows than this is refused.
    #[serde(default = "rows_max", skip_serializing_if = "is_rows_max")]
    pub max_rows: u64,
}

const ROWS_MAX: u64 = 10_000;

fn rows_max() -> u64 {
    ROWS_MAX
}

fn is_rows_max(rows: &u64) -> bool {
    *rows == ROWS_MAX
}

impl Change for AddExclusion {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn advice(&self, _: &Facts) -> Vec<(String, &'static str)> {
        vec![(
            format!("{} is read while nobody can read or write it", self.table),
            "PostgreSQL has no other way to add an exclusion constraint. The time depends on the number of rows",
        )]
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::UsesIn(&self.exclude), at.key("exclude"))
            .and(What::MakesIndex(self.name.clone()), at.key("name"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let partitioned = facts.table(&self.table).is_some_and(Table::is_partitioned);
        if partitioned {
            let message = format!("{} is partitioned", self.table);
            let help = "PostgreSQL before 17 has no exclusion constraint over partitions, and later ones only over whole partition keys, read under a lock on all of them: add one to each partition separately";
            return relation::refuse(&at.key("table"), message, help);
        }
        let table = relation::table(facts, &self.table, at, Fit::Ordinary)?;
        relation::name_is_free(&self.table, table, &self.name, at)?;
        if let Some(why) = script::unbalanced(&self.exclude) {
            let help = "write what follows EXCLUDE: `USING gist (room WITH =, during WITH &&)`";
            return relation::refuse(&at.key("exclude"), format!("`exclude` {why}"), help);
        }
        let rows = table.rows_max() as u64;
        if rows > self.max_rows {
            let (how, help) = if table.rows_per_block.is_some() {
                (
                    "has about",
                    "the table would be locked while all of them are read. A higher `max_rows` allows that",
                )
            } else {
                (
                    "was never analyzed and may have up to",
                    "run ANALYZE on it, so that the number of rows is known: the table would be locked while all of them are read. A higher `max_rows` allows that",
                )
            };
            let message = format!(
                "{} {how} {rows} rows, and `max_rows` is {}",
                self.table, self.max_rows
            );
            return relation::refuse(&at.key("table"), message, help);
        }
        let step = AddExclusionStep {
            table: self.table.clone(),
            name: self.name.clone(),
            definition: format!("EXCLUDE {}", self.exclude),
        };
        Ok(vec![relation::phase(
            PhaseName::Enforce,
            vec![Step::from(step)],
        )])
    }
}
