//! An OpenAPI document: whether answers are as it says, and requests that are made from it.

use reqwest::Method;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

pub struct Described {
    pub document: Value,
    validators: Mutex<BTreeMap<String, Arc<jsonschema::Validator>>>,
}

/// A method of a resource.
pub struct Operation<'a> {
    pub path: &'a str,
    pub method: Method,
    pub value: &'a Value,
}

const PROBLEM: &str = "#/components/schemas/Problem";

impl Described {
    /// Here, an answer has no field that is not described. For others the document leaves room for new ones.
    pub fn of(mut document: Value) -> Self {
        close(&mut document["components"]["schemas"]);
        Self {
            document,
            validators: Mutex::default(),
        }
    }

    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.document["paths"].as_object().expect("paths");
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods");
            methods.iter().map(move |(method, value)| Operation {
                path,
                method: method.to_uppercase().parse().expect("a method"),
                value,
            })
        })
    }

    pub fn validator(&self, schema: &Value) -> Arc<jsonschema::Validator> {
        let mut validators = self.validators.lock().unwrap();
        let validator = validators.entry(schema.to_string()).or_insert_with(|| {
            let whole = json!({"allOf": [schema], "components": self.document["components"]});
            Arc::new(jsonschema::draft202012::new(&whole).expect("a JSON Schema"))
        });
        Arc::clone(validator)
    }

    /// Panics if the document says otherwise of the answer.
    pub fn check(&self, method: &Method, path: &str, code: u16, answer: &Value) {
        let path = path.split('?').next().unwrap_or_default();
        let described = self
            .operations()
            .filter(|one| one.method == *method && fits(one.path, path))
            .min_by_key(|one| one.path.matches('{').count());
        let of_code = described.as_ref().and_then(|one| {
            one.value["responses"].get(code.to_string())?["content"].get("application/json")
        });
        let schema = match of_code {
            Some(content) => content["schema"].clone(),
            None => json!({"$ref": PROBLEM}),
        };
        let validator = self.validator(&schema);
        let errors: Vec<String> = validator
            .iter_errors(answer)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(
            errors.is_empty(),
            "{method} {path} {code}: {errors:?}: {answer}"
        );
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(at) => self
                .document
                .pointer(&at[1..])
                .expect("what is referred to"),
            None => schema,
        }
    }

    /// Values that the schema allows: one for each of its variants.
    pub fn examples(&self, schema: &Value) -> Vec<Value> {
        let schema = self.resolved(schema);
        for word in ["oneOf", "anyOf"] {
            if let Some(variants) = schema[word].as_array() {
                return variants.iter().flat_map(|one| self.examples(one)).collect();
            }
        }
        if let Some(only) = schema.get("const") {
            return vec![only.clone()];
        }
        if let Some(words) = schema["enum"].as_array() {
            return words.iter().take(1).cloned().collect();
        }
        let kind = schema["type"]
            .as_str()
            .or_else(|| schema["type"][0].as_str());
        let first = |schema: &Value| self.examples(schema).remove(0);
        let example = match kind {
            Some("object") => {
                let mut object = Map::new();
                for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                    object.insert(name.clone(), first(schema));
                }
                if schema["additionalProperties"].is_object() {
                    object.insert("workers".to_owned(), first(&schema["additionalProperties"]));
                }
                Value::Object(object)
            }
            Some("array") => json!([first(&schema["items"])]),
            Some("string") if schema["format"] == "date-time" => json!("2100-01-01T00:00:00Z"),
            Some("string") => json!("x"),
            Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
            Some("boolean") => json!(true),
            Some("null") => json!(null),
            other => panic!("an example of {other:?}: {schema}"),
        };
        vec![example]
    }
}

fn close(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut() {
        if object.get("properties").is_some_and(Value::is_object)
            && object.get("type").is_some_and(|kind| kind == "object")
        {
            let open = json!(false);
            object.entry("additionalProperties").or_insert(open);
        }
        object.values_mut().for_each(close);
    } else if let Some(list) = schema.as_array_mut() {
        list.iter_mut().for_each(close);
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (one, other) = (template.split('/'), path.split('/'));
    one.clone().count() == other.clone().count()
        && one
            .zip(other)
            .all(|(part, found)| part.starts_with('{') || part == found)
}

/// The value with one thing in it wrong, or perhaps not.
pub fn mutations(value: &Value) -> Vec<Value> {
    let mut all = vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(""),
        json!("a\u{0}b"),
        json!("\u{202e}x\n"),
        json!("x".repeat(5_000)),
        json!([]),
        json!([[1]]),
        json!({}),
        json!({"x": {"x": null}}),
    ];
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let mut without = fields.clone();
                without.remove(name);
                all.push(Value::Object(without));
                for wrong in mutations(field) {
                    let mut with = fields.clone();
                    with.insert(name.clone(), wrong);
                    all.push(Value::Object(with));
                }
            }
            let mut more = fields.clone();
            more.insert("more".to_owned(), json!(1));
            all.push(Value::Object(more));
        }
        Value::Array(items) => {
            for item in items {
                all.extend(
                    mutations(item)
                        .into_iter()
                        .map(|wrong| json!([item, wrong])),
                );
            }
        }
        _ => {}
    }
    all
}
