//! `add_column`: in the catalog only, where a default can be had without touching rows; else filled in batches.

use super::named::{Named, Naming, Upkeep, What};
use super::{
    Change, Condition,
    relation::{self, Errors, Fit},
    set_not_null,
};
use crate::{
    document::{Assignments, Expression, PhaseDocument, PhaseName},
    facts::{Facts, Table},
    steps::{
        Step,
        add_column::{AddColumn as AddColumnStep, DefaultFor},
        drop_sync::DropSync,
        fill::FillStep,
        rows_match::MatchStep,
        set_not_null::SetNotNull,
        sync_columns::{OnUnconvertible, SyncColumns},
    },
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
pub struct AddColumn {
    pub table: TableName,
    pub column: Ident,
    /// As in SQL, such as `varchar(50)`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// As in SQL. A default that is different for every row (`gen_random_uuid()`) is backfilled in batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Expression>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_null: bool,
    /// The value as an expression over the row's other columns, kept in step while the old version writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Expression>,
    /// The triggers stay after the change. The column then behaves like a stored generated column, without the rewrite.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_sync: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl AddColumn {
    fn condition<'a>(&'a self, default: &'a Expression) -> Condition<'a> {
        Condition {
            word: "default",
            table: &self.table,
            expression: default,
            wanted: super::Wanted::DefaultOf(&self.type_name),
        }
    }

    fn step(&self, default_for: Option<DefaultFor>, not_null: bool) -> Step {
        let default = self.default.as_ref().map(Expression::to_string);
        Step::from(AddColumnStep {
            default: default.filter(|_| default_for.is_some()),
            default_for: default_for.unwrap_or_default(),
            not_null,
            comment: self.comment.clone(),
            ..AddColumnStep::new(&self.table, &self.column, &self.type_name)
        })
    }

    fn not_null(&self, table: &Table) -> Vec<Step> {
        let step = SetNotNull {
            table: self.table.clone(),
            column: self.column.clone(),
            partitions: relation::leaves(table).unwrap_or_default(),
        };
        if self.not_null {
            vec![Step::from(step)]
        } else {
            Vec::new()
        }
    }

    fn fill(&self, expression: &Expression) -> Step {
        Step::Fill(FillStep {
            table: self.table.clone(),
            set: Assignments::from([(self.column.clone(), expression.clone())]),
            from: None,
        })
    }

    /// Rows that are inserted have it at once; the others are given theirs in batches.
    fn filled_with_default(&self, table: &Table, default: &Expression) -> Vec<PhaseDocument> {
        let verify = if self.not_null {
            vec![set_not_null::no_null(&self.table, table, &self.column)]
        } else {
            Vec::new()
        };
        relation::filled(vec![
            relation::phase(
                PhaseName::Expand,
                vec![self.step(Some(DefaultFor::NewRows), false)],
            ),
            relation::phase(PhaseName::Backfill, vec![self.fill(default)]),
            relation::phase(PhaseName::Verify, verify),
            relation::phase(PhaseName::Enforce, self.not_null(table)),
        ])
    }

    /// What the old version's values convert to may be NULL: NOT NULL waits until it no longer writes.
    fn computed(&self, facts: &Table, forward: &Expression) -> Vec<PhaseDocument> {
        let table = self.table.clone();
        let set = Assignments::from([(self.column.clone(), forward.clone())]);
        let verify = MatchStep {
            table: table.clone(),
            columns: set.clone(),
            backward: Assignments::new(),
            from: None,
        };
        let sync = SyncColumns {
            table: table.clone(),
            forward: set,
            backward: Assignments::new(),
            on_unconvertible: OnUnconvertible::default(),
        };
        let drop_sync = if self.keep_sync {
            Vec::new()
        } else {
            vec![Step::from(DropSync { table })]
        };
        let mut phases = vec![
            relation::phase(PhaseName::Expand, vec![self.step(None, false)]),
            relation::phase(PhaseName::DualWrite, vec![Step::SyncColumns(sync)]),
            relation::phase(PhaseName::Backfill, vec![self.fill(forward)]),
            relation::phase(PhaseName::Verify, vec![Step::Match(verify)]),
            relation::phase(PhaseName::Retire, self.not_null(facts)),
            relation::phase(PhaseName::Contract, drop_sync),
        ];
        phases = relation::filled(phases);
        if !self.keep_sync {
            // The new version computes the column itself from here on.
            let at = phases
                .iter()
                .position(|phase| phase.phase > PhaseName::SwitchReads);
            let switch = relation::phase(PhaseName::SwitchReads, Vec::new());
            phases.insert(at.unwrap_or(phases.len()), switch);
        }
        phases
    }

    fn check(&self, table: &Table, facts: &Facts, at: &Path) -> Result<(), Errors> {
        let unconstrained = facts.types.get(&self.type_name);
        let serial = ["serial", "bigserial", "smallserial"];
        if serial.contains(&self.type_name.trim().to_ascii_lowercase().as_str())
            && unconstrained.is_none_or(Result::is_err)
        {
            let message = format!("{} is no type but a sequence and a default", self.type_name);
            let help = "add a bigint column with `default: nextval('…')` of a sequence of its own";
            return relation::refuse(&at.key("type"), message, help);
        }
        if let Some(column) = table.column(&self.column) {
            let message = format!(
                "{} already has a column {} of type {}",
                self.table, self.column, column.type_name
            );
            let help = facts.taken(&self.table, &self.column);
            return relation::refuse(&at.key("column"), message, &help);
        }
        Ok(())
    }
}

impl Change for AddColumn {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn conditions(&self) -> Vec<Condition<'_>> {
        let default = self.default.as_ref();
        default
            .map(|default| self.condition(default))
            .into_iter()
            .collect()
    }

    fn word_of(&self, expression: &Expression) -> Option<&'static str> {
        if self.forward.as_ref() == Some(expression) {
            Some("forward")
        } else if self.default.as_ref() == Some(expression) {
            Some("default")
        } else {
            Some("type")
        }
    }

    fn contradictions(&self, at: &Path) -> Errors {
        let refused = |key: &str, message: String, help: &str| {
            vec![PlanError::at(at.key(key), message).help(help)]
        };
        if self.forward.is_some() && self.default.is_some() {
            let message = "`forward` and `default` exclude each other".to_owned();
            let help =
                "a default would make a row look filled that is not: use set_default afterwards";
            return refused("default", message, help);
        }
        if self.keep_sync && self.forward.is_none() {
            let message = "`keep_sync` without `forward` keeps nothing".to_owned();
            return refused("keep_sync", message, "say how it is computed");
        }
        if self.not_null && self.forward.is_none() && self.default.is_none() {
            let message = format!("{} cannot be NOT NULL: no row has a value", self.column);
            let help =
                "give a `default`, or say with `forward` how it is computed from other columns";
            return refused("not_null", message, help);
        }
        Vec::new()
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let upkeep = match &self.forward {
            Some(_) => Upkeep::Triggers,
            None => Upkeep::Default,
        };
        let mut naming = Naming::of(&self.table)
            .and(
                What::Makes(Cow::Borrowed(&self.column), upkeep),
                at.key("column"),
            )
            .and(What::OfType(&self.type_name), at.key("type"));
        if let Some(forward) = &self.forward {
            naming = naming.and(What::Computes(forward.as_str()), at.key("forward"));
        }
        if self.keep_sync {
            naming = naming.and(What::KeepsTriggers, at.key("keep_sync"));
        }
        naming.named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        relation::no_foreign_partition(table, at)?;
        if table.is_partitioned() && self.forward.is_some() {
            let message = format!("{} is partitioned", self.table);
            let help = "an update that moves a row to another partition arrives there as an insert with the column's old value, which cannot be told from a value of the new version: add the column without `forward`, and let the new version compute it";
            return relation::refuse(&at.key("forward"), message, help);
        }
        self.check(table, facts, at)?;
        if let Some(forward) = &self.forward {
            return Ok(self.computed(table, forward));
        }
        let Some(default) = &self.default else {
            let step = self.step(None, false);
            return Ok(vec![relation::phase(PhaseName::Expand, vec![step])]);
        };
        let analysed = facts.expressions.get(&self.condition(default).key(facts));
        // Until it has been asked about it is taken for the harder case.
        let volatile = analysed.is_none_or(|found| found.as_ref().is_ok_and(|f| f.is_volatile()));
        if volatile {
            return Ok(self.filled_with_default(table, default));
        }
        let step = self.step(Some(DefaultFor::AllRows), self.not_null);
        Ok(vec![relation::phase(PhaseName::Expand, vec![step])])
    }
}
