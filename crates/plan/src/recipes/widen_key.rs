//! `widen_key`: a key of a wider integer type, in the table and in all that refer to it, swapped in one transaction.

mod references;

use super::named::{Named, Naming, What};
use super::{
    Change,
    new_column::NewColumn,
    replacement::{Keys, Pair, Replacement, only_ordinary, ordinary_table},
    sequences::Numbers,
};
use crate::sqlgen::foreign_key::ForeignKey;
use crate::{
    document::{Assignments, Expression, Gate, PhaseDocument, PhaseName},
    facts::{ConstraintKind, Facts},
    steps::Step,
    types,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
pub(super) use references::Family;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WidenKey {
    pub table: TableName,
    /// In the primary key.
    pub column: Ident,
    /// `bigint` (or `integer`, of a `smallint`).
    #[serde(rename = "type")]
    pub type_name: String,
}

/// Tables that one transaction locks: each but the first may make the application queue for another 10 ms.
const TABLES_MAX: usize = 20;

impl Change for WidenKey {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn tables_given(&self, facts: &Facts) -> Vec<TableName> {
        self.family(facts).tables()
    }

    fn advice(&self, facts: &Facts) -> Vec<(String, &'static str)> {
        let family = self.family(facts);
        let tables = family.members().iter();
        let keys = tables.flat_map(|(name, columns)| {
            let constraints = facts.table(name).map(|table| table.constraints.as_slice());
            let constraints = constraints.unwrap_or_default().iter();
            constraints
                .filter(|key| {
                    key.kind == ConstraintKind::PrimaryKey
                        && key.definition.contains(" DEFERRABLE")
                        && key.columns.iter().any(|column| columns.contains(column))
                })
                .map(move |key| format!("the primary key {} of {name} is deferrable", key.name))
        });
        let why = "its replacement is a plain unique index until contract. Until then a statement that passes through equal numbers, as `SET id = id + 1` may, fails with 23505";
        let mut advice: Vec<(String, &'static str)> = keys.map(|what| (what, why)).collect();
        for (name, columns) in family.members() {
            let inbound = facts
                .table(name)
                .map(|table| table.referenced_by.as_slice());
            for inbound in inbound.unwrap_or_default() {
                let key = ForeignKey::read(&inbound.definition);
                let Some(key) = key else { continue };
                for own in columns.iter().filter_map(|column| key.referring_to(column)) {
                    if family.columns(&inbound.table).contains(&own) {
                        continue;
                    }
                    let found = facts.table(&inbound.table);
                    let Some(column) = found.and_then(|table| table.column(&own)) else {
                        continue;
                    };
                    if !holds(&column.type_name, &self.type_name) {
                        advice.push((
                            format!(
                                "{}.{own} refers to {name} and stays {}",
                                inbound.table, column.type_name
                            ),
                            "it cannot refer to a row with a larger number. Give it the type of the key first, so that it is widened as well (for a domain: ALTER TABLE … ALTER COLUMN … TYPE, which writes no rows)",
                        ));
                    }
                }
            }
            let found = columns
                .iter()
                .filter_map(|column| facts.table(name)?.column(column));
            for old in found {
                let numbers = Numbers {
                    table: name,
                    old,
                    column: &old.name,
                    type_name: &self.type_name,
                    family: family.members(),
                };
                advice.extend(numbers.advice());
            }
        }
        advice
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        Naming::of(&self.table)
            .and(What::Table, at.key("table"))
            .and(What::Removes(&self.column), at.key("column"))
            .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        self.check_key(facts, at)?;
        let family = self.family(facts);
        let replacements = self.replacements(&family, facts, at)?;
        let mut errors: Vec<PlanError> = Vec::new();
        for replacement in &replacements {
            errors.extend(replacement.refusals(at));
        }
        if replacements.len() > TABLES_MAX {
            let what = format!(
                "{} tables would be locked at once: {} and those that refer to it",
                replacements.len(),
                self.table
            );
            let help = format!("the limit is {TABLES_MAX}: drop some of the foreign keys first");
            errors.push(PlanError::at(at.clone(), what).help(help));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(phases(&replacements))
    }
}

impl WidenKey {
    fn family(&self, facts: &Facts) -> Family {
        Family::of(&self.table, &self.column, &self.type_name, facts)
    }

    fn check_key(&self, facts: &Facts, at: &Path) -> Result<(), Vec<PlanError>> {
        let (table, column) = only_ordinary(facts, &self.table, &self.column, at, "column")?;
        let refuse = |key: &str, what: String, help: String| {
            Err(vec![PlanError::at(at.key(key), what).help(help)])
        };
        let mut keys = table.indexes.iter().filter(|index| index.primary);
        if !keys.any(|index| index.columns.contains(&self.column)) {
            return refuse(
                "column",
                format!(
                    "{} is not in the primary key of {}",
                    self.column, self.table
                ),
                "change its type with change_column_type and `keep_name: true`".to_owned(),
            );
        }
        let is_integer = |name: &str| {
            ["smallint", "integer", "bigint"]
                .iter()
                .any(|integer| types::same(name, integer))
        };
        let (from, to) = (&column.type_name, &self.type_name);
        if !is_integer(from) || !is_integer(to) || !types::widens(from, to) || types::same(from, to)
        {
            return refuse(
                "type",
                format!(
                    "{} is {from}: {to} is not a wider integer type",
                    self.column
                ),
                "a key is widened from smallint or integer to integer or bigint".to_owned(),
            );
        }
        Ok(())
    }

    fn replacements<'a>(
        &'a self,
        family: &'a Family,
        facts: &'a Facts,
        at: &Path,
    ) -> Result<Vec<Replacement<'a>>, Vec<PlanError>> {
        let mut replacements = Vec::new();
        for (name, columns) in family.members() {
            let table = ordinary_table(facts, name, at)?;
            let mut pairs = Vec::new();
            let (mut forward, mut backward) = (Assignments::new(), Assignments::new());
            for column in columns {
                let (_, old) = only_ordinary(facts, name, column, at, "column")?;
                let new = Family::working_name(column);
                forward.insert(new.clone(), Expression::column(column));
                backward.insert(column.clone(), Expression::column(&new));
                pairs.push(Pair {
                    old,
                    new,
                    column: NewColumn::of_type(&self.type_name),
                    // Every value fits.
                    conversion_can_fail: false,
                    keeps_name: true,
                });
            }
            replacements.push(Replacement {
                table_name: name,
                table,
                pairs,
                others: Vec::new(),
                gone: Vec::new(),
                forward,
                backward,
                keys: Keys::Swapped(family),
            });
        }
        Ok(replacements)
    }
}

/// A column of the one type can have every number of the other.
fn holds(type_name: &str, number_type: &str) -> bool {
    types::same(type_name, number_type) || types::widens(number_type, type_name)
}

/// There is no `retire`: with the old column out of sight the primary key would be too, and statements that group by it
/// or conflict on it would fail.
fn phases(replacements: &[Replacement<'_>]) -> Vec<PhaseDocument> {
    let phase = |phase, steps| PhaseDocument {
        phase,
        gate: Gate::default(),
        steps,
    };
    let all = |steps: fn(&Replacement<'_>) -> Vec<Step>| -> Vec<Step> {
        replacements.iter().flat_map(steps).collect()
    };
    let (mut indexes, mut enforcing) = (Vec::new(), Vec::new());
    let mut swaps = Vec::new();
    let mut renames = Vec::new();
    for replacement in replacements {
        let successors = replacement.successors();
        // A foreign key needs the index of the table that it refers to.
        for step in successors.enforce {
            match &step {
                Step::CreateIndex(_) => indexes.push(step),
                _ => enforcing.push(step),
            }
        }
        swaps.extend(successors.swaps);
        renames.extend(successors.renames);
    }
    indexes.extend(enforcing);
    let mut contract = all(|one| vec![one.drop_sync()]);
    contract.extend(all(|one| one.drop_foreign_keys()));
    contract.extend(swaps);
    contract.extend(all(|one| one.take_places()));
    for step in all(|one| one.widen_sequences()) {
        if contract.iter().all(|other| other.id() != step.id()) {
            contract.push(step);
        }
    }
    contract.extend(renames);
    vec![
        phase(PhaseName::Expand, all(|one| one.add_columns())),
        phase(PhaseName::DualWrite, all(|one| vec![one.sync()])),
        phase(PhaseName::Backfill, all(|one| vec![one.fill()])),
        phase(PhaseName::Verify, all(|one| one.verify())),
        phase(PhaseName::Enforce, indexes),
        phase(PhaseName::SwitchReads, Vec::new()),
        phase(PhaseName::Contract, contract),
    ]
}
