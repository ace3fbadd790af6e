//! `(document, facts) -> Plan | errors`: pure, and every error of a plan at once.

use super::{
    compiled::{
        Action, Assignment, ColumnRef, Condition, Conversion, Fill, Match, Phase, Plan,
        PlannedStep, StepId, Sync,
    },
    document::{Assignments, Document, Expression, Gate, PhaseDocument, PhaseName},
    error::{Path, PlanError},
    facts::{ExpressionKey, Facts, Table},
    ident::{Ident, TableName},
    steps::{
        Step, add_column::AddColumn, add_constraint::AddConstraint, sync_columns::SyncColumns,
    },
    types,
};
use std::collections::{BTreeMap, BTreeSet};

/// The explicit phases, whichever form the document has, each with its place in the document.
pub fn explicit(
    document: &Document,
    facts: &Facts,
) -> Result<Vec<(Path, PhaseDocument)>, Vec<PlanError>> {
    match (&document.change, &document.phases) {
        (Some(_), Some(_)) => Err(vec![
            PlanError::at(
                Path::root().key("phases"),
                "a plan has either `change` or `phases`, not both",
            )
            .on_key()
            .help("leave one of them out; `crossfade expand` turns a change into phases"),
        ]),
        (None, None) => Err(vec![
            PlanError::at(Path::root(), "the plan has neither `change` nor `phases`")
                .help("say what to do with `change: {rename_column: {table: …, from: …, to: …}}`"),
        ]),
        (Some(recipe), None) => {
            let at = Path::root().key("change");
            let phases = recipe.phases(facts, &at)?;
            let at = at.key(recipe.name());
            Ok(phases
                .into_iter()
                .map(|phase| (at.clone(), phase))
                .collect())
        }
        (None, Some(phases)) => Ok(phases
            .iter()
            .enumerate()
            .map(|(number, phase)| (Path::root().key("phases").index(number), phase.clone()))
            .collect()),
    }
}

/// What can be said of a document without a database.
pub fn check_structure(document: &Document) -> Vec<PlanError> {
    let mut errors = Vec::new();
    if document.change.is_some() == document.phases.is_some() {
        errors.extend(
            explicit(document, &Facts::default())
                .err()
                .into_iter()
                .flatten(),
        );
    }
    for (at, limit) in [
        ("lock_timeout", document.settings.lock_timeout),
        ("statement_timeout", document.settings.statement_timeout),
    ] {
        if limit.millis() == 0 {
            let path = Path::root().key("settings").key(at);
            errors.push(PlanError::at(
                path,
                format!("`{at}` cannot be 0: that would be no limit at all"),
            ));
        }
    }
    if let Some(phases) = &document.phases {
        let located: Vec<(Path, PhaseDocument)> = phases
            .iter()
            .enumerate()
            .map(|(number, phase)| (Path::root().key("phases").index(number), phase.clone()))
            .collect();
        errors.extend(check_phases(&located));
        for phase in document.gates.keys() {
            if !phases.iter().any(|document| document.phase == *phase) {
                let path = Path::root().key("gates").key(phase.as_str());
                errors.push(PlanError::at(path, format!("the plan has no phase {phase}")).on_key());
            }
        }
    }
    errors
}

/// Where a step may stand: a step in the wrong phase could lose a write.
fn phases_of(step: &Step) -> &'static [PhaseName] {
    use PhaseName::{Backfill, Contract, DualWrite, Enforce, Expand, Retire, SwitchReads, Verify};
    match step {
        Step::AddColumn(_) => &[Expand],
        Step::SyncColumns(_) => &[DualWrite],
        Step::Fill(_) => &[Backfill],
        Step::Match(_) => &[Verify],
        Step::Query(_) => &[
            Expand,
            DualWrite,
            Backfill,
            Verify,
            Enforce,
            SwitchReads,
            Retire,
        ],
        Step::CreateIndex(_) => &[Expand, Enforce, Retire],
        Step::AddConstraint(_) | Step::SetNotNull(_) => &[Enforce, Retire],
        Step::RetireColumn(_) => &[Retire],
        Step::DropSync(_)
        | Step::DropConstraint(_)
        | Step::SetDefault(_)
        | Step::OwnSequence(_)
        | Step::DropColumn(_)
        | Step::RenameObject(_) => &[Contract],
    }
}

