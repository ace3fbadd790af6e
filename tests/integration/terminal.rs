//! What others wrote (names, reasons, comments, values, errors) neither moves a terminal's cursor nor begins a line of its own.

use crate::support::{Database, Ran, on_postgresql, plan_file};

/// A line's end, a colour, a control character of Latin-1, a change of the writing direction; and what would follow.
const HOSTILE: &str = "x\n   9  FORGED\r\x1b[31m\u{9b}2J\u{202e}\u{2028}y";

#[track_caller]
fn controls_nothing(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let hostile = text.chars().find(|letter| {
            letter.is_control() && *letter != '\n' || matches!(letter, '\u{202e}' | '\u{2028}')
        });
        assert_eq!(hostile, None, "{text:?}");
    }
}

/// Everything that a person sees of it.
#[track_caller]
fn harmless(ran: &Ran) {
    controls_nothing(ran);
    for text in [&ran.stdout, &ran.stderr] {
        for line in text.lines() {
            assert!(!line.trim_start().starts_with("9  FORGED"), "{text}");
        }
    }
}

fn shown(database: &Database, arguments: &[&str]) -> Ran {
    let ran = database.crossfade(arguments);
    harmless(&ran);
    ran
}

#[test]
fn what_others_wrote_obeys_no_terminal() {
    on_postgresql(async |database| {
        let literal = HOSTILE.replace('\'', "''");
        let column = format!("\"{HOSTILE}\"");
        database
            .execute(&format!(
                "CREATE TABLE hostile ({column} text PRIMARY KEY, status text, n int);
                 INSERT INTO hostile VALUES ('{literal}', '{literal}', 1);
                 COMMENT ON COLUMN hostile.status IS '{literal}';
                 CREATE INDEX \"i {HOSTILE}\" ON hostile (status);
                 CREATE FUNCTION refuses(value text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', value; RAISE EXCEPTION '%', value; END $$"
            ))
            .await;
        let plan = "version: 1\nname: hostile\nchange:\n  change_column_type: {table: public.hostile, column: status, type: integer, forward: public.refuses(status), backward: status_new::text, to: status_new}\nsettings: {show_values: true}\n";
        let file = plan_file(plan);
        let path = file.path().to_str().unwrap();
        for command in [
            &["check", path][..],
            &["check", path, "--format", "github"],
            &["explain", path],
        ] {
            shown(database, command).exits(0);
        }
        // SQL within a fence is the one text that has lines of its own.
        let markdown = database
            .crossfade(&["explain", path, "--format", "markdown"])
            .exits(0);
        controls_nothing(&markdown);
        shown(database, &["start", path]).exits(0);
        shown(database, &["advance", "hostile", "--to", "dual_write"]).exits(0);
        // The log has what the server says, and the statements.
        let logged = shown(database, &["advance", "hostile", "-vvv"]);
        assert!(logged.stderr.contains("FORGED"), "{}", logged.stderr);
        shown(database, &["quarantine", "list", "hostile", "--values"]).exits(0);
        shown(database, &["quarantine", "retry", "hostile"]);
        shown(
            database,
            &[
                "quarantine",
                "skip",
                "hostile",
                "--all",
                "--reason",
                HOSTILE,
            ],
        )
        .exits(0);
        shown(database, &["quarantine", "list", "hostile", "--values"]).exits(0);
        shown(
            database,
            &["tune", "hostile", "workers=2", "--reason", HOSTILE],
        )
        .exits(0);
        shown(
            database,
            &["approve", "hostile", "verify", "--comment", HOSTILE],
        )
        .exits(0);
        shown(database, &["pause", "hostile", "--reason", HOSTILE]).exits(0);
        // Written by a version that did not refuse it, or by the owner.
        database
            .execute(&format!(
                "UPDATE crossfade.steps SET error = '{literal}', state = 'failed' WHERE step LIKE 'match%';
                 UPDATE crossfade.leases SET holder = '{literal}', backend_pid = 1, heartbeat = now();
                 ALTER TABLE crossfade.events DISABLE TRIGGER ALL; UPDATE crossfade.events SET os_user = '{literal}', role = '{literal}', kind = '{literal}' WHERE number = 3"
            ))
            .await;
        for command in [
            &["status"][..],
            &["status", "hostile"],
            &["advance", "hostile"],
            &["advance", "hostile", "--dry-run"],
            &["rollback", "hostile"],
            &["pause", "--all", "--reason", HOSTILE],
            &["history", "hostile", "--verify"],
            &["check", HOSTILE],
            &["status", HOSTILE],
        ] {
            shown(database, command);
        }
        let history = shown(database, &["history", "hostile"]).exits(0);
        assert!(
            history
                .stdout
                .contains(r"FORGED\r\u{1b}[31m\u{9b}2J\u{202e}"),
            "{}",
            history.stdout
        );
        // A program gets it as it is.
        let history = database
            .crossfade(&["history", "hostile", "--format", "json"])
            .exits(0)
            .json();
        assert_eq!(history["events"][2]["os_user"], HOSTILE);
    });
}

#[test]
fn shells_and_man_pages_know_every_command() {
    let run = |arguments: &[&str]| {
        crate::support::Ran::of(
            crate::support::command("postgres://nowhere", arguments)
                .output()
                .expect("the program runs"),
        )
        .exits(0)
        .stdout
    };
    let help = run(&["--help"]);
    let commands: Vec<&str> = help
        .split_once("Commands:")
        .and_then(|(_, rest)| rest.split_once("Options:"))
        .map(|(list, _)| list)
        .expect("a list of commands")
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]);
        for command in &commands {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let man = folder.path().join("man1");
    run(&["man", man.to_str().unwrap()]);
    for command in &commands {
        let page = std::fs::read_to_string(man.join(format!("crossfade-{command}.1")));
        assert!(
            page.is_ok_and(|page| page.contains(".SH NAME")),
            "{command}"
        );
    }
}

