//! The plan language as a JSON Schema, made from the types that plans are decoded into, and a page about it from the same.

mod page;

use super::{
    columns::Columns,
    document::{Document, Expression, RunName, VerifyEvery, Version},
    endpoint::{Endpoint, EndpointWords},
    no_references::{self, NoReferences},
    pacing::{Bytes, HttpProbe, HttpProbeWords, Limit, LimitWords, NumberQuery, NumberQueryWords},
    recipes::Recipe,
    span::Span,
    window::{ClockTime, Window, WindowWords, Zone},
};
pub use page::page;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::{borrow::Cow, marker::PhantomData};

/// The schema of a plan. What it accepts may still be refused: names and types are known only with a database.
pub fn schema() -> Value {
    let mut schema = SchemaGenerator::default()
        .into_root_schema_for::<Document>()
        .to_value();
    describe_recipes(&mut schema["$defs"]["Recipe"]);
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!("Crossfade plan"));
        root.insert(
            "oneOf".to_owned(),
            json!([
                {"required": ["change"]},
                {"required": ["changes"]},
                {"required": ["phases"]},
            ]),
        );
    }
    schema
}

/// What `crossfade new` says of each.
fn describe_recipes(recipes: &mut Value) {
    let choices = recipes["oneOf"].as_array_mut().into_iter().flatten();
    for choice in choices {
        let known = Recipe::ALL
            .iter()
            .find(|recipe| choice["properties"].get(recipe.name).is_some());
        if let Some(recipe) = known {
            choice["description"] = json!(format!("{}.", sentence(recipe.about)));
        }
    }
}

fn sentence(about: &str) -> String {
    let mut letters = about.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// Types that are text with rules of their own.
macro_rules! texts {
    ($($type:ty, $name:literal, $schema:tt;)*) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        })*
    };
}

texts! {
    Version, "Version", {
        "description": "The version of the plan language. There is only this one.",
        "const": 1
    };
    RunName, "RunName", {
        "description": "The name of the run: 1 to 40 characters of a-z, 0-9, `-` and `_`, beginning with a letter or a digit.",
        "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,39}$"
    };
    Expression, "Expression", {
        "description": "An SQL expression over the columns of one table: `upper(status)`.",
        "type": "string", "minLength": 1
    };
    VerifyEvery, "VerifyEvery", {
        "description": "A length of time of at least a minute, or `off`.",
        "type": "string", "minLength": 1
    };
    Span, "Duration", {
        "description": "A length of time: `100ms`, `30s`, `15m`, `48h`, `7d`, `1h 30m`.",
        "type": "string", "pattern": "^\\s*(\\d+\\s*(w|d|h|m|s|ms)\\s*)+$"
    };
    Bytes, "Bytes", {
        "description": "An amount of bytes, in powers of 1024: `64MB`, `10GB`.",
        "type": "string", "minLength": 1
    };
    ClockTime, "TimeOfDay", {
        "description": "A time of day: `22:00`.",
        "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"
    };
    Zone, "TimeZone", {
        "description": "A time zone of the IANA database: `Europe/Berlin`, `UTC`.",
        "type": "string", "minLength": 1
    };
}

/// Types that are decoded by way of another, which has their words.
macro_rules! worded {
    ($($type:ty, $name:literal, $words:ty;)*) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                <$words>::json_schema(generator)
            }
        })*
    };
}

worded! {
    Window, "Window", WindowWords;
    Endpoint, "Endpoint", EndpointWords;
    NumberQuery, "NumberQuery", NumberQueryWords;
    HttpProbe, "HttpProbe", HttpProbeWords;
    Limit<Span>, "LimitOfTime", LimitWords<Span>;
    Limit<Bytes>, "LimitOfBytes", LimitWords<Bytes>;
    Limit<u64>, "LimitOfCount", LimitWords<u64>;
}

/// A signal of the pacing: its limits, or `off`. Only its schema is wanted.
pub struct OrOff<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for OrOff<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrOff", T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let limits = generator.subschema_for::<T>();
        json_schema!({"anyOf": [{"enum": ["off", null]}, limits]})
    }
}

impl JsonSchema for Columns {
    fn schema_name() -> Cow<'static, str> {
        "Columns".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = generator.subschema_for::<Vec<crossfade_model::ident::Ident>>();
        json_schema!({
            "description": "Columns, as a list or as one text separated by commas.",
            "anyOf": [names, {"type": "string", "minLength": 1}]
        })
    }
}

impl JsonSchema for NoReferences {
    fn schema_name() -> Cow<'static, str> {
        "NoReferences".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let quiet = generator.subschema_for::<Span>();
        let words = generator.subschema_for::<no_references::Words>();
        json_schema!({
            "description": "For how long nothing may have used the column; optionally with what may keep using it.",
            "anyOf": [quiet, words]
        })
    }
}
