export * from "../proxy";
