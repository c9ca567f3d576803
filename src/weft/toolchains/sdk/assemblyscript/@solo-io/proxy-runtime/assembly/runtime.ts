export * from "../runtime";
