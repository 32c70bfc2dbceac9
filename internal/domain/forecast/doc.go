// SPDX-License-Identifier: Apache-2.0

// Package forecast foresees what integrations will ask for, when a limit will be used up, how long a backlog will take and whether the licence is large enough.
// It is pure and has no clock: instants are those of package limits.
//
// A History learns how many calls an integration asks for by the time of the week; a Demand says what that means for one limit; a Curve is what is asked for
// from now on, by how far ahead; Exhaust and Drain read curves. One more History and Demand per limit, told of the calls of all integrations, foresee the
// licence as a whole. An Advisor tries out what would have been with limits of other sizes.
//
// Every forecast is a pair: p50 is passed in one case of two, p95 in one of twenty. A history keeps score of its own forecasts and widens or narrows them
// until that is so, whatever the law of the demand.
package forecast