fn step_id(step: &Step) -> StepId {
    StepId(format!("{}:{}", step.kind(), step.subject()))
}

fn check_phases(phases: &[(Path, PhaseDocument)]) -> Vec<PlanError> {
    let mut errors = Vec::new();
    let mut steps = BTreeSet::new();
    let mut last: Option<PhaseName> = None;
    for (at, phase) in phases {
        let name = phase.phase;
        if phases
            .iter()
            .take_while(|(path, _)| path != at)
            .any(|(_, p)| p.phase == name)
        {
            errors.push(PlanError::at(
                at.key("phase"),
                format!("the phase {name} is there twice"),
            ));
        } else if let Some(last) = last.filter(|last| *last > name) {
            let order = PhaseName::ALL.map(PhaseName::as_str).join(", ");
            errors.push(
                PlanError::at(at.key("phase"), format!("{name} cannot come after {last}"))
                    .help(format!("the order is {order}")),
            );
        }
        last = Some(last.map_or(name, |last| last.max(name)));
        for (number, step) in phase.steps.iter().enumerate() {
            let path = at.key("steps").index(number).key(step.kind());
            if !steps.insert(step_id(step)) {
                errors.push(
                    PlanError::at(
                        path.clone(),
                        format!("the step {} is there twice", step_id(step)),
                    )
                    .on_key(),
                );
            }
            if !phases_of(step).contains(&name) {
                let right: Vec<&str> = phases_of(step).iter().map(|phase| phase.as_str()).collect();
                errors.push(
                    PlanError::at(path, format!("{} cannot be a step of {name}", step.kind()))
                        .on_key()
                        .help(format!("it belongs in {}", right.join(" or "))),
                );
            }
        }
    }
    errors
}

/// The expressions that facts are needed of, and where each stands.
pub fn expressions(document: &Document, facts: &Facts) -> Vec<ExpressionKey> {
    let Ok(phases) = explicit(document, facts) else {
        return Vec::new();
    };
    let added = added_columns(&phases, facts);
    let mut keys = Vec::new();
    let mut collect = |table: &TableName, assignments: &Assignments| {
        for (target, expression) in assignments {
            keys.push(key(table, target, expression, &added, facts));
        }
    };
    for step in phases.iter().flat_map(|(_, phase)| &phase.steps) {
        match step {
            Step::SyncColumns(step) => {
                collect(&step.table, &step.forward);
                collect(&step.table, &step.backward);
            }
            Step::Fill(step) => collect(&step.table, &step.set),
            Step::Match(step) => {
                collect(&step.table, &step.columns);
                collect(&step.table, &step.backward);
            }
            _ => {}
        }
    }
    for (_, phase) in &phases {
        let checks = phase.steps.iter().filter_map(|step| match step {
            Step::AddConstraint(step) => check_key(step, phase.phase, &phases, &added, facts),
            _ => None,
        });
        keys.extend(checks);
    }
    keys.sort();
    keys.dedup();
    keys
}

/// The condition of a CHECK, over the columns as they are when it is added: after `retire` a column may have another's
/// name, and another type behind it.
fn check_key(
    step: &AddConstraint,
    phase: PhaseName,
    phases: &[(Path, PhaseDocument)],
    added: &Added,
    facts: &Facts,
) -> Option<ExpressionKey> {
    // Before `retire` it is a plain copy's, which fits as its predecessor did.
    let condition = step.condition().filter(|_| phase >= PhaseName::Retire)?;
    let mut columns = added.get(&step.table).cloned().unwrap_or_default();
    for other in phases.iter().flat_map(|(_, phase)| &phase.steps) {
        if let Step::RetireColumn(retire) = other
            && retire.table == step.table
            && let Some(by) = &retire.replace_with
        {
            let type_name = type_of(&step.table, by, added, facts)?;
            columns.push((retire.column.clone(), type_name));
        }
    }
    Some(ExpressionKey {
        table: step.table.clone(),
        expression: condition,
        added: columns,
        target_type: Some("boolean".to_owned()),
    })
}

