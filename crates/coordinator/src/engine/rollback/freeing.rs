//! Going back where somebody has dropped or renamed what the triggers name: they cannot be put back, and what the application
//! writes fails. So the triggers are ended first, then what can be taken back is, and no column and no table is dropped: it may
//! be all that is left of its values.

use crate::database::{
    catalog,
    observe::{Observed, observe},
};
use crate::engine::{
    EngineError, by_hand,
    ddl::{self, Reached},
    drift,
    notice::Notice,
    session::Driver,
};
use crate::store::{history, marks, rollbacks};
use crossfade_decisions::lifecycle::snapshot::{RollbackTarget, Snapshot};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use crossfade_plan::sqlgen::{
    counters,
    ddl_unit::{DdlUnit, Goal, Statement},
    standing,
};
use crossfade_plan::{
    compiled::{Action, Plan, PlannedStep, StepId},
    steps::{DdlStep, Undo},
};
use serde_json::json;
use tokio_postgres::{GenericClient, error::SqlState};

/// Whether going back can only free the application. Then it goes to the start, or is refused.
pub async fn only_frees(
    client: &impl GenericClient,
    snapshot: &Snapshot,
    target: RollbackTarget,
) -> Result<bool, EngineError> {
    if snapshot.frees {
        return Ok(true);
    }
    if !drift::is_broken(client, snapshot).await? {
        return Ok(false);
    }
    match target {
        RollbackTarget::Start => Ok(drift::all_dropped(client, snapshot).await?.is_empty()),
        RollbackTarget::Phase(_) => {
            let told = drift::told(client, snapshot).await?.join("; ");
            Err(EngineError::Refused(format!(
                "{told}. The run can neither continue nor go back to a phase. `crossfade rollback {}` drops the triggers, so that the application can write, and drops no column and no table",
                snapshot.plan.name
            )))
        }
    }
}

impl Driver {
    /// Ends the triggers and functions wherever they are by now. What follows takes back what it can.
    pub(super) async fn free(&mut self, snapshot: &Snapshot) -> Result<Reached, EngineError> {
        let told = match snapshot.frees {
            true => Vec::new(),
            false => drift::told(&*self.work, snapshot).await?,
        };
        if !snapshot.frees {
            self.record("rollback frees", async |transaction, lease| {
                rollbacks::set_frees(transaction, lease, &told).await
            })
            .await?;
        }
        let ends = drift::ends(snapshot);
        if let Some((step, _)) = ends.first() {
            for part in self.nullable(snapshot).await? {
                match ddl::run_parts(self, &snapshot.plan, step, &[part]).await? {
                    Reached::Ran | Reached::WasThere => {}
                    stopped @ (Reached::Paused | Reached::Interrupted) => return Ok(stopped),
                }
            }
        }
        for (step, functions) in ends {
            for function in functions {
                let end = self.end_of(&snapshot.plan, &function).await?;
                match ddl::run_parts(self, &snapshot.plan, &step, &[end]).await? {
                    Reached::Ran | Reached::WasThere => {}
                    stopped @ (Reached::Paused | Reached::Interrupted) => return Ok(stopped),
                }
            }
        }
        if !told.is_empty() {
            self.reporter.notice(Notice::Freed(told));
        }
        Ok(Reached::Ran)
    }

    /// A new column that was renamed, or whose table was, keeps the NOT NULL that the run gave it, and no trigger fills it any more.
    async fn nullable(&self, snapshot: &Snapshot) -> Result<Vec<DdlUnit>, EngineError> {
        let was_set = |table: &TableName, column: &Ident| {
            snapshot.plan.steps().any(|(_, step)| match &step.action {
                Action::Ddl(DdlStep::SetNotNull(set)) => {
                    set.table == *table
                        && set.column == *column
                        && snapshot.step_state(&step.id).has_begun()
                }
                _ => false,
            })
        };
        let renamed = drift::renamed(&*self.work, snapshot).await?.into_iter();
        Ok(renamed
            .filter(|one| was_set(&one.table, &one.planned))
            .map(|one| {
                let sql = format!(
                    "ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL",
                    one.table_now, one.now
                );
                let goal = Goal::Nullable {
                    proof: Ident::from_catalog("crossfade_no_proof"),
                    column: one.now,
                    table: one.table_now.clone(),
                };
                let drop = Statement::new(sql).lock(&one.table_now, Lock::AccessExclusiveLock);
                DdlUnit::locking(goal, vec![drop])
            })
            .collect())
    }

    /// CASCADE: the triggers go wherever they are, whatever their tables are called.
    async fn end_of(&self, plan: &Plan, function: &Ident) -> Result<DdlUnit, EngineError> {
        let mut drop = Statement::new(format!(
            "DROP FUNCTION IF EXISTS crossfade.{function}() CASCADE"
        ));
        let mut table = TableName {
            schema: Ident::from_catalog("crossfade"),
            name: function.clone(),
        };
        for one in catalog::standing(&*self.work).await? {
            if one.function == *function {
                drop = drop.lock(&one.table, Lock::AccessExclusiveLock);
                table = one.table;
            }
        }
        let goal = Goal::Sync {
            table,
            function: function.clone(),
            body: None,
        };
        let forget = standing::forget(&plan.name, std::slice::from_ref(function));
        Ok(DdlUnit::locking(goal, vec![drop, forget]))
    }

