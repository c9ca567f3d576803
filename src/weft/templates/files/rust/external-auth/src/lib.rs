//! Asks an authorization service about every request, and fails closed.

mod json;

use std::error::Error;
use std::rc::Rc;
use std::string::FromUtf8Error;
use std::time::Duration;

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
            allowed: false,
        }))
    }
}

/// One per request.
struct MyFilter {
    config: Rc<Config>,
    allowed: bool,
}

impl Context for MyFilter {
    fn on_http_call_response(
        &mut self,
        _token: u32,
        headers: usize,
        _body: usize,
        _trailers: usize,
    ) {
        // No headers at all: the call failed or took too long, and there is no status to ask for.
        let status = (headers > 0).then(|| self.get_http_call_response_header_bytes(":status"));
        self.allowed = status.flatten().as_deref() == Some(b"200");
        if self.allowed {
            self.resume_http_request();
        } else {
            self.refuse();
        }
    }
}

impl HttpContext for MyFilter {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let Err(problem) = self.ask() {
            log::debug!("not asked: {problem}");
            self.refuse();
        }
        Action::Pause // until the answer is here
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if self.allowed {
            self.set_http_response_header("x-ext-auth", Some("allowed"));
        }
        Action::Continue
    }
}

impl MyFilter {
    /// Send the question; the answer arrives in `on_http_call_response`.
    fn ask(&self) -> Result<(), Box<dyn Error>> {
        let config = &self.config;
        let path = self.request_header(":path")?.unwrap_or_default();
        let authorization = self.request_header("authorization")?;
        let mut headers = vec![
            (":method", "GET"),
            (":path", &config.path),
            (":authority", &config.authority),
            ("x-original-path", &path),
        ];
        if let Some(authorization) = &authorization {
            headers.push(("authorization", authorization));
        }
        self.dispatch_http_call(&config.cluster, headers, None, vec![], config.timeout)
            .map_err(|status| format!("{status:?}"))?;
        Ok(())
    }

    /// A header the client sent. Without `_bytes` the SDK panics on what is not UTF-8.
    fn request_header(&self, name: &str) -> Result<Option<String>, FromUtf8Error> {
        let value = self.get_http_request_header_bytes(name);
        value.map(String::from_utf8).transpose()
    }

    fn refuse(&self) {
        self.send_http_response(403, vec![], Some(b"not authorized\n"));
    }
}

/// What the filter is told; `config.schema.json` says the same to people and editors.
struct Config {
    cluster: String,
    authority: String,
    path: String,
    timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            cluster: "auth-cluster".into(),
            authority: "auth".into(),
            path: "/".into(),
            timeout: Duration::from_secs(1),
        }
    }
}

impl Config {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let mut config = Config::default();
        for (key, value) in json::object(text)? {
            match (key.as_str(), value) {
                ("cluster" | "authority", Value::String(text)) if text.is_empty() => {
                    return Err(format!("{key} must not be empty"));
                }
                ("cluster", Value::String(text)) => config.cluster = text,
                ("authority", Value::String(text)) => config.authority = text,
                ("path", Value::String(text)) if text.starts_with('/') => config.path = text,
                ("path", Value::String(_)) => return Err("path must start with /".into()),
                ("cluster" | "authority" | "path", _) => {
                    return Err(format!("{key} must be a string"));
                }
                ("timeout_ms", value) => config.timeout = timeout(&value)?,
                _ => return Err(format!("{key} is not a known key")),
            }
        }
        Ok(config)
    }
}

fn timeout(milliseconds: &Value) -> Result<Duration, String> {
    match milliseconds.as_u64() {
        Some(number @ 1..=0xffff_ffff) => Ok(Duration::from_millis(number)),
        _ => Err("timeout_ms must be a whole number from 1 to 4294967295".into()),
    }
}
