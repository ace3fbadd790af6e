//! Text with secrets in it that are elsewhere: `${NAME}` is a variable of the environment, `${file:/run/secrets/name}` a file.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::{borrow::Cow, fmt};

/// A file of secrets is not longer.
const FILE_BYTES_MAX: u64 = 65_536;

#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Template(String);

/// What stands in it may be a secret itself.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template(…)")
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Text. `${NAME}` stands for a variable of the environment, `${file:PATH}` for what a file contains."
        })
    }
}

impl Template {
    /// Errors name what is missing. They contain nothing of what was found.
    pub fn resolve(&self, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
        let mut resolved = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            resolved.push_str(before);
            let (name, after) = after
                .split_once('}')
                .ok_or_else(|| "a `${` is not closed by `}`".to_owned())?;
            resolved.push_str(&found(name, environment)?);
            rest = after;
        }
        resolved.push_str(rest);
        Ok(resolved)
    }
}

fn found(name: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let Some(path) = name.strip_prefix("file:") else {
        return environment(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("the environment variable {name} is not set"));
    };
    let long = || format!("{path} has more than {FILE_BYTES_MAX} bytes");
    let size = std::fs::metadata(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    if size.len() > FILE_BYTES_MAX {
        return Err(long());
    }
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(format!("{path} is empty")),
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn resolve(text: &str) -> Result<String, String> {
        let environment = |name: &str| match name {
            "HOST" => Some("127.0.0.1".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        Template(text.to_owned()).resolve(&environment)
    }

    #[test]
    fn variables_and_files_take_the_place_of_their_names() {
        let path = std::env::temp_dir().join(format!("crossfade-template-{}", std::process::id()));
        let mut file = std::fs::File::create(&path).unwrap();
        writeln!(file, "s3cret").unwrap();
        let text = format!("https://${{HOST}}/${{file:{}}}?a=${{HOST}}", path.display());
        assert_eq!(
            resolve(&text).unwrap(),
            "https://127.0.0.1/s3cret?a=127.0.0.1"
        );
        std::fs::remove_file(&path).unwrap();
        assert_eq!(resolve("nothing $HOST").unwrap(), "nothing $HOST");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, words) in [
            ("${NONE}", "NONE is not set"),
            ("${EMPTY}", "EMPTY is not set"),
            ("${HOST", "not closed"),
            ("${file:/nonexistent/x}", "cannot read /nonexistent/x"),
        ] {
            assert!(resolve(text).unwrap_err().contains(words), "{text}");
        }
    }
}
