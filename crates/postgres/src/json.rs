//! JSON of the user's data, as PostgreSQL wrote it.

use serde_json::Value;
use std::{error::Error, fmt};
use tokio_postgres::types::{FromSql, Type};

/// A `jsonb` value as its text, which is never taken apart here: PostgreSQL's numbers have more digits, and larger
/// exponents, than those of Rust. It is sent back as `($1::text)::jsonb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(String);

/// A double tells so many significant digits apart from others.
const DIGITS_MAX: usize = 17;

impl JsonText {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For whoever looks at it: as a value where Rust has one that is the same, else as text.
    pub fn shown(&self) -> Value {
        match serde_json::from_str(&self.0) {
            Ok(value) if !has_long_number(&self.0) => value,
            _ => Value::String(self.0.clone()),
        }
    }
}

/// A number outside of strings that is no 64-bit integer and has more digits than a double.
fn has_long_number(json: &str) -> bool {
    let mut outside = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if in_string => {}
            _ => outside.push(c),
        }
    }
    outside
        .split(|c: char| !(c.is_ascii_digit() || ".+-eE".contains(c)))
        .any(|number| {
            let digits = number.chars().filter(char::is_ascii_digit).count();
            let is_integer = number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
            digits > DIGITS_MAX && !is_integer
        })
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'a> FromSql<'a> for JsonText {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        // A version, 1 to this day, and the text.
        let text = raw
            .strip_prefix(&[1])
            .ok_or("jsonb of a version that is not known")?;
        Ok(Self(std::str::from_utf8(text)?.to_owned()))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::JSONB
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_rust_has_no_number_for_is_shown_as_text() {
        let shown = |text: &str| JsonText(text.to_owned()).shown();
        assert_eq!(
            shown(r#"{"id": 9223372036854775807}"#),
            json!({"id": i64::MAX})
        );
        assert_eq!(
            shown(r#"{"a": 1.5, "b": "12345678901234567890.5"}"#)["a"],
            1.5
        );
        assert_eq!(
            shown(r#"{"b": "\"1234567890123456789012 "}"#)["b"],
            "\"1234567890123456789012 "
        );
        for text in [
            r#"{"id": 12345678901234567890.125}"#,
            r#"{"id": 123456789012345678901234}"#,
            r#"[52.520006599999999999]"#,
        ] {
            assert_eq!(shown(text), json!(text));
        }
        let large = format!("{{\"id\": 1{}}}", "0".repeat(309));
        assert_eq!(shown(&large), json!(large));
    }
}