type Added = BTreeMap<TableName, Vec<(Ident, String)>>;

/// The columns that the plan adds and that are not there yet.
fn added_columns(phases: &[(Path, PhaseDocument)], facts: &Facts) -> Added {
    let mut added = Added::new();
    for step in phases.iter().flat_map(|(_, phase)| &phase.steps) {
        if let Step::AddColumn(step) = step {
            let exists = facts
                .table(&step.table)
                .is_some_and(|table| table.column(&step.column).is_some());
            if !exists {
                added
                    .entry(step.table.clone())
                    .or_default()
                    .push((step.column.clone(), canonical(&step.type_name, facts)));
            }
        }
    }
    added
}

/// The type as the server writes it; as it stands in the plan where the server does not know it.
fn canonical(type_name: &str, facts: &Facts) -> String {
    match facts.types.get(type_name) {
        Some(Ok(canonical)) => canonical.clone(),
        Some(Err(_)) | None => type_name.to_owned(),
    }
}

/// The types that the server is to be asked about.
pub fn types(document: &Document, facts: &Facts) -> Vec<String> {
    let phases = explicit(document, facts).unwrap_or_default();
    let mut types: Vec<String> = phases
        .iter()
        .flat_map(|(_, phase)| &phase.steps)
        .filter_map(|step| match step {
            Step::AddColumn(step) => Some(step.type_name.clone()),
            _ => None,
        })
        .collect();
    types.dedup();
    types
}

fn type_of(table: &TableName, column: &Ident, added: &Added, facts: &Facts) -> Option<String> {
    let existing = facts.table(table).and_then(|table| table.column(column));
    existing.map(|column| column.type_name.clone()).or_else(|| {
        let added = added.get(table)?;
        added
            .iter()
            .find(|(name, _)| name == column)
            .map(|(_, type_name)| type_name.clone())
    })
}

fn key(
    table: &TableName,
    target: &Ident,
    expression: &Expression,
    added: &Added,
    facts: &Facts,
) -> ExpressionKey {
    ExpressionKey {
        table: table.clone(),
        expression: expression.clone(),
        added: added.get(table).cloned().unwrap_or_default(),
        target_type: type_of(table, target, added, facts),
    }
}

/// The whole compilation. Warnings come with the plan; errors instead of it.
pub fn compile(
    document: &Document,
    facts: &Facts,
) -> Result<(Plan, Vec<PlanError>), Vec<PlanError>> {
    let structure = check_structure(document);
    if !structure.is_empty() {
        return Err(structure);
    }
    let phases = explicit(document, facts)?;
    let mut compiler = Compiler {
        document,
        facts,
        added: added_columns(&phases, facts),
        phases: &phases,
        problems: Vec::new(),
        claims: BTreeSet::new(),
    };
    for table in document.tables() {
        compiler.check_table(&table);
    }
    compiler.check_sequence();
    let compiled: Vec<Phase> = phases
        .iter()
        .map(|(at, phase)| compiler.phase(at, phase))
        .collect();
    compiler.warn_of_dependents();
    let (errors, warnings): (Vec<_>, Vec<_>) =
        compiler.problems.into_iter().partition(PlanError::is_error);
    if !errors.is_empty() {
        return Err(errors);
    }
    let plan = Plan {
        name: document.name.clone(),
        session: facts.session.clone(),
        description: document.description.clone(),
        settings: document.settings.clone(),
        claims: compiler.claims.into_iter().collect(),
        phases: compiled,
    };
    Ok((plan, warnings))
}

