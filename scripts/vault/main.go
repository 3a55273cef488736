// A Vault server for tests: HashiCorp Vault's own core, storage, transit engine and HTTP handler,
// without its command line and its many other engines and plugins, which take long to build.
// Version 1.13.2: of those under the MPL, the newest whose published modules fit one another.
// Initialised, unsealed and set up over its own HTTP interface. Never for production: it has no
// audit device, and keeps its storage in one folder.
package main

import (
	"crypto/tls"
	"flag"
	"net"
	"net/http"
	"os"
	"time"

	log "github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/builtin/logical/transit"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/vault"
)

// engines tells the core's plugin catalogue what is compiled in.
type engines struct{}

func (engines) Contains(name string, kind consts.PluginType) bool {
	return name == "transit" && kind == consts.PluginTypeSecrets
}

func (e engines) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	if !e.Contains(name, kind) {
		return nil, false
	}
	return func() (interface{}, error) { return logical.Factory(transit.Factory), nil }, true
}

func (engines) Keys(kind consts.PluginType) []string {
	if kind == consts.PluginTypeSecrets {
		return []string{"transit"}
	}
	return nil
}

func (e engines) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, e.Contains(name, kind)
}

func main() {
	data := flag.String("data", "", "folder of the storage")
	listen := flag.String("listen", "", "address")
	socket := flag.String("socket", "", "path of a Unix socket, for plain HTTP")
	certificate := flag.String("certificate", "", "PEM for the address; without it plain HTTP")
	key := flag.String("key", "", "PEM")
	flag.Parse()

	logger := log.New(&log.LoggerOptions{Name: "vault", Output: os.Stderr, Level: log.Warn})
	if err := serve(logger, *data, *listen, *socket, *certificate, *key); err != nil {
		logger.Error("stopped", "error", err)
		os.Exit(1)
	}
}

func serve(logger log.Logger, data, listen, socket, certificate, key string) error {
	storage, err := file.NewFileBackend(map[string]string{"path": data}, logger)
	if err != nil {
		return err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:        storage,
		StorageType:     "file",
		Logger:          logger,
		DisableMlock:    true,
		BuiltinRegistry: engines{},
		LogicalBackends: map[string]logical.Factory{"transit": transit.Factory},
		DefaultLeaseTTL: time.Hour,
		MaxLeaseTTL:     24 * time.Hour,
	})
	if err != nil {
		return err
	}
	defer func() { _ = core.Shutdown() }()

	local, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return err
		}
		listener = tls.NewListener(listener, &tls.Config{
			Certificates: []tls.Certificate{pair},
			MinVersion:   tls.VersionTLS12,
			NextProtos:   []string{"h2", "http/1.1"},
		})
	}
	settings := &configutil.Listener{
		Type:               "tcp",
		Address:            listen,
		MaxRequestDuration: vault.DefaultMaxRequestDuration,
		MaxRequestSize:     vaulthttp.DefaultMaxRequestSize,
	}
	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core, ListenerConfig: settings})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 2)
	for _, listener := range []net.Listener{local, listener} {
		go func(listener net.Listener) { ended <- server.Serve(listener) }(listener)
	}
	return <-ended
}
