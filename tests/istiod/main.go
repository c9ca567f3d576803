// Command istiod is Istio's control plane in a program, and the one part of its agent that looks into what a
// proxy is told: wasm modules are pulled, and the proxy gets files. For tests.
package main

import (
	"flag"
	"fmt"
	"os"

	"istio.io/istio/pilot/cmd/pilot-discovery/app"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 2 || os.Args[1] != "agent" {
		return app.NewRootCommand().Execute()
	}
	flags := flag.NewFlagSet("agent", flag.ExitOnError)
	discovery := flags.String("discovery", "", "where istiod answers")
	socket := flags.String("socket", "", "where the proxy asks")
	modules := flags.String("modules", "", "where modules are kept")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	return agent(*discovery, *socket, *modules)
}
