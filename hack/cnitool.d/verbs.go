package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/invoke"
)

// The version that GC and STATUS need. libcni 1.1.2 ends at CNI 1.0.0 and has neither verb, so they are run here, in
// the way of later libcni: the newest version the list offers decides whether the verb exists at all.
const verbsVersion = "1.1.0"

// attachment is one row of cni.dev/valid-attachments.
type attachment struct {
	ContainerID string `json:"containerID"`
	IfName      string `json:"ifname"`
}

// status asks every plugin of the list, in order, and stops at the first that says no.
func status(ctx context.Context, list *libcni.NetworkConfigList, path []string) error {
	if !offersVerbs(list) {
		return nil
	}
	for _, plugin := range list.Plugins {
		if err := execute(ctx, "STATUS", list, plugin, path, nil); err != nil {
			return err
		}
	}
	return nil
}

// collectGarbage tells every plugin which attachments of this network are alive: those in the result cache, which is
// all that a runtime without containers knows. Every plugin is asked, whatever the one before it answered.
func collectGarbage(ctx context.Context, list *libcni.NetworkConfigList, path []string) error {
	if !offersVerbs(list) {
		return nil
	}
	valid, err := cachedAttachments(list.Name)
	if err != nil {
		return err
	}
	var first error
	for _, plugin := range list.Plugins {
		err := execute(ctx, "GC", list, plugin, path, map[string]interface{}{"cni.dev/valid-attachments": valid})
		if err == nil {
			continue
		}
		if first != nil {
			report(first)
		}
		first = err
	}
	return first
}

// offersVerbs tells whether the list may be run at CNI 1.1.0: its cniVersion, or one of its cniVersions, says so.
func offersVerbs(list *libcni.NetworkConfigList) bool {
	var versions struct {
		CNIVersions []string `json:"cniVersions"`
	}
	// The list has been parsed once already: what fails here is only a cniVersions of another type, which offers none.
	_ = json.Unmarshal(list.Bytes, &versions)
	for _, version := range append(versions.CNIVersions, list.CNIVersion) {
		if version == verbsVersion {
			return true
		}
	}
	fmt.Fprintf(os.Stderr, "cnitool: network %q does not offer CNI %s: nothing to do\n", list.Name, verbsVersion)
	return false
}

// execute runs one plugin with the list's name and version, and no attachment, as libcni does for these two verbs.
func execute(
	ctx context.Context, command string, list *libcni.NetworkConfigList, plugin *libcni.NetworkConfig, path []string,
	keys map[string]interface{},
) error {
	inject := map[string]interface{}{"name": list.Name, "cniVersion": verbsVersion}
	for key, value := range keys {
		inject[key] = value
	}
	config, err := libcni.InjectConf(plugin, inject)
	if err != nil {
		return err
	}
	binary, err := invoke.FindInPath(plugin.Network.Type, path)
	if err != nil {
		return err
	}
	arguments := &invoke.Args{Command: command, Path: strings.Join(path, string(os.PathListSeparator))}
	if err := invoke.ExecPluginWithoutResult(ctx, binary, config.Bytes, arguments, nil); err != nil {
		return fmt.Errorf("plugin type=%q failed (%s): %w", plugin.Network.Type, strings.ToLower(command), err)
	}
	return nil
}

// cachedAttachments reads the rows of one network from libcni's result cache. Files of other tools are passed over.
func cachedAttachments(network string) ([]attachment, error) {
	directory := os.Getenv("CNI_CACHE_DIR")
	if directory == "" {
		directory = libcni.CacheDir
	}
	files, err := filepath.Glob(filepath.Join(directory, "results", "*"))
	if err != nil {
		return nil, err
	}
	valid := []attachment{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		} else if err != nil {
			return nil, err
		}
		var cached struct {
			Kind        string `json:"kind"`
			ContainerID string `json:"containerId"`
			IfName      string `json:"ifName"`
			NetworkName string `json:"networkName"`
		}
		if err := json.NewDecoder(bytes.NewReader(content)).Decode(&cached); err != nil {
			// An unreadable row might be alive: freeing it on a guess could cut a running container off.
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if cached.Kind == libcni.CNICacheV1 && cached.NetworkName == network {
			valid = append(valid, attachment{ContainerID: cached.ContainerID, IfName: cached.IfName})
		}
	}
	return valid, nil
}