/// On a terminal of this many columns, as `script` makes one. `None`: this machine has no `script`.
fn on_a_terminal(
    database: &Database,
    arguments: &[&str],
    environment: &[(&str, &str)],
    columns: u16,
) -> Option<String> {
    let words: Vec<String> = std::iter::once(env!("CARGO_BIN_EXE_crossfade"))
        .chain(arguments.iter().copied())
        .map(|word| format!("'{word}'"))
        .collect();
    let command = format!("stty cols {columns} rows 24; {}", words.join(" "));
    let mut script = std::process::Command::new("script");
    script
        .args(["-qec", &command, "/dev/null"])
        .env("CROSSFADE_DATABASE_URL", &database.url)
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(std::process::Stdio::null())
        .envs(environment.iter().copied());
    let Ok(output) = script.output() else {
        println!("SKIPPED: there is no `script`");
        return None;
    };
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

const SMALL: &str = "version: 1\nname: small\nchange:\n  rename_column: {table: public.small, from: status, to: state}\n";

#[test]
fn colours_are_for_a_person_who_looks_on() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE small (id bigint PRIMARY KEY, status text); INSERT INTO small SELECT i, 's' FROM generate_series(1, 100) AS i")
            .await;
        let small = plan_file(SMALL);
        database
            .crossfade(&["start", small.path().to_str().unwrap()])
            .exits(0);
        database
            .crossfade(&["advance", "small", "--to", "expand"])
            .exits(0);
        let wrong_name = plan_file(
            &SMALL
                .replace("status", "statuss")
                .replace("name: small", "name: other"),
        );
        let wrong_name = wrong_name.path().to_str().unwrap();
        for (arguments, painted) in [
            (
                &["check", wrong_name][..],
                &["\x1b[1;31merror:\x1b[0m", "\x1b[1mhelp:\x1b[0m"][..],
            ),
            (&["status", "small"], &["\x1b[32mcompleted\x1b[0m"]),
            (&["status"], &["\x1b[32mready\x1b[0m"]),
            (&["status", "nosuch"], &["\x1b[1;31merror:\x1b[0m"]),
        ] {
            let Some(seen) = on_a_terminal(database, arguments, &[], 80) else {
                return;
            };
            for mark in painted {
                assert!(seen.contains(mark), "{arguments:?}: {seen:?}");
            }
            for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
                let seen = on_a_terminal(database, arguments, &[plain], 80).unwrap();
                assert!(!seen.contains("\x1b["), "{plain:?} {arguments:?}: {seen:?}");
            }
            let ran = database.crossfade(arguments);
            assert!(
                !format!("{}{}", ran.stdout, ran.stderr).contains('\x1b'),
                "{arguments:?}"
            );
        }
    });
}

