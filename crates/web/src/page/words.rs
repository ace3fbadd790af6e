//! Moments, spans and states as the pages write them.

use crossfade_decisions::lifecycle::transition::State;
use crossfade_plan::span::Span;
use jiff::Timestamp;
use maud::{Markup, html};
use std::time::Duration;

/// In UTC, to the second; the script shows it in the reader's time zone.
pub fn moment(at: Timestamp) -> Markup {
    html! { time datetime=(format!("{at:.3}")) { (at.strftime("%Y-%m-%d %H:%M:%S UTC")) } }
}

pub fn took(from: Timestamp, to: Timestamp) -> String {
    Span::rough(to.duration_since(from).unsigned_abs()).to_string()
}

/// `26 h ago`
pub fn ago(at: Timestamp) -> String {
    let passed = Timestamp::now().duration_since(at);
    if passed.is_negative() || passed.unsigned_abs() < Duration::from_secs(1) {
        return "just now".to_owned();
    }
    format!("{} ago", Span::rough(passed.unsigned_abs()))
}

pub fn state_word(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::Running => "running",
        State::Failed => "failed",
        State::Completed => "completed",
        State::Reverting => "being undone",
        State::Reverted => "undone",
    }
}

/// The name of its style.
pub fn state_class(state: State) -> &'static str {
    match state {
        State::Pending | State::Reverted => "pending",
        State::Running | State::Reverting => "running",
        State::Failed => "failed",
        State::Completed => "completed",
    }
}

/// A sentence as the command line writes it: what stands between backticks is code.
pub fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// With a space between thousands.
pub fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}
