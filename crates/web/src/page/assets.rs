//! The style sheet and the script, which are part of the program.

use crate::failure::Failure;
use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};

pub const STYLE: &str = include_str!("../assets/style.css");
pub const SCRIPT: &str = include_str!("../assets/live.js");

/// Two sides, one fading into the other.
const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M3 26 29 6v20z" fill="#1d4fbf"/><path d="M29 6 3 26V6z" fill="#8db4ff"/></svg>"##;

pub async fn asset(Path(file): Path<String>) -> Result<Response, Failure> {
    let (kind, text) = match file.as_str() {
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "live.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return Err(Failure::NotFound(format!("there is no file {file:?}"))),
    };
    // The address has no version in it: a browser asks again, so that an upgraded server is not shown in old clothes.
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, text).into_response())
}