/// No line of the progress is longer than the terminal is wide, and what is logged meanwhile has lines of its own.
#[test]
fn the_progress_fits_a_narrow_terminal() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE small (id bigint PRIMARY KEY, status text, pad text); INSERT INTO small SELECT i, 's', repeat('x', 500) FROM generate_series(1, 20000) AS i")
            .await;
        let slow = format!("{SMALL}settings: {{pacing: {{batch_rows_max: 500}}}}\n");
        let plan = plan_file(&slow);
        database
            .crossfade(&["start", plan.path().to_str().unwrap()])
            .exits(0);
        database
            .crossfade(&["advance", "small", "--to", "dual_write"])
            .exits(0);
        let Some(seen) = on_a_terminal(
            database,
            &["advance", "small", "--to", "backfill", "-vv"],
            &[],
            60,
        ) else {
            return;
        };
        // What moves the cursor stands between pieces of a line that is drawn again.
        let mut bars = 0;
        for piece in seen.split(['\n', '\r']) {
            let mut shown = String::new();
            let mut letters = piece.chars();
            while let Some(letter) = letters.next() {
                if letter == '\x1b' {
                    for code in letters.by_ref() {
                        if code.is_ascii_alphabetic() {
                            break;
                        }
                    }
                } else {
                    shown.push(letter);
                }
            }
            if shown.starts_with('[') && shown.contains(" % ") {
                bars += 1;
                assert!(shown.trim_end().chars().count() <= 60, "{shown:?}");
                assert!(
                    !shown.contains("DEBUG") && !shown.contains("INFO"),
                    "{shown:?}"
                );
            }
        }
        assert!(bars > 0, "{seen:?}");
    });
}

#[test]
fn a_log_for_programs_has_nothing_else_in_it() {
    on_postgresql(async |database| {
        database
            .execute("CREATE TABLE small (id bigint PRIMARY KEY, status text); INSERT INTO small SELECT i, 's' FROM generate_series(1, 100) AS i")
            .await;
        let small = plan_file(SMALL);
        let path = small.path().to_str().unwrap();
        let wrong = plan_file(
            &SMALL
                .replace("status", "statuss")
                .replace("name: small", "name: other"),
        );
        let mut all = Vec::new();
        for (arguments, code) in [
            (&["start", path][..], 0),
            (&["check", wrong.path().to_str().unwrap()], 1),
            (&["status", "nosuch"], 1),
            (&["status", "--nosuch"], 2),
            (&["advance", "small", "--to", "backfill", "-vv"], 0),
            (&["advance", "small"], 0),
            (&["advance", "small", "--to", "contract"], 2),
            (&["rollback", "small", "--yes"], 0),
        ] {
            let ran = database
                .crossfade(&[&["--log-format", "json"][..], arguments].concat())
                .exits(code);
            let from = all.len();
            for line in ran.stderr.lines() {
                let object: serde_json::Value = serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {line}"));
                for key in ["timestamp", "level", "message"] {
                    assert!(object[key].is_string(), "{line}");
                }
                all.push(object);
            }
            assert!(
                code == 0 || all.len() > from && all[from]["level"] == "ERROR",
                "{arguments:?}"
            );
        }
        let fingerprint = database
            .value("SELECT fingerprint FROM crossfade.runs")
            .await;
        let finished = all
            .iter()
            .find(|object| object["action"] == "step_finished" && object["phase"] == "backfill")
            .unwrap_or_else(|| panic!("{all:?}"));
        assert_eq!(finished["run"], "small");
        assert_eq!(finished["step"], "fill:public.small");
        assert_eq!(finished["fingerprint"], fingerprint.as_str());
        assert!(finished["duration_ms"].is_u64());
        let kinds: Vec<_> = all
            .iter()
            .filter_map(|object| object["action"].as_str())
            .collect();
        for action in [
            "drives",
            "phase_started",
            "step_started",
            "phase_finished",
            "phase_undone",
        ] {
            assert!(kinds.contains(&action), "{action}: {kinds:?}");
        }
    });
}
