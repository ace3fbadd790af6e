//! What the rules of `analysis` find in the plan's own statements, and what its author allows.

use super::{Placed, explicit};
use crate::{
    document::Document,
    explain::known,
    facts::Facts,
    search_path::SearchPath,
    steps::{Sorted, Step},
};
use crossfade_model::error::{Path, PlanError};
use crossfade_sql::{self, Context, Finding, name::Name, rules};

/// Whether a rule is broken, and whether what is allowed is a rule and has a reason. Without facts it is taken for broken
/// where only a look at the table could say that it is not.
pub(super) fn errors(document: &Document, facts: &Facts) -> Vec<PlanError> {
    let mut errors = wrong_allowances(document);
    // A recipe that cannot be told without a database has no statements of the author's.
    let phases = explicit(document, facts).unwrap_or_default();
    let found = found(document, &phases, facts);
    errors.extend(found.into_iter().filter(PlanError::is_error));
    errors
}

/// The rest: what does not keep the plan from being run.
pub(super) fn warnings(document: &Document, phases: &[Placed], facts: &Facts) -> Vec<PlanError> {
    let mut warnings = found(document, phases, facts);
    warnings.retain(|found| !found.is_error());
    warnings.extend(idle_allowances(document, phases, facts));
    warnings
}

fn found(document: &Document, phases: &[Placed], facts: &Facts) -> Vec<PlanError> {
    let mut found = Vec::new();
    each_script(document, phases, facts, |path, text, context| {
        let lines = text.trim_end().lines().count();
        let findings = crossfade_sql::lint(text, context).into_iter();
        found.extend(findings.map(|finding| problem(path, finding, lines)));
    });
    found
}

/// Every text of SQL with its place and what is known beside it.
fn each_script(
    document: &Document,
    phases: &[Placed],
    facts: &Facts,
    mut take: impl FnMut(&Path, &str, &Context),
) {
    let mut context = Context {
        // Every statement of a plan is run with them.
        timeouts_set: true,
        allowed: document.allow.clone(),
        catalog: known::catalog(facts),
        search_path: facts.search_path.iter().flat_map(schemas).collect(),
        ..Context::default()
    };
    for placed in phases {
        for (path, step) in placed.placed_steps() {
            if let Sorted::Ddl(ddl) = step.sorted()
                && let Some(table) = ddl.ddl().creates()
            {
                context.new_tables.push(Name {
                    schema: Some(table.schema.as_str().to_owned()),
                    name: table.name.as_str().to_owned(),
                });
            }
            let Step::Sql(sql) = step else { continue };
            context.in_transaction = sql.transaction;
            take(&path.key("forward"), &sql.forward, &context);
            if let Some(reverse) = &sql.reverse {
                take(&path.key("reverse"), reverse, &going_back(&context));
            }
        }
    }
}

fn schemas(path: &SearchPath) -> impl Iterator<Item = String> {
    let schemas = path.schemas.iter();
    schemas.map(|schema| schema.as_str().to_owned())
}

/// To take away what `forward` has added is what a reverse is for.
fn going_back(context: &Context) -> Context {
    let mut context = context.clone();
    for name in rules::GOING_BACK {
        let reason = "it undoes its step".to_owned();
        context.allowed.entry(name.to_owned()).or_insert(reason);
    }
    context
}

fn problem(path: &Path, finding: Finding, lines: usize) -> PlanError {
    let line = if lines > 1 {
        format!(", line {}", finding.line)
    } else {
        String::new()
    };
    let is_error = finding.is_error();
    let error = PlanError::at(
        path.clone(),
        format!("{} ({}{line})", finding.message, finding.rule),
    )
    .help(format!(
        "{}; if it is meant so, say why at the top of the plan: `allow: {{{}: …}}`",
        finding.help, finding.rule
    ))
    .found_by(finding.rule);
    if is_error { error } else { error.warning() }
}

fn wrong_allowances(document: &Document) -> Vec<PlanError> {
    let at = Path::root().key("allow");
    let wrong = |(name, reason): (&String, &String)| {
        if rules::rule(name).is_none() {
            let names: Vec<&str> = rules::RULES.iter().map(|rule| rule.name).collect();
            let message = format!("there is no rule {}", crossfade_model::error::quoted(name));
            let help = format!("the rules are {}", names.join(", "));
            return Some(PlanError::at(at.key(name), message).on_key().help(help));
        }
        reason.trim().is_empty().then(|| {
            PlanError::at(at.key(name), "a reason is missing").help("say why it is safe here")
        })
    };
    document.allow.iter().filter_map(wrong).collect()
}

/// An allowance that nothing needs would hide what is written later.
fn idle_allowances(document: &Document, phases: &[Placed], facts: &Facts) -> Vec<PlanError> {
    let mut broken = Vec::new();
    each_script(document, phases, facts, |_, text, context| {
        let mut strict = context.clone();
        strict.allowed.clear();
        let findings = crossfade_sql::lint(text, &strict).into_iter();
        broken.extend(findings.map(|finding| finding.rule));
    });
    let idle = document
        .allow
        .keys()
        .filter(|name| !broken.contains(&name.as_str()));
    idle.map(|name| {
        let path = Path::root().key("allow").key(name);
        PlanError::at(path, format!("nothing in the plan breaks the rule {name}"))
            .on_key()
            .warning()
            .help("take it away")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use crate::read::read_document;
    use crossfade_model::error::PlanError;

    fn errors(script: &str, more: &str) -> Vec<(String, String)> {
        let text = format!(
            "version: 1\nname: own\n{more}phases:\n  - phase: sql\n    steps:\n      - sql: {{name: a, done_when: select true, irreversible: true, forward: {script}}}\n"
        );
        let errors: Vec<PlanError> = read_document(&text).err().unwrap_or_default();
        errors
            .into_iter()
            .map(|error| (error.path.to_string(), error.message))
            .collect()
    }

    #[test]
    fn a_rule_that_is_broken_is_an_error_with_its_place() {
        let found = errors("'CREATE INDEX i ON s.t (a)'", "");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "phases[0].steps[0].sql.forward");
        assert!(found[0].1.ends_with("(index-not-concurrent)"), "{found:?}");
        assert!(errors("'COMMENT ON TABLE s.t IS NULL'", "").is_empty());
    }

    #[test]
    fn what_is_allowed_is_not_and_what_is_no_rule_is_told() {
        let allow = "allow: {index-not-concurrent: ten rows}\n";
        assert!(errors("'CREATE INDEX i ON s.t (a)'", allow).is_empty());
        let found = errors(
            "'SELECT 1'",
            "allow: {index-not-konkurrent: x, truncate: ' '}\n",
        );
        assert_eq!(found[0].0, "allow.index-not-konkurrent");
        assert_eq!(
            found[1],
            (
                "allow.truncate".to_owned(),
                "a reason is missing".to_owned()
            )
        );
    }
}
