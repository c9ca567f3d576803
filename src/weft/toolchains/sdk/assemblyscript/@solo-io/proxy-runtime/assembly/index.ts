export * from "../index";
