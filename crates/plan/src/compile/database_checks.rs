//! Whether the database fits the plan: rights, limits, what must come before what, and what hangs on a column.

use super::{
    Compiler, Placed,
    expressions::{check_key, index_keys, with_facts},
};
use crate::{
    document::{Assignments, Document, Expression, PhaseName},
    facts::{Table, TableKind},
    recipes::Recipe,
    steps::{
        Step, add_column::DefaultFor, add_constraint::AddConstraint, create_index::CreateIndex,
        sql::Sql,
    },
};
use crossfade_model::{
    error::{Path, PlanError, Topic},
    ident::{Ident, TableName},
};

/// Whose the table is where it is not the application's.
fn keeper(table: &TableName) -> Option<&'static str> {
    match table.schema.as_str() {
        "pg_catalog" | "information_schema" | "pg_toast" => Some("PostgreSQL's"),
        "crossfade" => Some("Crossfade's"),
        _ => None,
    }
}

impl<'a> Compiler<'a> {
    pub(super) fn check_table(&mut self, name: &TableName) {
        let place = self.place(name);
        let Some(table) = self.table(name) else {
            self.problem(PlanError::at(place, format!("there is no table {name}")));
            return;
        };
        if let Some(whose) = keeper(name) {
            self.problem(
                PlanError::at(place, format!("{name} is one of {whose} own tables"))
                    .help("a plan changes the application's tables"),
            );
            return;
        }
        if !table.owned {
            let help = self.to_own(name, table);
            self.problem(
                PlanError::at(
                    place.clone(),
                    format!("the role {} does not own {name}", self.facts.role),
                )
                .about(Topic::Rights)
                .help(help),
            );
        }
        if !table.can_create {
            self.problem(
                PlanError::at(
                    place.clone(),
                    format!(
                        "the role {} may not create an index in schema {}",
                        self.facts.role, name.schema
                    ),
                )
                .about(Topic::Rights)
                .help(format!(
                    "GRANT CREATE ON SCHEMA {} TO {};",
                    name.schema,
                    Ident::from_catalog(&table.owner)
                )),
            );
        }
        if table.rows_hidden {
            self.problem(
                PlanError::at(
                    place.clone(),
                    format!("row security hides rows of {name} from {}", self.facts.role),
                )
                .about(Topic::Rights)
                .help(format!(
                    "ALTER ROLE {} BYPASSRLS;",
                    Ident::from_catalog(&self.facts.role)
                )),
            );
        }
        let added = self
            .added
            .get(name)
            .map_or(0, |columns| columns.len() as u32);
        if added > 0 && table.columns_ever + added > Self::COLUMNS_MAX {
            self.problem(
                PlanError::at(
                    place.clone(),
                    format!(
                        "{name} has had {} columns; PostgreSQL allows {}, dropped ones included",
                        table.columns_ever,
                        Self::COLUMNS_MAX
                    ),
                )
                .help("only a new table (CREATE TABLE … AS, pg_dump) forgets dropped columns"),
            );
        }
        // Whatever is changed is locked with all partitions, and PostgreSQL locks no foreign one.
        for partition in table.partitions.iter().filter(|one| one.foreign) {
            let message = format!("the partition {} is a foreign table", partition.table);
            let help = "nothing of it can be changed from here: detach it first";
            self.problem(PlanError::at(place.clone(), message).help(help));
        }
        self.check_typed(&place, name, table);
        self.check_stored_rows(&place, name, table);
        self.check_driver(&place, name, table);
        self.check_whole_rows(&place, name, table);
        self.check_rows_behind_view(&place, name, table);
        self.check_composite(&place, name, table);
        self.check_unproven(&place, name, table);
        self.check_rules(&place, name, table);
        self.check_sequences(&place, name, table);
        self.check_walked(&place, name, table);
        self.check_aliased(&place, name, table);
        self.check_subscribed(&place, name, table);
        self.check_products(&place, name, table);
        self.check_identity(&place, name, table);
        self.check_fired(&place, name, table);
    }

