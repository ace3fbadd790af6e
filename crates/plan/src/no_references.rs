//! The words of the gate `no_references`: for how long, and what may go on naming the column.

use super::span::Span;
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{collections::BTreeMap, fmt};

/// `24h`, or `{quiet: 24h, allow: {"function public.report()": "is dropped with the next release"}}`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoReferences {
    pub quiet: Span,
    /// Objects, as the gate shows them, that may name the column, each with the reason why.
    pub allow: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    quiet: Span,
    allow: BTreeMap<String, String>,
}

impl Serialize for NoReferences {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.allow.is_empty() {
            return self.quiet.serialize(serializer);
        }
        let words = Words {
            quiet: self.quiet,
            allow: self.allow.clone(),
        };
        words.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NoReferences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EitherForm;
        impl<'de> Visitor<'de> for EitherForm {
            type Value = NoReferences;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as 24h, or {quiet: 24h, allow: {…}}")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<NoReferences, E> {
                let quiet = text.parse().map_err(E::custom)?;
                let allow = BTreeMap::new();
                Ok(NoReferences { quiet, allow })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NoReferences, A::Error> {
                let words = Words::deserialize(MapAccessDeserializer::new(map))?;
                if let Some((object, _)) = words.allow.iter().find(|(_, why)| why.trim().is_empty())
                {
                    return Err(serde::de::Error::custom(format!(
                        "`{object}` is allowed without a reason"
                    )));
                }
                let (quiet, allow) = (words.quiet, words.allow);
                Ok(NoReferences { quiet, allow })
            }
        }
        deserializer.deserialize_any(EitherForm)
    }
}

#[cfg(test)]
mod tests {
    use super::NoReferences;

    #[test]
    fn both_forms_are_read_and_written_back() {
        for yaml in [
            "1d",
            "{quiet: 1d, allow: {view public.v: is dropped tomorrow}}",
        ] {
            let read: NoReferences = serde_yaml::from_str(yaml).unwrap();
            let written = serde_yaml::to_string(&read).unwrap();
            assert_eq!(
                serde_yaml::from_str::<NoReferences>(&written).unwrap(),
                read
            );
            assert_eq!(read.allow.len(), usize::from(yaml != "1d"));
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for (yaml, expected) in [
            ("1 fortnight", "not a length of time"),
            ("[1d]", "a length of time such as 24h, or"),
            (
                "{quiet: 1d, allow: {view public.v: ''}}",
                "without a reason",
            ),
            ("{quiet: 1d, allowed: {}}", "unknown field `allowed`"),
        ] {
            let error = serde_yaml::from_str::<NoReferences>(yaml)
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{yaml}: {error}");
        }
    }
}
