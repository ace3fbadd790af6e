//! Holds the floors: who may import whom, what is pure, who prints, who may panic. It reads the sources' tokens, so that
//! comments, strings and test modules are out of its sight.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules of the crate by floor. A new one has to be entered here before anything may use it.
const FLOORS: [(u8, &[&str]); 4] = [
    (
        1,
        &[
            "analysis",
            "lifecycle",
            "pacing",
            "plan",
            "progress",
            "statement",
        ],
    ),
    (2, &["postgres", "probe", "store", "target"]),
    (3, &["engine", "service"]),
    (4, &["cli", "demo", "web"]),
];
/// Forbidden although the floors alone would allow it: the module, and what it may not use.
const APART: [(&str, &str); 5] = [
    ("store", "target"),
    ("target", "store"),
    ("postgres", "store"),
    ("postgres", "target"),
    ("engine", "service"),
];
/// All that a face may use besides other faces.
const OPEN_TO_FACES: [&str; 7] = [
    "analysis",
    "engine::notice",
    "lifecycle",
    "plan",
    "postgres",
    "progress",
    "service",
];
/// All that `main.rs` may use.
const OPEN_TO_MAIN: [&str; 1] = ["cli"];
/// Clocks, randomness, environment and I/O, by how their paths begin.
const IMPURE_BEGINNINGS: [&str; 8] = [
    "fastrand",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "tokio",
    "tokio_postgres",
];
/// Clocks, by the end of their path.
const IMPURE_ENDS: [&str; 4] = [
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
];
const PRINTING: [&str; 5] = ["dbg", "eprint", "eprintln", "print", "println"];
const SILENT: [&str; 9] = [
    "analysis",
    "engine",
    "lifecycle",
    "pacing",
    "plan",
    "progress",
    "statement",
    "store",
    "target",
];
/// The parser of SQL may change at any time: whoever knows it turns its trees into values of our own.
const KNOW_THE_PARSER: [&str; 2] = ["analysis::references", "analysis::syntax"];
const PANICKING: [&str; 2] = ["expect", "unwrap"];

// ---------------------------------------------------------------------------------------------------- the checks

#[test]
fn imports_go_only_downwards() {
    hold(downwards, "imports go only downwards");
}

#[test]
fn store_and_target_never_import_each_other() {
    hold(apart, "these modules never use each other");
}

#[test]
fn faces_use_the_service_and_never_store_or_target() {
    hold(faces, "faces use `service`, and types for display only");
}

#[test]
fn the_parser_of_sql_is_kept_behind_its_modules() {
    hold(parsing, "the parser is known to KNOW_THE_PARSER only");
}

#[test]
fn every_module_of_the_crate_has_a_floor() {
    hold(homeless, "every module has its floor in FLOORS");
}

#[test]
fn floor_1_has_no_async_clock_randomness_environment_or_io() {
    hold(impure, "floor 1 is pure");
}

#[test]
fn floor_1_store_target_and_engine_print_nothing() {
    hold(printing, "only faces print");
}

#[test]
fn nothing_outside_tests_unwraps() {
    hold(panicking, "an impossible state is an error, not a panic");
}

#[test]
fn every_file_says_in_its_first_line_what_it_is_for() {
    hold(unintroduced, "every file opens with a `//!` line");
}

/// Runs a check over every source file and fails with all the offenders.
fn hold(check: fn(&Source) -> Vec<Offence>, rule: &str) {
    let sources = sources();
    let offenders: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            check(source)
                .into_iter()
                .map(|offence| format!("{}:{}: {}", source.name, offence.line, offence.what))
        })
        .collect();
    assert!(
        offenders.is_empty(),
        "{rule}, but:\n{}",
        offenders.join("\n")
    );
}

fn downwards(source: &Source) -> Vec<Offence> {
    let Some(own_floor) = floor(source.room()) else {
        return Vec::new();
    };
    source.offences_of_imports(|room, _| floor(room).is_some_and(|other| other > own_floor))
}

fn apart(source: &Source) -> Vec<Offence> {
    source.offences_of_imports(|room, _| APART.contains(&(source.room(), room)))
}

fn faces(source: &Source) -> Vec<Offence> {
    let open: &[&str] = match (source.room(), floor(source.room())) {
        ("main", _) => &OPEN_TO_MAIN,
        (_, Some(4)) => &OPEN_TO_FACES,
        _ => return Vec::new(),
    };
    let is_face = source.room() != "main";
    source.offences_of_imports(|room, path| {
        let opened = open.iter().any(|open| begins_with(path, open));
        let own = is_face && floor(room) == Some(4);
        !(opened || own)
    })
}

