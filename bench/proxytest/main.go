// Command proxytest takes requests through a module on the Go SDK's test host, which runs it in wazero.
//
// Usage: proxytest MODULE ROOT_ID. For each line on standard input, which says how many requests, it prints how
// many seconds they took. That host calls only what a module exports, and never deletes a context in it; so a
// request here is a new context and the headers of a response.
//
// `go test` does what one test run does: see main_test.go.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
)

func main() {
	host, _, err := start(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		requests, err := strconv.Atoi(lines.Text())
		if err != nil {
			log.Fatal(err)
		}
		var stream uint32
		started := time.Now()
		for range requests {
			stream = host.InitializeHttpContext()
			host.CallOnResponseHeaders(stream, [][2]string{{":status", "200"}}, true)
		}
		took := time.Since(started).Seconds()
		if len(host.GetCurrentResponseHeaders(stream)) != 2 {
			log.Fatal("the filter did not add its header")
		}
		fmt.Println(took)
	}
}

// start takes a module to where requests can come; end closes what it took.
func start(path, rootID string) (host proxytest.HostEmulator, end func(), err error) {
	module, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	vm, err := proxytest.NewWasmVMContext(module)
	if err != nil {
		return nil, nil, err
	}
	// The C++ SDK asks for the name with a zero at its end, which is another property here.
	options := proxytest.NewEmulatorOption().WithVMContext(vm).
		WithProperty([]string{"plugin_root_id"}, []byte(rootID)).
		WithProperty([]string{"plugin_root_id", ""}, []byte(rootID))
	host, reset := proxytest.NewHostEmulator(options)
	if !host.StartPlugin() {
		return nil, nil, errors.New("the filter did not start")
	}
	return host, func() { reset(); vm.Close() }, nil
}
