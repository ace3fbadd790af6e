//! The API as its OpenAPI document describes it.

use crate::support::{
    on_empty_postgresql,
    openapi::mutations,
    page::{Page, client},
    team::{RUN, Team},
};
use reqwest::{Method, header};
use serde_json::{Value, json};

#[test]
fn the_document_is_for_everybody_and_all_that_it_refers_to_is_in_it() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        let page = team.serve(&[]);
        let described = page.described().await;
        let document = &described.document;
        assert_eq!(document["openapi"], "3.1.0");
        let text = document.to_string();
        for (_, rest) in text
            .match_indices("\"$ref\":\"#")
            .map(|(at, _)| text[at..].split_at(9))
        {
            let at = rest.split('"').next().unwrap();
            assert!(document.pointer(at).is_some(), "{at}");
        }
        let mut names = Vec::new();
        for operation in described.operations() {
            let what = format!("{} {}", operation.method, operation.path);
            names.push(operation.value["operationId"].as_str().unwrap());
            let answers = operation.value["responses"].as_object().unwrap();
            assert!(
                answers.len() >= 2 && answers.contains_key("default"),
                "{what}"
            );
            for answer in answers.values() {
                let content = answer["content"].as_object().unwrap();
                described.validator(&content.values().next().unwrap()["schema"]);
            }
        }
        assert!(names.len() > 20, "{names:?}");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), described.operations().count());
    });
}

/// What a request got: its code, and what was said if it failed.
async fn said(request: reqwest::RequestBuilder, what: &str) -> (u16, Value) {
    let answer = request.send().await.expect(what);
    let code = answer.status().as_u16();
    if code < 400 {
        return (code, Value::Null);
    }
    let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
    let text = answer.text().await.unwrap();
    assert!(code < 500, "{what}: {code}: {text}");
    let kind = kind.map(|kind| kind.to_str().unwrap().to_owned());
    assert_eq!(
        kind.as_deref(),
        Some("application/problem+json"),
        "{what}: {text}"
    );
    let problem: Value = serde_json::from_str(&text).expect(what);
    assert_eq!(problem["status"], code, "{what}");
    assert!(
        problem["detail"].as_str().is_some_and(|why| why.len() > 5),
        "{what}: {text}"
    );
    (code, problem)
}

fn request(
    client: &reqwest::Client,
    (page, token): (&Page, &str),
    method: &Method,
    path: &str,
) -> reqwest::RequestBuilder {
    client
        .request(method.clone(), page.url(path))
        .bearer_auth(token)
}

#[test]
fn malformed_bodies_made_from_the_document_are_refused_with_the_reason() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let page = team.serve(&[]);
        let token = team.token(&team.operator, "view,operate,approve");
        let described = page.described().await;
        let client = client();
        let (mut refused, mut asked) = (0, 0);
        for operation in described.operations() {
            let body = &operation.value["requestBody"]["content"]["application/json"]["schema"];
            if body.is_null() {
                continue;
            }
            let path = operation.path.replace("{run}", RUN);
            let send = async |bytes: Vec<u8>, kind: &str, what: &str| {
                let request = request(&client, (&page, &token), &operation.method, &path)
                    .header(header::CONTENT_TYPE, kind);
                let what = format!("{} {path}: {what}", operation.method);
                said(request.body(bytes), &what).await.0
            };
            let validator = described.validator(body);
            for example in described.examples(body) {
                assert!(validator.is_valid(&example), "{path}: {example}");
                for wrong in mutations(&example) {
                    let text = wrong.to_string();
                    let code = send(text.clone().into_bytes(), "application/json", &text).await;
                    asked += 1;
                    if !validator.is_valid(&wrong) {
                        refused += 1;
                        assert!(code >= 400, "{path}: {code} to {text}");
                    }
                }
            }
            let deep = "[".repeat(10_000);
            let long = format!("{{\"reason\": \"{}\"}}", "x".repeat(2 << 20));
            for (bytes, kind, expected) in [
                (&b""[..], "application/json", 400..=400),
                (b"{", "application/json", 400..=400),
                // Some of these bodies have a field that is wrong before it is read that far.
                (b"{\"reason\": \"\xff\"}", "application/json", 400..=422),
                (deep.as_bytes(), "application/json", 400..=422),
                (b"{}", "text/plain", 415..=415),
                (long.as_bytes(), "application/json", 413..=413),
            ] {
                let what = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
                let code = send(bytes.to_vec(), kind, &what).await;
                assert!(expected.contains(&code), "{path}: {code} to {what}");
            }
        }
        assert!(asked > 300 && refused > 150, "{asked} {refused}");
    });
}

