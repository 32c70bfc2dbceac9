// SPDX-License-Identifier: Apache-2.0

package forecast

const (
	// The least weights of the newest observation: a slot of the week comes once a week, one of the day every day; square errors need more of them.
	weekRate       = 0.2
	weekSquareRate = 0.15
	dayRate        = 0.3
	daySquareRate  = 0.05
	overallRate    = 1 / float64(slotsPerWeek)
	// firstSpread is the standard deviation that a slot is taken to have before it was observed, as a part of its mean.
	firstSpread = 0.5
	// squarePrior is how many observations of a slot of the week its time of day on all days is worth, squareMemory how many count.
	squarePrior, squareMemory = 2, 8
)

// season is what is usual at a time of the week: for each half hour the mean number of calls and the mean square by which forecasts for it were wrong; and the
// same for each half hour of the day, over all days.
type season struct {
	week, weekSquare [slotsPerWeek]float32
	weekSeen         [slotsPerWeek]uint8
	day, daySquare   [slotsPerDay]float32
	daySeen          [slotsPerDay]uint8
	overall          float32
	seen             uint8

	// Sums over the slots before each of what is usual, and of the squares: derived from the above.
	weekSums, weekSquares [slotsPerWeek + 1]float32
	daySums, daySquares   [slotsPerDay + 1]float32
}

// learn adds an observation of a slot of the week, for which foreseen calls were expected.
func (s *season) learn(slot int, calls, foreseen float64) {
	calls = min(calls, mostCalls)
	wrong := (calls - foreseen) * (calls - foreseen)
	d := slot % slotsPerDay
	approach(&s.week[slot], calls, s.weekSeen[slot], weekRate)
	approach(&s.weekSquare[slot], wrong, s.weekSeen[slot], weekSquareRate)
	approach(&s.day[d], calls, s.daySeen[d], dayRate)
	approach(&s.daySquare[d], wrong, s.daySeen[d], daySquareRate)
	approach(&s.overall, calls, s.seen, overallRate)
	s.weekSeen[slot], s.daySeen[d], s.seen = next(s.weekSeen[slot]), next(s.daySeen[d]), next(s.seen)
	s.sum()
}

// approach moves a mean towards an observation, of which so many were seen before: all count alike until the newest would count less than rate.
func approach(mean *float32, observed float64, seen uint8, rate float64) {
	*mean += float32(max(rate, 1/(1+float64(seen))) * (min(observed, mostSquare) - float64(*mean)))
}

// The largest observations of calls and of their squares: sums of many of them, and their products, are finite in 32 bits.
const mostCalls, mostSquare = 1e15, 1e30

// next counts up to the largest number there is.
func next(n uint8) uint8 { return n + min(1, ^n) }

// sum computes the sums anew.
func (s *season) sum() {
	for d := range slotsPerDay {
		mean := credible(s.day[d], s.daySeen[d], s.overall, 1/dayRate)
		s.daySums[d+1] = s.daySums[d] + mean
		s.daySquares[d+1] = s.daySquares[d] + blend(s.daySquare[d], s.daySeen[d], mean+firstSpread*firstSpread*mean*mean, 1)
	}
	for i := range slotsPerWeek {
		d := i % slotsPerDay
		s.weekSums[i+1] = s.weekSums[i] + credible(s.week[i], s.weekSeen[i], s.daySums[d+1]-s.daySums[d], 1/weekRate)
		s.weekSquares[i+1] = s.weekSquares[i] + blend(s.weekSquare[i], s.weekSeen[i], s.daySquares[d+1]-s.daySquares[d], squarePrior)
	}
}

// rarest is a mean that is as good as none. Means without calls fall for ever, and the inverse of one that fell for two years is no number any more.
const rarest = 1e-9

// credible is a mean by what was seen and by what is usual more generally, which counts as many observations as it takes to see one call: a few observations of
// busy times say much, of quiet ones little. Memory is how many observations the mean is over.
func credible(mean float32, seen uint8, general, memory float32) float32 {
	if seen == 0 {
		return general
	}
	n, prior := min(float32(seen), 2*memory), 1/max(mean, general, rarest)
	return (n*mean + prior*general) / (n + prior)
}

// blend likewise, where the more general counts a fixed number of observations.
func blend(square float32, seen uint8, general, prior float32) float32 {
	n := min(float32(seen), squareMemory)
	return (n*square + prior*general) / (n + prior)
}

// usual is how many calls are usual in a slot of the week.
func (s *season) usual(slot int) float64 { return float64(s.weekSums[slot+1] - s.weekSums[slot]) }

// cycle is sums over a week or a day that go round, seen from one position in it, in slots.
type cycle struct {
	sums          []float32
	length        float64
	position      float64
	passed, whole float64 // the sums up to the position, and of all
}

func newCycle(sums []float32, position float64) cycle {
	c := cycle{sums: sums, length: float64(len(sums) - 1), position: position, whole: float64(sums[len(sums)-1])}
	c.passed = c.upTo(position)
	return c
}

// ahead is the sum over a length from the position on.
func (c *cycle) ahead(length float64) float64 {
	if length < c.length {
		return max(0, c.upTo(c.position+length)-c.passed)
	}
	rounds := float64(int(length / c.length))
	return rounds*c.whole + max(0, c.upTo(c.position+length-rounds*c.length)-c.passed)
}

// upTo interpolates the sums at a place in the first or second round.
func (c *cycle) upTo(at float64) float64 {
	before := 0.0
	if at >= c.length {
		at, before = at-c.length, c.whole
	}
	i := min(int(at), len(c.sums)-2)
	low, high := float64(c.sums[i]), float64(c.sums[i+1])
	return before + low + (high-low)*(at-float64(i))
}
