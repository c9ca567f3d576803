//! The suite's filter: the path of a request, or what a connection says, names what it does with the host.
//! Whatever comes back is logged, in the words of all other languages' filters.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext, StreamContext};
use proxy_wasm::types::{
    Action, BufferType, ContextType, LogLevel, MapType, MetricType, PeerType, Status,
};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| Box::<SuiteRoot>::default());
}}

// What the SDK does not offer, or not where nobody waits.
#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_size(map: MapType, return_size: *mut usize) -> Status;
    fn proxy_get_buffer_status(
        buffer: BufferType,
        return_length: *mut usize,
        return_flags: *mut u32,
    ) -> Status;
    fn proxy_done() -> Status;
}

fn info(line: &str) {
    hostcalls::log(LogLevel::Info, line).unwrap();
}

fn text(bytes: Option<Vec<u8>>) -> String {
    String::from_utf8(bytes.unwrap_or_default()).unwrap()
}

/// An envoy.config.core.v3.GrpcService that names an Envoy cluster.
fn service(cluster: &str) -> String {
    let size = cluster.len() as u8;
    format!("\n{}\n{}{cluster}", char::from(size + 2), char::from(size))
}

#[derive(Default)]
struct SuiteRoot {
    config: String,
    last_call: Rc<Cell<u32>>,
}

impl Context for SuiteRoot {}

impl RootContext for SuiteRoot {
    fn on_vm_start(&mut self, _: usize) -> bool {
        info(&format!("started {}", text(self.get_vm_configuration())));
        true
    }

    fn on_configure(&mut self, _: usize) -> bool {
        self.config = text(self.get_plugin_configuration());
        info(&format!("configured {}", self.config));
        self.register_shared_queue("letters");
        self.config != "refuse"
    }

    fn on_tick(&mut self) {
        info("tick");
        self.set_tick_period(Duration::ZERO);
    }

    fn on_queue_ready(&mut self, queue: u32) {
        while let Some(letter) = self.dequeue_shared_queue(queue).unwrap() {
            info(&format!("letter {}", text(Some(letter))));
        }
        info("no more letters");
    }

    fn get_type(&self) -> Option<ContextType> {
        let connections = self.config == "connections";
        Some(if connections {
            ContextType::StreamContext
        } else {
            ContextType::HttpContext
        })
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Suite {
            path: String::new(),
            waits: MapType::HttpRequestHeaders,
            last: self.last_call.clone(),
        }))
    }

    fn create_stream_context(&self, _: u32) -> Option<Box<dyn StreamContext>> {
        Some(Box::new(Connection))
    }
}

fn ask(context: &dyn Context) {
    let question = vec![(":method", "GET"), (":path", "/ask"), (":authority", "a")];
    let body = Some("question".as_bytes());
    context
        .dispatch_http_call(
            "a",
            question,
            body,
            vec![("x-sum", "1")],
            Duration::from_secs(2),
        )
        .unwrap();
}

fn answered(context: &dyn Context, count: usize, size: usize, trailers: usize) {
    let status = if count > 0 {
        context.get_http_call_response_header(":status").unwrap()
    } else {
        "failed".into()
    };
    info(&format!(
        "answer {status} {} {trailers}",
        text(context.get_http_call_response_body(0, size))
    ));
}

struct Suite {
    path: String,
    waits: MapType,
    last: Rc<Cell<u32>>,
}

impl Context for Suite {
    fn on_http_call_response(&mut self, _: u32, count: usize, size: usize, trailers: usize) {
        answered(self, count, size, trailers);
        match self.waits {
            MapType::HttpRequestHeaders => self.resume_http_request(),
            _ => self.resume_http_response(),
        }
    }

    fn on_grpc_call_response(&mut self, _: u32, status: u32, size: usize) {
        if status == 0 {
            info(&format!(
                "message {}",
                text(self.get_grpc_call_response_body(0, size))
            ));
        } else {
            closed(self, status);
        }
    }

    fn on_grpc_stream_initial_metadata(&mut self, _: u32, _: u32) {
        info(&format!(
            "initial {}",
            text(self.get_grpc_stream_initial_metadata_value("x-initial"))
        ));
    }

    fn on_grpc_stream_message(&mut self, _: u32, size: usize) {
        info(&format!(
            "message {}",
            text(self.get_grpc_stream_message(0, size))
        ));
    }

    fn on_grpc_stream_trailing_metadata(&mut self, _: u32, _: u32) {
        info(&format!(
            "trailing {}",
            text(self.get_grpc_stream_trailing_metadata_value("x-trailing"))
        ));
    }

    fn on_grpc_stream_close(&mut self, _: u32, status: u32) {
        closed(self, status);
    }
}

fn closed(context: &dyn Context, status: u32) {
    info(&format!("closed {status}"));
    let (code, words) = context.get_grpc_status();
    info(&format!("status {code} {}", words.unwrap_or_default()));
}

