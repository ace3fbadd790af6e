//! What a batch of a backfill is to transactions of the application: measured, and said by `explain`.

use crate::support::{on_postgresql, plan_file};
use tokio_postgres::error::SqlState;

const TABLE: &str = "CREATE TABLE vehicles (id bigint PRIMARY KEY, status text, pad text); \
    INSERT INTO vehicles SELECT i, 's', 'x' FROM generate_series(1, 200) AS i";
const PLAN: &str = "version: 1\nname: run\nchange:\n  rename_column: {table: public.vehicles, from: status, to: state}\n";

#[test]
fn what_the_application_may_notice_of_a_batch_is_what_is_said() {
    on_postgresql(async |database| {
        database.execute(TABLE).await;
        let file = plan_file(PLAN);
        let path = file.path().to_str().unwrap();
        let said = database.crossfade(&["explain", path]).exits(0).stdout;
        for word in ["40001", "55P03", "xmin"] {
            assert!(said.contains(word), "{said}");
        }
        let index = plan_file(
            "version: 1\nname: other\nchange: {add_index: {table: public.vehicles, columns: [pad]}}\n",
        );
        let silent = database
            .crossfade(&["explain", index.path().to_str().unwrap()])
            .exits(0)
            .stdout;
        assert!(!silent.contains("40001"), "{silent}");
        database.crossfade(&["start", path]).exits(0);
        database
            .crossfade(&["advance", "run", "--to", "dual_write"])
            .exits(0);
        let (repeatable, plain, optimistic) = (
            database.client().await,
            database.client().await,
            database.client().await,
        );
        let sees = "SELECT xmin::text FROM vehicles WHERE id = 1";
        repeatable
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            .await
            .unwrap();
        let xmin: String = repeatable.query_one(sees, &[]).await.unwrap().get(0);
        // A batch that waits for one row holds those before it.
        let (holder, looker) = (database.client().await, database.client().await);
        holder
            .batch_execute("BEGIN; SELECT FROM vehicles WHERE id = 150 FOR UPDATE")
            .await
            .unwrap();
        let backfill = database.spawn(&[], &["advance", "run", "--to", "backfill"]);
        let mut refused = None;
        for _ in 0..3_000 {
            let row = looker.query("SELECT FROM vehicles WHERE id = 1 FOR UPDATE NOWAIT", &[]);
            match row.await {
                Ok(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
                Err(error) => {
                    refused = error.code().cloned();
                    break;
                }
            }
        }
        assert_eq!(refused, Some(SqlState::LOCK_NOT_AVAILABLE));
        let waits = tokio::spawn(async move {
            plain
                .execute("UPDATE vehicles SET pad = 'y' WHERE id = 1", &[])
                .await
        });
        holder.batch_execute("COMMIT").await.unwrap();
        backfill.wait().exits(0);
        assert_eq!(waits.await.unwrap().unwrap(), 1, "READ COMMITTED waits");
        let failed = repeatable
            .execute("UPDATE vehicles SET pad = 'z' WHERE id = 2", &[])
            .await
            .unwrap_err();
        assert_eq!(failed.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
        let by_xmin = format!("UPDATE vehicles SET pad = 'z' WHERE id = 3 AND xmin = '{xmin}'");
        assert_eq!(optimistic.execute(&by_xmin, &[]).await.unwrap(), 0);
        assert_eq!(
            database
                .value("SELECT count(*) FROM vehicles WHERE state IS DISTINCT FROM status")
                .await,
            "0"
        );
    });
}
