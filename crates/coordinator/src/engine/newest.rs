//! That the server is not what was the primary before: by what the run and this process know, and by the other hosts of the
//! connection string.

use super::{EngineError, vital};
use crate::store::{
    StoreError,
    timeline::{self, Server},
};
use crossfade_postgres::connect::{Session, Target};
use futures_util::future::join_all;
use std::time::Duration;

/// So long another host is waited for. One that does not answer is no reason not to go on.
const LOOK_WITHIN: Duration = Duration::from_secs(3);

/// The server of `session`; an error where the same cluster is known to be on a newer timeline.
pub async fn require(
    target: &Target,
    session: &Session,
    run_id: i64,
    known: Option<Server>,
) -> Result<Option<Server>, EngineError> {
    let Some(server) = timeline::current(&**session).await? else {
        return Ok(None);
    };
    let noted = timeline::noted(&**session, run_id).await?;
    let others = [
        (
            known,
            "the server that this process was on before".to_owned(),
        ),
        (noted, "the one that the run was last driven on".to_owned()),
    ];
    for (other, name) in others.into_iter().chain(others_of(target).await) {
        if let Some(other) = other.filter(|other| server.is_before(*other)) {
            return Err(StoreError::OldPrimary {
                server: target.describe(),
                found: server.timeline,
                newer: name,
                known: other.timeline,
            }
            .into());
        }
    }
    Ok(Some(server))
}

/// What the hosts of the connection string are on, where there are several.
async fn others_of(target: &Target) -> Vec<(Option<Server>, String)> {
    let hosts = target.hosts();
    if hosts.len() < 2 {
        return Vec::new();
    }
    let looks = hosts.into_iter().map(|host| async move {
        let look = vital::within(LOOK_WITHIN, async {
            let session = host.connect("crossfade timeline").await?;
            Ok::<_, EngineError>(timeline::current(&*session).await?)
        });
        (look.await.ok().flatten(), host.describe())
    });
    join_all(looks).await
}
