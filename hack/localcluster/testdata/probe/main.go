// Command probe is what the integration test runs in a pod: it serves, and says what it can reach.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	switch command := os.Args[1]; command {
	case "serve":
		http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello from the pod") })
		exit(http.ListenAndServe(":8080", nil))
	case "dial":
		_, err := net.DialTimeout("tcp", os.Args[2], 2*time.Second)
		exit(err)
	case "write":
		exit(os.WriteFile(os.Args[2], []byte("x"), 0o600))
	default:
		exit(fmt.Errorf("no command is called %q", command))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}
