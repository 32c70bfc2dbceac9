// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
	"github.com/crmquota/crm-quota-operator/internal/provider"
)

// Account identifies whose licence the spec declares, in lower case: licence.account, or what the provider derives from the endpoint's host. It is empty only for
// specs that the API server would refuse.
func Account(crm *v1alpha1.CRM) string {
	adapter, known := provider.ByName(string(crm.Spec.Provider))
	if !known {
		return strings.ToLower(crm.Spec.Licence.Account)
	}
	return adapter.Account(crm.Spec.Licence.Account, endpointHost(crm.Spec.Endpoint))
}

func endpointHost(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// Licence identifies the licence that the spec declares: a hash of provider and account that can stand in a label. Equal licences must never be spent by two
// dispatchers.
func Licence(crm *v1alpha1.CRM) string {
	return licenceID(string(crm.Spec.Provider), Account(crm))
}

func licenceID(provider, account string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(provider) + "\x00" + strings.ToLower(account)))
	return hex.EncodeToString(sum[:20])
}

// Licences are the keys under which a CRM must be found when somebody asks who holds a licence: the one declared and, while an edit is refused, the one that
// its dispatcher still spends.
func Licences(crm *v1alpha1.CRM) []string {
	declared := Licence(crm)
	if crm.Status.Account == "" {
		return []string{declared}
	}
	held := licenceID(string(crm.Spec.Provider), crm.Status.Account)
	if held == declared {
		return []string{declared}
	}
	return []string{declared, held}
}

// Holder names the other CRM that holds the licence which crm declares; nil when crm holds it itself. A licence belongs to the CRM whose dispatcher spends it
// (status.account), then to one that is programmed, then to the oldest, then to the first by namespace and name. Others may hold CRMs of any licence and crm
// itself.
func Holder(crm *v1alpha1.CRM, others []v1alpha1.CRM) *types.NamespacedName {
	licence := Licence(crm)
	best := crm
	for i := range others {
		other := &others[i]
		if other.Namespace == crm.Namespace && other.Name == crm.Name || !slices.Contains(Licences(other), licence) {
			continue
		}
		if precedes(other, best, licence) {
			best = other
		}
	}
	if best == crm {
		return nil
	}
	return &types.NamespacedName{Namespace: best.Namespace, Name: best.Name}
}

// precedes says whether a has the better claim to the licence.
func precedes(a, b *v1alpha1.CRM, licence string) bool {
	if x, y := spends(a, licence), spends(b, licence); x != y {
		return x
	}
	if x, y := programmed(a), programmed(b); x != y {
		return x
	}
	return older(a, b) < 0
}

func spends(crm *v1alpha1.CRM, licence string) bool {
	return crm.Status.Account != "" && licenceID(string(crm.Spec.Provider), crm.Status.Account) == licence
}

func programmed(crm *v1alpha1.CRM) bool {
	return meta.IsStatusConditionTrue(crm.Status.Conditions, v1alpha1.ConditionProgrammed)
}
