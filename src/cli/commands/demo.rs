//! `demo`: a rename under traffic, proven.

use super::Context;
use crate::cli::{args::Demo, exit::Exit};

pub async fn run(_: &Context<'_>, _: &Demo) -> anyhow::Result<Exit> {
    anyhow::bail!("not yet")
}