fn parsing(source: &Source) -> Vec<Offence> {
    let name = source.module.join("::");
    if KNOW_THE_PARSER
        .iter()
        .any(|known| begins_with(&name, known))
    {
        return Vec::new();
    }
    let words = source
        .tokens
        .iter()
        .filter(|token| token.text.starts_with("squawk"));
    words
        .map(|token| Offence::new(token.line, format!("`{}`", token.text)))
        .collect()
}

/// A module that no floor names would escape the other checks, and so would a name that `lib.rs` re-exports.
fn homeless(source: &Source) -> Vec<Offence> {
    let mut offences =
        source.offences_of_imports(|room, _| room != source.room() && floor(room).is_none());
    if !["lib", "main"].contains(&source.room()) && floor(source.room()).is_none() {
        offences.push(Offence::new(1, format!("`{}` has no floor", source.room())));
    }
    offences
}

fn impure(source: &Source) -> Vec<Offence> {
    if floor(source.room()) != Some(1) {
        return Vec::new();
    }
    let paths = source.paths.iter().filter(|path| {
        let begins = IMPURE_BEGINNINGS
            .iter()
            .any(|impure| begins_with(&path.text, impure));
        begins || IMPURE_ENDS.iter().any(|end| ends_with(&path.text, end))
    });
    let paths = paths.map(|path| Offence::new(path.line, format!("`{}`", path.text)));
    let keywords = source.tokens.iter().filter(|token| token.text == "async");
    let keywords = keywords.map(|token| Offence::new(token.line, "`async`"));
    paths
        .chain(keywords)
        .chain(macros(source, &PRINTING))
        .collect()
}

fn printing(source: &Source) -> Vec<Offence> {
    if SILENT.contains(&source.room()) {
        macros(source, &PRINTING)
    } else {
        Vec::new()
    }
}

fn panicking(source: &Source) -> Vec<Offence> {
    let calls = source.tokens.windows(3).filter(|window| {
        window[0].text == "." && is_any(&window[1], &PANICKING) && window[2].text == "("
    });
    let calls = calls.map(|window| Offence::new(window[1].line, format!(".{}(", window[1].text)));
    // As in `.map(Result::unwrap)`.
    let paths = source.paths.iter().filter(|path| {
        PANICKING
            .iter()
            .any(|name| path.text.contains("::") && ends_with(&path.text, name))
    });
    let paths = paths.map(|path| Offence::new(path.line, format!("`{}`", path.text)));
    calls.chain(paths).collect()
}

fn unintroduced(source: &Source) -> Vec<Offence> {
    let opens = source.text.starts_with("//!")
        || (source.room() == "lib" && source.text.starts_with("#![doc"));
    if opens {
        Vec::new()
    } else {
        vec![Offence::new(1, "no `//!` line")]
    }
}

fn macros(source: &Source, names: &[&str]) -> Vec<Offence> {
    let calls = source
        .tokens
        .windows(2)
        .filter(|window| is_any(&window[0], names) && window[1].text == "!");
    calls
        .map(|window| Offence::new(window[0].line, format!("{}!", window[0].text)))
        .collect()
}

fn floor(room: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(_, rooms)| rooms.contains(&room))
        .map(|(floor, _)| *floor)
}

