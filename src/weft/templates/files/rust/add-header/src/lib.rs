//! Adds a header to every response.

mod json;

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};
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
        }))
    }
}

/// One per request.
struct MyFilter {
    config: Rc<Config>,
}

impl Context for MyFilter {}

impl HttpContext for MyFilter {
    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.add_http_response_header(&self.config.name, &self.config.value);
        Action::Continue
    }
}

/// What the filter is told; `config.schema.json` says the same to people and editors.
struct Config {
    name: String,
    value: String,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            name: "hello".into(),
            value: "world".into(),
        }
    }
}

impl Config {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let mut config = Config::default();
        for (key, value) in json::object(text)? {
            match (key.as_str(), value) {
                ("name", Value::String(text)) => config.name = header_name(&text)?,
                ("value", Value::String(text)) => config.value = header_value(text)?,
                ("name" | "value", _) => return Err(format!("{key} must be a string")),
                _ => return Err(format!("{key} is not a known key")),
            }
        }
        Ok(config)
    }
}

/// A name that HTTP allows (RFC 9110, section 5.6.2), in lower case.
fn header_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(allowed) {
        return Err("name must be a valid header name".into());
    }
    Ok(text.to_ascii_lowercase())
}

fn header_value(text: String) -> Result<String, String> {
    if text.contains(char::is_control) {
        return Err("value must be a valid header value".into());
    }
    Ok(text)
}