struct Compiler<'a> {
    document: &'a Document,
    facts: &'a Facts,
    added: Added,
    phases: &'a [(Path, PhaseDocument)],
    problems: Vec<PlanError>,
    claims: BTreeSet<(TableName, Ident)>,
}

impl<'a> Compiler<'a> {
    /// PostgreSQL's limit; columns that were dropped go on counting.
    const COLUMNS_MAX: u32 = 1600;

    /// Where the document speaks of this table.
    fn place(&self, table: &TableName) -> Path {
        self.phases
            .iter()
            .flat_map(|(at, phase)| {
                phase
                    .steps
                    .iter()
                    .enumerate()
                    .map(move |(number, step)| (at, number, step))
            })
            .find(|(_, _, step)| step.table() == Some(table))
            .map_or(Path::root(), |(at, number, step)| {
                if self.document.change.is_some() {
                    at.key("table")
                } else {
                    at.key("steps").index(number).key(step.kind()).key("table")
                }
            })
    }

    fn step_path(&self, at: &Path, number: usize, step: &Step) -> Path {
        if self.document.change.is_some() {
            at.clone()
        } else {
            at.key("steps").index(number).key(step.kind())
        }
    }

    /// Several steps use the same expression: what is wrong with it is said once.
    fn problem(&mut self, error: PlanError) {
        if !self.problems.contains(&error) {
            self.problems.push(error);
        }
    }