fn begins_with(path: &str, beginning: &str) -> bool {
    path.strip_prefix(beginning)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn ends_with(path: &str, end: &str) -> bool {
    path.strip_suffix(end)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
}

fn is_any(token: &Token, names: &[&str]) -> bool {
    names.contains(&token.text.as_str())
}

// ---------------------------------------------------------------------------------------------------- the sources

struct Offence {
    line: usize,
    what: String,
}

impl Offence {
    fn new(line: usize, what: impl Into<String>) -> Self {
        let what = what.into();
        Offence { line, what }
    }
}

/// A file of `src`, without what only tests see.
struct Source {
    /// As in `src/engine/drive.rs`.
    name: String,
    /// As in `["engine", "drive"]`; `["lib"]` and `["main"]` for those two.
    module: Vec<String>,
    text: String,
    tokens: Vec<Token>,
    paths: Vec<PathUse>,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        let module = module_of(name);
        let tokens = if module.iter().any(|part| part == "tests") {
            Vec::new()
        } else {
            without_tests(tokens(text))
        };
        let parents = if ["lib", "main"].contains(&module[0].as_str()) {
            &[][..]
        } else {
            &module
        };
        Source {
            paths: paths(&tokens, parents),
            name: name.to_owned(),
            module,
            text: text.to_owned(),
            tokens,
        }
    }

    /// The module of the crate's root that this file belongs to.
    fn room(&self) -> &str {
        &self.module[0]
    }

    /// Uses of this crate's modules to which `forbidden(room, path)` says yes; the path is without `crate::`.
    fn offences_of_imports(&self, forbidden: impl Fn(&str, &str) -> bool) -> Vec<Offence> {
        let imports = self.paths.iter().filter_map(|path| {
            let inner = path.text.strip_prefix("crate::")?;
            let room = inner.split("::").next()?;
            forbidden(room, inner).then(|| Offence::new(path.line, format!("`{}`", path.text)))
        });
        imports.collect()
    }
}

