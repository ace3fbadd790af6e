//! When the last backup ended, by a query or by what a command has printed, against the database's clock.

use super::Result;
use tokio_postgres::GenericClient;

/// Seconds between this moment and now. A number is of seconds since 1970; anything else is read by the server.
const AGE: &str = "\
    SELECT extract(epoch FROM pg_catalog.clock_timestamp() - CASE WHEN $1::text ~ '^[0-9]+(\\.[0-9]+)?$' \
        THEN pg_catalog.to_timestamp($1::text::float8) ELSE $1::text::timestamptz END)::float8";

pub async fn age_of(client: &impl GenericClient, moment: &str) -> Result<Option<f64>> {
    Ok(client.query_one(AGE, &[&moment]).await?.get(0))
}

/// The same of the query's value; `None`: it gives none. The caller bounds its time and keeps it from writing.
pub async fn asked(client: &impl GenericClient, sql: &str) -> Result<Option<f64>> {
    // The line break ends a comment that the query ends with.
    let sql = sql.trim_end().trim_end_matches(';');
    let row = client
        .query_one(&format!("SELECT ({sql}\n)::text"), &[])
        .await?;
    match row.get::<_, Option<String>>(0) {
        Some(moment) => age_of(client, moment.trim()).await,
        None => Ok(None),
    }
}
