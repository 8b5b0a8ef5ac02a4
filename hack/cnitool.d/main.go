// cnitool calls CNI plugins the way a runtime does: it loads a network configuration list, derives a container id
// from the namespace's path and runs one verb. Arguments, environment and container ids are those of upstream's
// cnitool, so that a config tried with one works with the other.
//
//	cnitool add|check|del|gc|status NETWORK NETNS
//
// Environment: CNI_PATH (plugin directories), NETCONFPATH (configurations, default /etc/cni/net.d), CAP_ARGS (a JSON
// object of capability arguments), CNI_ARGS (K=V;K=V), CNI_IFNAME (default eth0). One addition: CNI_CACHE_DIR moves
// the result cache away from /var/lib/cni, for tests that must leave nothing there.
//
// Built without the network from Debian's golang-github-appc-cni-dev (libcni 1.1.2); see hack/cnitool.
package main

import (
	"context"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

const usage = `usage: cnitool add|check|del|gc|status NETWORK NETNS
  NETWORK  the "name" of a configuration list in NETCONFPATH (default /etc/cni/net.d)
  NETNS    path of the network namespace, for instance /run/netns/pod1
`

func main() {
	if len(os.Args) != 4 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(1)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		report(err)
		os.Exit(1)
	}
}

// report prints the error; libcni's wording leaves out the code, which is what a test or an operator looks for.
func report(err error) {
	fmt.Fprintf(os.Stderr, "cnitool: %v\n", err)
	var plugin *types.Error
	if errors.As(err, &plugin) {
		fmt.Fprintf(os.Stderr, "cnitool: error code %d\n", plugin.Code)
	}
}

func run(verb, network, netns string) error {
	list, err := loadList(network)
	if err != nil {
		return err
	}
	runtime, err := runtimeConf(netns)
	if err != nil {
		return err
	}
	path := filepath.SplitList(os.Getenv("CNI_PATH"))
	cni := libcni.NewCNIConfigWithCacheDir(path, os.Getenv("CNI_CACHE_DIR"), nil)
	ctx := context.Background()
	switch verb {
	case "add":
		result, err := cni.AddNetworkList(ctx, list, runtime)
		if err != nil {
			return err
		}
		if err := result.Print(); err != nil {
			return err
		}
		fmt.Println()
		return nil
	case "check":
		return cni.CheckNetworkList(ctx, list, runtime)
	case "del":
		return cni.DelNetworkList(ctx, list, runtime)
	case "gc":
		return collectGarbage(ctx, list, path)
	case "status":
		return status(ctx, list, path)
	}
	return fmt.Errorf("unknown verb %q\n%s", verb, usage)
}

// loadList finds the list by its name. Debian's libcni fails on a directory that does not exist without naming it.
func loadList(network string) (*libcni.NetworkConfigList, error) {
	directory := os.Getenv("NETCONFPATH")
	if directory == "" {
		directory = "/etc/cni/net.d"
	}
	list, err := libcni.LoadConfList(directory, network)
	if err != nil {
		return nil, fmt.Errorf("network %q in %s: %w", network, directory, err)
	}
	return list, nil
}

func runtimeConf(netns string) (*libcni.RuntimeConf, error) {
	netns, err := filepath.Abs(netns)
	if err != nil {
		return nil, err
	}
	ifName := os.Getenv("CNI_IFNAME")
	if ifName == "" {
		ifName = "eth0"
	}
	arguments, err := parseArguments(os.Getenv("CNI_ARGS"))
	if err != nil {
		return nil, err
	}
	var capabilities map[string]interface{}
	if text := os.Getenv("CAP_ARGS"); text != "" {
		if err := json.Unmarshal([]byte(text), &capabilities); err != nil {
			return nil, fmt.Errorf("CAP_ARGS is not a JSON object: %w", err)
		}
	}
	digest := sha512.Sum512([]byte(netns))
	return &libcni.RuntimeConf{
		ContainerID:    fmt.Sprintf("cnitool-%x", digest[:10]),
		NetNS:          netns,
		IfName:         ifName,
		Args:           arguments,
		CapabilityArgs: capabilities,
	}, nil
}

// parseArguments reads CNI_ARGS: pairs K=V with semicolons between them.
func parseArguments(text string) ([][2]string, error) {
	var arguments [][2]string
	if text == "" {
		return arguments, nil
	}
	for _, pair := range strings.Split(text, ";") {
		kv := strings.SplitN(pair, "=", 2)
		if len(kv) != 2 || kv[0] == "" || kv[1] == "" {
			return nil, fmt.Errorf("CNI_ARGS: %q is not KEY=VALUE", pair)
		}
		arguments = append(arguments, [2]string{kv[0], kv[1]})
	}
	return arguments, nil
}
