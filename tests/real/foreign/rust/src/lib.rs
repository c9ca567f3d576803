//! The filter of `scenarios.yaml`, with the official SDK of today.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType};
use std::time::Duration;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root { config: String::new(), counter: 0 }));
}}

struct Root {
    config: String,
    counter: u32,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        self.config = String::from_utf8(self.get_plugin_configuration().unwrap_or_default()).unwrap();
        hostcalls::log(LogLevel::Info, &format!("configured with {}", self.config)).unwrap();
        self.counter = hostcalls::define_metric(MetricType::Counter, "foreign_responses").unwrap();
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { config: self.config.clone(), counter: self.counter }))
    }
}

struct Stream {
    config: String,
    counter: u32,
}

impl Context for Stream {
    fn on_http_call_response(&mut self, _: u32, _: usize, _: usize, _: usize) {
        self.set_http_request_header("x-auth", self.get_http_call_response_header(":status").as_deref());
        self.resume_http_request();
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let path = self.get_http_request_header(":path").unwrap();
        if path == "/local" {
            self.send_http_response(418, vec![("x-pot", "tea")], Some(b"short and stout\n"));
            return Action::Pause;
        }
        self.set_http_request_header("x-gone", None);
        self.set_http_request_header("x-twice", Some("new"));
        self.add_http_request_header("x-list", "filter");
        let count = self.get_http_request_headers().iter().filter(|(name, _)| name == "x-list").count();
        self.add_http_request_header("x-count", &count.to_string());
        if path != "/call" {
            return Action::Continue;
        }
        let question = vec![(":method", "GET"), (":path", "/ask"), (":authority", "auth")];
        self.dispatch_http_call("auth", question, None, vec![], Duration::from_secs(1)).unwrap();
        Action::Pause
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if !end {
            return Action::Pause;
        }
        let body = self.get_http_request_body(0, size).unwrap();
        self.set_http_request_body(0, size, &[b"<", body.as_slice(), b">"].concat());
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header("x-config", Some(&self.config));
        hostcalls::increment_metric(self.counter, 1).unwrap();
        Action::Continue
    }
}