impl HttpContext for Suite {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.path = self.get_http_request_header(":path").unwrap();
        match self.path.clone().as_str() {
            "/headers" => self.headers(),
            "/replace-all" => self.set_http_request_headers(vec![
                (":method", "GET"),
                (":path", "/other"),
                (":authority", "other"),
                (":scheme", "http"),
                ("x-only", "one"),
            ]),
            "/sizes" => {
                let mut size = 0;
                unsafe { proxy_get_header_map_size(MapType::HttpRequestHeaders, &mut size) };
                info(&format!("headers of {size} bytes"));
            }
            "/reset" => self.reset_http_request(),
            "/shared" => self.shared(),
            "/queue" => {
                if self.resolve_shared_queue(&self.vm(), "nothing").is_none() {
                    info("no such queue");
                }
                self.post(&self.vm(), "at home");
            }
            "/across" => self.across(),
            "/metrics" => metrics(),
            "/properties" => self.properties(),
            "/time" => {
                let first = self.get_current_time();
                let passes = first > UNIX_EPOCH && self.get_current_time() >= first;
                info(if passes { "time passes" } else { "time is odd" });
            }
            "/levels" => levels(),
            "/foreign" => self.foreign(),
            "/tick" => hostcalls::set_tick_period(Duration::from_millis(100)).unwrap(),
            "/done" => info(if unsafe { proxy_done() } == Status::NotFound {
                "nobody waits"
            } else {
                "done"
            }),
            "/grpc" => self.grpc(),
            "/local" => {
                self.send_http_response(418, vec![("x-pot", "tea")], Some(b"short and stout\n"));
                return Action::Pause;
            }
            "/ask" => {
                ask(self);
                return Action::Pause;
            }
            _ => {}
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, _: bool) -> Action {
        self.body(BufferType::HttpRequestBody, size)
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.trailers(MapType::HttpRequestTrailers)
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if self.path == "/headers" {
            info(&format!(
                "status {}",
                self.get_http_response_header(":status").unwrap()
            ));
            self.add_http_response_header("x-list", "second");
            self.set_http_response_header("x-old", Some("new"));
            self.remove_http_response_header("x-gone");
        }
        if self.path == "/hold" {
            self.waits = MapType::HttpResponseHeaders;
            ask(self);
            return Action::Pause;
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, _: bool) -> Action {
        self.body(BufferType::HttpResponseBody, size)
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.trailers(MapType::HttpResponseTrailers)
    }

    fn on_log(&mut self) {
        info("log");
    }
}

impl Suite {
    fn headers(&self) {
        info(&format!(
            "x-in {}",
            self.get_http_request_header("x-in").unwrap()
        ));
        self.add_http_request_header("x-list", "second");
        self.set_http_request_header("x-old", Some("new"));
        self.remove_http_request_header("x-gone");
        let ours = self
            .get_http_request_headers()
            .iter()
            .filter(|(name, _)| name.starts_with("x-"))
            .count();
        info(&format!("{ours} of ours"));
    }

    fn shared(&self) {
        if self.get_shared_data("key").0.is_none() {
            info("nothing shared");
        }
        self.set_shared_data("key", Some(b"one"), None).unwrap();
        let (value, cas) = self.get_shared_data("key");
        info(&format!("shared {}", text(value)));
        if self.set_shared_data("key", Some(b"lost"), cas.map(|number| number + 1))
            == Err(Status::CasMismatch)
        {
            info("too late");
        }
        self.set_shared_data("key", Some(b"two"), cas).unwrap();
        info(&format!("shared {}", text(self.get_shared_data("key").0)));
    }

    fn vm(&self) -> String {
        text(self.get_property(vec!["plugin_vm_id"]))
    }

    fn post(&self, vm: &str, letter: &str) {
        if let Some(queue) = self.resolve_shared_queue(vm, "letters") {
            self.enqueue_shared_queue(queue, Some(letter.as_bytes()))
                .unwrap();
        }
    }

    /// The first filter tells where its queue is; the next one writes to it.
    fn across(&self) {
        match self.get_http_request_header("x-vm") {
            None => self.add_http_request_header("x-vm", &self.vm()),
            Some(other) => {
                self.remove_http_request_header("x-vm");
                self.post(&other, "from afar");
            }
        }
    }

    fn properties(&self) {
        info(&format!(
            "path {}",
            text(self.get_property(vec!["request", "path"]))
        ));
        if self.get_property(vec!["no", "such"]).is_none() {
            info("no such property");
        }
        self.set_property(vec!["mine"], Some(b"yes"));
        info(&format!("mine {}", text(self.get_property(vec!["mine"]))));
    }

    fn foreign(&self) {
        if self.call_foreign_function("nothing", Some(b"x")) == Err(Status::NotFound) {
            info("no such function");
        }
        let pressed = self
            .call_foreign_function("compress", Some(&[b'a'; 32]))
            .unwrap()
            .unwrap();
        info(&format!(
            "again {}",
            text(
                self.call_foreign_function("uncompress", Some(&pressed))
                    .unwrap()
            )
        ));
        if self
            .call_foreign_function("clear_route_cache", None)
            .is_ok()
        {
            info("another route");
        }
    }

