//! Rewrites the paths of requests by regular expressions.

mod json;

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};
use regex_lite::Regex;
use serde_json::Value;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace); // everything goes to Envoy, which decides what is shown
    proxy_wasm::set_root_context(|_| Box::<MyFilterRoot>::default());
}}

/// One per plugin config. Envoy makes a new one when the config changes.
#[derive(Default)]
struct MyFilterRoot {
    config: Rc<Config>,
}

impl Context for MyFilterRoot {}

impl RootContext for MyFilterRoot {
    fn on_configure(&mut self, _size: usize) -> bool {
        match Config::parse(&self.get_plugin_configuration().unwrap_or_default()) {
            Ok(config) => self.config = Rc::new(config),
            Err(problem) => {
                log::error!("config: {problem}");
                return false; // Envoy refuses the config and keeps the last good one
            }
        }
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(MyFilter {
            config: Rc::clone(&self.config), // shared, not copied: this runs for every request
            original_path: None,
        }))
    }
}

/// One per request.
struct MyFilter {
    config: Rc<Config>,
    original_path: Option<String>,
}

impl Context for MyFilter {}

impl HttpContext for MyFilter {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        // Without `_bytes` the SDK panics on what is not UTF-8.
        let path = self.get_http_request_header_bytes(":path");
        let Some(Ok(path)) = path.map(String::from_utf8) else {
            return Action::Continue;
        };
        if let Some(rewrite) = self.config.rewrite(&path) {
            self.set_http_request_header(":path", Some(&rewrite.custom_path));
            self.set_http_request_header("location", Some("envoy-wasm"));
            self.original_path = Some(path);
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let Some(path) = &self.original_path {
            self.set_http_response_header("x-original-path", Some(path));
        }
        Action::Continue
    }
}

/// What the filter is told; `config.schema.json` says the same to people and editors.
#[derive(Default)]
struct Config {
    rewrites: Vec<Rewrite>,
}

struct Rewrite {
    pattern: Regex,
    custom_path: String,
}

impl Config {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let mut config = Config::default();
        for (key, value) in json::object(text)? {
            match (key.as_str(), value) {
                ("rewrites", Value::Array(items)) => config.rewrites = Rewrite::parse_all(items)?,
                ("rewrites", _) => return Err("rewrites must be a list".into()),
                _ => return Err(format!("{key} is not a known key")),
            }
        }
        Ok(config)
    }

    /// The first that matches the whole path and has a path to put in its place.
    fn rewrite(&self, path: &str) -> Option<&Rewrite> {
        let mut rewrites = self.rewrites.iter();
        rewrites.find(|rewrite| !rewrite.custom_path.is_empty() && rewrite.pattern.is_match(path))
    }
}

impl Rewrite {
    fn parse_all(items: Vec<Value>) -> Result<Vec<Self>, String> {
        let mut rewrites = Vec::new();
        for (at, item) in items.into_iter().enumerate() {
            rewrites.push(Self::parse(item).map_err(|problem| format!("rewrites[{at}]{problem}"))?);
        }
        Ok(rewrites)
    }

    fn parse(item: Value) -> Result<Self, String> {
        let Value::Object(keys) = item else {
            return Err(" must be an object".into());
        };
        let mut pattern = None;
        let mut custom_path = String::new();
        for (key, value) in keys {
            match (key.as_str(), value) {
                ("regex_match", Value::String(text)) => pattern = Some(whole(&text)?),
                ("custom_path", Value::String(text)) => custom_path = text,
                ("regex_match" | "custom_path", _) => {
                    return Err(format!(".{key} must be a string"));
                }
                _ => return Err(format!(".{key} is not a known key")),
            }
        }
        let pattern = pattern.ok_or(".regex_match is missing")?;
        Ok(Rewrite {
            pattern,
            custom_path,
        })
    }
}

/// `pattern`, made to match a whole text or not at all. It must be valid by itself: `a)(b` is not.
fn whole(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern)
        .and_then(|_| Regex::new(&format!(r"\A(?:{pattern})\z")))
        .map_err(|error| format!(".regex_match is not a valid regular expression: {error}"))
}
