//! The filter of `scenarios.yaml`, written for the first releases of the SDK.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, LogLevel};
use std::cell::RefCell;
use std::time::Duration;

thread_local! {
    static CONFIG: RefCell<String> = RefCell::new(String::new());
}

#[no_mangle]
pub fn _initialize() {
    proxy_wasm::set_root_context(|_| Box::new(Root));
    proxy_wasm::set_http_context(|_, _| Box::new(Stream));
}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let config = String::from_utf8(self.get_configuration().unwrap_or_default()).unwrap();
        hostcalls::log(LogLevel::Info, &format!("configured with {}", config)).unwrap();
        CONFIG.with(|kept| kept.replace(config));
        true
    }
}

struct Stream;

impl Context for Stream {
    fn on_http_call_response(&mut self, _: u32, _: usize, _: usize, _: usize) {
        let headers = self.get_http_call_response_headers();
        let status = headers.iter().find(|(name, _)| name == ":status");
        self.set_http_request_header("x-auth", status.map(|(_, value)| value.as_str()));
        self.resume_http_request();
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize) -> Action {
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
        let longer = [b"<", body.as_slice(), b">"].concat();
        self.set_http_request_body(0, size, &longer);
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize) -> Action {
        CONFIG.with(|config| self.set_http_response_header("x-config", Some(&config.borrow())));
        Action::Continue
    }
}
