//! What the database knows of the tables that files of SQL name, before they are run.

use super::{Access, Service, ServiceError, check_server};
use crate::database::catalog;
use crossfade_model::ident::Ident;
use crossfade_plan::{explain::known, scripts, search_path::SearchPath};
use crossfade_sql::catalog::Catalog;
use std::collections::BTreeSet;

/// Tables that are looked up for one check; of more nothing is known.
const TABLES_MAX: usize = 2_000;

/// For `analysis::Context`.
#[derive(Clone, Debug)]
pub struct KnownToSql {
    pub catalog: Catalog,
    pub search_path: Vec<String>,
}

impl Service {
    /// Of the tables that these texts name, as the session finds them in which they would be run: its own role's.
    pub async fn known_to_sql(&self, texts: &[&str]) -> Result<KnownToSql, ServiceError> {
        let session = self.session("check").await?;
        check_server(&session, Access::Read).await?;
        let plain = self.plain.connect("crossfade check").await?;
        let row = plain.query_one("SELECT current_schemas(false)::text[]", &[]);
        let search_path: Vec<String> = row.await?.get(0);
        plain.close().await;
        let path = SearchPath {
            schemas: search_path.iter().map(Ident::from_catalog).collect(),
            from: "the session".to_owned(),
        };
        let tables = texts
            .iter()
            .flat_map(|text| scripts::tables_of(text, Some(&path)));
        let tables: BTreeSet<_> = tables.take(TABLES_MAX).collect();
        let mut facts = catalog::identity(&session).await?;
        for table in tables {
            let found = catalog::table(&*session, &table).await?;
            facts.tables.insert(table, found);
        }
        Ok(KnownToSql {
            catalog: known::catalog(&facts),
            search_path,
        })
    }
}
