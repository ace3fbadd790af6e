//! What several changes are in each other's way in, as the tables are: by what their steps come to.

use super::{Errors, Part, TABLES_MAX, Unit, contradictions::TWO_PLANS};
use crate::{
    facts::{Facts, Table},
    recipes::{Named, Recipe, What},
    sqlgen::{
        foreign_key::ForeignKey,
        rename::{names_column, without_qualifier},
    },
    steps::Step,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use std::collections::BTreeSet;

pub(super) fn errors(parts: &[Part<'_>], units: &[Unit], facts: &Facts) -> Errors {
    let looking = Looking { parts, facts };
    let mut errors = Errors::new();
    for (number, later) in units.iter().enumerate() {
        for earlier in &units[..number] {
            errors.extend(looking.whole_tables(earlier, later));
            errors.extend(looking.same_objects(earlier, later));
            errors.extend(looking.same_steps(earlier, later));
            errors.extend(looking.different_fills(earlier, later));
        }
    }
    for (number, later) in parts.iter().enumerate() {
        for (before, earlier) in parts[..number].iter().enumerate() {
            errors.extend(looking.connected(earlier, later));
            // Between two of one unit the successors are made for both.
            let together = units
                .iter()
                .any(|unit| unit.parts.contains(&number) && unit.parts.contains(&before));
            for (one, other) in [(earlier, later), (later, earlier)] {
                errors.extend(looking.objects_over(one, other));
                errors.extend(looking.keys(one, other));
                if !together {
                    errors.extend(looking.referred(one, other));
                }
            }
        }
    }
    errors.extend(too_many_tables(units));
    let mut told: Errors = Vec::new();
    for error in errors {
        if told.iter().all(|other| other.path != error.path) {
            told.push(error);
        }
    }
    told
}

struct Looking<'a> {
    parts: &'a [Part<'a>],
    facts: &'a Facts,
}

fn error(at: &Path, message: String) -> PlanError {
    PlanError::at(at.clone(), message).on_key().help(TWO_PLANS)
}

/// The lock of each is held until `contract` is through.
fn too_many_tables(units: &[Unit]) -> Option<PlanError> {
    let tables: BTreeSet<&TableName> = units.iter().flat_map(tables_of).collect();
    (tables.len() > TABLES_MAX).then(|| {
        let message = format!("the changes are about {} tables", tables.len());
        let help = format!(
            "the limit is {TABLES_MAX}, as some phases lock all of them: make several plans"
        );
        PlanError::at(Path::root().key("changes"), message)
            .on_key()
            .help(help)
    })
}

fn tables_of(unit: &Unit) -> impl Iterator<Item = &TableName> {
    unit.steps().flat_map(Step::tables)
}

impl<'a> Looking<'a> {
    fn part(&self, unit: &Unit) -> Option<&'a Part<'a>> {
        self.parts.get(*unit.parts.first()?)
    }

