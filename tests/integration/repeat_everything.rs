//! Every step may run twice: what a crash between an effect and its record leaves is run again and changes nothing.

use crate::changes::{
    Change, NUMBER_FROM_TEXT, PHASES, VEHICLES, narrowing, number_from_text, rename, rows,
};
use crate::support::{Database, on_postgresql, plan_file};

const NEWEST: &str = "(SELECT max(id) FROM crossfade.runs)";

/// The records say "running" of what is done: each step alone, and all of the phase.
pub async fn forget(database: &Database, phase: &str, step: Option<&str>) {
    let which = step.map_or_else(|| "true".to_owned(), |step| format!("step = '{step}'"));
    database
        .execute(&format!(
            "UPDATE crossfade.runs SET state = 'active', finished_at = NULL WHERE id = {NEWEST}; \
             UPDATE crossfade.phases SET state = 'running', finished_at = NULL WHERE phase = '{phase}' AND run_id = {NEWEST}; \
             UPDATE crossfade.steps SET state = 'running' WHERE phase = '{phase}' AND {which} AND run_id = {NEWEST}"
        ))
        .await;
}

pub async fn steps_of(database: &Database, phase: &str) -> Vec<String> {
    let client = database.client().await;
    let rows = client
        .query(
            &format!("SELECT step FROM crossfade.steps WHERE phase = $1 AND run_id = {NEWEST} ORDER BY position"),
            &[&phase],
        )
        .await
        .expect("the steps");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn every_step_twice_gives_the_same(database: &Database, change: &Change) {
    change.start(database).await;
    for phase in PHASES {
        let forward = ["advance", change.run, "--to", phase, "--yes"];
        database.crossfade(&forward).exits(0);
        let once = (database.dump_schema(), rows(database).await);
        let mut repeats: Vec<Option<String>> = steps_of(database, phase)
            .await
            .into_iter()
            .map(Some)
            .collect();
        if phase == "contract" {
            // Its steps are recorded in one transaction.
            repeats.clear();
        }
        repeats.push(None);
        for step in repeats {
            let at = format!("{} {phase} {step:?}", change.run);
            forget(database, phase, step.as_deref()).await;
            database.crossfade(&forward).exits(0);
            assert_eq!(database.dump_schema(), once.0, "{at}");
            assert!(rows(database).await == once.1, "{at}: the rows");
            let left =
                "SELECT count(*) FROM crossfade.steps WHERE state <> 'completed' AND phase = ";
            assert_eq!(
                database.value(&format!("{left}'{phase}'")).await,
                "0",
                "{at}"
            );
        }
    }
    assert_eq!(database.status(change.run)["state"], "completed");
}

async fn every_reverse_twice_gives_the_same(database: &Database, change: &Change) {
    database.execute(VEHICLES).await;
    let original = (database.dump_schema(), rows(database).await);
    change.register(database);
    database
        .crossfade(&["advance", change.run, "--to", "retire"])
        .exits(0);
    for number in (0..7).rev() {
        let (phase, target) = (
            PHASES[number],
            number.checked_sub(1).map(|number| PHASES[number]),
        );
        let back = match target {
            Some(target) => vec!["rollback", change.run, "--to", target, "--yes"],
            None => vec!["rollback", change.run, "--yes"],
        };
        database.crossfade(&back).exits(0);
        let once = (database.dump_schema(), rows(database).await);
        // The one that was reversed last: what is older must stand while a step is reversed, so that no crash leaves
        // another one to be repeated here. Those in between are repeated where the process is killed at them.
        if let Some(step) = steps_of(database, phase).await.first() {
            let at = format!("{} {phase} {step}", change.run);
            database
                .execute(&format!(
                    "UPDATE crossfade.runs SET state = 'active', finished_at = NULL, rolling_back_to = '{}'; \
                     UPDATE crossfade.phases SET state = 'reverting' WHERE phase = '{phase}'; \
                     UPDATE crossfade.steps SET state = 'reverting' WHERE step = '{step}'",
                    target.unwrap_or("start")
                ))
                .await;
            database.crossfade(&back).exits(0);
            assert_eq!(database.dump_schema(), once.0, "{at}");
            assert!(rows(database).await == once.1, "{at}: the rows");
        }
    }
    assert_eq!(database.dump_schema(), original.0, "{}", change.run);
    assert!(rows(database).await == original.1, "{}", change.run);
    assert_eq!(database.status(change.run)["state"], "rolled_back");
}

#[test]
fn every_step_of_a_rename_run_twice_changes_nothing() {
    on_postgresql(async |database| every_step_twice_gives_the_same(database, &rename()).await);
}

#[test]
fn every_step_of_a_narrowing_run_twice_changes_nothing() {
    on_postgresql(async |database| every_step_twice_gives_the_same(database, &narrowing()).await);
}

#[test]
fn every_step_of_text_to_integer_run_twice_changes_nothing() {
    on_postgresql(async |database| {
        let file = plan_file(NUMBER_FROM_TEXT);
        every_step_twice_gives_the_same(database, &number_from_text(file.path())).await;
    });
}

#[test]
fn the_last_reverse_of_each_phase_run_twice_gives_the_original_schema() {
    let file = plan_file(NUMBER_FROM_TEXT);
    for change in [rename(), narrowing(), number_from_text(file.path())] {
        on_postgresql(async |database| every_reverse_twice_gives_the_same(database, &change).await);
    }
}
