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
        database.crossfade(&["init"]).exits(0);
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
