//! A message as JSON: what webhooks and commands get.

use crossfade_coordinator::service::Message;
use serde_json::{Value, json};

/// `{type, timestamp, data}`, as the Standard Webhooks specification has it.
pub fn payload(message: &Message) -> Value {
    let mut data = json!({
        "database": message.database,
        "run": message.run,
        "event": message.event,
        "by": message.by,
        "summary": message.summary,
        "link": message.link,
        "detail": message.detail,
    });
    if let Some(report) = &message.report {
        data["report"] = json!(report);
    }
    json!({"type": message.topic, "timestamp": message.at, "data": data})
}
