//! Workflows of Microsoft Teams that post a card when a webhook request is received.

use crate::{Sending, Way, http::Address};
use crossfade_coordinator::service::Message;
use serde_json::{Value, json};

pub struct Teams(pub Address);

/// An Adaptive Card. Its text is Markdown, in which these mean something.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        if matches!(letter, '\\' | '*' | '_' | '[' | ']' | '`' | '#') {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

fn body(message: &Message) -> Value {
    let line = |text: String, is_subtle: bool| json!({"type": "TextBlock", "text": text, "wrap": true, "isSubtle": is_subtle});
    let by = format!("by {} in {}", plain(&message.by), plain(&message.database));
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [line(plain(&message.summary), false), line(by, true)],
    });
    if let Some(link) = &message.link {
        card["actions"] = json!([{"type": "Action.OpenUrl", "title": "Open the run", "url": link}]);
    }
    json!({
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    })
}

impl Way for Teams {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async move { self.0.post(body(message).to_string(), &[]).await })
    }
}
