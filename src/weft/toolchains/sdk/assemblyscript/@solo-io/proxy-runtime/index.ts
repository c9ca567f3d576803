// An SDK for filters in AssemblyScript, with the names of npm's package of this name.

export * from "./runtime";
