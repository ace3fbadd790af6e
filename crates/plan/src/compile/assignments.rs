//! Target ← expression: what it reads, whether it can fail, and whether it fits.

use super::{Compiler, expressions::key};
use crate::{
    compiled::{Assignment, ColumnRef, Conversion},
    document::{Assignments, Expression},
    facts::{Called, Maker, Volatility},
    recipes::{Recipe, What},
    types,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};

impl<'a> Compiler<'a> {
    pub(super) fn assignments(
        &mut self,
        path: &Path,
        table: &TableName,
        assignments: &Assignments,
    ) -> Option<Vec<Assignment>> {
        let compiled: Vec<Option<Assignment>> = assignments
            .iter()
            .map(|(target, expression)| {
                let place = if self.document.is_explicit() {
                    path.key(&target.to_string())
                } else {
                    self.recipe_place(path, table, target, expression)
                };
                self.assignment(&place, table, target, expression)
            })
            .collect();
        compiled.into_iter().collect()
    }

    /// A recipe's expression stands under the recipe's word for it, not in a step's map.
    pub(super) fn recipe_place(
        &self,
        path: &Path,
        table: &TableName,
        target: &Ident,
        expression: &Expression,
    ) -> Path {
        match self.recipe_of(path, table, target) {
            Some((at, recipe)) => recipe.place_of(expression, &at),
            None => path.clone(),
        }
    }

    /// The place of the recipe that computes a column; in the explicit form that of the step.
    pub(super) fn place_of_target(&self, path: &Path, table: &TableName, target: &Ident) -> Path {
        match self.recipe_of(path, table, target) {
            Some((at, recipe)) => at.key(recipe.name()),
            None => path.clone(),
        }
    }

    /// Several changes may share a step, and no two of them compute one column.
    fn recipe_of(
        &self,
        path: &Path,
        table: &TableName,
        target: &Ident,
    ) -> Option<(Path, &'a Recipe)> {
        let recipes = self.document.recipes();
        let computes = |(at, recipe): &&(Path, &Recipe)| {
            recipe.named(at).iter().any(|named| {
                let is_kept = matches!(named.what, What::Keeps(_)) || named.what.changes_column();
                named.table == table && is_kept && named.what.column() == Some(target)
            })
        };
        let by_column = recipes.iter().find(computes);
        let by_place = || recipes.iter().find(|(at, _)| at.holds(path));
        by_column
            .filter(|_| recipes.len() > 1)
            .or_else(by_place)
            .cloned()
    }

    fn not_assignable(
        &mut self,
        path: &Path,
        target: &ColumnRef,
        expression: &Expression,
        type_name: &str,
    ) {
        let message = format!(
            "`{expression}` is {type_name}, which is not assigned to {} by itself",
            target.type_name
        );
        let conversion = format!("({expression})::{}", target.type_name);
        let help = if !self.document.is_explicit() {
            let is_new = self
                .added
                .values()
                .flatten()
                .any(|(name, _)| *name == target.name);
            let direction = if is_new { "forward" } else { "backward" };
            format!(
                "say how {} is computed, e.g. `{direction}: {conversion}`",
                target.name
            )
        } else {
            format!("write the conversion: `{conversion}`")
        };
        self.problem(PlanError::at(path.clone(), message).help(help));
    }

    fn assignment(
        &mut self,
        path: &Path,
        table: &TableName,
        target: &Ident,
        expression: &Expression,
    ) -> Option<Assignment> {
        let target = self.column(table, target, path)?;
        self.computed(path, table, target, expression)
    }

    /// The value of an expression over `table` for a column, which may be another table's.
    pub(super) fn computed(
        &mut self,
        path: &Path,
        table: &TableName,
        target: ColumnRef,
        expression: &Expression,
    ) -> Option<Assignment> {
        let wanted = key(table, &target.type_name, expression, &self.added);
        let facts = match self.facts.expressions.get(&wanted) {
            Some(Ok(facts)) => facts.clone(),
            Some(Err(error)) => {
                let mut problem = PlanError::at(path.clone(), error.message.clone());
                if let Some(help) = &error.help {
                    problem = problem.help(help.clone());
                }
                self.problem(problem);
                return None;
            }
            // Not asked about, as a type is unknown: that is the error.
            None if self.facts.types.values().any(Result::is_err) => return None,
            None => {
                self.problem(PlanError::at(
                    path.clone(),
                    "the expression was not analysed",
                ));
                return None;
            }
        };
        if let Some(called) = facts.wanders()
            && !self.fills_default(table, &target.name, expression)
        {
            self.problem(wanders(path, expression, called));
            return None;
        }
        if facts.whole_row {
            let message = format!("`{expression}` reads the row as such");
            let help = "name the columns that it reads: a whole row has the columns of both sides";
            self.problem(PlanError::at(path.clone(), message).help(help));
            return None;
        }
        if !facts.assignable && self.is_in_the_way(table, &target.name) {
            // Told already; what its type cannot take is no second error.
            return None;
        }
        if !facts.assignable {
            self.not_assignable(path, &target, expression, &facts.type_name);
            return None;
        }
        let reads: Option<Vec<ColumnRef>> = facts
            .reads
            .iter()
            .map(|column| self.column(table, column, path))
            .collect();
        let reads = reads?;
        let bare = expression.as_column().is_some();
        let conversion = match reads.as_slice() {
            [source] if bare && source.type_name == target_type(&target, source) => {
                Conversion::Copy
            }
            [source] if bare && types::widens(&source.type_name, &target.type_name) => {
                Conversion::Widening
            }
            _ => Conversion::Expression,
        };
        Some(Assignment {
            target,
            expression: facts.resolved,
            reads,
            conversion,
            group: 0,
        })
    }
}

/// Old and new must be computable from each other at any time, in any session.
pub(super) fn wanders(path: &Path, expression: &Expression, called: &Called) -> PlanError {
    let signature = &called.signature;
    if called.volatility == Volatility::Volatile {
        let message = format!(
            "`{expression}` is volatile: it gives another value each time ({signature} does)"
        );
        return PlanError::at(path.clone(), message).help(
            "each side must be computable from the other at any time: leave out random(), clock_timestamp(), nextval() …",
        );
    }
    let message = format!(
        "`{expression}` depends on more than its row: {signature} may return another value at another time or in another session"
    );
    let help = match called.maker {
        Maker::Anybody => {
            "it is STABLE: write a function that reads only its arguments, and declare it IMMUTABLE"
        }
        Maker::Server | Maker::Superuser => {
            "each side must be computable from the other at any time: write a constant, or leave such rows as they are"
        }
    };
    PlanError::at(path.clone(), message).help(help)
}

/// The target's type in the source's spelling where both mean the same.
fn target_type(target: &ColumnRef, source: &ColumnRef) -> String {
    if types::same(&target.type_name, &source.type_name) {
        source.type_name.clone()
    } else {
        target.type_name.clone()
    }
}