    /// What can be taken back of a step without dropping a column or a table.
    pub(super) async fn reverse_freely(
        &mut self,
        snapshot: &Snapshot,
        step: &PlannedStep,
    ) -> Result<Reached, EngineError> {
        let (plan, id, action) = (&snapshot.plan, &step.id, &step.action);
        let mut left = self.left_of(action).await?;
        let stood = marks::of_run(&*self.work, snapshot.run_id).await?;
        let replaced =
            by_hand::replaced(&*self.work, snapshot, &stood, std::iter::once(step)).await?;
        if !replaced.is_empty() {
            left.extend(replaced);
            self.leave(id, left).await?;
            return Ok(Reached::Ran);
        }
        for part in freely(plan, action) {
            match ddl::run_parts(self, plan, id, &[part]).await {
                Ok(Reached::Ran | Reached::WasThere) => {}
                Ok(stopped) => return Ok(stopped),
                Err(error) if is_not_there(&error) => left.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        if !left.is_empty() {
            self.leave(id, left).await?;
        }
        Ok(Reached::Ran)
    }

    async fn leave(&mut self, id: &StepId, left: Vec<String>) -> Result<(), EngineError> {
        self.record("rollback leaves", async |transaction, lease| {
            let detail = json!({"step": id.0, "left": left});
            history::record(transaction, lease.run_id, "rollback leaves", &detail).await
        })
        .await?;
        self.reporter.notice(Notice::Left(left));
        Ok(())
    }

    /// A column or table of the new side that is still there.
    async fn left_of(&self, action: &Action) -> Result<Vec<String>, EngineError> {
        let (goal, what) = match action {
            Action::Ddl(DdlStep::Sql(_)) => {
                let what = "the effects of its statements: check them, and undo them by hand";
                return Ok(vec![what.to_owned()]);
            }
            Action::Ddl(DdlStep::AddColumn(add)) => {
                let (table, column) = (add.table.clone(), add.column.clone());
                let what = format!("the column {table}.{column}");
                (Goal::NoColumn { table, column }, what)
            }
            Action::Ddl(DdlStep::CreateTable(create)) => {
                let table = create.table.clone();
                let what = format!("the table {table}");
                (Goal::NoTable { table }, what)
            }
            _ => return Ok(Vec::new()),
        };
        Ok(match observe(&*self.work, &goal).await? {
            Observed::Holds => Vec::new(),
            _ => vec![format!("{what}: check its values, and drop it by hand")],
        })
    }

    /// The counters of the writes, once nothing counts any more.
    pub(super) async fn drop_counters(&mut self, plan: &Plan) -> Result<(), EngineError> {
        for counters in counters::of(plan) {
            for sequence in [counters.old, counters.new] {
                let drop = format!("DROP SEQUENCE IF EXISTS crossfade.{sequence}");
                self.record("rollback counters", async |transaction, _| {
                    transaction.batch_execute(&drop).await?;
                    Ok(())
                })
                .await?;
            }
        }
        Ok(())
    }
}

/// The functions are ended already, and columns and tables stay.
fn freely(plan: &Plan, action: &Action) -> Vec<DdlUnit> {
    match action {
        Action::Ddl(DdlStep::RetireColumn(retire)) => retire.renames_back(),
        Action::Ddl(DdlStep::RetireTable(retire)) => vec![retire.rename_back()],
        // What an author's reverse takes away was not counted.
        Action::Ddl(DdlStep::AddColumn(_) | DdlStep::CreateTable(_) | DdlStep::Sql(_))
        | Action::SyncColumns(_)
        | Action::SyncTables(_)
        | Action::Fill(_)
        | Action::Match(_)
        | Action::Query(_) => Vec::new(),
        Action::Ddl(step) => match step.ddl().undo(plan) {
            Undo::Parts(parts) => parts,
            Undo::Nothing | Undo::Irreversible => Vec::new(),
        },
    }
}

/// What was to be taken back has gone, has another name, or belongs to a column that stays.
fn is_not_there(error: &EngineError) -> bool {
    let code = match error {
        EngineError::Conflict { .. } => return true,
        EngineError::Statement { error, .. } | EngineError::Database(error) => error.code(),
        _ => None,
    };
    const CODES: [SqlState; 6] = [
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_COLUMN,
        SqlState::UNDEFINED_OBJECT,
        SqlState::UNDEFINED_FUNCTION,
        SqlState::DUPLICATE_COLUMN,
        SqlState::DEPENDENT_OBJECTS_STILL_EXIST,
    ];
    code.is_some_and(|code| CODES.contains(code))
}