#[test]
fn malformed_parameters_made_from_the_document_are_refused_with_the_reason() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        team.start();
        let page = team.serve(&[]);
        let token = team.token(&team.operator, "view,operate,approve");
        let described = page.described().await;
        let client = client();
        let mut asked = 0;
        for operation in described.operations() {
            for parameter in operation.value["parameters"].as_array().unwrap() {
                let name = parameter["name"].as_str().unwrap();
                let wrong: &[(&str, Option<u16>)] = match parameter["in"].as_str().unwrap() {
                    "path" => &[
                        ("none", None),
                        ("%00", Some(400)),
                        ("%FF", Some(400)),
                        ("%F0%9F%A6%80", None),
                        ("a%2Fb", None),
                    ],
                    "query" => &[
                        ("x", Some(400)),
                        ("", Some(400)),
                        ("1.5", Some(400)),
                        ("99999999999999999999", Some(400)),
                        ("%FF", Some(400)),
                        ("-1", None),
                        ("9999", None),
                    ],
                    _ => &[
                        ("x", None),
                        ("-1", None),
                        ("\u{7f}", None),
                        ("99999999999999999999", None),
                        ("", None),
                    ],
                };
                for (value, expected) in wrong {
                    let what = format!("{} {} {name}={value}", operation.method, operation.path);
                    let path = operation
                        .path
                        .replace("{run}", if name == "run" { value } else { RUN });
                    let request = match parameter["in"].as_str().unwrap() {
                        "path" => request(&client, (&page, &token), &operation.method, &path),
                        "query" => request(
                            &client,
                            (&page, &token),
                            &operation.method,
                            &format!("{path}?{name}={value}"),
                        ),
                        _ => match header::HeaderValue::from_bytes(value.as_bytes()) {
                            Ok(value) => {
                                request(&client, (&page, &token), &operation.method, &path)
                                    .header(name, value)
                            }
                            Err(_) => continue,
                        },
                    };
                    let (code, _) = said(request, &what).await;
                    asked += 1;
                    let has_body = operation.value["requestBody"].is_object();
                    if let Some(expected) = expected.filter(|_| !has_body) {
                        assert_eq!(code, expected, "{what}");
                    }
                }
            }
        }
        assert!(asked > 80, "{asked}");
    });
}

#[test]
fn lists_come_by_pages() {
    on_empty_postgresql(async |database| {
        let team = Team::of(database).await;
        let page = team.serve(&[]);
        let token = team.token(&team.operator, "view,operate");
        for (name, column) in [("one", "a"), ("two", "b"), ("three", "c")] {
            let plan = format!(
                "version: 1\nname: {name}\nchange:\n  add_column: {{table: public.vehicles, column: {column}, type: text}}\n"
            );
            let body = Some(json!({"plan": plan}));
            let (code, started) = page
                .call(Some(&token), Method::POST, "/api/v1/runs", body)
                .await;
            assert_eq!(code, 201, "{started}");
        }
        let names = |list: &Value| -> Vec<String> {
            let runs = list["runs"].as_array().unwrap().iter();
            runs.map(|run| run["run"].as_str().unwrap().to_owned())
                .collect()
        };
        let all = page.get(&token, "/api/v1/runs").await;
        assert_eq!(
            (names(&all).join(" "), &all["next"]),
            ("three two one".to_owned(), &Value::Null)
        );
        let first = page.get(&token, "/api/v1/runs?limit=2").await;
        assert_eq!(
            (names(&first).join(" "), &first["next"]),
            ("three two".to_owned(), &json!(2))
        );
        let last = page.get(&token, "/api/v1/runs?skip=2&limit=2").await;
        assert_eq!(
            (names(&last).join(" "), &last["next"]),
            ("one".to_owned(), &Value::Null)
        );
    });
}
