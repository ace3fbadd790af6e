//! Slack's incoming webhooks.

use crate::{Sending, Way, http::Address};
use crossfade_coordinator::service::Message;
use serde_json::json;

pub struct Slack(pub Address);

/// Slack reads these three as its own.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn body(message: &Message) -> serde_json::Value {
    let link = message.link.as_deref().map_or(String::new(), |link| {
        format!("\n<{}|Open the run>", escaped(link))
    });
    let text = format!(
        "{}\n_by {} in {}_{link}",
        escaped(&message.summary),
        escaped(&message.by),
        escaped(&message.database)
    );
    json!({ "text": text })
}

impl Way for Slack {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async move { self.0.post(body(message).to_string(), &[]).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::payload;
    use crossfade_decisions::messages::Topic;

    #[test]
    fn what_slack_would_read_as_a_link_or_a_mention_is_text() {
        let message = Message {
            id: "msg_1".to_owned(),
            topic: Topic::Paused,
            at: "2026-11-30T12:00:00Z".to_owned(),
            database: "postgresql://127.0.0.1/garage".to_owned(),
            run: "rename-status".to_owned(),
            event: 7,
            by: "ann (ann@ops)".to_owned(),
            summary: "rename-status: paused: <!channel> & more".to_owned(),
            link: Some("http://127.0.0.1:8080/runs/rename-status".to_owned()),
            detail: json!({}),
            report: None,
        };
        let text = body(&message)["text"].as_str().unwrap().to_owned();
        assert!(text.contains("&lt;!channel&gt; &amp; more"), "{text}");
        assert!(text.ends_with("<http://127.0.0.1:8080/runs/rename-status|Open the run>"));
        assert_eq!(payload(&message)["type"], "paused");
    }
}
