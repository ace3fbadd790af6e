//! The routes of the API, each with what a request and an answer of it look like: one list, from which the router and the OpenAPI document are made.

use crate::{failure::Problem, site::Shared};
use axum::{
    Router,
    handler::Handler,
    routing::{self, MethodRouter},
};
use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
};
use serde_json::{Map, Value, json};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const SECURITY: &str = "token";

const KEY: (&str, &str) = (
    "Idempotency-Key",
    "1 to 200 printable ASCII characters. A request that is sent again with the same key within 24 hours does nothing, and is answered as before.",
);

type Shape = fn(&mut SchemaGenerator) -> Schema;

/// Whether a request needs a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Everybody,
    Holders,
}

enum Answer {
    Json(Shape),
    /// Of this media type.
    Text(&'static str),
}

/// A method of a resource.
pub struct Operation {
    method: &'static str,
    path: &'static str,
    handler: MethodRouter<Shared>,
    summary: &'static str,
    access: Access,
    query: Option<Shape>,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<Shape>,
    answers: Vec<(u16, Answer)>,
}

fn shape<T: JsonSchema>() -> Shape {
    SchemaGenerator::subschema_for::<T>
}

macro_rules! method {
    ($name:ident) => {
        pub fn $name<H, T>(path: &'static str, handler: H, summary: &'static str) -> Self
        where
            H: Handler<T, Shared>,
            T: 'static,
        {
            Self::new(stringify!($name), path, routing::$name(handler), summary)
        }
    };
}

impl Operation {
    method!(get);
    method!(post);
    method!(put);
    method!(delete);

    fn new(
        method: &'static str,
        path: &'static str,
        handler: MethodRouter<Shared>,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            handler,
            summary,
            access: Access::Holders,
            query: None,
            headers: match method {
                "get" => Vec::new(),
                _ => vec![KEY],
            },
            body: None,
            answers: Vec::new(),
        }
    }

    /// Needs no token.
    pub fn for_everybody(mut self) -> Self {
        self.access = Access::Everybody;
        self
    }

    /// The fields of `T` are its parameters.
    pub fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(shape::<T>());
        self
    }

    /// A header that a request may have.
    pub fn header(mut self, name: &'static str, what: &'static str) -> Self {
        self.headers.push((name, what));
        self
    }

    pub fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(shape::<T>());
        self
    }

    pub fn answers<T: JsonSchema>(mut self, status: u16) -> Self {
        self.answers.push((status, Answer::Json(shape::<T>())));
        self
    }

    pub fn answers_text(mut self, status: u16, media_type: &'static str) -> Self {
        self.answers.push((status, Answer::Text(media_type)));
        self
    }
}

/// Routes each operation to its handler.
pub fn router(operations: Vec<Operation>) -> Router<Shared> {
    let mut router = Router::new();
    for operation in operations {
        router = router.route(operation.path, operation.handler);
    }
    router
}

