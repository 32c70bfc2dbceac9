// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// picture is an SVG that reads on light and on dark pages.
type picture struct {
	width, height int
	body          strings.Builder
}

// style has one colour for ours, one for others, and red for what is past the limit.
const style = `text{font:13px system-ui,sans-serif;fill:#1f2328}.dim{fill:#59636e}.bold{font-weight:600}.end{text-anchor:end}.mid{text-anchor:middle}` +
	`.ours{fill:#0969da}.other{fill:#8c959f}.over{fill:#cf222e}.grid{stroke:#d1d9e0}.limit{stroke:#cf222e;stroke-dasharray:5 3}` +
	`@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.dim{fill:#9198a1}.ours{fill:#4493f8}.other{fill:#656c76}.over{fill:#f85149}.grid{stroke:#3d444d}` +
	`.limit{stroke:#f85149}}`

func (p *picture) add(format string, args ...any) { fmt.Fprintf(&p.body, format+"\n", args...) }

func (p *picture) text(x, y float64, class, format string, args ...any) {
	p.add(`<text x="%.1f" y="%.1f" class="%s">%s</text>`, x, y, class, html.EscapeString(fmt.Sprintf(format, args...)))
}

func (p *picture) bar(x, y, width, height float64, class string) {
	p.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="%s"/>`, x, y, width, height, class)
}

func (p *picture) line(x1, y1, x2, y2 float64, class string) {
	p.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`, x1, y1, x2, y2, class)
}

// write saves the picture; title says for those who cannot see it what it shows.
func (p *picture) write(folder, name, title string) error {
	text := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img"><title>%s</title><style>%s</style>
%s</svg>
`, p.width, p.height, html.EscapeString(title), style, p.body.String())
	return os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644) //nolint:gosec // a picture for everybody
}

// draw writes the pictures of a run into a folder.
func draw(folder string, rows []row, seed uint64) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // pictures for everybody
		return err
	}
	if err := drawScoreboard(folder, rows); err != nil {
		return err
	}
	return drawWindows(folder, seed)
}

// figure is one of the columns of the scoreboard.
type figure struct {
	heading string
	// value is how long a row's bar is, and label what stands beside it.
	value func(r row) float64
	label func(r row) string
	// most is the value of the longest bar; if 0, that of the rows.
	most float64
	// limit is where bars turn red, if it is not 0.
	limit float64
}

func scoreboardFigures() []figure {
	d := drains[0]
	hours := (time.Duration(d.windows) * d.licence.window).Hours()
	return []figure{
		{
			heading: fmt.Sprintf("fullest window, of %d calls", d.licence.calls), limit: float64(d.licence.calls), most: float64(2 * d.licence.calls),
			value: func(r row) float64 { return float64(r.worst) }, label: func(r row) string { return fmt.Sprint(r.worst) },
		},
		{
			heading: "calls refused",
			value:   func(r row) float64 { return float64(r.refused) / float64(r.answers) },
			label:   func(r row) string { return percent(r.refused, r.answers) },
		},
		{
			heading: fmt.Sprintf("calls an app got ahead, by weight, in %.0f h", hours),
			value:   func(r row) float64 { return r.unfair }, label: func(r row) string { return fmt.Sprintf("%.0f", r.unfair) },
		},
	}
}

func drawScoreboard(folder string, all []row) error {
	const nameWidth, columnWidth, barWidth, rowHeight, top = 165.0, 290.0, 180.0, 30.0, 56.0
	l, figures := drains[0].licence, scoreboardFigures()
	var rows []row
	for _, r := range all {
		if r.kind == shared && r.licence == l {
			rows = append(rows, r)
		}
	}
	bottom := top + rowHeight*float64(len(rows))
	p := &picture{width: int(nameWidth + columnWidth*float64(len(figures))), height: int(bottom + 34)}
	p.text(0, 16, "bold", "%d calls a minute, three apps that always have calls waiting (weights 3:2:1)", l.calls)
	for i, r := range rows {
		_, weight := classesOf(r.limiter)
		p.text(0, top+rowHeight*float64(i)+17, weight, "%s", r.limiter)
	}
	for i, f := range figures {
		x := nameWidth + float64(i)*columnWidth
		p.text(x, 44, "dim", "%s", f.heading)
		for _, r := range rows {
			f.most = max(f.most, f.value(r))
		}
		scale := barWidth / f.most
		for j, r := range rows {
			class, weight := classesOf(r.limiter)
			y, width := top+rowHeight*float64(j), max(1, f.value(r)*scale)
			p.bar(x, y+4, width, rowHeight-12, class)
			if f.limit > 0 && f.value(r) > f.limit {
				p.bar(x+f.limit*scale, y+4, width-f.limit*scale, rowHeight-12, "over")
			}
			p.text(x+width+6, y+17, weight, "%s", f.label(r))
		}
		if f.limit > 0 {
			p.line(x+f.limit*scale, top, x+f.limit*scale, bottom, "limit")
		}
	}
	p.text(0, bottom+22, "dim", "make scoreboard; network 0.2 s there and back, 0 to 0.3 s more each way; judged by crmsim in virtual time, %d windows",
		drains[0].windows)
	return p.write(folder, "scoreboard.svg", "Fullest window, refused calls and fairness of five limiters that spend 400 calls a minute")
}

// classesOf are the classes of a limiter's bars and of its words.
func classesOf(limiter string) (bar, words string) {
	if limiter == oursName {
		return "ours", "bold"
	}
	return "other", "plain"
}
