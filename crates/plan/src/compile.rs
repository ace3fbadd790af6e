//! `(document, facts) -> Plan | errors`: pure, and every error of a plan at once.

mod analysis;
mod assignments;
mod batch_triggers;
mod database_checks;
mod expressions;
mod gates;
mod groups;
mod identity;
mod index_keys;
mod links;
mod names;
mod partitions;
mod products;
mod references;
mod row_values;
mod sides;
mod structure;
mod triggers;
mod unique;

use super::{
    changes, claims,
    compiled::{Action, ColumnRef, Phase, Plan, PlannedStep, sha256},
    document::{Document, PhaseDocument, PhaseName},
    facts::{ExpressionFacts, Facts, Table},
    scripts,
    steps::{Ddl, DdlStep, Sorted, Step, Undo, add_column::AddColumn},
    types as type_names,
};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};
use expressions::{Added, added_columns, canonical, changed_tables, type_of};
pub use expressions::{equalities, expressions, tables, types};
pub use gates::plain_conditions;
pub use index_keys::indexed_keys;
pub use names::new_names;
pub use references::reference_types;
use std::collections::BTreeSet;
pub use structure::not_by_itself;
pub use structure::{check_form, check_structure};

/// A phase of the explicit form, and where its author's words stand.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Of the phase, or of the recipe that it comes from.
    pub at: Path,
    pub phase: PhaseDocument,
    /// Of its steps, one by one; a recipe's steps stand where the recipe does.
    pub steps: Vec<Path>,
}

impl Placed {
    fn written(number: usize, phase: &PhaseDocument) -> Self {
        let at = Path::root().key("phases").index(number);
        let steps = phase.steps.iter().enumerate();
        let steps = steps.map(|(number, step)| at.key("steps").index(number).key(step.kind()));
        Self {
            steps: steps.collect(),
            phase: phase.clone(),
            at,
        }
    }

    /// A phase of one recipe.
    fn of_recipe(at: &Path, phase: PhaseDocument) -> Self {
        Self {
            at: at.clone(),
            steps: vec![at.clone(); phase.steps.len()],
            phase,
        }
    }

    /// The steps with their places.
    pub fn placed_steps(&self) -> impl Iterator<Item = (&Path, &Step)> {
        self.steps.iter().zip(&self.phase.steps)
    }
}

/// The explicit phases, whichever form the document has, each with its place in the document.
pub fn explicit(document: &Document, facts: &Facts) -> Result<Vec<Placed>, Vec<PlanError>> {
    let both = |one: &str, other: &str, help: &str| {
        let message = format!("a plan has either `{one}` or `{other}`, not both");
        let error = PlanError::at(Path::root().key(other), message);
        Err(vec![error.on_key().help(help)])
    };
    const LEAVE_OUT: &str = "leave one of them out; `crossfade expand` turns a change into phases";
    match (&document.change, &document.changes, &document.phases) {
        (Some(_), Some(_), _) => both("change", "changes", "make it one of the list"),
        (Some(_), None, Some(_)) => both("change", "phases", LEAVE_OUT),
        (None, Some(_), Some(_)) => both("changes", "phases", LEAVE_OUT),
        (None, None, None) => Err(vec![
            PlanError::at(
                Path::root(),
                "the plan has neither `change` nor `phases`, and no list of `changes`",
            )
            .help("say what to do with `change: {rename_column: {table: …, from: …, to: …}}`"),
        ]),
        (Some(recipe), None, None) => {
            let at = Path::root().key("change");
            let phases = recipe.phases(facts, &at)?;
            let at = at.key(recipe.name());
            let phases = phases.into_iter();
            Ok(phases.map(|phase| Placed::of_recipe(&at, phase)).collect())
        }
        (None, Some(recipes), None) => changes::phases(recipes, facts),
        (None, None, Some(phases)) => {
            let phases = phases.iter().enumerate();
            Ok(phases
                .map(|(number, phase)| Placed::written(number, phase))
                .collect())
        }
    }
}

/// A name of the document's explicit form: a recipe has the one of the phases that it makes of these tables. It is noted with a run, as
/// the phases cannot be computed again from tables that the run has changed. `None`: they cannot be computed.
pub fn form(document: &Document, facts: &Facts) -> Option<String> {
    let phases = explicit(document, facts).ok()?;
    let explicit = Document {
        change: None,
        changes: None,
        phases: Some(phases.into_iter().map(|placed| placed.phase).collect()),
        ..document.meaning()
    };
    sha256(&explicit).ok()
}

