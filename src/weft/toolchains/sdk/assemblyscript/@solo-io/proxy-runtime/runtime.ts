export * from "./calls";
export * from "./contexts";
export * from "./grpc";
export * from "./headers";
export * from "./metrics";
export { registerRootContext } from "./registry";
export * from "./values";
