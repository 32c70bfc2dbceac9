// SPDX-License-Identifier: Apache-2.0

package dialect

import (
	"io"
	"time"
)

// AppLogs is how a CRM tells after the end of a day what each application has used in it: by files with a line for each call.
type AppLogs struct {
	// Window is the length of the window of the limit that the calls count against.
	Window time.Duration
	// Newest asks which file is the newest. It only reads, and counts as any other call.
	Newest Request
	// ReadNewest reads the body of a good answer to it; false if it names no file.
	ReadNewest func(body []byte) (AppLog, bool)
	// Count counts the calls in a file by application, the largest first and at most MaxApps. It reads to the end, with bounded memory. An error means that the file
	// is none that it knows.
	Count func(file io.Reader) ([]AppUse, error)
}

// AppLog is one file.
type AppLog struct {
	// Ask is the call that reads it. It counts as any other.
	Ask Request
	// Day is the beginning, in UTC, of the day that it tells of.
	Day time.Time
	// Bytes is how long it is said to be.
	Bytes int64
}