/// The whole compilation. Warnings come with the plan; errors instead of it.
pub fn compile(
    document: &Document,
    facts: &Facts,
) -> Result<(Plan, Vec<PlanError>), Vec<PlanError>> {
    let structure = structure::check_form(document);
    if !structure.is_empty() {
        return Err(structure);
    }
    let phases = explicit(document, facts)?;
    let broken = analysis::errors(document, facts);
    if !broken.is_empty() {
        return Err(broken);
    }
    let gateless = structure::check_gates(document, &phases);
    if !gateless.is_empty() {
        return Err(gateless);
    }
    let mut compiler = Compiler {
        document,
        facts,
        added: added_columns(&phases, facts),
        phases: &phases,
        problems: Vec::new(),
        claims: BTreeSet::new(),
    };
    for table in changed_tables(document, facts) {
        if !compiler.is_created(&table) {
            compiler.check_table(&table);
        }
    }
    compiler.check_sequence();
    compiler.check_filled_together();
    compiler.check_own_of_partitions();
    compiler.check_conditions();
    compiler.check_names();
    compiler.warn_of_paths();
    let compiled: Vec<Phase> = phases.iter().map(|placed| compiler.phase(placed)).collect();
    compiler
        .problems
        .extend(analysis::warnings(document, &phases, facts));
    compiler.warn_of_dependents();
    compiler.warn_of_what_goes_along();
    let triggers_begin = compiler.triggers_begin();
    let foreseen = compiler.foreseen();
    let successions = compiler.successions(&compiled);
    let (errors, warnings): (Vec<_>, Vec<_>) =
        compiler.problems.into_iter().partition(PlanError::is_error);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut plan = Plan {
        name: document.name.clone(),
        session: session(facts),
        search_path: facts.search_path.clone(),
        description: document.description.clone(),
        settings: document.settings.clone(),
        claims: compiler.claims.into_iter().collect(),
        reads: Vec::new(),
        foreseen,
        successions,
        triggers_begin,
        phases: compiled,
    };
    plan.reads = claims::reads(&plan, facts);
    let irreversible = check_reversible(&phases, &plan);
    if !irreversible.is_empty() {
        return Err(irreversible);
    }
    Ok((plan, warnings))
}

/// What every plan pins, and what its conversions depend on besides.
fn session(facts: &Facts) -> Vec<(String, String)> {
    let expressions = facts.expressions.values().flatten();
    let needed: BTreeSet<&str> = expressions.flat_map(ExpressionFacts::settings).collect();
    let locale = facts.locale.iter();
    let more = locale.filter(|(name, _)| needed.contains(name.as_str()));
    let more = more.map(|(name, value)| (name.clone(), value.clone()));
    facts.session.iter().cloned().chain(more).collect()
}

/// The statements of a plan's DDL, forth and back, each with the place of its step in the document.
pub fn statements(document: &Document, facts: &Facts, plan: &Plan) -> Vec<(Path, String)> {
    let phases = explicit(document, facts).unwrap_or_default();
    let mut statements = Vec::new();
    for (placed, phase) in phases.iter().zip(&plan.phases) {
        for (path, step) in placed.steps.iter().zip(&phase.steps) {
            let Action::Ddl(ddl) = &step.action else {
                continue;
            };
            let mut parts = ddl.ddl().parts(plan);
            if let Undo::Parts(more) = ddl.ddl().undo(plan) {
                parts.extend(more);
            }
            let own = parts.into_iter().flat_map(|part| part.statements);
            statements.extend(own.map(|statement| (path.clone(), statement.sql)));
        }
    }
    statements
}

/// What cannot be taken back stands in `contract`, or its author has said that it may not be.
fn check_reversible(phases: &[Placed], plan: &Plan) -> Vec<PlanError> {
    let mut errors = Vec::new();
    for (placed, phase) in phases.iter().zip(&plan.phases) {
        if phase.name == PhaseName::Contract {
            continue;
        }
        for (path, step) in placed.steps.iter().zip(&phase.steps) {
            let acknowledged = match &step.action {
                Action::Ddl(step) => step.ddl().irreversible(),
                Action::SyncColumns(_)
                | Action::SyncTables(_)
                | Action::Fill(_)
                | Action::Match(_)
                | Action::Query(_) => true,
            };
            if !acknowledged && step.action.undo(plan) == Undo::Irreversible {
                errors.push(
                    PlanError::at(path.clone(), format!("{} cannot be taken back", step.id))
                        .on_key()
                        .help(
                            "say `irreversible: true` if it may stay whatever becomes of the rest",
                        ),
                );
            }
        }
    }
    errors
}

/// They are in no list of columns, and no other column can have their names.
const SYSTEM_COLUMNS: [&str; 6] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

