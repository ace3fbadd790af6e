//! A plan as a pull request shows it: a table of its phases first, then each with its statements folded away.

use super::{effects, summary};
use crossfade_plan::explain::{ExplainedPhase, ExplainedStep, Explanation};
use std::fmt::Write as _;

pub fn document(explanation: &Explanation) -> String {
    let mut text = format!("## {}\n\n", inline(&explanation.name));
    if let Some(description) = &explanation.description {
        let _ = writeln!(text, "{}\n", inline(description));
    }
    text.push_str("| phase | takes | blocks | back |\n|---|---|---|---|\n");
    for phase in &explanation.phases {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            phase.phase,
            cell(phase, "takes"),
            cell(phase, "blocks"),
            cell(phase, "back")
        );
    }
    for phase in &explanation.phases {
        of_phase(phase, &mut text);
    }
    text.push_str("\n### Notes\n\n");
    for note in &explanation.notes {
        let _ = writeln!(text, "- {}", inline(note));
    }
    text
}

/// All that the summary says under this word.
fn cell(phase: &ExplainedPhase, word: &str) -> String {
    let lines = summary(phase);
    let said: Vec<String> = lines
        .iter()
        .filter(|(what, _)| *what == word)
        .map(|(_, words)| inline(words))
        .collect();
    if said.is_empty() {
        "–".to_owned()
    } else {
        said.join("<br>")
    }
}

fn of_phase(phase: &ExplainedPhase, text: &mut String) {
    let _ = writeln!(text, "\n### {}\n\n{}", phase.phase, cell(phase, "does"));
    for condition in &phase.gate {
        let _ = writeln!(text, "\n- gate: {}", inline(condition));
    }
    if phase.steps.is_empty() {
        return;
    }
    let together = if phase.one_transaction {
        ", in one transaction"
    } else {
        ""
    };
    let _ = writeln!(text, "\n<details><summary>Statements{together}</summary>");
    for step in &phase.steps {
        of_step(step, text);
    }
    text.push_str("\n</details>\n");
}

fn of_step(step: &ExplainedStep, text: &mut String) {
    let _ = writeln!(text, "\n**{}**", inline(&step.step));
    if let Some(note) = &step.note {
        let _ = writeln!(text, "\n{}", inline(note));
    }
    for statement in &step.statements {
        let _ = writeln!(text, "\n{}", code(&statement.sql));
        for effect in effects(statement) {
            let _ = writeln!(text, "- {}", inline(&effect));
        }
    }
    match &step.undo {
        None => text.push_str("\nCannot be undone.\n"),
        Some(undo) if undo.is_empty() => {}
        Some(undo) => {
            let _ = writeln!(text, "\nUndo:\n\n{}", code(&undo.join(";\n")));
        }
    }
    for cost in &step.undo_costs {
        let _ = writeln!(text, "- {}", inline(cost));
    }
}

/// A fence that the text cannot close.
fn code(sql: &str) -> String {
    let longest = sql
        .split(|letter| letter != '`')
        .map(str::len)
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}sql\n{}\n{fence}", sql.trim_end())
}

/// Names from a plan or a database are text, not markup.
fn inline(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => {
                safe.push('\\');
                safe.push(letter);
            }
            '\n' | '\r' => safe.push(' '),
            _ => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plan_says_is_not_markup() {
        assert_eq!(inline("a|b <script>\n_c_"), "a\\|b &lt;script> \\_c\\_");
        assert_eq!(code("SELECT '```'"), "````sql\nSELECT '```'\n````");
        assert_eq!(code("SELECT 1\n"), "```sql\nSELECT 1\n```");
    }
}
