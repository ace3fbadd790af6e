//! `add_constraint`: CHECK and FOREIGN KEY added NOT VALID and validated apart; UNIQUE over an index that is there.

use super::{Ddl, Decides, Described, NewName, Undo};
use crate::sqlgen::cost::Cost;
use crate::sqlgen::ddl_unit::{DdlUnit, Goal, Statement};
use crate::{
    compiled::Plan,
    document::{Expression, PhaseName},
};
use crossfade_model::ident::{Ident, TableName};
use crossfade_model::lock::Lock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Adds a CHECK or a foreign key NOT VALID and validates it separately, or a UNIQUE or primary key constraint over an
/// existing index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddConstraint {
    pub table: TableName,
    pub name: Ident,
    /// `CHECK (quantity > 0)`, `FOREIGN KEY (batch) REFERENCES public.batches(number)`, or with `index` `UNIQUE` or
    /// `PRIMARY KEY`.
    pub definition: String,
    /// For UNIQUE and PRIMARY KEY: the index of the same name as the constraint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Ident>,
    /// For FOREIGN KEY: the table that it refers to. Its writes are blocked for a short time too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<TableName>,
    /// `false`: it stays NOT VALID, like the constraint that it replaces.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub validate: bool,
    /// On a partitioned table: its partitions that have rows. A CHECK is validated on each one separately, so that
    /// nothing is read twice. For a FOREIGN KEY, each partition has its own validated one by then, which becomes part
    /// of the table's. A UNIQUE or PRIMARY KEY exists on the table alone until those of its partitions are attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<Vec<TableName>>,
    /// The table is a partition of this one. If it no longer is, the step does nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<TableName>,
}

fn yes() -> bool {
    true
}

impl AddConstraint {
    /// The condition of a CHECK.
    pub fn condition(&self) -> Option<Expression> {
        let rest = self.definition.trim_start();
        let rest = rest
            .get(.."CHECK".len())
            .filter(|word| word.eq_ignore_ascii_case("CHECK"))
            .and(rest.get("CHECK".len()..))?;
        let rest = rest.trim_start().strip_prefix('(')?;
        let end = rest.rfind(')')?;
        Expression::try_from(rest[..end].to_owned()).ok()
    }

    fn goal(&self, validated: bool) -> Goal {
        Goal::Constraint {
            table: self.table.clone(),
            name: self.name.clone(),
            validated,
        }
    }

    pub(super) fn is_foreign_key(&self) -> bool {
        self.definition.trim_start().starts_with("FOREIGN KEY")
    }

    /// `UNIQUE (a, b) DEFERRABLE` as `UNIQUE DEFERRABLE`, as it is over an index.
    pub(super) fn without_columns(&self) -> String {
        let kind = if self.definition.trim_start().starts_with("PRIMARY KEY") {
            "PRIMARY KEY"
        } else {
            "UNIQUE"
        };
        let deferring = self.definition.find(" DEFERRABLE");
        let deferring = deferring.map_or("", |at| &self.definition[at..]);
        format!("{kind}{deferring}")
    }

    fn is_key(&self) -> bool {
        let definition = self.definition.trim_start();
        definition.starts_with("UNIQUE") || definition.starts_with("PRIMARY KEY")
    }

    fn strong_lock(&self) -> Lock {
        if self.is_foreign_key() {
            Lock::ShareRowExclusiveLock
        } else {
            Lock::AccessExclusiveLock
        }
    }

