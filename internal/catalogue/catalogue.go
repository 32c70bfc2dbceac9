// SPDX-License-Identifier: Apache-2.0

// Package catalogue knows what the licences of CRMs allow: for each tier its limits, by figure or formula, each with the document it was read in. The figures
// are data (data/*.yaml, one file a CRM); only the control plane reads them, because a dispatch plan carries the limits written out.
package catalogue

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/crmquota/crm-quota-operator/api/v1alpha1"
)

//go:embed data/*.yaml
var data embed.FS

// all CRMs in order of name.
var all = sync.OnceValue(func() []*CRM {
	files, err := fs.Glob(data, "data/*.yaml")
	if err != nil {
		panic("catalogue: " + err.Error())
	}
	var crms []*CRM
	for _, name := range files {
		text, err := data.ReadFile(name)
		if err != nil {
			panic("catalogue: " + err.Error())
		}
		crm, err := Parse(text)
		if err != nil {
			panic(fmt.Sprintf("catalogue: %s: %v", name, err)) // the tests read every file
		}
		crms = append(crms, crm)
	}
	slices.SortFunc(crms, func(a, b *CRM) int { return strings.Compare(string(a.Provider), string(b.Provider)) })
	return crms
})

// All CRMs that the catalogue knows, in order of name. They must not be changed.
func All() []*CRM { return slices.Clone(all()) }

// Of is what is known of a provider's licences; nil if nothing is.
func Of(provider v1alpha1.Provider) *CRM {
	for _, c := range all() {
		if c.Provider == provider {
			return c
		}
	}
	return nil
}

// CRM is what is known of one CRM's licences.
type CRM struct {
	Provider v1alpha1.Provider `json:"provider"`
	// Sources are the documents that figures refer to, by a short name.
	Sources map[string]Source `json:"sources"`
	// ServerDelay is the longest time after which the CRM may still count a call that was given up on; nil if nothing is known of it.
	ServerDelay *ServerDelay `json:"serverDelay,omitempty"`
	// Tiers of each family, the smallest first.
	Tiers  []Tier  `json:"tiers"`
	AddOns []AddOn `json:"addOns,omitempty"`
	Limits []Limit `json:"limits"`
	// Missing are sentences on what the CRM limits and the catalogue leaves out, and why.
	Missing []string `json:"missing,omitempty"`
}

// Source is a document.
type Source struct {
	// Document is its address or title; Edition which one, where it has editions.
	Document string `json:"document"`
	Edition  string `json:"edition,omitempty"`
	// Date, year and month, is when the figures were taken from it.
	Date string `json:"date"`
}

// Confidence says how well a figure is known.
type Confidence string

const (
	// Vendor is for what was read in the vendor's own text.
	Vendor Confidence = "Vendor"
	// ThirdParty is for what was read in somebody else's transcription, client library or test.
	ThirdParty Confidence = "ThirdParty"
	// General is for common knowledge that was not looked up.
	General Confidence = "General"
	// Unconfirmed is for an assumption, on the safe side.
	Unconfirmed Confidence = "Unconfirmed"
)

// Evidence is where a figure comes from.
type Evidence struct {
	// Source is a key of CRM.Sources.
	Source     string     `json:"source"`
	Confidence Confidence `json:"confidence"`
	// Note says what the figure leaves open; empty if nothing.
	Note string `json:"note,omitempty"`
}

// ServerDelay in seconds.
type ServerDelay struct {
	Evidence
	Seconds int32 `json:"seconds"`
}

// Tier is a licence that can be had.
type Tier struct {
	Name string `json:"name"`
	// Title is what the vendor calls it.
	Title string `json:"title"`
	// Family is the product line: advice names tiers of the family that one has already.
	Family string `json:"family"`
	// Retired tiers are not sold any more: advice does not name them.
	Retired bool `json:"retired,omitempty"`
}

// AddOn is what can be had besides a tier, some number of times.
type AddOn struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Tiers that it can be had with; all if empty.
	Tiers []string `json:"tiers,omitempty"`
	// Max is the largest number of it; 0 if it is not bounded.
	Max     int64    `json:"max,omitempty"`
	Effects []Effect `json:"effects"`
}

// Effect is what an add-on does to one limit; exactly one of Each, RaisesTo is set.
type Effect struct {
	Evidence
	Limit string `json:"limit"`
	// Tiers for which it holds; all if empty.
	Tiers []string `json:"tiers,omitempty"`
	// Each is by how many units each one of it enlarges the limit.
	Each int64 `json:"each,omitempty"`
	// RaisesTo is what the limit is at least, however many of it there are.
	RaisesTo int64 `json:"raisesTo,omitempty"`
}

// Measure is what a limit counts.
type Measure string

const (
	// Calls are calls, or what they cost, in a window or period.
	Calls Measure = "Calls"
	// ExecutionSeconds are seconds of execution in a window or period.
	ExecutionSeconds Measure = "ExecutionSeconds"
	// Concurrent are calls at a time.
	Concurrent Measure = "Concurrent"
)

// Limit is one of the CRM's limits. Its shape is that of a limit in a manifest, without calls, executionSeconds and concurrent: these come from Sizes.
type Limit struct {
	v1alpha1.Limit
	// Evidence for the shape: window, scope, way of counting, costs.
	Evidence
	// Measure is Calls if empty.
	Measure Measure `json:"measure,omitempty"`
	// Sizes by tier; the first that matches decides. A tier that none matches does not have the limit.
	Sizes []Size `json:"sizes"`
}

// Size is how large a limit is: (Base + PerSeat * seats) * Multiplier, at most Max, before add-ons.
type Size struct {
	Evidence
	// Tiers for which it holds; all if empty.
	Tiers []string `json:"tiers,omitempty"`
	// SignIn is how one has to sign in for it to hold; either way if empty.
	SignIn  SignIn `json:"signIn,omitempty"`
	Base    int64  `json:"base,omitempty"`
	PerSeat int64  `json:"perSeat,omitempty"`
	// Multiplier is 1 if 0.
	Multiplier int64 `json:"multiplier,omitempty"`
	// Max is 0 if there is none.
	Max int64 `json:"max,omitempty"`
}

// SignIn is how one signs in to a CRM.
type SignIn string

const (
	// APIKey is a user name and password, a fixed token or a key.
	APIKey SignIn = "APIKey"
	// OAuth is an access token of limited life.
	OAuth SignIn = "OAuth"
)

// TierNames are those of all tiers, in the catalogue's order.
func (c *CRM) TierNames() []string {
	names := make([]string, 0, len(c.Tiers))
	for _, t := range c.Tiers {
		names = append(names, t.Name)
	}
	return names
}

// LimitNames are those of all limits, in the catalogue's order.
func (c *CRM) LimitNames() []string {
	names := make([]string, 0, len(c.Limits))
	for i := range c.Limits {
		names = append(names, string(c.Limits[i].Name))
	}
	return names
}

// tier by name.
func (c *CRM) tier(name string) (Tier, bool) {
	if i := slices.IndexFunc(c.Tiers, func(t Tier) bool { return t.Name == name }); i >= 0 {
		return c.Tiers[i], true
	}
	return Tier{}, false
}

// concerns says whether a list of tiers names one, as an empty list does.
func concerns(tiers []string, name string) bool {
	return len(tiers) == 0 || slices.Contains(tiers, name)
}
