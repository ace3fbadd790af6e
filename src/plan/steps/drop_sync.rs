//! `drop_sync`: takes the dual-write triggers away, in the transaction that drops the old column.

use crate::plan::ident::TableName;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropSync {
    pub table: TableName,
}