    /// What makes the role have the owner's rights. A membership is not enough where rights are not inherited: from PostgreSQL 16 on
    /// each grant says whether they are, before that the role does.
    fn to_own(&self, name: &TableName, table: &Table) -> String {
        let owner = Ident::from_catalog(&table.owner);
        let role = Ident::from_catalog(&self.facts.role);
        let login = Ident::from_catalog(&self.facts.login);
        if table.owner_is_superuser {
            return format!(
                "{owner} is a superuser, and its members can become superusers. Instead run ALTER TABLE {name} OWNER TO {role}; or give it to a role that {role} is a member of"
            );
        }
        if table.can_enter_owner {
            return format!(
                "{login} is a member of {owner} and has to switch to it: ALTER ROLE {login} SET role = {owner}; or add options=-c%20role%3D{} to the URL",
                table.owner
            );
        }
        let says_of_each_grant = self.facts.server_version >= 160_000;
        match self.facts.role_inherits {
            true if !table.is_member_of_owner => format!("GRANT {owner} TO {role};"),
            _ if says_of_each_grant => format!("GRANT {owner} TO {role} WITH INHERIT TRUE;"),
            _ => format!("GRANT {owner} TO {login}; ALTER ROLE {login} SET role = {owner};"),
        }
    }

    /// A walk goes by the rows' addresses (`ctid`): those of PostgreSQL's own heap, in tables that this server keeps itself.
    fn check_walked(&mut self, place: &Path, name: &TableName, table: &Table) {
        let mut steps = self.steps();
        if !steps.any(|step| {
            matches!(step, Step::Fill(_) | Step::Match(_)) && step.tables().contains(&name)
        }) {
            return;
        }
        let refuse =
            |message: String, help: String| PlanError::at(place.clone(), message).help(help);
        let kept_by = |name: &TableName, method: &Ident| {
            refuse(
                format!("the rows of {name} are kept by the access method {method}"),
                format!(
                    "Crossfade processes rows by their addresses, which are stable in a heap only: ALTER TABLE {name} SET ACCESS METHOD heap; (PostgreSQL 15 and newer; rewrites the table), or move the rows to another table"
                ),
            )
        };
        let whose = match table.kind {
            TableKind::View | TableKind::MaterializedView => Some("is a view"),
            TableKind::Foreign => Some("is a foreign table"),
            TableKind::Table
            | TableKind::Partitioned
            | TableKind::Partition
            | TableKind::Temporary
            | TableKind::Other => None,
        };
        let mut problems = Vec::new();
        if let Some(whose) = whose {
            problems.push(refuse(
                format!("{name} {whose}"),
                "it has no rows of its own to fill or compare: change the table that stores them, on its own server".to_owned(),
            ));
        }
        problems.extend(
            table
                .access_method
                .iter()
                .map(|method| kept_by(name, method)),
        );
        for partition in &table.partitions {
            let method = partition.access_method.iter();
            problems.extend(method.map(|method| kept_by(&partition.table, method)));
        }
        for problem in problems {
            self.problem(problem);
        }
    }

    /// A subscription's worker is a replica: it fires none of our triggers.
    fn check_subscribed(&mut self, place: &Path, name: &TableName, table: &Table) {
        if self.needs_triggers(name) && !table.subscriptions.is_empty() {
            self.problem(
                PlanError::at(
                    place.clone(),
                    format!(
                        "{name} receives rows by the subscription {}, which fires no triggers: what it writes would reach one side only",
                        table.subscriptions.join(", ")
                    ),
                )
                .help("change the table on the publisher; here the subscription has to end first"),
            );
        }
    }

