//! `add_constraint`: CHECK and FOREIGN KEY added NOT VALID and validated apart; UNIQUE over an index that is there.

use super::{Ddl, Described, Undo};
use crate::plan::{
    compiled::Plan,
    document::{Expression, PhaseName},
    ident::{Ident, TableName},
};
use crate::statement::part::{Goal, Lock, Part, Statement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// For FOREIGN KEY: the table that it refers to, which is locked against writes for a moment too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<TableName>,
    /// False: it is left NOT VALID, as the one that it succeeds is.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub validate: bool,
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

    fn strong_lock(&self) -> Lock {
        if self.definition.trim_start().starts_with("FOREIGN KEY") {
            Lock::ShareRowExclusiveLock
        } else {
            Lock::AccessExclusiveLock
        }
    }
}

impl Described for AddConstraint {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Enforce, PhaseName::Retire]
    }
    fn tables(&self) -> Vec<&TableName> {
        std::iter::once(&self.table)
            .chain(&self.references)
            .collect()
    }
    fn subject(&self) -> String {
        format!("{}.{}", self.table, self.name)
    }
}

impl Ddl for AddConstraint {
    fn parts(&self, _: &Plan) -> Vec<Part> {
        let Self {
            table,
            name,
            definition,
            ..
        } = self;
        if let Some(index) = &self.index {
            let definition = definition.trim();
            let kinds = ["PRIMARY KEY", "UNIQUE"];
            let (kind, deferring) = kinds
                .into_iter()
                .find_map(|kind| Some((kind, definition.strip_prefix(kind)?)))
                .unwrap_or(("UNIQUE", ""));
            let statement = Statement::new(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {index}{deferring}"
            ));
            return vec![Part::locking(
                self.goal(true),
                vec![statement.lock(table, Lock::AccessExclusiveLock)],
            )];
        }
        let mut add = Statement::new(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID"
        ))
        .lock(table, self.strong_lock());
        let mut validate =
            Statement::new(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
                .lock(table, Lock::ShareUpdateExclusiveLock)
                .scans();
        if let Some(other) = &self.references {
            add = add.lock(other, Lock::ShareRowExclusiveLock);
            validate = validate.lock(other, Lock::RowShareLock);
        }
        let mut parts = vec![Part::locking(self.goal(false), vec![add])];
        if self.validate {
            parts.push(Part::scanning(self.goal(true), validate));
        }
        parts
    }

    fn undo(&self, _: &Plan) -> Undo {
        Undo::Parts(vec![drop_constraint(
            &self.table,
            &self.name,
            self.references.as_ref(),
        )])
    }
}

pub fn drop_constraint(table: &TableName, name: &Ident, references: Option<&TableName>) -> Part {
    let mut statement = Statement::new(format!(
        "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"
    ))
    .lock(table, Lock::AccessExclusiveLock);
    if let Some(other) = references {
        statement = statement.lock(other, Lock::AccessExclusiveLock);
    }
    Part::locking(
        Goal::NoConstraint {
            table: table.clone(),
            name: name.clone(),
        },
        vec![statement],
    )
}
