//! What `rename_column` and `change_column_type` share: one column takes another's place, and all that hangs on it.

use crate::plan::{
    document::{Assignments, Expect, Expression, Gate, PhaseDocument, PhaseName, Query},
    error::{Path, PlanError},
    facts::{Column, Constraint, ConstraintKind, Facts, Table, TableKind},
    ident::{Ident, TableName},
    steps::{
        Step,
        add_column::{AddColumn, ColumnGrant, Privilege, Storage},
        add_constraint::AddConstraint,
        create_index::CreateIndex,
        drop_column::DropColumn,
        drop_constraint::DropConstraint,
        drop_sync::DropSync,
        fill::FillStep,
        own_sequence::OwnSequence,
        rename_object::{ObjectKind, RenameObject},
        retire_column::RetireColumn,
        rows_match::MatchStep,
        set_default::SetDefault,
        set_not_null::SetNotNull,
        sync_columns::{OnUnconvertible, SyncColumns},
    },
};
use crate::statement::rename::{rename_column, substitute_column};

pub(super) struct Replacement<'a> {
    pub table_name: &'a TableName,
    pub table: &'a Table,
    pub old: &'a Column,
    pub new: Ident,
    pub type_name: String,
    pub forward: Expression,
    pub backward: Expression,
    /// A write of the old version may give a value that the new column's constraints refuse.
    pub conversion_can_fail: bool,
    /// The new column takes the old one's name when that is retired.
    pub keeps_name: bool,
}

/// The table and the column, if the table is of a kind whose columns can be replaced.
pub(super) fn only_ordinary<'a>(
    facts: &'a Facts,
    name: &TableName,
    column: &Ident,
    at: &Path,
    column_key: &str,
) -> Result<(&'a Table, &'a Column), Vec<PlanError>> {
    let refuse = |error| Err(vec![error]);
    let Some(table) = facts.table(name) else {
        return refuse(
            PlanError::at(at.key("table"), format!("there is no table {name}"))
                .help("write `schema.table`, quoted as in SQL where needed"),
        );
    };
    let why = match table.kind {
        TableKind::Table if table.has_children => "has tables that inherit from it",
        TableKind::Table => {
            return match table.column(column) {
                Some(column) => Ok((table, column)),
                None => {
                    let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
                    let nearby: Vec<&str> = names.into_iter().take(40).collect();
                    refuse(
                        PlanError::at(at.key(column_key), format!("{name} has no column {column}"))
                            .help(format!("its columns are {}", nearby.join(", "))),
                    )
                }
            };
        }
        TableKind::Partitioned => "is partitioned",
        TableKind::Partition => "is a partition: its columns are its parent's",
        TableKind::View | TableKind::MaterializedView => "is a view",
        TableKind::Foreign => "is a foreign table",
        TableKind::Temporary => "is a temporary table",
        TableKind::Other => "is not an ordinary table",
    };
    refuse(
        PlanError::at(at.key("table"), format!("{name} {why}"))
            .help("this change can be made to ordinary tables"),
    )
}

