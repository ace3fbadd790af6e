//! Annotations as a GitHub workflow reads them from its log. Source: GitHub's documentation, "Workflow commands".

use super::problem::Problem;

pub fn annotations(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| {
            format!(
                "::{} file={},line={},col={},title={}::{}\n",
                problem.severity,
                property(&problem.file),
                problem.line,
                problem.column,
                property(problem.rule),
                data(&problem.words())
            )
        })
        .collect()
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossfade_model::error::Severity;

    #[test]
    fn what_a_file_is_called_cannot_end_the_annotation() {
        let problem = Problem {
            file: "a,b::c\n.sql".to_owned(),
            line: 3,
            column: 5,
            rule: "truncate",
            severity: Severity::Error,
            message: "100 % gone".to_owned(),
            help: "do not".to_owned(),
        };
        assert_eq!(
            annotations(&[problem]),
            "::error file=a%2Cb%3A%3Ac%0A.sql,line=3,col=5,title=truncate::100 %25 gone%0Ahelp: do not\n"
        );
    }
}