    /// Which other tables a change is about may be known only now: those that refer to a key that is widened.
    fn whole_tables(&self, earlier: &Unit, later: &Unit) -> Option<PlanError> {
        let (first, second) = (self.part(earlier)?, self.part(later)?);
        let is_whole = |part: &Part<'_>| {
            let mut named = part.named.iter();
            named.any(|named| matches!(named.what, What::Table))
        };
        if !is_whole(first) && !is_whole(second) {
            return None;
        }
        let theirs: BTreeSet<&TableName> = tables_of(earlier).collect();
        let both = tables_of(later).find(|table| theirs.contains(table))?;
        let message = format!(
            "{} changes the table {both} too, and only one of them can",
            first.at
        );
        Some(error(&second.at, message))
    }

    /// Both make, drop or rename the same index or constraint: a foreign key between two columns that are both replaced, say.
    fn same_objects(&self, earlier: &Unit, later: &Unit) -> Option<PlanError> {
        let (first, second) = (self.part(earlier)?, self.part(later)?);
        let theirs: BTreeSet<_> = earlier.steps().flat_map(objects).collect();
        let own: BTreeSet<_> = later.steps().flat_map(objects).collect();
        // The author knows the one that is there, and not what takes its place.
        let is_there = |(table, name): &&(TableName, Ident)| {
            let facts = self.facts.table(table);
            facts.is_some_and(|facts| {
                let constraints = facts.constraints.iter().map(|one| &one.name);
                facts
                    .index_names()
                    .chain(constraints)
                    .any(|one| one == name)
            })
        };
        let both = || own.intersection(&theirs);
        let object = both().find(is_there).or_else(|| both().next())?;
        let (table, name) = object;
        let first = self.part_over(earlier, object).unwrap_or(first);
        let second = self.part_over(later, object).unwrap_or(second);
        let message = format!("{} changes {name} of {table} too", first.at);
        Some(error(&second.at, message))
    }

    /// The change of a unit that an index or a constraint concerns, by its columns.
    fn part_over(&self, unit: &Unit, (of, name): &(TableName, Ident)) -> Option<&'a Part<'a>> {
        let columns = over(self.facts.table(of)?, of, name);
        let names_one = |part: &&&'a Part<'a>| {
            part.named.iter().any(|named| {
                let column = named.what.column();
                column
                    .is_some_and(|column| columns.contains(&(named.table.clone(), column.clone())))
            })
        };
        let parts: Vec<&Part<'_>> = unit
            .parts
            .iter()
            .filter_map(|number| self.parts.get(*number))
            .collect();
        parts.iter().find(names_one).copied()
    }

    fn same_steps(&self, earlier: &Unit, later: &Unit) -> Option<PlanError> {
        let (first, second) = (self.part(earlier)?, self.part(later)?);
        let is_shared = |step: &&Step| {
            matches!(
                step,
                Step::SyncColumns(_)
                    | Step::Fill(_)
                    | Step::Match(_)
                    | Step::DropSync(_)
                    | Step::Query(_)
            )
        };
        let theirs: BTreeSet<_> = earlier.steps().map(Step::id).collect();
        let mut own = later.steps().filter(|step| !is_shared(step)).map(Step::id);
        let both = own.find(|id| theirs.contains(id))?;
        let message = format!("{} comes to the step {both} too", first.at);
        Some(error(&second.at, message))
    }

    /// A walk of rows that triggers fill as they move ends otherwise than one of rows that have a default.
    fn different_fills(&self, earlier: &Unit, later: &Unit) -> Option<PlanError> {
        let filled = |unit: &Unit| -> Vec<TableName> {
            let fills = unit.steps().filter_map(|step| match step {
                Step::Fill(fill) => Some(fill.table.clone()),
                _ => None,
            });
            fills.collect()
        };
        let has_sync = |unit: &Unit, table: &TableName| {
            let mut steps = unit.steps();
            steps.any(|step| matches!(step, Step::SyncColumns(sync) if sync.table == *table))
        };
        let both = filled(later)
            .into_iter()
            .find(|table| filled(earlier).contains(table))?;
        let (one, other) = match (has_sync(earlier, &both), has_sync(later, &both)) {
            (true, false) => (later, earlier),
            (false, true) => (earlier, later),
            (true, true) | (false, false) => return None,
        };
        let (one, other) = (self.part(one)?, self.part(other)?);
        // Until the server has been asked, a default is taken for the harder case.
        if let Recipe::AddColumn(_) = one.recipe {
            let conditions = one.recipe.conditions();
            let is_known = |condition: &crate::recipes::Condition<'_>| {
                let mut known = self.facts.expressions.keys();
                known.any(|key| {
                    key.table == *condition.table && key.expression == *condition.expression
                })
            };
            if !conditions.iter().all(is_known) {
                return None;
            }
        }
        let message = format!(
            "the default of the new column differs for each row, and rows of {both} are filled by triggers for {}",
            other.at
        );
        Some(error(&one.at, message))
    }

    /// An expression or a kept column of both connects their columns: one version's write would be taken for a write of all.
    fn connected(&self, earlier: &Part<'_>, later: &Part<'_>) -> Option<PlanError> {
        let theirs = self.synced(earlier);
        let (table, column) = self
            .synced(later)
            .into_iter()
            .find(|one| theirs.contains(one))?;
        let message = format!(
            "{} computes columns from {table}.{column} too, so a write could belong to either",
            earlier.at
        );
        Some(
            PlanError::at(later.at.clone(), message)
                .on_key()
                .help(format!(
                    "compute all of them in one change with transform_columns (`from: [{column}]`, `keep: [{column}]`), or write two plans"
                )),
        )
    }

    /// The columns that a change keeps in step, on either side.
    fn synced(&self, part: &Part<'_>) -> BTreeSet<(TableName, Ident)> {
        let mut synced = BTreeSet::new();
        if !part.named.iter().any(|named| named.what.is_kept_in_step()) {
            return synced;
        }
        for Named { table, what, .. } in &part.named {
            if let (What::Keeps(_) | What::Makes(..) | What::Removes(_), Some(column)) =
                (what, what.column())
            {
                synced.insert(((*table).clone(), column.clone()));
            }
            if let (What::Computes(text), Some(facts)) = (what, self.facts.table(table)) {
                let text = without_qualifier(text, &table.name);
                let columns = facts.columns.iter().map(|column| &column.name);
                let read = columns.filter(|column| names_column(&text, column));
                synced.extend(read.map(|column| ((*table).clone(), column.clone())));
            }
        }
        synced
    }

    /// `one` takes an index or a constraint that is there, over a column that `other` takes away.
    fn objects_over(&self, one: &Part<'_>, other: &Part<'_>) -> Option<PlanError> {
        for named in &one.named {
            let What::TakesObject(name) = named.what else {
                continue;
            };
            let Some(table) = self.facts.table(named.table) else {
                continue;
            };
            let taken = other.named.iter().find(|theirs| match &theirs.what {
                What::Removes(column) => over(table, named.table, name)
                    .contains(&(theirs.table.clone(), (*column).clone())),
                _ => false,
            });
            if let Some(theirs) = taken {
                let column = theirs.what.column()?;
                let message = format!(
                    "{name} is over {}.{column}, which {} replaces or drops",
                    theirs.table, theirs.at
                );
                return Some(error(&named.at, message));
            }
        }
        None
    }

    /// By its key a row that triggers keep in step is noted.
    fn keys(&self, one: &Part<'_>, other: &Part<'_>) -> Option<PlanError> {
        let synced = one
            .named
            .iter()
            .find(|named| named.what.is_kept_in_step())?;
        let table = self.facts.table(synced.table)?;
        for theirs in other
            .named
            .iter()
            .filter(|named| named.table == synced.table)
        {
            let touched: Vec<Ident> = match &theirs.what {
                What::Removes(column) | What::Sets(column, crate::recipes::Aspect::NotNull) => {
                    vec![(*column).clone()]
                }
                What::TakesObject(name) => {
                    let over = over(table, synced.table, name).into_iter();
                    over.filter(|(of, _)| of == synced.table)
                        .map(|(_, column)| column)
                        .collect()
                }
                _ => Vec::new(),
            };
            if let Some(column) = table.key.iter().find(|column| touched.contains(column)) {
                let message = format!(
                    "{column} is in the key of {}, by which {} tells the rows apart",
                    synced.table, one.at
                );
                return Some(error(&theirs.at, message));
            }
        }
        None
    }

    /// `one` makes a foreign key to columns that `other` takes away.
    fn referred(&self, one: &Part<'_>, other: &Part<'_>) -> Option<PlanError> {
        let referring = one
            .named
            .iter()
            .find(|named| matches!(named.what, What::Referred))?;
        let Recipe::AddForeignKey(add) = one.recipe else {
            return None;
        };
        let key = match &add.to {
            Some(to) => to.names().to_vec(),
            None => self.facts.table(referring.table)?.key.clone(),
        };
        let taken = other.named.iter().find(|theirs| match &theirs.what {
            What::Removes(column) => theirs.table == referring.table && key.contains(column),
            _ => false,
        })?;
        let column = taken.what.column()?;
        let message = format!(
            "{}.{column}, which it refers to, is replaced or dropped by {}",
            taken.table, taken.at
        );
        Some(error(&referring.at, message))
    }
}