    fn table(&self, name: &TableName) -> Option<&'a Table> {
        self.facts.table(name)
    }

    fn check_table(&mut self, name: &TableName) {
        let place = self.place(name);
        let Some(table) = self.table(name) else {
            self.problem(PlanError::at(place, format!("there is no table {name}")));
            return;
        };
        if !table.owned {
            self.problem(
                PlanError::at(
                    place.clone(),
                    format!("the role {} does not own {name}", self.facts.role),
                )
                .help(format!(
                    "GRANT {} TO {};",
                    Ident::from_catalog(&table.owner),
                    Ident::from_catalog(&self.facts.role)
                )),
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
        if !self.facts.can_skip_triggers && !table.update_triggers.is_empty() {
            self.problem(
                PlanError::at(
                    place,
                    format!(
                        "the backfill fires the application's triggers on {name}: {}",
                        table.update_triggers.join(", ")
                    ),
                )
                .warning()
                .help(format!(
                    "to keep them out (PostgreSQL 15): GRANT SET ON PARAMETER session_replication_role TO {};",
                    Ident::from_catalog(&self.facts.role)
                )),
            );
        }
    }

    /// What must be there for what comes later: a fill without triggers would miss rows, a drop without a look lose them.
    fn check_sequence(&mut self) {
        let steps = |kind: &'static str| {
            let phases: &'a [(Path, PhaseDocument)] = self.phases;
            phases.iter().flat_map(move |(at, phase)| {
                phase
                    .steps
                    .iter()
                    .enumerate()
                    .filter(move |(_, step)| step.kind() == kind)
                    .map(move |(number, step)| (at, number, step))
            })
        };
        let has =
            |kind, table: &TableName| steps(kind).any(|(_, _, step)| step.table() == Some(table));
        let mut problems = Vec::new();
        for (at, number, step) in steps("fill").chain(steps("drop_column")) {
            let Some(table) = step.table() else { continue };
            let path = self.step_path(at, number, step);
            match step.kind() {
                "fill" if !has("sync_columns", table) => problems.push(
                    PlanError::at(
                        path,
                        format!("nothing keeps {table} in step while it is filled"),
                    )
                    .on_key()
                    .help("add sync_columns in dual_write: rows written meanwhile would be missed"),
                ),
                "drop_column" if has("sync_columns", table) => {
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

    fn phase(&mut self, at: &Path, phase: &PhaseDocument) -> Phase {
        let steps = phase
            .steps
            .iter()
            .enumerate()
            .filter_map(|(number, step)| {
                let path = self.step_path(at, number, step);
                if let Step::AddConstraint(constraint) = step {
                    self.check_fits(&path, constraint, phase.phase);
                }
                let action = self.action(&path, step)?;
                Some(PlannedStep {
                    id: step_id(step),
                    action,
                })
            })
            .collect();
        Phase {
            name: phase.phase,
            gate: self.gate(phase),
            steps,
        }
    }

    fn check_fits(&mut self, path: &Path, step: &AddConstraint, phase: PhaseName) {
        let key = check_key(step, phase, self.phases, &self.added, self.facts);
        let found = key.and_then(|key| self.facts.expressions.get(&key));
        if let Some(Err(error)) = found {
            let message = format!(
                "the constraint {} does not fit the new column: {}",
                step.name, error.message
            );
            self.problem(
                PlanError::at(path.clone(), message)
                    .help("drop it first, and add one that fits the new type after the change"),
            );
        }
    }

    fn gate(&self, phase: &PhaseDocument) -> Vec<Condition> {
        let mut conditions = Vec::new();
        if phase.phase > PhaseName::Backfill {
            conditions.push(Condition::QuarantineEmpty);
        }
        if phase.phase >= PhaseName::Retire {
            let dropped = self.dropped_columns();
            if !dropped.is_empty() {
                conditions.push(Condition::NoDependents(dropped));
            }
        }
        let added = self.document.gates.get(&phase.phase);
        for gate in std::iter::once(&phase.gate).chain(added) {
            push_conditions(gate, &mut conditions);
        }
        conditions
    }

    fn dropped_columns(&self) -> Vec<(TableName, Ident)> {
        let steps = self.phases.iter().flat_map(|(_, phase)| &phase.steps);
        steps
            .filter_map(|step| match step {
                Step::DropColumn(step) => Some((step.table.clone(), step.column.clone())),
                _ => None,
            })
            .collect()
    }

    fn warn_of_dependents(&mut self) {
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
            if !dependents.is_empty() {
                let place = self.place(&table_name);
                self.problem(
                    PlanError::at(place, format!("{} still names {table_name}.{column}", dependents.join(", ")))
                        .warning()
                        .help("nothing is dropped with it: change it to name the new column before `retire`, whose gate waits for that"),
                );
            }
        }
    }

    fn claim(&mut self, table: &TableName, column: &Ident) {
        self.claims.insert((table.clone(), column.clone()));
    }

    /// The column as it will be when the step runs; an error where it is neither there nor added.
    fn column(&mut self, table: &TableName, column: &Ident, path: &Path) -> Option<ColumnRef> {
        if let Some(existing) = self.table(table).and_then(|table| table.column(column)) {
            return Some(ColumnRef {
                name: column.clone(),
                type_name: existing.type_name.clone(),
                exact: existing.exact,
            });
        }
        if let Some(type_name) = type_of(table, column, &self.added, self.facts) {
            // Of a type that is not in the table yet nothing is known: compared byte by byte, which is always right.
            let known = self
                .table(table)
                .into_iter()
                .flat_map(|table| &table.columns);
            let exact = known
                .filter(|column| types::same(&column.type_name, &type_name))
                .all(|column| column.exact);
            return Some(ColumnRef {
                name: column.clone(),
                exact: exact && types::is_exact(&type_name),
                type_name,
            });
        }
        if self.table(table).is_some() {
            self.problem(
                PlanError::at(
                    path.clone(),
                    format!("{table} has no column {column}, and the plan adds none"),
                )
                .help("add it with add_column in expand"),
            );
        }
        None
    }

    fn action(&mut self, path: &Path, step: &Step) -> Option<Action> {
        Some(match step {
            Step::AddColumn(step) => {
                if let Some(Err(error)) = self.facts.types.get(&step.type_name) {
                    let problem = PlanError::at(path.key("type"), error.message.clone());
                    let help = error.help.clone().unwrap_or_else(|| "write the type as SQL does, with its schema where it is not PostgreSQL's own".to_owned());
                    self.problem(problem.help(help));
                    return None;
                }
                let step = &AddColumn {
                    type_name: canonical(&step.type_name, self.facts),
                    ..step.clone()
                };
                let existing = self
                    .table(&step.table)
                    .and_then(|table| table.column(&step.column));
                if let Some(existing) = existing {
                    let place = if self.document.change.is_some() {
                        path.clone()
                    } else {
                        path.key("column")
                    };
                    let message = if types::same(&existing.type_name, &step.type_name) {
                        format!("{} already has a column {}", step.table, step.column)
                    } else {
                        format!(
                            "{} already has a column {} of type {}, not {}",
                            step.table, step.column, existing.type_name, step.type_name
                        )
                    };
                    self.problem(
                        PlanError::at(place, message)
                            .help("choose another name, or drop that column first"),
                    );
                }
                self.claim(&step.table, &step.column);
                Action::AddColumn(step.clone())
            }
            Step::SyncColumns(step) => Action::SyncColumns(self.sync(path, step)?),
            Step::Fill(step) => Action::Fill(Fill {
                table: step.table.clone(),
                set: self.assignments(&path.key("set"), &step.table, &step.set)?,
                key: self.key_of(&step.table),
            }),
            Step::Match(step) => {
                let backward = if step.backward.is_empty() {
                    self.sync_backward(&step.table)
                } else {
                    step.backward.clone()
                };
                Action::Match(Match {
                    table: step.table.clone(),
                    columns: self.assignments(&path.key("columns"), &step.table, &step.columns)?,
                    backward: self.assignments(&path.key("backward"), &step.table, &backward)?,
                    key: self.key_of(&step.table),
                })
            }
            Step::Query(query) => Action::Query(query.clone()),
            Step::CreateIndex(step) => Action::CreateIndex(step.clone()),
            Step::AddConstraint(step) => Action::AddConstraint(step.clone()),
            Step::SetNotNull(step) => {
                self.column(&step.table, &step.column, &path.key("column"))?;
                Action::SetNotNull(step.clone())
            }
            Step::RetireColumn(step) => {
                self.column(&step.table, &step.column, &path.key("column"))?;
                self.claim(&step.table, &step.column);
                Action::RetireColumn(step.clone())
            }
            Step::DropSync(step) => Action::DropSync(step.clone()),
            Step::DropConstraint(step) => Action::DropConstraint(step.clone()),
            Step::SetDefault(step) => Action::SetDefault(step.clone()),
            Step::OwnSequence(step) => Action::OwnSequence(step.clone()),
            Step::DropColumn(step) => {
                self.column(&step.table, &step.column, &path.key("column"))?;
                self.claim(&step.table, &step.column);
                Action::DropColumn(step.clone())
            }
            Step::RenameObject(step) => Action::RenameObject(step.clone()),
        })
    }

    fn defaults_besides(
        &self,
        table: &TableName,
        new_side: &BTreeSet<Ident>,
    ) -> BTreeMap<Ident, String> {
        let columns = self
            .table(table)
            .into_iter()
            .flat_map(|table| &table.columns);
        columns
            .filter(|column| !new_side.contains(&column.name) && !column.generated)
            .filter_map(|column| Some((column.name.clone(), column.default.clone()?)))
            .collect()
    }

    /// Where a `match` does not say how the old side follows from the new one, the table's sync does.
    fn sync_backward(&self, table: &TableName) -> Assignments {
        let steps = self.phases.iter().flat_map(|(_, phase)| &phase.steps);
        steps
            .filter_map(|step| match step {
                Step::SyncColumns(sync) if sync.table == *table => Some(sync.backward.clone()),
                _ => None,
            })
            .next()
            .unwrap_or_default()
    }

    fn key_of(&self, table: &TableName) -> Vec<Ident> {
        self.table(table)
            .map(|table| table.key.clone())
            .unwrap_or_default()
    }

    fn sync(&mut self, path: &Path, step: &SyncColumns) -> Option<Sync> {
        let forward = self.assignments(&path.key("forward"), &step.table, &step.forward);
        let backward = self.assignments(&path.key("backward"), &step.table, &step.backward);
        let (forward, backward) = (forward?, backward?);
        if forward.is_empty() {
            self.problem(PlanError::at(
                path.key("forward"),
                "`forward` names no column",
            ));
        }
        for assignment in forward.iter().chain(&backward) {
            self.claim(&step.table, &assignment.target.name);
        }
        let targets: BTreeSet<&Ident> = forward.iter().map(|a| &a.target.name).collect();
        if let Some(both) = backward.iter().find(|a| targets.contains(&a.target.name)) {
            self.problem(PlanError::at(
                path.key("backward"),
                format!("{} is on both sides", both.target.name),
            ));
        }
        let targets: BTreeSet<Ident> = targets.into_iter().cloned().collect();
        Some(Sync {
            table: step.table.clone(),
            forward,
            backward,
            on_unconvertible: step.on_unconvertible,
            key: self.key_of(&step.table),
            old_defaults: self.defaults_besides(&step.table, &targets),
        })
    }

    /// The plan adds the column, and one of that name is there.
    fn is_in_the_way(&self, table: &TableName, column: &Ident) -> bool {
        let is_there = self
            .table(table)
            .is_some_and(|table| table.column(column).is_some());
        let mut steps = self.phases.iter().flat_map(|(_, phase)| &phase.steps);
        is_there
            && steps.any(|step| {
                matches!(step, Step::AddColumn(step) if step.table == *table && step.column == *column)
            })
    }

    fn assignments(
        &mut self,
        path: &Path,
        table: &TableName,
        assignments: &Assignments,
    ) -> Option<Vec<Assignment>> {
        let compiled: Vec<Option<Assignment>> = assignments
            .iter()
            .map(|(target, expression)| {
                let place = if self.document.change.is_some() {
                    self.recipe_place(path, expression)
                } else {
                    path.key(&target.to_string())
                };
                self.assignment(&place, table, target, expression)
            })
            .collect();
        compiled.into_iter().collect()
    }

    /// A recipe's expression stands under the key of its direction, not in a step's map.
    fn recipe_place(&self, path: &Path, expression: &Expression) -> Path {
        use super::recipes::Recipe;
        let at = Path::root().key("change");
        match &self.document.change {
            Some(Recipe::ChangeColumnType(recipe)) => {
                let at = at.key("change_column_type");
                if recipe.forward.as_ref() == Some(expression) {
                    at.key("forward")
                } else if recipe.backward.as_ref() == Some(expression) {
                    at.key("backward")
                } else {
                    at.key("type")
                }
            }
            Some(recipe) => at.key(recipe.name()),
            None => path.clone(),
        }
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
        let help = if self.document.change.is_some() {
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
        let wanted = key(table, &target.name, expression, &self.added, self.facts);
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
            expression: expression.clone(),
            reads,
            conversion,
        })
    }
}

/// The target's type in the source's spelling where both mean the same.
fn target_type(target: &ColumnRef, source: &ColumnRef) -> String {
    if types::same(&target.type_name, &source.type_name) {
        source.type_name.clone()
    } else {
        target.type_name.clone()
    }
}

fn push_conditions(gate: &Gate, conditions: &mut Vec<Condition>) {
    conditions.extend(gate.approvals.map(Condition::Approvals));
    conditions.extend(gate.bake.map(Condition::Bake));
    conditions.extend(gate.old_writes_quiet.map(Condition::OldWritesQuiet));
    conditions.extend(gate.verified_within.map(Condition::VerifiedWithin));
    conditions.extend(gate.query.clone().map(Condition::Query));
}
