//! The report as code scanning reads it: SARIF 2.1.0.

use super::problem::{OF_PLANS, Problem};
use crossfade_sql::rules::{RULES, allowance};
use serde_json::{Value, json};

pub fn report(problems: &[Problem]) -> Value {
    json!({
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{
            "tool": {"driver": {"name": "crossfade", "version": env!("CARGO_PKG_VERSION"), "rules": rules()}},
            "columnKind": "unicodeCodePoints",
            "results": problems.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rules() -> Vec<Value> {
    let others = [
        (allowance::NAME, "an allowance is wrong, or allows nothing"),
        (OF_PLANS, "a plan is wrong"),
    ];
    let named = RULES
        .iter()
        .map(|rule| (rule.name, rule.summary))
        .chain(others);
    named
        .map(|(name, summary)| json!({"id": name, "shortDescription": {"text": summary}}))
        .collect()
}

fn result(problem: &Problem) -> Value {
    json!({
        "ruleId": problem.rule,
        "level": problem.severity,
        "message": {"text": problem.words()},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&problem.file)},
            "region": {"startLine": problem.line, "startColumn": problem.column},
        }}],
    })
}

/// A path as a relative reference: what is no plain character of a path is written as its bytes.
fn uri(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossfade_model::error::Severity;

    #[test]
    fn every_result_has_its_rule_and_its_place() {
        let problem = Problem {
            file: "db/é 1.sql".to_owned(),
            line: 2,
            column: 7,
            rule: "truncate",
            severity: Severity::Warning,
            message: "m".to_owned(),
            help: String::new(),
        };
        let report = report(&[problem]);
        let run = &report["runs"][0];
        let result = &run["results"][0];
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(
            (&result["level"], &result["ruleId"]),
            (&json!("warning"), &json!("truncate"))
        );
        assert_eq!(place["artifactLocation"]["uri"], "db/%C3%A9%201.sql");
        assert_eq!(place["region"], json!({"startLine": 2, "startColumn": 7}));
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));
    }
}
