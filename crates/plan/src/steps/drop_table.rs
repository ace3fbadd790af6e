//! `drop_table`: never CASCADE. What still refers to the table makes it fail, and nothing has changed.

use super::{Ddl, DdlStep, Described, Undo, retire_table};
use crate::sqlgen::cost::{Cost, Loss};
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{
    compiled::{Action, Plan},
    document::PhaseName,
};
use crossfade_model::ident::TableName;
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops a table without CASCADE. If something refers to it, the step fails and nothing has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropTable {
    /// By its name in the plan. If the plan retires it first, the retired table is dropped.
    pub table: TableName,
    /// The tables that its foreign keys refer to. They are locked for a short time too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<TableName>,
}

impl Described for DropTable {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Contract]
    }
    fn tables(&self) -> Vec<&TableName> {
        std::iter::once(&self.table)
            .chain(&self.references)
            .collect()
    }
    fn subject(&self) -> String {
        self.table.to_string()
    }
}

impl Ddl for DropTable {
    fn replaces_table(&self) -> bool {
        true
    }

    fn parts(&self, plan: &Plan) -> Vec<DdlUnit> {
        let table = self.dropped(plan);
        let mut drop =
            Statement::new(format!("DROP TABLE {table}")).lock(&table, Lock::AccessExclusiveLock);
        for other in &self.references {
            drop = drop.lock(other, Lock::AccessExclusiveLock);
        }
        vec![DdlUnit::locking(
            Goal::NoTable {
                table: table.clone(),
            },
            vec![drop],
        )]
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Irreversible
    }

    /// It is for good. A table that another is kept in step with has its values there.
    fn cost(&self, plan: &Plan) -> Cost {
        if plan.link(&self.table).is_some() {
            return Cost::default();
        }
        Cost::of(Loss {
            what: format!("rows of {}", self.table),
            ..Loss::of_table(&self.dropped(plan))
        })
    }
}

impl DropTable {
    /// Its name by then.
    fn dropped(&self, plan: &Plan) -> TableName {
        let is_retired = plan.steps().any(|(_, step)| {
            matches!(&step.action, Action::Ddl(DdlStep::RetireTable(retire)) if retire.table == self.table)
        });
        if is_retired {
            retire_table::aside(&self.table)
        } else {
            self.table.clone()
        }
    }
}