/// The shapes of what is sent and of what is answered: a field with a default is missing in the one and not in the other.
struct Shapes {
    sent: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Shapes {
    fn new() -> Self {
        let of = |contract: Contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.contract = contract;
            });
            settings.into_generator()
        };
        Self {
            sent: of(Contract::Deserialize),
            answered: of(Contract::Serialize),
        }
    }

    fn operation(&mut self, operation: &Operation) -> Value {
        let mut parameters: Vec<Value> = names_in(operation.path)
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
            .collect();
        if let Some(query) = operation.query {
            parameters.extend(self.parameters(query));
        }
        parameters.extend(operation.headers.iter().map(|(name, what)| {
            json!({"name": name, "in": "header", "description": what, "schema": {"type": "string"}})
        }));
        let mut answers = Map::new();
        for (status, answer) in &operation.answers {
            let (media_type, schema) = match answer {
                Answer::Json(shape) => (JSON, json!(shape(&mut self.answered))),
                Answer::Text(media_type) => (*media_type, json!({"type": "string"})),
            };
            let description = match status {
                201 => "Created",
                503 => "Unavailable",
                _ => "Done",
            };
            answers.insert(
                status.to_string(),
                json!({"description": description, "content": {media_type: {"schema": schema}}}),
            );
        }
        let problem = json!(self.answered.subschema_for::<Problem>());
        answers.insert(
            "default".to_owned(),
            json!({"description": "Why it was not done", "content": {PROBLEM: {"schema": problem}}}),
        );
        let mut value = json!({
            "operationId": name_of(operation), "summary": operation.summary, "parameters": parameters, "responses": answers,
        });
        if let Some(body) = operation.body {
            let schema = body(&mut self.sent);
            value["requestBody"] = json!({"required": true, "content": {JSON: {"schema": schema}}});
        }
        if operation.access == Access::Everybody {
            value["security"] = json!([]);
        }
        value
    }

    /// Of an object whose fields are the parameters.
    fn parameters(&mut self, query: Shape) -> Vec<Value> {
        let mut schema = query(&mut self.sent).to_value();
        if let Some(name) = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next()) {
            // It is no component: its fields stand in the parameters.
            let component = self.sent.definitions_mut().remove(name);
            schema = component.unwrap_or_default();
        }
        let fields = schema["properties"].as_object().cloned();
        let parameter = |(name, mut schema): (String, Value)| {
            let description = schema
                .as_object_mut()
                .and_then(|fields| fields.remove("description"));
            json!({"name": name, "in": "query", "description": description.unwrap_or_else(|| json!("")), "schema": schema})
        };
        fields
            .unwrap_or_default()
            .into_iter()
            .map(parameter)
            .collect()
    }

    fn components(mut self) -> Map<String, Value> {
        let mut all = self.answered.take_definitions(true);
        for (name, schema) in self.sent.take_definitions(true) {
            all.entry(name).or_insert(schema);
        }
        all
    }
}

fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// `get_runs_run_events`
fn name_of(operation: &Operation) -> String {
    let words = operation
        .path
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    std::iter::once(operation.method)
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

/// The OpenAPI document of these operations, each group under its prefix.
pub fn document(groups: &[(&str, Vec<Operation>)]) -> Value {
    let mut shapes = Shapes::new();
    let mut paths: Map<String, Value> = Map::new();
    for (prefix, operations) in groups {
        for operation in operations {
            let path = format!("{prefix}{}", operation.path);
            let described = shapes.operation(operation);
            let methods = paths.entry(path).or_insert_with(|| json!({}));
            methods[operation.method] = described;
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Crossfade",
            "version": "1",
            "description": "What `crossfade serve --listen` answers to programs. New fields may be added to answers.",
        },
        "security": [{SECURITY: []}],
        "paths": paths,
        "components": {
            "securitySchemes": {SECURITY: {"type": "http", "scheme": "bearer", "description": "A token of `crossfade token create`."}},
            "schemas": shapes.components(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Thing {
        #[serde(default)]
        count: u32,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "its shape is what counts")]
    struct Asked {
        /// How many.
        limit: Option<u32>,
    }

    #[test]
    fn parameters_are_the_fields_of_a_type_and_the_names_in_the_path() {
        let operation = Operation::get("/things/{name}", async || "", "A thing")
            .query::<Asked>()
            .answers::<Thing>(200);
        let document = document(&[("/v", vec![operation])]);
        let found = &document["paths"]["/v/things/{name}"]["get"];
        assert_eq!(found["operationId"], "get_things_name");
        assert_eq!(found["parameters"][0]["in"], "path");
        assert_eq!(found["parameters"][1]["name"], "limit");
        assert_eq!(found["parameters"][1]["description"], "How many.");
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Asked"], Value::Null);
        // A field with a default is always in an answer.
        assert_eq!(schemas["Thing"]["required"], json!(["count"]));
    }
}