impl Replacement<'_> {
    pub fn phases(&self, at: &Path) -> Result<Vec<PhaseDocument>, Vec<PlanError>> {
        let errors = self.refusals(at);
        if !errors.is_empty() {
            return Err(errors);
        }
        let successors = self.successors();
        let (enforce, retire): (Vec<Step>, Vec<Step>) = if self.conversion_can_fail {
            // While the old version writes, what its values convert to may break them: then its write would fail.
            (successors.harmless, successors.enforcing)
        } else {
            let mut all = successors.harmless;
            all.extend(successors.enforcing);
            (all, Vec::new())
        };
        let mut retire_steps = vec![Step::RetireColumn(RetireColumn {
            table: self.table_name.clone(),
            column: self.old.name.clone(),
            replace_with: self.keeps_name.then(|| self.new.clone()),
        })];
        retire_steps.extend(retire);
        let phase = |phase, steps| PhaseDocument {
            phase,
            gate: Gate::default(),
            steps,
        };
        Ok(vec![
            phase(PhaseName::Expand, vec![self.add_column()]),
            phase(PhaseName::DualWrite, vec![self.sync()]),
            phase(PhaseName::Backfill, vec![self.fill()]),
            phase(PhaseName::Verify, self.verify()),
            phase(PhaseName::Enforce, enforce),
            phase(PhaseName::SwitchReads, Vec::new()),
            phase(PhaseName::Retire, retire_steps),
            phase(PhaseName::Contract, self.contract(successors.renames)),
        ])
    }

    /// What cannot come along, by name.
    fn refusals(&self, at: &Path) -> Vec<PlanError> {
        let column = &self.old.name;
        let mut errors = Vec::new();
        let mut refuse = |message: String, help: &str| {
            errors.push(PlanError::at(at.clone(), message).help(help));
        };
        if self.old.identity.is_some() {
            refuse(
                format!("{column} is an identity column"),
                "an identity cannot be moved to another column while rows are inserted",
            );
        }
        if self.old.generated {
            refuse(
                format!("{column} is a generated column"),
                "it is computed from other columns: change its expression instead",
            );
        }
        for index in self
            .table
            .indexes
            .iter()
            .filter(|index| index.columns.contains(column))
        {
            if index.primary {
                refuse(
                    format!("{column} is in the primary key {}", index.name),
                    "a primary key's columns cannot be replaced by this change",
                );
            } else if index.replica_identity {
                refuse(
                    format!("{column} is in the replica identity index {}", index.name),
                    "choose another replica identity first: ALTER TABLE … REPLICA IDENTITY",
                );
            } else if !index.valid {
                refuse(
                    format!("the index {} on {column} is INVALID", index.name),
                    "drop it or rebuild it first: REINDEX INDEX CONCURRENTLY …",
                );
            }
        }
        // Whether the column is the one that refers or the one that is referred to.
        for own in self.table.referenced_by.iter().filter(|inbound| {
            inbound.table == *self.table_name
                && (inbound.columns.contains(column)
                    || self
                        .constraints()
                        .any(|constraint| constraint.name == inbound.name))
        }) {
            refuse(
                format!("the foreign key {} refers to its own table", own.name),
                "drop it before the change and add it after it",
            );
        }
        for constraint in self.constraints() {
            if matches!(
                constraint.kind,
                ConstraintKind::Exclusion | ConstraintKind::Other
            ) {
                refuse(
                    format!(
                        "{column} is in the exclusion constraint {}",
                        constraint.name
                    ),
                    "an exclusion constraint cannot be built while the table is written to: drop it first",
                );
            }
        }
        for inbound in self.inbound().filter(|inbound| !inbound.owned) {
            refuse(
                format!(
                    "the foreign key {} of {} refers to {column}, and the table is not yours",
                    inbound.name, inbound.table
                ),
                "GRANT the role that owns it to the role that runs Crossfade",
            );
        }
        errors
    }

    fn constraints(&self) -> impl Iterator<Item = &Constraint> {
        self.table
            .constraints
            .iter()
            .filter(|constraint| constraint.columns.contains(&self.old.name))
    }

    fn inbound(&self) -> impl Iterator<Item = &crate::plan::facts::Inbound> {
        self.table.referenced_by.iter().filter(|inbound| {
            inbound.columns.contains(&self.old.name) && inbound.table != *self.table_name
        })
    }

    fn add_column(&self) -> Step {
        let grants = self.old.grants.iter().filter_map(|grant| {
            let privilege = match grant.privilege.as_str() {
                "SELECT" => Privilege::Select,
                "INSERT" => Privilege::Insert,
                "UPDATE" => Privilege::Update,
                "REFERENCES" => Privilege::References,
                _ => return None,
            };
            Some(ColumnGrant {
                privilege,
                to: grant.to.clone(),
                grantable: grant.grantable,
            })
        });
        let same_type = self.type_name == self.old.type_name;
        Step::AddColumn(AddColumn {
            table: self.table_name.clone(),
            column: self.new.clone(),
            type_name: self.type_name.clone(),
            collation: self
                .old
                .collation
                .clone()
                .filter(|_| self.takes_collation()),
            comment: self.old.comment.clone(),
            statistics: self.old.statistics,
            storage: self
                .old
                .storage
                .as_deref()
                .filter(|_| same_type)
                .and_then(|storage| match storage {
                    "plain" => Some(Storage::Plain),
                    "external" => Some(Storage::External),
                    "extended" => Some(Storage::Extended),
                    "main" => Some(Storage::Main),
                    _ => None,
                }),
            compression: self
                .old
                .compression
                .as_deref()
                .filter(|_| same_type)
                .map(Ident::from_catalog),
            options: self.old.options.clone(),
            grants: grants.collect(),
        })
    }

    /// Only text types have a collation to take.
    fn takes_collation(&self) -> bool {
        let name = self.type_name.to_ascii_lowercase();
        self.type_name == self.old.type_name
            || ["text", "char", "citext", "name"]
                .iter()
                .any(|text| name.contains(text))
    }

    fn forward(&self) -> Assignments {
        Assignments::from([(self.new.clone(), self.forward.clone())])
    }

    fn backward(&self) -> Assignments {
        Assignments::from([(self.old.name.clone(), self.backward.clone())])
    }

    fn sync(&self) -> Step {
        Step::SyncColumns(SyncColumns {
            table: self.table_name.clone(),
            forward: self.forward(),
            backward: self.backward(),
            on_unconvertible: OnUnconvertible::default(),
        })
    }

    fn fill(&self) -> Step {
        Step::Fill(FillStep {
            table: self.table_name.clone(),
            set: self.forward(),
        })
    }

    fn rows_match(&self) -> Step {
        Step::Match(MatchStep {
            table: self.table_name.clone(),
            columns: self.forward(),
            backward: self.backward(),
        })
    }

    /// Values that convert to the same one would break a UNIQUE on the new column: better known now than in `retire`.
    fn verify(&self) -> Vec<Step> {
        let mut steps = vec![self.rows_match()];
        if !self.conversion_can_fail {
            return steps;
        }
        let unique = self
            .constraints()
            .filter(|constraint| constraint.kind == ConstraintKind::Unique);
        for constraint in unique {
            let columns: Vec<String> = constraint
                .columns
                .iter()
                .map(|column| {
                    if *column == self.old.name {
                        &self.new
                    } else {
                        column
                    }
                })
                .map(|column| column.to_string())
                .collect();
            let present: Vec<String> = columns
                .iter()
                .map(|column| format!("{column} IS NOT NULL"))
                .collect();
            let list = columns.join(", ");
            steps.push(Step::Query(Query {
                name: format!("{} stays unique", constraint.name),
                sql: format!(
                    "SELECT {list} FROM {} WHERE {} GROUP BY {list} HAVING count(*) > 1 LIMIT 1",
                    self.table_name,
                    present.join(" AND ")
                ),
                expect: Expect::NoRows,
            }));
        }
        steps
    }

    /// Triggers, default and old column go in one transaction; what is left takes the names that were there before.
    fn contract(&self, renames: Vec<Step>) -> Vec<Step> {
        let table = self.table_name.clone();
        let column = if self.keeps_name {
            &self.old.name
        } else {
            &self.new
        };
        let mut steps = vec![Step::DropSync(DropSync {
            table: table.clone(),
        })];
        for inbound in self.inbound() {
            steps.push(Step::DropConstraint(DropConstraint {
                table: inbound.table.clone(),
                name: inbound.name.clone(),
                references: Some(table.clone()),
            }));
        }
        if let Some(sequence) = &self.old.owned_sequence {
            steps.push(Step::OwnSequence(OwnSequence {
                table: table.clone(),
                column: column.clone(),
                sequence: sequence.clone(),
            }));
        }
        if let Some(default) = &self.old.default {
            steps.push(Step::SetDefault(SetDefault {
                table: table.clone(),
                column: column.clone(),
                default: self.default(default),
            }));
        }
        steps.push(Step::DropColumn(DropColumn {
            table,
            column: self.old.name.clone(),
        }));
        steps.extend(renames);
        steps
    }

    /// The old default, converted as a value would be. A sequence's next value is taken as it is.
    fn default(&self, default: &str) -> String {
        if self.forward.as_column().as_ref() == Some(&self.old.name) {
            default.to_owned()
        } else {
            let value = format!("(({default})::{})", self.old.type_name);
            substitute_column(self.forward.as_str(), &self.old.name, &value)
        }
    }

    fn successors(&self) -> Successors {
        let mut successors = Successors::default();
        // After `retire` with `keep_name` the new column has the old name already, and definitions fit as they are.
        let name = if self.conversion_can_fail && self.keeps_name {
            &self.old.name
        } else {
            &self.new
        };
        for index in self
            .table
            .indexes
            .iter()
            .filter(|index| index.columns.contains(&self.old.name))
        {
            self.succeed_index(index, name, &mut successors);
        }
        for constraint in self.constraints() {
            if matches!(
                constraint.kind,
                ConstraintKind::Check | ConstraintKind::ForeignKey
            ) {
                self.succeed_constraint(constraint, name, &mut successors);
            }
        }
        for inbound in self.inbound() {
            let (definition, validate) = without_not_valid(&inbound.definition);
            let (own, theirs) = definition
                .split_once(" REFERENCES ")
                .unwrap_or((definition, ""));
            let theirs = rename_referenced(theirs, &self.old.name, name);
            successors.add(
                AddConstraint {
                    table: inbound.table.clone(),
                    name: inbound.name.with_suffix("_crossfade"),
                    definition: format!("{own} REFERENCES {theirs}"),
                    index: None,
                    references: Some(self.table_name.clone()),
                    validate,
                },
                &inbound.name,
                inbound.comment.as_ref(),
                false,
            );
        }
        if self.old.not_null {
            successors.enforcing.push(Step::SetNotNull(SetNotNull {
                table: self.table_name.clone(),
                column: name.clone(),
            }));
        }
        successors
    }

    fn succeed_index(
        &self,
        index: &crate::plan::facts::Index,
        name: &Ident,
        successors: &mut Successors,
    ) {
        let index_name = index.name.with_suffix("_crossfade");
        let enforcing = index.unique;
        let column = if enforcing { name } else { &self.new };
        let create = Step::CreateIndex(CreateIndex {
            table: self.table_name.clone(),
            name: index_name.clone(),
            unique: index.unique,
            using: rename_column(&index.using, &self.old.name, column),
            tablespace: index.tablespace.clone(),
        });
        if !enforcing {
            successors.harmless.push(create);
        } else {
            successors.enforcing.push(create);
        }
        let constraint = index.constraint.as_ref().and_then(|name| {
            self.table
                .constraints
                .iter()
                .find(|constraint| constraint.name == *name)
        });
        match constraint {
            Some(constraint) => {
                let deferring = constraint
                    .definition
                    .find(" DEFERRABLE")
                    .map_or("", |at| &constraint.definition[at..]);
                successors.add(
                    AddConstraint {
                        table: self.table_name.clone(),
                        name: index_name.clone(),
                        definition: format!("UNIQUE{deferring}"),
                        index: Some(index_name),
                        references: None,
                        validate: true,
                    },
                    &constraint.name,
                    constraint.comment.as_ref(),
                    index.clustered,
                );
            }
            None => successors.renames.push(Step::RenameObject(RenameObject {
                table: self.table_name.clone(),
                kind: ObjectKind::Index,
                from: index_name,
                to: index.name.clone(),
                comment: index.comment.clone(),
                clustered: index.clustered,
            })),
        }
    }

    fn succeed_constraint(
        &self,
        constraint: &Constraint,
        name: &Ident,
        successors: &mut Successors,
    ) {
        let (definition, validate) = without_not_valid(&constraint.definition);
        let references = definition.split_once(" REFERENCES ");
        let (definition, references) = match (constraint.kind, references) {
            (ConstraintKind::ForeignKey, Some((own, theirs))) => (
                format!(
                    "{} REFERENCES {theirs}",
                    rename_column(own, &self.old.name, name)
                ),
                theirs
                    .split_once('(')
                    .and_then(|(table, _)| table.parse().ok()),
            ),
            _ => (rename_column(definition, &self.old.name, name), None),
        };
        successors.add(
            AddConstraint {
                table: self.table_name.clone(),
                name: constraint.name.with_suffix("_crossfade"),
                definition,
                index: None,
                references,
                validate,
            },
            &constraint.name,
            constraint.comment.as_ref(),
            false,
        );
    }
}

