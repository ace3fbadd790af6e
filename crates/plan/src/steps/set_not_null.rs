//! `set_not_null`: through a validated CHECK, so that the table is not scanned under a strong lock.

use super::{Ddl, Described, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::{
    ddl_unit::{DdlUnit, Goal, Statement},
    literal,
};
use crate::{compiled::Plan, document::PhaseName};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sets NOT NULL after a validated CHECK, so that the table is not scanned under a strong lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetNotNull {
    pub table: TableName,
    pub column: Ident,
    /// On a partitioned table: its partitions that have rows. They are read one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<TableName>,
}

impl SetNotNull {
    /// The CHECK that proves it for as long as it is needed.
    pub(super) fn proof(&self) -> Ident {
        self.column.with_suffix("_crossfade_not_null")
    }
}

impl Described for SetNotNull {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Enforce, PhaseName::Retire]
    }
    fn tables(&self) -> Vec<&TableName> {
        std::iter::once(&self.table)
            .chain(&self.partitions)
            .collect()
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }
}

impl Ddl for SetNotNull {
    fn needs(&self) -> Vec<&Ident> {
        vec![&self.column]
    }

    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let (table, column, proof) = (&self.table, &self.column, self.proof());
        let constraint = |table: &TableName, validated| Goal::Constraint {
            table: table.clone(),
            name: proof.clone(),
            validated,
        };
        let validate = |table: &TableName| {
            let statement =
                Statement::new(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {proof}"))
                    .lock(table, Lock::ShareUpdateExclusiveLock)
                    .scans();
            DdlUnit::scanning(constraint(table, true), statement)
        };
        let alter = |what: String, lock| {
            Statement::new(format!("ALTER TABLE {table} {what}")).lock(table, lock)
        };
        let mut parts = vec![DdlUnit::locking(
            constraint(table, false),
            vec![alter(
                format!("ADD CONSTRAINT {proof} CHECK ({column} IS NOT NULL) NOT VALID"),
                Lock::AccessExclusiveLock,
            )],
        )];
        let leaves = self.partitions.iter();
        parts.extend(leaves.map(|leaf| validate(leaf).of_partition(leaf, Some(table))));
        parts.push(validate(table));
        parts.push(DdlUnit::locking(
            Goal::NotNull {
                table: table.clone(),
                column: column.clone(),
                proof: proof.clone(),
            },
            vec![
                alter(
                    format!("ALTER COLUMN {column} SET NOT NULL"),
                    Lock::AccessExclusiveLock,
                ),
                alter(
                    format!("DROP CONSTRAINT IF EXISTS {proof}"),
                    Lock::AccessExclusiveLock,
                ),
            ],
        ));
        parts
    }

    fn undo(&self, _: &Plan) -> Undo {
        let mut part = self.drop();
        if !self.partitions.is_empty() {
            part.statements.push(self.drop_own_of_partitions());
        }
        Undo::Parts(vec![part])
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }
}

impl SetNotNull {
    pub(super) fn drop(&self) -> DdlUnit {
        let (table, proof) = (&self.table, self.proof());
        let alter = |what: String| {
            Statement::new(format!("ALTER TABLE {table} {what}"))
                .lock(table, Lock::AccessExclusiveLock)
        };
        DdlUnit::locking(
            Goal::Nullable {
                table: table.clone(),
                column: self.column.clone(),
                proof: proof.clone(),
            },
            vec![
                alter(format!("ALTER COLUMN {} DROP NOT NULL", self.column)),
                alter(format!("DROP CONSTRAINT IF EXISTS {proof}")),
            ],
        )
    }

    /// From PostgreSQL 18 on a primary key that was added to a partition has made the NOT NULL the partition's own, too, and it
    /// stays when the table's goes. The partitions of the moment are locked with the table already.
    fn drop_own_of_partitions(&self) -> Statement {
        let table = literal::text(&self.table.to_string());
        let column = literal::text(self.column.as_str());
        Statement::new(format!(
            "DO $crossfade$ DECLARE part regclass; BEGIN \
             FOR part IN SELECT p.relid FROM pg_partition_tree({table}::regclass) AS p JOIN pg_attribute AS a ON a.attrelid = p.relid \
             WHERE p.level > 0 AND a.attname = {column} AND a.attnotnull ORDER BY p.level LOOP \
             EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', part, {column}); END LOOP; END $crossfade$"
        ))
    }
}
