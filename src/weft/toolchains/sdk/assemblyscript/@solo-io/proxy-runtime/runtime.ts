export { BaseContext } from "./base";
export { HttpCallback } from "./callers";
export * from "./calls";
export { Context, RootContext } from "./contexts";
export { grpc_cancel, grpc_close, grpc_send, GrpcCallResult } from "./grpc";
export * from "./headers";
export * from "./metrics";
export { registerRootContext } from "./registry";
export * from "./values";
