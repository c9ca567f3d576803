// What the host offers: the functions of proxy-wasm ABI 0.2.1 that Envoy really has.
// Every argument is a number; `*_ptr` and `*_size` describe bytes in this module's memory, and
// `return_*` is where the host writes its answer. All give back a WasmResultValues.

// @ts-ignore: decorator
@external("env", "proxy_log")
export declare function proxy_log(level: u32, ptr: usize, size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_get_log_level")
export declare function proxy_get_log_level(return_level: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_get_status")
export declare function proxy_get_status(return_code: usize, return_ptr: usize, return_size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_set_tick_period_milliseconds")
export declare function proxy_set_tick_period_milliseconds(period: u32): u32;
// @ts-ignore: decorator
@external("env", "proxy_get_current_time_nanoseconds")
export declare function proxy_get_current_time_nanoseconds(return_time: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_set_effective_context")
export declare function proxy_set_effective_context(context_id: u32): u32;
// @ts-ignore: decorator
@external("env", "proxy_done")
export declare function proxy_done(): u32;
// @ts-ignore: decorator
@external("env", "proxy_call_foreign_function")
export declare function proxy_call_foreign_function(
  name_ptr: usize, name_size: usize, argument_ptr: usize, argument_size: usize,
  return_ptr: usize, return_size: usize): u32;

// Properties

// @ts-ignore: decorator
@external("env", "proxy_get_property")
export declare function proxy_get_property(
  path_ptr: usize, path_size: usize, return_ptr: usize, return_size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_set_property")
export declare function proxy_set_property(
  path_ptr: usize, path_size: usize, value_ptr: usize, value_size: usize): u32;

// The stream

// @ts-ignore: decorator
@external("env", "proxy_continue_stream")
export declare function proxy_continue_stream(stream_type: u32): u32;
// @ts-ignore: decorator
@external("env", "proxy_close_stream")
export declare function proxy_close_stream(stream_type: u32): u32;
// @ts-ignore: decorator
@external("env", "proxy_send_local_response")
export declare function proxy_send_local_response(
  status_code: u32, details_ptr: usize, details_size: usize, body_ptr: usize, body_size: usize,
  headers_ptr: usize, headers_size: usize, grpc_status: i32): u32;

// Headers and trailers

// @ts-ignore: decorator
@external("env", "proxy_add_header_map_value")
export declare function proxy_add_header_map_value(
  map_type: u32, key_ptr: usize, key_size: usize, value_ptr: usize, value_size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_replace_header_map_value")
export declare function proxy_replace_header_map_value(
  map_type: u32, key_ptr: usize, key_size: usize, value_ptr: usize, value_size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_get_header_map_value")
export declare function proxy_get_header_map_value(
  map_type: u32, key_ptr: usize, key_size: usize, return_ptr: usize, return_size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_remove_header_map_value")
export declare function proxy_remove_header_map_value(map_type: u32, key_ptr: usize, key_size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_get_header_map_pairs")
export declare function proxy_get_header_map_pairs(map_type: u32, return_ptr: usize, return_size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_set_header_map_pairs")
export declare function proxy_set_header_map_pairs(map_type: u32, pairs_ptr: usize, pairs_size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_get_header_map_size")
export declare function proxy_get_header_map_size(map_type: u32, return_size: usize): u32;

// Bodies and other buffers

// @ts-ignore: decorator
@external("env", "proxy_get_buffer_bytes")
export declare function proxy_get_buffer_bytes(
  buffer_type: u32, start: u32, length: u32, return_ptr: usize, return_size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_get_buffer_status")
export declare function proxy_get_buffer_status(
  buffer_type: u32, return_length: usize, return_flags: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_set_buffer_bytes")
export declare function proxy_set_buffer_bytes(
  buffer_type: u32, start: u32, length: u32, ptr: usize, size: usize): u32;

// Calls to other services

// @ts-ignore: decorator
@external("env", "proxy_http_call")
export declare function proxy_http_call(
  cluster_ptr: usize, cluster_size: usize, headers_ptr: usize, headers_size: usize,
  body_ptr: usize, body_size: usize, trailers_ptr: usize, trailers_size: usize,
  timeout_milliseconds: u32, return_token: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_grpc_call")
export declare function proxy_grpc_call(
  service_ptr: usize, service_size: usize, service_name_ptr: usize, service_name_size: usize,
  method_name_ptr: usize, method_name_size: usize, metadata_ptr: usize, metadata_size: usize,
  request_ptr: usize, request_size: usize, timeout_milliseconds: u32, return_token: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_grpc_stream")
export declare function proxy_grpc_stream(
  service_ptr: usize, service_size: usize, service_name_ptr: usize, service_name_size: usize,
  method_name_ptr: usize, method_name_size: usize, metadata_ptr: usize, metadata_size: usize,
  return_token: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_grpc_send")
export declare function proxy_grpc_send(token: u32, message_ptr: usize, message_size: usize, end_stream: u32): u32;
// @ts-ignore: decorator
@external("env", "proxy_grpc_cancel")
export declare function proxy_grpc_cancel(token: u32): u32;
// @ts-ignore: decorator
@external("env", "proxy_grpc_close")
export declare function proxy_grpc_close(token: u32): u32;

// Data and queues that all workers share

// @ts-ignore: decorator
@external("env", "proxy_get_shared_data")
export declare function proxy_get_shared_data(
  key_ptr: usize, key_size: usize, return_ptr: usize, return_size: usize, return_cas: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_set_shared_data")
export declare function proxy_set_shared_data(
  key_ptr: usize, key_size: usize, value_ptr: usize, value_size: usize, cas: u32): u32;
// @ts-ignore: decorator
@external("env", "proxy_register_shared_queue")
export declare function proxy_register_shared_queue(name_ptr: usize, name_size: usize, return_token: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_resolve_shared_queue")
export declare function proxy_resolve_shared_queue(
  vm_id_ptr: usize, vm_id_size: usize, name_ptr: usize, name_size: usize, return_token: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_dequeue_shared_queue")
export declare function proxy_dequeue_shared_queue(token: u32, return_ptr: usize, return_size: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_enqueue_shared_queue")
export declare function proxy_enqueue_shared_queue(token: u32, ptr: usize, size: usize): u32;

// Metrics

// @ts-ignore: decorator
@external("env", "proxy_define_metric")
export declare function proxy_define_metric(
  metric_type: u32, name_ptr: usize, name_size: usize, return_id: usize): u32;
// @ts-ignore: decorator
@external("env", "proxy_increment_metric")
export declare function proxy_increment_metric(metric_id: u32, offset: i64): u32;
// @ts-ignore: decorator
@external("env", "proxy_record_metric")
export declare function proxy_record_metric(metric_id: u32, value: u64): u32;
// @ts-ignore: decorator
@external("env", "proxy_get_metric")
export declare function proxy_get_metric(metric_id: u32, return_value: usize): u32;