    /// The constraint takes the index of its name.
    fn over(&self, index: &Ident) -> DdlUnit {
        let Self { table, name, .. } = self;
        let definition = self.definition.trim();
        let kinds = ["PRIMARY KEY", "UNIQUE"];
        let (kind, deferring) = kinds
            .into_iter()
            .find_map(|kind| Some((kind, definition.strip_prefix(kind)?)))
            .unwrap_or(("UNIQUE", ""));
        let statement = Statement::new(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {index}{deferring}"
        ));
        DdlUnit::locking(
            self.goal(true),
            vec![statement.lock(table, Lock::AccessExclusiveLock)],
        )
    }

    /// PostgreSQL has no NOT VALID and no USING INDEX here: what its partitions have is what spares it the reading.
    /// `names`: what the foreign keys of the partitions are called.
    pub(super) fn on_partitioned(&self, names: Vec<Ident>) -> Vec<DdlUnit> {
        let Self {
            table,
            name,
            definition,
            ..
        } = self;
        let statement = if self.is_key() {
            Statement::new(format!(
                "ALTER TABLE ONLY {table} ADD CONSTRAINT {name} {definition}"
            ))
            .lock_only(table, Lock::AccessExclusiveLock)
        } else {
            let add = Statement::new(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
            ));
            // On the side that is referred to, the triggers of the partitions' own keys give way to the table's.
            match &self.references {
                Some(other) => add
                    .lock(table, Lock::ShareRowExclusiveLock)
                    .lock(other, Lock::AccessExclusiveLock),
                None => add.lock(table, Lock::AccessExclusiveLock),
            }
        };
        let add = DdlUnit::locking(self.goal(true), vec![statement]);
        let add = add.of_partition(table, self.partition_of.as_ref());
        if self.is_key() {
            return vec![add];
        }
        let refer = Goal::PartitionsRefer {
            table: table.clone(),
            names,
        };
        vec![DdlUnit::asking(refer), add]
    }

    fn validate(&self, table: &TableName) -> DdlUnit {
        let name = &self.name;
        let mut validate =
            Statement::new(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
                .lock(table, Lock::ShareUpdateExclusiveLock)
                .scans();
        if let Some(other) = &self.references {
            validate = validate.lock_only(other, Lock::RowShareLock);
        }
        let goal = Goal::Constraint {
            table: table.clone(),
            name: name.clone(),
            validated: true,
        };
        DdlUnit::scanning(goal, validate)
    }
}

impl Described for AddConstraint {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Enforce, PhaseName::Retire]
    }
    fn tables(&self) -> Vec<&TableName> {
        std::iter::once(&self.table)
            .chain(&self.references)
            .chain(self.partitions.iter().flatten())
            .collect()
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }
}

impl Ddl for AddConstraint {
    fn parts(&self, _: &Plan) -> Vec<DdlUnit> {
        let Self {
            table,
            name,
            definition,
            ..
        } = self;
        if let Some(index) = &self.index {
            let of = self.partition_of.as_ref();
            return vec![self.over(index).of_partition(table, of)];
        }
        if self.partitions.is_some() && (self.is_key() || self.is_foreign_key()) {
            return self.on_partitioned(vec![name.clone()]);
        }
        let mut add = Statement::new(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID"
        ))
        .lock(table, self.strong_lock());
        if let Some(other) = &self.references {
            add = add.lock(other, Lock::ShareRowExclusiveLock);
        }
        let mut parts = vec![DdlUnit::locking(self.goal(false), vec![add])];
        if self.validate {
            let leaves = self.partitions.iter().flatten();
            parts.extend(leaves.map(|leaf| self.validate(leaf).of_partition(leaf, Some(table))));
            parts.push(self.validate(table));
        }
        let of = self.partition_of.as_ref();
        let parts = parts.into_iter();
        parts.map(|part| part.of_partition(table, of)).collect()
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![drop_constraint(
            &self.table,
            &self.name,
            self.references.as_ref(),
        )])
    }

    fn new_names(&self) -> Vec<NewName> {
        // A UNIQUE or a primary key is served by an index of its name.
        match self.is_key() {
            true => vec![NewName::index(&self.table, &self.name)],
            false => Vec::new(),
        }
    }

    fn cost(&self, _: &Plan) -> Cost {
        Cost::default()
    }

    /// The others only validate what this one has added.
    fn decided_by(&self) -> Decides {
        let is_added_not_valid = self.index.is_none()
            && !(self.partitions.is_some() && (self.is_key() || self.is_foreign_key()));
        if is_added_not_valid {
            Decides::FirstPart
        } else {
            Decides::LastPart
        }
    }
}

pub fn drop_constraint(table: &TableName, name: &Ident, references: Option<&TableName>) -> DdlUnit {
    let mut statement = Statement::new(format!(
        "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"
    ))
    .lock(table, Lock::AccessExclusiveLock);
    if let Some(other) = references {
        statement = statement.lock(other, Lock::AccessExclusiveLock);
    }
    DdlUnit::locking(
        Goal::NoConstraint {
            table: table.clone(),
            name: name.clone(),
        },
        vec![statement],
    )
}