    /// The triggers' functions have the rights of the role that drives the run: what its owner can put into them, or into a table
    /// that they write, runs with these.
    fn check_driver(&mut self, place: &Path, name: &TableName, table: &Table) {
        let has_own_type = |column: &Ident| {
            let found = table.column(column);
            found.is_none_or(|column| column.type_name.contains('.'))
        };
        let added = self.added.get(name);
        let is_added =
            |column: &Ident| added.is_some_and(|added| added.iter().any(|(one, _)| one == column));
        let mut steps = self.steps();
        let lends_rights = steps.any(|step| match step {
            Step::SyncTables(sync) => sync.from == *name || sync.to == *name,
            Step::SyncColumns(sync) => {
                let mut expressions = sync.forward.values().chain(sync.backward.values());
                sync.table == *name
                    && expressions.any(|expression| match expression.as_column() {
                        None => true,
                        Some(column) => has_own_type(&column) && !is_added(&column),
                    })
            }
            _ => false,
        });
        let role = Ident::from_catalog(&self.facts.role);
        let owner = Ident::from_catalog(&table.owner);
        if !lends_rights || role == owner || table.owner_is_superuser {
            return;
        }
        let problem = PlanError::at(
            place.clone(),
            format!(
                "the triggers on {name} run with the rights of {role}: {owner}, who owns the table, can use them"
            ),
        );
        self.problem(problem.warning().help(format!(
            "run Crossfade as {owner}, or as a role with the same or fewer rights"
        )));
    }

    /// What columns it has says its type, and PostgreSQL changes none of them by the table.
    fn check_typed(&mut self, place: &Path, name: &TableName, table: &Table) {
        let Some(of) = &table.of_type else { return };
        let mut steps = self.steps();
        let is_changed = steps.any(|step| match step {
            Step::AddColumn(step) => step.table == *name,
            Step::RetireColumn(step) => step.table == *name,
            Step::DropColumn(step) => step.table == *name,
            Step::TakePlace(step) => step.table == *name,
            Step::AlterColumnType(step) => step.table == *name,
            Step::AliasTable(step) => {
                step.table == *name && step.columns.iter().any(|column| column.of.is_some())
            }
            _ => false,
        });
        if is_changed {
            self.problem(
                PlanError::at(
                    place.clone(),
                    format!("{name} is a table of the type {of}, which says what columns it has"),
                )
                .help(format!("free it first: ALTER TABLE {name} NOT OF")),
            );
        }
    }

    /// A rule would make another statement of the one that fills the table.
    fn check_rules(&mut self, place: &Path, name: &TableName, table: &Table) {
        let mut steps = self.steps();
        let is_written = steps.any(|step| match step {
            Step::Fill(step) => step.table == *name || step.from.as_ref() == Some(name),
            _ => false,
        });
        let rules: Vec<&str> = table
            .update_rules
            .iter()
            .filter(|rule| rule.always || !self.facts.can_skip_triggers)
            .map(|rule| rule.name.as_str())
            .collect();
        if is_written && !rules.is_empty() {
            self.problem(
                PlanError::at(
                    place.clone(),
                    format!(
                        "the backfill's UPDATE of {name} would be rewritten by its rules: {}",
                        rules.join(", ")
                    ),
                )
                .help("replace them by triggers first"),
            );
        }
    }

    /// A column takes its sequence along, and PostgreSQL refuses that while others take numbers from it: in `contract`.
    fn check_sequences(&mut self, place: &Path, name: &TableName, table: &Table) {
        let dropped = self.dropped_columns();
        let moved = |sequence: &String| {
            let mut steps = self.steps();
            steps.any(|step| matches!(step, Step::OwnSequence(step) if step.sequence == *sequence))
        };
        let blocked: Vec<PlanError> = table
            .columns
            .iter()
            .filter(|column| dropped.contains(&(name.clone(), column.name.clone())))
            .filter(|column| !column.owned_sequence.as_ref().is_some_and(moved))
            .filter(|column| !column.sequence_dependents.is_empty())
            .map(|column| {
                PlanError::at(
                    place.clone(),
                    format!(
                        "the sequence of {name}.{} goes with it, and is used by {}",
                        column.name,
                        column.sequence_dependents.join(", ")
                    ),
                )
                .help("give them a sequence of their own first")
            })
            .collect();
        for error in blocked {
            self.problem(error);
        }
    }