/// What is built on the new column, by when it may be.
#[derive(Default)]
struct Successors {
    /// Cannot make a write fail.
    harmless: Vec<Step>,
    /// Can.
    enforcing: Vec<Step>,
    /// In `contract`: they take the names of what went with the old column.
    renames: Vec<Step>,
}

impl Successors {
    fn add(
        &mut self,
        constraint: AddConstraint,
        name: &Ident,
        comment: Option<&String>,
        clustered: bool,
    ) {
        self.renames.push(Step::RenameObject(RenameObject {
            table: constraint.table.clone(),
            kind: ObjectKind::Constraint,
            from: constraint.name.clone(),
            to: name.clone(),
            comment: comment.cloned(),
            clustered,
        }));
        self.enforcing.push(Step::AddConstraint(constraint));
    }
}

fn without_not_valid(definition: &str) -> (&str, bool) {
    match definition.strip_suffix(" NOT VALID") {
        Some(definition) => (definition, false),
        None => (definition, true),
    }
}

/// `public.vehicles(status) ON DELETE CASCADE`: the columns in the first parentheses are renamed.
fn rename_referenced(text: &str, from: &Ident, to: &Ident) -> String {
    match text.split_once('(').and_then(|(table, rest)| {
        rest.split_once(')')
            .map(|(columns, tail)| (table, columns, tail))
    }) {
        Some((table, columns, tail)) => {
            format!("{table}({}){tail}", rename_column(columns, from, to))
        }
        None => text.to_owned(),
    }
}
