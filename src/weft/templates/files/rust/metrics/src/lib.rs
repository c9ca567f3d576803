//! Counts and times requests in metrics of its own.

mod json;

use std::time::SystemTime;

use proxy_wasm::hostcalls::{define_metric, get_metric, increment_metric, record_metric};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType, Status};
use serde_json::Value;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace); // everything goes to Envoy, which decides what is shown
    proxy_wasm::set_root_context(|_| Box::<MyFilterRoot>::default());
}}

/// One per plugin config. Envoy makes a new one when the config changes.
#[derive(Default)]
struct MyFilterRoot {
    metrics: Metrics,
}

impl Context for MyFilterRoot {}

impl RootContext for MyFilterRoot {
    fn on_configure(&mut self, _size: usize) -> bool {
        match Config::parse(&self.get_plugin_configuration().unwrap_or_default()) {
            Ok(config) => self.metrics = Metrics::define(&config.prefix),
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
            metrics: self.metrics,
            started: None,
        }))
    }
}

/// One per request.
struct MyFilter {
    metrics: Metrics,
    started: Option<SystemTime>,
}

impl Context for MyFilter {}

impl HttpContext for MyFilter {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.started = Some(self.get_current_time());
        self.metrics.request_started();
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let seen = self.metrics.requests_seen().to_string();
        self.set_http_response_header("x-requests-seen", Some(&seen));
        Action::Continue
    }

    /// The request is over, however it ended.
    fn on_log(&mut self) {
        if let Some(started) = self.started {
            let duration = self
                .get_current_time()
                .duration_since(started)
                .unwrap_or_default();
            self.metrics.request_ended(duration.as_millis() as u64);
        }
    }
}

/// Envoy's numbers for our metrics; what is counted lives in Envoy, over all its workers.
#[derive(Clone, Copy, Default)]
struct Metrics {
    requests: u32,
    active: u32,
    duration: u32,
}

impl Metrics {
    fn define(prefix: &str) -> Self {
        let define = |kind, name| define_metric(kind, &format!("{prefix}_{name}")).expect(name);
        Metrics {
            requests: define(MetricType::Counter, "requests_total"),
            active: define(MetricType::Gauge, "requests_active"),
            duration: define(MetricType::Histogram, "duration_ms"),
        }
    }

    fn request_started(&self) {
        noted(increment_metric(self.requests, 1));
        noted(increment_metric(self.active, 1));
    }

    fn request_ended(&self, milliseconds: u64) {
        noted(increment_metric(self.active, -1));
        noted(record_metric(self.duration, milliseconds));
    }

    fn requests_seen(&self) -> u64 {
        get_metric(self.requests).unwrap_or_default()
    }
}

/// A metric that cannot be written is no reason to fail a request.
fn noted(outcome: Result<(), Status>) {
    if let Err(status) = outcome {
        log::debug!("metric: {status:?}");
    }
}

/// What the filter is told; `config.schema.json` says the same to people and editors.
struct Config {
    prefix: String,
}

impl Config {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let mut config = Config {
            prefix: "my_filter".into(),
        };
        for (key, value) in json::object(text)? {
            match (key.as_str(), value) {
                ("prefix", Value::String(prefix)) if !prefix.is_empty() => config.prefix = prefix,
                ("prefix", Value::String(_)) => return Err("prefix must not be empty".into()),
                ("prefix", _) => return Err("prefix must be a string".into()),
                _ => return Err(format!("{key} is not a known key")),
            }
        }
        Ok(config)
    }
}