    fn grpc(&self) {
        let message = self
            .get_http_request_header("x-message")
            .unwrap_or_default();
        let (to, mine) = (service("a"), || vec![("x-mine", b"yes".as_slice())]);
        for word in self.get_http_request_header("x-do").unwrap().split(' ') {
            let last = self.last.get();
            match word {
                "call" => {
                    let wait = Duration::from_secs(2);
                    let sent = Some(message.as_bytes());
                    self.last.set(
                        self.dispatch_grpc_call(&to, "demo.Echo", "Say", mine(), sent, wait)
                            .unwrap(),
                    );
                }
                "stream" => self.last.set(
                    self.open_grpc_stream(&to, "demo.Echo", "Chat", mine())
                        .unwrap(),
                ),
                "send" => self.send_grpc_stream_message(last, Some(message.as_bytes()), false),
                "last" => self.send_grpc_stream_message(last, Some(message.as_bytes()), true),
                "close" => self.close_grpc_stream(last),
                "cancel" => self.cancel_grpc_call(last),
                _ => {}
            }
        }
    }

    fn body(&self, buffer: BufferType, size: usize) -> Action {
        if self.path == "/sizes" {
            let (mut length, mut flags) = (0, 0);
            unsafe { proxy_get_buffer_status(buffer, &mut length, &mut flags) };
            info(&format!("body of {length} bytes"));
        }
        if self.path == "/body" && size > 0 {
            let held = text(hostcalls::get_buffer(buffer, 0, size).unwrap());
            info(&format!("body {held}"));
            hostcalls::set_buffer(buffer, 0, size, format!("<{held}>").as_bytes()).unwrap();
        }
        Action::Continue
    }

    fn trailers(&self, map: MapType) -> Action {
        if self.path == "/body" {
            info(&format!(
                "x-sum {}",
                hostcalls::get_map_value(map, "x-sum").unwrap().unwrap()
            ));
            hostcalls::add_map_value(map, "x-list", "second").unwrap();
            hostcalls::set_map_value(map, "x-old", Some("new")).unwrap();
            hostcalls::remove_map_value(map, "x-gone").unwrap();
        }
        Action::Continue
    }
}

fn metrics() {
    let counter = hostcalls::define_metric(MetricType::Counter, "suite_counter").unwrap();
    hostcalls::increment_metric(counter, 3).unwrap();
    info(&format!(
        "counter {}",
        hostcalls::get_metric(counter).unwrap()
    ));
    let gauge = hostcalls::define_metric(MetricType::Gauge, "suite_gauge").unwrap();
    hostcalls::increment_metric(gauge, 9).unwrap();
    hostcalls::increment_metric(gauge, -2).unwrap();
    info(&format!("gauge {}", hostcalls::get_metric(gauge).unwrap()));
    let histogram = hostcalls::define_metric(MetricType::Histogram, "suite_histogram").unwrap();
    hostcalls::record_metric(histogram, 12).unwrap();
}

fn levels() {
    info(&format!(
        "level {}",
        hostcalls::get_log_level().unwrap() as u32
    ));
    for (level, name) in [
        (LogLevel::Trace, "trace"),
        (LogLevel::Debug, "debug"),
        (LogLevel::Warn, "warn"),
        (LogLevel::Error, "error"),
        (LogLevel::Critical, "critical"),
    ] {
        hostcalls::log(level, &format!("at {name}")).unwrap();
    }
}

struct Connection;

impl Context for Connection {
    fn on_http_call_response(&mut self, _: u32, count: usize, size: usize, trailers: usize) {
        answered(self, count, size, trailers);
        self.resume_downstream();
    }
}

impl StreamContext for Connection {
    fn on_new_connection(&mut self) -> Action {
        info("new connection");
        Action::Continue
    }

    fn on_downstream_data(&mut self, size: usize, _: bool) -> Action {
        let data = text(self.get_downstream_data(0, size));
        self.relay("down", data, |new| self.set_downstream_data(0, size, new))
    }

    fn on_downstream_close(&mut self, _: PeerType) {
        info("down closed");
    }

    fn on_upstream_data(&mut self, size: usize, _: bool) -> Action {
        let data = text(self.get_upstream_data(0, size));
        self.relay("up", data, |new| self.set_upstream_data(0, size, new))
    }

    fn on_upstream_close(&mut self, _: PeerType) {
        info("up closed");
    }

    fn on_log(&mut self) {
        info("log");
    }
}

impl Connection {
    fn relay(&self, side: &str, data: String, replace: impl Fn(&[u8])) -> Action {
        info(&format!("{side} {data}"));
        if data.contains("change") {
            replace(b"changed");
        }
        if data.contains("close down") {
            self.close_downstream();
        }
        if data.contains("close up") {
            self.close_upstream();
        }
        if !data.contains("hold") {
            return Action::Continue;
        }
        ask(self);
        Action::Pause
    }
}
