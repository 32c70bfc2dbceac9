// SPDX-License-Identifier: Apache-2.0

// Package issuer knows who issues the cluster's service account tokens and with which public keys they can be verified. Dispatchers get both in their plan,
// because they have no access to the API server.
package issuer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/crmquota/crm-quota-operator/controllers/wake"
	"github.com/crmquota/crm-quota-operator/internal/contract"
)

const (
	// refreshPeriod is well below the time for which a rotated-out key is kept by anyone.
	refreshPeriod = 5 * time.Minute
	// retryPeriod applies until the keys are known.
	retryPeriod = 5 * time.Second
	// fetchTimeout bounds one attempt.
	fetchTimeout = 5 * time.Second

	discoveryPath = "/.well-known/openid-configuration"
	keysPath      = "/openid/v1/jwks"
)

// +kubebuilder:rbac:urls=/.well-known/openid-configuration;/openid/v1/jwks,verbs=get

// Keys are the issuer and its keys, read from the API server and refreshed. Methods may be called concurrently.
type Keys struct {
	server rest.Interface
	bell   wake.Bell

	mu      sync.Mutex
	current []contract.TokenIssuer
}

// New makes Keys that are not known yet.
func New(config *rest.Config) (*Keys, error) {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("client for %s: %w", discoveryPath, err)
	}
	return &Keys{server: client.RESTClient()}, nil
}

// Current returns the issuers, none while they are not known.
func (k *Keys) Current() []contract.TokenIssuer {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current
}

// Changes returns a channel that gets an event, which names no object, when the keys have changed.
func (k *Keys) Changes() <-chan event.GenericEvent { return k.bell.Listen() }

// Start implements manager.Runnable: it refreshes the keys until ctx ends.
func (k *Keys) Start(ctx context.Context) error {
	for {
		pause := refreshPeriod
		if err := k.Refresh(ctx); err != nil {
			log.FromContext(ctx).Error(err, "Public keys of service account tokens not read")
			if len(k.Current()) == 0 {
				pause = retryPeriod
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// Refresh reads the keys once.
func (k *Keys) Refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	fetched, err := k.fetch(ctx)
	if err != nil {
		return err
	}
	k.mu.Lock()
	changed := !slices.EqualFunc(k.current, fetched, func(a, b contract.TokenIssuer) bool {
		return a.Issuer == b.Issuer && bytes.Equal(a.Keys, b.Keys)
	})
	known := len(k.current) > 0
	k.current = fetched
	k.mu.Unlock()
	if changed && known {
		k.bell.Ring(ctx, types.NamespacedName{})
	}
	return nil
}

func (k *Keys) fetch(ctx context.Context) ([]contract.TokenIssuer, error) {
	document, err := k.server.Get().AbsPath(discoveryPath).DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", discoveryPath, err)
	}
	var discovery struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(document, &discovery); err != nil {
		return nil, fmt.Errorf("decode %s: %w", discoveryPath, err)
	}
	if discovery.Issuer == "" {
		return nil, errors.New(discoveryPath + " names no issuer")
	}
	document, err = k.server.Get().AbsPath(keysPath).DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", keysPath, err)
	}
	keys, err := canonical(document)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", keysPath, err)
	}
	return []contract.TokenIssuer{{Issuer: discovery.Issuer, Keys: keys}}, nil
}

// canonical puts a key set in an order of its own, because API servers of one cluster may differ in theirs, and every difference would be a new plan.
func canonical(document []byte) (json.RawMessage, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, err
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("no keys")
	}
	slices.SortFunc(set.Keys, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	return json.Marshal(set)
}