/// The columns of an index or a constraint, those that a foreign key refers to among them.
fn over(table: &Table, table_name: &TableName, name: &Ident) -> Vec<(TableName, Ident)> {
    let own = |columns: &[Ident]| -> Vec<(TableName, Ident)> {
        let columns = columns.iter();
        columns
            .map(|column| (table_name.clone(), column.clone()))
            .collect()
    };
    let indexes = table.indexes.iter().filter(|index| index.name == *name);
    let mut found: Vec<_> = indexes.flat_map(|index| own(&index.columns)).collect();
    for constraint in table.constraints.iter().filter(|one| one.name == *name) {
        found.extend(own(&constraint.columns));
        if let Some(key) = ForeignKey::read(&constraint.definition)
            && let Some(referred) = key.table()
        {
            let columns = key.referred().into_iter();
            found.extend(columns.map(|column| (referred.clone(), column)));
        }
    }
    found
}

/// The indexes and constraints that a step makes, drops or renames.
fn objects(step: &Step) -> Vec<(TableName, Ident)> {
    let (table, names) = match step {
        Step::CreateIndex(step) => (&step.table, vec![&step.name]),
        Step::AddConstraint(step) => (&step.table, vec![&step.name]),
        Step::AddExclusion(step) => (&step.table, vec![&step.name]),
        Step::DropConstraint(step) => (&step.table, vec![&step.name]),
        Step::DropIndex(step) => (&step.table, vec![&step.name]),
        Step::RebuildIndex(step) => (&step.table, vec![&step.name]),
        Step::AttachIndex(step) => (&step.table, vec![&step.name]),
        Step::RenameConstraint(step) => (&step.table, vec![&step.from, &step.to]),
        Step::RenameObject(step) => (&step.table, vec![&step.from, &step.to]),
        Step::SwapPrimaryKey(step) => (&step.table, vec![&step.name, &step.index]),
        _ => return Vec::new(),
    };
    names
        .into_iter()
        .map(|name| (table.clone(), name.clone()))
        .collect()
}
