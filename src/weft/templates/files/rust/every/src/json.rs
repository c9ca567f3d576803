//! The outer shape of every config: nothing at all, or one JSON object.

use serde_json::{Map, Value};

/// The object's keys, or what is wrong. No text at all is an empty object.
pub fn object(text: &[u8]) -> Result<Map<String, Value>, String> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(text) {
        Ok(Value::Object(keys)) => Ok(keys),
        Ok(_) => Err("must be an object".into()),
        Err(error) => Err(format!("not valid JSON: {error}")),
    }
}
