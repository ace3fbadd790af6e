//! Reads libpq's `host=localhost dbname='my database'` connection strings.

use std::iter::Peekable;
use std::str::Chars;

use super::error::{ConnectError, Origin};
use super::parameters::Parameters;

/// Reads key=value pairs. Errors never quote the text: it may hold a password.
pub(super) fn parse(text: &str, origin: &Origin) -> Result<Parameters, ConnectError> {
    let bad = |problem: &str| ConnectError::BadUrl {
        origin: origin.clone(),
        problem: problem.to_owned(),
    };
    let mut parameters = Parameters::default();
    let mut characters = text.chars().peekable();
    loop {
        skip_spaces(&mut characters);
        if characters.peek().is_none() {
            return Ok(parameters);
        }
        let name = name(&mut characters);
        skip_spaces(&mut characters);
        if characters.next() != Some('=') {
            return Err(bad("a word is not followed by ="));
        }
        skip_spaces(&mut characters);
        let value = match characters.next_if_eq(&'\'') {
            Some(_) => quoted_value(&mut characters)
                .ok_or_else(|| bad("a quoted value lacks its closing quote"))?,
            None => plain_value(&mut characters),
        };
        parameters.set(&name, value, origin)?;
    }
}

fn skip_spaces(characters: &mut Peekable<Chars<'_>>) {
    while characters.next_if(|c| c.is_whitespace()).is_some() {}
}

fn name(characters: &mut Peekable<Chars<'_>>) -> String {
    let mut name = String::new();
    while let Some(c) = characters.next_if(|c| *c != '=' && !c.is_whitespace()) {
        name.push(c);
    }
    name
}

fn plain_value(characters: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    while let Some(c) = characters.next_if(|c| !c.is_whitespace()) {
        match c {
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    value
}

fn quoted_value(characters: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut value = String::new();
    loop {
        match characters.next()? {
            '\'' => return Some(value),
            '\\' => value.push(characters.next()?),
            other => value.push(other),
        }
    }
}
