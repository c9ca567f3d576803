// Runs inside the compiler, between parsing and compiling:
//
// * a callback may be written with fewer parameters than the SDK's, as TypeScript allows and
//   AssemblyScript does not: `onResponseHeaders(headers: u32)`;
// * a callback that the filter has no use for is not exported, and the proxy does not call it:
//   every call into a module costs as much as reading a header;
// * Date.now asks the proxy for the time.

const SDK = "~lib/@solo-io/proxy-runtime/";

/** Exported callback: the word in the filter's source that it is for. What is not here is always exported. */
const WORDS = {
  proxy_on_done: "onDone",
  proxy_on_log: "onLog",
  proxy_validate_configuration: "validateConfiguration",
  proxy_on_tick: "onTick",
  proxy_on_queue_ready: "onQueueReady",
  proxy_on_foreign_function: "onForeignFunction",
  proxy_on_request_headers: "onRequestHeaders",
  proxy_on_request_body: "onRequestBody",
  proxy_on_request_trailers: "onRequestTrailers",
  proxy_on_request_metadata: "onRequestMetadata",
  proxy_on_response_headers: "onResponseHeaders",
  proxy_on_response_body: "onResponseBody",
  proxy_on_response_trailers: "onResponseTrailers",
  proxy_on_response_metadata: "onResponseMetadata",
  proxy_on_new_connection: "onNewConnection",
  proxy_on_downstream_data: "onDownstreamData",
  proxy_on_upstream_data: "onUpstreamData",
  proxy_on_downstream_connection_close: "onDownstreamConnectionClose",
  proxy_on_upstream_connection_close: "onUpstreamConnectionClose",
  proxy_on_http_call_response: "httpCall",
  proxy_on_grpc_receive_initial_metadata: "grpc_",
  proxy_on_grpc_receive: "grpc_",
  proxy_on_grpc_receive_trailing_metadata: "grpc_",
  proxy_on_grpc_close: "grpc_",
};

export default class {
  afterInitialize(program) {
    this.completeOverrides(program);
    this.dropCallbacks(program);
    program.filesByName.get("~lib/date")?.members.set("Date_binding", program.elementsByName.get("proxy_date"));
  }

  /** Give overrides of the SDK's methods the parameters that their authors left out. */
  completeOverrides(program) {
    for (const name of ["base/BaseContext", "contexts/RootContext", "contexts/Context"]) {
      const members = program.elementsByName.get(SDK + name)?.instanceMembers ?? [];
      for (const [, method] of members) {
        const wanted = method.functionTypeNode?.parameters ?? [];
        for (const override of method.unboundOverrides ?? []) {
          const present = override.functionTypeNode?.parameters ?? [];
          present.push(...wanted.slice(present.length));
        }
      }
    }
  }

  dropCallbacks(program) {
    const texts = program.sources.filter(one => !one.internalPath.startsWith(SDK)).map(one => one.text);
    const callbacks = program.filesByName.get(`${SDK}proxy`)?.exports;
    for (const [callback, word] of Object.entries(WORDS)) {
      if (!texts.some(text => text.includes(word))) callbacks?.delete(callback);
    }
  }
}
