//! `drop_constraint`: of any kind but one that a foreign key relies on. How to add it again is kept where that can be done.

use super::{Ddl, Described, Undo};
use super::{
    add_constraint::{self, AddConstraint},
    drop_index::IndexShape,
};
use crate::plan::{
    compiled::Plan,
    document::PhaseName,
    ident::{Ident, TableName},
};
use crate::statement::part::{Commented, Part};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropConstraint {
    pub table: TableName,
    pub name: Ident,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<TableName>,
    /// How to add it again. Without it, dropping cannot be taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<ConstraintShape>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

/// A constraint without its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstraintShape {
    /// `CHECK (quantity > 0)`; of one with an index only what stands before and after its columns.
    pub definition: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<IndexShape>,
    /// False: it was NOT VALID.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub validate: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

fn yes() -> bool {
    true
}

impl Described for DropConstraint {
    fn phases(&self) -> &'static [PhaseName] {
        &[PhaseName::Retire, PhaseName::Contract]
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

impl Ddl for DropConstraint {
    fn parts(&self, _: &Plan) -> Vec<Part> {
        let references = self.references.as_ref();
        vec![add_constraint::drop_constraint(
            &self.table,
            &self.name,
            references,
        )]
    }

    fn undo(&self, plan: &Plan) -> Undo {
        let Some(shape) = &self.restore else {
            return Undo::Irreversible;
        };
        let mut parts = Vec::new();
        if let Some(index) = &shape.index {
            parts.extend(index.parts(plan, &self.table, &self.name));
        }
        let constraint = AddConstraint {
            table: self.table.clone(),
            name: self.name.clone(),
            definition: shape.definition.clone(),
            index: shape.index.as_ref().map(|_| self.name.clone()),
            references: self.references.clone(),
            validate: shape.validate,
        };
        parts.extend(constraint.parts(plan));
        if let Some(comment) = &shape.comment {
            let on = Commented::Constraint(self.table.clone(), self.name.clone());
            parts.push(on.part(Some(comment.clone())));
        }
        Undo::Parts(parts)
    }

    fn irreversible(&self) -> bool {
        self.irreversible
    }
}
