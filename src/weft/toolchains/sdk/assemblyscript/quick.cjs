// Runs before the compiler and halves its time: its optimizer is a large WebAssembly module that runs once, and
// most of a build would go into making that module fast. A flag by way of the command line would do the same, but
// end the build with a Node that has it no more.
require("node:v8").setFlagsFromString("--liftoff-only");
