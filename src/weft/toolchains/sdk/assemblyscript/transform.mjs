// Runs inside the compiler, between parsing and compiling, and knows the classes of the SDK:
//
// * a callback may be written with fewer parameters than the SDK's, as TypeScript allows and
//   AssemblyScript does not: `onResponseHeaders(headers: u32)`;
// * a callback that no class of the filter has is not exported, and the proxy does not call it:
//   every call into a module costs as much as reading a header;
// * Date.now asks the proxy for the time.

const SDK = "~lib/@solo-io/proxy-runtime/";

/** Exported callback: the method that it is for. What is not here is always exported. */
const METHODS = {
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
  proxy_on_grpc_receive_initial_metadata: "on_grpc_receive_initial_metadata",
  proxy_on_grpc_receive: "on_grpc_receive",
  proxy_on_grpc_receive_trailing_metadata: "on_grpc_trailing_metadata",
  proxy_on_grpc_close: "on_grpc_close",
};

export default class {
  afterInitialize(program) {
    program.filesByName.get("~lib/date")?.members.set("Date_binding", program.elementsByName.get("proxy_date"));
    const overridden = new Set();
    for (const name of ["BaseContext", "RootContext", "Context"]) {
      const members = program.elementsByName.get(`${SDK}contexts/${name}`)?.instanceMembers;
      for (const [method, prototype] of members ?? []) {
        for (const override of prototype.unboundOverrides ?? []) {
          if (!isSdk(override)) overridden.add(method);
          complete(override, prototype);
        }
      }
    }
    const callbacks = program.filesByName.get(`${SDK}proxy`);
    for (const [callback, method] of Object.entries(METHODS)) {
      if (!overridden.has(method)) callbacks?.exports.delete(callback);
    }
  }
}

function isSdk(element) {
  return element.internalName.startsWith(SDK);
}

/** Give an override the parameters that its author left out. */
function complete(override, original) {
  const wanted = original.functionTypeNode?.parameters ?? [];
  const present = override.functionTypeNode?.parameters ?? [];
  present.push(...wanted.slice(present.length));
}
