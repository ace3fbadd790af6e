//! Statements as an application behind any pooler sends them: all in one message, with the types of all parameters.

use crate::support::ledger::Values;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use tokio_postgres::{
    Client, Row,
    types::{ToSql, Type},
};

/// Every statement typed, so that nothing is asked of the server first.
pub type Parameter = (Option<String>, Type);

pub fn parameters(key: i64, values: &[String]) -> Vec<Parameter> {
    let key = std::iter::once(Some(key.to_string()));
    let values = values.iter().cloned().map(Some);
    key.chain(values).map(|text| (text, Type::TEXT)).collect()
}

pub async fn send_unnamed(
    client: &Client,
    sql: &str,
    parameters: &[Parameter],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let typed: Vec<(&(dyn ToSql + Sync), Type)> = parameters
        .iter()
        .map(|(text, kind)| (text as &(dyn ToSql + Sync), kind.clone()))
        .collect();
    client.query_typed(sql, &typed).await
}

pub fn values_of(rows: &[Row]) -> Values {
    let row = rows.first()?;
    let text = |place| row.get::<_, Option<String>>(place);
    Some(
        (0..row.len())
            .map(|place| text(place).unwrap_or_else(|| "NULL".to_owned()))
            .collect(),
    )
}

pub async fn read_all(
    client: &Client,
    sql: &str,
    keys: &[i64],
) -> Result<BTreeMap<i64, Values>, tokio_postgres::Error> {
    let read = keys.iter().map(async |key| {
        let rows = send_unnamed(client, sql, &parameters(*key, &[])).await?;
        Ok((*key, values_of(&rows)))
    });
    join_all(read).await.into_iter().collect()
}