    fn check_aliased(&mut self, place: &Path, name: &TableName, table: &Table) {
        let is_aliased = self
            .steps()
            .any(|step| matches!(step, Step::AliasTable(alias) if alias.table == *name));
        if is_aliased && !table.triggers_by_name.is_empty() {
            self.problem(
                PlanError::at(
                    place.clone(),
                    format!(
                        "triggers depend on the name of {name}, which differs while the view stands in: {}",
                        table.triggers_by_name.join(", ")
                    ),
                )
                .warning()
                .help("let them take the name from an argument (TG_ARGV)"),
            );
        }
    }

    /// Where triggers fill a table, its walk ends when it has been through: a column that they do not fill could be overlooked in
    /// a row that moves.
    pub(super) fn check_filled_together(&mut self) {
        let mut problems = Vec::new();
        for (path, step) in self.phases.iter().flat_map(Placed::placed_steps) {
            let Step::Fill(fill) = step else { continue };
            let kept: Vec<&Ident> = self
                .steps()
                .filter_map(|step| match step {
                    Step::SyncColumns(sync) if sync.table == fill.table => Some(&sync.forward),
                    _ => None,
                })
                .flat_map(Assignments::keys)
                .collect();
            let missing = fill.set.keys().filter(|column| !kept.contains(column));
            for column in missing.filter(|_| !kept.is_empty()) {
                let message = format!(
                    "{column} is filled together with columns that triggers fill, but no trigger fills it: rows that are written meanwhile could be missed"
                );
                problems.push(
                    PlanError::at(path.key("set").key(&column.to_string()), message).help(
                        "name it in `forward` of sync_columns; a default that is different for each row needs a plan of its own (recipe add_column)",
                    ),
                );
            }
        }
        self.problems.extend(problems);
    }