struct Compiler<'a> {
    document: &'a Document,
    facts: &'a Facts,
    added: Added,
    phases: &'a [Placed],
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
            .flat_map(Placed::placed_steps)
            .find(|(_, step)| step.tables().contains(&table))
            .map_or(Path::root(), |(at, _)| at.key("table"))
    }

    /// The steps of all phases.
    fn steps(&self) -> impl Iterator<Item = &'a Step> + use<'a> {
        let phases: &'a [Placed] = self.phases;
        phases.iter().flat_map(|placed| &placed.phase.steps)
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

    fn phase(&mut self, placed: &Placed) -> Phase {
        let (at, phase) = (&placed.at, &placed.phase);
        let steps = placed
            .placed_steps()
            .filter_map(|(path, step)| {
                if let Step::Sql(sql) = step {
                    self.check_script(path, sql);
                    self.claims.extend(scripts::changed(sql, self.facts));
                }
                if let Step::AddConstraint(constraint) = step {
                    self.check_fits(path, constraint, phase.phase);
                    self.check_reference(path, constraint, phase.phase);
                }
                if let Step::CreateIndex(index) = step {
                    self.check_index_fits(path, index, phase.phase);
                    self.check_keys_fit(path, index, phase.phase);
                }
                self.check_takes_identity(path, step);
                let action = self.action(path, step)?;
                Some(PlannedStep {
                    id: step.id(),
                    action,
                })
            })
            .collect();
        Phase {
            name: phase.phase,
            auto: self.is_auto(phase),
            gate: self.gate(at, phase),
            steps,
        }
    }

    /// The plan makes the table itself.
    fn is_created(&self, table: &TableName) -> bool {
        let mut steps = self.steps();
        steps.any(|step| match step.sorted() {
            Sorted::Ddl(step) => step.ddl().creates() == Some(table),
            Sorted::SyncColumns(_)
            | Sorted::SyncTables(_)
            | Sorted::Fill(_)
            | Sorted::Match(_)
            | Sorted::Query(_) => false,
        })
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
                .filter(|column| type_names::same(&column.type_name, &type_name))
                .all(|column| column.exact);
            return Some(ColumnRef {
                name: column.clone(),
                exact: exact && type_names::is_exact(&type_name),
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
        Some(match step.sorted() {
            Sorted::Ddl(step) => Action::Ddl(self.ddl(path, *step)?),
            Sorted::SyncColumns(step) => Action::SyncColumns(self.sync(path, step)?),
            Sorted::SyncTables(step) => Action::SyncTables(self.link(path, step)?),
            Sorted::Fill(step) => Action::Fill(self.fill(path, step)?),
            Sorted::Match(step) => Action::Match(self.matching(path, step)?),
            Sorted::Query(query) => Action::Query(query.clone()),
        })
    }

    fn ddl(&mut self, path: &Path, step: DdlStep) -> Option<DdlStep> {
        if let DdlStep::AddColumn(step) = &step {
            self.check_published(path, &step.table, &step.column, PhaseName::Expand);
            return Some(DdlStep::AddColumn(self.added_column(path, step)?));
        }
        if let DdlStep::RetireColumn(step) = &step {
            self.check_published(path, &step.table, &step.aside(), PhaseName::Retire);
        }
        if let DdlStep::AddEnumValue(step) = &step
            && let Some(Err(error)) = self.facts.types.get(&step.name.to_string())
        {
            let problem = PlanError::at(path.key("name"), error.message.clone());
            self.problem(problem.help("make it first: create_enum"));
        }
        self.check_columns(path, step.ddl())?;
        Some(match step {
            DdlStep::AlterColumnType(mut step) => {
                step.type_name = canonical(&step.type_name, self.facts);
                DdlStep::AlterColumnType(step)
            }
            other => other,
        })
    }

    /// `None`, and an error, where a column that the step needs is not there.
    fn check_columns(&mut self, path: &Path, step: &dyn Ddl) -> Option<()> {
        let Some(table) = step.tables().first().copied() else {
            return Some(());
        };
        for column in step.needs() {
            self.column(table, column, &path.key("column"))?;
        }
        for column in step.claims().into_iter().chain(step.needs()) {
            self.claim(table, column);
        }
        Some(())
    }

    fn added_column(&mut self, path: &Path, step: &AddColumn) -> Option<AddColumn> {
        if let Some(Err(error)) = self.facts.types.get(&step.type_name) {
            let problem = PlanError::at(path.key("type"), error.message.clone());
            let help = error.help.clone().unwrap_or_else(|| {
                "write the type as SQL does, with its schema where it is not PostgreSQL's own"
                    .to_owned()
            });
            self.problem(problem.help(help));
            return None;
        }
        let step = AddColumn {
            type_name: canonical(&step.type_name, self.facts),
            ..step.clone()
        };
        if SYSTEM_COLUMNS.contains(&step.column.as_str()) {
            let message = format!(
                "every table has a column {} of PostgreSQL's own",
                step.column
            );
            self.problem(PlanError::at(path.clone(), message).help("choose another name"));
        }
        let existing = self
            .table(&step.table)
            .and_then(|table| table.column(&step.column));
        if let Some(existing) = existing {
            let place = if self.document.is_explicit() {
                path.key("column")
            } else {
                path.clone()
            };
            let message = if type_names::same(&existing.type_name, &step.type_name) {
                format!("{} already has a column {}", step.table, step.column)
            } else {
                format!(
                    "{} already has a column {} of type {}, not {}",
                    step.table, step.column, existing.type_name, step.type_name
                )
            };
            let help = self.facts.taken(&step.table, &step.column);
            self.problem(PlanError::at(place, message).help(help));
        }
        self.check_columns(path, &step)?;
        Some(step)
    }

    /// The plan adds the column, and one of that name is there.
    fn is_in_the_way(&self, table: &TableName, column: &Ident) -> bool {
        let is_there = self
            .table(table)
            .is_some_and(|table| table.column(column).is_some());
        let mut steps = self.steps();
        is_there
            && steps.any(|step| {
                matches!(step, Step::AddColumn(step) if step.table == *table && step.column == *column)
            })
    }
}
