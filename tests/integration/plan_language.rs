//! The plan language as JSON Schema: current, right about the plans here, and as strict as decoding is.

use serde_json::{Value, json};
use std::{fs, path::Path};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn crossfade(arguments: &[&str]) -> String {
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_crossfade"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{arguments:?}");
    String::from_utf8(ran.stdout).unwrap()
}

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&crossfade(&["schema"])).unwrap();
    jsonschema::draft202012::new(&schema).expect("a JSON Schema")
}

fn plan(text: &str) -> Value {
    serde_yaml::from_str(text).expect("YAML")
}

#[test]
fn the_schema_and_the_generated_pages_in_the_repository_are_current() {
    for (file, arguments) in [
        ("plans/crossfade.schema.json", &["schema"][..]),
        ("docs/plan-language.md", &["schema", "--page"]),
        ("docs/reference/commands.md", &["reference"]),
    ] {
        let current = crossfade(arguments);
        assert!(
            read(file) == current,
            "{file} is not current: crossfade {} > {file}",
            arguments.join(" ")
        );
    }
}

#[test]
fn every_plan_here_is_valid_and_says_where_its_schema_is() {
    let validator = validator();
    let plans = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let mut seen = 0;
    let folders = [plans.clone(), plans.join("fleet"), plans.join("inventory")];
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&plan(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, [""; 0], "{}", path.display());
        let first = text.lines().next();
        assert_eq!(
            first,
            Some(if path.parent() == Some(&plans) {
                "# yaml-language-server: $schema=crossfade.schema.json"
            } else {
                "# yaml-language-server: $schema=../crossfade.schema.json"
            }),
            "{}",
            path.display()
        );
        seen += 1;
    }
    assert!(seen > 2, "{seen} plans");
    let written = crossfade(&["new", "rename_column", "table=public.t", "from=a", "to=b"]);
    assert!(
        written.starts_with("# yaml-language-server: $schema=crossfade.schema.json\n"),
        "{written}"
    );
    assert!(validator.is_valid(&plan(&written)), "{written}");
}

/// Each part in all its words, so that a schema that forgets one is found.
#[test]
fn what_decoding_takes_the_schema_takes_too() {
    let validator = validator();
    for text in [
        "version: 1
name: everything
change: {change_column_type: {table: '\"Fleet\".\"Vehicle Log\"', column: a, type: text, forward: upper(a), keep_name: true}}
gates:
  switch_reads: {approvals: 2, bake: 1h 30m, window: {days: [mon, sun], from: '22:00', to: '06:00', zone: Europe/Berlin}}
  retire: {no_references: 24h, old_writes_quiet: 7d, http: {name: h, url: 'https://x/', expect_status: 204, timeout: 5s, headers: {A: b}}}
  contract: {no_references: {quiet: 1d, allow: {view public.v: soon gone}}, verified_within: 1h, query: {name: q, sql: select 1, expect: {value: '1'}}}
settings: {lock_timeout: 50ms, show_values: true, pacing: {replica_lag: {slow: 1s, stop: 5s}}}
",
        "version: 1
name: x
phases:
  - phase: verify
    steps:
      - query: {name: q, sql: select 1, expect: no_rows}
",
    ] {
        let decoded = crossfade_plan::read::read_document(text);
        assert!(decoded.is_ok(), "{decoded:?}");
        let found: Vec<String> = validator.iter_errors(&plan(text)).map(|error| error.to_string()).collect();
        assert_eq!(found, [""; 0]);
    }
}

#[test]
fn what_decoding_refuses_the_schema_refuses_too() {
    let good = plan(&read("plans/vehicles-rename-status.yaml"));
    let validator = validator();
    assert!(validator.is_valid(&good));
    for (path, value) in [
        ("/version", json!(2)),
        ("/name", json!("Not A Name")),
        ("/change/rename_column/tabel", json!("public.t")),
        ("/change/rename_column/table", json!("")),
        ("/change/rename_column/table", Value::Null),
        ("/change/rename_colum", json!({})),
        ("/phases", json!([])),
        ("/gates", json!({"retired": {}})),
        ("/gates", json!({"retire": {"no_references": "soon"}})),
        (
            "/gates",
            json!({"retire": {"window": {"from": "22:00", "to": "6:00", "zone": "UTC"}}}),
        ),
        ("/gates", json!({"retire": {"http": {"name": "h"}}})),
        ("/settings", json!({"lock_timeout": 100})),
        ("/setings", json!({})),
    ] {
        let mut bad = good.clone();
        let (parent, key) = path.rsplit_once('/').unwrap();
        let object = bad.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        object.insert(key.to_owned(), value.clone());
        assert!(!validator.is_valid(&bad), "{path}: {value}");
        let text = serde_yaml::to_string(&bad).unwrap();
        assert!(
            crossfade_plan::read::read_document(&text).is_err(),
            "{path}: {value}"
        );
    }
}