    /// What must be there for what comes later: a fill without triggers would miss rows, a drop without a look lose them.
    pub(super) fn check_sequence(&mut self) {
        let steps = |kind: &'static str| {
            let phases: &'a [Placed] = self.phases;
            let steps = phases.iter().flat_map(Placed::placed_steps);
            steps.filter(move |(_, step)| step.kind() == kind)
        };
        let has =
            |kind, table: &TableName| steps(kind).any(|(_, step)| step.table() == Some(table));
        let mut problems = Vec::new();
        for (path, step) in steps("fill")
            .chain(steps("drop_column"))
            .chain(steps("take_place"))
        {
            let Some(table) = step.table() else { continue };
            let path = path.clone();
            match step.kind() {
                // Between two tables the sync is looked for when the step is compiled.
                "fill" if matches!(step, Step::Fill(fill) if fill.from.is_some()) => {}
                "fill" if !has("sync_columns", table) && !self.fills_defaults(step) => problems
                    .push(
                    PlanError::at(
                        path,
                        format!("nothing keeps {table} in step while it is filled"),
                    )
                    .on_key()
                    .help("add sync_columns in dual_write: rows written meanwhile would be missed"),
                ),
                "drop_column" | "take_place" if has("sync_columns", table) => {
                    for (kind, phase) in [("match", "verify"), ("drop_sync", "contract")] {
                        if !has(kind, table) {
                            problems.push(
                                PlanError::at(
                                    path.clone(),
                                    format!("{table} has no `{kind}` before its column is dropped"),
                                )
                                .on_key()
                                .help(format!("add a {kind} step in {phase}")),
                            );
                        }
                    }
                }
                _ => {}
            }
        }
        self.problems.extend(problems);
    }

    /// The column has this default for the rows that are inserted: a walk that repeats until it finds none left is enough.
    pub(super) fn fills_default(
        &self,
        table: &TableName,
        column: &Ident,
        expression: &Expression,
    ) -> bool {
        let is_kept = |step: &Step| match step {
            Step::SyncColumns(sync) => {
                let mut kept = sync.forward.keys().chain(sync.backward.keys());
                sync.table == *table && kept.any(|one| one == column)
            }
            _ => false,
        };
        // What triggers compute they compute at each write, and it is compared with what was computed before.
        if self.steps().any(is_kept) {
            return false;
        }
        let mut steps = self.steps();
        steps.any(|step| match step {
            Step::AddColumn(step) => {
                step.table == *table
                    && step.column == *column
                    && step.default_for == DefaultFor::NewRows
                    && step.default.as_deref() == Some(expression.as_str())
            }
            _ => false,
        })
    }

    fn fills_defaults(&self, step: &Step) -> bool {
        match step {
            Step::Fill(fill) => fill
                .set
                .iter()
                .all(|(column, expression)| self.fills_default(&fill.table, column, expression)),
            _ => false,
        }
    }

    /// A plan is read as one role's sessions read it, and others may mean something else by the same names.
    pub(super) fn warn_of_paths(&mut self) {
        if self.document.settings.search_path.is_some() {
            return;
        }
        let Some(path) = &self.facts.search_path else {
            return;
        };
        for other in &self.facts.other_paths {
            let message = format!(
                "names without a schema are looked for in {path} ({}), and not as {other}",
                path.from
            );
            let help = "say which it is: `settings: {search_path: …}`";
            let problem = PlanError::at(Path::root(), message).warning();
            self.problem(problem.help(help));
        }
    }

    /// What a recipe says besides what it fills: the conditions of indexes and CHECKs, and defaults.
    pub(super) fn check_conditions(&mut self) {
        let document: &'a Document = self.document;
        let places = document.recipes().into_iter().map(|(at, _)| at);
        for (at, (recipe, facts)) in places.zip(with_facts(document, self.facts)) {
            let at = at.key(recipe.name());
            for condition in recipe.conditions() {
                if let Some((message, help)) = condition.fault(&facts) {
                    self.problem(PlanError::at(at.key(condition.word), message).help(help));
                }
            }
            for (message, help) in recipe.advice(&facts) {
                self.problem(PlanError::at(at.clone(), message).warning().help(help));
            }
        }
    }

    /// A subscriber that lacks a column stops at the first row that comes with it.
    pub(super) fn check_published(
        &mut self,
        path: &Path,
        table: &TableName,
        column: &Ident,
        from: PhaseName,
    ) {
        let Some(known) = self.facts.table(table) else {
            return;
        };
        let whole = |name: &&String| !known.publications_by_column.contains(name);
        let publications = known.publications.iter().filter(whole);
        let publications: Vec<&str> = publications.map(String::as_str).collect();
        if publications.is_empty() || known.column(column).is_some() {
            return;
        }
        let message = format!(
            "{table} is published ({}), and from `{from}` on so is a column {column}",
            publications.join(", ")
        );
        self.problem(PlanError::at(path.clone(), message).warning().help(
            "a subscriber whose table lacks the column stops at the next row, and WAL is kept for it: add the column there first",
        ));
    }

    /// Statements of the author's that could not be run as they stand.
    pub(super) fn check_script(&mut self, path: &Path, step: &Sql) {
        for (key, message, help) in step.faults() {
            self.problem(PlanError::at(path.key(key), message).help(help));
        }
    }

    pub(super) fn check_fits(&mut self, path: &Path, step: &AddConstraint, phase: PhaseName) {
        // What a recipe says in a word of its own was looked at there.
        let recipes = self.document.recipes().into_iter();
        let mut said = recipes.flat_map(|(_, recipe)| recipe.conditions());
        if said.any(|said| step.condition().as_ref() == Some(said.expression)) {
            return;
        }
        let key = check_key(step, phase, self.phases, &self.added, self.facts);
        let found = key.and_then(|key| self.facts.expressions.get(&key));
        let Some(Err(error)) = found else { return };
        let is_successor = self
            .steps()
            .any(|other| matches!(other, Step::SyncColumns(sync) if sync.table == step.table));
        let (message, help) = if phase == PhaseName::Retire || is_successor {
            let message = format!(
                "the constraint {} does not fit the new column: {}",
                step.name, error.message
            );
            let help = "drop it first, and add one that fits the new type after the change";
            (message, help.to_owned())
        } else {
            let help = error.help.clone();
            let help =
                help.unwrap_or_else(|| "write the condition of the CHECK as SQL does".to_owned());
            (error.message.clone(), help)
        };
        self.problem(PlanError::at(path.clone(), message).help(help));
    }

    pub(super) fn check_index_fits(&mut self, path: &Path, step: &CreateIndex, phase: PhaseName) {
        for key in index_keys(step, phase, self.phases, &self.added, self.facts) {
            if let Some(Err(error)) = self.facts.expressions.get(&key) {
                if self.is_added_by_a_change(step) {
                    let problem = PlanError::at(path.clone(), error.message.clone());
                    self.problem(problem.help("write the index as SQL does"));
                    continue;
                }
                let message = format!(
                    "the index {} does not fit the new column: {}",
                    step.name, error.message
                );
                self.problem(PlanError::at(path.clone(), message).help(
                    "drop it first, and add one that fits the new type after the change (recipe add_index)",
                ));
            }
        }
    }

    /// Another change of the plan adds the index, and it succeeds none.
    pub(super) fn is_added_by_a_change(&self, step: &CreateIndex) -> bool {
        self.document.recipes().into_iter().any(|(_, recipe)| {
            let Recipe::AddIndex(add) = recipe else {
                return false;
            };
            add.table == step.table && add.name().as_ref() == Some(&step.name)
        })
    }

    /// PostgreSQL drops an index or a constraint with any of its columns, and says nothing.
    pub(super) fn warn_of_what_goes_along(&mut self) {
        let succeeded: Vec<&Ident> = self
            .steps()
            .filter_map(|step| match step {
                Step::RenameObject(step) => Some(&step.to),
                Step::SwapPrimaryKey(step) => Some(&step.name),
                _ => None,
            })
            .collect();
        for (table_name, column) in self.dropped_columns() {
            let Some(table) = self.table(&table_name) else {
                continue;
            };
            let indexes = table
                .indexes
                .iter()
                .filter(|index| index.constraint.is_none() && index.columns.contains(&column))
                .map(|index| ("index", &index.name));
            let constraints = table
                .constraints
                .iter()
                .filter(|constraint| constraint.columns.contains(&column))
                .map(|constraint| ("constraint", &constraint.name));
            let lost: Vec<String> = indexes
                .chain(constraints)
                .filter(|(_, name)| !succeeded.contains(name))
                .map(|(kind, name)| format!("the {kind} {name}"))
                .collect();
            if !lost.is_empty() {
                let place = self.place(&table_name);
                let help = if self.added.contains_key(&table_name) {
                    "create what takes its place on the new columns"
                } else {
                    "until `contract` a rollback keeps it; then it is gone with the column"
                };
                self.problem(
                    PlanError::at(
                        place,
                        format!("{} goes with {table_name}.{column}", lost.join(", ")),
                    )
                    .warning()
                    .help(help),
                );
            }
        }
    }

    pub(super) fn warn_of_dependents(&mut self) {
        for (table_name, column) in self.dropped_columns() {
            let Some(table) = self.table(&table_name) else {
                continue;
            };
            let dependents: Vec<&str> = table
                .dependents
                .iter()
                .filter(|dependent| dependent.column == column)
                .map(|dependent| dependent.object.as_str())
                .collect();
            // The server describes its expression, and before PostgreSQL 15 the column itself.
            let is_generated = |object: &&str| {
                let described = object.trim_start_matches("default value for ");
                let mut generated = table.columns.iter().filter(|one| one.generated);
                generated.any(|one| {
                    described.starts_with(&format!("column {} of table ", one.name.as_str()))
                })
            };
            let help = match dependents.iter().any(is_generated) {
                true => {
                    "the gate of `retire` waits until nothing names it, and a generated column gets another expression by a change that writes the whole table under a lock (DROP and ADD COLUMN; SET EXPRESSION from PostgreSQL 17 on): to rename only, `strategy: alias` leaves it as it is"
                }
                false => {
                    "nothing is dropped with it: change it to name the new column before `retire`, whose gate waits for that"
                }
            };
            if !dependents.is_empty() {
                let place = self.place(&table_name);
                let message = format!(
                    "{} still names {table_name}.{column}",
                    dependents.join(", ")
                );
                self.problem(PlanError::at(place, message).warning().help(help));
            }
        }
    }
}
