// SPDX-License-Identifier: Apache-2.0

package forecast

import "math"

// amounts is what a call takes of a limit on average, over some thousand calls; the newer ones count more.
type amounts struct {
	// sum and squares of the amounts of the calls that the history counted after since.
	sum, squares, since float64
}

const (
	// amountMemory is after how many calls the older ones count half.
	amountMemory = 4096
	// amountPrior is how many calls of amount 1 are taken to have been seen at first.
	amountPrior = 4
)

// add notes a call's amount. calls is how many the history has counted, this one included.
func (a *amounts) add(amount int64, calls float64) {
	x := float64(amount)
	a.sum += x
	a.squares += x * x
	if seen := calls - a.since; seen > 2*amountMemory {
		a.sum, a.squares, a.since = a.sum/2, a.squares/2, a.since+seen/2
	}
}

// mean and variance of a call's amount.
func (a *amounts) moments(calls float64) (mean, variance float64) {
	n := max(0, calls-a.since) + amountPrior
	mean = (a.sum + amountPrior) / n
	return mean, max(0, (a.squares+amountPrior)/n-mean*mean)
}

// units turns a forecast in calls into one in units: the median by the mean amount, the margin by both the number of calls and their amounts, as variances add.
func (a *amounts) units(p50, p95, calls float64) (units50, units95 float64) {
	mean, variance := a.moments(calls)
	if variance == 0 {
		return mean * p50, mean * p95
	}
	margin := math.Hypot(mean*(p95-p50), normal95*math.Sqrt(p50*variance))
	return mean * p50, mean*p50 + margin
}

// normal95 is how many standard deviations above its mean a normal distribution is exceeded in one case of twenty.
const normal95 = 1.645
