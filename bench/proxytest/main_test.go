package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
)

const tests = 20

func TestEachOnAHostOfItsOwn(t *testing.T) {
	for number := range tests {
		t.Run(fmt.Sprint(number), func(t *testing.T) {
			host := started(t)
			addsItsHeader(t, host, 200+number)
		})
	}
}

func TestAllOnOneHost(t *testing.T) {
	host := started(t)
	for number := range tests {
		t.Run(fmt.Sprint(number), func(t *testing.T) { addsItsHeader(t, host, 200+number) })
	}
}

// started is a host with the module that the environment names. The filter has no config: the C++ SDK reads one
// with a length that this host takes for a negative one, and panics.
func started(t *testing.T) proxytest.HostEmulator {
	t.Helper()
	host, end, err := start(os.Getenv("MODULE"), os.Getenv("ROOT_ID"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return host
}

func addsItsHeader(t *testing.T, host proxytest.HostEmulator, status int) {
	t.Helper()
	stream := host.InitializeHttpContext()
	host.CallOnResponseHeaders(stream, [][2]string{{":status", fmt.Sprint(status)}}, true)
	headers := host.GetCurrentResponseHeaders(stream)
	if len(headers) != 2 || headers[1] != [2]string{"hello", "world"} {
		t.Fatalf("the filter did not add its header: %v", headers)
	}
}
