//! Reads a plan from its text.

use crate::{compile, decode, document::Document};
use crossfade_model::error::{Path, PlanError};

/// What a text says, whatever is wrong with that; `None` where it cannot be decoded.
pub fn decoded(text: &str) -> Option<Document> {
    let value = decode::read(text).ok()?;
    decode::decode::<Document>(value, &Path::root(), &mut Vec::new())
}

/// Decodes a document and checks what can be checked without a database.
pub fn read_document(text: &str) -> Result<Document, Vec<PlanError>> {
    read_with(text, compile::check_structure)
}

/// The same for a document that a database will be asked about: what depends on it is judged then.
pub fn read_form(text: &str) -> Result<Document, Vec<PlanError>> {
    read_with(text, compile::check_form)
}

fn read_with(
    text: &str,
    check: fn(&Document) -> Vec<PlanError>,
) -> Result<Document, Vec<PlanError>> {
    let value = decode::read(text)?;
    let mut errors = Vec::new();
    let document = decode::decode::<Document>(value, &Path::root(), &mut errors);
    match document {
        Some(document) if errors.is_empty() => {
            let errors = check(&document);
            if errors.is_empty() {
                Ok(document)
            } else {
                Err(errors)
            }
        }
        _ => Err(errors),
    }
}