fn module_of(name: &str) -> Vec<String> {
    let inner = name.strip_prefix("src/").unwrap_or(name);
    let inner = inner.strip_suffix(".rs").unwrap_or(inner);
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    inner.split('/').map(str::to_owned).collect()
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    files.sort();
    let sources: Vec<Source> = files
        .iter()
        .map(|file| {
            let name = file.strip_prefix(root).unwrap().to_str().unwrap();
            Source::new(name, &fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(
        sources.iter().any(|source| source.name == "src/lib.rs"),
        "no sources found in {}",
        root.display()
    );
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

// ---------------------------------------------------------------------------------------------------- the scanner

/// A word, `::`, or one other character.
#[derive(Debug)]
struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(is_word_start)
    }
}

fn is_word_start(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn is_word_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The tokens of Rust source, without comments and lifetimes, and with `""` for each literal of text.
fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut line = 1;
    while at < characters.len() {
        let rest = &characters[at..];
        let (length, token) = next_token(rest);
        if let Some(text) = token {
            tokens.push(Token { text, line });
        }
        line += rest[..length].iter().filter(|c| **c == '\n').count();
        at += length;
    }
    tokens
}

/// How many characters the next token takes, at least one, and what it is; `None` for what is passed over.
fn next_token(rest: &[char]) -> (usize, Option<String>) {
    let literal = |length| (length, Some("\"\"".to_owned()));
    if rest[0].is_whitespace() {
        (1, None)
    } else if rest.starts_with(&['/', '/']) {
        (length_while(rest, |c| c != '\n'), None)
    } else if rest.starts_with(&['/', '*']) {
        (length_of_block_comment(rest), None)
    } else if let Some(length) = length_of_raw_text(rest) {
        literal(length)
    } else if let Some(quote) = place_of_quote(rest, '"') {
        literal(quote + length_of_quoted(&rest[quote..], '"'))
    } else if let Some(quote) = place_of_quote(rest, '\'') {
        let quoted = &rest[quote..];
        // Otherwise it is a lifetime.
        if quoted.get(1) == Some(&'\\') || quoted.get(2) == Some(&'\'') {
            literal(quote + length_of_quoted(quoted, '\''))
        } else {
            (quote + 1 + length_while(&quoted[1..], is_word_part), None)
        }
    } else if rest.starts_with(&['r', '#']) && rest.get(2).is_some_and(|c| is_word_start(*c)) {
        let length = 2 + length_while(&rest[2..], is_word_part);
        (length, Some(rest[2..length].iter().collect()))
    } else if is_word_part(rest[0]) {
        let length = length_while(rest, is_word_part);
        (length, Some(rest[..length].iter().collect()))
    } else if rest.starts_with(&[':', ':']) {
        (2, Some("::".to_owned()))
    } else {
        (1, Some(rest[0].to_string()))
    }
}

fn length_while(rest: &[char], holds: impl Fn(char) -> bool) -> usize {
    rest.iter().take_while(|c| holds(**c)).count()
}

fn length_of_block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Of `r"…"`, `br#"…"#` and their like.
fn length_of_raw_text(rest: &[char]) -> Option<usize> {
    let prefix = match rest {
        ['r', ..] => 1,
        ['b' | 'c', 'r', ..] => 2,
        _ => return None,
    };
    let hashes = length_while(&rest[prefix..], |c| c == '#');
    let start = prefix + hashes + 1;
    if rest.get(start - 1) != Some(&'"') {
        return None;
    }
    let mut end = vec!['"'];
    end.resize(1 + hashes, '#');
    let found = rest[start..]
        .windows(end.len())
        .position(|window| window == end);
    Some(found.map_or(rest.len(), |found| start + found + end.len()))
}

/// Where the opening quote is: at once, or after the `b` or `c` of a literal of bytes.
fn place_of_quote(rest: &[char], quote: char) -> Option<usize> {
    match rest {
        [first, ..] if *first == quote => Some(0),
        ['b' | 'c', second, ..] if *second == quote => Some(1),
        _ => None,
    }
}

fn length_of_quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Leaves out each item under `#[cfg(test)]`, through its `}` or `;`.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    let mut depth_in_test: Option<i32> = None;
    while let Some(token) = rest.next() {
        if let Some(depth) = &mut depth_in_test {
            match token.text.as_str() {
                "{" | "(" | "[" => *depth += 1,
                "}" | ")" | "]" => *depth -= 1,
                _ => {}
            }
            // The last field of a struct ends with what is around it.
            if *depth < 0 {
                depth_in_test = None;
                kept.push(token);
                continue;
            }
            // `use a::{b};` has its `;` after the `}`.
            let ends = token.text == ";" || token.text == "}";
            if *depth == 0 && ends && rest.peek().is_none_or(|next| next.text != ";") {
                depth_in_test = None;
            }
            continue;
        }
        kept.push(token);
        let start = kept.len().saturating_sub(MARK.len());
        if kept[start..].iter().map(|token| &token.text).eq(MARK) {
            kept.truncate(start);
            depth_in_test = Some(0);
        }
    }
    kept
}

/// A path as `crate::plan::ident::Ident`, `std::env::var`: what begins with `super`, `self` or this crate's name is
/// resolved to `crate`, and a group of a `use` gives one for each of its members.
#[derive(Debug)]
struct PathUse {
    text: String,
    line: usize,
}

fn paths(tokens: &[Token], file_module: &[String]) -> Vec<PathUse> {
    let mut found = Vec::new();
    // Modules written out in this file, each with the depth of its `{`.
    let mut inner_modules: Vec<(&str, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        let text = |offset: usize| tokens.get(at + offset).map(|token| token.text.as_str());
        let before = at.checked_sub(1).map(|before| tokens[before].text.as_str());
        match text(0) {
            Some("{") => {
                depth += 1;
                if let (Some(name), Some("mod")) =
                    (before, at.checked_sub(2).map(|at| tokens[at].text.as_str()))
                {
                    inner_modules.push((name, depth));
                }
            }
            Some("}") => {
                inner_modules.retain(|(_, opened)| *opened < depth);
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        // `::tokio::spawn` and `use ::tokio` begin with theirs.
        let continues = match before {
            Some("::") => at.checked_sub(2).is_some_and(|before| {
                let before = &tokens[before];
                before.text == ">" || (before.is_word() && before.text != "use")
            }),
            before => before == Some("."),
        };
        if tokens[at].is_word()
            && text(0) != Some("use")
            && !continues
            && (text(1) == Some("::") || before == Some("use"))
        {
            let mut members = Vec::new();
            at = path_members(tokens, at, &[], &mut members);
            let inner = inner_modules.iter().map(|(name, _)| (*name).to_owned());
            let module: Vec<String> = file_module.iter().cloned().chain(inner).collect();
            found.extend(members.into_iter().map(|(segments, line)| PathUse {
                text: resolve(&segments, &module).join("::"),
                line,
            }));
        } else {
            at += 1;
        }
    }
    found
}

/// Reads the path at `at`, after the segments of `parents`, and gives the place behind it.
fn path_members(
    tokens: &[Token],
    mut at: usize,
    parents: &[String],
    members: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let mut segments = parents.to_vec();
    let line = tokens[at].line;
    while let Some(token) = tokens.get(at) {
        if token.text == "{" {
            at += 1;
            while tokens.get(at).is_some_and(|token| token.text != "}") {
                let member = tokens[at].is_word() || tokens[at].text == "*";
                if !member {
                    at += 1;
                    continue;
                }
                at = path_members(tokens, at, &segments, members);
                // What is behind `as`.
                while tokens.get(at).is_some_and(Token::is_word) {
                    at += 1;
                }
            }
            return at + 1;
        }
        if !token.is_word() && token.text != "*" {
            break;
        }
        segments.push(token.text.clone());
        at += 1;
        if tokens.get(at).is_none_or(|token| token.text != "::") {
            break;
        }
        at += 1;
    }
    members.push((segments, line));
    at
}

fn resolve(segments: &[String], module: &[String]) -> Vec<String> {
    let root = || vec!["crate".to_owned()];
    let mut resolved: Vec<String> = match segments[0].as_str() {
        "crate" | "crossfade" => root(),
        "self" | "super" => root().into_iter().chain(module.iter().cloned()).collect(),
        other => vec![other.to_owned()],
    };
    if segments[0] == "super" && resolved.len() > 1 {
        resolved.pop();
    }
    for segment in &segments[1..] {
        match segment.as_str() {
            "self" => {}
            "super" => {
                resolved.pop();
            }
            _ => resolved.push(segment.clone()),
        }
    }
    resolved
}

// ------------------------------------------------------------------------------------------- the checks can fail

/// What `check` finds in a file of this name and text, as `line: what`.
fn found(check: fn(&Source) -> Vec<Offence>, name: &str, text: &str) -> Vec<String> {
    check(&Source::new(name, text))
        .iter()
        .map(|offence| format!("{}: {}", offence.line, offence.what))
        .collect()
}

#[test]
fn an_import_from_a_floor_above_is_found_however_it_is_written() {
    for (text, offence) in [
        ("use crate::engine::drive;", "1: `crate::engine::drive`"),
        (
            "use std::fmt;\nuse crate::{\n    plan::ident,\n    store::{self, runs as r},\n};",
            "4: `crate::store`, 4: `crate::store::runs`",
        ),
        ("fn a() { crate::store::x() }", "1: `crate::store::x`"),
        ("fn a(b: Vec<crate::cli::C>) {}", "1: `crate::cli::C`"),
        ("use super::super::target::*;", "1: `crate::target::*`"),
        (
            "mod a { use super::super::super::store; }",
            "1: `crate::store`",
        ),
        (
            "mod a { mod b {} }\nuse super::super::store;",
            "2: `crate::store`",
        ),
        ("pub use crossfade::service;", "1: `crate::service`"),
    ] {
        let offences = found(downwards, "src/plan/ident.rs", text);
        assert_eq!(offences.join(", "), offence, "{text}");
    }
}

#[test]
fn an_import_from_the_own_floor_or_below_is_let_pass() {
    for (name, text) in [
        ("src/plan.rs", "use crate::statement::part::Part;"),
        (
            "src/plan/steps/fill.rs",
            "use super::super::ident; use self::store::X;",
        ),
        (
            "src/target/activity.rs",
            "use crate::{pacing::Sample, plan};",
        ),
        (
            "src/service.rs",
            "use crate::{engine::drive, store, target};",
        ),
        ("src/plan/a.rs", "fn a() { b.store::<C>(); store::d() }"),
    ] {
        assert_eq!(found(downwards, name, text), [""; 0], "{text}");
        assert_eq!(found(apart, name, text), [""; 0], "{text}");
        assert_eq!(found(homeless, name, text), [""; 0], "{text}");
    }
}

#[test]
fn neighbours_that_must_not_meet_are_found() {
    let store = found(apart, "src/store/runs.rs", "use crate::target::batch;");
    assert_eq!(store, ["1: `crate::target::batch`"]);
    let target = found(apart, "src/target.rs", "use super::store::lease;");
    assert_eq!(target, ["1: `crate::store::lease`"]);
    let engine = found(apart, "src/engine.rs", "use crate::service;");
    assert_eq!(engine, ["1: `crate::service`"]);
}

#[test]
fn a_face_that_reaches_past_the_service_is_found() {
    let text = "\
        use crate::{service, plan, postgres::connect, lifecycle::next, engine::notice::Notice, demo};\n\
        use crate::store::runs;\n\
        use crate::target;\n\
        use crate::engine::{drive, notice};\n\
        use crate::engine;\n";
    let offences = [
        "2: `crate::store::runs`",
        "3: `crate::target`",
        "4: `crate::engine::drive`",
        "5: `crate::engine`",
    ];
    for name in ["src/cli/status.rs", "src/demo.rs", "src/web/router.rs"] {
        assert_eq!(found(faces, name, text), offences);
    }
    assert_eq!(found(faces, "src/service.rs", text), [""; 0]);
    let main = "fn main() { crossfade::cli::run(); crossfade::service::start() }";
    assert_eq!(
        found(faces, "src/main.rs", main),
        ["1: `crate::service::start`"]
    );
}

#[test]
fn a_module_without_a_floor_is_found() {
    assert_eq!(
        found(homeless, "src/util/text.rs", "//! Text."),
        ["1: `util` has no floor"]
    );
    assert_eq!(
        found(homeless, "src/store.rs", "use crate::Plan;"),
        ["1: `crate::Plan`"]
    );
}

#[test]
fn impurity_on_floor_1_is_found() {
    for (text, offence) in [
        ("pub async fn a() {}", "1: `async`"),
        ("use std::{fmt, env::var};", "1: `std::env::var`"),
        ("fn a() { std::fs::read(b) }", "1: `std::fs::read`"),
        ("use std::net::IpAddr;", "1: `std::net::IpAddr`"),
        ("use tokio;", "1: `tokio`"),
        ("use ::tokio::spawn;", "1: `tokio::spawn`"),
        ("fn a() { ::std::env::var(b) }", "1: `std::env::var`"),
        ("#[tokio::main]\nfn a() {}", "1: `tokio::main`"),
        (
            "fn a() { jiff::Timestamp::now() }",
            "1: `jiff::Timestamp::now`",
        ),
        ("fn a() { Instant::now() }", "1: `Instant::now`"),
        (
            "fn a() { let b = SystemTime::now; }",
            "1: `SystemTime::now`",
        ),
        ("fn a() { fastrand::u8(..) }", "1: `fastrand::u8`"),
        ("fn a() { println!(\"b\") }", "1: println!"),
    ] {
        assert_eq!(found(impure, "src/pacing.rs", text), [offence], "{text}");
        assert_eq!(found(impure, "src/engine.rs", text), [""; 0], "{text}");
    }
}

#[test]
fn printing_below_the_faces_is_found() {
    let text = "fn a() {\n    eprintln!(\"b\");\n    dbg!(c);\n    write!(d, \"println!\")\n}";
    let offences = ["2: eprintln!", "3: dbg!"];
    assert_eq!(found(printing, "src/engine/drive.rs", text), offences);
    assert_eq!(found(printing, "src/store.rs", text), offences);
    assert_eq!(found(printing, "src/cli/status.rs", text), [""; 0]);
}

#[test]
fn an_unwrap_is_found_outside_tests_only() {
    let text = "\
        fn a() { b.unwrap_or(c); d\n.unwrap(); e.expect(\"f\"); g.map(Result::unwrap) }\n\
        #[cfg(test)]\nmod tests {\n    fn h() { if i { j.unwrap() } }\n}\n\
        #[cfg(test)]\nuse k::{l};\n\
        struct O { #[cfg(test)] p: Q }\n\
        fn m() { n.unwrap() }\n";
    let offences = [
        "2: .unwrap(",
        "2: .expect(",
        "10: .unwrap(",
        "2: `Result::unwrap`",
    ];
    assert_eq!(found(panicking, "src/plan.rs", text), offences);
    assert_eq!(
        found(panicking, "src/postgres/launch/tests.rs", text),
        [""; 0]
    );
}

#[test]
fn a_file_without_its_first_line_is_found() {
    let missing = ["1: no `//!` line"];
    assert_eq!(
        found(unintroduced, "src/plan.rs", "use a;\n//! B."),
        missing
    );
    assert_eq!(
        found(unintroduced, "src/plan.rs", "#![doc = \"a\"]"),
        missing
    );
    assert_eq!(
        found(unintroduced, "src/lib.rs", "#![doc = \"a\"]"),
        [""; 0]
    );
    assert_eq!(found(unintroduced, "src/plan.rs", "//! A."), [""; 0]);
}

#[test]
fn comments_and_literals_are_not_code_and_what_follows_them_is() {
    let text = r####"
        // a.unwrap()
        /* a.unwrap() /* nested */ a.unwrap() */
        const A: &str = "a.unwrap() \" // a.unwrap()";
        const B: &[u8] = br##"a.unwrap() "# a.unwrap()"##;
        const C: [char; 3] = ['"', '\'', '\u{1F600}'];
        fn d<'a>(r#type: &'a str, e: u8) { f(b'"', b'\\', 1.0, 'g') }
        fn h() { i.unwrap() }
    "####;
    assert_eq!(found(panicking, "src/plan.rs", text), ["8: .unwrap("]);
}
